"""``python -m deploy.cli``: the command, for processes that start another of their kind."""

from __future__ import annotations

import sys

from deploy.cli import main

if __name__ == "__main__":
    sys.exit(main())

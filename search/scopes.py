"""What an account may do."""

from __future__ import annotations

from typing import Literal

Scope = Literal["read", "write", "admin"]
"""``read`` looks, ``write`` changes what is its own, ``admin`` sees and changes all."""

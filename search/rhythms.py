"""When a silence or a volume is unusual, against what was usual at the same times. Pure.

A feed is compared with itself one to four weeks ago: nights, weekends and weekly issues are no
silence. A topic is compared with the same hour of the last 14 days, and where everything grew
(after an outage, with a new list of feeds) that much is no burst.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import sqrt
from statistics import median

WEEKS = 4
GAPS = 10
"""A silence of fewer usual gaps is none ..."""

AT_LEAST = timedelta(hours=2)
"""... nor a shorter one."""

WITHOUT_HISTORY = timedelta(days=2)
"""The same while less than two weeks are known of a feed."""

MISSED = 3
"""As many articles came at the same time of every week that is known."""

DAYS, MIN_DAYS = 14, 7
"""Days that a volume is compared with; below ``MIN_DAYS`` nothing is judged."""

LEAST = 10
"""Articles in an hour that can be a burst, however quiet the topic is."""

DEVIATIONS = 6.0
TIMES = 3.0
NORMAL = 1.4826
"""From the median of deviations to a standard deviation."""


def may_be_silent(quiet: timedelta, usual_gap_seconds: float) -> bool:
    """Whether a look at the weeks before is worth while."""
    return quiet >= max(AT_LEAST, GAPS * timedelta(seconds=usual_gap_seconds))


def is_silent(quiet: timedelta, past: Sequence[int]) -> bool:
    """Whether a silence that may be one is unusual.

    ``past``: how many articles came in the same span of each week before that is known.
    """
    if len(past) < 2:  # noqa: PLR2004 - one week tells nothing of a rhythm
        return quiet >= WITHOUT_HISTORY
    return min(past) >= MISSED


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """A topic's last hour.

    Attributes:
        count: Articles in it.
        usual: In the same hour of the days before, as far as they are known.
        lift: How many times their usual volume all other news has now; at least 1.
    """

    count: int
    usual: tuple[int, ...]
    lift: float = 1.0

    @property
    def expected(self) -> float:
        """Articles that would be nothing special."""
        return median(self.usual) * self.lift if self.usual else 0.0

    @property
    def threshold(self) -> float:
        """Articles that are a burst."""
        middle = median(self.usual) if self.usual else 0.0
        spread = median(abs(one - middle) for one in self.usual) if self.usual else 0.0
        deviation = max(NORMAL * spread * self.lift, sqrt(self.expected))
        return max(LEAST, TIMES * self.expected, self.expected + DEVIATIONS * deviation)

    @property
    def is_burst(self) -> bool:
        """Whether an episode begins."""
        return len(self.usual) >= MIN_DAYS and self.count >= self.threshold

    @property
    def is_over(self) -> bool:
        """Whether an episode ends: at half, so that it does not begin again at once."""
        return self.count < self.threshold / 2


def lift_of(count: int, usual: Sequence[int]) -> float:
    """How many times its usual volume news has; at least 1."""
    return max(1.0, count / max(1.0, median(usual))) if usual else 1.0

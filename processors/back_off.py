"""How long a stage waits before it tries again what a store could not take. Pure."""

from __future__ import annotations

FIRST_SECONDS = 0.5
LAST_SECONDS = 30.0
"""Soon back, never hot."""


def back_off(delay_seconds: float) -> float:
    """Seconds to wait now, after ``delay_seconds`` the last time; 0 where this is the first."""
    return min(LAST_SECONDS, max(FIRST_SECONDS, 2 * delay_seconds))

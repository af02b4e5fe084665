"""A quick start: a quarter of it would go into looking for garbage where there is none yet."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def starting() -> Iterator[None]:
    """No garbage collection within the block, nor later of what it left: modules and stores."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()

"""A start without garbage collection, and all as before after it."""

from __future__ import annotations

import gc

import pytest

from deploy.starting import starting


def test_garbage_is_collected_again_after_a_start() -> None:
    with starting():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_garbage_is_collected_again_after_a_start_that_failed() -> None:
    with pytest.raises(ImportError), starting():
        raise ImportError
    assert gc.isenabled()

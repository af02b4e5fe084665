"""Which alerts a story calls for."""

from __future__ import annotations

from pathlib import Path

import pytest

from processors.links import Links
from search.alert_state import TOPIC
from search.claims import Claims, Match
from search.mutes import Mutes
from search.pace import Pace
from tests.alerting import START, Newsdesk, story


def test_what_could_not_be_told_is_not_claimed(tmp_path: Path) -> None:
    desk = Newsdesk(folder=tmp_path)
    claims = Claims(
        desk.log.table(TOPIC),
        Links(),
        partitions=1,
        pace=Pace(storm=None),
        mutes=Mutes(clock=desk.clock),
    )
    subscription = desk.store.get(desk.subscribe("truce"))
    match = Match(subscription=subscription, story=story("a"), now=START)

    def failing(alert_id: str, _: str) -> str:
        raise ValueError(alert_id)

    with pytest.raises(ValueError, match=r"^[A-Za-z0-9_-]{22}$"):
        claims.claim(match, failing)
    assert claims.claim(match, lambda _, __: "{}") is not None
    assert claims.claim(match, lambda _, __: "{}") is None
    desk.close()

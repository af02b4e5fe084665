"""F22, F23, F65, the alerts' part: what is delivered twice, edited or renamed alerts once."""

from __future__ import annotations

import random
from pathlib import Path

from ingest.sqlite_log import SqliteLog
from search.alerts import AlertOwner
from tests.alerting import Newsdesk, revised, story


def test_f22_an_article_seen_in_fifty_polls_is_alerted_once(tmp_path: Path) -> None:
    desk = Newsdesk(folder=tmp_path)
    desk.subscribe("truce")
    desk.settle()
    desk.publish(story("a"))
    for _ in range(49):
        desk.publish(story("a", change="feed"))
        desk.settle()
    assert len(desk.alerts()) == 1
    desk.close()


def test_f23_a_typo_and_a_retraction_repeat_no_alert(tmp_path: Path) -> None:
    desk = Newsdesk(folder=tmp_path)
    desk.subscribe("truce")
    desk.settle()
    first = story("a", "A trucé was agreed.")
    second = revised(first, "A truce was agreed.")
    for one in (first, second, revised(second, "Nothing was agreed."), revised(second, "A truce.")):
        desk.publish(one)
        desk.settle()
    (alert,) = desk.alerts()
    assert "trucé" in alert.payload
    desk.close()


def test_f65_every_record_twice_and_two_owners_claim_each_alert_once(tmp_path: Path) -> None:
    desk = Newsdesk(folder=tmp_path)
    desk.subscribe("truce")
    desk.subscribe("ships", every_article=True)
    desk.settle()
    desk.publish(*(story(f"a{number}", story_id=f"s{number // 3}") for number in range(30)))
    desk.settle()
    once = [one.alert_id for one in desk.alerts()]
    assert len(once) == 10 + 30
    desk.publish(*(story(f"a{number}", story_id=f"s{number // 3}") for number in range(30)))
    desk.settle()
    desk.close()
    seed = random.SystemRandom().randrange(2**32)
    log = SqliteLog(tmp_path / "log.sqlite", shuffle=random.Random(seed))
    owner = AlertOwner(log, settings=desk.settings, quarantine=desk.quarantine)
    while owner.lag():
        owner.step(0)
    owner.close()
    log.close()
    again = Newsdesk(folder=tmp_path)
    assert [one.alert_id for one in again.alerts()] == once, f"seed {seed}"
    again.close()

"""F61: a subscription added, edited or paused between two articles, the alert stage up or down."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Protocol

import pytest

from tests.alerting import MANY, START, Newsdesk, story


class OpenDesk(Protocol):
    """Opens a desk over a log of its own."""

    def __call__(self) -> Newsdesk: ...


@pytest.fixture(params=["sqlite", "sqlite-many", "kafka"])
def open_desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OpenDesk]:
    """Desks over one partition in a file, and over several of stories and subscriptions."""
    opened: list[Newsdesk] = []

    def make() -> Newsdesk:
        folder = tmp_path / str(len(opened))
        folder.mkdir()
        if request.param == "sqlite":
            opened.append(Newsdesk(folder=folder))
        elif request.param == "sqlite-many":
            opened.append(Newsdesk(folder=folder, specs=MANY))
        else:
            pytest.importorskip("kafka", reason="the extra for Kafka is not installed")
            from tests.alert_workers import kafka_log  # noqa: PLC0415  needs the extra

            log = kafka_log(request.getfixturevalue("kafka"))
            opened.append(Newsdesk(folder=folder, given=log, specs=MANY, wait_seconds=0.1))
        return opened[-1]

    yield make
    for desk in opened:
        desk.close()


@pytest.fixture
def desk(open_desk: OpenDesk) -> Newsdesk:
    return open_desk()


class Script:
    """Articles and changes in an order; with ``is_up`` the owner works after each step."""

    def __init__(self, desk: Newsdesk, *, is_up: bool) -> None:
        self.desk = desk
        self.is_up = is_up
        self._last = 0

    def article(self, name: str, text: str = "A truce.") -> None:
        self._pass_time()
        self.desk.publish(story(name, text))
        self._work()

    def add(self, name: str, query: str = "truce") -> None:
        self._pass_time()
        self.desk.subscribe(name, query)
        self._work()

    def edit(self, name: str, **changes: object) -> None:
        self._pass_time()
        self.desk.rename(name, **changes)
        self._work()

    def resume(self, name: str, *, catch_up: bool) -> None:
        self._pass_time()
        self.desk.store.edit(name, paused=False, catch_up=catch_up)
        self._work()

    def backfill(self, name: str) -> None:
        """From the beginning on."""
        self._pass_time()
        self.desk.store.backfill(name, since=START - timedelta(days=1))
        self._work()

    def remove(self, name: str) -> None:
        self._pass_time()
        self.desk.store.remove(name)
        self._work()

    def restart(self) -> None:
        self.desk.owner.close()
        self.desk.owner = self.desk.new_owner()

    def alerted(self) -> list[tuple[str, str]]:
        """(subscription, article) of every alert, once the owner is up."""
        self.desk.settle()
        return sorted((one.subscription_name, one.article_id) for one in self.desk.alerts())

    def _work(self) -> None:
        if self.is_up:
            self.desk.settle()

    def _pass_time(self) -> None:
        """The log's clock has milliseconds: let the next append have a later one."""
        time.sleep(0.002)


@pytest.mark.parametrize("owner", ["up", "down"])
def test_f61_everything_after_a_subscription_and_nothing_before(desk: Newsdesk, owner: str) -> None:
    script = Script(desk, is_up=owner == "up")
    script.article("before")
    script.add("s")
    script.article("after")
    assert script.alerted() == [("s", "after")]


@pytest.mark.parametrize("owner", ["up", "down"])
def test_f61_each_article_meets_the_query_of_its_time(desk: Newsdesk, owner: str) -> None:
    script = Script(desk, is_up=owner == "up")
    script.add("s", "truce")
    script.article("a", "A truce.")
    script.article("b", "A treaty.")
    script.edit("s", query="treaty")
    script.article("c", "Another truce.")
    script.article("d", "Another treaty.")
    assert script.alerted() == [("s", "a"), ("s", "d")]


@pytest.mark.parametrize("owner", ["up", "down"])
def test_f61_nothing_of_a_pause_is_alerted(desk: Newsdesk, owner: str) -> None:
    script = Script(desk, is_up=owner == "up")
    script.add("s")
    script.article("a")
    script.edit("s", paused=True)
    script.article("b")
    script.edit("s", paused=False)
    script.article("c")
    script.remove("s")
    script.article("d")
    assert script.alerted() == [("s", "a"), ("s", "c")]


@pytest.mark.parametrize("owner", ["up", "down"])
def test_f61_a_pause_that_is_caught_up_with_leaves_no_gap(desk: Newsdesk, owner: str) -> None:
    script = Script(desk, is_up=owner == "up")
    script.article("before")
    script.add("s")
    script.article("a")
    script.edit("s", paused=True)
    script.article("b")
    script.article("other", "A treaty.")
    script.resume("s", catch_up=True)
    script.article("c")
    assert script.alerted() == [("s", "a"), ("s", "b"), ("s", "c")]


@pytest.mark.parametrize("owner", ["up", "down"])
def test_f61_a_backfill_reaches_back_for_the_one_that_asked(desk: Newsdesk, owner: str) -> None:
    script = Script(desk, is_up=owner == "up")
    script.article("before")
    script.add("s")
    script.add("bystander")
    script.article("a")
    script.backfill("s")
    script.article("b")
    expected = [("s", "a"), ("s", "b"), ("s", "before"), ("bystander", "a"), ("bystander", "b")]
    assert script.alerted() == sorted(expected)


def test_f61_pauses_and_backfills_end_the_same_wherever_the_worker_was(
    open_desk: OpenDesk,
) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    found = []
    for name in ("up", "down", "restarted"):
        desk = open_desk()
        script = Script(desk, is_up=name == "up")
        chance = random.Random(seed)
        script.article("early")
        script.add("s")
        paused = False
        for number in range(12 if desk.given else 40):
            match chance.randrange(6):
                case 0 if paused:
                    script.resume("s", catch_up=chance.random() < 0.5)
                    paused = False
                case 0:
                    script.edit("s", paused=True)
                    paused = True
                case 1 if not paused and chance.random() < 0.2:
                    script.backfill("s")
                case _:
                    text = chance.choice(["A truce.", "A treaty."])
                    script.article(f"a{number:02}", text)
            if name == "restarted" and number % 7 == 0:
                desk.settle()
                script.restart()
        if paused:  # what is still to be caught up with rests until then
            script.resume("s", catch_up=False)
        found.append(script.alerted())
    assert found[0] == found[1] == found[2], f"seed {seed}"


def test_f61_a_worker_that_was_down_through_it_all_decides_the_same(open_desk: OpenDesk) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    found = []
    for name in ("up", "down", "restarted"):
        desk = open_desk()
        script = Script(desk, is_up=name == "up")
        chance = random.Random(seed)
        script.add("s")
        script.article("first")
        for number in range(15 if desk.given else 40):  # servers take longer
            match chance.randrange(6):
                case 0:
                    script.edit("s", query=chance.choice(["truce", "treaty"]))
                case 1:
                    script.edit("s", paused=chance.random() < 0.5)
                case _:
                    text = chance.choice(["A truce.", "A treaty.", "A truce and a treaty."])
                    script.article(f"a{number:02}", text)
            if name == "restarted" and number % 7 == 0:
                desk.settle()
                script.restart()
        found.append(script.alerted())
    assert found[0] == found[1] == found[2], f"seed {seed}"
    assert found[0]

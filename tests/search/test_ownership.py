"""Shards come and go: what each owner claims, delivers and writes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ingest.log import NewRecord, Partition
from search.alert_state import ALERT, SINCE, TOPIC
from search.cursors import alert_lag, stored_cursors
from tests.alerting import MANY, SHARDS, Newsdesk, story
from tests.receiver import Receiver


@dataclass(slots=True)
class Given:
    """Shards as a test gives and takes them, with a generation that grows."""

    shards: dict[int, int] = field(default_factory=dict)
    is_shared: bool = True
    generation: int = 0

    def give(self, *shards: int) -> None:
        self.generation += 1
        self.shards |= dict.fromkeys(shards, self.generation)

    def take(self, *shards: int) -> None:
        for shard in shards:
            del self.shards[shard]

    def held(self) -> Mapping[int, int]:
        return dict(self.shards)

    def holds(self, shard: int, generation: int) -> bool:
        return self.shards.get(shard) == generation


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Newsdesk]:
    made = Newsdesk(folder=tmp_path, specs=MANY)
    yield made
    made.close()


def subscribe_everywhere(desk: Newsdesk, to: str = "stdout:") -> dict[int, str]:
    """A subscription of each shard."""
    made: dict[int, str] = {}
    for number in range(100):
        one = desk.store.get(desk.subscribe(f"s{number}", to=to))
        if one.shard % SHARDS in made:
            desk.store.remove(one.id)
        else:
            made[one.shard % SHARDS] = one.id
    assert len(made) == SHARDS
    return made


def settle(desk: Newsdesk, shards: Given) -> None:
    while alert_lag(desk.log, shards.held()):
        desk.owner.step(0)


def claimed(desk: Newsdesk) -> list[tuple[str, str]]:
    return sorted((one.subscription, one.article_id) for one in desk.alerts())


def test_each_owner_claims_for_its_shards_only(desk: Newsdesk) -> None:
    shards = Given()
    desk.owner = desk.new_owner(shards=shards)
    made = subscribe_everywhere(desk)
    assert desk.owner.step(0) == 0
    shards.give(0, 1)
    settle(desk, shards)
    desk.publish(story("a"))
    settle(desk, shards)
    assert claimed(desk) == sorted((made[shard], "a") for shard in (0, 1))
    for record in desk.log.table(TOPIC).items():
        assert record.partition.number in (0, 1)


def test_a_shard_that_comes_is_read_from_its_own_place_and_the_others_repeat_nothing(
    desk: Newsdesk,
) -> None:
    made = subscribe_everywhere(desk)
    desk.settle()
    desk.publish(story("a"))
    desk.settle()
    desk.owner.close()
    shards = Given()
    desk.owner = desk.new_owner(shards=shards)
    shards.give(0, 1)
    desk.publish(*(story(f"b{number}") for number in range(5)))
    settle(desk, shards)
    before = desk.log.bounds(Partition(TOPIC, 0))[1]
    shards.give(2)
    desk.publish(story("c"))
    settle(desk, shards)
    articles = ["a", "b0", "b1", "b2", "b3", "b4", "c"]
    for shard in (0, 1, 2):
        assert [name for of, name in claimed(desk) if of == made[shard]] == articles
    assert [name for of, name in claimed(desk) if of == made[3]] == ["a"]
    written = [one.key for one in desk.log.read(Partition(TOPIC, 0), before)]
    assert sum(key.startswith(ALERT) for key in written) == 1


def test_what_was_lost_in_the_middle_of_a_batch_is_not_written(desk: Newsdesk) -> None:
    shards = Given()
    made = subscribe_everywhere(desk)
    desk.settle()
    desk.owner.close()
    shards.give(0, 1)

    class Leaving(Given):
        """Shard 1 goes when the first write is asked about."""

        def holds(self, shard: int, generation: int) -> bool:
            self.shards.pop(1, None)
            return Given.holds(self, shard, generation)

    leaving = Leaving(shards=dict(shards.shards))
    desk.owner = desk.new_owner(shards=leaving)
    end = desk.log.bounds(Partition(TOPIC, 1))[1]
    desk.publish(story("a"))
    settle(desk, leaving)
    assert claimed(desk) == [(made[0], "a")]
    assert desk.log.bounds(Partition(TOPIC, 1))[1] == end


def test_a_shard_that_went_and_came_back_begins_with_what_the_log_says(desk: Newsdesk) -> None:
    shards = Given()
    made = subscribe_everywhere(desk)
    shards.give(0)
    desk.owner = desk.new_owner(shards=shards)
    settle(desk, shards)
    other = desk.new_owner(shards=(others := Given()))
    shards.take(0)
    others.give(0)
    desk.store.edit(made[0], query="treaty")
    while alert_lag(desk.log, [0]):
        other.step(0)
    other.close()
    shards.generation += 5
    shards.give(0)
    desk.publish(story("a"), story("b", "A treaty."))
    settle(desk, shards)
    assert claimed(desk) == [(made[0], "b")]


def test_a_shard_without_news_stores_how_far_it_has_come(desk: Newsdesk) -> None:
    desk.publish(*(story(f"a{number}", "nothing") for number in range(9)))
    desk.settle()
    ends = {number: desk.log.bounds(Partition("stories", number))[1] for number in range(3)}
    for cursor in stored_cursors(desk.log.table(TOPIC), range(SHARDS)).values():
        assert dict(cursor.stories) == {number: end for number, end in ends.items() if end}


async def test_only_alerts_of_our_shards_are_delivered_and_those_that_come_are_taken_up(
    tmp_path: Path,
) -> None:
    async with Receiver() as receiver, Newsdesk(folder=tmp_path, specs=MANY) as desk:
        made = subscribe_everywhere(desk, receiver.url)
        desk.settle()
        desk.publish(story("a"))
        desk.settle()
        shards = Given()
        shards.give(0, 1)
        desk.sender = desk.new_sender(shards=shards)
        await desk.sender.once()
        of = {one.alert_id: one.subscription for one in desk.alerts()}
        assert sorted(of[one.id] for one in receiver.got) == sorted((made[0], made[1]))
        shards.take(0)
        shards.give(5)
        await desk.sender.once()
        assert [of[one.id] for one in receiver.got[2:]] == [made[5]]


async def test_the_outcome_of_a_delivery_whose_shard_went_is_the_next_owners_to_write(
    tmp_path: Path,
) -> None:
    async with Receiver(answers=[0.5]) as receiver, Newsdesk(folder=tmp_path, specs=MANY) as desk:
        made = desk.subscribe("truce", to=receiver.url)
        desk.settle()
        desk.publish(story("a"))
        desk.settle()
        shard = desk.store.get(made).shard % SHARDS
        shards = Given()
        shards.give(shard)
        desk.sender = desk.new_sender(shards=shards)
        delivering = asyncio.create_task(desk.sender.once())
        await receiver.wait_for(1)
        shards.take(shard)
        await delivering
        (alert,) = desk.alerts()
        assert (alert.state, alert.attempts) == ("waiting", ())
        shards.give(shard)
        await desk.sender.once()
        assert {one.id for one in receiver.got} == {alert.alert_id}
        assert (len(receiver.got), desk.alerts()[0].state) == (2, "sent")


def test_what_is_in_force_is_said_again_over_an_earlier_owners_late_word(desk: Newsdesk) -> None:
    made = desk.subscribe("truce")
    desk.settle()
    first = desk.log.table(TOPIC).get(SINCE + made)
    desk.store.edit(made, query="treaty")
    desk.settle()
    newer = desk.log.table(TOPIC).get(SINCE + made)
    assert first is not None
    assert newer is not None
    number = first.partition.number
    late = NewRecord(topic=TOPIC, key=SINCE + made, value=first.value, partition=number)
    desk.log.append([late])
    desk.owner._outbox.say_again()  # else after five seconds
    found = desk.log.table(TOPIC).get(SINCE + made)
    assert found is not None
    assert found.value == newer.value


def test_old_records_of_one_partition_are_read(tmp_path: Path) -> None:
    desk = Newsdesk(folder=tmp_path)
    desk.publish(story("old"))
    made = desk.subscribe("truce")
    desk.settle()
    stored = desk.log.table(TOPIC).get(SINCE + made)
    assert stored is not None
    assert stored.value is not None
    desk.owner.close()
    since = stored.value.replace(b'"offset":{"0":1}', b'"offset":1')
    assert since != stored.value
    cursor = b'{"stories":1,"subscriptions":1,"schema":1}'
    desk.log.append(
        [
            NewRecord(topic=TOPIC, key="cursor:0", value=cursor),
            NewRecord(topic=TOPIC, key=SINCE + made, value=since),
        ]
    )
    desk.owner = desk.new_owner()
    desk.publish(story("a"))
    desk.settle()
    assert [one.article_id for one in desk.alerts()] == ["a"]
    desk.close()

"""Real feeds through one machine and through many give the same answers: a sample of them.

All of them: ``python -m tests.benchmarks.same_answers``.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from deploy.servers.elasticsearch import ElasticsearchServer
from ingest.wire import encode
from search.elastic_settings import ElasticSettings
from tests.both_shells import Compared, compared
from tests.real_feeds import real_files, served
from tests.same_answers import Answers, Found, differences, differences_of_content

pytestmark = pytest.mark.timeout(400)  # ten processes to start, on a machine that may be busy

EVERY = 12
"""Of 354 feeds."""

SEARCHES = 80
SECONDS = 120.0


@pytest.fixture(scope="module")
def both(
    shared_data: Path,
    kafka: str,
    elasticsearch_server: ElasticsearchServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Compared]:
    for module in ("kafka", "faust", "elasticsearch"):
        pytest.importorskip(module, reason="the extra for many machines is not installed")
    from tests.elastic_room import remove_all  # noqa: PLC0415  needs the extra

    feeds = shared_data / "feeds"
    settings = ElasticSettings(url=elasticsearch_server.url, prefix=f"same-{uuid4().hex[:8]}")
    with served(feeds, real_files(feeds)[::EVERY]) as sites:
        yield asyncio.run(
            compared(
                sites,
                tmp_path_factory.mktemp("same"),
                kafka=kafka,
                elastic={"url": settings.url, "prefix": settings.prefix},
                searches=SEARCHES,
                seconds=SECONDS,
            )
        )
    remove_all(settings)


def test_one_machine_and_many_give_the_same_answers(both: Compared) -> None:
    print(json.dumps([both.figures(), both.records, both.seconds]), file=sys.stderr)
    assert both.differences() == []


def test_there_is_something_to_compare(both: Compared) -> None:
    figures = both.figures()

    assert figures["articles"] > 400
    assert figures["in several feeds"] > 0
    assert figures["evidence"] > 0
    assert figures["searches that find"] > SEARCHES / 2
    assert len(both.many.told) > 20


def test_every_process_did_its_part_and_one_register_stood_by(both: Compared) -> None:
    idle = {stage: counts.count(0) for stage, counts in both.records.items()}

    assert idle == {"poll": 0, "tag": 0, "group": 1, "index": 0, "alert": 0}


def without_an_alert(answers: Answers) -> Answers:
    gone = next(one for one in answers.alerts if one.subscription in answers.of_articles)
    return replace(answers, alerts=[one for one in answers.alerts if one != gone])


def with_other_evidence(answers: Answers) -> Answers:
    name = next(name for name, one in answers.stories.items() if one.topics)
    story = answers.stories[name]
    topics = tuple(replace(tag, evidence=tag.evidence[1:]) for tag in story.topics)
    record = encode(replace(story, topics=topics))
    return replace(
        answers,
        stories={**answers.stories, name: replace(story, topics=topics)},
        records={**answers.records, "stories": {**answers.records["stories"], name: record}},
    )


def without_a_hit(one: Found) -> Found:
    return replace(one, ids=one.ids[1:], hits=one.hits[1:])


def in_another_order(one: Found) -> Found:
    return replace(one, ids=one.ids[::-1], hits=one.hits[::-1])


def with_other_highlights(one: Found) -> Found:
    hit = json.loads(one.hits[0])
    hit["highlights"] = {}
    return replace(one, hits=(json.dumps(hit), *one.hits[1:]))


def with_other_facets(one: Found) -> Found:
    return replace(one, end={**one.end, "facets": {}})


def in_a_search(spoil: Callable[[Found], Found]) -> Callable[[Answers], Answers]:
    """``spoil`` in the search that has the most hits in an order of time: two may be as old."""

    def spoilt(answers: Answers) -> Answers:
        found = [*answers.found]
        places = [place for place, one in enumerate(found) if not one.question.is_grouped]
        place = max(places, key=lambda place: len(found[place].ids))
        found[place] = spoil(found[place])
        return replace(answers, found=found)

    return spoilt


def in_every_search(spoil: Callable[[Found], Found]) -> Callable[[Answers], Answers]:
    """``spoil`` wherever it may be looked at: not beside articles that two feeds brought first."""
    return lambda answers: replace(answers, found=[spoil(one) for one in answers.found])


@pytest.mark.parametrize(
    "spoil",
    [
        without_an_alert,
        with_other_evidence,
        in_a_search(without_a_hit),
        in_a_search(in_another_order),
        in_a_search(with_other_highlights),
        in_every_search(with_other_facets),
    ],
)
def test_a_difference_is_seen(both: Compared, spoil: Callable[[Answers], Answers]) -> None:
    spoilt = spoil(both.many)

    assert [*differences(spoilt, both.again)]
    assert [*differences_of_content(both.one, spoilt)]

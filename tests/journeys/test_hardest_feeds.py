"""The documents on which known feed readers fail, by the command ``parse``: right, or refused.

Numbers, dates and properties only: the documents are others' and stay outside the repository.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.running import Place

Entry = dict[str, Any]
REPLACEMENT = "\ufffd"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What must come out of a document.

    Attributes:
        count: Entries; 0 with a ``refused``.
        first: ``published`` of the first entry.
        last: ``published`` of the last entry.
        dated: Entries with ``published``, where not all have one.
        guids: Different ids of the feed's own, where not every entry has one.
        language: ``language_declared`` of every entry.
        note: Begins one of the notes of every entry.
        source: Host of every entry; empty where there are several.
        holds: Anything else, of all entries.
    """

    count: int = 0
    first: str | None = None
    last: str | None = None
    dated: int | None = None
    guids: int | None = None
    language: str = ""
    note: str = ""
    source: str = ""
    refused: str = ""
    holds: Callable[[list[Entry]], bool] = bool


def links_begin(start: str) -> Callable[[list[Entry]], bool]:
    return lambda found: all(one["url"].startswith(start) for one in found)


def titles_are_plain(found: list[Entry]) -> bool:
    return not any(mark in one["title"] for one in found for mark in ("&#", "<sup", "&lt;"))


def no_ampersand_is_escaped(found: list[Entry]) -> bool:
    return all("&amp;" not in one["url"] and "objectid=" in one["url"] for one in found)


def accents_survive(found: list[Entry]) -> bool:
    return sum(any(letter in one["title"] for letter in "áâãçéêíóôõú") for one in found) >= 10


def kana_survive(found: list[Entry]) -> bool:
    return all(any("\u3040" <= letter <= "\u30ff" for letter in one["title"]) for one in found)


def has_long_texts(found: list[Entry]) -> bool:
    return all(len(one["text"]) > 500 for one in found)


HARDEST = {
    "pypi_defusedxml/xmltestdata/quadratic.xml": Expected(refused="declares-entities"),
    "rbren_rss-parser/uolNoticias.rss": Expected(
        count=15,
        first="2018-09-24T22:42:40.000Z",
        last="2018-09-24T22:18:49.000Z",
        guids=0,
        note="guessed windows-1252",
        holds=accents_survive,
    ),
    "feedjira_feedjira/JustASummary.xml": Expected(
        count=25,
        first="2009-01-12T17:44:15.000Z",
        last="2008-03-14T20:47:52.000Z",
        language="en",
        note="not well-formed XML",
        source="bofh.org.uk",
    ),
    "feedjira_feedjira/CoryForsyth.xml": Expected(
        count=10,
        first="2009-01-22T03:09:07.000Z",
        last="2008-04-10T05:58:33.000Z",
        language="en",
        note="XML faults mended",
        source="coryforsyth.com",
    ),
    "gesab001_headlines/series/fox/20210920T0127Z_4761943c.xml": Expected(
        count=10,
        first="2021-09-20T01:16:10.000Z",
        last="2021-09-20T00:55:53.000Z",
        source="foxnews.com",
    ),
    "gesab001_headlines/spread/nzherald/20211017T1406Z_1ca0c1d7.xml": Expected(
        count=20,
        first="2021-10-16T19:20:18.000Z",
        last="2021-10-16T23:22:19.000Z",
        guids=0,
        language="en",
        source="nzherald.co.nz",
        holds=no_ampersand_is_escaped,
    ),
    "gesab001_headlines/series/dailytelegraph/20200517T2211Z_1961bf20.xml": Expected(
        count=10, dated=0, guids=0, language="en", note="no date", source="dailytelegraph.com.au"
    ),
    "kagisearch_fastfeedparser/integration/osm-pl.xml": Expected(
        count=7,  # and an eighth that breaks off within its text
        first="2024-08-11T09:08:25.000Z",
        last="2024-04-29T18:55:51.000Z",
        language="pl",
        note="the document breaks off",
        source="openstreetmap.org.pl",
    ),
    "feedjira_feedjira/AtomWithPrefix.xml": Expected(
        count=25,
        first="2016-12-12T15:30:04.445Z",
        last="2016-12-12T13:05:45.363Z",
        source="tenderned.nl",
    ),
    "feedjira_feedjira/SamRuby.xml": Expected(
        count=20,
        first="2013-01-30T18:12:03.000Z",
        last="2012-03-28T20:44:13.000Z",
        source="intertwingly.net",
        holds=links_begin("http://intertwingly.net/blog/"),
    ),
    "jmoiron_speedparser/0019.dat": Expected(
        count=20,
        first="2011-09-16T08:00:00.000Z",
        last="2011-08-17T16:45:00.000Z",
        language="en",
        source="diylife.com",
    ),
    "jmoiron_speedparser/0416.dat": Expected(
        count=10,
        first="2011-06-16T12:55:48.000Z",
        last="2011-05-21T03:29:19.000Z",
        language="ja",
        source="stampkotobuki.blog100.fc2.com",
    ),
    "gesab001_headlines/broken/fox/20200517T2330Z_78d931aa.xml": Expected(
        count=1,
        first="2020-05-17T22:54:02.000Z",
        note="the document breaks off",
        source="foxnews.com",
    ),
    "gesab001_headlines/broken/latimes/20200428T0043Z_7e8b3fc4.xml": Expected(
        count=59,
        first="2020-04-27T23:10:05.000Z",
        last="2020-04-25T00:44:33.000Z",
        language="en",
        note="the document breaks off",
        source="latimes.com",
    ),
    "gesab001_headlines/broken/latimes/20211017T1406Z_d7b09802.xml": Expected(refused="html-page"),
    "feed-rs_feed-rs/rss2/rss_2.0_ilmessaggero.xml": Expected(
        count=1, first="2022-11-15T23:38:15.000Z", language="it", source="ilmessaggero.it"
    ),
    "rbren_rss-parser/craigslist.rss": Expected(
        count=25,
        first="2017-06-21T17:33:10.000Z",
        last="2017-06-21T17:31:19.000Z",
        language="en",
        source="sfbay.craigslist.org",
        holds=titles_are_plain,
    ),
    "kurtmckee_feedparser/illformed/chardet/shiftjis.xml": Expected(
        count=1, dated=0, guids=0, note="guessed shift_jis", holds=kana_survive
    ),
    "rbren_rss-parser/giantbomb-podcast.rss": Expected(
        count=730,
        first="2019-10-01T22:30:00.000Z",
        last="2008-02-18T09:54:00.000Z",
        language="en",
        source="giantbomb.com",
    ),
    "kagisearch_fastfeedparser/integration/pypy.xml": Expected(
        count=10,
        first="2024-11-14T08:42:36.000Z",
        last="2024-04-26T14:38:00.000Z",
        language="en",
        source="pypy.org",
        holds=has_long_texts,
    ),
    "feedjira_feedjira/json_feed.json": Expected(
        count=20,
        first="2017-06-03T05:05:47.000Z",
        last="2017-03-25T18:55:21.000Z",
        language="en",
        source="inessential.com",
    ),
}


@pytest.fixture(scope="module")
def lines(
    shared_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[dict[str, Any]]]:
    """What ``parse`` prints about each document, all in one call."""
    folder = shared_data / "feeds"
    if not (folder / "HARDEST.tsv").is_file():
        pytest.skip("the evaluation data names no hardest feeds")
    place = Place(folder=tmp_path_factory.mktemp("hardest"))
    done = place.call("parse", *(str(folder / name) for name in HARDEST), check=False)
    assert done.returncode == 1, "some are to be refused"
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in HARDEST}
    for line in done.stdout.splitlines():
        row = json.loads(line)
        found[Path(row["file"]).relative_to(folder).as_posix()].append(row)
    return found


def test_every_document_of_the_list_has_an_expectation(shared_data: Path) -> None:
    file = shared_data / "feeds" / "HARDEST.tsv"
    if not file.is_file():
        pytest.skip("the evaluation data names no hardest feeds")
    with file.open(encoding="utf-8", newline="") as rows:
        assert {row["file"] for row in csv.DictReader(rows, delimiter="\t")} == set(HARDEST)


@pytest.mark.parametrize("name", HARDEST)
def test_a_hard_document_is_read_right_or_refused_with_the_reason(
    name: str, lines: dict[str, list[dict[str, Any]]]
) -> None:
    expected, found = HARDEST[name], lines[name]
    if expected.refused:
        assert [line["code"] for line in found] == [expected.refused]
        assert found[0]["error"]
        assert found[0]["hint"]
        return
    assert len(found) == expected.count
    assert len({one["id"] for one in found}) == expected.count
    guids = expected.count if expected.guids is None else expected.guids
    assert len({one["guid"] for one in found} - {""}) == guids
    dated = expected.count if expected.dated is None else expected.dated
    assert sum(one["published"] is not None for one in found) == dated
    assert found[0]["published"] == expected.first
    assert found[-1]["published"] == (expected.last or expected.first)
    assert {one["language_declared"] for one in found} == {expected.language}
    notes = [" ".join(one["notes"]) for one in found]
    assert all(expected.note in note for note in notes)
    if expected.source:
        assert {one["source"] for one in found} == {expected.source}
    assert expected.holds(found)
    assert not any(REPLACEMENT in one["title"] + one["text"] for one in found)

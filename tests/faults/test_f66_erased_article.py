"""F66: an article that was erased by request stays away, and leaves a trace."""

from __future__ import annotations

import asyncio
import signal
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from deploy.embedded import Embedded
from ingest.article import Sighting, content_hash
from ingest.errors import GoneError, UsageError
from ingest.identity import id_of_url
from ingest.log import NewRecord
from ingest.wire import encode
from processors.query import parse
from search.alert_state import Alert
from search.caller import LOCAL
from search.views import all_alerts, article
from tests.made_up_news import sighting
from tests.newsroom import until
from tests.newsserver import NewsServer, item, rss
from tests.running import ROOT
from tests.shell import client, opened

CANARY = "quokkabeacon"
URL = "https://example.org/news/truce"
ID = id_of_url(URL)


def canary(name: str = ID, *, feed: str = "wire", guid: str = "1", text: str = "") -> Sighting:
    made = sighting(name, text or f"Truce talks of the {CANARY} resumed in Velmora.", feed=feed)
    title = f"The {CANARY} speaks"
    hashed = content_hash(title=title, text=made.article.text, canonical_url=URL)
    return replace(
        made,
        article=replace(
            made.article,
            title=title,
            guid=guid,
            url=URL,
            canonical_url=URL,
            content_hash=hashed,
        ),
    )


OTHER = sighting(
    "article-2",
    "Owners and crews of the harbour signed a truce over wages after the strike of dockers.",
    feed="port",
)


def see(shell: Embedded, *seen: Sighting) -> None:
    """Hand sightings over, and let the stages that the test needs do their work."""
    now = datetime.now(UTC)
    shell.log.append(
        [
            NewRecord(topic="articles", key=one.article.id, value=encode(replace(one, fetched=now)))
            for one in seen
        ]
    )
    step(shell)


def step(shell: Embedded) -> None:
    while shell.tagger.step(0) or shell.registrar.step(0) or shell.indexer.step(0):
        pass
    while shell.alerts.lag():
        shell.alerts.step(0)


def traces(folder: Path) -> list[str]:
    """The files below ``folder`` with a byte of the canary."""
    return [
        str(file.relative_to(folder))
        for file in folder.rglob("*")
        if file.is_file() and CANARY.encode() in file.read_bytes()
    ]


def alerts(shell: Embedded) -> list[Alert]:
    return list(all_alerts(shell.log))


def found(shell: Embedded) -> int:
    return shell.index.count(parse(CANARY))


async def erase(shell: Embedded) -> dict[str, object]:
    return await shell.erase(ID, "court order 12", "admin")


async def test_f66_it_leaves_search_alerts_and_every_byte_of_the_folder(tmp_path: Path) -> None:
    async with opened(tmp_path) as shell:
        shell.subscriptions.add(name="truce", query="truce", to=["file:" + str(tmp_path / "out")])
        see(shell, canary(), OTHER)
        see(shell, canary(text=f"Truce talks of the {CANARY} were broken off."))
        assert found(shell) == 1
        assert CANARY in alerts(shell)[0].payload or CANARY in alerts(shell)[1].payload
        assert traces(tmp_path / "data")
        row = await erase(shell)
        assert (row["finished"], row["by"], row["reason"]) == (True, "admin", "court order 12")
        assert found(shell) == 0
        assert shell.index.count(parse("truce")) == 1
        mine = next(one for one in alerts(shell) if one.article_id == ID)
        assert (mine.state, mine.title, mine.payload) == ("muted", "erased", "")
        with pytest.raises(GoneError, match="erased"):
            article(shell.log, shell.index, ID, who=LOCAL)
        assert traces(tmp_path / "data") == []
    assert traces(tmp_path / "data") == []


async def erased(folder: Path) -> None:
    """A folder in which the article was, and was erased."""
    async with opened(folder) as shell:
        shell.subscriptions.add(name="truce", query="truce", to=["file:" + str(folder / "out")])
        see(shell, canary(), OTHER)
        assert (await erase(shell))["finished"]


async def gone(folder: Path) -> None:
    """Nothing of it is there, also after whatever is still to be done."""
    async with opened(folder) as shell:
        await shell.eraser.at_rest()
        step(shell)
        (trace,) = list(shell.erasing.known())
        assert (trace.article_id, trace.reason) == (ID, "court order 12")
        assert shell.erasing.known().is_finished(trace)
        assert found(shell) == 0
        assert [one.article_id for one in alerts(shell) if one.payload] == ["article-2"]
    assert traces(folder / "data") == []


async def test_f66_seen_again_it_is_dropped_and_counted(tmp_path: Path) -> None:
    await erased(tmp_path)
    again = (
        canary(),
        canary(guid="2", text=f"The {CANARY} says more."),
        canary(feed="another", guid="x"),
        canary("an-id-of-its-guid", feed="another"),  # the same text
    )
    async with opened(tmp_path) as shell:
        for number, one in enumerate(again, 1):
            see(shell, one)
            (trace,) = list(shell.erasing.known())
            assert trace.skipped == number
            assert not shell.erasing.known().is_finished(trace)  # its bytes are to go once more
            assert found(shell) == 0
    await gone(tmp_path)


async def test_f66_the_same_words_at_another_address_stay_away_but_a_title_alone_does_not(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as shell:
        see(shell, canary())
        await shell.erase(ID, "court order", "local")
        step(shell)
        moved = canary("article-9", feed="port", guid="9")
        there = replace(
            moved.article,
            url="https://example.org/moved",
            canonical_url="https://example.org/moved",
            content_hash="another",
        )
        named = replace(there, id="article-10", text="Only the title is like that one's.")
        see(shell, replace(moved, article=there), replace(moved, article=named))
        stories = {
            one.key: one.value
            for one in shell.log.table("stories").items()
            if one.value is not None
        }
        assert stories.keys() == {"article-10"}


async def test_f66_neither_replays_nor_a_rebuild_bring_it_back(tmp_path: Path) -> None:
    await erased(tmp_path)
    async with opened(tmp_path) as shell:
        for stage in ("tag", "group", "index"):
            assert list(shell.replay(stage, since=datetime(2020, 1, 1, tzinfo=UTC)))
            step(shell)
            assert (found(shell), shell.index.count(parse("truce"))) == (0, 1)
        assert list(shell.indexer.rebuild())
        assert (found(shell), shell.index.count(parse("truce"))) == (0, 1)
    await gone(tmp_path)


async def test_f66_a_replay_of_what_was_not_deleted_yet_does_not_bring_it_back(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as shell:
        see(shell, canary(), OTHER)
        shell.erasing.request(ID, reason="court order 12", by="admin")  # as on Kafka: no purge
        for stage in ("tag", "group", "index"):
            list(shell.replay(stage, since=datetime(2020, 1, 1, tzinfo=UTC)))
            step(shell)
        assert found(shell) == 0
        assert shell.index.count(parse("truce")) == 1
        assert [one.skipped for one in shell.erasing.known()] == [0]


async def test_f66_real_polls_of_feeds_that_still_list_it(tmp_path: Path) -> None:
    async with NewsServer() as site:
        link, allow = URL, f"net.allow=['{site.host}']"
        site.answer("/a", rss(item("1", "Truce", link=link, text=f"The {CANARY} truce holds.")))
        async with opened(tmp_path, allow) as shell:
            shell.feeds.add(site.url("/a"))
            assert (await shell.once()).articles == 1
        async with opened(tmp_path, allow) as shell:
            assert (await erase(shell))["finished"]
            shell.feeds.add(site.url("/b"))
        assert traces(tmp_path / "data") == []
        site.answer("/a", rss(item("2", "Truce!", link=link, text=f"The {CANARY} truce is off.")))
        site.answer("/b", rss(item("x", "Truce", link=link, text=f"{CANARY} truce, they say.")))
        async with opened(tmp_path, allow) as shell:
            totals = await shell.once()
            assert (totals.articles, totals.indexed, totals.duplicates) == (0, 0, 2)
            assert [one.skipped for one in shell.erasing.known()] == [2]
            assert found(shell) == 0
        assert traces(tmp_path / "data") == []


async def test_f66_a_running_process_erases_beside_its_work(tmp_path: Path) -> None:
    async with opened(tmp_path) as shell:
        see(shell, canary(), OTHER)
        stop = asyncio.Event()
        running = asyncio.create_task(shell.run(stop))
        await until(lambda: shell.stages.running)
        row = await erase(shell)
        assert not row["finished"]
        await until(lambda: not shell.erasing.known().pending(), seconds=30)
        assert found(shell) == 0
        assert shell.index.count(parse("truce")) == 1
        stop.set()
        await running
    assert traces(tmp_path / "data") == []


async def test_f66_an_alert_that_waits_is_not_sent_and_one_that_was_sent_is_emptied(
    tmp_path: Path,
) -> None:
    out = tmp_path / "out.jsonl"
    async with opened(tmp_path) as shell:
        shell.subscriptions.add(name="sent", query=CANARY, to=[f"file:{out}"])
        see(shell, canary())
        await shell.sender.once()
        shell.subscriptions.add(name="waits", query="velmora", to=[f"file:{out}"])
        see(shell, canary(text=f"The {CANARY} left Velmora."))
        await erase(shell)
        await shell.sender.once()
        found = {one.subscription_name: one for one in alerts(shell)}
        assert (found["sent"].state, found["waits"].state) == ("sent", "muted")
        assert {one.title for one in found.values()} == {"erased"}
        assert len(out.read_text().splitlines()) == 1
        with pytest.raises(UsageError) as refused:
            await shell.retry_alert(found["waits"].alert_id)
        assert refused.value.code == "erased"


async def test_f66_the_api_takes_a_reason_and_says_afterwards_what_was_erased(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as shell, client(shell) as http:
        see(shell, canary())
        assert (await http.post(f"/api/articles/{ID}/erase", json={})).status_code == 422
        assert (
            await http.post("/api/articles/none/erase", json={"reason": "x"})
        ).status_code == 404
        answer = await http.post(f"/api/articles/{ID}/erase", json={"reason": "court order 12"})
        assert answer.json()["finished"]
        answer = await http.get(f"/api/articles/{ID}")
        assert answer.status_code == 410
        assert "court order 12" in answer.json()["error"]
        again = await http.post(f"/api/articles/{ID}/erase", json={"reason": "another"})
        assert again.json()["reason"] == "court order 12"


async def test_f66_quarantined_bytes_and_readers_notes_go_too(tmp_path: Path) -> None:
    async with opened(tmp_path) as shell:
        see(shell, canary(), OTHER)
        body = f"<rss><item><link>{URL}</link>{CANARY}".encode()
        now = datetime.now(UTC)
        for number in range(2):
            row = shell.quarantine.put(
                "poll", why="It is broken.", code="x", key="feed", body=body * (number + 1), now=now
            )
            assert row is not None
            shell.log.append([row])
        services = shell.services()
        services.marks.change("reader", ID, note=f"see {CANARY}")
        services.marks.change("reader", "article-2", note="keep this")
        await erase(shell)
        assert [one.state for one in shell.quarantine.items()] == ["dropped", "dropped"]
        assert [one.article_id for one in services.marks.all("reader")] == ["article-2"]
    assert traces(tmp_path / "data") == []


POINTS = ("E2", "E3", "K4-written", "K5-written", "E4", "E5")


@pytest.mark.parametrize("point", POINTS)
async def test_f66_a_kill_between_any_two_writes_leaves_an_erasure_that_ends(
    tmp_path: Path, point: str
) -> None:
    async with opened(tmp_path) as shell:
        shell.subscriptions.add(name="truce", query="truce", to=["file:" + str(tmp_path / "out")])
        see(shell, canary(), OTHER)
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.erasing_child", str(tmp_path), point, ID, cwd=ROOT
    )
    assert await asyncio.wait_for(child.wait(), 60) == -signal.SIGKILL
    await gone(tmp_path)


async def test_f66_a_kill_before_the_first_write_erases_nothing(tmp_path: Path) -> None:
    async with opened(tmp_path) as shell:
        see(shell, canary(), OTHER)
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.erasing_child", str(tmp_path), "E1", ID, cwd=ROOT
    )
    assert await asyncio.wait_for(child.wait(), 60) == -signal.SIGKILL
    async with opened(tmp_path) as shell:
        assert found(shell) == 1
        assert (await erase(shell))["finished"]

"""What an operator asks for: replays, retries, alerts to watch, a feed to check."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deploy import upkeep
from deploy.embedded import Embedded
from ingest.article import Sighting
from ingest.errors import FileError, NotFoundError, UnavailableError
from ingest.log import Partition
from ingest.wire import decode, encode
from tests.newsserver import item, rss
from tests.shell import NEWS, carry, opened

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


@pytest.fixture
async def shell(tmp_path: Path) -> AsyncIterator[Embedded]:
    async with opened(tmp_path) as found:
        yield found


async def test_a_replay_appends_the_input_again_and_says_so(shell: Embedded) -> None:
    await carry(shell)
    steps = list(upkeep.replayed(shell.log, "tag", since=LONG_AGO))
    assert steps[0] == (0, 3)
    assert steps[-1] == (3, 3)
    records = shell.log.read(Partition("articles"), 3)
    assert [decode(Sighting, one.value or b"").cause for one in records] == ["replay"] * 3


async def test_a_replay_of_nothing_is_done_at_once(shell: Embedded) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    assert list(upkeep.replayed(shell.log, "group", since=tomorrow))[-1] == (0, 0)


async def test_a_replay_alerts_nobody_and_changes_no_decision(tmp_path: Path) -> None:
    async with opened(tmp_path) as shell:
        shell.subscriptions.add(name="choir", query="choir", to=[f"file:{tmp_path}/a.jsonl"])
        await carry(shell)
        articles = {one.article.id: shell.index.get(one.article.id) for one in NEWS}
    told = (tmp_path / "a.jsonl").read_text()
    assert told.count("\n") == 1
    for stage in ("tag", "group", "index"):
        async with opened(tmp_path) as shell:
            done, total = [*shell.replay(stage, since=LONG_AGO)][-1]
            assert done == total >= 3
            await shell.once()
            for name, before in articles.items():
                after = shell.index.get(name)
                assert before is not None
                assert after is not None
                assert after.story_id == before.story_id
                assert after.article.seen == before.article.seen
                assert after.article.revision == before.article.revision
    assert (tmp_path / "a.jsonl").read_text() == told


async def test_a_record_that_was_set_aside_goes_through_its_stage_again(shell: Embedded) -> None:
    one = NEWS[1]
    aside = shell.quarantine.put(
        "tag",
        why="It broke.",
        code="broken",
        key=one.article.id,
        body=encode(one),
        now=datetime.now(UTC),
        topic="articles",
    )
    assert aside is not None
    shell.log.append([aside])
    (row,) = shell.quarantine.items()
    shown = upkeep.quarantined(shell.quarantine, row.id)
    assert base64.b64decode(shown["bytes"]) == encode(one)
    assert "again" in upkeep.retried(shell.log, shell.quarantine, row.id)
    await shell.once()
    assert shell.index.get(one.article.id) is not None
    assert [row.state for row in shell.quarantine.items()] == ["retried"]
    with pytest.raises(NotFoundError):
        upkeep.retried(shell.log, shell.quarantine, "nothing")


async def test_a_feed_is_polled_again_only_where_somebody_polls(shell: Embedded) -> None:
    feed = shell.feeds.add("https://port.example/feed")
    aside = shell.quarantine.put(
        "poll", why="x", code="x", key=feed.id, body=b"x", now=datetime.now(UTC)
    )
    assert aside is not None
    shell.log.append([aside])
    (row,) = shell.quarantine.items()
    with pytest.raises(UnavailableError) as caught:
        await shell.retry_quarantined(row.id)
    assert caught.value.code == "not-running"
    assert "wirewatch run" in caught.value.hint


async def test_alerts_are_watched_from_now_on_and_once_each(tmp_path: Path) -> None:
    to = [f"file:{tmp_path}/a.jsonl"]
    async with opened(tmp_path) as shell:
        shell.subscriptions.add(name="ferry", query="ferry", to=to, every_article=True)
        await carry(shell, NEWS[1:2])
        known = upkeep.alert_cursor(shell.log)
    async with opened(tmp_path) as shell:
        await carry(shell, NEWS[2:3])
        rows, cursor = upkeep.alerts_after(shell.log, known)
        assert [row["article_id"] for row in rows] == ["article-3"]
        assert "payload" not in rows[0]
        assert upkeep.alerts_after(shell.log, cursor) == ([], cursor)


async def test_a_file_is_checked_as_a_poll_would_read_it(shell: Embedded, tmp_path: Path) -> None:
    (tmp_path / "feed.xml").write_text(rss(item("1", "Ferry"), title="Port"))
    report = await upkeep.checked(shell.polling, url="", file=tmp_path / "feed.xml")
    assert (report.state, report.title, report.entries) == ("ok", "Port", 1)
    with pytest.raises(FileError):
        await upkeep.checked(shell.polling, url="", file=tmp_path / "nothing.xml")

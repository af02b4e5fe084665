"""F66: an article that was erased by request stays away, and leaves a trace."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from deploy.embedded import Embedded
from ingest.article import Sighting, content_hash
from ingest.errors import GoneError
from ingest.identity import id_of_url
from ingest.log import NewRecord
from ingest.wire import encode
from processors.query import parse
from search.alert_state import Alert
from search.views import all_alerts, article
from tests.made_up_news import sighting
from tests.shell import carry, client, opened

CANARY = "quokkabeacon"
URL = "example.org/news/truce"
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
            url=f"https://{URL}",
            canonical_url=URL,
            content_hash=hashed,
        ),
    )


OTHER = sighting("article-2", "The ferry to Velmora runs again; truce or not.", feed="port")


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
            article(shell.log, shell.index, ID)
        assert traces(tmp_path / "data") == []
    assert traces(tmp_path / "data") == []

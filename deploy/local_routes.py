"""Routes under ``/local``: what only the command line does, on the socket only."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from fastapi import APIRouter
from fastapi.responses import StreamingResponse
from pydantic import Base64Bytes, BaseModel, ConfigDict, Field

from deploy import upkeep
from deploy.doctor import examine
from deploy.keeping import backed_up, refuse_many_machines
from deploy.shell import Shell
from ingest.errors import WirewatchError
from ingest.wire import as_json
from processors.moments import moment
from search.audit import entries
from search.caller import LOCAL
from search.erasing import erasure_row
from search.explain import explain_match
from search.export import row as exported
from search.routes.alerts import listed_alerts
from search.routes.exporting import exported_pages
from search.routes.query_check import checked_query
from search.subscription_files import export_text
from search.views import alert_row

WATCH_SECONDS = 0.25
"""How often the log is asked for new alerts while somebody watches."""

JSON_LINES = "application/x-ndjson"


class FeedList(BaseModel):
    """A list of feeds: a file as it is, whatever its charset."""

    model_config = ConfigDict(extra="forbid")
    data: Base64Bytes
    name: str


class FeedToRemove(BaseModel):
    """A feed by its id or address."""

    model_config = ConfigDict(extra="forbid")
    feed: str


class FeedToCheck(BaseModel):
    """A URL, or a file on this machine."""

    model_config = ConfigDict(extra="forbid")
    url: str = ""
    file: str = ""


class Replay(BaseModel):
    """From when on, and which stage."""

    model_config = ConfigDict(extra="forbid")
    since: str = Field(alias="from")
    stage: Literal["tag", "group", "index"]


class BackupWanted(BaseModel):
    """The file of a backup, an absolute path on this machine, and whether with secrets."""

    model_config = ConfigDict(extra="forbid")
    file: Path
    secrets: bool = False


def whole_lists(shell: Shell) -> APIRouter:
    """Whole lists, a JSON object a line: a command prints all there is, in one pass."""
    router = APIRouter()

    @router.get("/feeds")
    def feeds() -> StreamingResponse:
        """Every feed with its health."""
        return _streamed(as_json(one) for one in shell.feeds.health(now=datetime.now(UTC)))

    @router.get("/subscriptions")
    def subscriptions() -> StreamingResponse:
        """Every subscription, by name."""
        store = shell.subscriptions
        return _streamed(store.view(one) for one in store.all())

    @router.get("/subscriptions/export")
    def export_subscriptions() -> dict[str, str]:
        """Every subscription as YAML."""
        return {"text": export_text(shell.subscriptions.all())}

    @router.get("/alerts")
    def alerts(state: str = "", since: str = "", subscription: str = "") -> StreamingResponse:
        """Alerts, newest first."""
        services = shell.services()
        found = listed_alerts(
            services, state=state, since=since, subscription=subscription, who=LOCAL
        )
        return _streamed(map(alert_row, found))

    @router.get("/export")
    def export(q: str, since: str = "", until: str = "") -> StreamingResponse:
        """Everything a search finds, newest first."""
        found = exported_pages(shell.services(), q=q, since=since, until=until)
        return _streamed(exported(hit) for page in found for hit in page)

    @router.get("/quarantine")
    def quarantine() -> StreamingResponse:
        """What is set aside, oldest first."""
        return _streamed(as_json(r) for r in shell.quarantine.items() if r.state == "open")

    @router.get("/audit")
    def audit(since: str = "", owner: str = "") -> StreamingResponse:
        """Deliveries and changes, oldest first."""
        begin = moment(since, now=datetime.now(UTC)) if since else None
        return _streamed(as_json(one) for _, one in entries(shell.log, since=begin, owner=owner))

    return router


def feed_files(shell: Shell) -> APIRouter:
    """Lists of feeds in and out, removal by address, checks of a URL or file."""
    router = APIRouter(prefix="/feeds")

    @router.post("/import")
    def import_list(given: FeedList) -> dict[str, Any]:
        """Add every feed of a list."""
        report = shell.feeds.import_list(given.data, name=given.name)
        shell.changed("feeds")
        return {
            "added": len(report.added),
            "skipped": len(report.skipped),
            "refused": [as_json(row) for row in report.refused],
        }

    @router.post("/remove")
    def remove(which: FeedToRemove) -> dict[str, Any]:
        """Stop polling a feed; its articles stay."""
        gone = shell.feeds.remove(shell.feeds.named(which.feed).id)
        shell.changed("feeds")
        return {"feed_id": gone.id, "url": gone.url}

    @router.get("/export")
    def export() -> dict[str, str]:
        """The list as OPML."""
        return {"opml": shell.feeds.opml()}

    @router.post("/check")
    async def check(what: FeedToCheck) -> dict[str, Any]:
        """What a poll would do and why it fails."""
        report = await shell.check_feed(url=what.url, file=Path(what.file) if what.file else None)
        return as_json(report)  # type: ignore[no-any-return] # a dict of JSON

    return router


def explaining(shell: Shell) -> APIRouter:
    """What a query means, why an article alerts, and alerts as they come."""
    router = APIRouter()

    @router.get("/query/check")
    def check(q: str) -> dict[str, Any]:
        """The query as understood, its cost class, warnings and expected hits a day."""
        return checked_query(shell.services(), q)

    @router.get("/subscriptions/{name:path}/explain/{article_id}")
    def explain_one(name: str, article_id: str) -> dict[str, Any]:
        """Why an article does or does not alert a subscription."""
        return explain_match(shell.log, shell.subscriptions.get(name), article_id)

    @router.get("/alerts/watch")
    def watch() -> StreamingResponse:
        """Alerts as they are created, one JSON object a line."""
        return StreamingResponse(_watch(shell), media_type=JSON_LINES)

    return router


async def _watch(shell: Shell) -> AsyncIterator[str]:
    known = await asyncio.to_thread(upkeep.alert_cursor, shell.log)
    while True:
        rows, known = await asyncio.to_thread(upkeep.alerts_after, shell.log, known)
        for row in rows:
            yield json.dumps(row, ensure_ascii=False) + "\n"
        await asyncio.sleep(WATCH_SECONDS)


def quarantined(shell: Shell) -> APIRouter:
    """What is set aside: show, retry, drop."""
    router = APIRouter(prefix="/quarantine")

    @router.get("/{row_id}")
    def row(row_id: str) -> dict[str, Any]:
        """One row with its bytes (base64)."""
        return upkeep.quarantined(shell.quarantine, row_id)

    @router.post("/{row_id}/retry")
    async def retry(row_id: str) -> dict[str, str]:
        """Process a row again."""
        return {"id": row_id, "sentence": await shell.retry_quarantined(row_id)}

    @router.post("/{row_id}/drop")
    def drop(row_id: str) -> dict[str, str]:
        """Forget a row."""
        shell.quarantine.drop(row_id)
        return {"id": row_id, "sentence": f"Dropped {row_id}."}

    return router


def keeping(shell: Shell) -> APIRouter:
    """Doctor, reindex, replay, backup: what keeps a Wirewatch going."""
    router = APIRouter()

    @router.get("/doctor")
    def doctor() -> dict[str, Any]:
        """Every dependency, its version and state, and what to do about each."""
        return {"checks": [as_json(check) for check in examine(shell)]}

    @router.post("/reindex")
    def reindex() -> StreamingResponse:
        """Rebuild the index; lines of progress."""
        return _streamed(_progress(shell.indexer.rebuild()))

    @router.post("/replay")
    def replay(given: Replay) -> StreamingResponse:
        """Run a stage again; lines of progress."""
        begin = moment(given.since, now=datetime.now(UTC))
        return _streamed(_progress(shell.replay(given.stage, since=begin)))

    @router.get("/erasures")
    def erasures() -> StreamingResponse:
        """Every erasure, oldest first."""
        known = shell.erasing.known()
        return _streamed(erasure_row(one, known) for one in known)

    @router.post("/backup")
    def backup(wanted: BackupWanted) -> StreamingResponse:
        """Write a backup; lines of progress."""
        refuse_many_machines(shell.settings)
        rows = backed_up(shell.log, shell.folder, wanted.file, secrets=wanted.secrets)
        return _streamed(rows)

    return router


def _streamed(rows: Iterator[dict[str, Any]]) -> StreamingResponse:
    return StreamingResponse(_encoded(rows), media_type=JSON_LINES)


def _encoded(rows: Iterator[dict[str, Any]]) -> Iterator[str]:
    """Rows as lines; an error in the middle is the last line, the status is sent by then."""
    try:
        for row in rows:
            yield json.dumps(row, ensure_ascii=False) + "\n"
    except WirewatchError as error:
        yield json.dumps(error.as_json(), ensure_ascii=False) + "\n"


def _progress(steps: Iterator[tuple[int, int]]) -> Iterator[dict[str, Any]]:
    for done, total in steps:
        yield {"done": done, "total": total}

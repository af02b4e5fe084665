"""The distributed shell: settings that go together, setup, and what the API does without stages."""

from __future__ import annotations

import base64
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from deploy.cli import main
from deploy.distributed import Distributed
from deploy.doctor import examine
from deploy.folder import DataFolder
from deploy.metrics import metrics_text
from deploy.settings import Settings, load
from deploy.setup import set_up
from ingest.errors import NotFoundError, UsageError
from ingest.feeds import SHARDS
from ingest.log import Partition
from ingest.requests import Request
from ingest.wire import decode
from processors.query import parse
from search.alert_state import Alert
from search.elastic_settings import ElasticSettings
from search.outcomes import alert_record
from tests.shell import client

SECRET_URL = "https://feeds.example/news.xml?token=s3cr3tT0ken"  # noqa: S105  made up


def place(folder: Path, *verb: str) -> list[str]:
    return ["--data", str(folder), *verb]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (["stage", "group"], "on one machine wirewatch run does all"),
        (["serve"], "on one machine wirewatch run does all"),
        (["setup"], "on one machine wirewatch run does all"),
        (["--set", "log.backend=kafka", "run", "--once"], "in one process"),
        (["--set", "log.backend=kafka", "feeds", "list"], "do not go together"),
        (["--set", "index.backend=elasticsearch", "feeds", "list"], "do not go together"),
        (["stage", "polish"], "polish"),
    ],
)
def test_settings_that_do_not_fit_the_command_are_one_sentence(
    given: list[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--data", str(tmp_path), *given]) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert "Traceback" not in said


@pytest.fixture
def settings(kafka: str, elastic: ElasticSettings, tmp_path: Path) -> Settings:
    """Of a system of this test's own, with a key."""
    key = tmp_path / "secret.key"
    key.write_bytes(base64.b64encode(secrets.token_bytes(32)))
    given = {
        "log.backend": "kafka",
        "log.bootstrap": kafka,
        "log.prefix": f"shell-{uuid4().hex[:8]}.",
        "log.partitions": "2",
        "index.backend": "elasticsearch",
        "index.url": elastic.url,
        "index.prefix": elastic.prefix,
        "data.secret_key_file": str(key),
    }
    return load(overrides=[f"{name}={value}" for name, value in given.items()]).settings


@asynccontextmanager
async def opened(settings: Settings, folder: Path) -> AsyncIterator[Distributed]:
    async with Distributed.opened(settings, DataFolder(folder / "data")) as shell:
        yield shell


async def test_setup_may_run_again_and_the_shell_then_works_on_nothing_yet(
    settings: Settings, tmp_path: Path
) -> None:
    first = [row.sentence for row in set_up(settings)]
    assert [row.sentence for row in set_up(settings)] == first
    async with opened(settings, tmp_path) as shell:
        assert shell.log.partitions("feeds") == SHARDS
        assert (shell.log.partitions("articles"), shell.log.partitions("tagged")) == (2, 1)
        assert {one.id for one in shell.topics} == {"ceasefire-talks", "arms-transfers"}
        assert shell.index.count(parse("truce")) == 0
        assert shell.missing() == ""
        checks = {check.name: check for check in examine(shell)}
        bad = {name: check.sentence for name, check in checks.items() if check.state != "ok"}
        assert bad == {"feeds": "No feeds yet."}
        assert "tag 0, group 0, index 0, alert 0" in checks["stages"].sentence
        assert 'wirewatch_lag_records{stage="tag"} 0.0' in metrics_text(shell).decode()


async def test_what_only_an_owner_may_do_is_asked_of_it(settings: Settings, tmp_path: Path) -> None:
    [*set_up(settings)]
    failed = Alert(
        alert_id="one",
        subscription="s",
        subscription_name="truce",
        article_id="a",
        story_id="a",
        title="A truce",
        created=datetime.now(UTC),
        state="failed",
    )
    async with opened(settings, tmp_path) as shell:
        feed = shell.feeds.add("https://news.example/feed.xml")
        assert await shell.poll_again(feed.id) == f"Feed {feed.id} is polled again by its poller."
        records = shell.log.read(Partition("requests", feed.shard), 0)
        wishes = [decode(Request, record.value or b"") for record in records]
        assert [(one.kind, one.target) for one in wishes] == [("poll", feed.id)]
        with pytest.raises(NotFoundError):
            await shell.retry_alert("no-such-alert")
        shell.log.append([alert_record(failed, shard=0)])
        async with client(shell, local=True) as api:
            answer = await api.post("/api/alerts/one/retry")
        assert (answer.json()["state"], answer.json()["error"]) == ("failed", "")
        assert "on its way" in answer.json()["sentence"]
        with pytest.raises(NotFoundError):
            await shell.poll_again("no-such-feed")


async def test_secrets_reach_every_machine_and_stand_nowhere_in_clear(
    settings: Settings, tmp_path: Path
) -> None:
    [*set_up(settings)]
    async with opened(settings, tmp_path) as shell:
        feed = shell.feeds.add(SECRET_URL)
        assert "s3cr3t" not in feed.url
    async with opened(settings, tmp_path / "elsewhere") as shell:
        stored = shell.log.table("feeds").get(feed.id)
        assert stored is not None
        assert b"s3cr3t" not in (stored.value or b"")
        assert shell.polling.resolve(shell.feeds.get(feed.id)) == SECRET_URL


async def test_without_a_key_what_holds_a_secret_is_refused_with_the_remedy(
    settings: Settings, tmp_path: Path
) -> None:
    [*set_up(settings)]
    keyless = load(
        overrides=[
            "log.backend=kafka",
            f"log.bootstrap={settings.log.bootstrap}",
            f"log.prefix={settings.log.prefix}",
            "index.backend=elasticsearch",
            f"index.url={settings.index.url}",
            f"index.prefix={settings.index.prefix}",
        ]
    ).settings
    async with opened(keyless, tmp_path) as shell:
        with pytest.raises(UsageError) as failure:
            shell.feeds.add(SECRET_URL)
        assert "secret_key_file" in failure.value.hint

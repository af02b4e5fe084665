"""F66 over Kafka and Elasticsearch: register, index and alert each let go of an erased article."""

from __future__ import annotations

import base64
import secrets
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from deploy.distributed import Distributed
from deploy.folder import DataFolder
from deploy.settings import Settings, load
from deploy.setup import set_up
from ingest.guard import Guard
from ingest.log import NewRecord
from ingest.wire import encode
from processors.query import parse
from processors.records import Tagged
from processors.worker import Registrar
from search.alert_state import TOPIC
from search.alerts import AlertOwner
from search.elastic_settings import ElasticSettings
from search.sender import Sender
from search.views import all_alerts
from tests.alerting import Everything
from tests.faults.test_f66_erased_article import CANARY, ID, OTHER, canary
from tests.newsroom import until


def settings_of(kafka: str, elastic: ElasticSettings, folder: Path) -> Settings:
    key = folder / "secret.key"
    key.write_bytes(base64.b64encode(secrets.token_bytes(32)))
    given = {
        "log.backend": "kafka",
        "log.bootstrap": kafka,
        "log.prefix": f"erase-{uuid4().hex[:8]}.",
        "log.partitions": "2",
        "index.backend": "elasticsearch",
        "index.url": elastic.url,
        "index.prefix": elastic.prefix,
        "data.secret_key_file": str(key),
    }
    return load(overrides=[f"{name}={value}" for name, value in given.items()]).settings


async def test_f66_register_index_and_alert_let_go_of_it_on_many_machines(
    kafka: str, elastic: ElasticSettings, tmp_path: Path
) -> None:
    settings = settings_of(kafka, elastic, tmp_path)
    assert [*set_up(settings)]
    async with Distributed.opened(settings, DataFolder(tmp_path / "data")) as shell:
        log = shell.log
        register = Registrar(log, quarantine=shell.quarantine)
        shards = Everything(log.partitions(TOPIC))
        owner = AlertOwner(
            log, settings=settings.alerts, quarantine=shell.quarantine, shards=shards
        )
        sender = Sender(
            log,
            settings=settings.alerts,
            guard=Guard(settings.net),
            secrets=shell.vault,
            shards=shards,
        )

        def tell(*made: NewRecord) -> None:
            log.append(made)

        async def settled() -> None:
            def step() -> bool:
                register.step(0.2)
                shell.indexer.step(0.2)
                owner.step(0.2)
                lags = shell.lags()
                return not (lags["group"]() or lags["index"]() or owner.lag())

            await until(step, seconds=60)
            shell.index.refresh()

        shell.subscriptions.add(name="truce", query="truce", to=["stdout:"])
        seen = [
            Tagged(article=one.article, fetched=datetime.now(UTC), cause=one.cause)
            for one in (canary(), OTHER)
        ]
        records = [NewRecord(topic="tagged", key=o.article.id, value=encode(o)) for o in seen]
        await settled()
        tell(*records)
        await settled()
        assert shell.index.count(parse(CANARY)) == 1
        assert any(CANARY in one.payload for one in all_alerts(log))
        await shell.erase(ID, "court order 12", "admin")
        await settled()
        await sender.forget_erased()
        assert shell.index.count(parse(CANARY)) == 0
        assert log.table("stories").get(ID) is None
        mine = next(one for one in all_alerts(log) if one.article_id == ID)
        assert (mine.state, mine.payload) == ("muted", "")
        again = replace(seen[0], article=replace(seen[0].article, feed_id="another"))
        tell(NewRecord(topic="tagged", key=ID, value=encode(again)), records[0])
        await settled()
        assert shell.index.count(parse("truce")) == 1
        assert [one.skipped for one in shell.erasing.known()] == [2]
        await sender.close()
        owner.close()
        register.loop.close()

"""``wirewatch setup``: what both servers must have before the stages start; idempotent."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import structlog

from deploy.assembly import folder_of, specs, write_topics
from deploy.kibana.dashboards import exported
from deploy.kibana.server import Kibana
from deploy.settings import Settings
from deploy.topic_files import definitions
from ingest.kafka_opening import open_kafka_log
from search.elastic_client import connect
from search.elastic_lists import prepare, put_templates
from search.elastic_setup import setup as set_up_elasticsearch

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """One part that is as it should be now."""

    part: str
    sentence: str


def set_up(settings: Settings) -> Iterator[Done]:
    """Make or mend topics, topic definitions and templates; one row each as it is done.

    Raises:
        UnavailableError: a server does not answer.
        FileError: a topic file cannot be read.
    """
    topics = definitions(folder_of(settings.topics.folder))
    with contextlib.closing(open_kafka_log(settings.log)) as log:
        wanted = specs(settings)
        log.ensure_topics(wanted)
        identity = log.identity()
        partitions = sum(one.partitions for one in wanted)
        yield Done(part="kafka", sentence=f"{len(wanted)} topics with {partitions} partitions.")
        write_topics(log, topics)
        names = ", ".join(f"{one.topic.id}.{one.topic.lang}" for one in topics)
        yield Done(part="topics", sentence=f"In force: {names}.")
    client = connect(settings.index)
    with contextlib.closing(client):
        set_up_elasticsearch(client, settings.index)
        put_templates(client, settings.index)
        prepare(client, settings.index, log=identity)
        yield Done(part="elasticsearch", sentence=f"Templates of {settings.index.prefix}-*.")
    if settings.kibana.url:
        server = Kibana(settings.kibana)
        version = server.wait(tell=lambda sentence: logger.info("waiting", reason=sentence))
        number = server.install(exported(prefix=settings.index.prefix))
        yield Done(part="kibana", sentence=f"{number} objects in Kibana {version}.")

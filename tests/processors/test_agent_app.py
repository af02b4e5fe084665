"""Faust as we use it: its settings, and the defects of the pinned version we work around."""

from __future__ import annotations

import asyncio
import ssl
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("faust", reason="the extra for Kafka is not installed")

import faust
import faust.streams
import trustme
from faust.transport.drivers.aiokafka import Consumer, credentials_to_aiokafka_auth
from faust.types import TP
from intervaltree import IntervalTree

from ingest.errors import FileError, StoreError
from ingest.kafka_names import Names
from ingest.kafka_settings import KafkaSettings
from ingest.log import topic_specs
from ingest.quarantine import Quarantine
from ingest.sqlite_log import SqliteLog
from processors import agent_app
from processors.agent_app import faust_app
from processors.agent_worker import AgentWorker
from processors.agents import TaggingAgent
from processors.stage_health import StageHealth
from processors.tagging import Tagging

SETTINGS = KafkaSettings(bootstrap="one:9092, two:9093", prefix="news.", member="worker-1")
PLACE = TP("articles", 0)


def test_it_is_a_member_of_the_group_as_the_settings_say() -> None:
    settings = replace(SETTINGS, session_seconds=7, poll_seconds=90)
    conf = faust_app(settings, "tag").conf
    assert conf.id == "news.tag"
    assert [(one.host, one.port) for one in conf.broker] == [("one", 9092), ("two", 9093)]
    assert conf.consumer_group_instance_id == "worker-1-0"
    assert (conf.broker_session_timeout, conf.broker_max_poll_interval) == (7, 90)
    assert faust_app(replace(settings, member=""), "tag").conf.consumer_group_instance_id is None


def test_nothing_is_lost_made_or_served_that_we_do_not_ask_for() -> None:
    app = faust_app(SETTINGS, "tag")
    assert not app.in_transaction
    assert app.conf.consumer_auto_offset_reset == "earliest"
    assert app.conf.broker_commit_interval <= 0.5
    assert not app.conf.stream_wait_empty
    assert app.conf.topic_disable_leader
    assert not app.conf.topic_allow_declare
    assert not app.conf.web_enabled
    assert app.boot_strategy.enable_kafka_producer is False


async def test_f38_one_agent_takes_all_partitions_in_order_and_decodes_nothing(
    tmp_path: Path,
) -> None:
    log = SqliteLog(tmp_path / "log.sqlite")
    log.ensure_topics(topic_specs())
    app = faust_app(SETTINGS, "tag")
    agent = TaggingAgent(
        log,
        names=Names("news."),
        tagging=Tagging(log),
        quarantine=Quarantine(log, tmp_path),
        health=StageHealth("tag", silent_seconds=60),
        worker=AgentWorker(app, loop=asyncio.get_running_loop()),
    ).join(app)
    assert (agent.concurrency, agent.isolated_partitions) == (1, False)
    channel: Any = agent.channel
    assert channel.topics == ("news.articles",)
    assert (channel.value_type, channel.key_type) == (bytes, bytes)
    log.close()


def test_a_session_as_long_as_a_restart_of_the_machine_is_none_too_long_for_faust() -> None:
    conf = faust_app(replace(SETTINGS, session_seconds=300), "tag").conf
    assert conf.broker_session_timeout <= conf.broker_request_timeout


def test_the_environment_does_not_win_over_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROKER_URL", "kafka://elsewhere:1")
    monkeypatch.setenv("STREAM_WAIT_EMPTY", "yes")
    conf = faust_app(SETTINGS, "tag").conf
    assert conf.broker[0].host == "one"
    assert not conf.stream_wait_empty


def test_tls_and_login_reach_the_client(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    (tmp_path / "password").write_text("s3cret\n")
    settings = replace(
        SETTINGS,
        security="SASL_SSL",
        ca_file=str(tmp_path / "ca.pem"),
        sasl_user="wire",
        sasl_password_file=str(tmp_path / "password"),
    )
    found = given_to_client(settings)
    assert found["security_protocol"] == "SASL_SSL"
    assert found["sasl_mechanism"] == "SCRAM-SHA-512"
    assert (found["sasl_plain_username"], found["sasl_plain_password"]) == ("wire", "s3cret")
    assert found["ssl_context"].verify_mode is ssl.CERT_REQUIRED
    assert found["ssl_context"].check_hostname
    assert given_to_client(replace(settings, security="SSL"))["security_protocol"] == "SSL"
    without = given_to_client(replace(settings, security="SASL_PLAINTEXT"))
    assert without["security_protocol"] == "SASL_PLAINTEXT"
    assert given_to_client(SETTINGS) == {"security_protocol": "PLAINTEXT"}


@pytest.mark.parametrize("name", ["ca_file", "certificate_file", "sasl_password_file"])
def test_a_file_that_cannot_be_read_is_named(name: str, tmp_path: Path) -> None:
    absent: dict[str, Any] = {name: str(tmp_path / "absent")}
    settings = replace(SETTINGS, security="SASL_SSL", **absent)
    with pytest.raises(FileError) as caught:
        faust_app(settings, "tag")
    assert name in caught.value.hint


def test_without_its_compiled_part_or_its_codec_faust_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(agent_app, "has_zstd", lambda: False)
    with pytest.raises(StoreError, match="cramjam"):
        faust_app(SETTINGS, "tag")
    monkeypatch.undo()
    monkeypatch.setattr(faust.streams, "_CStreamIterator", None)
    with pytest.raises(StoreError, match="compiled") as caught:
        faust_app(SETTINGS, "tag")
    assert "wirewatch[distributed]" in caught.value.hint


def test_f38_faust_commits_past_what_is_in_flight_so_agents_acknowledge_in_order() -> None:
    """Where this fails, faust-streaming has mended its issue 606: see what else has changed."""
    assert new_offset(2585, [2586, 2587]) == 2588  # though 2585 is not done
    assert new_offset(None, [7, 8, 9]) == 10  # though 0 to 6 are not done
    assert new_offset(100, [100, 101]) == 102


def given_to_client(settings: KafkaSettings) -> dict[str, Any]:
    """What Faust gives aiokafka to prove who we are."""
    conf = faust_app(settings, "tag").conf
    return dict(credentials_to_aiokafka_auth(conf.broker_credentials, conf.ssl_context))


def new_offset(committed: int | None, acked: list[int]) -> int | None:
    """What Faust's consumer would commit."""
    consumer = Consumer.__new__(Consumer)
    consumer._gap = defaultdict(IntervalTree)
    consumer._acked = defaultdict(list, {PLACE: acked})
    consumer._acked_index = defaultdict(set)
    consumer._committed_offset = defaultdict(lambda: committed)
    return consumer._new_offset(PLACE)

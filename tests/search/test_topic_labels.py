"""People read what topics are called; programs get their ids."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.assembly import write_topics
from deploy.topic_files import definitions
from ingest.log import NewRecord, topic_specs
from ingest.sqlite_log import SqliteLog
from ingest.wire import encode
from processors.records import TopicTag
from processors.topic_source import TOPICS, TopicFile
from search.mail.settings import MailSettings
from search.telling import labelled, plain
from search.topic_labels import TopicLabels
from tests.alerting import Clock, Newsdesk, story
from tests.mailbox import Mailbox, texts
from tests.payloads import digest, matched
from tests.receiver import Receiver

ID, LABEL = "ceasefire-talks", "Ceasefire talks"
TAG = TopicTag(topic=ID, version=1, score=0.9, band="tag")


@pytest.fixture
def log(tmp_path: Path) -> Iterator[SqliteLog]:
    found = SqliteLog(tmp_path / "topics.sqlite")
    found.ensure_topics(topic_specs())
    yield found
    found.close()


def rewritten(log: SqliteLog, lang: str, label: str) -> None:
    """A topic file in another language, or another label of a known one."""
    (shipped,) = (one for one in definitions(None) if one.topic.id == ID)
    text = shipped.text.replace(f"label: {LABEL}", f"label: {label}")
    text = text.replace("lang: en", f"lang: {lang}")
    value = encode(TopicFile(id=ID, lang=lang, version=1, text=text))
    log.append([NewRecord(topic=TOPICS, key=f"{ID}.{lang}", value=value)])


def test_a_topic_is_called_what_its_file_says_now(log: SqliteLog) -> None:
    labels = TopicLabels(log)
    assert labels.label(ID) == ID
    rewritten(log, "de", "Waffenruhe")
    assert labels.label(ID) == "Waffenruhe"
    write_topics(log, definitions(None))
    assert labels.label(ID) == LABEL
    rewritten(log, "en", "Truce talks")
    assert labels.label(ID) == "Truce talks"
    assert [labels.label(one) for one in ("ceasefire", "other", "")] == ["ceasefire", "other", ""]


@pytest.mark.parametrize("value", [b"{", b'{"schema": 99}', b'{"id": "a", "text": "- not one"}'])
def test_a_topic_that_cannot_be_read_is_called_by_its_id(value: bytes, log: SqliteLog) -> None:
    log.append([NewRecord(topic=TOPICS, key=f"{ID}.en", value=value)])
    assert TopicLabels(log).label(ID) == ID


def test_what_people_read_has_labels_and_the_payload_keeps_its_ids() -> None:
    names = {ID: LABEL}
    for payload in (matched(), digest()):
        before = json.dumps(payload)
        shown = plain(labelled(payload, lambda one: names.get(one, one)))
        assert LABEL.casefold() in shown.casefold()
        assert ID not in shown.casefold()
        assert json.dumps(payload) == before


async def test_a_digest_comes_with_labels_by_mail_and_chat_and_with_ids_to_programs(
    tmp_path: Path,
) -> None:
    clock = Clock()
    async with Mailbox() as box, Receiver() as hook, Receiver() as chat:
        mail = MailSettings(
            server="127.0.0.1",
            port=box.port,
            security="none",
            from_address="alerts@wire.example",
        )
        async with Newsdesk(folder=tmp_path, clock=clock, mail=mail) as desk:
            write_topics(desk.log, definitions(None))
            to = ["mailto:jane@example.org", f"json://{chat.host}/", hook.url]
            desk.store.add(name="talks", query="truce", to=to, digest="0 13 * * *")
            desk.settle()
            stories = [story(one, topics=(TAG,), story_id=one) for one in ("a", "b")]
            desk.publish(*stories, story("c", story_id="c"))
            desk.settle()
            async with desk.sending():
                clock.advance(hours=2)
                desk.sender.notify([])
                await desk.until_all("sent")
        text, html = texts(box.got[0])
        assert LABEL.upper() in text
        assert "OTHER" in text
        assert f">{LABEL}<" in html
        assert LABEL.upper() in json.loads(chat.got[0].body)["message"]
        assert ID not in text.casefold() + html.casefold() + chat.got[0].body.decode().casefold()
        assert [one["topic"] for one in hook.got[0].data["groups"]] == [ID, "other"]

"""F52, Elasticsearch's part: its key or password stands in no log, no error and no address."""

from __future__ import annotations

import base64
import logging
import traceback
from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

pytest.importorskip("elasticsearch", reason="the extra for Elasticsearch is not installed")

from ingest.errors import FileError, StoreError
from search.elastic_bulk import Bulk
from search.elastic_client import connect
from search.elastic_pace import Pace
from search.elastic_settings import ElasticSettings
from tests.elastic_bulks import Clock, clock, fake, operations
from tests.fake_elasticsearch import Answer, FakeElasticsearch

__all__ = ["clock", "fake"]


@pytest.mark.parametrize("kind", ["api_key_file", "password_file"])
def test_f52_the_key_is_sent_and_stands_in_no_log_and_no_error(
    fake: FakeElasticsearch,
    clock: Clock,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    kind: str,
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("canary-key\n")
    given = {"url": fake.url, "user": "wirewatch", kind: str(secret)}
    settings = TypeAdapter(ElasticSettings).validate_python(given)
    hidden = base64.b64encode(b"wirewatch:canary-key").decode()
    told = [repr(settings)]
    with caplog.at_level(logging.DEBUG):
        client = connect(settings)
        bulk = Bulk(client, settings, pace=Pace(clock=clock, sleep=clock.sleep))
        for status in (200, 400, 401, 403, 413, 429, 500, 0):
            clock.now += 60
            fake.always = Answer(status, {"error": {"type": "odd", "reason": "no"}})
            with pytest.raises(StoreError) as caught:
                bulk.write(operations(1))
            told += [traceback.format_exc(), str(caught.value.as_json()), repr(client)]
            told += traceback.format_exception(caught.value)
        client.close()
    assert any("canary-key" in one or hidden in one for one in fake.seen)
    told += [caplog.text]
    assert not [one for one in told if "canary-key" in one or hidden in one]


def test_f52_a_secret_that_cannot_be_read_is_named_by_its_place_only(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    for content in (None, b"canary\xff"):
        if content is not None:
            secret.write_bytes(content)
        with pytest.raises(FileError) as caught:
            connect(ElasticSettings(api_key_file=str(secret)))
        assert str(secret) in caught.value.sentence
        assert "canary" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    "url", ["http://me:secret@host:9200", "ftp://host", "host:9200", "http://"]
)
def test_f52_an_address_with_a_login_in_it_is_no_setting(url: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(ElasticSettings).validate_python({"url": url})

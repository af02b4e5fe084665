"""F42: a refused login, a missing privilege, another version, an impostor."""

from __future__ import annotations

import socket

import pytest

pytest.importorskip("elasticsearch", reason="the extra for Elasticsearch is not installed")

from ingest.errors import StoreError, UnavailableError
from search.elastic_bulk import Bulk
from search.elastic_client import connect
from search.elastic_settings import ElasticSettings
from tests.elastic_bulks import bulk, clock, fake, operations
from tests.fake_elasticsearch import INFO, Answer, FakeElasticsearch, fault

__all__ = ["bulk", "clock", "fake"]


def test_f42_a_server_that_refuses_everything_blames_no_document(
    fake: FakeElasticsearch, bulk: Bulk
) -> None:
    fake.always = fault(
        400,
        "media_type_header_exception",
        "Invalid media-type value; Accept version must be either version 8 or 7, but found 9.",
    )
    with pytest.raises(StoreError) as caught:
        bulk.write(operations(3))
    assert not caught.value.retry
    assert "version 8, older than the installed client" in caught.value.sentence


@pytest.mark.parametrize("status", [401, 403])
def test_f42_a_refused_login_stops_the_stage(
    fake: FakeElasticsearch, bulk: Bulk, status: int
) -> None:
    error = {
        "type": "security_exception",
        "reason": "action [indices:data/write/bulk[s]] is unauthorized for API key id [7] on"
        " indices [x], this action is granted by the index privileges [index,write,all]",
    }
    whole = Answer(status, {"error": error, "status": status})
    for always in (None, whole):
        fake.refuses, fake.always = lambda _: {"status": status, "error": error}, always
        with pytest.raises(StoreError) as caught:
            bulk.write(operations(3))
        assert not caught.value.retry
        missing = "does not accept the login" if status == 401 else "index,write,all"
        assert missing in caught.value.sentence


MISSING = {
    "type": "security_exception",
    "reason": "action [cluster:monitor/main] is unauthorized for API key id [7],"
    " this action is granted by the cluster privileges [monitor,manage,all]",
}


@pytest.mark.parametrize(
    ("info", "said"),
    [
        (Answer(401, {"error": {"type": "security_exception"}}), "does not accept the login"),
        (Answer(403, {"error": MISSING}), "monitor,manage,all"),
        (Answer(body=INFO, is_genuine=False), "is not Elasticsearch"),
        (Answer(404, {"detail": "Not Found"}, is_genuine=False), "is not Elasticsearch"),
        (Answer(body={**INFO, "version": {"number": "7.17.29"}}), "is of version 7.17.29"),
        (
            fault(
                400,
                "media_type_header_exception",
                "Accept version must be either version 8 or 7, but found 9.",
            ),
            "is of version 8, older than the installed client",
        ),
    ],
)
def test_f42_who_cannot_be_worked_with_is_refused_in_one_sentence(
    fake: FakeElasticsearch, info: Answer, said: str
) -> None:
    settings = ElasticSettings(url=fake.url)
    fake.info = info
    with pytest.raises(StoreError) as caught:
        connect(settings)
    assert said in caught.value.sentence
    assert fake.url in caught.value.sentence
    assert caught.value.hint
    assert not caught.value.retry


def test_f42_a_server_that_is_not_there_is_said_in_one_sentence() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        with pytest.raises(UnavailableError) as caught:
            connect(ElasticSettings(url=url))
    assert caught.value.sentence == f"Elasticsearch is not reachable at {url}."


def test_f42_a_server_that_never_answers_is_waited_for_no_longer_than_set() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(UnavailableError):
            connect(ElasticSettings(url=url, answer_seconds=0.2))

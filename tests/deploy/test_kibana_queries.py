"""Every panel asks a real Elasticsearch, and the answer is what plain counting says.

The requests are derived from the exported file. Kibana itself is in no package registry: that it
reads the file is checked by rules only (``test_kibana_dashboards``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import uuid4

import pytest

from deploy.kibana.dashboards import DASHBOARDS, exported
from deploy.kibana.panels import Listing, Panel
from deploy.kibana.saved_objects import dashboard_id
from deploy.servers.elasticsearch import ElasticsearchServer
from ingest.wire import format_time
from tests.deploy import kibana_fixture as fixture
from tests.deploy.lens_queries import LISTED, Asked, asked
from tests.deploy.plain_counts import CONDITIONS, chosen, counted

pytest.importorskip("elasticsearch", reason="the extra for Elasticsearch is not installed")

from elasticsearch import Elasticsearch

PREFIX = f"kibana-{uuid4().hex[:8]}"
DOCUMENTS = {
    "articles": fixture.articles(),
    "alerts": fixture.alerts(),
    "feeds": fixture.feeds(),
}
PANELS = {
    (dashboard_id(one, prefix=PREFIX), panel.title): panel
    for one in DASHBOARDS
    for row in one.rows
    for panel in row.panels
}
CHOICE = {"topics": fixture.TOPIC}
ASKED = asked(
    exported(prefix=PREFIX),
    span=(format_time(fixture.SINCE), format_time(fixture.NOW)),
    chosen=CHOICE,
)


@pytest.fixture(scope="module")
def filled(elasticsearch_server: ElasticsearchServer) -> Iterator[Elasticsearch]:
    """The fixture's documents: articles in two indices below one alias."""
    with Elasticsearch(elasticsearch_server.url) as client:
        operations: list[Mapping[str, Any]] = []
        for name, documents in DOCUMENTS.items():
            half = len(documents) // 2 if name == "articles" else len(documents)
            for number, part in enumerate((documents[:half], documents[half:])):
                index = f"{PREFIX}-{name}-{number}"
                _create(client, index, name)
                for one in part:
                    operations += [{"create": {"_index": index}}, one]
        assert not client.bulk(operations=operations, refresh=True)["errors"]
        yield client
        client.indices.delete(index=[*client.indices.get(index=f"{PREFIX}-*")])


def _create(client: Elasticsearch, index: str, name: str) -> None:
    fields = {field: {"type": kind} for field, kind in fixture.FIELDS[name].items()}
    client.indices.create(
        index=index,
        settings={"number_of_replicas": 0},
        mappings={"dynamic": "strict", "properties": fields},
        aliases={f"{PREFIX}-{name}": {}},
    )


def shown(request: Asked) -> tuple[list[Any], Sequence[Any]]:
    """The documents that a panel's dashboard lets it see, and all of them."""
    documents = DOCUMENTS[request.index.removeprefix(f"{PREFIX}-")]
    has_choice = request.dashboard.endswith("-topics")
    return chosen(documents, CHOICE) if has_choice else list(documents), documents


def test_every_panel_of_every_dashboard_is_asked() -> None:
    assert {(one.dashboard, one.title) for one in ASKED} == set(PANELS)
    assert len(ASKED) == len(PANELS)


@pytest.mark.parametrize("request_", ASKED, ids=lambda one: f"{one.dashboard[16:]} {one.title}")
def test_a_panel_shows_what_plain_counting_says(request_: Asked, filled: Elasticsearch) -> None:
    panel = PANELS[request_.dashboard, request_.title]
    documents, all_of = shown(request_)
    answer = filled.search(index=request_.index, **request_.body).body

    if isinstance(panel, Listing):
        wanted = [one for one in documents if CONDITIONS[panel.where](one)]
        wanted.sort(key=lambda one: str(one[panel.view.time]), reverse=True)
        titles = [hit["_source"]["title"] for hit in answer["hits"]["hits"]]
        assert titles == [one["title"] for one in wanted[:LISTED]]
        assert titles, "a listing of nothing shows nothing"
        return
    assert isinstance(panel, Panel)
    wanted_rows = counted(panel, documents, all_of=all_of)
    rows = request_.rows(answer)
    assert rows == wanted_rows
    if not any(split.rank == "significance" for split in panel.by):
        assert list(rows) == list(wanted_rows), "in another order"
    assert all(numbers[0] for numbers in wanted_rows.values()), "an empty panel proves nothing"
    assert len(wanted_rows) > 1 or panel.kind == "number", "an empty panel proves nothing"

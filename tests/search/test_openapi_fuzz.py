"""The API asked for what its own description allows, and for what it does not: no server error."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from hypothesis.strategies import SearchStrategy
from schemathesis import GenerationMode
from schemathesis.checks import CheckFunction
from schemathesis.core.failures import Failure
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from deploy.embedded import Embedded
from search.scopes import Scope
from search.views import all_alerts
from tests.port_server import Served, served
from tests.shell import carry, opened

EXAMPLES = 8
"""Requests an operation, right ones and wrong ones; some sixty operations take half a minute."""

ENDLESS = "/api/stream"


def no_server_error(_context: Any, answer: Any, _case: Any) -> None:
    """No fault of ours."""
    assert answer.status_code < 500, answer.text


CHECKS: list[CheckFunction] = [
    no_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]

pytestmark = pytest.mark.timeout(400)


async def fill(folder: Path) -> None:
    """News, a subscription with an alert, and a feed."""
    async with opened(folder) as shell:
        out = shell.folder.path / "alerts.jsonl"
        shell.subscriptions.add(name="truce", query="truce", to=[f"file:{out}"])
        shell.subscriptions.add(name="a/b ü", query="topic:ceasefire-talks", to=[f"file:{out}"])
        await carry(shell)
        shell.feeds.add("https://port.example/feed")


@pytest.fixture(scope="module", params=["no-login", "login"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("fuzz")
        patch.setenv("XDG_RUNTIME_DIR", str(folder))
        login = "true" if request.param == "login" else "false"
        more = ("api.requests_per_minute=1000000", f"api.require_login={login}")
        boss: dict[str, Scope] = {"boss": "admin"}
        asyncio.run(fill(folder))
        with served(folder, *more, accounts=boss, works=True) as found:
            yield found


def real_ids(shell: Embedded) -> dict[str, Callable[[], str]]:
    """For each parameter of a path one that exists, so that not all is 404."""
    return {
        "article_id": lambda: "article-1",
        "story_id": lambda: "article-1",
        "topic_id": lambda: "ceasefire-talks",
        "name": lambda: _subscription(shell),
        "feed_id": lambda: next((one.id for one in shell.feeds.all()), "none"),
        "alert_id": lambda: next((one.alert_id for one in all_alerts(shell.log)), "none"),
        "kind": lambda: "atom",
    }


def _subscription(shell: Embedded) -> str:
    """One that is there: others are removed while we ask."""
    out = shell.folder.path / "alerts.jsonl"
    there = shell.subscriptions.all()
    made = (
        there[0]
        if there
        else shell.subscriptions.add(name="again", query="ferry", to=[f"file:{out}"])
    )
    return made.id


def test_no_request_makes_a_server_error_and_every_answer_is_as_described(server: Served) -> None:
    headers = {"Authorization": f"Bearer {server.tokens['boss']}"}
    schema = schemathesis.openapi.from_url(f"{server.url}/openapi.json", headers=headers)
    ids = real_ids(server.shell)
    chance = random.Random(5)

    @schema.hook
    def map_path_parameters(_context: Any, found: dict[str, Any] | None) -> dict[str, Any] | None:
        if found is None or chance.random() < 0.3:
            return found
        return {name: ids[name]() if name in ids else value for name, value in found.items()}

    failures = []
    for result in schema.get_all_operations():
        operation = result.ok()  # type: ignore[union-attr] # a fault of ours raises here
        if operation.path == ENDLESS:
            continue
        for mode in GenerationMode:
            try:
                _ask(operation.as_strategy(generation_mode=mode), headers)
            except Unsatisfiable:
                continue  # nothing about this operation can be asked wrongly
            except (AssertionError, Failure, BaseExceptionGroup) as error:
                failures.append(f"{operation.label}: {_said(error)}")
    assert not failures, "\n\n".join(failures)


def _ask(cases: SearchStrategy[Any], headers: dict[str, str]) -> None:
    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases)
    def ask(case: Any) -> None:
        case.call_and_validate(headers=headers, checks=CHECKS, timeout=30)

    ask()


def _said(error: BaseException) -> str:
    inner = getattr(error, "exceptions", ())
    return "\n".join([str(error), *(_said(one) for one in inner)])

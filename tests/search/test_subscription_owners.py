"""Subscriptions belong to who made them; names are theirs, too."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from ingest.errors import NotFoundError, QueryError, UsageError
from search import views
from search.caller import LOCAL, Caller
from search.subscription_changes import Changes
from search.subscription_files import export_text, imported
from search.subscription_store import SubscriptionStore
from search.subscriptions import narrowed
from tests.alerting import MANY, Newsdesk, story

JANE = Caller(owner="jane", scopes=frozenset({"read", "write"}))
OMAR = Caller(owner="omar", scopes=frozenset({"read", "write"}))
ADMIN = Caller(owner="root")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Newsdesk]:
    made = Newsdesk(folder=tmp_path, specs=MANY)
    yield made
    made.close()


def add(desk: Newsdesk, name: str, who: Caller) -> str:
    return desk.store.add(name=name, query="truce", to=["stdout:"], who=who).id


def test_two_owners_may_give_the_same_name(desk: Newsdesk) -> None:
    jane, omar = add(desk, "truce", JANE), add(desk, "Truce", OMAR)
    assert desk.store.get("truce", who=JANE).id == jane
    assert desk.store.get("TRUCE", who=OMAR).id == omar
    with pytest.raises(UsageError, match="already"):
        add(desk, "TRUCE", JANE)
    assert sorted(one.owner for one in desk.store.all(who=ADMIN)) == ["jane", "omar"]


def test_what_is_anothers_is_not_there(desk: Newsdesk) -> None:
    jane = add(desk, "truce", JANE)
    assert desk.store.all(who=OMAR) == []
    store = desk.store
    attempts: list[Callable[[], object]] = [
        partial(store.get, jane, who=OMAR),
        partial(store.get, "truce", who=OMAR),
        partial(store.edit, jane, query="peace", who=OMAR),
        partial(store.remove, jane, who=OMAR),
        partial(store.backfill, jane, since=datetime.now(UTC) - timedelta(days=1), who=OMAR),
    ]
    for attempt in attempts:
        with pytest.raises(NotFoundError):
            attempt()
    assert store.get(jane, who=JANE).version == 1
    assert store.edit("truce", query="peace", who=ADMIN).owner == "jane"
    assert store.get("truce", who=LOCAL).id == jane


def test_an_owners_own_name_comes_before_anothers(desk: Newsdesk) -> None:
    add(desk, "truce", JANE)
    mine = add(desk, "truce", ADMIN)
    assert desk.store.get("truce", who=ADMIN).id == mine


def test_alerts_are_shown_to_their_owner(desk: Newsdesk) -> None:
    add(desk, "a", JANE)
    add(desk, "b", OMAR)
    desk.settle()
    desk.publish(story("x"))
    desk.settle()
    (alert,) = views.alerts(desk.log, who=JANE)
    assert alert.subscription_name == "a"
    assert len(views.alerts(desk.log, who=ADMIN)) == 2
    assert views.alert(desk.log, alert.alert_id, who=JANE)["owner"] == "jane"
    with pytest.raises(NotFoundError):
        views.alert(desk.log, alert.alert_id, who=OMAR)


def test_lists_go_on_behind_an_id_and_leave_out_what_is_anothers(desk: Newsdesk) -> None:
    mine = sorted(add(desk, f"n{number}", JANE) for number in range(7))
    add(desk, "other", OMAR)
    assert [one.id for one in desk.store.after(mine[2], who=JANE)] == mine[3:]


def test_another_process_over_the_log_is_seen_at_once(desk: Newsdesk) -> None:
    other = SubscriptionStore(desk.log, secrets=desk.secrets, guard=desk.guard)
    first = add(desk, "truce", JANE)
    with pytest.raises(UsageError, match="already"):
        other.add(name="truce", query="x", to=["stdout:"], who=JANE)
    other.edit(first, name="peace", who=JANE)
    assert desk.store.get("peace", who=JANE).id == first
    add(desk, "truce", JANE)
    other.remove("truce", who=JANE)
    assert [one.name for one in desk.store.all()] == ["peace"]


def test_an_import_is_the_callers_own(desk: Newsdesk) -> None:
    add(desk, "truce", OMAR)
    text = export_text(desk.store.all(who=OMAR))
    report = imported(desk.store, text, place="f", who=ADMIN, from_network=False)
    assert report["added"] == ["truce"]
    assert sorted(one.owner for one in desk.store.all()) == ["omar", "root"]


def test_a_known_target_may_be_named_as_it_is_shown(desk: Newsdesk) -> None:
    hook = "https://u:p4ss@example.org/hook"
    made = desk.store.add(name="s", query="truce", to=[hook])
    shown = desk.store.view(made)["to"]
    kept = desk.store.edit("s", to=[*shown, "stdout:"], from_network=False)
    assert kept.to == (*made.to, "stdout:")
    with pytest.raises(UsageError, match="left out"):
        desk.store.add(name="t", query="truce", to=shown)


def test_a_target_of_this_machine_stays_in_an_edit_over_the_network(desk: Newsdesk) -> None:
    desk.store.add(name="s", query="truce", to=["stdout:"])
    assert desk.store.edit("s", to=["stdout:"], query="x", from_network=True).to == ("stdout:",)
    with pytest.raises(UsageError):
        desk.store.add(name="t", query="truce", to=["stdout:"], from_network=True)


def test_a_digest_is_a_mode_and_ends_with_an_empty_text(desk: Newsdesk) -> None:
    made = desk.store.add(name="s", query="truce", to=["stdout:"], digest="0 8 * * *")
    assert made.mode == "digest"
    assert desk.store.edit("s", digest="").mode == "instant"
    with pytest.raises(UsageError):
        desk.store.edit("s", digest="8 o'clock")
    assert desk.store.get("s").version == 2


def test_an_import_with_a_fault_writes_nothing(desk: Newsdesk) -> None:
    good = Changes(name="a", query="truce", to=["stdout:"])
    bad = Changes(name="b", query="((", to=["stdout:"])
    added, refused = desk.store.put([good, bad], who=LOCAL, from_network=False)
    assert added == "added"
    assert isinstance(refused, QueryError)
    assert desk.store.all() == []


def test_sources_and_languages_narrow_a_query() -> None:
    assert narrowed("a OR b") == "a OR b"
    assert narrowed("a OR b", languages=["EN"]) == "(a OR b) AND lang:en"
    assert narrowed("a", sources=["x.org", "x.org"]) == "(a) AND source:x.org"
    both = narrowed("a", sources=["x.org", "y.org"], languages=["en", "de"])
    assert both == "(a) AND (source:x.org OR source:y.org) AND (lang:en OR lang:de)"


def test_a_backfill_is_a_version_of_its_own(desk: Newsdesk) -> None:
    desk.subscribe("s")
    since = datetime(2026, 11, 22, tzinfo=UTC)
    made = desk.store.backfill("s", since=since)
    assert (made.version, made.query_version, made.backfill_version) == (2, 1, 2)
    assert desk.store.get("s").backfill_since == since

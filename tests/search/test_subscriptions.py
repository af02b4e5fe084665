"""Who may subscribe to what, and where it may go."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePath

import pytest

from ingest.errors import NotFoundError, QueryError, UsageError
from ingest.log import Partition
from search.subscriptions import (
    SHARDS,
    check_name,
    check_target,
    kind_of,
    redacted,
    shard_of,
)
from tests.alerting import Newsdesk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Newsdesk]:
    made = Newsdesk(folder=tmp_path, allow=("hooks.example:8080",))
    yield made
    made.close()


def test_a_subscription_is_found_by_id_and_by_name(desk: Newsdesk) -> None:
    made = desk.store.add(name="  Truce  talks ", query="truce", to=["stdout:"])
    assert made.name == "Truce talks"
    assert made.owner == "local"
    assert 0 <= made.shard < SHARDS
    assert made.shard == shard_of(made.id)
    assert desk.store.get(made.id) == desk.store.get("truce TALKS")
    assert desk.store.get(made.id).id == made.id
    with pytest.raises(NotFoundError):
        desk.store.get("other")


def test_subscriptions_are_listed_by_name(desk: Newsdesk) -> None:
    for name in ("b", "A", "c"):
        desk.subscribe(name)
    assert [one.name for one in desk.store.all()] == ["A", "b", "c"]


def test_a_name_is_given_once(desk: Newsdesk) -> None:
    desk.subscribe("truce")
    desk.subscribe("other")
    with pytest.raises(UsageError, match="already"):
        desk.subscribe("Truce")
    with pytest.raises(UsageError, match="already"):
        desk.store.edit("other", name="truce")
    assert desk.store.edit("truce", name="Truce").name == "Truce"


@pytest.mark.parametrize("name", ["", "   ", "x" * 101, "a\x1b[0m"])
def test_a_name_that_cannot_be_shown_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="printable"):
        check_name(name)


@pytest.mark.parametrize("query", ["", "((", "seen:24h", "x" * 5000])
def test_a_query_that_cannot_be_subscribed_to_is_refused_with_a_caret(
    desk: Newsdesk, query: str
) -> None:
    with pytest.raises(QueryError) as caught:
        desk.subscribe("bad", query)
    assert caught.value.caret is not None
    assert desk.store.all() == []


def test_versions_grow_and_the_query_version_only_with_what_counts_anew(desk: Newsdesk) -> None:
    desk.subscribe("truce")
    steps = [
        desk.store.edit("truce", to=["stdout:"]),
        desk.store.edit("truce", query="peace"),
        desk.store.edit("truce", paused=True),
        desk.store.edit("truce", every_article=True),
        desk.store.edit("truce", paused=False),
    ]
    assert [one.version for one in steps] == [2, 3, 4, 5, 6]
    assert [one.query_version for one in steps] == [1, 2, 2, 2, 3]


def test_a_removed_subscription_is_gone_with_its_signing_secret(desk: Newsdesk) -> None:
    made = desk.subscribe("truce", to="https://example.org/hook")
    assert desk.secrets.signing_secret(made, "https://example.org/hook")
    desk.store.remove("truce")
    assert desk.store.all() == []
    with pytest.raises(NotFoundError):
        desk.secrets.signing_secret(made, "https://example.org/hook")


def test_the_view_hides_secrets_and_the_endpoints_show_the_signing_secret(desk: Newsdesk) -> None:
    made = desk.store.add(
        name="truce", query="truce", to=["https://u:p4ssw0rd@example.org/", "stdout:"]
    )
    shown = desk.store.view(made)
    assert shown["to"] == ["https://***@example.org/", "stdout:"]
    hook, terminal = desk.store.endpoints(made)
    assert hook["secret"].startswith("whsec_")
    assert terminal == {"to": "stdout:", "secret": ""}
    stored = b"".join(one.value or b"" for one in desk.log.read(Partition("subscriptions"), 0))
    assert b"p4ssw0rd" not in stored
    assert hook["secret"].encode() not in stored


def test_targets_are_kept_once_and_there_is_one_at_least(desk: Newsdesk) -> None:
    made = desk.store.add(name="a", query="truce", to=["stdout:", "stdout:"])
    assert made.to == ("stdout:",)
    with pytest.raises(UsageError, match="needs a target"):
        desk.store.add(name="b", query="truce", to=[])


def test_plain_http_is_for_receivers_allowed_by_name(desk: Newsdesk) -> None:
    assert desk.store.get(desk.subscribe("own", to="http://hooks.example:8080/x")).to
    with pytest.raises(UsageError, match="not encrypted"):
        desk.subscribe("other", to="http://hooks.example/x")


@pytest.mark.parametrize("target", ["me@example.org", "gopher:x", "", "two words", "../x"])
def test_other_targets_are_refused_with_three_examples(target: str) -> None:
    with pytest.raises(UsageError) as caught:
        kind_of(target)
    for example in ("https://", "mailto:", "ntfy://"):
        assert example in caught.value.hint


@pytest.mark.parametrize("scheme", ["syslog", "dbus", "gnome", "macosx", "windows", "kde", "glib"])
def test_what_reaches_only_this_machine_is_refused_by_name(scheme: str) -> None:
    with pytest.raises(UsageError, match=f"cannot be sent to {scheme}: addresses: that is the"):
        kind_of(f"{scheme}://x")


def test_every_way_is_known_by_its_first_word() -> None:
    kinds = {
        "https://x": "webhook",
        "MAILTO:jane@example.org": "mail",
        "mailto://user:word@example.org": "apprise",
        "tgram://token/chat": "apprise",
        "file:/x": "file",
        "stdout:": "stdout",
        "kafka:desk": "kafka",
        "desk-chat": "channel",
    }
    assert {target: kind_of(target) for target in kinds} == kinds


@pytest.mark.parametrize(
    "address",
    [
        "jane", "jane@", "@example.org", "a@b@c", "jane@example.org,joe@example.org",
        "jane@example.org\nBcc: all@example.org", "jane@example.org?bcc=joe@example.org",
        "Jane <jane@example.org>", '"a b"@example.org', "jane@exa mple.org", "jane@-.org\r",
    ],
)  # fmt: skip
def test_an_e_mail_address_is_one_plain_address(address: str) -> None:
    with pytest.raises(UsageError):
        check_target(f"mailto:{address}", from_network=True, folder=None)
    check_target("mailto:jane+news@example.org", from_network=True, folder=None)


def test_a_file_is_named_by_its_absolute_path() -> None:
    check_target("file:/srv/alerts.jsonl", from_network=False, folder=None)
    for target in ("file:alerts.jsonl", "file:/srv/../etc/x", "file:"):
        with pytest.raises(UsageError, match="absolute"):
            check_target(target, from_network=False, folder=None)
    with pytest.raises(UsageError, match="control"):
        check_target("file:/srv/a\nb", from_network=False, folder=None)
    check_target("file:/srv/out/a", from_network=True, folder=PurePath("/srv/out"))


def test_references_are_shown_as_stars() -> None:
    assert redacted("https://{secret:0123456789abcdef}@x/") == "https://***@x/"

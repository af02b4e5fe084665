"""Accounts and sessions over a real log."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from ingest.errors import NotFoundError, UsageError
from ingest.log import topic_specs
from ingest.sqlite_log import SqliteLog
from search.account_store import FILE_ACCOUNT, SESSION_DAYS, AccountStore
from search.accounts import new_token
from tests.alerting import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def log(tmp_path: Path) -> Iterator[SqliteLog]:
    found = SqliteLog(tmp_path / "log.sqlite")
    found.ensure_topics(topic_specs())
    yield found
    found.close()


@pytest.fixture
def store(log: SqliteLog, clock: Clock) -> AccountStore:
    return AccountStore(log, clock=clock)


def test_a_token_is_shown_once_and_only_its_hash_is_kept(
    store: AccountStore, tmp_path: Path
) -> None:
    account, token = store.add("newsdesk", scopes=("write",))
    assert re.fullmatch(r"ww_[A-Za-z0-9_-]{43}", token)
    assert account.scopes == ("read", "write")
    assert account.owner == "newsdesk"
    assert store.by_token(token) == account
    value = store.begin_session(account)
    kept = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    for secret in (token, token[3:], value):
        assert secret.encode() not in kept


@pytest.mark.parametrize("given", ["", "ww_", "x" * 46, new_token(), "ü"])
def test_another_token_lets_nobody_in(store: AccountStore, given: str) -> None:
    store.add("newsdesk", scopes=("read",))
    assert store.by_token(given) is None
    assert store.by_session(given) is None


def test_a_revoked_account_is_out_at_once_in_every_process(
    store: AccountStore, log: SqliteLog
) -> None:
    account, token = store.add("newsdesk", scopes=("read",))
    value = store.begin_session(account)
    other = AccountStore(log)
    assert other.by_session(value) == account
    store.revoke("NEWSDESK")
    assert other.by_token(token) is None
    assert other.by_session(value) is None
    assert other.all()[0].revoked is not None
    assert not other.exist()
    with pytest.raises(NotFoundError):
        store.revoke("newsdesk")


def test_a_name_is_taken_until_it_is_revoked(store: AccountStore) -> None:
    _, first = store.add("newsdesk", scopes=("read",))
    with pytest.raises(UsageError):
        store.add("NewsDesk", scopes=("read",))
    store.revoke("newsdesk")
    account, second = store.add("newsdesk", scopes=("read",))
    assert store.by_token(first) is None
    assert store.by_token(second) == account


@pytest.mark.parametrize("name", ["", "a b", "-x", "x" * 61, "a\n", "ä", "<b>"])
def test_a_name_that_is_none_is_one_sentence(store: AccountStore, name: str) -> None:
    with pytest.raises(UsageError) as caught:
        store.add(name, scopes=("read",))
    assert "60 letters" in caught.value.sentence
    with pytest.raises(UsageError):
        store.add("fine", scopes=("read",), owner=name or " ")


def test_a_session_ends_after_its_days_and_with_the_logout(
    store: AccountStore, log: SqliteLog, clock: Clock
) -> None:
    account, _ = store.add("newsdesk", scopes=("read",))
    first, second = store.begin_session(account), store.begin_session(account)
    store.end_session(first)
    assert store.by_session(first) is None
    clock.advance(days=SESSION_DAYS, seconds=-1)
    assert store.by_session(second) == account
    clock.advance(seconds=2)
    assert store.by_session(second) is None
    store.begin_session(account)
    assert len(list(log.table("accounts").items("session:"))) == 1


def test_the_last_use_is_known_to_the_hour(store: AccountStore, clock: Clock) -> None:
    account, _ = store.add("newsdesk", scopes=("read",))
    assert store.last_use(account) is None
    store.note_use(account)
    begun = clock.now
    clock.advance(minutes=59)
    store.note_use(account)
    assert store.last_use(account) == begun
    clock.advance(minutes=2)
    store.note_use(account)
    assert store.last_use(account) == begun + timedelta(minutes=61)


def test_the_token_of_a_file_is_an_account_that_is_nowhere_in_the_log(log: SqliteLog) -> None:
    token = new_token()
    store = AccountStore(log, file_token=token)
    assert store.exist()
    account = store.by_token(token)
    assert account is not None
    assert (account.name, account.owner) == (FILE_ACCOUNT, "local")
    assert "admin" in account.scopes
    value = store.begin_session(account)
    assert store.by_session(value) == account
    with pytest.raises(UsageError):
        store.revoke(FILE_ACCOUNT)
    assert AccountStore(log, file_token=new_token()).by_session(value) is None
    assert not AccountStore(log).exist()

"""The accounts and their sessions over the log: add, list, revoke, log in and out."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from ingest.errors import NotFoundError, UsageError
from ingest.log import Log, NewRecord
from ingest.wire import decode, encode
from search.accounts import (
    Account,
    LastUse,
    Session,
    check_account_name,
    check_scopes,
    hash_of,
    is_same,
    new_token,
)
from search.caller import LOCAL
from search.scopes import Scope

TOPIC = "accounts"
ACCOUNT, SESSION, USED = "account:", "session:", "used:"
SESSION_DAYS = 30
USE_IS_NOTED_EVERY = timedelta(hours=1)
FILE_ACCOUNT = "token-file"
"""The name of the account whose token lies in the file ``[api] token_file``."""

Clock = Callable[[], datetime]


def _now() -> datetime:
    return datetime.now(UTC)


class AccountStore:
    """The topic ``accounts`` as lists of accounts and sessions. Safe from any thread.

    Nothing is kept in memory: what one process revokes is revoked in every other at once.

    Args:
        file_token: The token in the file ``[api] token_file``; empty where there is none.
    """

    def __init__(self, log: Log, *, file_token: str = "", clock: Clock = _now) -> None:
        self._log = log
        self._clock = clock
        self._changing = threading.Lock()  # a name is free until the record is written
        self._of_file = _file_account(file_token, clock()) if file_token else None

    def all(self) -> list[Account]:
        """Every account, by name, those revoked too."""
        stored = (account for account in self._stored())
        of_file = [self._of_file] if self._of_file else []
        return sorted([*of_file, *stored], key=lambda one: (one.name.casefold(), one.created))

    def exist(self) -> bool:
        """Whether anybody could log in."""
        return any(one.revoked is None for one in self.all())

    def lets_in(self, owner: str) -> bool:
        """Whether ``owner`` is who sits at this machine, or has an account that is let in."""
        return owner == LOCAL.owner or any(
            one.revoked is None and one.owner == owner for one in self.all()
        )

    def last_use(self, account: Account) -> datetime | None:
        """When it last asked, to the hour."""
        record = self._log.table(TOPIC).get(USED + account.token)
        return decode(LastUse, record.value).at if record and record.value else None

    def add(self, name: str, *, scopes: tuple[Scope, ...], owner: str = "") -> tuple[Account, str]:
        """A new account, and its token, which is kept nowhere.

        Raises:
            UsageError: the name is taken, or is none.
        """
        check_account_name(name)
        token = new_token()
        account = Account(
            name=name,
            owner=check_account_name(owner or name, what="owner"),
            scopes=check_scopes(scopes),
            token=hash_of(token),
            created=self._clock(),
        )
        with self._changing:
            if self._named(name):
                raise UsageError(
                    f"there is an account {name} already",
                    hint="Choose another name, or revoke it: wirewatch accounts revoke",
                )
            self._write(ACCOUNT + account.token, encode(account))
        return account, token

    def revoke(self, name: str) -> Account:
        """Let an account in no more; its browsers are logged out. Raises NotFoundError."""
        with self._changing:
            found = self._named(name)
            if found is None:
                raise NotFoundError(
                    f"there is no account {name}", hint="See: wirewatch accounts list"
                )
            if found is self._of_file:
                raise UsageError(
                    f"the account {name} lies in the file of [api] token_file",
                    hint="Put another token into the file, then start Wirewatch again.",
                )
            revoked = replace(found, revoked=self._clock())
            self._write(ACCOUNT + revoked.token, encode(revoked))
        self._end_sessions(lambda session: session.token == revoked.token)
        return revoked

    def by_token(self, token: str) -> Account | None:
        """The account that a token lets in."""
        return self._by_hash(hash_of(token))

    def begin_session(self, account: Account) -> str:
        """The value of a new session's cookie, which is kept nowhere."""
        now = self._clock()
        self._end_sessions(lambda session: session.expires <= now)
        value = secrets.token_urlsafe(32)
        session = Session(
            token=account.token, created=now, expires=now + timedelta(days=SESSION_DAYS)
        )
        self._write(SESSION + hash_of(value), encode(session))
        return value

    def by_session(self, value: str) -> Account | None:
        """The account of a session's cookie; None where the session or the account ended."""
        record = self._log.table(TOPIC).get(SESSION + hash_of(value))
        if record is None or record.value is None:
            return None
        session = decode(Session, record.value)
        return self._by_hash(session.token) if session.expires > self._clock() else None

    def end_session(self, value: str) -> None:
        """Log a browser out."""
        self._write(SESSION + hash_of(value), None)

    def note_use(self, account: Account) -> None:
        """Write down that an account asked, at most once an hour."""
        now, last = self._clock(), self.last_use(account)
        if last is None or now - last >= USE_IS_NOTED_EVERY:
            self._write(USED + account.token, encode(LastUse(at=now)))

    def _by_hash(self, token: str) -> Account | None:
        if self._of_file is not None and is_same(self._of_file.token, token):
            return self._of_file
        record = self._log.table(TOPIC).get(ACCOUNT + token)
        if record is None or record.value is None:
            return None
        account = decode(Account, record.value)
        return account if account.revoked is None and is_same(account.token, token) else None

    def _named(self, name: str) -> Account | None:
        """The account of this name that is let in."""
        wanted = name.casefold()
        return next(
            (one for one in self.all() if one.revoked is None and one.name.casefold() == wanted),
            None,
        )

    def _stored(self) -> Iterator[Account]:
        for record in self._log.table(TOPIC).items(ACCOUNT):
            if record.value is not None:
                yield decode(Account, record.value)

    def _end_sessions(self, over: Callable[[Session], bool]) -> None:
        ended = [
            NewRecord(topic=TOPIC, key=record.key, value=None)
            for record in self._log.table(TOPIC).items(SESSION)
            if record.value is not None and over(decode(Session, record.value))
        ]
        if ended:
            self._log.append(ended)

    def _write(self, key: str, value: bytes | None) -> None:
        self._log.append([NewRecord(topic=TOPIC, key=key, value=value)])


def _file_account(token: str, now: datetime) -> Account:
    """It owns what the command line on this machine owns."""
    return Account(
        name=FILE_ACCOUNT,
        owner="local",
        scopes=check_scopes(("admin",)),
        token=hash_of(token),
        created=now,
    )

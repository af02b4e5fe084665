"""The way to a mail server, with a real one on the loopback interface."""

from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import trustme

from ingest.errors import UsageError, WirewatchError
from ingest.guard import Guard
from ingest.settings import NetSettings
from search.mail.message import message
from search.mail.sending import Mailer
from search.mail.settings import MailSettings
from tests.mailbox import Mailbox
from tests.network import Names
from tests.payloads import matched

FREE = Guard(NetSettings(allow=("127.0.0.1:*", "mail.example:*")))


def letter() -> EmailMessage:
    return message(
        matched(),
        alert_id="x",
        to="jane@example.org",
        sender="alerts@wire.example",
        unsubscribe="",
        now=datetime(2026, 11, 22, tzinfo=UTC),
    )


def mailer(box: Mailbox, guard: Guard = FREE, **changes: Any) -> Mailer:
    given: dict[str, Any] = {
        "server": "127.0.0.1",
        "port": box.port,
        "security": "none",
        "from_address": "alerts@wire.example",
        "seconds": 5,
    }
    options = {name: changes.pop(name) for name in ("resolver", "tls") if name in changes}
    return Mailer(MailSettings(**(given | changes)), guard, **options)


async def test_a_message_is_taken_by_the_server() -> None:
    async with Mailbox() as box:
        assert (await mailer(box).send(letter())).error == ""
        assert box.to == ["jane@example.org"]
        assert box.got[0]["Subject"] == "truce: Harbour talks, day 1"


@pytest.mark.parametrize(
    ("refuses", "is_final", "said"),
    [
        ({"jane@example.org": "550 no such user"}, True, "refused the recipient: 550 no such user"),
        ({"jane@example.org": "451 greylisted"}, False, "refused the recipient: 451"),
        ({"DATA": "554 looks like spam"}, True, "refused the message: 554"),
        ({"DATA": "452 disk full"}, False, "refused the message: 452"),
    ],
)
async def test_an_answer_from_500_on_is_final_and_one_below_is_not(
    refuses: dict[str, str],
    is_final: bool,  # noqa: FBT001 - a parameter of the table above
    said: str,
) -> None:
    async with Mailbox(refuses=refuses) as box:
        outcome = await mailer(box).send(letter())
        assert said in outcome.error
        assert outcome.final == is_final
        assert box.got == []


async def test_a_server_that_hangs_is_given_up_in_time() -> None:
    async with Mailbox(hangs=True) as box:
        async with asyncio.timeout(5):
            outcome = await mailer(box, seconds=0.3).send(letter())
        assert outcome.error == "The mail server did not answer within 0.3 s."
        assert not outcome.final


async def test_a_server_that_is_down_is_named() -> None:
    async with Mailbox() as box:
        port = box.port
    box.port = port
    assert "Connection refused by 127.0.0.1" in (await mailer(box).send(letter())).error


@pytest.mark.parametrize("way", ["starttls", "tls"])
async def test_a_login_goes_over_an_encrypted_connection_only(way: str, tmp_path: Path) -> None:
    authority = trustme.CA()
    served, trusted = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("mail.example").configure_cert(served)
    authority.configure_trust(trusted)
    word = tmp_path / "word"
    word.write_text("open sesame\n")
    box = Mailbox(**{way: served}, login=("me", "open sesame"))  # type: ignore[arg-type] # one of two
    async with box:
        names = Names(mail_example=[["127.0.0.1"]])
        ways: dict[str, Any] = {
            "server": "mail.example",
            "security": way,
            "user": "me",
            "resolver": names,
        }
        good = mailer(box, **ways, password_file=str(word), tls=trusted)
        assert (await good.send(letter())).error == ""
        strangers = mailer(box, **ways, password_file=str(word))
        assert "certificate" in (await strangers.send(letter())).error
        word.write_text("wrong")
        refused = await mailer(box, **ways, password_file=str(word), tls=trusted).send(letter())
        assert "refused the login" in refused.error
        assert not refused.final  # the settings may be mended; no alert is lost by them
        assert len(box.got) == 1


async def test_without_encryption_only_a_server_here_that_is_allowed_by_name() -> None:
    async with Mailbox() as box:
        for guard, server in ((Guard(), "127.0.0.1"), (FREE, "mail.example")):
            with pytest.raises(UsageError, match="security"):
                await mailer(box, guard, server=server).send(letter())
        assert box.connections == 0


async def test_a_private_server_gets_no_connection_however_it_is_named() -> None:
    """Row F64: a literal address, a name that leads there, one that changes its answer."""
    async with Mailbox() as box:
        names = Names(
            inside_example=[["127.0.0.1"]],
            mixed_example=[["93.184.215.14", "127.0.0.1"]],
            meta_example=[["169.254.169.254"]],
        )
        for server in ("127.0.0.1", "localhost", "inside.example", "mixed.example", "meta.example"):
            closed = mailer(box, Guard(), server=server, security="starttls", resolver=names)
            try:
                said = (await closed.send(letter())).error
            except WirewatchError as error:  # of an address in digits
                said = error.sentence
            assert "private address" in said, server
        assert box.connections == 0


async def test_no_server_is_a_sentence() -> None:
    with pytest.raises(UsageError, match="No mail server"):
        await Mailer(MailSettings(), FREE).send(letter())

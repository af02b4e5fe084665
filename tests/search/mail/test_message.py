"""An alert as an e-mail, as a mail program reads it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from ingest.errors import UsageError
from search.mail.message import message
from tests.mailbox import texts
from tests.payloads import digest, grew, matched

NOW = datetime(2026, 11, 22, 12, 5, tzinfo=UTC)
LINK = "https://wire.example/unsubscribe/sss.abc"
GOLDEN = Path(__file__).parent / "golden"


def made(payload: dict[str, Any], **changes: Any) -> EmailMessage:
    """The message as it arrives: written out and read again."""
    given: dict[str, Any] = {
        "alert_id": payload["data"]["alert_id"],
        "to": "jane@example.org",
        "sender": "Wirewatch <alerts@wire.example>",
        "unsubscribe": LINK,
        "now": NOW,
    }
    sent = message(payload, **(given | changes)).as_bytes()
    assert all(len(line) < 1000 for line in sent.split(b"\r\n"))  # RFC 5322, section 2.1.1
    found = message_from_bytes(sent, policy=policy.default)
    assert isinstance(found, EmailMessage)
    assert not found.defects
    return found


def test_the_headers_tell_programs_what_it_is() -> None:
    found = made(matched())
    assert found["From"] == "Wirewatch <alerts@wire.example>"
    assert found["To"] == "jane@example.org"
    assert found["Subject"] == "truce: Harbour talks, day 1"
    assert found["Auto-Submitted"] == "auto-generated"
    assert found["List-Unsubscribe"] == f"<{LINK}>"
    assert found["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert found["Message-ID"].startswith("<4Lx9ZkqT0mW2v8RbYc3dEg.")
    assert found["Message-ID"].endswith("@wire.example>")
    assert found["Date"].datetime == NOW


def test_a_repeat_is_the_same_message_and_each_recipient_has_their_own() -> None:
    first, again = made(matched()), made(matched())
    other = made(matched(), to="joe@example.org")
    assert first["Message-ID"] == again["Message-ID"] != other["Message-ID"]


def test_nothing_is_loaded_from_anywhere() -> None:
    for payload in (matched(), grew(), digest(more=37)):
        _, html = texts(made(payload))
        for loading in ("<img", "src=", "<script", "<link", "<style", "url(", "background"):
            assert loading not in html


@pytest.mark.parametrize("name", ["matched", "grew", "digest"])
def test_both_texts_are_as_they_were_agreed(name: str) -> None:
    payload = {"matched": matched, "grew": grew, "digest": lambda: digest(more=37)}[name]()
    plain, html = texts(made(payload))
    for kind, text in (("txt", plain), ("html", html)):
        golden = GOLDEN / f"{name}.{kind}"
        assert text.replace("\r\n", "\n") == golden.read_text("utf-8"), golden


HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</title></style><svg onload=alert(1)>",
    "{{ 7 * 7 }} {% raw %} <%= 7 %>",
    "a\r\nBcc: everybody@example.org\r\n\r\nforged",
    "a\u2028b\u2029c\x85d",
    "=?utf-8?q?=0D=0ABcc:_x@example.org?=",
    "\u202egnp.exe \x1b]0;owned\x07",
    "\ud800 lone",
    "x" * 3000,
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_shown_and_does_nothing(text: str) -> None:
    text = text.encode("utf-8", "replace").decode()  # payloads are UTF-8
    payload = matched(title=text, excerpt=text, source=text)
    payload["data"]["subscription"] = {"id": "s", "name": text, "query": text}
    payload["data"]["topics"] = [text]
    payload["data"]["story"]["sources"] = [text]
    payload["data"]["why"] = [{"clause": text, "zone": "text", "spans": [], "text": text}]
    many = digest()
    many["data"]["subscription"] = payload["data"]["subscription"]
    for group in many["data"]["groups"]:
        group["topic"] = text
        for story in group["stories"]:
            story["why"] = payload["data"]["why"]
            for one in story["articles"]:
                one |= {"title": text, "source": text}
    for found in (made(payload), made(many)):
        assert "bcc" not in {name.lower() for name in found.keys()}  # noqa: SIM118 - no dict
        assert found["To"] == "jane@example.org"
        assert len(found["Subject"]) <= 150
        _, html = texts(found)
        for tag in ("<script", "<img", "<svg", "</style", "onerror=alert(1)>"):
            assert tag not in html
        assert "49" not in html


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", ""]
)
def test_only_the_web_is_linked_to(url: str) -> None:
    _, html = texts(made(matched(url=url)))
    assert f'href="{url}"' not in html
    assert "Harbour talks, day 1" in html


def test_right_to_left_titles_keep_their_letters() -> None:
    plain, html = texts(made(matched(title="هدنة في الميناء")))
    assert "هدنة في الميناء" in plain
    assert "هدنة في الميناء" in html
    assert made(matched(title="هدنة في الميناء"))["Subject"] == "truce: هدنة في الميناء"


def test_a_test_alert_has_no_link_to_stop_it() -> None:
    found = made(json.loads(json.dumps(matched())), unsubscribe="")
    assert found["List-Unsubscribe"] is None
    assert "Stop these messages" not in texts(found)[0]


def test_a_sender_that_is_no_address_is_said_so() -> None:
    with pytest.raises(UsageError, match="from_address"):
        made(matched(), sender="Wirewatch")

"""What payloads say to people, on the terminal and in chats."""

from __future__ import annotations

import json

import pytest

from search.telling import plain, subject
from search.terminal import block
from tests.payloads import article, digest, grew, matched


def test_the_first_line_says_who_asked_and_what_came() -> None:
    assert subject(matched()) == "truce: Harbour talks, day 1"
    assert subject(grew()) == "truce: now 3 articles: Harbour talks, day 1"
    assert subject(digest(more=37)) == "truce: 41 articles"
    assert subject(digest(part=2, parts=3)) == "truce: 4 articles (part 2 of 3)"


def test_a_first_line_is_one_line_of_limited_length() -> None:
    found = subject(matched(title="a\r\nBcc: b\u2028c " + "x" * 500))
    assert len(found) == 150
    assert not any(char in found for char in "\r\n\u2028")


def test_a_digest_cut_for_a_chat_says_how_many_are_left_out() -> None:
    whole = plain(digest())
    assert "more" not in whole
    assert whole.count("https://port.example/") == 4
    for limit in (60, 150, 300, 450, 10_000):
        shown = plain(digest(more=37), max_chars=limit)
        left_out = 41 - shown.count("https://port.example/")
        assert f"and {left_out} more: https://wire.example/alerts?digest=D4x" in shown
        assert len(shown) <= limit + 150


def test_a_digest_names_each_topic_once_whatever_is_cut() -> None:
    payload = digest()
    long = {**payload["data"]["groups"][0]["stories"][0], "articles": [article(9, title="y" * 900)]}
    payload["data"]["groups"][0]["stories"].insert(0, long)
    shown = plain(payload, max_chars=700)
    assert shown.count("CEASEFIRE-TALKS") == 1
    assert "and 1 more" in shown


@pytest.mark.parametrize("payload", [matched(), grew(), digest(more=37)])
def test_a_block_on_the_terminal_begins_with_its_subject_and_ends_with_its_id(
    payload: dict[str, object],
) -> None:
    lines = block(json.dumps(payload)).splitlines()
    assert lines[0] == f"▌ {subject(payload)}"
    assert lines[-1] == ""
    assert lines[-2].startswith("  alert ")
    assert all(line.startswith("  ") for line in lines[1:-1])


def test_a_digest_on_the_terminal_lists_what_it_brings() -> None:
    shown = block(json.dumps(digest(more=37)))
    for number in range(1, 5):
        assert f"https://port.example/{number}" in shown
    assert "and 37 more: https://wire.example/alerts?digest=D4x" in shown


def test_nothing_of_a_digest_acts_on_a_terminal() -> None:
    payload = digest()
    payload["data"]["subscription"]["name"] = "\x1b]0;owned\x07"
    for group in payload["data"]["groups"]:
        group["topic"] = "\x9b31m"
        for story in group["stories"]:
            story["why"] = [{"clause": "\u202ex", "text": "\x1b[2J"}]
            for one in story["articles"]:
                one |= {"title": "a\n▌ forged", "url": "\x1b", "source": "\x00"}
    shown = block(json.dumps(payload))
    assert not any(char in shown for char in "\x1b\x07\x9b\u202e\x00")
    assert sum(line.startswith("▌") for line in shown.splitlines()) == 1

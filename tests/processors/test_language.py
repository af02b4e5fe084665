"""Which language a text is in."""

from __future__ import annotations

import pytest

from processors.language import detect, primary


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The rebels said the talks with the government had collapsed on Sunday.", "en"),
        ("Die Gespräche über eine Waffenruhe gehen am Montag in Kairo weiter.", "de"),
        ("Les négociations sur la trêve reprendront lundi au Caire, dit le ministre.", "fr"),
        ("Переговоры о перемирии продолжатся в понедельник в Каире.", "ru"),
        ("تستأنف محادثات وقف إطلاق النار يوم الاثنين في القاهرة", "ar"),
        ("双方代表星期一将在开罗继续举行停火谈判，调解人员对达成协议表示乐观。", "zh"),
    ],
)
def test_a_sentence_tells_its_language_whatever_the_feed_declares(text: str, language: str) -> None:
    assert detect(text) == language
    assert detect(text, declared="sw") == language


@pytest.mark.parametrize("text", ["", "Velmara", "Real 2:1", "1234 5678"])
def test_a_few_letters_are_in_the_language_that_the_feed_declares(text: str) -> None:
    assert detect(text, declared="es-MX") == "es"
    assert detect(text) == ""


def test_a_script_tells_a_language_in_a_few_letters_where_nothing_is_declared() -> None:
    assert detect("停火谈判") == "zh"


def test_only_the_beginning_is_read() -> None:
    english = "The council met on Tuesday and agreed to raise the toll on the bridge. " * 20
    assert detect(english + "Переговоры о перемирии. " * 500) == "en"


@pytest.mark.parametrize(
    ("tag", "language"),
    [("pt-BR", "pt"), ("EN_us", "en"), ("nb", "no"), ("und", ""), ("english", ""), (" fr ", "fr")],
)
def test_the_primary_tag_of_what_is_declared(tag: str, language: str) -> None:
    assert primary(tag) == language

"""One article through tagging."""

from __future__ import annotations

from processors.pipeline import tag, tag_text
from processors.signatures import signature
from processors.topic_file import load_topic
from processors.topics import TopicEngine
from tests.made_up_news import sighting

TOPIC = """
schema: 1
id: dock-strikes
label: Dock strikes
description: Dockers stop work.
version: 2
lang: en
threshold: 0.5
review: 0.2
terms: {dock: [docker*, dock worker*, port], strike: [strike, walkout*]}
rules:
  - {id: dock-strike, points: 10, near: [dock, strike], within: 20, unit: sentence}
"""
TEXT = "Dock workers went on strike in Velmara after talks on their pay broke down on Tuesday."


def engine() -> TopicEngine:
    return TopicEngine([load_topic(TOPIC, place="dock-strikes.yaml")])


def test_a_sighting_becomes_a_tagged_article_with_language_topics_and_signature() -> None:
    seen = sighting("a", TEXT, title="Port at a standstill", cause="backfill")
    tagged = tag(seen, engine=engine())
    assert (tagged.article.id, tagged.article.language) == ("a", "en")
    assert [topic.topic for topic in tagged.topics] == ["dock-strikes"]
    start, end = tagged.topics[0].evidence[0].spans[0]
    assert TEXT[start:end].startswith("Dock workers")
    assert tagged.topic_versions == (("dock-strikes", 2),)
    assert tagged.signature == signature("Port at a standstill", TEXT)
    assert (tagged.cause, tagged.fetched) == ("backfill", seen.fetched)


def test_tagging_the_same_sighting_twice_gives_the_same() -> None:
    assert tag(sighting("a", TEXT), engine=engine()) == tag(sighting("a", TEXT), engine=engine())


def test_an_empty_article_is_tagged_with_nothing() -> None:
    tagged = tag(sighting("a", ""), engine=engine())
    assert (tagged.article.language, tagged.topics, tagged.signature.length) == ("", (), 0)


def test_a_text_alone_has_topics_and_a_given_language_is_believed() -> None:
    assert [topic.topic for topic in tag_text("", TEXT, engine=engine())] == ["dock-strikes"]
    assert tag_text("", TEXT, language="de-AT", engine=engine()) == ()

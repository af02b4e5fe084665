"""One article through tagging: the file to read first.

An article comes in from a feed as a *sighting*. Four questions are asked of its words, and the
answers travel on together as one *tagged* record:

1. Which language is it in? (``language.py``)
2. Which words stand where? (``analysis.py``; everything below works on words, not on text)
3. Which topics is it about, and what in the text says so? (``topics.py``)
4. What is its signature, by which copies and stories are found later? (``signatures.py``)

Nothing here knows other articles or subscriptions, so any number of processes can do it at once.
Whether the article is new, a copy, or part of a story is decided after this, in ``register.py``.
"""

from __future__ import annotations

from dataclasses import replace

from ingest.article import Sighting
from processors.analysis import analyse
from processors.language import detect, primary
from processors.records import Tagged, TopicTag
from processors.signatures import signature
from processors.topics import TopicEngine


def tag(sighting: Sighting, *, engine: TopicEngine) -> Tagged:
    """``sighting`` with its language, topics and signature."""
    article = sighting.article
    language = detect(f"{article.title}\n{article.text}", declared=article.language_declared)
    title, body = analyse(article.title), analyse(article.text)
    return Tagged(
        article=replace(article, language=language),
        fetched=sighting.fetched,
        cause=sighting.cause,
        poll=sighting.poll,
        topics=engine.tag(title, body, language=language),
        topic_versions=engine.versions,
        signature=signature(title, body),
    )


def tag_text(
    title: str, text: str, *, language: str = "", engine: TopicEngine
) -> tuple[TopicTag, ...]:
    """The topics of a text alone; ``language`` is detected where it is not given."""
    known = primary(language) or detect(f"{title}\n{text}")
    return engine.tag(analyse(title), analyse(text), language=known)

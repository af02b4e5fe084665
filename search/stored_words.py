"""An article's words as they lie in the index: what candidates are verified against.

Reading them takes a tenth of analysing the text again. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cached_property
from itertools import compress, count
from operator import ne

from ingest.article import Article
from processors.analysis import Analysed
from processors.document import Document, Metadata

_FEW = 8  # words that are looked for one by one before the text is split

_SEPARATOR = "\x1f"  # a control character: the analysis leaves none in a word, JSON none as such


class StoredWords(Analysed):
    """The words of a text, their case and sentences; offsets only with the ``text`` itself."""

    def __init__(self, joined: str, cased: str, sentences: str, *, text: str = "") -> None:
        super().__init__(text, joined)
        self.__dict__.update(_packed_cased=cased, _packed_sentences=sentences)

    def places(self, word: str) -> Sequence[int]:
        """Where ``word`` stands, rising; of few words without splitting the text for it."""
        if "words" not in self.__dict__ and len(self._places) < _FEW:
            self._places[word] = _places(word, self.joined)
        return super().places(word)

    @cached_property
    def cased(self) -> tuple[str, ...]:
        """The words with their case kept."""
        found = list(self.words)
        for item in self.__dict__["_packed_cased"].split():
            place, _, word = item.partition(":")
            found[int(place)] = word
        return tuple(found)

    @cached_property
    def sentence_lengths(self) -> tuple[int, ...]:
        """How many words each sentence has."""
        return tuple(map(int, self.__dict__["_packed_sentences"].split()))


class StoredDocument(Document):
    """A document whose metadata, which most queries do not ask for, is read when asked for."""

    def __init__(self, title: Analysed, body: Analysed, packed: str) -> None:
        self.__dict__.update(title=title, body=body, _packed_metadata=packed)

    @cached_property
    def metadata(self) -> Metadata:
        """Its metadata."""
        return _metadata(self.__dict__["_packed_metadata"])


def _places(word: str, joined: str) -> list[int]:
    """How many words stand before each ``word``."""
    padded, sought = f" {joined} ", f" {word} "
    found: list[int] = []
    number, reached = 0, 0
    place = padded.find(sought)
    while place >= 0:
        number += padded.count(" ", reached, place)
        found.append(number)
        reached = place
        place = padded.find(sought, place + len(sought) - 1)
    return found


def pack(found: Document) -> bytes:
    """The words and metadata of ``found``; some 0.6 of the size of its text."""
    return _SEPARATOR.join(
        [*_packed(found.title), *_packed(found.body), _packed_metadata(found.metadata)]
    ).encode()


def unpack(data: bytes, article: Article | None = None) -> Document:
    """The document that was packed; without its ``article`` it has no texts and offsets."""
    parts = data.decode().split(_SEPARATOR)
    title, text = (article.title, article.text) if article else ("", "")
    return StoredDocument(
        StoredWords(*parts[:3], text=title), StoredWords(*parts[3:6], text=text), parts[6]
    )


def _packed(text: Analysed) -> tuple[str, str, str]:
    kept = text.cased
    places = compress(count(), map(ne, text.words, kept))
    cased = " ".join([f"{place}:{kept[place]}" for place in places])
    return text.joined, cased, " ".join(map(str, text.sentence_lengths))


def _packed_metadata(metadata: Metadata) -> str:
    lists = (metadata.feeds, metadata.groups, metadata.authors, metadata.tags, metadata.topics)
    times = [_packed_time(metadata.published), _packed_time(metadata.seen)]
    return json.dumps([metadata.source, metadata.language, *lists, *times])


def _packed_time(moment: datetime | None) -> str | None:
    # The wire form keeps milliseconds, and so must what is compared with it.
    return moment.astimezone(UTC).isoformat(timespec="milliseconds") if moment else None


def _metadata(packed: str) -> Metadata:
    source, language, feeds, groups, authors, tags, topics, published, seen = json.loads(packed)
    return Metadata(
        source=source,
        language=language,
        feeds=tuple(feeds),
        groups=tuple(groups),
        authors=tuple(authors),
        tags=tuple(tags),
        topics=tuple(topics),
        published=datetime.fromisoformat(published) if published else None,
        seen=datetime.fromisoformat(seen) if seen else None,
    )

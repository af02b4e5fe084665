"""Identity: which feed, which article (RECORDS, "Identity")."""

from __future__ import annotations

import base64
import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ingest.article import Article
from ingest.urls import canonical_url, source_of

_ID_BYTES = 16  # 128 bits: no two of 10^15 articles meet by chance
_LONGEST_URL = 2_000
_SEPARATOR = "\x1f"  # cannot stand in cleaned text, so that joined parts stay apart


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryIdentity:
    """What may name an entry, all cleaned but not cut.

    Attributes:
        canonical_url: Of its link, or empty.
        guid: As written, or empty.
        title: Plain text; the text's beginning where there is no title.
        day: Of publication, or the date as written, or empty.
    """

    canonical_url: str = ""
    guid: str = ""
    title: str = ""
    day: str = ""


def feed_id(url: str) -> str:
    """The id of the feed at ``url``, the same for all spellings of it."""
    return _hash(canonical_url(url) or url)


def id_of_url(canonical_url: str) -> str:
    """The id of an article that its address alone names."""
    return _hash(canonical_url)


def own_pages(*urls: str) -> frozenset[str]:
    """Canonical URLs that cannot name an article: the feed, its home, the roots of their hosts."""
    pages = {canonical_url(url) for url in urls}
    roots = {canonical_url(f"https://{source_of(page)}/") for page in pages if page}
    return frozenset((pages | roots) - {""})


def article_ids(
    entries: Sequence[EntryIdentity], *, feed_id: str, own: frozenset[str] = frozenset()
) -> tuple[str, ...]:
    """One id for each of the ``entries`` of one document, in order.

    Two entries with one guid are one article, unless link and title both differ. ``own`` are the
    feed's own pages: as link or guid they name nothing.
    """
    known = [_without_own_pages(entry, own) for entry in entries]
    by_url: dict[str, set[EntryIdentity]] = defaultdict(set)
    by_guid: dict[str, set[EntryIdentity]] = defaultdict(set)
    for entry in known:
        by_url[entry.canonical_url].add(replace(entry, day=""))
        by_guid[entry.guid].add(replace(entry, day=""))
    return _joined(
        known,
        [
            _id_of(
                entry,
                feed_id=feed_id,
                url_names=len(by_url[entry.canonical_url]) == 1,
                guid_names=len(by_guid[entry.guid]) == 1,
            )
            for entry in known
        ],
    )


def _without_own_pages(entry: EntryIdentity, own: frozenset[str]) -> EntryIdentity:
    # Pages have short addresses; a guid may have megabytes.
    short = len(entry.guid) <= _LONGEST_URL
    guid = "" if short and canonical_url(entry.guid) in own else entry.guid
    url = "" if entry.canonical_url in own else entry.canonical_url
    return replace(entry, guid=guid, canonical_url=url)


def _id_of(entry: EntryIdentity, *, feed_id: str, url_names: bool, guid_names: bool) -> str:
    if entry.canonical_url and url_names:
        return _hash(entry.canonical_url)
    if entry.guid and guid_names:
        return _hash(feed_id, entry.guid)
    if entry.guid:
        return _hash(feed_id, entry.guid, entry.canonical_url or entry.title)
    return _hash(feed_id, "", entry.title, entry.day)


def _joined(entries: Sequence[EntryIdentity], ids: Sequence[str]) -> tuple[str, ...]:
    """``ids``, but one for all entries with one guid that a link or a title joins, one by one.

    It is the least of theirs: the next poll may bring them in another order.
    """
    above: dict[tuple[str, str], tuple[str, str]] = {}

    def root(name: tuple[str, str]) -> tuple[str, str]:
        while (upper := above.setdefault(name, name)) != name:
            above[name] = name = above[upper]
        return name

    for entry in entries:
        if entry.guid and entry.canonical_url and entry.title:
            above[root((entry.guid, entry.title))] = root((entry.guid, entry.canonical_url))
    names = [
        (entry.guid, entry.canonical_url or entry.title) if entry.guid else None
        for entry in entries
    ]
    least: dict[tuple[str, str], str] = {}
    for name, own_id in zip(names, ids, strict=True):
        if name:
            least[root(name)] = min(own_id, least.get(root(name), own_id))
    return tuple(
        least[root(name)] if name else own_id for name, own_id in zip(names, ids, strict=True)
    )


def entry_keys(articles: Sequence[Article]) -> tuple[tuple[str, ...], ...]:
    """For each of the ``articles`` of one document, the keys under which to remember its id.

    The guid's key first, then the URL's, each only where it names one article here; a key that
    two articles of the document share would lead one to the other.
    """
    guids: dict[str, set[str]] = defaultdict(set)
    urls: dict[str, set[str]] = defaultdict(set)
    for article in articles:
        guids[article.guid].add(article.id)
        urls[article.canonical_url].add(article.id)

    def keys(article: Article) -> Iterable[str]:
        if article.guid and len(guids[article.guid]) == 1:
            yield _hash(article.feed_id, article.guid)
        if article.canonical_url and _hash(article.canonical_url) == article.id:
            yield article.id

    return tuple(tuple(keys(article)) or (article.id,) for article in articles)


def _hash(*parts: str) -> str:
    digest = hashlib.sha256(_SEPARATOR.join(parts).encode()).digest()
    return base64.urlsafe_b64encode(digest[:_ID_BYTES]).rstrip(b"=").decode()

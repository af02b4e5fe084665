"""One poll's entries against what was seen before: which are news, and under which id.

Pure: articles and a look-up in, sightings and new entry records out. The rules are those of
RECORDS, "Identity": what was seen first keeps its id when slug, guid or tracking changes.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from ingest.article import Article, Cause, Sighting, is_old
from ingest.feeds import EntryState, FeedState
from ingest.identity import entry_keys
from ingest.resemblance import digest, same_article, text_hash

RESTAMP_DAYS = 7
"""An entry that stays in the feed is written again this often, so that its age can be told."""

KEPT_DAYS = 60
"""An entry is forgotten so long after it left the feed (RECORDS, "Identity" 3)."""

MOST_CHANGES = 24
"""So often an entry may change freely, then once a day: some feeds print the time of the poll
into every item (lemon24/reader's limit)."""

MOST_VERSIONS = 8
"""Texts of one article in one document that are remembered."""

_EARLIEST = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembly:
    """What one poll gives.

    Attributes:
        sightings: What is new or changed, the oldest first.
        entries: Entry records to write, by key within the feed.
        unchanged: Entries that were sent before as they are.
        limited: Of these, changed ones that changed too often to be sent.
    """

    sightings: tuple[Sighting, ...]
    entries: Mapping[str, EntryState]
    unchanged: int
    limited: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Item:
    article: Article
    keys: tuple[str, ...]
    known: EntryState | None


def assemble(
    articles: Sequence[Article],
    known: Callable[[Collection[str]], Mapping[str, EntryState]],
    *,
    state: FeedState,
    fetched: datetime,
    first_poll_hours: float = 24.0,
) -> Assembly:
    """What the poll after ``state`` found; ``known`` gives the entry records of keys, once.

    An entry of a poll that never finished counts as not sent.
    """
    items: dict[str, list[_Item]] = {}
    groups = _groups(articles)
    records = known([key for group in groups for _, keys in group for key in keys])
    for group in groups:
        found = _find(group, records)
        article_id = found.article_id if found else group[0][0].id
        items.setdefault(article_id, []).extend(
            _Item(article=article, keys=keys, known=found) for article, keys in group
        )
    sightings: list[Sighting] = []
    entries: dict[str, EntryState] = {}
    limited = 0
    for article_id, versions in items.items():
        fresh, held = _fresh(versions, state)
        limited += held
        entries |= _records(article_id, versions, sent=len(fresh), held=held > 0, state=state)
        sightings += (
            _sighting(item.article, article_id, state, fetched, first_poll_hours) for item in fresh
        )
    unchanged = len(articles) - len(sightings)
    return Assembly(
        sightings=tuple(sightings), entries=entries, unchanged=unchanged, limited=limited
    )


def expired(
    entries: Iterable[tuple[str, EntryState]], *, state: FeedState, present: Mapping[str, object]
) -> list[str]:
    """Keys to remove after the poll that ``state`` describes, of all ``entries`` of the feed.

    Those that left the feed 60 days ago, and those that an unfinished poll wrote and a later
    document no longer holds: kept, they would count as sent from now on.
    """
    limit = state.day - KEPT_DAYS - RESTAMP_DAYS
    return [
        key
        for key, entry in entries
        if key not in present and (entry.day < limit or entry.poll >= state.poll)
    ]


_Keyed = tuple[Article, tuple[str, ...]]


def _groups(articles: Sequence[Article]) -> list[list[_Keyed]]:
    """Articles with their keys, those of one id in this document together.

    The oldest come first; without dates the last, for documents begin with the newest. No key
    leads to two groups.
    """
    keys = entry_keys(articles)
    extra = [
        _content_key(article) if _may_rotate(article, own) else ""
        for article, own in zip(articles, keys, strict=True)
    ]
    holders = Counter(extra)
    paired = [
        (article, (*own, key) if key and holders[key] == 1 else own)
        for article, own, key in zip(articles, keys, extra, strict=True)
    ]
    paired.reverse()
    groups: dict[str, list[_Keyed]] = {}
    for article, all_keys in sorted(paired, key=lambda pair: pair[0].published or _EARLIEST):
        groups.setdefault(article.id, []).append((article, all_keys))
    return list(groups.values())


def _may_rotate(article: Article, keys: tuple[str, ...]) -> bool:
    # With a guid that changes at every poll only the content can tell, unless the link does.
    by_link = article.id in keys and len(keys) > 1
    return bool(article.guid) and (not by_link or "?" in article.canonical_url)


def _content_key(article: Article) -> str:
    date = article.published.isoformat() if article.published else article.published_claimed
    path = article.canonical_url.split("?", 1)[0]
    return "=" + digest(article.title, article.text, date, path)[:22]


def _find(group: Sequence[_Keyed], known: Mapping[str, EntryState]) -> EntryState | None:
    """What ``group`` was seen as: by its link or content, else by its guid, if that can be."""
    by_key = {key: article for article, keys in group for key in keys}
    records = {key: known[key] for key in by_key if key in known}
    for key in sorted(records, key=lambda key: not _is_sure(key, by_key[key])):
        if _is_sure(key, by_key[key]) or same_article(records[key], by_key[key]):
            article_id = records[key].article_id
            same = (record for record in records.values() if record.article_id == article_id)
            return max(same, key=lambda record: record.poll)
    return None


def _is_sure(key: str, article: Article) -> bool:
    """Whether ``key`` stands for a link or for a content; a guid may be given to another."""
    return key == article.id or key.startswith("=")


def _fresh(versions: Sequence[_Item], state: FeedState) -> tuple[list[_Item], int]:
    """The versions of one article to send, and how many are held back for changing too often."""
    sent: set[str] = set()
    changes, day = 0, -1
    for entry in (item.known for item in versions if item.known):
        if entry.poll <= state.poll:
            sent.update(entry.hashes)
        changes, day = max(changes, entry.changes), max(day, entry.day)
    fresh = []
    for item in versions:
        if item.article.content_hash not in sent and not _moved_only(item, state):
            fresh.append(item)
            sent.add(item.article.content_hash)
    if fresh and changes >= MOST_CHANGES and day == state.day:
        return [], len(fresh)
    return fresh, 0


def _moved_only(item: _Item, state: FeedState) -> bool:
    """The same words at the same path: a session or tracking parameter we do not know."""
    entry, article = item.known, item.article
    if entry is None or entry.poll > state.poll or "?" not in article.canonical_url:
        return False
    same_path = entry.url.split("?", 1)[0] == article.canonical_url.split("?", 1)[0]
    same_words = entry.title == _kept_title(article) and entry.text_hash == text_hash(article)
    return same_path and same_words


def _records(
    article_id: str, versions: Sequence[_Item], *, sent: int, held: bool, state: FeedState
) -> dict[str, EntryState]:
    """The entry records of one article that change by this poll, by key."""
    last = versions[-1]
    entry = last.known
    if held or (entry is not None and not sent and state.day - entry.day < RESTAMP_DAYS):
        return {}
    article = last.article
    if entry is not None and not sent:
        record = dataclasses.replace(entry, day=state.day)
    else:
        hashes = dict.fromkeys(item.article.content_hash for item in versions)
        record = EntryState(
            article_id=article_id,
            hashes=tuple(hashes)[-MOST_VERSIONS:],
            title=_kept_title(article),
            url=article.canonical_url,
            published=article.published,
            text_hash=text_hash(article),
            poll=state.poll + 1,
            day=state.day,
            changes=(entry.changes if entry else -1) + sent,
        )
    return {key: record for item in versions for key in item.keys}


def _sighting(
    article: Article, article_id: str, state: FeedState, fetched: datetime, hours: float
) -> Sighting:
    first = state.poll == 0 and is_old(article, now=fetched, hours=hours)
    cause: Cause = "first-poll" if first else "live"
    article = dataclasses.replace(article, id=article_id)
    return Sighting(article=article, fetched=fetched, cause=cause, poll=state.poll + 1)


def _kept_title(article: Article) -> str:
    return article.title[:200]

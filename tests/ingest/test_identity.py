from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from ingest.article import Article
from ingest.identity import EntryIdentity, article_ids, entry_keys, feed_id, own_pages

URL = "https://example.com/a"


def ids(*entries: EntryIdentity, own: frozenset[str] = frozenset()) -> tuple[str, ...]:
    return article_ids(entries, feed_id="feed", own=own)


def entry(url: str = "", guid: str = "", title: str = "Title", day: str = "") -> EntryIdentity:
    return EntryIdentity(canonical_url=url, guid=guid, title=title, day=day)


def test_an_id_has_22_characters_of_base64url() -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]{22}", feed_id("https://example.com/feed"))
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{22}", found) for found in ids(entry(URL), entry()))


def test_a_feed_has_one_id_whatever_the_spelling_of_its_url() -> None:
    assert feed_id("http://www.example.com/feed/") == feed_id("https://Example.com/feed")
    assert feed_id("https://me:word@example.com/feed") == feed_id("https://example.com/feed")
    assert feed_id("https://example.com/feed") != feed_id("https://example.com/feed2")


def test_a_url_names_an_article_in_every_feed() -> None:
    (here,) = article_ids([entry(URL, "1")], feed_id="one")
    (there,) = article_ids([entry(URL, "other", "Other title")], feed_id="two")
    assert here == there


def test_a_rotating_guid_does_not_change_the_id_of_a_linked_entry() -> None:
    assert ids(entry(URL, "1")) == ids(entry(URL, "2"))


def test_a_link_that_several_entries_share_names_none_of_them() -> None:
    first, second = ids(entry(URL, "1", "One"), entry(URL, "2", "Two"))
    assert first != second
    assert (first,) == ids(entry("", "1", "One"))


def test_the_feeds_own_page_names_no_article() -> None:
    own = own_pages("https://feeds.example.net/rss", "https://www.example.com/news/")
    assert "https://example.com/news" in own
    assert "https://example.com/" in own
    (found,) = ids(entry("https://example.com/news", "1"), own=own)
    assert (found,) == ids(entry("", "1"))


def test_a_guid_that_is_the_feeds_own_page_names_nothing() -> None:
    own = own_pages("https://example.com/")
    home = "https://example.com/"
    first, second = ids(entry(home, home, "One"), entry(home, home, "Two"), own=own)
    assert first != second


def test_without_guid_the_title_and_the_day_name_an_entry() -> None:
    monday, again, tuesday, other = ids(
        entry(day="2026-11-16"),
        entry(day="2026-11-16"),
        entry(day="2026-11-17"),
        entry(title="Other", day="2026-11-16"),
    )
    assert monday == again
    assert len({monday, tuesday, other}) == 3


def test_a_guid_names_an_entry_within_its_feed_only() -> None:
    (here,) = article_ids([entry(guid="1")], feed_id="one")
    (there,) = article_ids([entry(guid="1")], feed_id="two")
    assert here != there


def test_one_guid_with_another_link_or_another_title_is_one_article() -> None:
    first, second = ids(entry(URL, "1", "One"), entry(URL, "1", "Two"))
    assert first == second
    first, second = ids(entry(URL, "1"), entry(URL + "2", "1"))
    assert first == second


def test_one_guid_with_another_link_and_another_title_is_two_articles() -> None:
    first, second = ids(entry(URL, "1", "One"), entry(URL + "2", "1", "Two"))
    assert first != second


def test_one_guid_without_link_and_with_two_titles_is_two_articles() -> None:
    first, second = ids(entry("", "1", "One"), entry("", "1", "Two"))
    assert first != second


def test_entries_without_guid_and_with_one_title_stay_apart_by_their_links() -> None:
    first, second = ids(entry(URL), entry(URL + "2"))
    assert first != second


_few = st.sampled_from(["", "1", "2", "https://example.com/x"])


@given(st.lists(st.builds(entry, _few, _few, _few, _few), max_size=8))
def test_equal_entries_have_equal_ids_and_strangers_never(found: list[EntryIdentity]) -> None:
    named = list(zip(ids(*found), found, strict=True))
    for one_id, one in named:
        for other_id, other in named:
            if one == other:
                assert one_id == other_id
            if one_id == other_id:
                shared = {one.canonical_url, one.guid, one.title} & {
                    other.canonical_url, other.guid, other.title,
                }  # fmt: skip
                assert shared


def article(found: str, url: str = "", guid: str = "") -> Article:
    return Article(id=found, feed_id="feed", canonical_url=url, guid=guid)


def test_the_keys_of_an_entry_are_its_guid_and_its_url() -> None:
    (found,) = ids(entry(URL, "1"))
    ((by_guid, by_url),) = entry_keys([article(found, URL, "1")])
    assert by_url == found
    assert entry_keys([article("later", URL + "-new-slug", "1")]) == ((by_guid,),)


def test_a_guid_or_url_that_two_articles_share_is_no_key() -> None:
    first, second = entry_keys([article("one", URL, "1"), article("two", URL, "1")])
    assert (first, second) == (("one",), ("two",))


def test_an_entry_without_guid_and_url_is_remembered_by_its_id() -> None:
    assert entry_keys([article("one")]) == (("one",),)

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.errors import FileError
from ingest.feed_list import ListReport, read_feed_list
from ingest.feeds import Feed, make_feed
from ingest.opml import read_opml, write_opml

ADDRESS = re.compile(rb"xmlUrl\s*=\s*[\"'][^\"']", re.IGNORECASE)
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
NESTED = """<?xml version="1.0" encoding="ISO-8859-1"?>
<opml version="1.0"><head><title>Mine</title></head><body>
 <outline text="World">
  <outline title="Near/Far East">
   <outline type="rss" text="Pier  news" xmlUrl="https://pier.example/rss" htmlUrl="https://pier.example/"/>
  </outline>
  <outline text="Quay &amp; Co" XMLURL=" https://quay.example/feed?a=1&amp;b=2 "/>
 </outline>
 <outline text="Dock" xmlUrl="https://dock.example/atom" category="/Ports/North,Ships"/>
 <outline text="a note"/>
</body></opml>"""


def read(text: str | bytes, place: str = "list.opml") -> ListReport:
    return read_feed_list(text, place, added=NOW)


def test_folders_become_groups() -> None:
    pier, quay, dock = read(NESTED).added
    assert (pier.title, pier.groups) == ("Pier news", ("World/Near-Far East",))
    assert (quay.url, quay.groups) == ("https://quay.example/feed?a=1&b=2", ("World",))
    assert dock.groups == ("Ports/North", "Ships")
    assert all(feed.added == NOW for feed in (pier, quay, dock))


def test_a_feed_in_two_folders_is_one_feed_with_two_groups() -> None:
    report = read(
        '<opml version="2.0"><body><outline text="A"><outline xmlUrl="https://x.example/rss"/>'
        '</outline><outline text="B"><outline xmlUrl="http://www.x.example/rss"/></outline>'
        "</body></opml>"
    )
    (feed,) = report.added
    assert feed.groups == ("A", "B")
    assert len(report.skipped) == 1


def test_bytes_in_utf_16_are_read() -> None:
    text = '<?xml version="1.0"?><opml><body><outline text="Ñandú" xmlUrl="https://x.example/"/></body></opml>'
    (feed,) = read(text.encode("utf-16")).added
    assert feed.title == "Ñandú"


def test_a_list_has_one_address_a_line_and_comments() -> None:
    report = read(
        "\ufeff# ports\nhttps://pier.example/rss\r\n\n  quay.example/feed  # the old one\n"
        "https://dock.example/#top\nfile:///etc/passwd\nhttps://pier.example/rss\n",
        "list.txt",
    )
    assert [feed.url for feed in report.added] == [
        "https://pier.example/rss",
        "https://quay.example/feed",
        "https://dock.example/#top",
    ]
    assert len(report.skipped) == 1
    (refused,) = report.refused
    assert (refused.line, refused.text) == (6, "file:///etc/passwd")
    assert "http" in refused.reason


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("<opml><body>\n<outline xmlUrl='https://x.example/?a<b'/></body></opml>", 2, "damaged"),
        ("<opml><body>\n<outline xmlUrl='https://x.example/'/>\n</body>", 3, "damaged"),
        ("<html>\n<body/></html>", 1, "a web page"),
        ("<rss version='2.0'/>", 1, "a feed"),
        ("<catalogue/>", 1, "<catalogue>"),
        ("<!DOCTYPE opml [\n<!ENTITY e 'x'>]><opml><body/></opml>", 2, "entities"),
        (b"https://x.example/\n\xff\xfa", 2, "UTF-8"),
    ],
)
def test_a_damaged_list_is_refused_whole_with_its_line(
    text: str | bytes, line: int, says: str
) -> None:
    with pytest.raises(FileError) as refusal:
        read(text, "mine.opml")
    error = refusal.value
    assert error.place == f"mine.opml:{line}"
    assert says in error.sentence
    assert "Nothing was imported" in error.sentence
    assert error.hint


def test_a_document_type_without_entities_is_harmless() -> None:
    (feed,) = read(
        '<!DOCTYPE opml><opml><body><outline xmlUrl="https://x.example/"/></body></opml>'
    ).added
    assert feed.url == "https://x.example/"


names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)


@given(st.lists(st.tuples(names, st.lists(names, max_size=3)), max_size=6))
def test_what_is_written_is_read_back(given_feeds: list[tuple[str, list[str]]]) -> None:
    feeds = [
        make_feed(
            f"https://x.example/{number}", added=NOW, title=_shown(title), groups=_groups(groups)
        )
        for number, (title, groups) in enumerate(given_feeds)
    ]
    found = {feed.id: feed for feed in read(write_opml(feeds)).added}
    assert set(found) == {feed.id for feed in feeds}
    for feed in feeds:
        assert set(found[feed.id].groups) == set(feed.groups)
        assert found[feed.id].title == (feed.title or feed.url)


def _shown(text: str) -> str:
    return " ".join("".join(c for c in text if c.isprintable()).split())


def _groups(given_groups: list[str]) -> tuple[str, ...]:
    shown = (_shown(group.replace("/", "-")) for group in given_groups)
    return tuple(dict.fromkeys(group for group in shown if group))


def test_every_feed_of_every_real_opml_file_is_found(shared_data: Path) -> None:
    paths = sorted((shared_data / "feeds").rglob("*.opml"))
    named = {path.name: len(ADDRESS.findall(path.read_bytes())) for path in paths}
    found = {path.name: len(read_opml(path.read_bytes(), place=path.name)) for path in paths}
    assert found == named
    assert len(paths) > 30


def test_quotes_and_markup_within_an_attribute_are_taken_as_written() -> None:
    quay, pier = read(
        """<opml><body>
        <outline text="The "Quay" daily" description="by <a href="https://q.example/">Q</a> & sons"
          xmlUrl="https://quay.example/feed" type="rss" />
        <outline text="Pier" xmlUrl='https://pier.example/feed' own="x"/>
        </body></opml>"""
    ).added
    assert (quay.url, quay.title) == ("https://quay.example/feed", 'The "Quay" daily')
    assert (pier.url, pier.title) == ("https://pier.example/feed", "Pier")


def test_a_bare_ampersand_is_taken_as_written() -> None:
    (feed,) = read(
        "<opml><body><outline text='R&amp;D&nbsp;&amp Q&A &#38; &eacute;'"
        " xmlUrl='https://x.example/?a=1&b=2&amp;c'/></body></opml>"
    ).added
    assert feed.url == "https://x.example/?a=1&b=2&c"
    assert feed.title == "R&D &amp Q&A & é"


def test_known_feeds_are_skipped() -> None:
    known = make_feed("https://pier.example/rss", added=NOW)
    report = read_feed_list(NESTED, "list.opml", added=NOW, known={known.id})
    assert report.skipped == (known.url,)
    assert len(report.added) == 2


def test_a_title_that_is_markup_stays_text() -> None:
    feed = make_feed("https://x.example/?a=1&b=%22", added=NOW, title="<b>\"&amp;'")
    text = write_opml([feed], title="<script>")
    assert "<b>" not in text
    assert "<script>" not in text
    (found,) = read(text).added
    assert isinstance(found, Feed)
    assert (found.title, found.url) == (feed.title, feed.url)

from __future__ import annotations

import gzip
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.entry import ParsedFeed, RawEntry
from ingest.errors import UnreadableError
from ingest.parse import parse_feed

ATOM = "http://www.w3.org/2005/Atom"


def rss(items: str, *, head: str = "", attributes: str = "") -> bytes:
    return (
        f'<?xml version="1.0" encoding="utf-8"?>\n<rss version="2.0" {attributes}>'
        f"<channel><title>Harbour</title><link>https://h.example/</link>{head}{items}</channel></rss>"
    ).encode()


def atom(entries: str, *, attributes: str = "") -> bytes:
    return f'<feed xmlns="{ATOM}" {attributes}><title>Harbour</title>{entries}</feed>'.encode()


def only(feed: ParsedFeed) -> RawEntry:
    assert len(feed.entries) == 1
    return feed.entries[0]


def refusal(body: bytes, **more: str) -> UnreadableError:
    with pytest.raises(UnreadableError) as caught:
        parse_feed(body, **more)  # type: ignore[arg-type]  # strings only
    return caught.value


def test_an_rss_item_comes_as_written() -> None:
    feed = parse_feed(
        rss(
            """<item><title>Ferry &amp; bridge</title><link>/news?a=1&amp;b=2</link>
            <guid isPermaLink="false"> 4711 </guid><pubDate>Mon, 2 Mar 2026 10:00:00 BST</pubDate>
            <description>Short.</description><dc:creator>Ada Holm</dc:creator>
            <content:encoded><![CDATA[<p>The whole story of the ferry.</p>]]></content:encoded>
            <category>harbour</category><category domain="x">ferry</category></item>""",
            head="<language>en-GB</language><ttl>30</ttl><sy:updatePeriod>hourly</sy:updatePeriod>"
            "<sy:updateFrequency>2</sy:updateFrequency>"
            f'<atom:link xmlns:atom="{ATOM}" rel="self" href="https://h.example/rss"/>',
            attributes='xmlns:content="http://purl.org/rss/1.0/modules/content/" '
            'xmlns:dc="http://purl.org/dc/elements/1.1/" '
            'xmlns:sy="http://purl.org/rss/1.0/modules/syndication/"',
        )
    )
    entry = only(feed)
    assert (entry.guid, entry.guid_is_permalink) == ("4711", False)
    assert entry.link == "/news?a=1&b=2"
    assert entry.title == "Ferry & bridge"
    assert entry.body == "<p>The whole story of the ferry.</p>"
    assert entry.summary == "Short."
    assert (entry.published, entry.date_source) == ("Mon, 2 Mar 2026 10:00:00 BST", "pubDate")
    assert (entry.authors, entry.tags) == (("Ada Holm",), ("harbour", "ferry"))
    assert (feed.title, feed.home_url, feed.language) == ("Harbour", "https://h.example/", "en-GB")
    assert (feed.ttl_minutes, feed.update_period_seconds) == (30, 1800)
    assert (feed.self_url, feed.format, feed.encoding) == ("https://h.example/rss", "rss", "utf-8")
    assert feed.notes == ()


def test_an_atom_entry_comes_as_written() -> None:
    entry = only(
        parse_feed(
            atom(
                """<entry xml:lang="da" xml:base="sub/"><id>t3_abc</id>
                <link rel="edit" href="/edit"/><link rel="alternate" href="../a?x=1&amp;y=2"/>
                <title type="html">&lt;b&gt;Bold&lt;/b&gt;</title>
                <published>2026-03-02T10:00:00Z</published><updated>2026-03-03T10:00:00Z</updated>
                <author><name>Ada</name><email>a@x.example</email></author><category term="sea"/>
                <content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">Whole</div></content>
                </entry>""",
                attributes='xml:base="https://h.example/x/"',
            )
        )
    )
    assert (entry.guid, entry.link) == ("t3_abc", "../a?x=1&y=2")
    assert entry.base == "https://h.example/x/sub/"
    assert (entry.title, entry.title_is_html) == ("<b>Bold</b>", True)
    assert (entry.published, entry.updated) == ("2026-03-02T10:00:00Z", "2026-03-03T10:00:00Z")
    assert entry.date_source == "published"
    assert (entry.authors, entry.tags, entry.language) == (("Ada",), ("sea",), "da")
    assert entry.body == "Whole"


@pytest.mark.parametrize("url", ["", "https://a.example/feed", "http://b.example/x/feed.xml"])
def test_ids_and_links_do_not_depend_on_where_the_feed_lies(url: str) -> None:
    body = rss("<item><guid>333483</guid><link>n/1</link></item>")
    entry = only(parse_feed(body, url=url))
    assert (entry.guid, entry.link, entry.base) == ("333483", "n/1", "")


def test_a_relative_base_is_resolved_against_the_address_of_the_feed() -> None:
    body = atom('<entry><link href="1"/></entry>', attributes='xml:base="/blog/"')
    assert only(parse_feed(body)).base == "/blog/"
    assert only(parse_feed(body, url="https://h.example/feed")).base == "https://h.example/blog/"


@pytest.mark.parametrize(
    ("guid", "link"),
    [
        ("<guid>https://h.example/1</guid>", "https://h.example/1"),
        ('<guid isPermaLink="true">https://h.example/1</guid>', "https://h.example/1"),
        ('<guid isPermaLink="false">https://h.example/1</guid>', ""),
        ("<guid>42</guid>", ""),
        ("<guid>https://h.example/1</guid><link>https://h.example/2</link>", "https://h.example/2"),
    ],
)
def test_a_guid_stands_for_the_link_only_where_it_is_one(guid: str, link: str) -> None:
    assert only(parse_feed(rss(f"<item>{guid}</item>"))).link == link


@pytest.mark.parametrize(
    ("element", "source"),
    [
        ("<pubDate>{}</pubDate>", "pubDate"),
        ("<dc:date>{}</dc:date>", "dc:date"),
        ("<dcterms:issued>{}</dcterms:issued>", "dcterms:issued"),
        ("<dcterms:created>{}</dcterms:created>", "dcterms:created"),
        ("<prism:publicationDate>{}</prism:publicationDate>", "prism:publicationDate"),
        ("<date>{}</date>", "date"),
    ],
)
def test_the_element_that_gave_the_date_is_named(element: str, source: str) -> None:
    entry = only(parse_feed(rss(f"<item>{element.format('2026-03-02')}</item>")))
    assert (entry.published, entry.date_source) == ("2026-03-02", source)


RDF = (
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="{}">'
    "<channel><title>C</title></channel><item {}><title>One</title></item></rdf:RDF>"
)


RSS_1_1 = (
    '<Channel xmlns="http://purl.org/net/rss1.1#"><title>C</title>'
    "<items><item><title>One</title></item></items></Channel>"
)


@pytest.mark.parametrize(
    ("body", "form"),
    [
        (RDF.format("http://my.netscape.com/rdf/simple/0.9/", ""), "rdf"),
        (RDF.format("http://purl.org/rss/1.0/", 'rdf:about="https://h.example/1"'), "rdf"),
        ('<rss version="0.91"><channel><item><title>One</title></item></channel></rss>', "rss"),
        ('<rss version="0.92"><channel><item><title>One</title></item></channel></rss>', "rss"),
        (RSS_1_1, "rss"),
        (RSS_1_1.replace("<Channel ", '<Channel xmlns:rss="http://purl.org/net/rss1.1#" '), "rss"),
        ("<rss><rss:channel><rss:item><rss:title>One</rss:title></rss:item></rss:channel>", "rss"),
        ("<channel><item><title>One</title></item></channel>", "rss"),
        (f'<a:feed xmlns:a="{ATOM}"><a:entry><a:title>One</a:title></a:entry></a:feed>', "atom"),
        ('<feed xmlns="http://purl.org/atom/ns#"><entry><title>One</title></entry></feed>', "atom"),
        (f'<entry xmlns="{ATOM}"><title>One</title></entry>', "atom"),
        ("<weird><item><title>One</title></item></weird>", "rss"),
    ],
)
def test_every_dialect_keeps_its_entries(body: str, form: str) -> None:
    feed = parse_feed(body.encode())
    assert (only(feed).title, feed.format) == ("One", form)


FAULTY: dict[str, Callable[[str], str]] = {
    "control characters": lambda text: text.replace("Two", "Tw\x03o"),
    "lone ampersands": lambda text: text.replace("Two", "T&Two"),
    "HTML entities": lambda text: text.replace("Two", "T&eacute;&nbsp;&unknown;wo"),
    "references to no character": lambda text: text.replace("Two", "T&#0;&#xD800;&#99999999;wo"),
    "mismatched tags": lambda text: text.replace("Two</title>", "Two</titel></title>"),
    "unclosed tags": lambda text: text.replace("Two", "<br>Two<i>"),
    "undeclared prefixes": lambda text: text.replace("Two", "Two").replace(
        "<item>", "<item><media:credit>x</media:credit>"
    ),
    "blank lines first": lambda text: "\n\n  " + text,
    "a warning first": lambda text: "<br />\n<b>Warning</b>: x in <b>y</b><br />\n" + text,
    "text afterwards": lambda text: text + "\n<!-- cached --> <script>x</script>",
    "attributes without quotes": lambda text: text.replace("<title>Two", "<title type=text>Two"),
    "an unclosed comment": lambda text: text.replace("</channel>", "<!-- </channel>"),
}


@pytest.mark.parametrize("fault", FAULTY)
def test_a_fault_in_one_item_costs_no_other_item(fault: str) -> None:
    items = "".join(
        f"<item><title>{title}</title><link>https://h.example/{title}</link></item>"
        for title in ("One", "Two", "Three", "Four")
    )
    feed = parse_feed(FAULTY[fault](rss(items).decode()).encode())
    assert feed.entries[0].link == "https://h.example/One"
    assert [entry.title for entry in feed.entries if entry.title in {"One", "Three", "Four"}] == [
        "One",
        "Three",
        "Four",
    ]
    assert not any(entry.partial for entry in feed.entries)


def test_html_entities_are_read_without_a_document_type() -> None:
    body = (
        b"<rss><channel><item><title>Caf&eacute;&nbsp;&amp;&hellip;</title></item></channel></rss>"
    )
    assert only(parse_feed(body)).title == "Café\xa0&…"


def test_a_harmless_document_type_is_left_out() -> None:
    body = (
        b'<?xml version="1.0"?><!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN" '
        b'"http://my.netscape.com/publish/formats/rss-0.91.dtd">'
        b'<rss version="0.91"><channel><item><title>&eacute;</title></item></channel></rss>'
    )
    assert only(parse_feed(body)).title == "é"


@pytest.mark.parametrize(
    "cut", ["</item><item><title>Thr", "</item><item><title>Three</title><description><![CDATA[x"]
)
def test_the_unfinished_item_of_a_cut_body_is_partial(cut: str) -> None:
    whole = rss("<item><title>One</title></item><item><title>Two</title>" + cut).decode()
    feed = parse_feed(whole[: whole.index(cut) + len(cut)].encode())
    assert [entry.partial for entry in feed.entries] == [False, False, True]
    assert "the document breaks off" in feed.notes


def test_a_cut_between_items_leaves_all_complete() -> None:
    body = rss("<item><title>One</title></item>").removesuffix(b"</channel></rss>")
    feed = parse_feed(body)
    assert not only(feed).partial
    assert feed.notes == ("the document breaks off",)


def test_a_cut_ill_formed_body_flags_its_last_item_too() -> None:
    body = b"<rss><channel><item><title>One</titel></item><item><title>Two</title><link>https"
    assert [entry.partial for entry in parse_feed(body).entries] == [False, True]


def test_the_text_is_the_content_and_not_the_caption() -> None:
    entry = only(
        parse_feed(
            rss(
                "<item><description>The story in a sentence or two.</description>"
                "<media:content><media:description>A photo of a ferry at sea, by night, in fog."
                "</media:description><media:title>Ferry</media:title></media:content></item>",
                attributes='xmlns:media="http://search.yahoo.com/mrss/"',
            )
        )
    )
    assert entry.body == "The story in a sentence or two."


def test_a_video_entry_takes_its_text_from_the_media_description() -> None:
    entry = only(
        parse_feed(
            atom(
                '<entry xmlns:media="http://search.yahoo.com/mrss/"><title>Film</title><media:group>'
                "<media:title>Film</media:title><media:description>What it shows &lt; 5 min"
                "</media:description></media:group></entry>"
            )
        )
    )
    assert (entry.title, entry.body) == ("Film", "What it shows < 5 min")
    assert not entry.body_is_html


def test_the_newest_entries_of_a_huge_feed_are_kept() -> None:
    items = "".join(
        f"<item><title>{day}</title><pubDate>{day:02d} Mar 2026 10:00 GMT</pubDate></item>"
        for day in (3, 9, 1, 7, 5)
    )
    feed = parse_feed(rss(items + "<item><title>undated</title></item>"), max_entries=3)
    assert [entry.title for entry in feed.entries] == ["9", "7", "5"]
    assert feed.title == "Harbour"
    assert feed.notes == ("3 older entries left out",)


def test_authors_tags_and_attributes_have_limits() -> None:
    tags = "".join(f"<category>t{number}</category>" for number in range(80))
    attributes = " ".join(f'a{number}="1"' for number in range(300))
    entry = only(parse_feed(rss(f"<item {attributes}><author>{'x' * 900}</author>{tags}</item>")))
    assert entry.authors == ("x" * 300,)
    assert len(entry.tags) == 50


def test_a_body_compressed_without_saying_so_is_read() -> None:
    assert only(parse_feed(gzip.compress(rss("<item><title>One</title></item>")))).title == "One"


def test_a_feed_without_entries_is_a_feed() -> None:
    assert parse_feed(rss("")).entries == ()


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "empty"),
        (b" \n\t", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"Service unavailable", "not-a-feed"),
        (b"<catalog><book/></catalog>", "not-a-feed"),
        (b"<opml><body><outline xmlUrl='x'/></body></opml>", "not-a-feed"),
        (b"<urlset><url/></urlset>", "not-a-feed"),
        (b"<rss><channel><title>Cut", "truncated"),
        (b"<html><body>Hello</body></html>", "html-page"),
        (b"<!DOCTYPE html>\n<p>Hello", "html-page"),
        (b"\x00\x01\x02\x03", "not-a-feed"),
    ],
)
def test_what_is_no_feed_is_refused_with_a_reason(body: bytes, code: str) -> None:
    error = refusal(body)
    assert error.code == code
    assert error.sentence.endswith((".", "it: "))
    assert error.hint


def test_an_opml_list_is_named_and_its_command_given() -> None:
    error = refusal(b"<opml><body><outline xmlUrl='x'/></body></opml>")
    assert error.sentence == "This is a list of feeds (OPML), not a feed."
    assert "feeds add" in error.hint


@pytest.mark.parametrize(
    "body",
    [
        b"<rss><channel><link>x<item><title>One</title>",  # a link that feedparser cannot place
        b'<rss xmlns:c="a b"><channel><item><c:d>x</c:d><title>One</title></item></channel></rss>',
    ],
)
def test_what_makes_feedparser_itself_raise_costs_no_entry(body: bytes) -> None:
    assert only(parse_feed(body)).title == "One"


def test_odd_values_cost_only_their_element() -> None:
    entry = only(
        parse_feed(
            rss(
                "<item><title>One</title><georss:where/><media:player/><psc:chapter start='x'/>"
                "<georss:polygon>1 2 3</georss:polygon><link>https://h.example/1</link></item>",
                head="<image><width/><height>x</height></image>",
                attributes='xmlns:georss="http://www.georss.org/georss" '
                'xmlns:media="http://search.yahoo.com/mrss/" '
                'xmlns:psc="http://podlove.org/simple-chapters"',
            )
        )
    )
    assert (entry.title, entry.link) == ("One", "https://h.example/1")


PIECES = st.sampled_from(
    (
        *("<rss>", "<channel>", "<item>", "</item>", "<title>", "</title>", "<link>", "</link>"),
        *("<![CDATA[", "]]>", "<!--", "-->", "&", "&#x;", "&#xD800;", "&nbsp;", "<?x", "?>", "=x"),
        *("<feed>", "<entry>", "</entry>", "<id>", "</id>", "<content type='xhtml'>", "</content>"),
        *(
            "<div>",
            "</div>",
            "<author>",
            "</author>",
            "x@y.z",
            "<category/>",
            "<width>",
            "</width>",
        ),
        *(
            "<georss:where>",
            "<media:player>",
            "</media:player>",
            "<guid isPermaLink=''>",
            "</guid>",
        ),
        *("<a xml:base='http://['>", "\x00", "\ud7ff", "\ud800", "<!DOCTYPE", "[", ">", "'", '"'),
        *("</rss>", "</feed>", "</channel>", "<image>", "</image>", "<source>", "<textinput>"),
    )
)


@given(st.lists(PIECES, max_size=40))
def test_no_mixture_of_markup_raises_anything_else(pieces: list[str]) -> None:
    try:
        parse_feed(" ".join(pieces).encode("utf-8", "surrogatepass"))
    except UnreadableError:
        return


@given(st.binary(max_size=200), st.integers(0, 400))
def test_no_damage_to_a_feed_raises_anything_else(noise: bytes, at: int) -> None:
    body = rss("<item><title>One</title><guid>1</guid></item>")
    try:
        parse_feed(body[:at] + noise + body[at:])
    except UnreadableError:
        return

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.plain_text import plain_lines, plain_text, plain_title


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("", ""),
        ("<p>One.</p>\n<p>Two <b>bo</b>ld.</p>", "One.\nTwo bold."),
        ("a<br>b<br/>c", "a\nb\nc"),
        ("<div><div>a</div></div><ul><li>b<li>c</ul>", "a\nb\nc"),
        ("<table><tr><td>a<td>b</td></tr><tr><th>c</table>", "a b\nc"),
        ("one\n\ntwo\nthree", "one\ntwo three"),
        ("<p>one\n\ntwo</p>", "one two"),
        ("a &amp; b &lt; c&nbsp;d &eacute; &#233; &#xE9;", "a & b < c d é é é"),
        ("AT&T, Q&A, a&b", "AT&T, Q&A, a&b"),
        ("&#146;s &#0; &#xD800;", "’s � �"),
        ("a < b > c <3 <", "a < b > c <3 <"),
        ("<p>a<b", "a<b"),
        ('cut here <a href="https://exam', "cut here"),
        ("cut here</stro", "cut here"),
        ("<a title=\"1 > 0\" href='x>y'>link</a>", "link"),
        ('<a title="never closed>x</a> y', "x y"),
        ("x<!-- a > b -->y<!---->z<!-->w", "xyzw"),
        ("x<!-- never closed", "x"),
        ("<?php echo 1 ?>x<!DOCTYPE html></>y", "xy"),
        ("<![CDATA[<p>x</p>]]>", "x"),
        ("<o:p>word</o:p><my-card>y</my-card>", "wordy"),
        ("<script>if (a < b) { '</p>' }</script>x<style>p{}</style>y", "xy"),
        ("x<script>never closed", "x"),
        ("<iframe src=x>old browsers</iframe>x<svg><text>y</text></svg>", "x"),
        ("<iframe src=x />x<iframe>y", "xy"),
        ("<noscript><img src=x></noscript>x<math><mi>y</math>z", "xz"),
        ("<SCRIPT>x</ScRiPt >y", "y"),
    ],
)
def test_html_becomes_its_text(source: str, wanted: str) -> None:
    assert plain_text(source).text == wanted


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("&lt;p&gt;One &amp;amp; two&lt;/p&gt;&lt;p&gt;Three&lt;/p&gt;", "One & two\nThree"),
        ('<p>See &lt;a href="x"&gt;this&lt;/a&gt;</p>', "See this"),
        ("<p>R&amp;amp;D&amp;nbsp;&amp;#8217;s</p>", "R&D ’s"),
        ('<p>Write <code>&lt;a href="x"&gt;</code></p>', 'Write <a href="x">'),
        ("<p>Generic &lt;T&gt;</p>", "Generic <T>"),
    ],
)  # fmt: skip
def test_a_body_escaped_once_too_often_is_read_once_more(source: str, wanted: str) -> None:
    assert plain_text(source).text == wanted


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("Plain title", "Plain title"),
        ("  two\n lines ", "two lines"),
        ("3 < 4", "3 < 4"),
        ("I <3 news", "I <3 news"),
        ("if a<b and c>d", "if a<b and c>d"),
        ("Vec<u8> and <Suspense>", "Vec<u8> and <Suspense>"),
        ("A <b>bold</b> move", "A bold move"),
        ("A <a href='x' class=y>link</a>", "A link"),
        ("line<br />break", "line break"),
        ("x<script>alert(1)</script>y", "xy"),
        ("Market &amp; mood", "Market & mood"),
        ("It&#8217;s &amp;quot;on&amp;quot;", 'It’s "on"'),
        ("&amp;#x0024;5", "$5"),
        ("&lt;em&gt;Word&lt;/em&gt; up", "Word up"),
        ("&amp;lt;b&amp;gt;", "<b>"),
        ("How &lt;script&gt; works", "How <script> works"),
        ("<![CDATA[Hello]]>", "Hello"),
        ("a\0b\u202ec", "abc"),
    ],
)  # fmt: skip
def test_a_title_is_one_line_of_text(source: str, wanted: str) -> None:
    assert plain_title(source) == wanted


def test_a_title_declared_as_html_is_read_as_html() -> None:
    assert plain_title("A <custom>b</custom> &amp; <i>c</i>", is_html=True) == "A b & c"
    assert plain_title("a &lt; b", is_html=True) == "a < b"


def test_text_that_is_no_html_keeps_its_lines_and_signs() -> None:
    assert plain_lines("a < b\n\n  R&D &amp; <b> List<T>\0 ") == "a < b\nR&D & <b> List<T>"


def test_text_that_is_html_against_its_declaration_is_read_as_html() -> None:
    assert plain_lines("<p>One</p><p>Two</p>") == "One\nTwo"


def test_text_nested_too_deep_is_simplified_and_kept() -> None:
    source = "<p>start</p>" + "<div>" * 300 + "deep &amp; <script>x</script>" + "</div>" * 300
    found = plain_text(source)
    assert found.simplified
    assert found.text == "start deep &"
    assert not plain_text(source, max_depth=400).simplified


def test_many_tags_are_simplified_and_many_unclosed_paragraphs_are_not_deep() -> None:
    assert plain_text("<b>x</b>" * 20_000).simplified
    assert not plain_text("<p>x<br>" * 5_000).simplified
    assert not plain_text("<b>x</b>" * 5_000).simplified


HOSTILE = [
    "<div>", "</div>", "<a ", "<a '\"<b ", "<!--", "<!", "<iframe>", "<style>", "<svg ", "&", "&#0",
    "<p>", "<a x='>' ", '<a x="', "<![CDATA[", "]]>", "\n ", "<", "</", "&lt;", "<b x=",
]  # fmt: skip


@pytest.mark.parametrize("unit", HOSTILE)
def test_reading_takes_time_in_proportion_to_the_input(unit: str) -> None:
    plain_text(unit * 100)
    begun = time.process_time()
    plain_text(unit * (1_000_000 // len(unit)))
    plain_title(unit * (1_000_000 // len(unit)))
    assert time.process_time() - begun < 3  # some 0.2 s; quadratic would be hours


@given(st.text(max_size=200))
def test_any_text_is_read_without_error_into_clean_lines(source: str) -> None:
    for text in (plain_text(source).text, plain_lines(source), plain_title(source)):
        assert "\0" not in text
        assert text == text.strip()
    assert "\n" not in plain_title(source)


@given(st.lists(st.sampled_from([*HOSTILE, "x ", ">", "'", '"', "</b>", "</style>", "-->"])))
def test_any_heap_of_markup_is_read_without_error(pieces: list[str]) -> None:
    source = "".join(pieces)
    assert "<script" not in plain_text(source + "<script>x</script>").text
    plain_title(source, is_html=True)
    plain_title(source)

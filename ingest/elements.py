"""feedparser's element handlers, kept from changing what the feed wrote.

feedparser resolves ids and links, copies the guid to the link, reads dates with its own guesses,
and has a few parts whose time is quadratic or that raise on odd input. The two readers here are
its strict (expat) and loose (SGML) parsers with those parts replaced; all else, such as content
types, CDATA and the many dialects of RSS, is feedparser's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final
from urllib.parse import urljoin
from xml.sax.xmlreader import AttributesNSImpl

from feedparser.api import LooseFeedParser, StrictFeedParser
from feedparser.mixin import _FeedParserMixin

MAX_AUTHOR: Final = 300
"""Characters of an author (FAULTS); feedparser's address pattern is quadratic in them."""
MAX_TAGS: Final = 50
"""Categories of an entry (FAULTS); feedparser compares each with all."""
MAX_ATTRIBUTES: Final = 64
"""Attributes of an element; feedparser searches a list for each. Real feeds have up to 12."""

_FAULTS: Final = (ArithmeticError, LookupError, TypeError, ValueError)
"""What feedparser's handlers raise on odd values; such an element is passed over."""


@dataclass(slots=True, kw_only=True)
class Facts:
    """What feedparser would lose of an entry, or of the feed itself.

    Attributes:
        base: ``xml:base`` in force at the entry, later at its link; empty without any.
        dates: Element name to the date as written; the last of each name counts.
        permalinks: Ids that may stand for the link.
        links: ``(rel, type, href)`` of link elements with an address, in document order.
        link: Text of the first link element that holds one.
    """

    base: str = ""
    language: str = ""
    permalinks: set[str] = field(default_factory=set)
    media_text: str = ""
    dates: dict[str, str] = field(default_factory=dict)
    links: list[tuple[str, str, str]] = field(default_factory=list)
    link: str = ""


def _date_end(element: str, name: str) -> Any:
    """The handler for the end of a date element, which feedparser stores as ``element``."""

    def end(self: FaithfulHandlers) -> None:
        value = self.pop(element)
        facts = self.current()
        if value and facts is not None:
            facts.dates[name] = value

    return end


class FaithfulHandlers(_FeedParserMixin):  # type: ignore[misc]  # untyped
    """Overrides for either parser; ``facts`` runs beside feedparser's ``entries``."""

    can_be_relative_uri = frozenset[str]()
    resolve_relative_uris = False
    sanitize_html = False

    _end_published = _date_end("published", "published")
    _end_pubdate = _date_end("published", "pubDate")
    _end_issued = _date_end("published", "issued")
    _end_dcterms_issued = _date_end("published", "dcterms:issued")
    _end_created = _date_end("created", "created")
    _end_dcterms_created = _date_end("created", "dcterms:created")
    _end_updated = _date_end("updated", "updated")
    _end_modified = _date_end("updated", "modified")
    _end_dcterms_modified = _date_end("updated", "dcterms:modified")
    _end_lastbuilddate = _date_end("updated", "lastBuildDate")
    _end_dc_date = _date_end("updated", "dc:date")
    _end_date = _date_end("updated", "date")
    _end_expirationdate = _date_end("expired", "expirationDate")

    depth: int

    def begin(self, url: str) -> None:
        """Prepare to read the document at ``url``, which may be empty."""
        self.url = url
        self.feed_facts = Facts()
        self.facts: list[Facts] = []
        self.bases = [""]
        self.skipped = 0
        # Some feeds write <rss:item>, bound to a name feedparser does not know, or to none.
        self.namespacemap["rss"] = ""

    def current(self) -> Facts | None:
        """The facts of the entry or feed that is being read; None within an image or source."""
        if self.insource or self.inimage or self.intextinput:
            return None
        return self.facts[-1] if self.inentry else self.feed_facts

    def resolve_uri(self, uri: str) -> str:
        """``uri`` as written."""
        return uri

    def unknown_starttag(self, tag: str, attrs: list[tuple[str, str]]) -> None:
        """Dispatch a start tag; keeps ``xml:base`` from feedparser, which would apply it."""
        base = self.bases[-1]
        for at, (name, value) in enumerate(attrs):
            if name == "xml:base":
                base = _join(base or self.url, value)
                attrs = [*attrs[:at], *attrs[at + 1 :]]
                break
        self.bases.append(base)
        try:
            super().unknown_starttag(tag, attrs)
        except _FAULTS:
            self.skipped += 1

    def unknown_endtag(self, tag: str) -> None:
        """Dispatch an end tag."""
        depth = self.depth
        try:
            super().unknown_endtag(tag)
        except _FAULTS:
            self.skipped += 1
            self.depth = depth - 1
        if len(self.bases) > 1:
            self.bases.pop()

    def _pop_last(self) -> None:
        """Store what the innermost open element holds, where there is a place for it."""
        try:
            self.pop(self.elementstack[-1][0])
        except _FAULTS:  # feedparser takes an element off its stack before it can fail
            self.skipped += 1

    def _start_date(self, _attrs_d: dict[str, str]) -> None:
        self.push("updated", 1)

    def _start_item(self, attrs_d: dict[str, str]) -> None:
        self.facts.append(Facts(base=self.bases[-1], language=attrs_d.get("xml:lang") or ""))
        self.facts[-1].permalinks.add(attrs_d.get("rdf:about", ""))
        super()._start_item(attrs_d)

    _start_entry = _start_item

    def _start_guid(self, attrs_d: dict[str, str]) -> None:
        self.guidislink = attrs_d.get("ispermalink", "true").strip().lower() != "false"
        self.push("id", 1)

    _start_id = _start_guid

    def _end_guid(self) -> None:
        value = self.pop("id")
        facts = self.current()
        if value and facts is not None and self.guidislink:
            facts.permalinks.add(value)

    _end_id = _end_guid

    def _start_link(self, attrs_d: dict[str, str]) -> None:
        facts = self.current()
        href = attrs_d.get("href") or attrs_d.get("url") or attrs_d.get("uri")
        if facts is not None and href:
            rel = attrs_d.get("rel") or "alternate"
            if rel == "alternate":
                facts.base = self.bases[-1]
            facts.links.append((rel, attrs_d.get("type") or "", href.strip()))
        super()._start_link(attrs_d)

    def _end_link(self) -> None:
        value = self.pop("link")
        facts = self.current()
        if value and facts is not None and not facts.link:
            facts.link, facts.base = value, self.bases[-1]

    def _start_media_description(self, _attrs_d: dict[str, str]) -> None:
        self.push("media_description", 1)

    def _end_media_description(self) -> None:
        value = self.pop("media_description")
        facts = self.current()
        if value and facts is not None and not facts.media_text:
            facts.media_text = value

    def _sync_author_detail(self, key: str = "author") -> None:
        context = self._get_context()
        author = context.get(key)
        if isinstance(author, str):
            author = context[key] = author[:MAX_AUTHOR]
            details = context.get(f"{key}s")
            if "@" not in author and details and not details[-1]:
                details[-1]["name"] = author
                return
        super()._sync_author_detail(key)

    def _add_tag(self, term: str | None, scheme: str | None, label: str | None) -> None:
        if len(self._get_context().get("tags", ())) < MAX_TAGS:
            super()._add_tag(term, scheme, label)


class StrictReader(FaithfulHandlers, StrictFeedParser):  # type: ignore[misc]  # untyped
    """For well-formed documents, driven by expat."""

    def startElementNS(  # noqa: N802 - the name is SAX's
        self, name: tuple[str | None, str], qname: str | None, attrs: AttributesNSImpl
    ) -> None:
        """Pass a start tag on with at most ``MAX_ATTRIBUTES`` attributes."""
        if len(attrs) > MAX_ATTRIBUTES:
            names = list(islice(attrs.keys(), MAX_ATTRIBUTES))
            attrs = AttributesNSImpl(
                {kept: attrs.getValue(kept) for kept in names},
                {kept: attrs.getQNameByName(kept) for kept in names},
            )
            self.skipped += 1
        super().startElementNS(name, qname, attrs)

    def finish(self) -> None:
        """Store what the unfinished elements of a cut document hold so far."""
        while self.elementstack:
            self._pop_last()


class LooseReader(FaithfulHandlers, LooseFeedParser):  # type: ignore[misc]  # untyped
    """For everything else, driven by a tolerant SGML parser."""

    def unknown_starttag(self, tag: str, attrs: list[tuple[str, str]]) -> None:
        """Dispatch a start tag; a new entry ends what the last one left open."""
        if self.incontent and _is_entry(tag):
            self._end_content_of_entry()
        super().unknown_starttag(tag, attrs)

    def unknown_endtag(self, tag: str) -> None:
        """Dispatch an end tag; the end of an entry ends what it left open."""
        if self.incontent and _is_entry(tag):
            self._end_content_of_entry()
        super().unknown_endtag(tag)

    def _end_content_of_entry(self) -> None:
        """Store open elements, or an unclosed title would swallow all later entries."""
        while self.elementstack and self.elementstack[-1][0] != "item":
            self._pop_last()
        self.incontent = 0
        self.contentparams.clear()

    def handle_charref(self, ref: str) -> None:
        """Pass a character reference on, unless no such character exists."""
        try:
            super().handle_charref(ref)
        except _FAULTS:
            self.skipped += 1


def _is_entry(tag: str) -> bool:
    return tag.rpartition(":")[2] in {"item", "entry"}


def _join(base: str, address: str) -> str:
    try:
        return urljoin(base, address.strip())
    except ValueError:  # such as an unfinished IPv6 host
        return base

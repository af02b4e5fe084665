"""A Wirewatch full of hostile text, as if nothing had been cleaned on its way in (row F48)."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import yaml
from playwright.async_api import Page

from ingest.article import Sighting
from ingest.errors import UsageError
from ingest.feed_store import FeedStore
from search.subscription_store import SubscriptionStore
from search.subscriptions import NAME_CHARS
from tests.browser.fiction import Piece
from tests.browser.newsstand import Newsstand
from tests.browser.payloads import PAYLOADS
from tests.browser.site import GOOD, LIVE, Site, news_site, until
from tests.newsserver import rss

_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")

_SWEEP = """() => {
  const known = new Set((
    "html head meta title link script body a header nav ul ol li main footer p div span bdi bdo " +
    "h1 h2 h3 h4 section article aside search form label input textarea select option optgroup " +
    "button fieldset legend details summary dialog dl dt dd kbd code pre mark time table thead " +
    "tbody tfoot tr th td caption figure figcaption svg g rect path line polyline polygon circle " +
    "text tspan desc em strong small ins del abbr output progress meter hr br noscript " +
    "blockquote cite"
  ).split(" "));
  const links = new Set(("href src action formaction xlink:href data poster srcset ping " +
    "background cite").split(" "));
  const faults = [];
  if (window.ran !== undefined) faults.push("a script ran");
  for (const one of document.querySelectorAll("*")) {
    const name = one.localName;
    if (!known.has(name)) faults.push(`element <${name}>`);
    for (const {name: attribute, value} of one.attributes) {
      if (attribute.startsWith("on") || attribute === "style" || attribute === "srcdoc")
        faults.push(`<${name} ${attribute}=${value}>`);
      if (!links.has(attribute)) continue;
      const target = URL.parse(value, document.baseURI);
      if (!target || !["http:", "https:"].includes(target.protocol))
        faults.push(`<${name} ${attribute}=${value}>`);
      else if (name !== "a" && target.origin !== location.origin)
        faults.push(`<${name}> of another host: ${value}`);
    }
    if (name === "script" && one.textContent) faults.push("a script in the page");
    if (name === "meta" && one.httpEquiv) faults.push(`meta ${one.httpEquiv}`);
  }
  return faults;
}"""

_TEXTS = """() => [
  document.documentElement.textContent,
  ...Array.from(document.querySelectorAll("input, textarea"), one => one.value),
  ...Array.from(document.querySelectorAll("[aria-label], [title]"),
    one => `${one.ariaLabel} ${one.title}`),
].join("\\n")"""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostilePiece(Piece):
    """An article with ``payload`` in each of its fields."""

    payload: str

    def sighting(self) -> Sighting:
        """What no honest poller would write."""
        made = Piece.sighting(self)
        article = replace(
            made.article,
            title=self.payload,
            text=f"{self.payload}\n{self.text}",
            url=self.payload,
            guid=self.payload,
            source=self.payload,
            authors=(self.payload,),
            tags=(self.payload,),
            groups=(self.payload,),
            notes=(self.payload,),
            published_claimed=self.payload,
        )
        return replace(made, article=article)


def word(number: int) -> str:
    """What stands in the article of a payload, and in no other."""
    return f"zzq{number}"


def hostile_news(now: datetime) -> list[HostilePiece]:
    """An article for each payload."""
    return [
        HostilePiece(
            at=now - timedelta(hours=5) + timedelta(minutes=number),
            outlet=f"outlet{number}",
            title=name,
            text=f"{word(number)} {' '.join(f'{word(number)}a{turn}' for turn in range(30))}",
            slug=name,
            payload=payload,
        )
        for number, (name, payload) in enumerate(PAYLOADS.items())
    ]


def write_topics(folder: Path) -> None:
    """A topic file for each payload, whose label and description it is."""
    folder.mkdir()
    for number, payload in enumerate(PAYLOADS.values()):
        topic = {
            "schema": 1,
            "id": f"hostile-{number}",
            "label": plain(payload) or "x",
            "description": plain(payload) or "x",
            "version": 1,
            "terms": {"words": [word(number)]},
            "rules": [{"id": "found", "any": "words", "points": 20}],
        }
        text = yaml.safe_dump(topic, allow_unicode=True)
        (folder / f"hostile-{number}.yaml").write_text(text, "utf-8")


def plain(payload: str) -> str:
    """``payload`` as far as XML and YAML can carry it."""
    return _NOT_IN_XML.sub("", payload)


def fill(store: SubscriptionStore, feeds: FeedStore, stand: Newsstand) -> None:
    """A subscription and two feeds for each payload: its name, its title."""
    outlines = []
    for number, payload in enumerate(PAYLOADS.values()):
        address = quoteattr(stand.url(f"/{number}.xml"))
        title = quoteattr(plain(payload))
        outlines.append(f"<outline type='rss' text={title} title={title} xmlUrl={address}/>")
        subscribe(store, f"{payload} {number}", word(number), stand.url(GOOD))
    body = f"<opml version='2.0'><body>{''.join(outlines)}</body></opml>"
    report = feeds.import_list(body, name="hostile.opml")
    assert len(report.added) == len(PAYLOADS)
    stand.feed(LIVE, rss(title=plain(PAYLOADS["image-error"])))
    feeds.add(stand.url(LIVE))


def subscribe(store: SubscriptionStore, name: str, query: str, to: str) -> None:
    """A subscription by that name; by what is left of it, where it is no name at all."""
    try:
        store.add(name=name, query=query, to=[to])
    except UsageError:
        left = "".join(filter(str.isprintable, name))
        store.add(name=left[-NAME_CHARS:], query=query, to=[to])


@asynccontextmanager
async def hostile_site(folder: Path) -> AsyncIterator[Site]:
    """All payloads everywhere, and an alert for each subscription."""
    write_topics(folder / "topics")
    async with news_site(
        folder,
        news=hostile_news(datetime.now(UTC)),
        # A window of seconds: each article is a story of its own, and none hides another.
        settings={"topics.folder": folder / "topics", "stories.window_hours": 0.01},
        before=fill,
    ) as site:
        words = " ".join(word(number) for number in range(len(PAYLOADS)))
        site.publish("live", plain(PAYLOADS["quote-and-tag"]), words)
        await until(lambda: len(site.stand.received(GOOD)) >= len(PAYLOADS))
        yield site


async def faults_in(page: Page) -> list[str]:
    """What in the page is not of our templates."""
    found: list[str] = await page.evaluate(_SWEEP)
    return found


async def texts_of(page: Page) -> str:
    """All text of the page, also that of its fields and labels, on one line."""
    found: Any = await page.evaluate(_TEXTS)
    return as_shown(str(found))


def as_shown(payload: str) -> str:
    """``payload`` as it may stand in a page: no page has NUL, and white space is white space."""
    return " ".join(payload.replace("\x00", "").replace("\ufffd", "").split())

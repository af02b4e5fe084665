"""Forms as a browser without scripts sends them: what the page has, and what a person types."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

import httpx


@dataclass
class FoundForm:
    """A form of a page and the values that its fields have."""

    action: str = ""
    values: dict[str, str] = field(default_factory=dict)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[FoundForm] = []
        self._name = ""
        self._area = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.found.append(FoundForm(action=given.get("action", "")))
        if not self.found:
            return
        values, name = self.found[-1].values, given.get("name", "")
        if tag == "input" and name:
            if given.get("type") not in ("checkbox", "radio") or "checked" in given:
                values[name] = given.get("value", "")
        elif tag == "select":
            self._name = name
        elif tag == "option" and ("selected" in given or self._name not in values):
            values[self._name] = given.get("value", "")
        elif tag == "textarea":
            self._area, values[name] = name, ""

    def handle_data(self, data: str) -> None:
        if self._area:
            self.found[-1].values[self._area] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._area = ""


def forms(text: str) -> dict[str, FoundForm]:
    """The forms of a page by their address; of several with one, the last."""
    parser = _Forms()
    parser.feed(text)
    return {one.action: one for one in parser.found}


async def send(browser: httpx.AsyncClient, page: str, action: str, **typed: str) -> httpx.Response:
    """Open ``page``, fill in its form for ``action`` and send it."""
    found = forms((await browser.get(page)).text)[action]
    return await browser.post(
        action, data=found.values | typed, headers={"referer": str(browser.base_url.join(page))}
    )

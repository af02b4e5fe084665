"""F49: a page asks nothing of another host: no tracking pixel, no external picture or script."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.shell import browser, carry, opened

HTML = {"Accept": "text/html"}
PAGES = (
    "/",
    "/?q=truce",
    "/articles/article-1",
    "/subscriptions",
    "/alerts",
    "/channels",
    "/feeds",
    "/topics",
    "/topics/ceasefire-talks",
    "/login",
    "/docs",
)


async def test_no_page_asks_anything_of_another_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    async with opened(tmp_path) as shell:
        await carry(shell)
        async with browser(shell) as api:
            for path in PAGES:
                answer = await api.get(path, headers=HTML)
                assert answer.status_code == 200, path
                policy = answer.headers["content-security-policy"]
                assert "http" not in policy
                assert "default-src 'none'" in policy
                assert not re.search(r"<(?:img|iframe|object|embed|video|audio)\b", answer.text), (
                    path
                )
                loads = re.findall(r"<(?:script|link)\b[^>]*(?:src|href)=\"([^\"]+)\"", answer.text)
                assert loads
                assert all(one.startswith("/") and not one.startswith("//") for one in loads), path

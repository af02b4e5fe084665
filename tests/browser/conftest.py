"""What every test with a browser may use."""

from __future__ import annotations

from tests.browser.fixtures import browser, page, site, visitor

__all__ = ["browser", "page", "site", "visitor"]

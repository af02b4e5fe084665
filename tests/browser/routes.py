"""Every page of a site by the name that its picture has."""

from __future__ import annotations

from tests.browser.site import Site

QUERY = "/?q=truce+OR+ceasefire"


async def every_page(site: Site) -> dict[str, str]:
    """The path of each page, by name."""
    hit = await site.first_hit("topic:ceasefire-talks corrected", sort="oldest")
    subscription = (await site.rows("/api/subscriptions", "subscriptions"))[0]
    return {
        "search": QUERY,
        "start": "/",
        "article": f"/articles/{hit['id']}",
        "story": f"/stories/{hit['story_id']}",
        "topics": "/topics",
        "topic": "/topics/ceasefire-talks",
        "subscriptions": "/subscriptions",
        "subscription": f"/subscriptions/{subscription['id']}",
        "alerts": "/alerts",
        "channels": "/channels",
        "feeds": "/feeds",
        "login": "/login",
    }

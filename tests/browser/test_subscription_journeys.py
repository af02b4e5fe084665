"""A story is muted, history is matched, a pause ends with or without what it missed."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import httpx
from playwright.async_api import Page, expect

from tests.browser.fixtures import IN_BROWSER, Visitor
from tests.browser.reader import received, subscribe, titles
from tests.browser.site import Site, until

pytestmark = IN_BROWSER

SLIDE = (
    "A landslide closed the quarry above Brannoch at dawn, and the blasting crew of nine left it "
    "unhurt. Geologist Petra Olm measured a crack of forty metres along the western face. The "
    "owner, Brannoch Stone, expects no work before the thaw; the road to Usk Valley stays open."
)
BLOSSOM = (
    "Orchards along Ostara Bay blossomed three weeks early. Beekeepers moved their hives by barge, "
    "and growers fear a late frost in April."
)


def publish_slide(site: Site, guid: str, title: str, more: str) -> None:
    """Another telling of the one story."""
    link = f"https://{guid}.example/quarry"
    site.publish(guid, title, f"{SLIDE} {more}", link=link)


async def open_story(page: Page, site: Site, title: str) -> None:
    """From an alert to its article and on to the story."""
    await page.goto(site.url + "/alerts?state=sent")
    await page.locator(".entry h2 a", has_text=title).first.click()
    await page.get_by_role("link", name="story").click()
    await expect(page.get_by_role("heading", name="Who is told of it")).to_be_visible()


async def open_subscription(page: Page, site: Site, name: str) -> None:
    """The page of a subscription, by the list of them."""
    await page.goto(site.url + "/subscriptions")
    await page.get_by_role("link", name=name, exact=True).click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(name)


async def test_a_muted_story_is_told_no_more_until_it_is_heard_of_again(
    site: Site, page: Page
) -> None:
    for name, path in (("witness", "/witness"), ("quarries", "/quarries")):
        to = site.stand.url(path)
        query = "quarry OR orchards"
        await subscribe(page, site, name=name, query=query, to=to, every_article=True)
    first, second, other, last = (
        "Landslide closes quarry",
        "Quarry closed by landslide",
        "Orchards blossom early",
        "Crack at quarry widens",
    )
    publish_slide(site, "slide-1", first, "Nobody was hurt.")
    await received(site, "/quarries", first)
    await open_story(page, site, first)
    told = page.locator("li", has_text="quarries")
    await told.get_by_role("link", name="mute this story").click()
    await page.get_by_role("button", name="Mute this story").click()
    await expect(page.get_by_role("status").first).to_contain_text("It is muted")

    publish_slide(site, "slide-2", second, "The mayor visited.")
    await received(site, "/witness", second)
    site.publish("blossom", other, BLOSSOM)
    await received(site, "/quarries", other)
    assert titles(site, "/quarries") == [first, other]
    stories = {one["title"]: one["story_id"] for one in await site.alerts()}
    assert stories[first] == stories[second] != stories[other]

    (payload, *_) = site.stand.received("/quarries")
    await page.goto(site.url + urlsplit(payload["data"]["links"]["mute"]).path)
    await expect(page.get_by_role("heading", name="A muted story")).to_be_visible()
    await page.get_by_role("button", name="Hear of it again").click()
    await expect(page.get_by_role("status").first).to_contain_text("heard of again")
    publish_slide(site, "slide-3", last, "Pumps run day and night.")
    await received(site, "/quarries", last)
    assert titles(site, "/quarries") == [first, other, last]


async def test_history_is_matched_for_a_new_subscription_and_nothing_is_sent_twice(
    site: Site, page: Page
) -> None:
    query = "topic:ceasefire-talks AND title:corrected"
    older = {one["title"] for one in await site.rows("/api/search", "hits", q=query)}
    assert len(older) > 1
    await subscribe(page, site, name="corrected", query=query, to=site.stand.url("/corrected"))
    await expect(page.get_by_role("link", name="0 alerts")).to_be_visible()

    await match_history(page, site, since="20d", count=len(older))
    await until(lambda: set(titles(site, "/corrected")) == older)
    await page.reload()
    await page.get_by_role("link", name=f"{len(older)} alerts").click()
    entries = page.locator("#alerts .entry")
    assert set(await entries.locator("h2").all_inner_texts()) == older
    assert await entries.locator(".why mark").count() >= len(older)

    await open_subscription(page, site, "corrected")
    await match_history(page, site, since="21d", count=0)
    assert len(titles(site, "/corrected")) == len(older)


async def match_history(page: Page, site: Site, *, since: str, count: int) -> None:
    """Press the button, and wait until history was matched to its end with so many alerts."""
    before = await backfills(site, "corrected")
    await page.get_by_label("From", exact=True).fill(since)
    await page.get_by_role("button", name="Match history").click()
    await expect(page.get_by_role("status").first).to_contain_text("History is being matched")

    async def is_done() -> bool:
        now = await backfills(site, "corrected")
        return now != before and all(one["done"] for one in now)

    await until(is_done)
    assert [one["alerts"] for one in await backfills(site, "corrected")] == [count]


async def backfills(site: Site, name: str) -> list[dict[str, Any]]:
    """How far history was matched for a subscription."""
    return await site.rows(f"/api/subscriptions/{name}", "backfills")


async def test_a_pause_ends_from_now_on_or_with_what_it_missed(site: Site, page: Page) -> None:
    for name, path in (("every kiln", "/every-kiln"), ("kilns", "/kilns")):
        to = site.stand.url(path)
        await subscribe(page, site, name=name, query="kiln", to=to, every_article=True)
    state = page.locator("main .state").first
    told: list[str] = []
    for ending, place in (("Resume from now", "Velmora"), ("Resume and catch up", "Karsova")):
        missed, later = f"Kiln of {place} cracks", f"Mint of {place} buys a kiln"
        await page.get_by_role("button", name="Pause").click()
        await expect(state).to_have_text("paused")
        site.publish(f"kiln-{place}", missed, f"The kiln of {place} cracked in the frost.")
        await received(site, "/every-kiln", missed)
        await page.get_by_role("button", name=ending).click()
        await expect(state).to_have_text("active")
        site.publish(f"mint-{place}", later, f"Coins of {place}: the old mint now has a kiln.")
        await received(site, "/kilns", later)
        told += [later] if ending == "Resume from now" else [missed, later]
        await has_told(site, "/kilns", told)


async def has_told(site: Site, path: str, wanted: list[str]) -> None:
    """Wait until a receiver was told of these articles, and of no other."""
    await until(lambda: sorted(titles(site, path)) == sorted(wanted))


def publish_strike(site: Site, place: str) -> None:
    """An article about weavers."""
    text = f"The weavers of {place} left their looms."
    site.publish(f"weavers-{place}", f"Weavers of {place} strike", text)


async def test_a_digest_that_arrives_on_the_open_page_leads_to_what_it_lists(
    site: Site, visitor: Visitor
) -> None:
    visit = await visitor()
    watching, page = await visit.page("/alerts"), await visit.page()
    asked = {"name": "weaving", "query": "weavers", "throttle": "1/4s", "every_article": True}
    async with httpx.AsyncClient(base_url=site.url) as client:
        made = await client.post(
            "/api/subscriptions", json={**asked, "to": [site.stand.url("/weaving")]}
        )
        made.raise_for_status()
    await page.goto(f"{site.url}/alerts?subscription={made.json()['id']}")
    await expect(page.locator("#live")).to_contain_text("as they happen")
    for place in ("Velmora", "Sule", "Tarn"):
        publish_strike(site, place)
    digest = await until(lambda: the_digest(site, "weaving"))
    entry = page.locator(f"[data-id='{digest['alert_id']}']")
    await entry.get_by_role("link", name=digest["title"]).click()
    await page.wait_for_url("**/alerts?digest=*")
    await expect(page.locator("#live")).to_contain_text("as they happen")
    publish_strike(site, "Karsova")
    await expect(watching.locator(".entry", has_text="Weavers of Karsova").first).to_be_visible(
        timeout=30_000
    )
    await expect(page.locator("#alerts .entry", has_text="Weavers of")).to_have_count(2)


async def the_digest(site: Site, name: str) -> dict[str, Any] | None:
    """The digest of a subscription that was sent; None before it was."""
    sent = await site.alerts(state="sent")
    return next((one for one in sent if one["subscription_name"] == name and one["members"]), None)

"""All pages as one router, and errors as pages for people."""

from __future__ import annotations

from fastapi import APIRouter

from search.pages.alert_pages import alert_pages
from search.pages.article_page import article_page
from search.pages.channel_pages import channel_actions, channel_pages
from search.pages.checking import checking
from search.pages.erase_page import erase_page
from search.pages.feed_forms import feed_forms
from search.pages.feed_pages import feed_pages
from search.pages.frame import Frame
from search.pages.login_page import login_page
from search.pages.mark_forms import mark_forms
from search.pages.mute_page import mute_page
from search.pages.search_feed_page import search_feed_page
from search.pages.search_page import search_page
from search.pages.static_files import static_files
from search.pages.story_page import story_page
from search.pages.subscription_actions import subscription_actions
from search.pages.subscription_page import subscription_page
from search.pages.subscription_pages import subscription_pages
from search.pages.topic_pages import topic_pages
from search.services import Services


def pages(services: Services, frame: Frame, *, from_network: bool) -> APIRouter:
    """Every page, and the files they need."""
    router = APIRouter(include_in_schema=False)
    router.include_router(static_files(frame))
    router.include_router(checking(services))
    router.include_router(search_page(services, frame))
    router.include_router(article_page(services, frame))
    router.include_router(erase_page(services, frame))
    router.include_router(story_page(services, frame))
    router.include_router(topic_pages(services, frame))
    router.include_router(subscription_pages(services, frame, from_network=from_network))
    router.include_router(mute_page(services, frame))
    router.include_router(subscription_actions(services, frame))
    router.include_router(subscription_page(services, frame, from_network=from_network))
    router.include_router(alert_pages(services, frame))
    router.include_router(channel_pages(services, frame, from_network=from_network))
    router.include_router(channel_actions(services, frame))
    router.include_router(feed_pages(services, frame))
    router.include_router(login_page(services, frame))
    router.include_router(feed_forms(services, frame))
    router.include_router(search_feed_page(services, frame))
    router.include_router(mark_forms(services, frame))
    return router

"""All pages as one router, and errors as pages for people."""

from __future__ import annotations

from fastapi import APIRouter

from search.pages.alert_pages import alert_pages
from search.pages.article_page import article_page
from search.pages.feed_pages import feed_pages
from search.pages.frame import Frame
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
    router.include_router(search_page(services, frame))
    router.include_router(article_page(services, frame))
    router.include_router(story_page(services, frame))
    router.include_router(topic_pages(services, frame))
    router.include_router(subscription_pages(services, frame, from_network=from_network))
    router.include_router(subscription_actions(services, frame))
    router.include_router(subscription_page(services, frame, from_network=from_network))
    router.include_router(alert_pages(services, frame))
    router.include_router(feed_pages(services, frame))
    return router

"""The JSON API under ``/api``: search, articles, feeds, topics, subscriptions, alerts.

The same application answers the CLI (Unix socket, or mounted in the command's own process) and
programs on the port. Errors are ``application/problem+json`` with a sentence, a hint and, for
queries, the caret.
"""

from __future__ import annotations

from importlib.metadata import version

from fastapi import FastAPI

from search.audit_trail import AuditTrail
from search.pages.frame import Frame
from search.pages.problem_page import describe_to_people
from search.pages.site import pages
from search.problems import describe_problems
from search.routes.alerts import alerting
from search.routes.audit import auditing
from search.routes.channels import channelling
from search.routes.docs import PROBLEMS, describe, documentation
from search.routes.erasing import erasing
from search.routes.exporting import exporting
from search.routes.feeds import feed_list
from search.routes.feeds_out import feed_tokens, search_feeds
from search.routes.marks import marking
from search.routes.query_check import query_checking
from search.routes.searching import searching
from search.routes.state import state
from search.routes.stream import streaming
from search.routes.subscriptions import subscribing
from search.routes.unsubscribing import unsubscribing
from search.services import Services


def create_api(services: Services, *, from_network: bool) -> FastAPI:
    """The application over ``services``; ``from_network`` refuses targets on this machine."""
    app = FastAPI(
        title="Wirewatch",
        version=version("wirewatch"),
        openapi_url="/openapi.json",
        docs_url=None,
        redoc_url=None,
        responses=PROBLEMS,
    )
    describe(app)
    describe_problems(app)
    frame = Frame(zone=services.zone)
    describe_to_people(app, frame)
    app.include_router(searching(services), prefix="/api")
    app.include_router(feed_list(services), prefix="/api")
    app.include_router(subscribing(services, from_network=from_network), prefix="/api")
    app.include_router(channelling(services, from_network=from_network), prefix="/api")
    app.include_router(unsubscribing(services))
    app.include_router(alerting(services), prefix="/api")
    app.include_router(auditing(services), prefix="/api")
    app.include_router(query_checking(services), prefix="/api")
    app.include_router(streaming(services), prefix="/api")
    app.include_router(exporting(services), prefix="/api")
    app.include_router(marking(services), prefix="/api")
    app.include_router(erasing(services), prefix="/api")
    app.include_router(feed_tokens(services), prefix="/api")
    app.include_router(search_feeds(services))
    app.include_router(state(services))
    app.include_router(documentation())
    app.include_router(pages(services, frame, from_network=from_network))
    app.add_middleware(AuditTrail, log=services.log)
    return app

"""The end of a link in an e-mail: one click takes its recipient off the subscription (RFC 8058)."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader

from ingest.errors import NotFoundError
from search.caller import Caller
from search.channel_store import address_of
from search.mail.unsubscribing import Links
from search.services import Services
from search.subscriptions import Subscription, kind_of

_pages = Environment(loader=PackageLoader("search.mail"), autoescape=True)


def unsubscribing(services: Services) -> APIRouter:
    """Links of e-mails. Whoever has one may use it: nobody logs in."""
    router = APIRouter(prefix="/unsubscribe", include_in_schema=False)

    @router.get("/{token}")
    def ask(token: str) -> HTMLResponse:
        """A page with one button: looking at a link must not change anything."""
        one, _ = _meant(services, token)
        return _page(name=one.name, is_done=False)

    @router.post("/{token}")
    def end(token: str) -> HTMLResponse:
        """Send no more of this subscription to this recipient; others go on."""
        one, listed = _meant(services, token)
        left = [other for other in one.to if other != listed]
        owner = Caller(owner=one.owner)
        if left:
            services.subscriptions.edit(one.id, to=left, who=owner)
        else:
            services.subscriptions.edit(one.id, paused=True, who=owner)
        services.changed("subscriptions")
        return _page(name=one.name, is_done=True)

    return router


def _meant(services: Services, token: str) -> tuple[Subscription, str]:
    """The subscription that ``token`` is for, and the target as it stands there."""
    subscription_id = token.partition(".")[0]
    links = Links(services.vault, base="")
    try:
        one = services.subscriptions.get(subscription_id)
    except NotFoundError:
        raise _gone() from None
    for listed in one.to if one.id == subscription_id else ():
        target = address_of(services.log, listed)
        if kind_of(target) == "mail" and links.is_of(token, one.id, target):
            return one, listed
    raise _gone()


def _gone() -> NotFoundError:
    return NotFoundError(
        "This link does not lead to a subscription; you may have been taken off it already.",
        hint="If messages still come, use the link of the newest one.",
        code="no-subscription",
    )


def _page(*, name: str, is_done: bool) -> HTMLResponse:
    page = _pages.get_template("unsubscribe.html")
    return HTMLResponse(page.render(name=name, is_done=is_done))

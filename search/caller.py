"""Who asks, and what they may see: set by the login, read by routes and pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from search.scopes import Scope

EVERY_SCOPE: frozenset[Scope] = frozenset({"read", "write", "admin"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """An account, or whoever sits at this machine.

    Attributes:
        owner: The account's name; ``local`` on the loopback interface and the command line.
        scopes: ``read`` looks, ``write`` changes what is its own, ``admin`` sees and changes all.
        account: The name of the account, for the audit; several may share an owner.
    """

    owner: str = "local"
    scopes: frozenset[Scope] = EVERY_SCOPE
    account: str = "local"

    def sees(self, owner: str) -> bool:
        """Whether what belongs to ``owner`` may be shown to them."""
        return owner == self.owner or "admin" in self.scopes


LOCAL = Caller()
NOBODY = Caller(owner="", scopes=frozenset(), account="")
"""Who did not log in, on the few addresses that need no login."""


async def _caller(request: Request) -> Caller:  # what is not async is sent to a thread
    """Who asks: what the login left in the request's state, else whoever sits here."""
    found: Caller = getattr(request.state, "caller", LOCAL)
    return found


WhoAsks = Annotated[Caller, Depends(_caller)]

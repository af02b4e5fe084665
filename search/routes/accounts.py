"""Routes of accounts: on the command line's socket only, which this machine's user alone has."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

from ingest.wire import as_json, format_time
from search.accounts import Account
from search.scopes import Scope
from search.services import Services


class NewAccount(BaseModel):
    """An account to make."""

    model_config = ConfigDict(extra="forbid")
    name: str
    owner: str = ""
    scopes: list[Scope] = ["read"]


def account_list(services: Services) -> APIRouter:
    """Accounts: list, add, revoke."""
    router = APIRouter(prefix="/accounts")
    store = services.accounts

    @router.get("")
    def accounts() -> dict[str, Any]:
        """Every account, by name."""
        return {"accounts": [_row(one) for one in store.all()]}

    @router.post("", status_code=201)
    def add(new: NewAccount) -> dict[str, Any]:
        """A new account, with its token, which is shown this once."""
        made, token = store.add(new.name, scopes=tuple(new.scopes), owner=new.owner)
        return {**_row(made), "token": token}

    @router.delete("/{name}")
    def revoke(name: str) -> dict[str, Any]:
        """Let an account in no more."""
        return _row(store.revoke(name))

    def _row(one: Account) -> dict[str, Any]:
        used = store.last_use(one)
        shown: dict[str, Any] = as_json(one)
        del shown["token"], shown["schema"]
        return {**shown, "last_used": format_time(used) if used else None}

    return router

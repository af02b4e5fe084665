"""The style sheet and the scripts, from memory; kept by browsers as long as they are the same."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from ingest.errors import NotFoundError
from search.pages.frame import Frame

KINDS = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8"}
FOR_EVER = "public, max-age=31536000, immutable"
AN_HOUR = "public, max-age=3600"


def static_files(frame: Frame) -> APIRouter:
    """Files below ``/static/HASH/``, whose address changes with them; also without the hash."""
    router = APIRouter()

    @router.get("/static/{name}")
    async def latest(name: str) -> Response:
        """A file as it is now."""
        return _file(frame, name, AN_HOUR)

    @router.get("/static/{version}/{name}")
    async def versioned(version: str, name: str) -> Response:
        """A file of this version; of another one only while it is asked for."""
        return _file(frame, name, FOR_EVER if version == frame.version else "no-store")

    @router.get("/favicon.ico", status_code=204)
    async def icon() -> Response:
        """Nothing: browsers ask for it by themselves, and no page may show an image."""
        return Response(status_code=204, headers={"cache-control": FOR_EVER})

    return router


def _file(frame: Frame, name: str, caching: str) -> Response:
    data = frame.files.get(name)
    if data is None:
        raise NotFoundError("there is no such file")
    kind = KINDS[name.rpartition(".")[2]]
    return Response(data, media_type=kind, headers={"cache-control": caching})

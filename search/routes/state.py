"""Routes for machines that look after us: health, readiness, metrics."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse

from search.services import Services


def state(services: Services) -> APIRouter:
    """Health, readiness, metrics."""
    router = APIRouter()

    @router.get("/healthz", response_class=PlainTextResponse)
    def healthz() -> str:
        """``ok`` while the process answers."""
        return "ok\n"

    @router.get("/readyz", response_class=PlainTextResponse)
    def readyz() -> PlainTextResponse:
        """``ok`` when every stage runs, else 503 and what is missing."""
        missing = services.ready()
        return PlainTextResponse(f"{missing or 'ok'}\n", status_code=503 if missing else 200)

    @router.get("/metrics", response_class=PlainTextResponse)
    def metrics() -> PlainTextResponse:
        """Counters and gauges for Prometheus."""
        return PlainTextResponse(services.metrics(), media_type="text/plain; version=0.0.4")

    return router

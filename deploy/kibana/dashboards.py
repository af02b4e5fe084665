"""The four dashboards; a panel is added in the module of its dashboard, and nowhere else.

Fields are those of the index mappings; ``wirewatch kibana export`` writes what Kibana reads.
"""

from __future__ import annotations

from deploy.kibana import alerts, coverage, feeds, topics
from deploy.kibana.saved_objects import ndjson
from deploy.kibana.views import VIEWS

DASHBOARDS = (coverage.DASHBOARD, topics.DASHBOARD, alerts.DASHBOARD, feeds.DASHBOARD)


def exported(*, prefix: str) -> str:
    """All dashboards as the NDJSON that Kibana imports; ``prefix`` as in ``[index] prefix``."""
    return ndjson(DASHBOARDS, VIEWS, prefix=prefix)

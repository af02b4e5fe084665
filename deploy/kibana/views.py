"""The indices that the dashboards read."""

from __future__ import annotations

from deploy.kibana.panels import DataView

ARTICLES = DataView(name="articles", time="seen")
"""The alias: while a second set of indices is being built, nothing is counted twice."""

ALERTS = DataView(name="alerts", time="created")
FEEDS = DataView(name="feeds", time="last_poll")
VIEWS = (ARTICLES, ALERTS, FEEDS)

NEWEST = ("seen", "source", "language", "topics", "title")
"""What a list of articles shows."""

"""How the feeds are."""

from __future__ import annotations

from deploy.kibana.panels import (
    Control,
    Dashboard,
    Listing,
    Panel,
    Row,
    count,
    highest,
    latest,
    number,
    top,
)
from deploy.kibana.views import FEEDS

UNWELL = 'state:("failing" OR "blocked" OR "gone" OR "not-a-feed")'
OVERDUE = "next_poll:[* TO now-10m]"
"""Ten minutes late: a poller is away, or has more feeds than it can poll."""
DASHBOARD = Dashboard(
    name="feeds",
    title="Wirewatch: feeds",
    description="How each feed is: errors, polls that are late, feeds that fell silent.",
    since="now-30d",
    controls=(Control(title="Host", view=FEEDS, field="host"),),
    rows=(
        Row(
            height=6,
            panels=(
                number(count("Feeds"), FEEDS),
                number(count("Failing"), FEEDS, where=UNWELL),
                number(count("Silent"), FEEDS, where="state:silent"),
                number(count("Late"), FEEDS, where=OVERDUE),
            ),
        ),
        Row(
            height=14,
            panels=(
                Panel(
                    title="Health",
                    view=FEEDS,
                    kind="donut",
                    by=(top("state", 7, "State"),),
                    shows=(count("Feeds"),),
                    width=12,
                ),
                Panel(
                    title="Errors",
                    view=FEEDS,
                    kind="table",
                    by=(top("sentence", 20, "What is wrong"),),
                    shows=(count("Feeds"), highest("failures", "Failed in a row")),
                    where=UNWELL,
                    width=18,
                ),
                Panel(
                    title="Polls late, by host",
                    view=FEEDS,
                    kind="table",
                    by=(top("host", 20, "Host"),),
                    shows=(count("Feeds"),),
                    where=OVERDUE,
                    width=18,
                ),
            ),
        ),
        Row(
            height=16,
            panels=(
                Panel(
                    title="Silent sources",
                    view=FEEDS,
                    kind="table",
                    by=(top("url", 50, "Feed"),),
                    shows=(
                        highest("quiet_seconds", "Quiet for (s)"),
                        highest("usual_gap_seconds", "Usual gap (s)"),
                        latest("title", "Title"),
                    ),
                    where="state:silent",
                    width=24,
                ),
                Panel(
                    title="Time since the last news, by host",
                    view=FEEDS,
                    kind="table",
                    by=(top("host", 50, "Host"),),
                    shows=(
                        highest("quiet_seconds", "Quiet for (s)"),
                        count("Feeds"),
                        highest("failures", "Failed in a row"),
                    ),
                    width=24,
                ),
            ),
        ),
        Row(
            height=16,
            panels=(
                Listing(
                    title="Need a look",
                    view=FEEDS,
                    fields=("last_poll", "state", "title", "url", "failures", "sentence"),
                    where="NOT state:ok",
                ),
            ),
        ),
    ),
)

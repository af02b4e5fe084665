"""What was sent, to whom, and how soon."""

from __future__ import annotations

from deploy.kibana.panels import (
    Dashboard,
    Listing,
    Panel,
    Row,
    count,
    highest,
    number,
    over_time,
    percentile,
    top,
    unique,
)
from deploy.kibana.views import ALERTS

LATENCY = "latency_seconds"
LATENCIES = (
    percentile(LATENCY, 50, "Half sent within (s)"),
    percentile(LATENCY, 95, "95 % sent within (s)"),
    percentile(LATENCY, 99, "99 % sent within (s)"),
)

DASHBOARD = Dashboard(
    name="alerts",
    title="Wirewatch: alerts",
    description="What was sent, what failed and why, and how long it took.",
    since="now-7d",
    rows=(
        Row(
            height=6,
            panels=(
                number(count("Alerts"), ALERTS),
                number(count("Sent"), ALERTS, where="state:sent"),
                number(count("Failed"), ALERTS, where="state:failed"),
                number(LATENCIES[1], ALERTS),
            ),
        ),
        Row(
            height=14,
            panels=(
                Panel(
                    title="Alerts by state",
                    view=ALERTS,
                    kind="bars",
                    by=(top("state", 5, "State"), over_time(ALERTS)),
                    shows=(count("Alerts"),),
                    width=24,
                ),
                Panel(
                    title="From claim to delivery",
                    view=ALERTS,
                    kind="lines",
                    by=(over_time(ALERTS),),
                    shows=LATENCIES,
                    width=24,
                ),
            ),
        ),
        Row(
            height=14,
            panels=(
                Panel(
                    title="By subscription",
                    view=ALERTS,
                    kind="table",
                    by=(top("subscription_name", 50, "Subscription"),),
                    shows=(count("Alerts"), unique("story_id", "Stories"), *LATENCIES),
                    width=24,
                ),
                Panel(
                    title="Subscriptions and states",
                    view=ALERTS,
                    kind="table",
                    by=(top("subscription_name", 50, "Subscription"), top("state", 5, "State")),
                    shows=(count("Alerts"), highest("attempts", "Most attempts")),
                    width=12,
                ),
                Panel(
                    title="Why they failed",
                    view=ALERTS,
                    kind="table",
                    by=(top("error", 10, "Error"),),
                    shows=(count("Alerts"),),
                    where="state:failed",
                    width=12,
                ),
            ),
        ),
        Row(
            height=16,
            panels=(
                Listing(
                    title="Not delivered",
                    view=ALERTS,
                    fields=("created", "subscription_name", "state", "attempts", "error", "title"),
                    where="state:failed OR state:waiting",
                ),
            ),
        ),
    ),
)

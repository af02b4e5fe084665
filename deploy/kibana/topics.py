"""One topic, chosen on the page."""

from __future__ import annotations

from deploy.kibana.panels import (
    Control,
    Dashboard,
    Listing,
    Panel,
    Row,
    count,
    number,
    over_time,
    top,
    unique,
    unusual,
)
from deploy.kibana.views import ARTICLES, NEWEST

DASHBOARD = Dashboard(
    name="topics",
    title="Wirewatch: one topic",
    description="Choose a topic: how much, from whom, with what else, in which words.",
    since="now-30d",
    controls=(
        Control(title="Topic", view=ARTICLES, field="topics", is_single=True),
        Control(title="Language", view=ARTICLES, field="language"),
        Control(title="Source", view=ARTICLES, field="source"),
    ),
    rows=(
        Row(
            height=12,
            panels=(
                Panel(
                    title="Articles over time",
                    view=ARTICLES,
                    kind="bars",
                    by=(over_time(ARTICLES),),
                    shows=(count("Articles"),),
                    width=36,
                ),
                number(count("Articles"), ARTICLES),
            ),
        ),
        Row(
            height=14,
            panels=(
                Panel(
                    title="Sources",
                    view=ARTICLES,
                    kind="table",
                    by=(top("source", 20, "Source"),),
                    shows=(count("Articles"), unique("story_id", "Stories")),
                    width=16,
                ),
                Panel(
                    title="Topics they have",
                    view=ARTICLES,
                    kind="donut",
                    by=(top("topics", 12, "Topic"),),
                    shows=(count("Articles"),),
                    width=16,
                ),
                Panel(
                    title="Words unusual for them",
                    view=ARTICLES,
                    kind="cloud",
                    by=(unusual("keywords", 40, "Word"),),
                    shows=(count("Articles"),),
                    width=16,
                ),
            ),
        ),
        Row(
            height=18, panels=(Listing(title="Newest on the topic", view=ARTICLES, fields=NEWEST),)
        ),
    ),
)

"""What was published."""

from __future__ import annotations

from deploy.kibana.panels import (
    Dashboard,
    Listing,
    Panel,
    Row,
    count,
    latest,
    number,
    over_time,
    top,
    unique,
)
from deploy.kibana.views import ARTICLES, NEWEST

DASHBOARD = Dashboard(
    name="coverage",
    title="Wirewatch: coverage",
    description="What was published: by topic, source and language; newest; largest stories.",
    since="now-7d",
    rows=(
        Row(
            height=6,
            panels=(
                number(count("Articles"), ARTICLES),
                number(unique("story_id", "Stories"), ARTICLES),
                number(count("Copies"), ARTICLES, where="copy_of:*"),
                number(unique("source", "Sources"), ARTICLES),
            ),
        ),
        Row(
            height=14,
            panels=(
                Panel(
                    title="Articles by topic",
                    view=ARTICLES,
                    kind="bars",
                    by=(top("topics", 10, "Topic"), over_time(ARTICLES)),
                    shows=(count("Articles"),),
                    width=24,
                ),
                Panel(
                    title="Articles by source",
                    view=ARTICLES,
                    kind="bars",
                    by=(top("source", 10, "Source"), over_time(ARTICLES)),
                    shows=(count("Articles"),),
                    width=24,
                ),
            ),
        ),
        Row(
            height=14,
            panels=(
                Panel(
                    title="Articles by language",
                    view=ARTICLES,
                    kind="lines",
                    by=(top("language", 8, "Language"), over_time(ARTICLES)),
                    shows=(count("Articles"),),
                    width=24,
                ),
                Panel(
                    title="Largest stories",
                    view=ARTICLES,
                    kind="table",
                    by=(top("story_id", 20, "Story"),),
                    shows=(
                        count("Articles"),
                        unique("source", "Sources"),
                        latest("title", "Newest title"),
                    ),
                    width=24,
                ),
            ),
        ),
        Row(height=18, panels=(Listing(title="Newest", view=ARTICLES, fields=NEWEST),)),
    ),
)

"""The loop that anybody would write: Faust reads articles, a bulk request puts them in one index.

``python -m tests.benchmarks.plain_loop KAFKA PREFIX URL INDEX``: no tags, no stories, no alerts,
nothing set aside, nothing tried again.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import faust
from elasticsearch import AsyncElasticsearch, helpers

TAKE = 200
GROUP = "plain"


def made(kafka: str, prefix: str, client: AsyncElasticsearch, index: str) -> faust.App:
    """The app."""
    app = faust.App(
        prefix + GROUP,
        broker=f"kafka://{kafka}",
        consumer_auto_offset_reset="earliest",
        broker_commit_interval=0.5,
        topic_disable_leader=True,
        web_enabled=False,
    )
    articles = app.topic(f"{prefix}articles", value_type=bytes, value_serializer="raw")

    async def carry(stream: Any) -> None:
        async for values in stream.take(TAKE, within=0.05):
            rows = [json.loads(value)["article"] for value in values]
            await helpers.async_bulk(
                client, [{"_index": index, "_id": row["id"], "_source": row} for row in rows]
            )

    app.agent(articles)(carry)
    return app


def main() -> None:
    """Run until killed."""
    kafka, prefix, url, index = sys.argv[1:]
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    client = AsyncElasticsearch(url)
    app = made(kafka, prefix, client, index)
    faust.Worker(app, loop=loop, loglevel="WARNING").execute_from_commandline()


if __name__ == "__main__":
    main()

"""What the writer of a query is told about topics that do not exist."""

from __future__ import annotations

import pytest

from ingest.errors import QueryError
from processors.query import parse
from processors.query_advice import check_topics, warnings

TOPICS = {"ceasefire-talks", "arms-transfers"}


@pytest.mark.parametrize(
    ("text", "caret", "hint"),
    [
        ("truce AND topic:ceasfire-talks@review", 10, "Did you mean topic:ceasefire-talks?"),
        ("topic:football", 0, "See: wirewatch topics list"),
    ],
)
def test_a_topic_that_does_not_exist_is_refused_with_the_nearest(
    text: str, caret: int, hint: str
) -> None:
    with pytest.raises(QueryError, match="There is no topic") as raised:
        check_topics(parse(text), TOPICS)
    assert (raised.value.caret, raised.value.hint) == (caret, hint)
    assert warnings(parse(text), topics=TOPICS) == [f"{raised.value.sentence} {hint}"]


def test_topics_that_exist_pass() -> None:
    query = parse("topic:ceasefire-talks@review OR (truce AND topic:arms-transfers)")
    check_topics(query, TOPICS)
    assert warnings(query, topics=TOPICS) == []

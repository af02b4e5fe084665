"""The topics of the log, on one machine and on many."""

from __future__ import annotations

from ingest.log import topic_specs

SHARED = {"feeds", "feed-state", "entries", "subscriptions", "alert-state", "requests"}


def test_on_one_machine_every_topic_has_one_partition() -> None:
    assert {spec.partitions for spec in topic_specs()} == {1}


def test_on_many_machines_only_what_may_be_spread_is() -> None:
    found = {spec.name: spec.partitions for spec in topic_specs(shards=32, parallel=4)}
    assert {name for name, count in found.items() if count == 32} == SHARED
    assert {name for name, count in found.items() if count == 4} == {"articles", "stories"}
    assert {name for name, count in found.items() if count == 1} == {
        *("tagged", "decisions", "story-links", "topics", "quarantine"),
        *("channels", "accounts", "marks", "audit", "erasures"),
    }


def test_partitions_change_nothing_else() -> None:
    one, many = topic_specs(), topic_specs(shards=32, parallel=4)
    assert [(s.name, s.compacted, s.retention_days) for s in many] == [
        (s.name, s.compacted, s.retention_days) for s in one
    ]

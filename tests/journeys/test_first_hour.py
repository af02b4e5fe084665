"""The first hour of somebody who uses the command, verb by verb, against a running process."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.hour import WAIT_SECONDS, Hour, first_hour, until
from tests.newsserver import item, rss
from tests.running import COMMAND, ROOT

pytestmark = pytest.mark.timeout(240)  # one set-up of half a minute serves all tests of this file


@pytest.fixture(scope="module")
def hour(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hour]:
    with first_hour(tmp_path_factory.mktemp("hour")) as found:
        yield found


def one_hit(hour: Hour, query: str) -> dict[str, Any]:
    hit, _ = hour.rows("search", query, "--size", "1")
    return hit


def test_the_totals_of_the_first_poll_add_up(hour: Hour) -> None:
    totals = hour.totals
    assert (totals["feeds"], totals["failed"], totals["quarantined"]) == (8, 0, 0)
    assert totals["articles"] >= 60
    assert totals["indexed"] == totals["articles"] + totals["revisions"]
    assert totals["tagged"] >= 10
    assert totals["alerts"] == totals["delivered"] >= 1
    assert totals["copies"] >= 1
    assert totals["seconds"] > 0


def test_search_pages_through_everything_once(hour: Hour) -> None:
    ids: list[str] = []
    after: list[str] = []
    while True:
        *hits, end = hour.rows("search", "truce OR ceasefire", "--size", "7", *after)
        ids += [hit["id"] for hit in hits]
        assert len(hits) <= 7
        if not end["after"]:
            break
        after = ["--after", end["after"]]
    assert end["total"] == {"value": len(ids), "relation": "eq"}
    assert len(ids) == len(set(ids)) > 7


def test_a_hit_says_what_was_found_and_where(hour: Hour) -> None:
    hit = one_hit(hour, 'topic:ceasefire-talks AND "30-day truce"')
    assert "text" not in hit
    assert "ceasefire-talks" in hit["topics"]
    assert hit["source"].endswith(".example")
    fragments = hit["highlights"]["title"] + hit["highlights"]["text"]
    marked = [one["text"][a:b].lower() for one in fragments for a, b in one["spans"]]
    assert any("truce" in words for words in marked)


def test_facets_and_histogram_count_the_hits(hour: Hour) -> None:
    *_, end = hour.rows(
        "search", "truce", "--facets", "topic,source,lang", "--interval", "1h", "--size", "1"
    )
    assert set(end["facets"]) == {"topic", "source", "lang"}
    assert sum(one["count"] for one in end["facets"]["source"]) == end["total"]["value"]
    assert sum(one["count"] for one in end["histogram"]) == end["total"]["value"]


def test_a_group_shows_one_hit_a_story(hour: Hour) -> None:
    *hits, end = hour.rows("search", "truce OR ceasefire", "--group", "--size", "200")
    stories = [hit["story_id"] for hit in hits]
    assert len(stories) == len(set(stories)) < end["total"]["value"]


def test_time_bounds_and_order_are_kept(hour: Hour) -> None:
    assert hour.rows("search", "truce", "--until", "24h")[-1]["total"]["value"] == 0
    *hits, _ = hour.rows("search", "truce", "--since", "24h", "--sort", "oldest")
    seen = [hit["seen"] for hit in hits]
    assert seen == sorted(seen)


def test_search_is_readable_for_a_person(hour: Hour) -> None:
    said = hour.says("search", "truce", "--facets", "topic", "--interval", "1d", "--size", "2")
    assert "found in" in said
    assert "topic: ceasefire-talks" in said
    assert "next page: --after" in said


def test_an_article_shows_its_way_through_the_stages(hour: Hour) -> None:
    (alert,) = hour.rows("alerts", "list", "--subscription", "truce")[:1]
    (found,) = hour.rows("article", alert["article_id"])
    stages = [step["stage"] for step in found["journey"]]
    assert stages == ["fetched", "tagged", "registered", "indexed", "alerted"]
    assert found["text"]
    assert "ceasefire-talks" in found["topics"]
    said = hour.says("article", alert["article_id"])
    assert found["title"] in said
    assert "ceasefire-talks" in said


def test_the_words_that_earned_a_topic_are_shown(hour: Hour) -> None:
    article = one_hit(hour, "topic:arms-transfers")["id"]
    tags = hour.rows("topics", "explain", article)
    evidence = next(tag for tag in tags if tag["topic"] == "arms-transfers")["evidence"]
    (shown,) = hour.rows("article", article)
    whole = shown["title"] + shown["text"]
    assert all(part.strip() in whole for one in evidence for part in one["text"].split(" … "))
    assert "arms-transfers" in hour.says("topics", "explain", article)


def test_topics_are_listed_shown_and_pass_their_own_examples(hour: Hour, tmp_path: Path) -> None:
    assert {row["id"] for row in hour.rows("topics", "list")} >= {
        "ceasefire-talks",
        "arms-transfers",
    }
    (shown,) = hour.rows("topics", "show", "ceasefire-talks")
    file = tmp_path / "ceasefire-talks.yaml"
    file.write_text(shown["text"])
    assert [row["ok"] for row in hour.rows("topics", "check", str(file))] == [True]
    (row,) = hour.rows("topics", "test", "ceasefire-talks")
    assert row["failures"] == []
    assert row["examples"] > 0


def test_a_labelled_file_is_scored_by_band(hour: Hour, tmp_path: Path) -> None:
    lines = [
        {
            "text": "Mediators say truce talks between the army and the rebels resumed.",
            "labels": ["ceasefire-talks"],
        },
        {"text": "The choir sang in the old town hall on Sunday.", "labels": []},
    ]
    (tmp_path / "gold.jsonl").write_text("".join(json.dumps(one) + "\n" for one in lines))
    found = hour.rows(
        "topics", "test", "ceasefire-talks", "--labelled", str(tmp_path / "gold.jsonl")
    )
    scores = [row for row in found if "precision" in row]
    assert {row["band"] for row in scores} == {"tag", "review"}
    assert all(0 <= row["f1"] <= 1 for row in scores)


def test_a_query_is_explained_with_its_cost(hour: Hour) -> None:
    (found,) = hour.rows("query", "check", "topic:ceasefire-talks AND (truce NEAR/5 talk*)")
    assert found["cost"] in {"cheap", "medium", "costly", "expensive"}
    assert found["hits_a_day"] > 0
    assert found["explanation"]
    assert "hits a day" in hour.says("query", "check", "truce")


def test_a_subscription_lives_from_add_to_remove(hour: Hour, tmp_path: Path) -> None:
    out = tmp_path / "alerts.jsonl"
    (made,) = hour.rows("subscriptions", "add", "ferries/night", "ferr*", "--to", f"file:{out}")
    assert made["endpoints"] == [{"to": f"file:{out}", "secret": ""}]
    (edited,) = hour.rows(
        "subscriptions", "edit", "ferries/night", "--query", "ferry", "--every-article"
    )
    assert (edited["query"], edited["every_article"], edited["version"]) == ("ferry", True, 2)
    assert hour.rows("subscriptions", "pause", "ferries/night")[0]["paused"] is True
    assert hour.rows("subscriptions", "edit", "ferries/night", "--resume")[0]["paused"] is False
    assert "ferry" in hour.says("subscriptions", "show", "ferries/night")
    assert hour.rows("subscriptions", "test", made["id"]) == [
        {"to": f"file:{out}", "status": 0, "error": ""}
    ]
    (line,) = out.read_text().splitlines()
    assert json.loads(line)["data"]["subscription"]["name"] == "ferries/night"
    article = one_hit(hour, "topic:ceasefire-talks")["id"]
    (why,) = hour.rows("subscriptions", "explain", "ferries/night", article)
    assert why["sentence"].startswith("No alert")
    assert "ferries/night" in hour.says("subscriptions", "list")
    hour.says("subscriptions", "remove", "ferries/night")
    assert "ferries/night" not in hour.says("subscriptions", "list")


def test_alerts_are_delivered_once_a_story_and_listed(hour: Hour) -> None:
    lines = (hour.place.folder / "truce.jsonl").read_text().splitlines()
    listed = hour.rows("alerts", "list", "--subscription", "truce", "--since", "24h")
    assert {row["state"] for row in listed} == {"sent"}
    assert {json.loads(line)["data"]["alert_id"] for line in lines} == {
        r["alert_id"] for r in listed
    }
    assert len({row["story_id"] for row in listed}) == len(listed)
    assert hour.rows("alerts", "list", "--failed") == []
    assert "No alerts." in hour.says("alerts", "list", "--failed")


def test_alerts_are_seen_as_they_happen(hour: Hour) -> None:
    hour.says("subscriptions", "add", "herons", "title:heron", "--to", "stdout:")
    command = [sys.executable, *COMMAND, *hour.place.arguments("alerts", "watch", "--json")]
    with subprocess.Popen(
        command, cwd=ROOT, env=hour.place.environment(), stdout=subprocess.PIPE, text=True
    ) as watching:
        time.sleep(2)  # for the watcher to begin: what came before it looked is not its news
        story = item(
            "heron-1",
            "A heron settles on the town hall",
            link="https://birds.example/1",
            published=datetime.now(UTC),
        )
        url = hour.publish("herons.xml", rss(story))
        hour.says("feeds", "add", url)
        stream = watching.stdout
        assert stream is not None
        end = threading.Timer(WAIT_SECONDS, watching.terminate)
        end.start()
        line = stream.readline()
        end.cancel()
        watching.terminate()
    found = json.loads(line)
    assert found["subscription_name"] == "herons"
    assert found["title"] == "A heron settles on the town hall"
    hour.says("feeds", "remove", url)
    hour.says("subscriptions", "remove", "herons")


def test_a_feed_is_added_checked_watched_exported_and_removed(hour: Hour) -> None:
    text = rss(item("f1", "The library opens at night", link="https://library.example/1"))
    url = hour.publish("library.xml", text)
    (checked,) = hour.rows("feeds", "check", url)
    assert (checked["state"], checked["entries"], checked["format"]) == ("ok", 1, "rss")
    (by_file,) = hour.rows("feeds", "check", str(hour.site / "library.xml"))
    assert by_file["title"] == checked["title"] == "Harbour news"
    (added,) = hour.rows("feeds", "add", url, "--group", "Town", "--title", "Library")
    until(lambda: hour.rows("search", "library night")[-1]["total"]["value"])
    (health,) = hour.rows("feeds", "health", added["feed_id"])
    assert (health["state"], health["url"], health["title"]) == ("ok", url, "Library")
    assert "Library" in hour.says("feeds", "list")
    exported = hour.says("feeds", "export")
    assert 'text="Town"' in exported
    assert url in exported
    (hour.site / "export.opml").write_text(exported)
    (again,) = hour.rows("feeds", "add", str(hour.site / "export.opml"))
    assert (again["added"], again["refused"]) == (0, [])
    assert again["skipped"] >= 9
    hour.says("feeds", "remove", added["feed_id"])
    assert url not in hour.says("feeds", "list")
    assert one_hit(hour, "library night")["title"] == "The library opens at night"


def test_the_feeds_of_a_web_page_are_offered(hour: Hour) -> None:
    page = (
        "<!doctype html><html><head><title>Harbour</title>"
        '<link rel="alternate" type="application/rss+xml" title="News" href="/library.xml">'
        "</head><body>Welcome</body></html>"
    )
    url = hour.publish("index.html", page)
    done = hour.place.call("feeds", "check", url, check=False)
    assert done.returncode == 1
    assert "web page" in done.stdout
    assert f"wirewatch feeds add {hour.url('library.xml')}" in done.stdout
    shown = json.loads(hour.place.call("feeds", "check", url, "--json", check=False).stdout)
    assert shown["state"] == "not-a-feed"
    assert shown["found"] == [{"url": hour.url("library.xml"), "title": "News"}]


def test_what_cannot_be_read_is_listed_shown_retried_and_dropped(hour: Hour) -> None:
    bad = b'<!DOCTYPE r [<!ENTITY a "b">]><rss><channel><title>&a;</title></channel></rss>'
    url = hour.publish("bad.xml", bad)
    (feed,) = hour.rows("feeds", "add", url)
    (row,) = until(
        lambda: [r for r in hour.rows("quarantine", "list") if r["key"] == feed["feed_id"]]
    )
    assert row["stage"] == "poll"
    assert row["why"] in hour.says("quarantine", "list")
    assert hour.says("quarantine", "show", row["id"], "--raw").encode() == bad
    (shown,) = hour.rows("quarantine", "show", row["id"])
    assert shown["code"] == row["code"]
    assert row["why"] in hour.says("quarantine", "show", row["id"])
    assert "polled again" in hour.says("quarantine", "retry", row["id"])
    assert "Dropped" in hour.says("quarantine", "drop", row["id"])
    assert row["id"] not in hour.says("quarantine", "list")
    assert hour.rows("feeds", "health", url)[0]["state"] != "ok"
    hour.says("feeds", "remove", url)


def test_reindex_and_replay_change_no_answer_and_alert_nobody(hour: Hour) -> None:
    before = hour.rows("search", "truce OR ceasefire", "--size", "200", "--sort", "oldest")
    alerts = hour.rows("alerts", "list", "--subscription", "truce")
    *_, last = hour.rows("reindex")
    assert last["done"] == last["total"] >= hour.totals["articles"]
    for stage in ("tag", "group", "index"):
        *_, last = hour.rows("replay", "--from", "24h", "--stage", stage)
        assert last["done"] == last["total"] > 0
    until(lambda: "0 records behind" in hour.says("doctor"))
    after = hour.rows("search", "truce OR ceasefire", "--size", "200", "--sort", "oldest")
    assert [hit["id"] for hit in after[:-1]] == [hit["id"] for hit in before[:-1]]
    assert hour.rows("alerts", "list", "--subscription", "truce") == alerts


def test_the_doctor_finds_nothing_that_fails(hour: Hour) -> None:
    checks = {row["name"]: row for row in hour.rows("doctor")}
    assert not [row for row in checks.values() if row["state"] == "fail"]
    assert checks["clock"]["state"] == "ok"
    assert all(row["remedy"] for row in checks.values() if row["state"] == "warn")
    assert "tantivy" in hour.says("doctor")

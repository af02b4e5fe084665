"""Wirewatch and feedparser on the same documents, as a table in Markdown.

Run by hand: ``python -m tests.quality.feedparser_table FOLDER``, where FOLDER holds a
``MANIFEST.tsv`` with the columns ``file`` and ``kind``. Each document is read in a child process
that is killed after 20 seconds, by either reader in turn, with feedparser's sanitiser and link
resolver off. feedparser gets the same bytes and, twice, another address to resolve against.
"""

from __future__ import annotations

import calendar
import csv
import io
import multiprocessing
import sys
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

import feedparser

from ingest.dates import parse_date
from ingest.errors import WirewatchError
from ingest.parse import parse_feed

PATIENCE_SECONDS: Final = 20
HOSTS: Final = ("https://a.example/feed", "https://b.example/feed")
ROWS: Final = (
    ("documents", "files"),
    ("uncaught exceptions", "crashes"),
    ("stopped after 20 s", "stopped"),
    ("documents with entries", "read"),
    ("refused, with a reason", "refused"),
    ("documents without entries and without a reason", "silent"),
    ("entries", "entries"),
    ("ids that change with the address of the feed", "moving"),
    ("links that are no address", "odd_links"),
    ("entries with a date string", "dated"),
    ("… of these unread", "undated"),
    ("… read as another moment than the other reader", "other_dates"),
    ("titles with replacement or control characters", "mojibake"),
    ("seconds in all", "seconds"),
)


@dataclass(slots=True)
class Tally:
    counts: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0


def by_feedparser(body: bytes) -> list[dict[str, Any]]:
    found: list[list[Any]] = []
    for host in HOSTS:
        parsed = feedparser.parse(
            io.BytesIO(body),
            response_headers={"content-location": host},
            sanitize_html=False,
            resolve_relative_uris=False,
        )
        found.append(parsed.get("entries", []))
    return [
        {
            "id": first.get("id", ""),
            "moves": first.get("id", "") != second.get("id", ""),
            "link": first.get("link", ""),
            "title": first.get("title", ""),
            "raw": dict.get(first, "published") or dict.get(first, "updated") or "",
            "moment": _seconds(
                dict.get(first, "published_parsed")
                if dict.get(first, "published")
                else dict.get(first, "updated_parsed")
            ),
        }
        for first, second in zip(*found, strict=True)
    ]


def by_wirewatch(body: bytes) -> list[dict[str, Any]]:
    first, second = (parse_feed(body, url=host, max_entries=100_000) for host in HOSTS)
    return [
        {
            "id": entry.guid,
            "moves": entry.guid != other.guid,
            "link": entry.link,
            "title": entry.title,
            "raw": entry.published or entry.updated,
            "moment": _moment(entry.published or entry.updated, first.language),
        }
        for entry, other in zip(first.entries, second.entries, strict=True)
    ]


def _moment(raw: str, language: str) -> float | None:
    found = parse_date(raw, language=language)
    return None if found is None else found.replace(microsecond=0).timestamp()


def _seconds(parsed: Any) -> float | None:
    return None if parsed is None else float(calendar.timegm(parsed))


READERS: Final = {"feedparser": by_feedparser, "Wirewatch": by_wirewatch}


def serve(files: list[Path], pipe: Connection) -> None:
    """Read every file with every reader; sends ``(file, reader, seconds, outcome)``."""
    warnings.simplefilter("ignore")
    for file in files:
        body = file.read_bytes()
        for name, reader in READERS.items():
            began = time.perf_counter()
            try:
                outcome: object = reader(body)
            except WirewatchError as error:
                outcome = f"refused: {error.code}"
            except Exception as error:  # noqa: BLE001 - counting them is the point
                outcome = f"crash: {error!r}"
            pipe.send((file, name, time.perf_counter() - began, outcome))
    pipe.send(None)


def outcomes(files: list[Path]) -> Iterator[tuple[Path, str, float, Any]]:
    """What every reader made of every file; a reader that hangs is killed."""
    while files:
        receiver, sender = multiprocessing.Pipe(duplex=False)
        child = multiprocessing.Process(target=serve, args=(files, sender), daemon=True)
        child.start()
        last = files[0], ""
        finished = False
        while receiver.poll(PATIENCE_SECONDS):
            answer = receiver.recv()
            if answer is None:
                finished = True
                break
            last = answer[:2]
            yield answer
        child.kill()
        child.join()
        if finished:
            return
        hung = last[0] if last[1] == "feedparser" else files[files.index(last[0]) + 1]
        yield hung, "Wirewatch" if last[1] == "feedparser" else "feedparser", 0.0, "stopped"
        files = files[files.index(hung) + 1 :]


def count(tally: Tally, entries: list[dict[str, Any]], other: list[dict[str, Any]] | None) -> None:
    for at, entry in enumerate(entries):
        tally.counts["entries"] += 1
        tally.counts["moving"] += bool(entry["moves"])
        tally.counts["odd_links"] += bool(entry["link"]) and "/" not in entry["link"]
        tally.counts["mojibake"] += any(
            letter == "\ufffd" or "\x7f" <= letter <= "\x9f" for letter in entry["title"]
        )
        if not entry["raw"]:
            continue
        tally.counts["dated"] += 1
        tally.counts["undated"] += entry["moment"] is None
        if other is not None and len(other) == len(entries):
            theirs = other[at]["moment"]
            tally.counts["other_dates"] += None not in (entry["moment"], theirs) and (
                entry["moment"] != theirs
            )


def main(folder: Path) -> None:
    with (folder / "MANIFEST.tsv").open(encoding="utf-8", newline="") as lines:
        kinds = {
            folder / row["file"]: row["kind"]
            for row in csv.DictReader(lines, delimiter="\t")
            if row["kind"] not in {"expected", "opml", "sources"}
        }
    found: dict[Path, dict[str, Any]] = {}
    groups = {
        "real feeds": ("real-news", "real-other"),
        "all documents": tuple(set(kinds.values())),
    }
    tallies = {(group, name): Tally() for group in groups for name in READERS}
    for file, name, seconds, outcome in outcomes(list(kinds)):
        found.setdefault(file, {})[name] = outcome
        for group, members in groups.items():
            if kinds[file] in members:
                tallies[group, name].seconds += seconds
    for file, answers in found.items():
        for group, members in groups.items():
            if kinds[file] in members:
                add(tallies, group, answers)
    show(tallies, groups)


def add(tallies: dict[tuple[str, str], Tally], group: str, answers: dict[str, Any]) -> None:
    for name, other_name in zip(READERS, reversed(READERS), strict=True):
        tally, outcome = tallies[group, name], answers.get(name, "stopped")
        tally.counts["files"] += 1
        if isinstance(outcome, str):
            word = outcome.split(":")[0]
            tally.counts[{"crash": "crashes"}.get(word, word)] += 1
            continue
        tally.counts["read" if outcome else "silent"] += 1
        other = answers.get(other_name)
        count(tally, outcome, other if isinstance(other, list) else None)


def show(tallies: dict[tuple[str, str], Tally], groups: dict[str, tuple[str, ...]]) -> None:
    columns = [(group, name) for group in groups for name in READERS]
    print("| | " + " | ".join(f"{name}, {group}" for group, name in columns) + " |")
    print("|---" * (len(columns) + 1) + "|")
    for label, key in ROWS:
        cells = [
            f"{tallies[column].seconds:.1f}"
            if key == "seconds"
            else f"{tallies[column].counts[key]:,}"
            for column in columns
        ]
        print(f"| {label} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""Every real feed of the evaluation data is read at least as far as feedparser alone reads it."""

from __future__ import annotations

import csv
import io
import warnings
from pathlib import Path

import feedparser
import pytest

from ingest.errors import UnreadableError
from ingest.parse import parse_feed


def _files(shared_data: Path, *, real: bool) -> list[Path]:
    folder = shared_data / "feeds"
    if not (folder / "MANIFEST.tsv").is_file():
        pytest.skip("the evaluation data holds no feeds")
    with (folder / "MANIFEST.tsv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t"))
    kinds = {"real-news", "real-other"}
    return [folder / row["file"] for row in rows if (row["kind"] in kinds) is real]


def test_real_feeds_lose_no_entry_against_feedparser(shared_data: Path) -> None:
    behind: list[str] = []
    for file in _files(shared_data, real=True):
        body = file.read_bytes()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = len(
                feedparser.parse(
                    io.BytesIO(body), sanitize_html=False, resolve_relative_uris=False
                ).entries
            )
        try:
            found = len(parse_feed(body).entries)
        except UnreadableError:
            found = 0
        if found < expected:
            behind.append(f"{file.name}: {found} of {expected}")
    assert behind == []


def test_no_document_raises_anything_but_a_refusal(shared_data: Path) -> None:
    for file in _files(shared_data, real=False):
        try:
            parse_feed(file.read_bytes())
        except UnreadableError as error:
            assert error.sentence, file.name  # noqa: PT017 - most documents are feeds

"""The writer over an engine that fails."""

from __future__ import annotations

from pathlib import Path

import pytest
import tantivy

from ingest.errors import UnavailableError
from search.index import Checkpoint
from search.stored_fields import order_of
from search.tantivy_schema import open_index
from search.tantivy_writer import Made, Writer, read_checkpoint

HEAP = 15_000_000
CHECKPOINT = Checkpoint(log="log", stories={0: 9})


def strict_index(folder: Path) -> tantivy.Index:
    """An index whose engine accepts a document with a wrong ``number`` and fails to commit it."""
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("id", stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_integer_field("order", fast=True)
    builder.add_bytes_field("record", stored=True)
    builder.add_integer_field("number", indexed=True)
    index = tantivy.Index(builder.build(), path=str(folder))
    index.config_reader("manual")
    return index


def made(count: int, *, bad: tuple[int, ...] = ()) -> list[Made]:
    return [
        Made(str(n), 1, tantivy.Document(id=str(n), order=1, number="x" if n in bad else 1))
        for n in range(count)
    ]


@pytest.mark.parametrize("bad", [(2,), (0, 5, 6)])
def test_documents_that_break_a_commit_are_refused_and_the_others_stored(
    tmp_path: Path, bad: tuple[int, ...]
) -> None:
    index = strict_index(tmp_path)
    writer = Writer(index, heap_bytes=HEAP)
    rejected = writer.store(made(7, bad=bad), CHECKPOINT)
    assert set(rejected) == {str(n) for n in bad}
    stored = [n for n in range(7) if order_of(index.searcher(), str(n)) == 1]
    assert stored == [n for n in range(7) if n not in bad]
    assert writer.store(made(9), None) == {}
    assert order_of(index.searcher(), "8") == 1
    writer.close()


def test_nothing_to_write_writes_nothing(tmp_path: Path) -> None:
    writer = Writer(open_index(str(tmp_path)), heap_bytes=HEAP)
    assert writer.store((), None) == {}
    writer.close()


def test_what_is_no_document_s_fault_is_to_be_tried_again(tmp_path: Path) -> None:
    first, second = (Writer(open_index(str(tmp_path)), heap_bytes=HEAP) for _ in range(2))
    assert first.store((), CHECKPOINT) == {}
    with pytest.raises(UnavailableError) as caught:
        second.store((), CHECKPOINT)
    assert caught.value.retry
    first.close()
    assert second.store((), CHECKPOINT) == {}
    second.close()
    index = open_index(str(tmp_path))
    index.reload()
    assert read_checkpoint(index.searcher()) == CHECKPOINT

"""Topic files: the shipped ones, and a user's folder over them."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.topic_files import definitions, load_topics, read
from ingest.errors import FileError
from processors.topics import TopicEngine, run_examples


def test_the_two_topics_ship_and_their_own_examples_hold() -> None:
    topics = load_topics()

    assert {"ceasefire-talks", "arms-transfers"} <= {topic.id for topic in topics}
    engine = TopicEngine(topics)
    for topic in topics:
        assert run_examples(topic, engine) == ()


def test_a_folder_adds_and_overrides_by_id_and_language(tmp_path: Path) -> None:
    shipped = next(one for one in definitions() if one.topic.id == "ceasefire-talks")
    (tmp_path / "mine.yaml").write_text(shipped.text.replace("version: 1", "version: 9"))
    (tmp_path / "new.yaml").write_text(shipped.text.replace("id: ceasefire-talks", "id: truces"))

    found = {topic.id: topic.version for topic in load_topics(tmp_path)}

    assert found["ceasefire-talks"] == 9
    assert "truces" in found
    assert "arms-transfers" in found


def test_two_files_of_a_folder_that_define_the_same_topic_are_refused(tmp_path: Path) -> None:
    shipped = next(one for one in definitions() if one.topic.id == "ceasefire-talks")
    for name in ("one.yaml", "two.yaml"):
        (tmp_path / name).write_text(shipped.text)

    with pytest.raises(FileError, match=r"two\.yaml: topic ceasefire-talks .* also in .*one\.yaml"):
        load_topics(tmp_path)


def test_a_folder_or_file_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="no folder"):
        load_topics(tmp_path / "none")
    with pytest.raises(FileError, match="cannot read"):
        read(tmp_path / "none.yaml")


def test_a_bad_file_is_named_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text("schema: 1\nid: x\nlabel: X\nbogus: 3\n")

    with pytest.raises(FileError) as raised:
        load_topics(tmp_path)

    assert str(file) in raised.value.place
    assert "4" in raised.value.place + raised.value.sentence

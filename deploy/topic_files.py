"""The topic files in force: the shipped ones, added to and overridden by a user's folder."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from ingest.errors import FileError
from processors.topic import Topic
from processors.topic_file import load_topic, merge


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A topic and the text it was read from."""

    topic: Topic
    text: str


def definitions(folder: Path | None = None) -> tuple[Definition, ...]:
    """Shipped topics, with those of ``folder`` over them by (id, language).

    Raises:
        FileError: a file that cannot be read or is not a topic, with line and fix; two of a
            folder that say the same id and language.
    """
    shipped = files("deploy") / "topics"
    ours = [
        definition(one.read_text("utf-8"), place=one.name)
        for one in sorted(shipped.iterdir(), key=lambda one: one.name)
        if one.name.endswith(".yaml")
    ]
    theirs = [read(file) for file in folder_files(folder)] if folder else []
    found = {(one.topic.id, one.topic.lang): one for one in [*ours, *theirs]}
    merged = merge((one.topic for one in ours), (one.topic for one in theirs))
    return tuple(found[topic.id, topic.lang] for topic in merged)


def load_topics(folder: Path | None = None) -> tuple[Topic, ...]:
    """The topics of ``definitions``."""
    return tuple(one.topic for one in definitions(folder))


def folder_files(folder: Path) -> list[Path]:
    """The topic files of a folder."""
    if not folder.is_dir():
        raise FileError(f"there is no folder {folder}", hint="Check [topics] folder or --topics.")
    return sorted(folder.glob("*.y*ml"))


def read(file: Path) -> Definition:
    """The topic of one file."""
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(f"cannot read {file}: {error}", place=str(file)) from error
    return definition(text, place=str(file))


def definition(text: str, *, place: str) -> Definition:
    """``text`` with the topic it defines."""
    return Definition(topic=load_topic(text, place=place), text=text)

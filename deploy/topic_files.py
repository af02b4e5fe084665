"""The topic files in force: the shipped ones, added to and overridden by a user's folder."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from ingest.errors import FileError
from processors.topic_file import Topic, load_topic, merge


def load_topics(folder: Path | None = None) -> tuple[Topic, ...]:
    """Shipped topics, with those of ``folder`` over them by (id, language).

    Raises:
        FileError: a file that cannot be read or is not a topic, with line and fix.
    """
    shipped = files("deploy") / "topics"
    ours = [
        load_topic(one.read_text("utf-8"), place=one.name)
        for one in sorted(shipped.iterdir(), key=lambda one: one.name)
        if one.name.endswith(".yaml")
    ]
    return merge(ours, load_folder(folder)) if folder else tuple(ours)


def load_folder(folder: Path) -> list[Topic]:
    """The topics of a user's folder."""
    if not folder.is_dir():
        raise FileError(f"there is no folder {folder}", hint="Check [topics] folder or --topics.")
    return [load_file(one) for one in sorted(folder.glob("*.y*ml"))]


def load_file(file: Path) -> Topic:
    """The topic of one file."""
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(f"cannot read {file}: {error}") from error
    return load_topic(text, place=str(file))

"""The doctor where the distributed shell cannot be opened: each server by itself."""

from __future__ import annotations

from collections.abc import Iterator

from deploy.assembly import Parts
from deploy.doctor import ANYWHERE, checked
from deploy.doctor_check import Check
from processors.topic_source import TopicSource


def examine_apart(parts: Parts) -> Iterator[Check]:
    """What can be told of the settings and of each server; never a traceback."""
    for name in ("python", "encryption", "network"):
        yield checked(name, ANYWHERE[name], parts)
    log = checked("log", ANYWHERE["log"], parts)
    yield log
    yield checked("index", _index, parts)
    if log.state == "ok":
        yield checked("topics", _topics, parts)
        for name in ("feeds", "quarantine"):
            yield checked(name, ANYWHERE[name], parts)


def _index(parts: Parts) -> Check:
    shown = ", ".join(f"{name} {value}" for name, value in parts.index.health().items())
    backend = parts.settings.index.backend
    return Check(name="index", state="ok", version=backend, sentence=f"{shown}.")


def _topics(parts: Parts) -> Check:
    source = TopicSource(parts.log)
    source.current()
    return Check(name="topics", state="ok", version="", sentence=f"{len(source.files)} in force.")

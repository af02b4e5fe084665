"""What a panel should show, counted from its description and the documents in plain Python."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from deploy.kibana.panels import Metric, Panel, Split
from tests.deploy.kibana_fixture import NOW, Document

SECONDS = 3 * 3600
"""Of the interval that the requests are made with."""

FEWEST = 3
"""Documents that a significant term must be in."""

Rows = dict[tuple[str, ...], tuple[Any, ...]]


def _is_late(one: Document) -> bool:
    return datetime.fromisoformat(one["next_poll"]) < NOW


def _is_unwell(one: Document) -> bool:
    return one["state"] in ("failing", "blocked", "gone", "not-a-feed")


def _has_state(*states: str) -> Callable[[Document], bool]:
    return lambda one: one["state"] in states


CONDITIONS: Mapping[str, Callable[[Document], bool]] = {
    "": lambda _: True,
    "copy_of:*": lambda one: "copy_of" in one,
    "state:sent": _has_state("sent"),
    "state:failed": _has_state("failed"),
    "state:silent": _has_state("silent"),
    "state:failed OR state:waiting": _has_state("failed", "waiting"),
    "NOT state:ok": lambda one: one["state"] != "ok",
    'state:("failing" OR "blocked" OR "gone" OR "not-a-feed")': _is_unwell,
    "next_poll:[* TO now-10m]": _is_late,
}
"""The conditions of panels, said once more."""


def chosen(documents: Sequence[Document], choice: Mapping[str, str]) -> list[Document]:
    """The documents that have what was chosen in controls."""
    return [
        one
        for one in documents
        if all(value in _values(one, field) for field, value in choice.items())
    ]


def counted(panel: Panel, shown: Sequence[Document], *, all_of: Sequence[Document]) -> Rows:
    """The rows of a panel over ``shown``, what it is chosen from being ``all_of``."""
    documents = [one for one in shown if CONDITIONS[panel.where](one)]
    return dict(_rows(panel, documents, panel.by, all_of))


def _rows(
    panel: Panel, documents: Sequence[Document], by: Sequence[Split], all_of: Sequence[Document]
) -> Iterator[tuple[tuple[str, ...], tuple[Any, ...]]]:
    if not by:
        yield (), tuple(_number(one, documents, panel) for one in panel.shows)
        return
    groups: defaultdict[str, list[Document]] = defaultdict(list)
    for one in documents:
        for key in _keys(one, by[0]):
            groups[key].append(one)
    for key in _kept(panel, by[0], groups, (documents, all_of)):
        for path, numbers in _rows(panel, groups[key], by[1:], all_of):
            yield (key, *path), numbers


def _kept(
    panel: Panel,
    split: Split,
    groups: Mapping[str, list[Document]],
    both: tuple[Sequence[Document], Sequence[Document]],
) -> list[str]:
    if not split.size:
        return list(groups)
    if split.rank == "significance":
        near, far = both
        everywhere = {key: sum(key in _values(one, split.field) for one in far) for key in groups}
        return [
            key
            for key, found in groups.items()
            if len(found) >= FEWEST and len(found) / len(near) > everywhere[key] / len(far)
        ]
    first = panel.shows[0]
    ranked = sorted(groups, key=lambda key: (-_number(first, groups[key], panel), key))
    return ranked[: split.size]


def _keys(one: Document, split: Split) -> list[str]:
    if split.size:
        return _values(one, split.field)
    moment = datetime.fromisoformat(one[split.field]).timestamp()
    return [datetime.fromtimestamp(moment - moment % SECONDS, UTC).isoformat()]


def _values(one: Document, field: str) -> list[str]:
    value = one.get(field, [])
    return value if isinstance(value, list) else [value]


def _number(metric: Metric, documents: Sequence[Document], panel: Panel) -> Any:
    having = [one for one in documents if metric.field in one]
    match metric.operation:
        case "count":
            return len(documents)
        case "unique_count":
            return len({one[metric.field] for one in having})
        case "max":
            return max((one[metric.field] for one in having), default=None)
        case "last_value":
            return max(documents, key=lambda one: one[panel.view.time])[metric.field]
        case "percentile":
            return Between(sorted(one[metric.field] for one in having), metric.percent)


class Between:
    """Equal to any usual reading of a percentile: from the value below its place to that above."""

    def __init__(self, values: Sequence[float], percent: int) -> None:
        place = percent / 100 * (len(values) - 1)
        self._low = values[max(0, math.floor(place) - 1)] if values else None
        self._high = values[min(len(values) - 1, math.ceil(place) + 1)] if values else None

    def __eq__(self, other: object) -> bool:
        if self._low is None or self._high is None or not isinstance(other, float):
            return other is None and self._low is None
        return self._low - 1e-6 <= other <= self._high + 1e-6

    def __hash__(self) -> int:
        return 0

    def __repr__(self) -> str:
        return f"{self._low}…{self._high}"

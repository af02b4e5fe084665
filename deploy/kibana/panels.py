"""What a dashboard is made of, as values: what a panel counts, by what, and how it is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

COLUMNS = 48
"""The width of Kibana's grid."""

Kind = Literal["number", "bars", "lines", "donut", "cloud", "table"]
Operation = Literal["count", "unique_count", "max", "percentile", "last_value"]
Rank = Literal["most", "significance"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DataView:
    """An index as Kibana reads it; its whole name is below the prefix of all our indices."""

    name: str
    time: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """What documents are put into buckets by: a field's top values, or time.

    Attributes:
        size: How many values; 0 splits by time.
        rank: ``significance`` takes values that are unusually frequent among what is shown.
    """

    field: str
    size: int = 0
    label: str = ""
    rank: Rank = "most"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One number of a bucket.

    Attributes:
        field: Empty where documents are counted.
        percent: Of a percentile.
    """

    operation: Operation
    label: str
    field: str = ""
    percent: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A chart, a number or a table.

    Attributes:
        by: Buckets, the outermost first; top values before time are the same over all times.
        shows: Numbers of the innermost buckets; the first one ranks the top values.
        where: Only these documents, in Lucene's syntax.
        width: Of ``COLUMNS``.
    """

    title: str
    view: DataView
    kind: Kind
    shows: tuple[Metric, ...]
    by: tuple[Split, ...] = ()
    where: str = ""
    width: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The documents themselves, the newest first."""

    title: str
    view: DataView
    fields: tuple[str, ...]
    where: str = ""
    width: int = COLUMNS


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """A choice of a field's values that filters the whole dashboard."""

    title: str
    view: DataView
    field: str
    is_single: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Panels beside each other; a height of 1 is about 20 pixels."""

    height: int
    panels: tuple[Panel | Listing, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    """A page of rows, from top to bottom.

    Attributes:
        name: Part of its id; an install replaces what has the same id.
        since: The span shown at first, in Kibana's words: ``now-7d``.
    """

    name: str
    title: str
    description: str
    since: str
    rows: tuple[Row, ...]
    controls: tuple[Control, ...] = ()


def top(field: str, size: int, label: str = "") -> Split:
    """The values of ``field`` with the most documents, or the highest first number."""
    return Split(field=field, size=size, label=label)


def unusual(field: str, size: int, label: str = "") -> Split:
    """The values of ``field`` that are far more frequent in what is shown than in all."""
    return Split(field=field, size=size, label=label, rank="significance")


def over_time(view: DataView) -> Split:
    """Time, in as many steps as fit the span shown."""
    return Split(field=view.time)


def count(label: str) -> Metric:
    """How many documents."""
    return Metric(operation="count", label=label)


def unique(field: str, label: str) -> Metric:
    """How many different values."""
    return Metric(operation="unique_count", field=field, label=label)


def highest(field: str, label: str) -> Metric:
    """The highest value."""
    return Metric(operation="max", field=field, label=label)


def percentile(field: str, percent: int, label: str) -> Metric:
    """The value that ``percent`` of all values are at or below."""
    return Metric(operation="percentile", field=field, percent=percent, label=label)


def latest(field: str, label: str) -> Metric:
    """The value in the newest document; also of a text."""
    return Metric(operation="last_value", field=field, label=label)


def number(metric: Metric, view: DataView, *, where: str = "") -> Panel:
    """One large number, titled as it is labelled."""
    shows = (metric,)
    return Panel(title=metric.label, view=view, kind="number", shows=shows, where=where, width=12)

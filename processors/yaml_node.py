"""YAML read with its line numbers, so that every complaint names a line and a fix."""

from __future__ import annotations

import contextlib
import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import yaml

from ingest.errors import FileError

TRUE, FALSE = ("true", "yes", "on"), ("false", "no", "off")
"""YAML 1.1 booleans; keys and terms are read as written instead, so `no` stays a word."""

SAFE_DEPTH = 50
"""Of collections in each other; a topic file needs five."""


def read_block(text: str, *, place: str) -> Block:
    """The top mapping of a YAML document.

    Raises:
        FileError: no YAML, or not a mapping.
    """
    try:
        node = _composed(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise FileError(
            f"{place}:{line}: not YAML: {error.problem or error}",
            hint="Check indentation, quotes and brackets on that line.",
            place=f"{place}:{line}",
        ) from error
    except (yaml.YAMLError, RecursionError) as error:
        raise FileError(
            f"{place}: not readable as YAML: {type(error).__name__}",
            hint="Save the file as plain UTF-8 text; nest brackets less deeply.",
            place=place,
        ) from error
    return Block(place=place, node=node)


def _composed(text: str) -> yaml.Node | None:
    # libyaml reads ten times as fast, which every start feels; the other says better what is
    # wrong.
    if yaml.__with_libyaml__:
        with contextlib.suppress(yaml.YAMLError):
            _refuse_depth(text)
            return yaml.compose(text, Loader=yaml.CSafeLoader)
    return yaml.compose(text, Loader=yaml.SafeLoader)


def _refuse_depth(text: str) -> None:
    """Raise RecursionError where libyaml would overflow the stack while it builds the tree."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > SAFE_DEPTH:
            raise RecursionError


@dataclass(slots=True, kw_only=True)
class Block:
    """One mapping of a document; every getter checks, and raises FileError with the line.

    An absent mapping is an empty block, so optional parts need no special case.
    """

    place: str
    node: yaml.Node | None
    line: int = 1
    name: str = "the file"
    _items: dict[str, tuple[int, yaml.Node]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.node is None:
            return
        self.line = self.node.start_mark.line + 1
        if not isinstance(self.node, yaml.MappingNode):
            raise self._fault(self.line, f"{self.name} must be `key: value` pairs", "Write pairs.")
        for key, value in self.node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise self._fault(line, "a key must be a word", "Write `key: value`.")
            if key.value in self._items:
                raise self._fault(line, f"{key.value} stands twice", "Remove one of the two.")
            self._items[key.value] = line, value

    def names(self) -> list[str]:
        """The keys as written."""
        return list(self._items)

    def has(self, key: str) -> bool:
        """Whether ``key`` is given."""
        return key in self._items

    def is_empty_list(self, key: str) -> bool:
        """Whether ``key`` holds a list without anything in it."""
        value = self._value(key)
        return isinstance(value, yaml.SequenceNode) and not value.value

    def is_list(self, key: str) -> bool:
        """Whether ``key`` holds a list."""
        return isinstance(self._value(key), yaml.SequenceNode)

    def allow(self, keys: Sequence[str]) -> None:
        """Refuse every other key."""
        for key, (line, _) in self._items.items():
            if key not in keys:
                raise self._fault(line, f"unknown key {key}", self.suggestion(key, keys))

    def error(self, key: str, message: str, hint: str) -> FileError:
        """A complaint about ``key``, with its line (the block's own where it is absent)."""
        return self._fault(self._items[key][0] if key in self._items else self.line, message, hint)

    def suggestion(self, name: str, known: Sequence[str]) -> str:
        """A fix for a name that is not known."""
        close = difflib.get_close_matches(name, known, n=1)
        return f"Did you mean {close[0]}?" if close else f"Known: {', '.join(known)}."

    def texts_with_places(self, key: str) -> list[tuple[str, str]]:
        """The texts of the list ``key``, each with its file and line; empty where absent."""
        texts = self.texts(key)
        nodes = self._items[key][1].value if texts else []
        lines = [node.start_mark.line + 1 for node in nodes]
        return [(text, f"{self.place}:{line}") for text, line in zip(texts, lines, strict=True)]

    def text(self, key: str, *, default: str | None = None) -> str:
        """A line of text."""
        value = self._value(key)
        if value is None and default is not None:
            return default
        if not isinstance(value, yaml.ScalarNode) or not value.value.strip():
            raise self.error(key, f"{self.name} needs {key}, a text", f"Write `{key}: …`.")
        return str(value.value)

    def matching(
        self, key: str, pattern: re.Pattern[str], what: str, *, default: str | None = None
    ) -> str:
        """A text of the form ``pattern``, which ``what`` describes."""
        text = self.text(key, default=default)
        if not pattern.fullmatch(text):
            raise self.error(key, f"{key} {text!r} is not {what}", f"Write {what}.")
        return text

    def choice(self, key: str, known: Sequence[str], *, default: str) -> str:
        """One of the words ``known``."""
        text = self.text(key, default=default)
        if text not in known:
            raise self.error(key, f"{key} cannot be {text}", self.suggestion(text, known))
        return text

    def number(
        self,
        key: str,
        *,
        default: float | None = None,
        low: float = float("-inf"),
        high: float = float("inf"),
    ) -> float:
        """A number from ``low`` to ``high``."""
        if default is not None and not self.has(key):
            return default
        try:
            number = float(self.text(key))
        except ValueError as error:
            raise self.error(key, f"{key} must be a number", f"Write `{key}: 1`.") from error
        if not low <= number <= high:
            fix = f"Write a number from {low:g} to {high:g}."
            raise self.error(key, f"{key} is outside {low:g} to {high:g}", fix)
        return number

    def integer(
        self, key: str, *, default: int | None = None, low: float = 0, high: float = 1_000_000
    ) -> int:
        """A whole number from ``low`` to ``high``."""
        number = self.number(key, default=default, low=low, high=high)
        if number != int(number):
            raise self.error(key, f"{key} must be a whole number", f"Write `{key}: 1`.")
        return int(number)

    def flag(self, key: str, *, default: bool) -> bool:
        """True or false."""
        text = self.text(key, default=TRUE[0] if default else FALSE[0]).lower()
        if text not in TRUE + FALSE:
            raise self.error(key, f"{key} must be true or false", f"Write `{key}: true`.")
        return text in TRUE

    def texts(self, key: str) -> list[str]:
        """A list of texts; empty where absent."""
        value = self._value(key)
        if value is None:
            return []
        if isinstance(value, yaml.SequenceNode) and value.value:
            found = [each.value for each in value.value if isinstance(each, yaml.ScalarNode)]
            if len(found) == len(value.value):
                return [str(each) for each in found]
        raise self.error(key, f"{key} must be a list of words", f"Write `{key}: [a, b]`.")

    def lists(self, key: str) -> dict[str, list[str]]:
        """A mapping from names to lists of texts; empty where absent."""
        part = self.child(key)
        return {name: part.texts(name) for name in part.names()}

    def child(self, key: str) -> Block:
        """The mapping under ``key``; an empty one where absent."""
        return Block(place=self.place, node=self._value(key), line=self.line, name=key)

    def blocks(self, key: str, *, needed: bool = False) -> Iterable[Block]:
        """The mappings in the list ``key``."""
        value = self._value(key)
        if value is None and not needed:
            return []
        if not isinstance(value, yaml.SequenceNode) or not value.value:
            hint = f"Write `{key}:` and below it a line `- {{id: …}}` for each."
            raise self.error(key, f"{key} must be a list", hint)
        return [Block(place=self.place, node=each, name=f"each of {key}") for each in value.value]

    def _value(self, key: str) -> yaml.Node | None:
        return self._items[key][1] if key in self._items else None

    def _fault(self, line: int, message: str, hint: str) -> FileError:
        where = f"{self.place}:{line}"
        return FileError(f"{where}: {message}", hint=hint, place=where)

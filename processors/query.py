"""The query language: from text to tree, with errors that point and say what to write instead.

The grammar is in ``docs/queries.md``. Precedence: NEAR and its like, NOT, AND (also unwritten), OR.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Literal, cast

from ingest.errors import QueryError
from processors.query_advice import explain, warnings
from processors.query_cost import CostClass, check_work, cost_class
from processors.query_lexer import METADATA, TIMES, ZONES, Lexeme, lexemes
from processors.query_nodes import at_least, joined, proximity
from processors.query_terms import term
from processors.query_tree import And, FieldName, Node, Not, Or, Query, TimeField
from processors.query_values import metadata_field, time_range
from processors.records import Zone

__all__ = ["CostClass", "Query", "cost_class", "explain", "parse", "warnings"]

MAX_BYTES = 4096
"""Length of a query in UTF-8: some 300 names."""

MAX_DEPTH = 20
"""Parentheses and NOTs inside each other: Elasticsearch nests 30 clauses, a NOT takes two."""

MAX_LEAVES = 256
"""Words, phrases and field values: keeps a page of candidates verifiable in milliseconds."""

Use = Literal["search", "subscription"]
_OPERATORS = ("AND", "OR", "NEAR", "ONEAR", "SAMESENT", "NOT WITHIN")
_PROXIMITY = ("NEAR", "ONEAR", "SAMESENT", "NOT WITHIN")


def parse(text: str, *, where: Use = "search", now: datetime | None = None) -> Query:
    """The query that ``text`` says; never recurses deeper than the limits allow.

    In a ``subscription`` the time fields are refused. ``seen:24h`` counts back from ``now`` and is
    refused without it.

    Raises:
        QueryError: with ``caret`` and ``hint``.
    """
    if len(text) > MAX_BYTES or len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise QueryError(
            f"The query is longer than {MAX_BYTES:,} bytes.",
            hint="Split it into several subscriptions, or use a topic.",
            caret=0,
        )
    parser = _Parser(list(lexemes(text)), where=where, now=now)
    query = Query(text, parser.whole())
    check_work(query)
    return query


class _Parser:
    """Recursive descent over the lexemes; ``_depth`` bounds the recursion."""

    def __init__(self, found: Sequence[Lexeme], *, where: Use, now: datetime | None) -> None:
        self._lexemes = found
        self._place = 0
        self._depth = 0
        self._leaves = 0
        self._field = ""
        self._where = where
        self._now = now

    def whole(self) -> Node:
        if self._next.kind == "end":
            raise QueryError("The query is empty.", hint="Write a word to look for.", caret=0)
        node = self._either()
        if self._next.kind == ")":
            raise QueryError(
                "This parenthesis closes nothing.", hint="Remove it.", caret=self._next.span[0]
            )
        return node

    @property
    def _next(self) -> Lexeme:
        return self._lexemes[self._place]

    def _take(self) -> Lexeme:
        lexeme = self._lexemes[self._place]
        self._place += 1
        return lexeme

    def _either(self) -> Node:
        found = [self._all()]
        while self._next.kind == "OR":
            self._take()
            found.append(self._all())
        return joined(Or, found)

    def _all(self) -> Node:
        found = [self._maybe_not()]
        while self._next.kind not in ("OR", ")", "end"):
            if self._next.kind == "AND":
                self._take()
            found.append(self._maybe_not())
        return joined(And, found)

    def _maybe_not(self) -> Node:
        if self._next.kind != "NOT":
            return self._proximity()
        sign = self._deeper()
        operand = self._maybe_not()
        self._depth -= 1
        if isinstance(operand, Not):
            return operand.of
        return Not(of=operand, span=(sign.span[0], operand.span[1]))

    def _deeper(self) -> Lexeme:
        self._depth += 1
        lexeme = self._take()
        if self._depth > MAX_DEPTH:
            raise QueryError(
                f"Parentheses and NOTs are nested more than {MAX_DEPTH} deep here.",
                hint="Leave out what groups nothing, or split the query.",
                caret=lexeme.span[0],
            )
        return lexeme

    def _proximity(self) -> Node:
        left = self._primary()
        if self._next.kind not in _PROXIMITY:
            return left
        operator = self._take()
        right = self._primary()
        if self._next.kind in _PROXIMITY:
            raise QueryError(
                f"{operator.text} and {self._next.text} cannot be chained.",
                hint="Join two with AND: (a NEAR/5 b) AND (b NEAR/5 c)",
                caret=self._next.span[0],
            )
        return proximity(operator, left, right)

    def _primary(self) -> Node:
        lexeme = self._next
        match lexeme.kind:
            case "(":
                return self._group()
            case "field":
                return self._fielded()
            case "ATLEAST":
                return self._at_least()
            case "word" | "quotation" | "value":
                return self._leaf(self._take())
            case _:
                raise self._misplaced(lexeme)

    def _misplaced(self, lexeme: Lexeme) -> QueryError:
        before = self._lexemes[self._place - 1] if self._place else None
        if before and before.kind in (*_OPERATORS, "NOT"):
            return QueryError(
                f"{before.text} needs something behind it.",
                hint=f"Add a word, or write {before.text.lower()} for the word itself.",
                caret=before.span[0],
            )
        if before and before.kind == "(" and lexeme.kind == ")":
            return QueryError(
                "There is nothing in these parentheses.", hint="Remove them.", caret=before.span[0]
            )
        if lexeme.kind in _OPERATORS:
            return QueryError(
                f"{lexeme.text} needs something before it.",
                hint=f"Add a word, or write {lexeme.text.lower()} for the word itself.",
                caret=lexeme.span[0],
            )
        return QueryError("Something is missing here.", hint="Add a word.", caret=lexeme.span[0])

    def _group(self) -> Node:
        opening = self._deeper()
        node = self._either()
        self._close(opening)
        return node

    def _close(self, opening: Lexeme) -> None:
        if self._take().kind != ")":
            raise QueryError(
                "This parenthesis is never closed.", hint="Add a )", caret=opening.span[0]
            )
        self._depth -= 1

    def _fielded(self) -> Node:
        lexeme = self._take()
        if self._field:
            raise QueryError(
                f"{lexeme.text}: cannot stand inside {self._field}:",
                hint=f"Close the group of {self._field}: first and join the two with AND.",
                caret=lexeme.span[0],
            )
        if self._where == "subscription" and lexeme.text in TIMES:
            raise QueryError(
                f"{lexeme.text}: is for searches; a subscription is about what comes from now on.",
                hint="Leave it out; `wirewatch search` finds what was before.",
                caret=lexeme.span[0],
            )
        self._field = lexeme.text
        is_group = self._next.kind == "("
        node = self._primary()
        self._field = ""
        return node if is_group else replace(node, span=(lexeme.span[0], node.span[1]))

    def _at_least(self) -> Node:
        operator = self._take()
        if self._next.kind != "(":
            raise QueryError(
                "ATLEAST needs a list in parentheses.",
                hint="ATLEAST/3(a b c d)",
                caret=operator.span[0],
            )
        opening = self._deeper()
        found: list[Node] = []
        while (following := self._next).kind not in (")", "end"):
            if following.kind in ("AND", "OR"):
                raise QueryError(
                    f"ATLEAST lists its words without {following.kind}.",
                    hint="ATLEAST/2(a b (c OR d))",
                    caret=following.span[0],
                )
            found.append(self._maybe_not())
        end = following.span[1]
        self._close(opening)
        return at_least(operator, found, (operator.span[0], end))

    def _leaf(self, lexeme: Lexeme) -> Node:
        self._leaves += 1
        if self._leaves > MAX_LEAVES:
            raise QueryError(
                f"The query has more than {MAX_LEAVES} words, phrases and values.",
                hint="Split it into several subscriptions, or use a topic.",
                caret=lexeme.span[0],
            )
        if self._field in METADATA:
            return metadata_field(cast("FieldName", self._field), lexeme.text, lexeme.span)
        if self._field in TIMES:
            return time_range(
                cast("TimeField", self._field), lexeme.text, lexeme.span, now=self._now
            )
        zone = cast("Zone", self._field) if self._field in ZONES else None
        offset = lexeme.span[0] + (lexeme.kind == "quotation")
        return term(lexeme.text, offset=offset, span=lexeme.span, zone=zone)

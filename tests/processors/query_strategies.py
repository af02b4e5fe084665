"""Random queries and documents that have something in common, in several scripts."""

from __future__ import annotations

from hypothesis import strategies as st

from processors.analysis import analyse
from processors.document import Document, Metadata

WORDS = (
    *("truce", "truces", "talk", "Talks", "US", "us", "U.S.", "don't", "dont", "don’t", "x", "a"),
    *("l'accord", "accord", "Russia's", "Élan", "elan", "Straße", "strasse", "ﬁne", "fine", "½"),
    *("йод", "иод", "ёлка", "елка", "е\u0308лка", "ΜΆΪΟΣ", "μαιος", "Iğdır", "igdir", "ＡＢＣ"),
    *("مُحَمَّد", "محمد", "أحمد", "احمد", "שָׁלוֹם", "שלום", "צה״ל", 'ארה"ב'),
    *("停", "停战", "战协", "停战协定", "アップル", "ｱｯﾌﾟﾙ", "アップルTV", "กาแฟ", "ဗမာ", "한국어"),
    *("हिन्दी", "हिन्दी", "cease-fire", "3.5", "naïve", "cafe\u0301", "o\u0301\u0323x"),
)
JOINTS = (
    " ",
    " ",
    " ",
    ", ",
    ". ",
    "! ",
    " “",
    "” ",
    "\n",
    "\n\n",
    " — ",
    "。",
    "؟ ",
    "-",
    "'",
    "",
)
HOSTS = ("bbc.co.uk", "news.bbc.co.uk", "abbc.co.uk", "example.org")
TOPICS = ("truce", "arms")
ZONES = ("title", "lead", "body")


def texts(*, most: int = 16) -> st.SearchStrategy[str]:
    """Texts of up to ``most`` words of ``WORDS``, sometimes with any characters between."""
    joint = st.sampled_from(JOINTS) | st.text(max_size=2)
    pair = st.tuples(st.sampled_from(WORDS), joint)
    return st.lists(pair, max_size=most).map(lambda pairs: "".join(map("".join, pairs)))


@st.composite
def documents(draw: st.DrawFn) -> Document:
    topics = draw(st.sampled_from(((), ("truce", "truce@review"), ("arms@review",))))
    metadata = Metadata(
        source=draw(st.sampled_from(HOSTS)),
        feeds=("feed-one",),
        language=draw(st.sampled_from(("", "en", "ar"))),
        tags=draw(st.sampled_from(((), ("world news",), ("x", "us")))),
        topics=topics,
    )
    return Document(analyse(draw(texts(most=5))), analyse(draw(texts())), metadata)


@st.composite
def patterns(draw: st.DrawFn) -> str:
    """A word with a wildcard in it or beside it."""
    word = draw(st.sampled_from([word for word in WORDS if word.isalnum()]))
    place = draw(st.integers(0, len(word)))
    sign = draw(st.sampled_from(("*", "?", "??", "*?")))
    cut = draw(st.integers(0, 1)) if len(word) > 1 else 0
    return word[:place] + sign + word[min(place + cut, len(word) - (place == 0)) :]


def pieces() -> st.SearchStrategy[str]:
    """What can stand inside a quotation."""
    plain = st.sampled_from([word for word in WORDS if '"' not in word])
    return plain | patterns() | plain.map("={}".format)


def quotations() -> st.SearchStrategy[str]:
    return st.lists(pieces(), min_size=1, max_size=3).map(lambda found: f'"{" ".join(found)}"')


def terms() -> st.SearchStrategy[str]:
    """Words, patterns, cased words and phrases."""
    word = st.sampled_from(WORDS)
    return word | word | patterns() | word.map("={}".format) | quotations()


def operands() -> st.SearchStrategy[str]:
    several = st.lists(terms(), min_size=1, max_size=3)
    return terms() | several.map(lambda found: f"({' OR '.join(found)})")


def positionals() -> st.SearchStrategy[str]:
    """NEAR, ONEAR, SAMESENT and NOT WITHIN, and their like in one zone."""
    near = st.builds("{}/{}".format, st.sampled_from(("NEAR", "ONEAR")), st.integers(0, 4))
    operator = near | st.sampled_from(("SAMESENT", "NOT WITHIN"))
    bare = st.builds("({} {} {})".format, operands(), operator, operands())
    return bare | st.builds("{}:{}".format, st.sampled_from(ZONES), bare)


def fields() -> st.SearchStrategy[str]:
    values = ["source:bbc.co.uk", "source:co.uk", "lang:ar", "feed:feed-one", 'tag:"World News"']
    return st.sampled_from([*values, "tag:us", "topic:truce", "topic:arms", "topic:arms@review"])


def leaves() -> st.SearchStrategy[str]:
    zoned = st.builds("{}:{}".format, st.sampled_from(ZONES), terms())
    return terms() | terms() | zoned | positionals() | fields()


def _wider(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    several = st.lists(inner, min_size=2, max_size=4)
    at_least = st.tuples(st.integers(1, 2), several)
    return (
        several.map(lambda found: f"({' '.join(found)})")
        | several.map(lambda found: f"({' OR '.join(found)})")
        | inner.map("NOT {}".format)
        | inner.map("(x -{})".format)
        | at_least.map(lambda pair: f"ATLEAST/{pair[0]}({' '.join(pair[1])} y z)")
    )


def queries() -> st.SearchStrategy[str]:
    """Query texts; a few are refused by the parser, as one of ``?`` with nothing beside it."""
    return st.recursive(leaves(), _wider, max_leaves=6)

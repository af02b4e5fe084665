"""Which language a text is in: detected, where it is long enough to tell; else as declared."""

from __future__ import annotations

from array import array
from functools import cache
from typing import Protocol, cast

import numpy as np

MAX_CHARS = 400
"""More hardly changes the answer and costs 0.7 ms for each 1,000 characters."""

_FEW_LETTERS = 25
"""Below this a name or a loan word decides; what the feed declares is right more often."""

_ENOUGH_LETTERS = 200
"""From here on the text is believed over the feed: many templates declare ``en`` for anything."""

_SURE = 0.8
"""Least probability to believe a text of a headline's length over its feed."""

_LIKELY = 0.5
"""Least probability to believe a text where the feed declares nothing, or a long one."""

_CANDIDATES = (
    "af am ar az be bg bn bs ca cs cy da de el en es et eu fa fi fr ga gl gu he hi hr hu hy id"
    " is it ja ka kk km kn ko ku ky lo lt lv mk ml mn mr ms mt my ne nl no pa pl ps pt ro ru si sk"
    " sl so sq sr sv sw ta te tg th tl tr uk ur uz vi zh"
)
"""Languages with daily news; the model's other ones win short English texts by chance."""

_CODES = {"nb": "no", "nn": "no", "iw": "he", "in": "id", "ji": "yi"}
"""Old and narrower codes; topic files and queries use the ones on the right."""


class _Identifier(Protocol):
    def classify(self, text: str) -> tuple[str, float]: ...


def detect(text: str, *, declared: str = "") -> str:
    """The BCP 47 primary tag of ``text``; empty where nobody knows. Never raises."""
    said = primary(declared)
    sample = text[:MAX_CHARS]
    letters = sum(map(str.isalpha, sample))
    if letters < (_FEW_LETTERS if said or sample.isascii() else 1):
        return said
    found, probability = _identifier().classify(sample)
    found = primary(found)
    wanted = _LIKELY if not said or letters >= _ENOUGH_LETTERS else _SURE
    return found if probability >= wanted else said


def primary(tag: str) -> str:
    """``pt`` of ``pt-BR``; empty where ``tag`` is no language tag."""
    code = tag.strip().replace("_", "-").split("-")[0].lower()
    if not (code.isascii() and code.isalpha() and len(code) in (2, 3)) or code == "und":
        return ""
    return _CODES.get(code, code)


@cache
def _identifier() -> _Identifier:
    """The model of the candidates: 60 MB and a second, so only once an article needs it.

    Not by ``set_languages``, which keeps the other languages too (28 MB) and a table whose rows
    are spread over memory; and with arrays for lists of numbers: a text is a walk through all
    of it, and half of its time is waiting for memory.
    """
    from py3langid.langid import MODEL_DIR, MODEL_FILE, LanguageIdentifier  # noqa: PLC0415
    from py3langid.modelio import load_model  # noqa: PLC0415 - see above

    weights, priors, codes, moves, rows, features = load_model(MODEL_DIR / MODEL_FILE)
    candidates = set(_CANDIDATES.split(" "))
    kept = [place for place, code in enumerate(codes) if code in candidates]
    identifier = LanguageIdentifier(
        np.take(weights, kept, axis=1),
        priors[kept],
        [codes[place] for place in kept],
        moves,
        array("i", features),
        norm_probs=True,
        tk_row=rows,
    )
    identifier._rowbase = array("I", identifier._rowbase)  # noqa: SLF001 - has no other way in
    return cast("_Identifier", identifier)

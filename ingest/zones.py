"""Names of time zones as feeds write them, in minutes east of Greenwich.

RFC 5322 knows ten names; feeds use several times as many. Where one name has several meanings,
the language of the feed decides, and the meaning most news sites use is the default.
"""

from __future__ import annotations

import re
from typing import Final

_HOURS: Final = {
    "ut utc gmt z wet azost wez": 0.0,
    "bst wat cet met mez west wesz": 1.0,
    "cest mest mesz cat eet sast oez kalt": 2.0,
    "eest eat msk trt fet oesz idt": 3.0,
    "irst": 3.5,
    "gst samt azt get msd volt": 4.0,
    "irdt aft": 4.5,
    "pkt uzt yekt tmt tjt mvt": 5.0,
    "ist slst": 5.5,
    "npt": 5.75,
    "bdt omst almt kgt btt": 6.0,
    "mmt": 6.5,
    "ict wib novt krat hovt": 7.0,
    "sgt hkt myt awst wita pht phst irkt ulat": 8.0,
    "jst kst wit yakt tlt": 9.0,
    "acst": 9.5,
    "aest chst vlat pgt": 10.0,
    "acdt": 10.5,
    "aedt sbt magt nct": 11.0,
    "nzst fjt pett": 12.0,
    "nzdt": 13.0,
    "azot cvt": -1.0,
    "ndt": -2.5,
    "brt art adt uyt clst gft": -3.0,
    "nst": -3.5,
    "ast at clt vet amt bot gyt edt": -4.0,
    "est et cot pet ect cdt": -5.0,
    "cst ct mdt": -6.0,
    "mst mt pdt": -7.0,
    "pst pt akdt": -8.0,
    "akst": -9.0,
    "hst hast": -10.0,
}

_MINUTES: Final = {
    name: int(hours * 60) for names, hours in _HOURS.items() for name in names.split()
}

_BY_LANGUAGE: Final = {
    ("ist", "he"): 120,
    ("ist", "ga"): 60,
    ("ist", "en-ie"): 60,
    ("ast", "ar"): 180,
    ("bst", "bn"): 360,
    ("cst", "zh"): 480,
    ("pst", "tl"): 480,
    ("est", "en-au"): 600,
    ("edt", "en-au"): 660,
    ("amt", "hy"): 240,
}

# RFC 822 counts the letters from A = -1; RFC 5322 section 4.3 says why few trust them. Feed
# validators and parsers read them as RFC 822 does.
_MILITARY: Final = {
    **{letter: -60 * (at + 1) for at, letter in enumerate("abcdefghiklm")},
    **{letter: 60 * (at + 1) for at, letter in enumerate("nopqrstuvwxy")},
    "z": 0,
}

_OFFSET: Final = re.compile(r"(?:utc|gmt|ut|z)?\s*([+-])\s*(\d{1,2})(?::?(\d{2}))?(?::?00)?")
_FURTHEST: Final = 14 * 60
"""No clock on Earth is further than 14 hours from UTC (Kiribati)."""


def offset_minutes(text: str) -> int | None:
    """Minutes for ``+05:30``, ``-0400``, ``gmt+9``; None where ``text`` is no possible offset."""
    match = _OFFSET.fullmatch(text)
    if match is None:
        return None
    minutes = int(match[2]) * 60 + int(match[3] or 0)
    if minutes > _FURTHEST or int(match[3] or 0) > 59:  # noqa: PLR2004 - minutes of an hour
        return None
    return minutes if match[1] == "+" else -minutes


def zone_minutes(name: str, *, language: str = "") -> int | None:
    """Minutes for the lower-case zone ``name`` in a feed of ``language``; None where unknown."""
    if len(name) == 1:
        return _MILITARY.get(name)
    tag = language.replace("_", "-").lower()
    for spoken in (tag, tag.split("-")[0]):
        if (name, spoken) in _BY_LANGUAGE:
            return _BY_LANGUAGE[name, spoken]
    return _MINUTES.get(name)

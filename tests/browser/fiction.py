"""News of our own making for the pages: ten days, several outlets, languages and scripts.

Every place, person and group is invented; the same seed gives the same news.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from ingest.article import Article, Sighting, content_hash
from ingest.identity import EntryIdentity, article_ids, feed_id

OUTLETS = ("harbour-courier", "meridian-wire", "lakeland-gazette", "veldt-observer", "delta-post")
PLACES = (
    "Velmora",
    "Tarn",
    "Karsova",
    "Usk Valley",
    "Port Ellin",
    "Brannoch",
    "Sule",
    "Ostara Bay",
)
SYLLABLES = [
    "bar",
    "den",
    "fol",
    "gim",
    "hul",
    "jor",
    "kam",
    "lin",
    "mer",
    "nop",
    "pel",
    "rus",
    "sat",
    "tev",
    "vor",
    "wex",
    "yil",
    "zan",
]
PEOPLE = ("Ines Karoway", "Tomas Ardel", "Mirela Voss", "Jon Hadrick", "Aya Sorin", "Peter Lund")
THINGS = (
    ("ferry strike", "ferry crews stopped work over a new rota", "The operator offered talks"),
    ("flood wall", "engineers finished the first stretch of the flood wall", "It cost 40 million"),
    ("harvest", "growers reported the best barley harvest in a decade", "Prices fell at once"),
    ("night trains", "night trains came back after nine years", "Tickets sold out in an hour"),
    ("hospital wing", "a new hospital wing opened its doors", "It has ninety beds"),
    ("library", "the old library was saved from closure", "Readers had collected names"),
    ("power cut", "a power cut stopped the trams for two hours", "Nobody was hurt"),
    ("bridge", "inspectors closed the iron bridge to lorries", "Repairs begin on Monday"),
)
TRUCE = (
    (
        "Mediators said truce talks between the army and the rebels resumed in {place} on {day}. "
        "A ceasefire could follow within days, said {person}, who leads the delegation of {band}. "
        "Both sides accepted a thirty-day truce that lets aid convoys reach {village}."
    ),
    (
        "Negotiators of the state and of {band} broke off the ceasefire talks in {place} after "
        "shells fell on {village}. {person} called the truce dead; the mediators stay in {other}."
    ),
    (
        "The ceasefire along the river {village} came into force at midnight. Monitors of {band} "
        "counted no shot until dawn on {day}. {person} signed the truce in {place} in person."
    ),
    (
        "Delegates of {band} arrived in {place} for a new round of ceasefire negotiations. On the "
        "table: prisoners, the road to {village}, and a truce over the winter, {person} said."
    ),
)
ARMS = (
    (
        "Parliament approved a shipment of artillery shells, anti-tank missiles and forty tanks "
        "to {place} on {day}. The arms deal with {band} is worth 900 million, said {person}. "
        "The first delivery of ammunition reaches {village} within three weeks."
    ),
    (
        "Customs officers stopped a ship with weapons for {band} off {place}. The arms smuggling "
        "ran through {village} for years, said prosecutor {person}; rifles and rockets were seized."
    ),
    (
        "The arms embargo against {band} was extended by a year. {person} said in {place} that "
        "weapons sales through {village} had gone on all the same, and named two arms dealers."
    ),
)
TRUCE_TITLES = ("Truce talks resume", "Ceasefire talks fail", "Ceasefire holds", "New truce round")
ARMS_TITLES = ("Parliament sends arms", "Arms smugglers caught", "Arms embargo extended")
ELSEWHERE = (
    (
        "al-manara",
        "ar",
        "محادثات وقف إطلاق النار في {place}",
        (
            "استؤنفت محادثات وقف إطلاق النار بين الجيش والمتمردين في {place}. "
            "وقال الوسطاء إن هدنة من ثلاثين يوما قد تبدأ خلال أيام، وإن 12 قافلة مساعدات تنتظر."
        ),
    ),
    (
        "hamigdalor",
        "he",
        "שיחות על הפסקת אש ב{place}",
        (
            "שיחות על הפסקת אש בין הצבא למורדים חודשו ב{place}. המתווכים אמרו כי הפוגה של 30 יום "
            "עשויה להתחיל בתוך ימים אחדים."
        ),
    ),
    (
        "minato-shimbun",
        "ja",
        "{place}で停戦協議が再開",
        (
            "{place}で軍と反政府勢力の停戦協議が再開された。仲介者は30日間の停戦が数日以内に始まる"
            "可能性があると述べた。"
        ),
    ),
    (
        "phare-du-lac",
        "fr",
        "Reprise des pourparlers de trêve à {place}",
        (
            "Les pourparlers de trêve entre l'armée et les rebelles ont repris à {place}. Un "
            "cessez-le-feu de trente jours pourrait suivre, selon les médiateurs."
        ),
    ),
    (
        "talblick",
        "de",
        "Gespräche über Waffenruhe in {place}",
        (
            "Die Gespräche über eine Waffenruhe zwischen Armee und Rebellen gehen in {place} "
            "weiter. Vermittler halten eine Feuerpause von dreißig Tagen für möglich."
        ),
    ),
)
DAYS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One article of one outlet, ``at`` its time."""

    at: datetime
    outlet: str
    title: str
    text: str
    language: str = "en"
    slug: str = ""
    author: str = ""
    tags: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        return f"https://{self.outlet}.example/{self.at:%Y/%m/%d}/{self.slug}"

    def sighting(self) -> Sighting:
        """What a poller would have written."""
        url = self.url
        feed = feed_id(f"https://{self.outlet}.example/feed")
        article = Article(
            id=article_ids([EntryIdentity(canonical_url=url)], feed_id=feed)[0],
            feed_id=feed,
            feeds=(feed,),
            source=f"{self.outlet}.example",
            url=url,
            canonical_url=url,
            guid=self.slug,
            title=self.title,
            text=self.text,
            authors=(self.author,) if self.author else (),
            tags=self.tags,
            language_declared=self.language,
            published=self.at,
            date_source="published",
            content_hash=content_hash(title=self.title, text=self.text, canonical_url=url),
        )
        return Sighting(article=article, fetched=self.at)


def ten_days(now: datetime, *, seed: int = 5) -> list[Piece]:
    """Some 400 articles up to ``now``, in time order: copies, edits, other languages too."""
    chance = random.Random(seed)
    found: list[Piece] = []
    for number in range(110):
        at = now - timedelta(days=DAYS * (1 - ((number + 1) / 111)) + 0.01)
        found += _event(number, at, chance)
    return sorted((one for one in found if one.at <= now), key=lambda one: one.at)


def _event(number: int, at: datetime, chance: random.Random) -> Iterator[Piece]:
    place, other = chance.sample(PLACES, 2)
    person = chance.choice(PEOPLE)
    village, band = _name(chance), f"the {_name(chance)} {chance.choice(('Front', 'League'))}"
    words = {"place": place, "other": other, "person": person, "day": f"{at:%A}"}
    words |= {"village": village, "band": band}
    kind = number % 6
    if kind == 0:
        turn = number // 6 % len(TRUCE)
        title = f"{TRUCE_TITLES[turn]} in {place}: {village} waits"
        text = TRUCE[turn].format(**words)
    elif kind == 3:
        turn = number // 6 % len(ARMS)
        title, text = f"{ARMS_TITLES[turn]} near {place}", ARMS[turn].format(**words)
    else:
        what, happened, then = THINGS[number % len(THINGS)]
        title = f"{what.capitalize()}: {place} looks to {village}"
        text = (
            f"In {place} {happened} on {at:%A}. {then}, said {person} of {band}. People in "
            f"{village} and {other} had asked for it since case {1000 + 7 * number} was filed."
        )
    outlets = chance.sample(OUTLETS, chance.randint(1, 4))
    tags = ("World",) if kind in (0, 3) else ("Region", title.split(":", maxsplit=1)[0])
    for turn, outlet in enumerate(outlets):
        piece = Piece(
            at=at + timedelta(minutes=17 * turn),
            outlet=outlet,
            title=title if turn == 0 else f"{title}, {person} says",
            text=text if turn % 2 == 0 else f"{text} More follows from our desk in {other}.",
            slug=f"{number}-{place.lower().replace(' ', '-')}",
            author=person,
            tags=tags,
        )
        yield piece
        if turn == 0 and number % 5 == 0:
            yield _edited(piece, other)
    if kind == 0:
        yield from _elsewhere(number, at, place)


def _name(chance: random.Random) -> str:
    """A name that no other event has, or nearly so."""
    return "".join(chance.choice(SYLLABLES) for _ in range(3)).capitalize()


def _edited(piece: Piece, other: str) -> Piece:
    """The next revision: same URL, another title and a corrected sentence."""
    text = (
        piece.text.replace("thirty", "sixty").replace("900", "950")
        + f" Talks move to {other} next week."
    )
    return _Edit(
        at=piece.at + timedelta(minutes=40),
        day=piece.at,
        outlet=piece.outlet,
        title=f"{piece.title} (corrected)",
        text=text,
        slug=piece.slug,
        author=piece.author,
        tags=piece.tags,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Edit(Piece):
    """A later text under the address of the first."""

    day: datetime

    @property
    def url(self) -> str:
        return f"https://{self.outlet}.example/{self.day:%Y/%m/%d}/{self.slug}"


def _elsewhere(number: int, at: datetime, place: str) -> Iterator[Piece]:
    for turn, (outlet, language, title, text) in enumerate(ELSEWHERE):
        yield Piece(
            at=at + timedelta(minutes=25 + 9 * turn),
            outlet=outlet,
            title=title.format(place=place),
            text=text.format(place=place),
            language=language,
            slug=f"{number}-{language}",
        )

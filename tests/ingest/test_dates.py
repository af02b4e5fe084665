from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.dates import MAX_LENGTH, parse_date

READ = """
20210412 10:00 = 2021-04-12T10:00:00
2021 Jan 12 10:00:00 GMT = 2021-01-12T10:00:00
Thu (a \\) b), 28 Jul 2022 04:35:05 GMT = 2022-07-28T04:35:05
Thu, 28 Jul 2022 04:35:05 GMT = 2022-07-28T04:35:05
Thu,28 Jul 2022 4:35:5 GMT+9 = 2022-07-27T19:35:05
Sat,29 Jul 2006 00:03:02 +0000 = 2006-07-29T00:03:02
03 Apr 02 1500 GMT = 2002-04-03T15:00:00
Fri, 09 Feb 96 23:59:45 +0000 = 1996-02-09T23:59:45
Friday, January 29, 2021 04:42 PM = 2021-01-29T16:42:00
January, 29 Jan 2021 17:56:15 +0530 = 2021-01-29T12:26:15
Mon, 1 Jan 2024 10:00:00 PM GMT = 2024-01-01T22:00:00
Mon, 1 Jan 2024 12:10:00 AM = 2024-01-01T00:10:00
May 16th, 2019 at 4:05 p.m. = 2019-05-16T16:05:00
Mon, 1 Jan 2024 10:00:00 +03 = 2024-01-01T07:00:00
Mon, 1 Jan 2024 10:00:00 UTC+03:00 = 2024-01-01T07:00:00
Mon, 1 Jan 2024 10:00:00 BST = 2024-01-01T09:00:00
Mon, 1 Jan 2024 10:00:00 IST = 2024-01-01T04:30:00
Mon, 1 Jan 2024 10:00:00 CEST = 2024-01-01T08:00:00
Mon, 1 Jan 2024 10:00:00 MSK = 2024-01-01T07:00:00
Mon, 1 Jan 2024 10:00:00 JST = 2024-01-01T01:00:00
Mon, 1 Jan 2024 10:00:00 AEDT = 2023-12-31T23:00:00
Mon, 1 Jan 2024 10:00:00 NZDT = 2023-12-31T21:00:00
Mon, 1 Jan 2024 10:00:00 EDT = 2024-01-01T14:00:00
Mon, 1 Jan 2024 12:59:45 L = 2024-01-01T23:59:45
Mon, 1 Jan 2024 10:00:00 XYZ = 2024-01-01T10:00:00
Mon, 1 Jan 2024 24:00:00 GMT = 2024-01-02T00:00:00
Mon, 31 Dec 2016 23:59:60 GMT = 2017-01-01T00:00:00
Thu(a day), 9(th) Feb(ruary (the second)) 2006 23:59:45 +0000(GMT) = 2006-02-09T23:59:45
Thu Sep 16 08:00:00 2011 = 2011-09-16T08:00:00
Thu Jan  1 00:00:00 EST 2004 = 2004-01-01T05:00:00
Thu Jan 01 2004 00:00:00 GMT+0100 (Central European Time) = 2003-12-31T23:00:00
2021-04-12T10:00:00Z = 2021-04-12T10:00:00
2021-04-12T10:00:00\N{MINUS SIGN}05:00 = 2021-04-12T15:00:00
2021-04-12t10:00:00.123456789+02:00 = 2021-04-12T08:00:00.123456
2021-04-12T10:00:00,5Z = 2021-04-12T10:00:00.500000
2021-04-12T24:00:00Z = 2021-04-13T00:00:00
2011-09-16T08:00:00 00:00 = 2011-09-16T08:00:00
2011-09-16T08:00:00 05:30 = 2011-09-16T02:30:00
2011-09-16 08:00:00 -0500 EST = 2011-09-16T13:00:00
20210412T100000Z = 2021-04-12T10:00:00
20210412100000 = 2021-04-12T10:00:00
20210412 = 2021-04-12T00:00:00
2021-W15 = 2021-04-12T00:00:00
2021-W15-3 = 2021-04-14T00:00:00
2021-102 = 2021-04-12T00:00:00
2002 = 2002-01-01T00:00:00
2002-12 = 2002-12-01T00:00:00
1518478934 = 2018-02-12T23:42:14
1518478934000 = 2018-02-12T23:42:14
22.11.2022 12:16:00 = 2022-11-22T12:16:00
09.06.2024 = 2024-06-09T00:00:00
Fri, 05/03/2019 - 15:21 = 2019-05-03T15:21:00
13/03/2019 10:00 = 2019-03-13T10:00:00
3/13/2019 10:00:00 PM = 2019-03-13T22:00:00
2019/05/03 9:05:01 = 2019-05-03T09:05:01
Seg, 24 Set 2018 10:00:00 -0300 = 2018-09-24T13:00:00
mer, 16 nov 2022 10:00:00 +0100 = 2022-11-16T09:00:00
mar, 3 mar 2020 10:00 = 2020-03-03T10:00:00
16 de septiembre de 2019 10:00 = 2019-09-16T10:00:00
10 août 2020 à 14h30 = 2020-08-10T14:30:00
10. März 2020, 14:30 Uhr = 2020-03-10T14:30:00
вт, 10 ноя 2020 10:00:00 +0300 = 2020-11-10T07:00:00
Κυρ, 11 Ιούλ 2004 12:00:00 EST = 2004-07-11T17:00:00
2004-július-13T9:15-05:00 = 2004-07-13T14:15:00
2021年4月12日 10時30分 = 2021-04-12T10:30:00
2004년 5월 28일  01:31:15 = 2004-05-28T01:31:15
2004-05-25 오후 11:23:17 = 2004-05-25T23:23:17
١٢ أبريل ٢٠٢١ = 2021-04-12T00:00:00
12 เม.ย. 2564 = none
"""

UNREAD = (
    "",
    "now",
    "2 days ago",
    "insert date here",
    "Sat, 31 Jun 2006 23:08:26 +1000",
    "Mon, 30 Feb 2024 10:00:00 GMT",
    "2021-13-45",
    "2003-366",
    "2003-07-32T15:51:30-0500",
    "2003-07-01T01:61:30-0500",
    "0000-00-00 00:00:00",
    "Mon, 1 Jan 2024 25:00:00 GMT",
    "Mon, 1 Jan 2024 10:00:00 +9999",
    "Wed, 02 Oct 2002 08:00:00 America/New_York",
    "9999-12-31T23:59:59-05:00",
    "05/03/2019",
    "03-12-31",
    "10 listopad 2020",
    "7" * 400,
    "1 2 3 Jan 2021",
    "123 Jan 2021",
    "1 Feb 123 10:00",
    "10:00 3 Apr 2002 1500",
    "3 Apr 2002 1500 +9900",
    "Jan 2021 10:00",
)


def _cases() -> list[tuple[str, str]]:
    rows = [row.rpartition(" = ") for row in READ.strip().splitlines()]
    return [(raw, moment) for raw, _, moment in rows if moment != "none"]


@pytest.mark.parametrize(("raw", "moment"), _cases())
def test_a_date_as_feeds_write_it_names_one_moment(raw: str, moment: str) -> None:
    assert parse_date(raw) == datetime.fromisoformat(moment).replace(tzinfo=UTC)


@pytest.mark.parametrize("raw", UNREAD)
def test_what_is_impossible_or_ambiguous_is_no_date(raw: str) -> None:
    assert parse_date(raw) is None


@pytest.mark.parametrize(
    ("raw", "language", "moment"),
    [
        ("05/03/2019", "en-US", "2019-05-03"),
        ("05/03/2019", "en-GB", "2019-03-05"),
        ("05/03/2019", "fr", "2019-03-05"),
        ("10 listopad 2020", "hr", "2020-10-10"),
        ("10 listopad 2020", "pl-PL", "2020-11-10"),
    ],
)
def test_the_language_decides_where_a_date_has_two_readings(
    raw: str, language: str, moment: str
) -> None:
    found = parse_date(raw, language=language)
    assert found is not None
    assert found.date().isoformat() == moment


@pytest.mark.parametrize(("language", "hours"), [("he", 8.0), ("en-IE", 9.0), ("hi", 4.5)])
def test_the_language_decides_what_a_zone_name_means(language: str, hours: float) -> None:
    found = parse_date("Mon, 1 Jan 2024 10:00:00 IST", language=language)
    assert found is not None
    assert found.hour + found.minute / 60 == hours


def test_white_space_around_a_date_does_not_count() -> None:
    assert parse_date(" " * 2 * MAX_LENGTH + "2021-04-12") == datetime(2021, 4, 12, tzinfo=UTC)


@given(st.text(max_size=MAX_LENGTH + 20), st.sampled_from(["", "en", "pt-BR", "zh"]))
def test_no_text_raises(raw: str, language: str) -> None:
    found = parse_date(raw, language=language)
    assert found is None or found.tzinfo is UTC


@given(
    st.text(alphabet="0123456789:-+/., TZWapmGMTJanFeb年月日", max_size=60),
)
def test_no_text_that_looks_like_a_date_raises(raw: str) -> None:
    parse_date(raw)


@given(st.datetimes(datetime(1000, 1, 1), datetime(2300, 1, 1)))  # noqa: DTZ001 - naive bounds
def test_what_iso_and_rfc_822_write_is_read_back(moment: datetime) -> None:
    aware = moment.replace(tzinfo=UTC)
    assert parse_date(aware.isoformat()) == aware
    spelled = aware.strftime("%a, %d %b ") + f"{aware.year:04d}" + aware.strftime(" %H:%M:%S GMT")
    assert parse_date(spelled) == aware.replace(microsecond=0)

"""Reports of GA4 as it writes them, and a made property whose report differs from its files as planted."""

import csv
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.base.errors import InputError
from core.base.schema import Raw
from core.ingest.account.ga4_report import Ga4Report, compare, read_report, typed_figures
from core.ingest.clean import clock
from core.storage.receipt import Receipt
from tests.core.ingest.shop import Row, event, shop

FREE_FORM = b"""\xef\xbb\xbf# ----------------------------------------
# My shop - Free form 1
# 20201101-20201102
# ----------------------------------------

Date,Segment,Active users,Event count,Gross purchase revenue
20201101,All Users,"1,200",9000,10.5
20201102,All Users,800,7000,
,,1900,16000,10.5,Grand total
"""
BY_COUNTRY = b"""# ----------------------------------------
# Demographic details: Country
# ----------------------------------------
#
# All Users
# Start date: 20201101
# End date: 20201102
Country,Active users,New users,Event count,Total revenue
Norway,3,2,30,1.5
Chile,2,2,12,0
"""


def test_a_free_form_exploration_is_read_by_day() -> None:
    report = read_report(FREE_FORM, "report.csv")
    assert report == Ga4Report(
        days={
            date(2020, 11, 1): {"users": 1200, "events": 9000, "gross": 10.5},
            date(2020, 11, 2): {"users": 800, "events": 7000},
        },
        period=(date(2020, 11, 1), date(2020, 11, 2)),
    )


def test_a_report_that_a_spreadsheet_saved_as_unicode_text_is_read() -> None:
    saved = FREE_FORM.decode("utf-8-sig").replace(",", "\t").replace('"1\t200"', "1200").encode("utf-16")
    assert read_report(saved, "report.txt") == read_report(FREE_FORM, "report.csv")


def test_rows_of_another_dimension_are_added_up_but_not_users() -> None:
    report = read_report(BY_COUNTRY, "report.csv")
    assert (report.totals, report.days) == ({"events": 42, "net": 1.5}, {})
    total = read_report(BY_COUNTRY + b"Totals,5,4,42,1.5\n", "report.csv")
    assert total.totals == {"users": 5, "events": 42, "net": 1.5}


def test_a_plain_table_of_the_api_and_days_by_number_are_read() -> None:
    plain = b"date;sessions;screenPageViews\n2020-11-01;5;20\n"
    assert read_report(plain, "x").days == {date(2020, 11, 1): {"sessions": 5, "views": 20}}
    numbered = b"# Start date: 20201101\n# End date: 20201130\nNth day,Sessions\n0000,5\n0029,7\n"
    assert read_report(numbered, "x").days == {
        date(2020, 11, 1): {"sessions": 5}, date(2020, 11, 30): {"sessions": 7},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "report.csv holds no figure of GA4"),
        (b"\x00\xff\x00", "report.csv holds no figure of GA4"),
        (b"Land,Nutzer\nNorwegen,3\n", "report.csv holds no figure of GA4"),
        (b"Date,Sessions\n20201101,many\n", "Sessions in report.csv: 'many' is no number"),
        (b"Date,Sessions\nyesterday,4\n", "report.csv: 'yesterday' is no day"),
        (b"# 20201399-20209999\nDate,Sessions\n20209999,4\n", "'20209999' is no day"),
        (b"Sessions,Date\n4\n", "report.csv: '' is no day"),
        (b"# Start date: 20200231\nSessions\n4\n", r"report.csv: '20200231' is no day"),
        (b"# 20201101-20201103\nNth day,Sessions\n9999,4\n", "report.csv: '9999' is no day"),
        (b"# 20201101-20201103\nNth day,Sessions\n-1,4\n", "report.csv: '-1' is no day"),
        (b"# 20201101-20201103\nSessions\n-4\n", "Sessions in report.csv: -4 is less than 0"),
        (b"# 20201101-20201103\n# 20201001-20201003\nSessions\n4\n", "report.csv is of several periods"),
    ],
)
def test_what_is_no_report_is_said_in_a_line(data: bytes, words: str) -> None:
    with pytest.raises(InputError, match=words) as refused:
        read_report(data, "report.csv")
    assert "\n" not in str(refused.value)


def test_a_cell_that_is_too_long_is_said_in_a_line() -> None:
    usual = csv.field_size_limit(1_000)
    try:
        with pytest.raises(InputError, match=r"report.csv is no table: field larger than field limit"):
            read_report(b'Page,Views\n"' + b"x" * 1_001 + b'",4\n', "report.csv")
    finally:
        csv.field_size_limit(usual)


@pytest.mark.parametrize("text", ["many", "1.234", "nan", "1e400", "1,23", "12 users"])
def test_a_typed_figure_that_is_no_number_is_said_in_a_line(text: str) -> None:
    with pytest.raises(InputError, match=r"Sessions: .* is no number\. Allowed: such as 1234 or 1,234"):
        typed_figures({"sessions": text})


def test_typed_figures_are_numbers_as_people_write_them() -> None:
    written = {"sessions": "1,234", "gross": "$1,234.567", "refunds": "-20", "users": " ", "events": "1 234"}
    assert typed_figures(written).totals == {
        "sessions": 1234,
        "gross": 1234.567,
        "refunds": 20,
        "events": 1234,
    }
    with pytest.raises(InputError, match="GA4 has no figure 'clicks'"):
        typed_figures({"clicks": "3"})


def test_a_total_is_explained_by_events_without_an_id_and_days_outside_the_period(tmp_path: Path) -> None:
    engaged = event("u", 0, engagement_time_msec="9000")  # else nothing says who is active
    rows = [engaged, event("u", 1), event(None, 2), event("u", 2 * 86_400), event(None, 3 * 86_400)]
    receipt = shop(tmp_path, *rows).receipt
    [users, events] = compare(
        receipt,
        Ga4Report({"events": 2, "users": 7}, period=(date(2020, 9, 13), date(2020, 9, 14))),
    )[0]
    assert events.why == ("+2 days that the report lacks; +1 without an id: not in GA4's reports")
    assert users.figure.unexplained == -6 and "GA4 models who did not agree" in users.why
    assert "not explained (possible" in users.why


def test_a_report_of_a_day_leaves_out_events_without_an_id(tmp_path: Path) -> None:
    receipt = shop(tmp_path, event("u", 0), event("u", 1), event(None, 2)).receipt
    [events] = compare(receipt, read_report(b"Date,Event count\n20200913,2\n", "report.csv"))[0]
    assert events.why == "+1 without an id: not in GA4's reports"


def test_money_of_several_currencies_is_not_compared(tmp_path: Path) -> None:
    sold = [
        event("u", at, name="purchase", purchase_revenue="5", currency=code)
        for at, code in enumerate(("EUR", "USD"))
    ]
    receipt = shop(tmp_path, event("u", 9), *sold).receipt
    assert compare(receipt, typed_figures({"gross": "10"})) == (
        [],
        ["Gross purchase revenue is not compared: GA4 writes it in the property's currency, and the files "
         "have EUR and USD."],
    )  # fmt: skip


DAYS, LIMIT = 14, 1_200
CUT, SMALL = 4, 8
"""Days, from 0, at the export's limit, and of few users."""


def property_of(hours: int) -> pd.DataFrame:
    """All events of a property whose days begin so many hours before UTC's: 800 a day, but on two."""
    rng = np.random.default_rng(3)
    rows = []
    for day in range(DAYS + 1):
        for visit in range({CUT: 400, SMALL: 3}.get(day, 200)):
            begins = (day * 24 - hours + 23 * rng.random()) * 3600
            user = f"{day}-{visit}" if visit % 9 else f"often-{visit}"
            for step, name in enumerate(("page_view", "page_view", "scroll", "purchase")):
                if name != "purchase" or visit % 20 == 2:
                    rows.append((user, begins + 60 * step, name, f"{day}-{visit}", visit % 12 == 2))
            rows.append((user, begins + 200, "scroll", f"{day}-{visit}", visit % 12 == 2))
    return pd.DataFrame(rows, columns=["user", "second", "name", "session", "denied"])


def files_and_report(causes: tuple[str, ...]) -> tuple[list[Row], bytes]:
    """The export of the property and GA4's report by day, which differ by the causes."""
    hours = 2 if "zone" in causes else 0
    whole = property_of(hours).sort_values("second", ignore_index=True)
    midnight = int(datetime(2020, 9, 1, tzinfo=UTC).timestamp())
    whole["local"] = (whole["second"] // 3600 + hours) // 24
    whole["day"] = whole["second"] // 86_400
    agreed = whole[~whole["denied"]] if "without_id" in causes else whole
    exported = whole[whole["day"].between(0, DAYS - 1)]
    if "limit" in causes:
        rank = exported.groupby("day").cumcount()
        exported = exported[(exported["day"] != CUT) | (rank < LIMIT)]
    if "late" in causes:
        exported = exported[(exported["day"] < DAYS - 1) | (exported.index % 3 > 0)]
    rows = []
    for row in exported.itertuples():
        known = not (row.denied and "without_id" in causes)
        fields = {"transaction_id": row.session, "purchase_revenue": "5", "currency": "EUR"}
        made = event(
            row.user if known else None, 0, name=row.name, engagement_time_msec="9",
            ga_session_id=row.session if known else "", **fields if row.name == "purchase" else {},
        )  # fmt: skip
        rows.append(made | {Raw.EVENT_TIMESTAMP: str(int((midnight + row.second) * 1e6))})
    lines = ["# Start date: 20200901", "# End date: 20200914",
             "Date,Active users,Sessions,Views,Event count,Gross purchase revenue"]  # fmt: skip
    for day, of_day in agreed.groupby("local"):
        if day < DAYS and not ("withheld" in causes and day == SMALL):
            figures = (
                of_day["user"].nunique(),
                of_day["session"].nunique(),
                (of_day["name"] == "page_view").sum(),
                len(of_day),
                5 * (of_day["name"] == "purchase").sum(),
            )
            lines.append(f"{date(2020, 9, 1) + timedelta(int(day)):%Y%m%d}," + ",".join(map(str, figures)))
    return rows, "\n".join(lines).encode()


CAUSES = ("without_id", "limit", "late", "zone", "withheld")


@pytest.mark.parametrize("causes", [(), *((cause,) for cause in CAUSES), CAUSES], ids="+".join)
def test_planted_causes_explain_the_gap_to_a_report_by_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, causes: tuple[str, ...]
) -> None:
    monkeypatch.setattr(clock, "EXPORT_LIMIT", LIMIT)
    rows, report = files_and_report(causes)
    receipt = shop(tmp_path, *rows).receipt
    rest, named = unexplained(receipt, read_report(report, "report.csv"))
    assert {name: share for name, share in rest.items() if share > 0.005} == {}
    assert named - {"once"} == set(causes)


def test_a_gap_of_every_day_stays_unexplained(tmp_path: Path) -> None:
    rows, report = files_and_report(())
    doubled = read_report(report, "x")
    doubled.days = {day: {name: 1.1 * n for name, n in sums.items()} for day, sums in doubled.days.items()}
    rest, named = unexplained(shop(tmp_path, *rows).receipt, doubled)
    assert named == {"late"} and all(0.05 < share < 0.1 for share in rest.values())


def unexplained(receipt: Receipt, report: Ga4Report) -> tuple[Mapping[str, float], set[str]]:
    """Figure → share of it without an explanation; and the causes that are named."""
    found, _ = compare(receipt, report)
    assert [one.figure.name for one in found] == ["users", "sessions", "views", "events", "gross"]
    shares = {one.figure.name: abs(one.figure.unexplained) / one.figure.ga4 for one in found}
    return shares, {cause.cause for one in found[1:] for cause in one.figure.causes}  # users are estimated

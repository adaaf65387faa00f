"""Compare the figures of GA4's own report with those of the files as GA4 counts them, cause by cause.

A report is figures typed in (``sessions=1,234``) or a CSV that GA4 writes, of a standard report or of an
exploration. Totals are explained by the events without an id and the days that only one side has. A report by
day also shows what only some days lack: the daily limit of the export, events that came late, rows that
GA4 withholds, and days that begin at another hour.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Final

from core.base.errors import InputError
from core.storage.receipt import FIGURES, MONEY, AsGa4, Ga4Day, Ga4Figure, GapCause, Receipt

_COLUMNS: Final = {
    "activeusers": "users", "users": "users", "sessions": "sessions", "views": "views",
    "screenpageviews": "views", "eventcount": "events", "events": "events",
    "grosspurchaserevenue": "gross", "totalrevenue": "net", "purchaserevenue": "net",
    "refundamount": "refunds", "refunds": "refunds",
}  # fmt: skip
"""Heading of a report, its letters alone → figure: those of the screen and of Google's Data API."""
_DISTINCT: Final = ("users", "sessions")
"""Figures whose days do not add up to their total: who comes on two days counts on both."""
_TOTALS: Final = ("total", "totals", "grandtotal")
_DAYS: Final = ("date", "day", "nthday")
_PERIOD: Final = re.compile(r"(?<!\d)(20\d\d(?:0\d|1[0-2])[0-3]\d)(?!\d)")
_LATE_DAYS: Final = 3
"""GA4 adds events to a daily table for three days; a table of the day itself (intraday) lacks the rest."""
_WITHHELD_USERS: Final = 50
"""Most active users of a row that GA4 is taken to withhold; Google publishes no number."""
_HOURS: Final = range(-12, 15)
"""Hours before midnight UTC at which days can begin."""
_SMALL: Final = 0.005
"""Largest share of a figure that needs no explanation."""
_FEWEST_DAYS: Final = 3
"""Fewest days from which the hour at which days begin is judged."""
_ESTIMATED: Final = {"users": 0.016, "sessions": 0.032}
"""Figure that GA4 estimates (HyperLogLog++ of precision 14 and 12) → error of 95 in 100 reports."""

_OTHER_DAYS: Final = ("other_days", "Days that the report lacks")
_NO_FILES: Final = ("no_files", "Days that the files lack")
_WITHOUT_ID: Final = ("without_id", "Without an id: not in GA4's reports")
_LIMIT: Final = ("limit", "Beyond the million events a day of an export")
_LATE: Final = ("late", "Late or intraday events of the last days")
_WITHHELD: Final = ("withheld", "Days of few users that GA4 withholds")
_ZONE: Final = ("zone", "Days that begin at another hour")
_ONCE: Final = ("once", "Counted on several days, and here once")

Cause = tuple[str, str]
"""Name and label of a cause."""


@dataclass
class Ga4Report:
    """Figures of GA4's own report.

    Args:
        totals: Figure → its value for the whole period.
        days: Day → figure → value, of a report by day.
        period: First and last day, where the report says.
    """

    totals: dict[str, float] = field(default_factory=dict)
    days: dict[date, dict[str, float]] = field(default_factory=dict)
    period: tuple[date, date] | None = None

    def __or__(self, other: Ga4Report) -> Ga4Report:
        """Return both; where both have a figure that of ``other``."""
        days = {day: self.days.get(day, {}) | other.days.get(day, {}) for day in {*self.days, *other.days}}
        return Ga4Report(self.totals | other.totals, days, other.period or self.period)


def typed_figures(written: Mapping[str, str]) -> Ga4Report:
    """Read typed-in totals: figure → number as written; empty ones are left out.

    Raises:
        InputError: If a figure is none of GA4's, or its value no number.
    """
    for name in written:
        if name not in FIGURES:
            raise InputError(f"GA4 has no figure {name!r}", allowed=", ".join(FIGURES))
    return Ga4Report({name: _number(text, name) for name, text in written.items() if text.strip()})


def read_report(data: bytes, name: str) -> Ga4Report:
    """Read a CSV of GA4: a standard report or an exploration, with its ``#`` lines or without.

    Rows by another dimension than the day are added up, if there is no row of totals; users and sessions
    cannot be, and are left out.

    Raises:
        InputError: If it holds no figure, figures of two periods, or a value that is no number.
    """
    is_utf_16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))  # as spreadsheets save text
    lines = data.decode("utf-16" if is_utf_16 else "utf-8-sig", "replace").splitlines()
    days = sorted(
        _day(text, name=name) for line in lines if line.startswith("#") for text in _PERIOD.findall(line)
    )
    if len(set(days)) > 2:
        raise InputError(
            f"{name} is of several periods: {', '.join(map(str, days[:6]))}",
            allowed="figures of one period",
            remedy="Download it again without the comparison of date ranges",
        )
    report = Ga4Report(period=(days[0], days[-1]) if days else None)
    known = False
    for block in _blocks(lines):
        try:
            table = list(csv.reader(block, delimiter=max(",;\t", key=block[0].count)))
        except csv.Error as error:
            raise InputError(f"{name} is no table: {error}", allowed="a CSV that GA4 wrote") from error
        figures = {at: _COLUMNS[letters] for at, text in enumerate(table[0])
                   if (letters := _letters(text)) in _COLUMNS}  # fmt: skip
        known = known or bool(figures)
        report |= _of_table(table, figures, report.period, name)
    if not known:
        raise InputError(
            f"{name} holds no figure of GA4",
            allowed="a CSV with columns such as Active users, Sessions, Views, Event count or Date",
            remedy="Download the report as CSV while GA4 is in English, or type the figures in",
        )
    return report


def _blocks(lines: Iterable[str]) -> list[list[str]]:
    """Tables of a report: lines without a comment or an empty line between them."""
    blocks: list[list[str]] = [[]]
    for line in lines:
        if line.startswith("#") or not line.strip(",; \t"):
            blocks.append([])
        else:
            blocks[-1].append(line)
    return [block for block in blocks if block]


def _of_table(
    table: Sequence[Sequence[str]], figures: Mapping[int, str], period: tuple[date, date] | None, name: str
) -> Ga4Report:
    head, *rows = table
    by_day = next((at for at, text in enumerate(head) if _letters(text) in _DAYS), None)
    sums: dict[date | None, list[dict[str, float]]] = {}
    totals: dict[str, float] = {}
    for row in rows:
        values = {
            figure: _number(row[at], figure, f" in {name}") for at, figure in figures.items()
            if at < len(row) and row[at].strip() and _letters(row[at]) not in _TOTALS
        }  # fmt: skip
        if any(_letters(cell) in _TOTALS for cell in row):
            totals = values
        elif values:
            day = None if by_day is None else _day("".join(row[by_day : by_day + 1]), period, name)
            sums.setdefault(day, []).append(values)
    whole = totals or _added(sums.pop(None, [{}]))
    days = {day: _added(parts) for day, parts in sums.items() if day is not None}
    return Ga4Report({} if days else whole, days)


def _added(parts: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Sums over rows; of users and sessions only where it is a single row."""
    names = [name for name in parts[0] if len(parts) == 1 or name not in _DISTINCT]
    return {name: sum(part.get(name, 0.0) for part in parts) for name in names}


def _letters(text: str) -> str:
    return re.sub(r"[^a-z]", "", text.lower())


def _number(text: str, figure: str, where: str = "") -> float:
    """Parse a number; of a count without a fraction, so that 1.234 is not taken for one.

    Args:
        text: The number as written.
        figure: What it counts, a key of :data:`FIGURES`.
        where: Where it stands, for the message.
    """
    plain = re.sub(r"\s", "", text).lstrip("$€£¥")
    fraction = r"(\.\d+)?" if figure in MONEY else r"(\.0{1,2})?"
    if not re.fullmatch(rf"-?(\d{{1,3}}(,\d{{3}})+|\d{{1,15}}){fraction}", plain):
        raise InputError(
            f"{FIGURES[figure]}{where}: {text.strip()[:40]!r} is no number", allowed="such as 1234 or 1,234"
        )
    number = float(plain.replace(",", ""))
    if number < 0 and figure not in MONEY:
        raise InputError(f"{FIGURES[figure]}{where}: {plain} is less than 0", allowed="a count")
    return abs(number) if figure == "refunds" else number


def _day(text: str, period: tuple[date, date] | None = None, name: str = "") -> date:
    """Day of a cell: ``20261103``, ``2026-11-03``, or the number of a day of the period."""
    digits = text.strip().replace("-", "")
    try:
        if re.fullmatch(r"\d{1,4}", text.strip()) and period:
            day = period[0] + timedelta(int(digits))
            if day > period[1]:
                raise ValueError("after the period")
            return day
        return datetime.strptime(digits, "%Y%m%d").replace(tzinfo=UTC).date()
    except ValueError as error:
        raise InputError(
            f"{name}: {text.strip()[:40]!r} is no day", allowed="such as 20261103 or 2026-11-03"
        ) from error


@dataclass(frozen=True)
class Compared:
    """A figure of GA4's report beside that of the files as GA4 counts.

    Args:
        figure: The report's value as ``ga4``, that of the files as ``ours``, and the causes of the gap.
        by_day: Whether the report's value is the sum of its days.
        possible: What may explain the rest, in words.
    """

    figure: Ga4Figure
    by_day: bool
    possible: tuple[str, ...]

    @property
    def title(self) -> str:
        """What is counted."""
        summed = self.by_day and self.figure.name in _DISTINCT
        return self.figure.title + (", days added up" if summed else "")

    @property
    def why(self) -> str:
        """The causes, and what may explain the rest."""
        maybe = f" (possible: {'; '.join(self.possible)})" if self.possible else ""
        return (self.figure.reasons or "the same") + maybe


def compare(receipt: Receipt, report: Ga4Report) -> tuple[list[Compared], list[str]]:
    """Explain the gap between a report of GA4 and the files, a figure at a time.

    Returns:
        The figures, and a sentence for each that cannot be compared.

    Raises:
        InputError: If the files were not counted as GA4 does.
    """
    counted = receipt.as_ga4
    if counted is None:
        raise InputError(
            "These data hold only some of the users, or were read by an earlier release",
            remedy="Compare where all users of the files are counted",
        )
    comparison, compared, notes = _Comparison(receipt, counted, report), [], []
    for name in FIGURES:
        if name not in report.totals and not any(name in sums for sums in report.days.values()):
            continue
        figures = [figure for figure in counted.figures if figure.name == name]
        figures = [figure for figure in figures if figure.ga4] or figures[:1]
        if len(figures) == 1:
            compared.append(comparison.explained(figures[0]))
        elif name == "users":
            notes.append(f"{FIGURES[name]} is not compared: these records do not say who is active to GA4.")
        else:
            currencies = " and ".join(figure.currency for figure in figures) or "no purchase"
            notes.append(
                f"{FIGURES[name]} is not compared: GA4 writes it in the property's currency, and the files "
                f"have {currencies}."
            )
    return compared, notes


def reconcile(receipt: Receipt, report: Ga4Report) -> list[str]:
    """Lines to print: each figure by GA4's report, in these files as GA4 counts, and here."""
    compared, notes = compare(receipt, report)
    reported = {(one.figure.name, one.figure.currency): one for one in compared}
    lines = []
    for figure in receipt.as_ga4.figures if receipt.as_ga4 else ():
        beside = reported.get((figure.name, figure.currency))
        if beside:
            said = beside.figure.amount(beside.figure.ga4)
            lines.append(f"{beside.title}: {said} in GA4's report, to these files {beside.why}.")
        here = f"{figure.amount(figure.ga4)} in these files as GA4 counts, {figure.amount(figure.ours)} here"
        lines.append(f"{figure.title}: {here}: {figure.reasons or 'the same'}.")
    return [*lines, *notes]


@dataclass(frozen=True)
class _Comparison:
    receipt: Receipt
    counted: AsGa4
    report: Ga4Report

    def explained(self, figure: Ga4Figure) -> Compared:
        """Explain the gap of a figure, by day if the report gives it by day alone."""
        by_day = {day: sums[figure.name] for day, sums in self.report.days.items() if figure.name in sums}
        total = self.report.totals.get(figure.name)
        reported = sum(by_day.values()) if total is None else total
        causes = self._by_day(figure, by_day) if total is None else self._of_total(figure, total)
        rounded = [(cause, label, round(change, 6)) for (cause, label), change in causes.items()]
        gap = Ga4Figure(
            name=figure.name, currency=figure.currency, ga4=round(reported, 6), ours=figure.ga4,
            causes=tuple(GapCause(cause=cause, label=label, change=n) for cause, label, n in rounded if n),
        )  # fmt: skip
        return Compared(gap, total is None, tuple(self._possible(gap, by_day=total is None)))

    def _of_total(self, figure: Ga4Figure, reported: float) -> dict[Cause, float]:
        """Causes of the gap of a total: days outside the report's period, and events without an id."""
        days, period = self.counted.days, self.report.period
        if figure.name in _DISTINCT or not days:
            return {}
        first, last = period or (min(days), max(days))
        inside = [counts for day, counts in days.items() if first <= day <= last]
        outside = sum(_amount(figure, counts) for counts in days.values()) - sum(
            _amount(figure, counts) for counts in inside
        )
        without_id = sum(_without_id(figure, counts) for counts in inside)
        left = figure.ga4 - outside - reported
        return {_OTHER_DAYS: outside, _WITHOUT_ID: without_id if abs(left - without_id) < abs(left) else 0.0}

    def _by_day(self, figure: Ga4Figure, reported: Mapping[date, float]) -> dict[Cause, float]:
        """Causes of the gap of the sum over days."""
        causes: dict[Cause, float] = dict.fromkeys(
            (_OTHER_DAYS, _NO_FILES, _WITHHELD, _ZONE, _WITHOUT_ID, _LIMIT, _LATE, _ONCE), 0.0
        )
        days = self.counted.days
        first, last = self.report.period or (min(reported), max(reported))
        leaves_out_ids, shifted = self._leaves_out_ids(figure), self._moved(figure)
        for day in {*days, *reported}:
            counted = _amount(figure, days[day]) if day in days else 0.0
            if day not in reported:
                few = first <= day <= last and days[day].users <= _WITHHELD_USERS
                causes[_WITHHELD if few else _OTHER_DAYS] += counted
            elif day not in days:
                causes[_NO_FILES] -= reported[day]
            else:
                moved = shifted.get(day, 0.0)
                without_id = _without_id(figure, days[day]) if leaves_out_ids else 0.0
                causes[_ZONE] += moved
                causes[_WITHOUT_ID] += without_id
                missing = reported[day] - (counted - moved - without_id)
                if missing > 0 and (cause := self._of_missing(day)):
                    causes[cause] -= missing
        if figure.name in _DISTINCT:
            causes[_ONCE] = figure.ga4 - sum(_amount(figure, counts) for counts in days.values())
        return causes

    def _of_missing(self, day: date) -> Cause | None:
        """Why the files have less than the report on a day; None where nothing is known of it."""
        own, best = self._shift or (0, 0)
        if best != own and day == self._both[0 if best > own else -1]:
            return _ZONE  # the first or last hours of the day are not in the files
        if day in self._cut or (best > own and day - timedelta(1) in self._cut):
            return _LIMIT
        return _LATE if day in self._late else None

    @cached_property
    def _cut(self) -> set[date]:
        return {_day(day) for day in self.receipt.truncated_days}

    @cached_property
    def _late(self) -> list[date]:
        return sorted(self.counted.days)[-_LATE_DAYS:]

    @cached_property
    def _both(self) -> list[date]:
        return sorted(self.counted.days.keys() & self.report.days.keys())

    @cached_property
    def _regular(self) -> list[date]:
        """Days of both sides of which nothing need be missing; all of them if there is no such day."""
        whole = [day for day in self._both if day not in self._late and day not in self._cut]
        return whole or self._both

    def _reported(self, name: str, day: date) -> float:
        return self.report.days[day].get(name, 0.0)

    def _leaves_out_ids(self, figure: Ga4Figure) -> bool:
        """Whether the report comes closer without the events that have no id."""
        days = self.counted.days
        gap = sum(_amount(figure, days[day]) - self._reported(figure.name, day) for day in self._regular)
        return abs(gap - sum(_without_id(figure, days[day]) for day in self._regular)) < abs(gap)

    @property
    def _counts(self) -> list[Ga4Figure]:
        """The figures of events and of views, in this order."""
        return [one for name in ("events", "views") for one in self.counted.figures if one.name == name]

    @cached_property
    def _shift(self) -> tuple[int, int] | None:
        """Hours before midnight UTC at which days of the files and of the report begin; None for the same.

        The hour is that with the smallest gaps of events (else of views) over the regular days, if they are
        less than half of those of the files' own days.
        """
        names = {name for sums in self.report.days.values() for name in sums}
        figure = next((one for one in self._counts if one.name in names), None)
        if figure is None or len(self._regular) < _FEWEST_DAYS or not self.counted.by_hour:
            return None
        leaves_out_ids, days = self._leaves_out_ids(figure), self.counted.days
        wanted = {
            day: self._reported(figure.name, day)
            - (0.0 if leaves_out_ids else _without_id(figure, days[day]))
            for day in self._regular
        }
        with_id = {day: _amount(figure, n) - _without_id(figure, n) for day, n in days.items()}
        own = min(_HOURS, key=lambda hours: (self._gap(figure.name, hours, with_id), abs(hours)))
        best = min(_HOURS, key=lambda hours: (self._gap(figure.name, hours, wanted), abs(hours - own)))
        closer = 2 * self._gap(figure.name, best, wanted) < self._gap(figure.name, own, wanted)
        return (own, best) if closer else None

    def _gap(self, name: str, hours: int, wanted: Mapping[date, float]) -> float:
        begun = self._days_from(name, hours)
        return sum(abs(amount - begun[day]) for day, amount in wanted.items())

    def _days_from(self, name: str, hours: int) -> Counter[date]:
        """Sums of what :attr:`AsGa4.by_hour` names over days that begin so many hours before midnight UTC."""
        sums: Counter[date] = Counter()
        for day, by_hour in self.counted.by_hour.get(name, {}).items():
            for hour, amount in enumerate(map(float, by_hour.split())):
                sums[day + timedelta((hour + hours) // 24)] += amount  # type: ignore[assignment] # of money
        return sums

    def _moved(self, figure: Ga4Figure) -> dict[date, float]:
        """Day → how much more the files have on it than where days begin as in the report.

        Users move in proportion to begun sessions.
        """
        if not self._shift:
            return {}
        if figure.name == "net":
            gross, refunds = (
                self._moved(figure.model_copy(update={"name": n})) for n in ("gross", "refunds")
            )
            return {day: gross.get(day, 0.0) - refunds.get(day, 0.0) for day in {*gross, *refunds}}
        name = f"{figure.name} {figure.currency}".strip()
        ours, theirs = (self._days_from("sessions" if name == "users" else name, n) for n in self._shift)
        share = {
            day: counts.users / ours[day] if name == "users" and ours[day] else 1.0
            for day, counts in self.counted.days.items()
        }
        return {day: share[day] * (ours[day] - theirs[day]) for day in share}

    def _possible(self, gap: Ga4Figure, *, by_day: bool) -> Iterator[str]:
        """What may explain a rest of more than half a percent."""
        rest, days = gap.unexplained, self.counted.days
        if abs(rest) <= _SMALL * abs(gap.ga4):
            return
        estimate = _ESTIMATED.get(gap.name)
        if estimate and abs(rest) <= estimate * gap.ga4:
            yield f"GA4 estimates {gap.name}, within {estimate:.1%}"
        if rest > 0:
            yield "GA4 withholds rows of few users, or takes a person's devices together"
            return
        if gap.name in _DISTINCT and any(counts.events_without_id for counts in days.values()):
            yield "GA4 models who did not agree to cookies"
        if not by_day:
            cut = ", ".join(map(str, sorted(self._cut)))
            yield from [f"events beyond the million of an export on {cut}"] if cut else []
            yield "events that came late; a report by day shows which"


def _amount(figure: Ga4Figure, counts: Ga4Day, part: str = "") -> float:
    """A figure on a day of the files, or the part of it named by a suffix of the day's fields."""
    if figure.name == "net":
        gross, refunds = (figure.model_copy(update={"name": name}) for name in ("gross", "refunds"))
        return _amount(gross, counts, part) - _amount(refunds, counts, part)
    value = getattr(counts, figure.name + part, 0)
    return float(value.get(figure.currency, 0.0) if isinstance(value, dict) else value)


def _without_id(figure: Ga4Figure, counts: Ga4Day) -> float:
    return _amount(figure, counts, "_without_id")

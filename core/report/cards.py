"""One card a segment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pandas as pd

from core.base import wording
from core.base.local_clock import LocalClock
from core.base.schema import Users
from core.data.sequences import UserSequences
from core.differences.in_words import in_words
from core.differences.table import Diff, leading
from core.differences.user_items import Family
from core.profiles import formats
from core.profiles.profile_columns import Col, PageRanking, RowKind
from core.report import profile_tables
from core.report.model import Bar, BarChart, Card, CardMetric, DifferenceRow, PageRow
from core.report.visitors import PageNames, visitor
from core.report.ways_part import Parts

FACTS: Final = (
    Col.PAGE_VIEWS_MEAN,
    Col.PAGE_VIEWS_MEDIAN,
    Col.SESSIONS_MEAN,
    Col.DIFFERENT_PAGES_MEAN,
    Col.ENGAGEMENT_MEAN,
    Col.OUTCOME_RATE,
    Col.REVENUE_PER_USER,
)
NAMES: Final = {
    Col.PAGE_VIEWS_MEAN: "page views a user",
    Col.PAGE_VIEWS_MEDIAN: "median page views",
    Col.SESSIONS_MEAN: "sessions a user",
    Col.DIFFERENT_PAGES_MEAN: "different pages a user",
    Col.ENGAGEMENT_MEAN: "engaged time a user",
    Col.OUTCOME_RATE: "outcome rate",
    Col.REVENUE_PER_USER: "revenue a user",
}
DIMENSIONS: Final = {
    Users.DEVICE: "Device",
    Users.BROWSER: "Browser",
    Users.COUNTRY: "Country",
    Users.SOURCE: "First-touch source",
}
MOST_PAGES, MOST_BARS = 10, 5


def others(differences: pd.DataFrame) -> dict[tuple[str, str], tuple[float, int]]:
    """Row and column of the segments table → the same of the other clustered users, and how many they are."""
    about = differences[differences[Diff.FAMILY].isin([Family.MEASURE, Family.OUTCOME])]
    field = about[Diff.ITEM].where(about[Diff.FAMILY] == Family.MEASURE, Col.OUTCOME_RATE)
    keys = zip(about[Col.KEY], field, strict=True)
    values = zip(about[Diff.REST_VALUE].tolist(), about[Col.REST_N].tolist(), strict=True)
    found: dict[tuple[str, str], tuple[float, int]] = {}
    for key, value in zip(keys, values, strict=True):
        found.setdefault(key, value)  # the main outcome comes first
    return found


class CardMaker:
    """Makes cards from the tables of a run.

    Args:
        described: :meth:`core.profiles.metrics.Profiles.to_dict`.
        differences: The table of :mod:`core.differences.table`.
        called: Row → what it is called.
        pages: What to call pages.
        sequences: Page views of all users, for the examples.
        at: The clock of their times.
    """

    def __init__(
        self,
        described: Mapping[str, Any],
        differences: pd.DataFrame,
        called: Mapping[str, str],
        pages: PageNames,
        sequences: UserSequences,
        at: LocalClock,
    ) -> None:
        self._called, self._pages, self._sequences, self._at = called, pages, sequences, at
        self._top, self._shares = described["top_pages"], described["shares"]
        self._everyone = next(row for row in described["segments"] if row[Col.KIND] == RowKind.ALL)
        self._others = others(differences)
        self._outcome, self._differences = described["outcome"], differences

    def card(
        self, row: Mapping[str, Any], examples: Sequence[int], ways: Parts, reason: str = "", sure: str = "",
        moves: Sequence[str] = (), rule: str = "", next_pages: str = "",
    ) -> Card:  # fmt: skip
        """The card of a segment.

        Args:
            row: Its row of the segments table.
            examples: Indices of typical users.
            ways: How they move, as tables.
            reason: Why it is called so.
            sure: How sure it is.
            moves: Steps that more or fewer of its users take than others.
            rule: It in a few conditions.
            next_pages: What its users are pointed to next.
        """
        return Card(
            segment=row[Col.SEGMENT],
            name=self._called[row[Col.KEY]],
            reason=reason,
            sure=sure,
            rule=rule,
            next_pages=next_pages,
            users=row[Col.USERS],
            share=row[Col.SHARE],
            facts=self._facts(row),
            differences=self._leading(row[Col.KEY]),
            moves=tuple(moves),
            pages=self._page_rows(row[Col.KEY]),
            dimensions=tuple(self._dimension(row[Col.KEY], name, DIMENSIONS[name]) for name in DIMENSIONS),
            ways=ways,
            visitors=tuple(
                visitor(self._sequences, self._pages, user, f"Typical visitor {number}", self._at)
                for number, user in enumerate(examples, start=1)
            ),
        )

    def _facts(self, row: Mapping[str, Any]) -> tuple[CardMetric, ...]:
        named = {**NAMES, Col.OUTCOME_RATE: f"of users with {self._outcome}"}
        return tuple(
            CardMetric(named[field], formats.of_row(row, field), self._of_others(row[Col.KEY], field))
            for field in profile_tables.present([self._everyone], FACTS)
        )

    def _of_others(self, key: str, field: str) -> str:
        value, n = self._others.get((key, field), (None, 0))
        return "" if value is None else formats.figure(field, value, n)

    def _leading(self, key: str) -> tuple[DifferenceRow, ...]:
        own = leading(self._differences, key)
        words = in_words(own)
        return tuple(
            DifferenceRow(role, row["what"], row["here"], row["others"], row["difference"])
            for role, row in zip(own[Diff.ROLE], words.to_dict("records"), strict=True)
        )

    def _page_rows(self, key: str) -> tuple[PageRow, ...]:
        listed = [row for row in self._top if row[Col.KEY] == key and row[Col.RANKING] == PageRanking.OVER]
        return tuple(
            PageRow(
                title=self._pages.short_title(row[Col.PAGE]),
                address=self._pages.address(row[Col.PAGE]),
                share=row[Col.SHARE],
                rest=row[Col.REST_SHARE] or 0.0,
                lift=wording.lift(row[Col.LIFT]) if row[Col.REST_SHARE] else "only here",
            )
            for row in listed[:MOST_PAGES]
        )

    def _dimension(self, key: str, attribute: str, label: str) -> BarChart:
        rows = [row for row in self._shares if row[Col.KEY] == key and row[Col.ATTRIBUTE] == attribute]
        listed = [row for row in rows if not row[Col.IS_OTHER] and row[Col.USERS]]
        listed.sort(key=lambda row: -row[Col.SHARE])
        bars = tuple(Bar(row[Col.VALUE], row[Col.SHARE], row[Col.REST_SHARE]) for row in listed[:MOST_BARS])
        absent = rows[0][Col.ABSENT] if rows else 0
        return BarChart(label, bars, f"Not known for {wording.counted(absent, 'user')}." if absent else "")

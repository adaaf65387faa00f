"""One card a segment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

from core.base import wording
from core.base.schema import Users
from core.data.source_basis import basis_of, describe_bases
from core.differences.in_words import in_words
from core.differences.table import Diff, leading
from core.differences.user_items import Family
from core.naming.fitting import reason
from core.profiles import formats
from core.profiles.profile_columns import Col, PageRanking, RowKind
from core.profiles.samples import medoids
from core.profiles.shares import TITLES
from core.report import profile_tables
from core.report.model import Bar, BarChart, Card, CardMetric, DifferenceRow, PageRow
from core.report.source import ReportInput
from core.report.visitors import PageNames, visitor
from core.report.ways_part import WaysMaker

FACTS: Final = {
    Col.PAGE_VIEWS_MEAN: "page views a user", Col.PAGE_VIEWS_MEDIAN: "median page views",
    Col.SESSIONS_MEAN: "sessions a user", Col.DIFFERENT_PAGES_MEAN: "different pages a user",
    Col.ENGAGEMENT_MEAN: "engaged time a user", Col.OUTCOME_RATE: "of users with {}",
    Col.REVENUE_PER_USER: "gross revenue a user",
}  # fmt: skip
"""Column → what it is called; the outcome stands at ``{}``."""
MOST_PAGES, MOST_BARS = 10, 5
EXAMPLES: Final = 2
"""Typical visitors a segment."""
MOVES: Final = 5
"""Steps a segment, of those that more or fewer take than the others."""


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


def cards(source: ReportInput, described: Mapping[str, Any], called: Mapping[str, str]) -> tuple[Card, ...]:
    """The cards, by segment.

    Args:
        source: What the report is made from.
        described: :meth:`core.profiles.metrics.Profiles.to_dict`.
        called: Row → what it is called.
    """
    maker = _CardMaker(source, described, called)
    segments = [row for row in described["segments"] if row[Col.KIND] == RowKind.SEGMENT]
    return tuple(maker.card(place, row) for place, row in enumerate(segments))


class _CardMaker:
    def __init__(
        self, source: ReportInput, described: Mapping[str, Any], called: Mapping[str, str]
    ) -> None:  # fmt: skip
        self._source, self._called, self._top = source, called, described["top_pages"]
        self._shares, self._outcome = described["shares"], described["outcome"]
        self._everyone = next(row for row in described["segments"] if row[Col.KIND] == RowKind.ALL)
        self._differences, self._others = source.differences, others(source.differences)
        self._source_basis = describe_bases(basis_of(source.dataset.users))
        self._pages, sequences = PageNames(source.dataset.pages), source.dataset.sequences
        self._ways = WaysMaker.of(source.moves, sequences, source.profiles) if source.moves else None
        self._typical = medoids(source.vectors, source.partition, sequences.lengths, EXAMPLES)
        self._names = {one: called[f"segment:{one}"] for one in source.partition.ids.tolist()}
        told = source.journeys.get("segments", ())
        self._moves = {one["cluster"]: [step["text"] for step in one["differing"][:MOVES]] for one in told}

    def card(self, place: int, row: Mapping[str, Any]) -> Card:
        """The card of a segment, by its place among the rows and its row of the segments table."""
        source, segment, key = self._source, row[Col.SEGMENT], row[Col.KEY]
        name, sure = source.names.get(segment), source.certificates.get(segment)
        sequences, at = source.dataset.sequences, source.dataset.receipt.clock
        return Card(
            segment=segment,
            name=self._called[key],
            reason=reason(name) if name else "",
            sure=sure.sentence(self._names) if sure else "",
            rule=source.rules.get(segment, ""),
            next_pages=source.next_pages.get(segment, ""),
            users=row[Col.USERS],
            share=row[Col.SHARE],
            facts=self._facts(row),
            differences=self._leading(key),
            moves=tuple(self._moves.get(segment, ())),
            pages=self._page_rows(key),
            dimensions=tuple(self._dimension(key, name, label) for name, label in TITLES.items()),
            ways=self._ways.parts(place) if self._ways else (),
            visitors=tuple(
                visitor(sequences, self._pages, user, f"Typical visitor {number}", at)
                for number, user in enumerate(self._typical[segment].tolist(), start=1)
            ),
        )

    def _facts(self, row: Mapping[str, Any]) -> tuple[CardMetric, ...]:
        named = [(field, FACTS[field]) for field in profile_tables.present([self._everyone], list(FACTS))]
        return tuple(
            CardMetric(
                label.format(self._outcome), formats.of_row(row, field), self._of_others(row[Col.KEY], field)
            )
            for field, label in named
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
        known = f"Not known for {wording.counted(absent, 'user')}." if absent else ""
        basis = self._source_basis if attribute == Users.SOURCE and bars else ""
        return BarChart(label, bars, " ".join(filter(None, (known, basis))))

"""The cards of the report, one for each segment, with their parts: metrics, example visitors and steps.

``ReportInput`` is what the whole report is made from. Example visitors are real people, session by session,
without their ids.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pandas as pd

from core.base import wording
from core.base.attributes import titles_of
from core.base.local_clock import LocalClock
from core.base.schema import Pages, Users
from core.base.wording import common_origin, common_suffix, pluralise, short_address
from core.journeys.flow import ROUTE, Routes
from core.journeys.funnel_table import CountedFunnel
from core.journeys.moves import FROM, STEPS, TO, Moves, StepCounts
from core.journeys.step_table import MoveCol, step_table
from core.journeys.survival import TimeToOutcome, time_to_outcome
from core.profiles import profile_columns
from core.profiles.difference_words import in_words
from core.profiles.differences import Diff, top_differences
from core.profiles.facets import Facets
from core.profiles.metrics import CLIP, Profiles
from core.profiles.name_fitting import CurrentName, reason
from core.profiles.outcomes import OutcomeRecord
from core.profiles.profile_columns import FIELDS, Col, Field, PageRanking, RowKind
from core.profiles.rows import Rows
from core.profiles.samples import medoids
from core.profiles.user_items import Family
from core.runs.report.charts import Curve, time_curves
from core.runs.report.living import Living
from core.runs.report.model import (
    Bar,
    BarChart,
    Card,
    CardMetric,
    Cell,
    DifferenceRow,
    HeatRow,
    PageRow,
    ReportChart,
    SampledView,
    Session,
    Table,
    Visitor,
)
from core.segments.certificate import Certificate
from core.segments.layout import Layout
from core.segments.partition import Partition
from core.storage.dataset import Dataset
from core.storage.receipt import count_user_bases, describe_bases
from core.storage.sequences import UserSequences


@dataclass(frozen=True, eq=False)
class ReportInput:
    """Everything that a report is made from.

    Args:
        dataset: The preprocessed export.
        profiles: What each segment is like.
        differences: How each segment differs from the others (:mod:`core.profiles.differences`).
        moves: All steps between places that can be read; None where they could not be made.
        partition: The segments.
        vectors: float32 of shape (n_users, d), the mixed vectors that were clustered.
        names: Segment → what it is called, and why; a segment without a name is called by its number.
        settings: Part of a run → its settings.
        versions: Package → version.
        facts: Label → text of what else is told about the clustering.
        layout: The map; principal components when None.
        verdict: Whether the users form segments, in a sentence; empty where that was not measured.
        certificates: Segment → how sure it is, where that was measured.
        journeys: The steps of each segment as plain data (:mod:`core.journeys.step_table`).
        rules: Segment → its rule in words, where one was searched for.
        funnels: Funnels that the analyst asked for, counted.
        next_pages: Segment → the next pages suggested to its users, in words.
        facets: How users differ; None where that could not be found.
        outcome_told: Whether a facet or the segments tell the outcome better, in words.
        outcome_warning: That the model has read pages that give the outcome away, in words, if it has.
        advice: What to do, a line each.
        living: The segments by other settings; None where the report cannot be moved.
    """

    dataset: Dataset
    profiles: Profiles
    differences: pd.DataFrame
    moves: Moves | None
    partition: Partition
    vectors: np.ndarray
    names: Mapping[int, CurrentName]
    settings: Mapping[str, Mapping[str, Any]]
    versions: Mapping[str, str]
    facts: Mapping[str, str]
    layout: Layout | None = None
    verdict: str = ""
    certificates: Mapping[int, Certificate] = field(default_factory=dict)
    journeys: Mapping[str, Any] = field(default_factory=dict)
    rules: Mapping[int, str] = field(default_factory=dict)
    funnels: Sequence[CountedFunnel] = ()
    next_pages: Mapping[int, str] = field(default_factory=dict)
    facets: Facets | None = None
    outcome_told: str = ""
    outcome_warning: str = ""
    advice: Sequence[str] = ()
    living: Living | None = None


LABELS: Final = {
    **{field.field: field.label for field in FIELDS},
    Col.PAGE_VIEWS_MEDIAN: "Median",
    Col.ENGAGEMENT_MEAN: "Engaged time a user",
    Col.OUTCOME_RATE: "Outcome rate",
}
HEAT_NOTE: Final = (
    "Blue is above the other clustered users, orange below. Full colour is "
    f"{CLIP} standard deviations of a user or more; 0.2 is small, 0.8 is large."
)


def present(rows: Iterable[Mapping[str, Any]], fields: Sequence[str]) -> tuple[str, ...]:
    """Those of ``fields`` (columns) of which at least one row has a value, in order."""
    listed = list(rows)
    return tuple(field for field in fields if any(row[field] is not None for row in listed))


def metrics(heatmap: Iterable[Mapping[str, Any]]) -> tuple[Field, ...]:
    """The fields that are columns of the heat-map, in order; ``heatmap``: its cells as records."""
    full = {field.field: field for field in FIELDS}
    return tuple(full[name] for name in dict.fromkeys(row[Col.METRIC] for row in heatmap))


def heat_rows(heatmap: Iterable[Mapping[str, Any]], called: Mapping[str, str]) -> tuple[HeatRow, ...]:
    """Rows of the heat-map: one a segment, with a cell a metric; ``called``: row key → title."""
    cells: dict[int, list[Cell]] = {}
    names: dict[int, str] = {}
    for row in heatmap:
        if row[Col.KIND] == RowKind.SEGMENT:
            names[row[Col.SEGMENT]] = called[row[Col.KEY]]
            cells.setdefault(row[Col.SEGMENT], []).append(_cell(row))
    return tuple(HeatRow(segment, names[segment], tuple(cells[segment])) for segment in cells)


def _cell(row: Mapping[str, Any]) -> Cell:
    z, n = row[Col.Z], row[Col.N]
    hint = "" if z is None else f"{z:+.2f} standard deviations; n = {wording.number(n)}"
    return Cell(
        profile_columns.figure(row[Col.METRIC], row[Col.VALUE]), None if z is None else z / CLIP, hint
    )


def settings(values: Mapping[str, Any]) -> Table:
    """Table of nested settings: two columns, name and value; names of levels are joined by dots."""
    return Table((), tuple(_flat(values)))


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}".replace("_", " "), _said(value)


def _said(value: Any) -> str:  # noqa: ANN401 - whatever a setting is
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(_said(one) for one in value) or "none"
    return "not set" if value is None else str(value)


_SHOWN_SESSIONS: Final = 3
_SHOWN_STEPS: Final = 10
_WAIT_ENDS: Final = (10, 60, 300, 1800)
"""Seconds at which the next of :data:`_WAITS` begins."""
_WAITS: Final = ("some seconds", "under 1 min", "1 to 5 min", "5 to 30 min", "over 30 min")


class PageNames:
    """Names of pages for the report.

    Args:
        pages: The page table (:class:`core.base.schema.Pages`), in index order.
    """

    def __init__(self, pages: pd.DataFrame) -> None:
        self._addresses: list[str] = pages[Pages.PAGE_LOCATION].tolist()
        self._titles: list[str] = pages[Pages.PAGE_TITLE].fillna("").tolist()
        self._origin = common_origin(self._addresses)
        self._ending = common_suffix([title for title in self._titles if title])

    def address(self, page: int) -> str:
        """The address of a page, without the origin that all pages share."""
        return short_address(self._addresses[page], self._origin)

    def title(self, page: int) -> str:
        """The title of a page, or its address where there is none."""
        return self._titles[page] or self.address(page)

    def short_title(self, page: int) -> str:
        """The title of a page without the ending that most titles share."""
        return self.title(page).removesuffix(self._ending) or self.title(page)


def visitor(sequences: UserSequences, names: PageNames, user: int, label: str, at: LocalClock) -> Visitor:
    """An example visitor: a user's first sessions, each with its first pages.

    Args:
        sequences: Page views of all users.
        names: Names of the pages.
        user: Index of the user.
        label: What to call the user.
        at: Local clock of weekdays and parts of the day; exact times would tell who it is.
    """
    span = slice(int(sequences.offsets[user]), int(sequences.offsets[user + 1]))
    session = sequences.session[span]
    starts = np.flatnonzero(np.diff(session, prepend=-1))
    ends = np.append(starts[1:], len(session))
    times = sequences.timestamp[span]
    shown = [
        _session(names, sequences.page[span][begin:end], times[begin:end], _when(times[0], times[begin], at))
        for begin, end in zip(starts[:_SHOWN_SESSIONS], ends[:_SHOWN_SESSIONS], strict=True)
    ]
    summary = f"{pluralise(len(session), 'page view')} in {pluralise(len(starts), 'session')}"
    return Visitor(label, summary, tuple(shown), more=len(starts) - len(shown))


def _when(first: int, now: int, at: LocalClock) -> str:
    """Part of the day on which a session begins, with the weekday, or the days since the first session."""
    began, day = at.moment(first), at.moment(now)
    part = ("night", "morning", "afternoon", "evening")[day.hour // 6]
    later = (day.date() - began.date()).days
    return f"{pluralise(later, 'day')} later, {part}" if later else f"{day:%A}, {part}"


def _session(names: PageNames, pages: np.ndarray, times: np.ndarray, when: str) -> Session:
    waits = [_WAITS[np.searchsorted(_WAIT_ENDS, wait / 1e6, side="right")] for wait in np.diff(times)]
    steps = [
        SampledView(names.short_title(int(page)), names.address(int(page)), wait)
        for page, wait in zip(pages[:_SHOWN_STEPS], [*waits, ""][:_SHOWN_STEPS], strict=True)
    ]
    return Session(when, tuple(steps), more=len(pages) - len(steps))


Parts = tuple[tuple[str, Table], ...]
_STOPS: Final = 5
"""Number of first pages by which routes differ; routes that differ only later count as equal."""
_ROUTES, _STEPS_LISTED, _ENDS = 5, 5, 3
_DAY: Final = 86_400
_POINTS: Final = 200
"""Most points of a curve."""


@dataclass(frozen=True, eq=False)
class _WaysMaker:
    """Makes the tables of a card about steps and routes.

    Args:
        rows: The rows of the segments table, with the users of each.
        moves: All steps.
        routes: All routes.
        conversions: The outcome; None without one.
    """

    rows: Rows
    moves: Moves
    routes: Routes
    conversions: OutcomeRecord | None

    @classmethod
    def of(cls, moves: Moves, sequences: UserSequences, profiles: Profiles) -> _WaysMaker:
        """Make it with the routes of all sessions, between the same pages or labels as the steps."""
        return cls(profiles.rows, moves, Routes.of(sequences, moves.places, _STOPS), profiles.conversions)

    def parts(self, row: int) -> Parts:
        """Pairs (heading, table): routes, steps, where sessions begin, and where they end.

        Args:
            row: Index of the segment among ``rows``.
        """
        users = self.rows.members(row)
        others = (self.rows.place < self.rows.n_segments) & ~users
        here, there = self.moves.taken(users), self.moves.taken(others)
        starts, ends = self.moves.left == self.moves.start, self.moves.reached == self.moves.end
        return (
            (f"Ways, by {self.routes.places.level}", self._routes(users, others)),
            ("Steps", self._steps(here, there, ~starts & ~ends)),
            ("Sessions begin with", self._of_sessions(here, there, starts, TO)),
            ("Sessions end with", self._of_sessions(here, there, ends, FROM)),
        )

    def _routes(self, users: np.ndarray, others: np.ndarray) -> Table:
        routes = self.routes.listed(users, others, self.conversions, _ROUTES)
        columns = ("Whole session", "Users", "Others", "")
        if self.conversions is None:
            return Table(columns, tuple(_shares(routes, routes[ROUTE])), numeric=(1, 2))
        rates = zip(routes[Col.OUTCOME_RATE], routes[Col.USERS], strict=True)
        lines = zip(_shares(routes, routes[ROUTE]), rates, strict=True)
        return Table(
            (*columns, "With outcome"),
            tuple((*line, f"{wording.percent(rate, 1, n)} of {n:,}") for line, (rate, n) in lines),
            numeric=(1, 2, 4),
        )

    def _steps(self, here: StepCounts, there: StepCounts, which: np.ndarray) -> Table:
        table = self._most(here, there, which, _STEPS_LISTED)
        steps = [f"{left} → {reached}" for left, reached in zip(table[FROM], table[TO], strict=True)]
        columns = ("Of users who were there", "Users", "Others", "")
        return Table(columns, tuple(_shares(table, steps)), numeric=(1, 2))

    def _most(self, here: StepCounts, there: StepCounts, which: np.ndarray, count: int) -> pd.DataFrame:
        """Table of the steps that users of the segment take most, none that only the others take."""
        most = np.argsort(-np.where(which, here.steps.times, 0), kind="stable")[:count]
        wanted = np.isin(np.arange(len(which)), most) & (here.steps.times > 0)
        steps = step_table(self.moves, here, there, wanted & which)
        return steps.sort_values(STEPS, ascending=False, kind="stable")

    def _of_sessions(self, here: StepCounts, there: StepCounts, which: np.ndarray, column: str) -> Table:
        table = self._most(here, there, which, _ENDS)
        lines = zip(table[column], table[STEPS], table[MoveCol.REST_STEPS], strict=True)
        n, rest_n = here.n_sessions, there.n_sessions
        cells = ((name, _percent(steps, n), _percent(rest, rest_n)) for name, steps, rest in lines)
        return Table(("", "Sessions", "Others"), tuple(cells), numeric=(1, 2))


def _shares(table: pd.DataFrame, names: Sequence[str] | pd.Series) -> list[tuple[str, ...]]:
    """Lines of a table: what was done, the users' and the others' share, and whether they differ."""
    columns = (Col.USERS, Col.N, Col.REST_USERS, Col.REST_N, Diff.DIFFERS, Col.DIFFERENCE)
    lines = zip(names, *(table[name].tolist() for name in columns), strict=True)
    return [
        (
            what, _percent(users, n), _percent(rest, rest_n),
            ("more" if apart > 0 else "fewer") if differs else "",
        )
        for what, users, n, rest, rest_n, differs, apart in lines
    ]  # fmt: skip


def _percent(part: float, whole: float) -> str:
    return wording.percent(part / whole if whole else None, 1, whole)


def time_chart(sequences: UserSequences, profiles: Profiles, called: Mapping[str, str]) -> ReportChart | None:
    """Chart of the time to the outcome, a curve a segment; None where nobody has the outcome.

    Args:
        sequences: Page views of all users.
        profiles: The segments and the outcome.
        called: Key of a row → its title.
    """
    rows, conversions = profiles.rows, profiles.conversions
    if conversions is None or not len(conversions.user):
        return None
    times = [time_to_outcome(sequences, rows.members(row), conversions) for row in range(rows.n_segments)]
    heads = zip(rows.head[Col.KEY], rows.segments, times, strict=False)
    drawn = [(called[key], segment, curve) for key, segment, curve in heads]
    curves = [Curve(segment, name, *_points(curve)) for name, segment, curve in drawn]
    before = sum(curve.before for curve in times)
    left_out = f"; {wording.pluralise(before, 'user')} with it before that left out" if before else ""
    return ReportChart(
        "time", f"Time to {profiles.outcome}",
        f"Share of users who have had it, by the days since their first page view{left_out}",
        time_curves(curves), Table(
            ("", "Users", "By the end", "From", "To", "Half of these within"),
            tuple(_line(name, curve) for name, _, curve in drawn), numeric=(1, 2, 3, 4, 5),
        ),
        "Kaplan and Meier's estimate: users without the outcome are followed to the end of the data.",
    )  # fmt: skip


def _points(curve: TimeToOutcome) -> tuple[list[float], list[float]]:
    """Days and shares of a curve, thinned to :data:`_POINTS`."""
    places = np.linspace(0, len(curve.seconds) - 1, min(_POINTS, len(curve.seconds)))
    shown = np.unique(places.astype(int))
    last = curve.followed[-1] if len(curve.followed) else 0.0
    seconds = np.concatenate([[0.0], curve.seconds[shown], [last]])
    shares = np.concatenate([[0.0], curve.share[shown], [curve.in_the_end]])
    return (seconds / _DAY).round(3).tolist(), shares.round(5).tolist()


def _line(name: str, outcome_time: TimeToOutcome) -> tuple[str, ...]:
    n = len(outcome_time.followed)
    ends = [float(curve[-1]) if len(curve) else None for curve in (outcome_time.low, outcome_time.high)]
    half = outcome_time.time_until(outcome_time.in_the_end / 2) if outcome_time.had else None
    share, low, high = (wording.percent(value, 1, n) for value in (outcome_time.in_the_end, *ends))
    return name, f"{n:,}", share, low, high, wording.duration(half)


_FACTS: Final = {
    Col.PAGE_VIEWS_MEAN: "page views a user", Col.PAGE_VIEWS_MEDIAN: "median page views",
    Col.SESSIONS_MEAN: "sessions a user", Col.DIFFERENT_PAGES_MEAN: "different pages a user",
    Col.ENGAGEMENT_MEAN: "engaged time a user", Col.OUTCOME_RATE: "of users with {}",
    Col.REVENUE_PER_USER: "gross revenue a user",
}  # fmt: skip
"""Column of the segments table → label on a card, with the outcome's name at ``{}``."""
_MAX_PAGES, _MAX_BARS = 10, 5
_EXAMPLES: Final = 2
"""Typical visitors shown for each segment."""
_MOVES: Final = 5
"""Differing steps shown for each segment, at most."""


def others(differences: pd.DataFrame) -> dict[tuple[str, str], tuple[float, int]]:
    """(row key, column) → (value of the other clustered users, their number)."""
    about = differences[differences[Diff.FAMILY].isin([Family.MEASURE, Family.OUTCOME])]
    field = about[Diff.ITEM].where(about[Diff.FAMILY] == Family.MEASURE, Col.OUTCOME_RATE)
    keys = zip(about[Col.KEY], field, strict=True)
    values = zip(about[Diff.REST_VALUE].tolist(), about[Col.REST_N].tolist(), strict=True)
    rest: dict[tuple[str, str], tuple[float, int]] = {}
    for key, value in zip(keys, values, strict=True):
        rest.setdefault(key, value)  # the main outcome comes first
    return rest


def segment_cards(
    source: ReportInput, described: Mapping[str, Any], called: Mapping[str, str]
) -> tuple[Card, ...]:
    """Make the cards of all segments, in the order of the table.

    Args:
        source: What the report is made from.
        described: What :meth:`core.profiles.metrics.Profiles.to_dict` returns.
        called: Key of a row → its title.
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
        self._titles = titles_of(row[Col.ATTRIBUTE] for row in self._shares)
        self._everyone = next(row for row in described["segments"] if row[Col.KIND] == RowKind.ALL)
        self._differences, self._others = source.differences, others(source.differences)
        self._source_basis = describe_bases(count_user_bases(source.dataset.users))
        self._pages, sequences = PageNames(source.dataset.pages), source.dataset.sequences
        self._ways = _WaysMaker.of(source.moves, sequences, source.profiles) if source.moves else None
        self._typical = medoids(source.vectors, source.partition, sequences.lengths, _EXAMPLES)
        self._names = {one: called[f"segment:{one}"] for one in source.partition.ids.tolist()}
        segments = source.journeys.get("segments", ())
        self._moves = {
            one["cluster"]: [step["text"] for step in one["differing"][:_MOVES]] for one in segments
        }

    def card(self, place: int, row: Mapping[str, Any]) -> Card:
        """Make the card of a segment from its position among the rows and its row of the segments table."""
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
            dimensions=tuple(self._dimension(key, name, label) for name, label in self._titles.items()),
            ways=self._ways.parts(place) if self._ways else (),
            visitors=tuple(
                visitor(sequences, self._pages, user, f"Typical visitor {number}", at)
                for number, user in enumerate(self._typical[segment].tolist(), start=1)
            ),
        )

    def _facts(self, row: Mapping[str, Any]) -> tuple[CardMetric, ...]:
        named = [(field, _FACTS[field]) for field in present([self._everyone], list(_FACTS))]
        return tuple(
            CardMetric(
                label.format(self._outcome),
                profile_columns.of_row(row, field),
                self._of_others(row[Col.KEY], field),
            )
            for field, label in named
        )

    def _of_others(self, key: str, field: str) -> str:
        value, n = self._others.get((key, field), (None, 0))
        return "" if value is None else profile_columns.figure(field, value, n)

    def _leading(self, key: str) -> tuple[DifferenceRow, ...]:
        rows = top_differences(self._differences, key)
        words = in_words(rows)
        return tuple(
            DifferenceRow(role, row["what"], row["here"], row["others"], row["difference"])
            for role, row in zip(rows[Diff.ROLE], words.to_dict("records"), strict=True)
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
            for row in listed[:_MAX_PAGES]
        )

    def _dimension(self, key: str, attribute: str, label: str) -> BarChart:
        rows = [row for row in self._shares if row[Col.KEY] == key and row[Col.ATTRIBUTE] == attribute]
        listed = [row for row in rows if not row[Col.IS_OTHER] and row[Col.USERS]]
        listed.sort(key=lambda row: -row[Col.SHARE])
        bars = tuple(Bar(row[Col.VALUE], row[Col.SHARE], row[Col.REST_SHARE]) for row in listed[:_MAX_BARS])
        absent = rows[0][Col.ABSENT] if rows else 0
        known = f"Not known for {wording.pluralise(absent, 'user')}." if absent else ""
        basis = self._source_basis if attribute == Users.SOURCE and bars else ""
        return BarChart(label, bars, " ".join(filter(None, (known, basis))))

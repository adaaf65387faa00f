"""The content of the report as plain values, which the template only lays out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from core.profiles.profile_columns import Field


@dataclass(frozen=True)
class Rate:
    """A share with its 95 % interval, each 0 to 1; ``value`` is None of no users."""

    value: float | None
    low: float | None = None
    high: float | None = None
    of: str = ""
    """The count behind the rate, such as ``41 of 1,204 users``."""


@dataclass(frozen=True)
class Row:
    """One line of the overview: a segment, a group made by rule, or all users.

    Args:
        segment: Its id; None for a group made by rule and for all users.
        name: Its name.
        users: Number of users.
        share: Share of all users, 0 to 1.
        values: Formatted values, one for each of the overview's columns (``Report.columns``).
        outcome: Its rate; None where the data has no outcome.
        stability: How much of the segment forms again with other users (``.86 [.44–.94]``), where measured.
    """

    segment: int | None
    name: str
    users: int
    share: float
    values: tuple[str, ...]
    outcome: Rate | None = None
    stability: str = ""


@dataclass(frozen=True)
class Cell:
    """One cell of the heat-map: the value as text, and how far it is above (+) or below (−) the others.

    ``strength`` lies between −1 and 1, None without a comparison; ``hint`` is shown on hovering.
    """

    text: str
    strength: float | None
    hint: str = ""


@dataclass(frozen=True)
class HeatRow:
    """A segment's metrics (or a funnel's steps), a cell each; a group made by rule has no ``segment``."""

    segment: int | None
    name: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class CardMetric:
    """A metric on a card: the segment's value and, where it was compared, the other clustered users'."""

    label: str
    value: str
    others: str = ""


@dataclass(frozen=True)
class PageRow:
    """A page that a segment sees more than others do: shares 0 to 1 of users, lift as text."""

    title: str
    address: str
    share: float
    rest: float
    lift: str


@dataclass(frozen=True)
class DifferenceRow:
    """A difference between a segment and the other clustered users, as text.

    ``role`` says whether the model saw it (``input``), it follows from that (``derived``), or neither.
    """

    role: str
    what: str
    here: str
    others: str
    difference: str


@dataclass(frozen=True)
class Bar:
    """A value of a dimension: its share here and among the users it is compared with, each 0 to 1."""

    label: str
    share: float
    rest: float | None


@dataclass(frozen=True)
class BarChart:
    """Bars of the browsers, devices, countries or first sources of a segment."""

    label: str
    bars: tuple[Bar, ...]
    note: str = ""


@dataclass(frozen=True)
class SampledView:
    """A page view of an example visitor: the page, and how long until the next one."""

    page: str
    address: str
    wait: str
    """Time until the next page view; empty for the last one of a session."""


@dataclass(frozen=True)
class Session:
    """One session of an example visitor."""

    label: str
    steps: tuple[SampledView, ...]
    more: int
    """Number of page views that are not listed."""


@dataclass(frozen=True)
class Visitor:
    """An example visitor, without an id: a report may travel further than the data may."""

    label: str
    summary: str
    sessions: tuple[Session, ...]
    more: int
    """Number of sessions that are not listed."""


@dataclass(frozen=True)
class Table:
    """A plain table: the numbers behind a figure, or a list of settings."""

    columns: tuple[str, ...]
    """Column headers; empty where the first column says it all."""
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[int, ...] = ()
    """Indices of the columns to align right."""


@dataclass(frozen=True)
class Card:
    """A segment's card with everything about it."""

    segment: int
    name: str
    reason: str
    """Why the segment has its name."""
    sure: str
    """How sure the segment is; empty where that was not measured."""
    rule: str
    """The segment's rule with how well it fits; empty where none was searched for."""
    next_pages: str
    """The next pages suggested to the segment's users; empty where that was not asked."""
    users: int
    share: float
    facts: tuple[CardMetric, ...]
    differences: tuple[DifferenceRow, ...]
    moves: tuple[str, ...]
    """Sentences on steps that more or fewer of its users take than others."""
    pages: tuple[PageRow, ...]
    dimensions: tuple[BarChart, ...]
    ways: tuple[tuple[str, Table], ...]
    """Headings and tables of routes, steps, and where sessions begin and end."""
    visitors: tuple[Visitor, ...]


@dataclass(frozen=True)
class ReportChart:
    """A figure with what it counts and the table behind it.

    Args:
        key: Its id in the HTML page.
        title: What it shows.
        n: What is counted, and how many, in words.
        figure: Plotly's ``data`` and ``layout``; colours may be tokens (``core/runs/report/charts.py``).
        table: The numbers behind it; None of the map, which has a dot for each user.
        note: How to read it.
    """

    key: str
    title: str
    n: str
    figure: dict[str, object]
    table: Table | None = None
    note: str = ""


@dataclass(frozen=True)
class FunnelPart:
    """A table with segments in rows: a funnel, segments over time, or a facet.

    Args:
        title: Its title.
        meaning: Sentences on what is counted; of a funnel, its order and limit, and the figures of all users.
        steps: Headers of the columns: steps, or periods.
        rows: Segments, groups and all users, a cell a step: the share of users who take it; or levels.
        head: Header of the first column: what the rows are.
    """

    title: str
    meaning: str
    steps: tuple[str, ...]
    rows: tuple[HeatRow, ...]
    head: str = "Segment"


@dataclass(frozen=True)
class Report:
    """The content of the report, from top to bottom."""

    title: str
    subtitle: str
    figures: tuple[CardMetric, ...]
    columns: tuple[str, ...]
    """Headers of the overview's ``values``."""
    rows: tuple[Row, ...]
    everyone: Row
    outcome: str
    """The outcome in words; empty where none is set."""
    metrics: tuple[Field, ...]
    """Fields of the heat-map's columns."""
    heat_note: str
    heat: tuple[HeatRow, ...]
    cards: tuple[Card, ...]
    map: ReportChart | None
    outcome_chart: ReportChart | None
    time_chart: ReportChart | None
    """Chart of the time that users take to the outcome."""
    verdict: str
    """Verdict on whether there are segments; empty where that was not measured."""
    outside: str
    """Sentence on why most users are in no segment; empty where most are in one."""
    one_page: Table | None
    """Table of the segments, made by rule, of users with a single page view."""
    waterfall: ReportChart
    assumptions: tuple[CardMetric, ...]
    warnings: tuple[str, ...]
    files: Table
    urls: Table
    settings: tuple[tuple[str, Table], ...] = field(default_factory=tuple)
    funnels: tuple[FunnelPart, ...] = ()
    facets: tuple[FunnelPart, ...] = ()
    """Tables of the facets by which users differ, a row a level."""
    outcome_told: str = ""
    """Sentence on whether facets or segments tell the outcome better; without one, on what it may be."""
    times: tuple[FunnelPart, ...] = ()
    """Tables of segments over time, a cell a period."""
    kept_to: str = ""
    """Sentence on the facets that users keep to."""
    outcome_warning: str = ""
    """Warning that the model has read pages that give the outcome away; empty where it has not."""
    advice: tuple[str, ...] = ()
    """What to do, a line each."""
    living: dict[str, Any] | None = None
    """Tables of the segments by other settings (:func:`core.runs.report.living.living_part`)."""

    @property
    def measured(self) -> bool:
        """Whether the stability of any segment was measured."""
        return any(row.stability for row in self.rows)

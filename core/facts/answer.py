"""Facts (figures with their row and measure), blocks that hold facts, and answers made of blocks.

Nobody writes a number. A block names facts, and the sentences, their directions and their order are the app's
(``core/facts/sentences.py``): the grammar and a language model both answer by choosing blocks. What a model
adds of its own stands apart, in :class:`Comment` and :class:`Idea`.

``MEASURES`` are the columns of the segments table in words; the types at the end are parameters of tools.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from math import isfinite
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

from core.base import wording
from core.base.safe_text import MAX_LENGTH, clean
from core.base.schema import View
from core.base.wording import uncapitalised
from core.llm.chat_types import Usage
from core.periods.filter import CountFilter
from core.profiles import profile_columns
from core.profiles.profile_columns import FIELDS, Col

QUERY: Final = "query"
"""Beginning of the measure of a query's facts; the measure and the digest of the query follow."""
ARROW: Final = " → "
"""Arrow between the two ends of a step in an item's text."""
_ARROWS: Final = {
    "step": 1, "move": 1, **dict.fromkeys(("route", "funnel_users", "funnel_share", "funnel_lost"), -1),
}  # fmt: skip
"""Kind of figure → arrows at which its item's text is split, −1 for all."""
_MAX_LENGTHS: Final = dict.fromkeys(("rule_users", "rule_precision", "rule_recall"), 5 * MAX_LENGTH)
"""Kind of figure → characters shown of each part of its item: a rule has several addresses."""


class Unit(StrEnum):
    """How a value is written."""

    COUNT = "count"
    NUMBER = "number"
    SHARE = "share"
    """From 0 to 1; written as a percentage."""
    RATIO = "ratio"
    """Ratio to another value; written as 1.8×."""
    POINTS = "points"
    """Difference of two shares, from -1 to 1; written in percentage points."""
    SECONDS = "seconds"
    MONEY = "money"


Value: TypeAlias = Annotated[
    float, PlainSerializer(lambda value: value if isfinite(value) else str(value), when_used="json")
]
"""Value of a fact; an infinite lift is written as text in JSON, and read back as a number."""


class Fact(BaseModel):
    """One figure, computed by the functions that draw the profiles; its address is row, measure and item.

    Args:
        measure: Key of what is measured: a column of the segments table such as ``outcome_rate``, or the
            metric and dimension of an item such as ``share:page``.
        label: The measure in words.
        segments: Keys of the rows it is about, as profiles spell them (``segment:0``, ``group:one_page``,
            ``all``); two for a figure between rows, the one that is compared first.
        value: The figure.
        unit: Unit in which the value is written.
        text: The value as it is written everywhere, unit included.
        item: What within the row it is about (a page, a theme, a browser), as the data spell it; empty for
            the row itself.
        low: Lower end of the 95 % interval; None if absent.
        high: Upper end.
        n: Users, sessions or page views that it counts.
        users: Users who did what is counted, where that can be told; else ``n``.
        currency: Currency of money; empty where it is not known.
    """

    model_config = ConfigDict(frozen=True)

    measure: str
    label: str
    segments: tuple[str, ...]
    value: Value
    unit: Unit
    text: str
    item: str = ""
    low: float | None = None
    high: float | None = None
    n: int = 0
    users: int = 0
    currency: str = ""

    @property
    def row(self) -> str:
        """Key of the first row that the fact is about."""
        return self.segments[0]

    @property
    def is_relation(self) -> bool:
        """Whether the fact compares two figures: a difference, a ratio or a least detectable difference."""
        return self.measure.partition(":")[0] in ("difference", "ratio", "detectable")

    @property
    def called(self) -> str:
        """The item as it is shown: one line, without invisible characters, not yet escaped."""
        return ARROW.join(self.ends)

    @property
    def ends(self) -> tuple[str, ...]:
        """The two ends of a step, or the stops of a route, as they are shown; else the item alone."""
        kind = self.measure.partition(":")[0]
        parts = self.item.split(ARROW, _ARROWS.get(kind, 0))
        return tuple(clean(part, _MAX_LENGTHS.get(kind, MAX_LENGTH)) for part in parts)


class Verdict(StrEnum):
    """How the first of two figures stands to the second."""

    HIGHER = "higher"
    LOWER = "lower"
    SAME = "same"
    """The two figures are plain counts and equal."""
    UNSURE = "unsure"
    """The two figures are not shown to differ."""

    @property
    def is_sure(self) -> bool:
        """Whether one of the two figures is shown to be higher."""
        return self in (Verdict.HIGHER, Verdict.LOWER)


class _Block(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FigureList(_Block):
    """Figures as they are; items of one row and measure are a list, in the order given."""

    kind: Literal["figures"] = "figures"
    facts: tuple[Fact, ...]


class Contrast(_Block):
    """Comparison of a measure between two rows.

    Args:
        first: The figure that the comparison is about.
        second: The figure that it is compared with.
        verdict: Which is higher, by :mod:`core.facts.contrasting`.
        relation: Ratio or difference of the two; None where there is none.
        test: The test behind ``p_value``, such as ``Fisher's exact test``; empty for plain counts and for
            figures of what the model has read: there the interval of the difference decides. That interval
            also decides ``verdict`` where the test, on other sessions, only tells whether it comes again.
        p_value: The p of the test; None without a test.
        q_value: What it becomes among all that was tested, where many differences were looked at.
        detectable: Where they are not shown to differ, the least difference that would have been seen.
    """

    kind: Literal["contrast"] = "contrast"
    first: Fact
    second: Fact
    verdict: Verdict
    relation: Fact | None = None
    test: str = ""
    p_value: float | None = None
    q_value: float | None = None
    detectable: Fact | None = None


class Ranking(_Block):
    """One measure of several rows, in the order of its values.

    Args:
        facts: One a row, in that order.
        most: Whether the highest comes first.
        sure: Whether the test tells the first from the second.
        reference: The figure of all users where only rows beyond it are listed; None to rank all.
        complete: False where the list was cut, or is of chosen rows only.
        limit: The limit that rows had to exceed, as the analyst wrote it; then ``facts`` may be empty.
    """

    kind: Literal["ranking"] = "ranking"
    facts: tuple[Fact, ...]
    most: bool = True
    sure: bool = True
    reference: Fact | None = None
    complete: bool = True
    limit: str = ""


class ChartMark(StrEnum):
    """What a chart may be drawn with."""

    BAR = "bar"
    LINE = "line"
    POINT = "point"


class Chart(_Block):
    """Figures of one measure as a chart: rows, or items of one row, along the other axis."""

    kind: Literal["chart"] = "chart"
    facts: tuple[Fact, ...]
    mark: ChartMark = ChartMark.BAR


class FigureTable(_Block):
    """Figures of one measure under what was asked, in words; one without an item stands alone.

    Args:
        heading: What was asked.
        facts: A row each, in order.
    """

    kind: Literal["table"] = "table"
    heading: str
    facts: tuple[Fact, ...]


class Note(_Block):
    """A sentence of the app's own without any figure, such as what the data cannot tell."""

    kind: Literal["note"] = "note"
    text: str


class Comment(_Block):
    """The language model's interpretation, which is not counted from the data; drawn apart."""

    kind: Literal["comment"] = "comment"
    text: str


class Idea(_Block):
    """The language model's proposal, drawn apart from the figures."""

    kind: Literal["idea"] = "idea"
    text: str


Block: TypeAlias = Annotated[
    FigureList | Contrast | Ranking | Chart | FigureTable | Note | Comment | Idea, Field(discriminator="kind")
]


class Title(BaseModel):
    """The title of a row at the time of an answer.

    Args:
        label: ``Segment 3``, ``All users``.
        name: ``Checkout visitors``; empty where it has none.
        mark: What has to be said with it: ``doubtful``; empty where nothing has.
    """

    model_config = ConfigDict(frozen=True)

    label: str
    name: str = ""
    mark: str = ""

    @property
    def full(self) -> str:
        """The full title: ``Checkout visitors (segment 3)``, ``Segment 3 (doubtful)``."""
        label = uncapitalised(self.label) if self.name else ""
        details = ", ".join(part for part in (label, self.mark) if part)
        return f"{self.short} ({details})" if details else self.short

    @property
    def short(self) -> str:
        """The name alone, ``Checkout visitors``; the label of a row without a name."""
        return self.name or self.label


class Reading(BaseModel):
    """How a question was understood, so that a follow-up question can change parts of it.

    Args:
        rows: Keys of the rows that the answer speaks of: those named, or the first of a ranking.
        query: The query that was answered, as JSON; empty where the question was none.
        topic: The topic that was asked for (:mod:`core.questions.topics`); empty for none.
    """

    model_config = ConfigDict(frozen=True)

    rows: tuple[str, ...] = ()
    query: str = ""
    topic: str = ""


class OtherReading(BaseModel):
    """A further meaning of a question, to be asked by a click.

    Args:
        query: As JSON.
        text: In words.
        figure: Its figure as text; the number of its rows where it has several.
    """

    model_config = ConfigDict(frozen=True)

    query: str
    text: str
    figure: str


class ScreenChange(BaseModel):
    """A change of what is on screen, which is proposed and applied by a click; controls that are None stay.

    Args:
        label: What the button that applies it says.
        n_clusters: The number of segments.
        counted: The filter of users and days to count.
        outcomes: The chosen outcomes.
        weight: A view, and its weight in percent; the others share the rest.
        page: The page (its address) where that is done which no control can; nothing is applied then.
    """

    model_config = ConfigDict(frozen=True)

    label: str
    n_clusters: int | None = None
    counted: CountFilter | None = None
    outcomes: tuple[str, ...] | None = None
    weight: tuple[View, int] | None = None
    page: str = ""


@dataclass(frozen=True, eq=False)
class Answer:
    """The answer to one question, as it is shown.

    Args:
        blocks: What is said, in order.
        titles: Row key → title, of every row that the blocks speak of.
        query: What was read from the data, in words or SQL.
        source: ``rules`` or the model's name.
        declined: True where the question could not be answered; a note then says why.
        suggestions: Questions that can be asked instead, to be clicked.
        reading: What the question was understood to ask; None where the grammar did not answer it.
        readings: What else it can mean; all that it can mean where no rule says which is likeliest.
        dropped: Number of the model's blocks and remarks that failed a check and are not shown.
        reason: Why the answer is not the model's; empty if it is, or if no model was needed.
        population: Of which users the figures are, and who is in none; empty without figures.
        change: The change of the screen that was asked for; None where none was.
        usage: Calls and tokens of the model; no calls where none was asked.
        cost: Price of ``usage`` in the currency of the price table; None if the model has no price.
    """

    blocks: tuple[Block, ...]
    titles: Mapping[str, Title] = field(default_factory=dict)
    query: str = ""
    source: str = "rules"
    declined: bool = False
    suggestions: tuple[str, ...] = ()
    reading: Reading | None = None
    readings: tuple[OtherReading, ...] = ()
    dropped: int = 0
    reason: str = ""
    population: str = ""
    change: ScreenChange | None = None
    usage: Usage = field(default_factory=Usage)
    cost: float | None = None

    @property
    def facts(self) -> tuple[Fact, ...]:
        """Every fact of the blocks, each once."""
        return facts_of(self.blocks)


def facts_of(blocks: Iterable[Block]) -> tuple[Fact, ...]:
    """Every fact of some blocks, each once, in order."""
    return tuple(dict.fromkeys(fact for block in blocks for fact in _facts(block)))


def _facts(block: Block) -> tuple[Fact, ...]:
    if isinstance(block, FigureList | Chart | FigureTable):
        return block.facts
    if isinstance(block, Ranking):
        return (*((block.reference,) if block.reference else ()), *block.facts)
    if isinstance(block, Contrast):
        related = (block.relation, block.detectable)
        return (block.first, block.second, *(fact for fact in related if fact))
    return ()


@dataclass(frozen=True)
class Measure:
    """A column of the segments table, in words.

    Args:
        key: The column.
        label: What it is called in a sentence, without an article.
        unit: How its values are written.
    """

    key: str
    label: str
    unit: Unit

    @property
    def digits(self) -> int:
        """Decimal places of the measure's values (:data:`core.profiles.profile_columns.DIGITS`)."""
        return profile_columns.DIGITS.get(self.key, 0)


MEASURES: Final = (
    Measure(Col.USERS, "users", Unit.COUNT),
    Measure(Col.SHARE, "share of all users", Unit.SHARE),
    Measure(Col.SHARE_CLUSTERED, "share of clustered users", Unit.SHARE),
    Measure(Col.PAGE_VIEWS, "page views", Unit.COUNT),
    Measure(Col.PAGE_VIEWS_MEAN, "page views a user", Unit.NUMBER),
    Measure(Col.PAGE_VIEWS_MEDIAN, "median page views", Unit.NUMBER),
    Measure(Col.SESSIONS, "sessions", Unit.COUNT),
    Measure(Col.SESSIONS_MEAN, "sessions a user", Unit.NUMBER),
    Measure(Col.PAGES_PER_SESSION, "page views a session", Unit.NUMBER),
    Measure(Col.DIFFERENT_PAGES_MEAN, "different pages a user", Unit.NUMBER),
    Measure(Col.ENGAGEMENT_USERS, "users with an engagement time", Unit.COUNT),
    Measure(Col.ENGAGEMENT_NONE_SHARE, "share of users without an engagement time", Unit.SHARE),
    Measure(Col.ENGAGEMENT_MEAN, "engagement time a user", Unit.SECONDS),
    Measure(Col.ENGAGEMENT_MEDIAN, "median engagement time", Unit.SECONDS),
    Measure(Col.OUTCOME_USERS, "converted users", Unit.COUNT),
    Measure(Col.OUTCOME_RATE, "outcome rate", Unit.SHARE),
    Measure(Col.OUTCOME_SESSIONS, "converting sessions", Unit.COUNT),
    Measure(Col.SESSION_RATE, "outcome rate of sessions", Unit.SHARE),
    Measure(Col.REVENUE, "gross revenue", Unit.MONEY),
    Measure(Col.NET_REVENUE, "net revenue", Unit.MONEY),
    Measure(Col.REVENUE_PER_USER, "gross revenue a user", Unit.MONEY),
)
"""Columns of the segments table in words, without the interval's ends: these go with the outcome rate."""

BY_KEY: Final = {measure.key: measure for measure in MEASURES}
N_OF: Final = {field.field: field.n or Col.USERS for field in FIELDS}
"""Column → column with the number of users, sessions or page views behind its value."""


def format_value(value: float, unit: Unit, digits: int = 1, currency: str = "") -> str:
    """Write a value with its unit, as everywhere in the app.

    Args:
        value: The figure.
        unit: Unit in which the value is written.
        digits: After the point, where the unit leaves it open; whole medians are written without.
        currency: Currency of money; empty where it is not known.
    """
    if unit is Unit.SHARE:
        return wording.percent(value, digits)
    if unit is Unit.RATIO:
        return wording.lift(value)
    if unit is Unit.POINTS:
        return f"{value * 100:+.{digits}f} percentage points".replace("-", "−")
    if unit is Unit.SECONDS:
        return f"−{wording.duration(-value)}" if value < 0 else wording.duration(value)
    return f"{wording.number(value, 0 if unit is Unit.COUNT else digits)} {currency}".rstrip()

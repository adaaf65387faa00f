"""The receipt of a data set: accounts for every record of the input, and lists what was assumed.

First how users' traffic sources are counted by origin and described, then the models of the receipt with the
texts of revenue and users; each model checks that its counts add up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Self

from pydantic import BaseModel, ConfigDict, model_validator

from core.base.local_clock import LocalClock
from core.base.schema import PAGE_VIEW, ChannelBasis, SourceBasis, Users
from core.base.wording import pluralise, uncapitalised

if TYPE_CHECKING:
    import pandas as pd

_NO_SOURCE: Final = "none"
"""Basis of users without a traffic source."""
UNKNOWN_CHANNEL: Final = "none"
"""Stands for the channel and the basis of sessions of files without sources."""
_CALLED: Final = {
    SourceBasis.FIRST_TOUCH: "the user's first touch",
    SourceBasis.SESSION: "the last click of the first session that has one",
    SourceBasis.COLLECTED: "what came with the first event that has one",
}


def count_bases(bases: pd.Series) -> dict[str, int]:
    """Count users by the data that their traffic source was taken from.

    Args:
        bases: :class:`SourceBasis` of each user, absent for users without a source.

    Returns:
        Value of :class:`SourceBasis`, or ``none`` without a source → users; without counts of 0.
    """
    counts = bases.value_counts()
    counted = {basis.value: int(counts.get(basis.value, 0)) for basis in SourceBasis}
    counted[_NO_SOURCE] = int(bases.isna().sum())
    return {name: users for name, users in counted.items() if users}


def count_user_bases(users: pd.DataFrame) -> dict[str, int]:
    """Count users as :func:`count_bases` does; empty for tables of earlier releases, without the column."""
    return count_bases(users[Users.SOURCE_BASIS]) if Users.SOURCE_BASIS in users else {}


def describe_bases(counts: Mapping[str, int]) -> str:
    """Say from which data the users' traffic sources were taken, in one sentence; empty if from none.

    Args:
        counts: Value of :class:`SourceBasis`, or ``none`` without a source → users.
    """
    parts = [
        f"{_CALLED[basis]} ({pluralise(counts[basis], 'user')})" for basis in SourceBasis if counts.get(basis)
    ]
    if not parts:
        return ""
    none = f"; {counts[_NO_SOURCE]:,} without one" if counts.get(_NO_SOURCE) else ""
    return f"A source is {', else '.join(parts)}{none}."


_CHANNEL_CALLED: Final = {
    ChannelBasis.EXPORTED: "what GA4 exports of its last click",
    ChannelBasis.SESSION: "GA4's default channel of the last click's source and medium",
    ChannelBasis.COLLECTED: "GA4's default channel of the first source or ads click that came with an event",
    ChannelBasis.NOTHING: "Direct, where none is said",
}


def describe_channels(by_channel: Mapping[str, int], by_basis: Mapping[str, int]) -> str:
    """List the channels of sessions, and say from which data they were taken; empty where there are none.

    Args:
        by_channel: Channel, or ``none`` → sessions.
        by_basis: Value of :class:`ChannelBasis`, or ``none`` → sessions.
    """
    if by_basis.get(ChannelBasis.FIRST_TOUCH):
        return "None of sessions; the first channel of users is GA4's default channel of their first touch."
    parts = [
        f"{called} ({pluralise(by_basis[basis], 'session')})"
        for basis, called in _CHANNEL_CALLED.items()
        if by_basis.get(basis)
    ]
    counts = ", ".join(f"{channel} {sessions:,}" for channel, sessions in by_channel.items())
    return f"{counts}. The channel of a session is {', else '.join(parts)}." if parts else ""


COUNTED: Final = "Counted on these pages: {}"
"""Sentence for counts of a part of an export; ``{}`` is the name of the part."""


def sort_counts(counts: Mapping[str, int]) -> dict[str, int]:
    """Sort counts above 0, the largest first, equal ones by name: the same in every run."""
    return dict(sorted(((name, count) for name, count in counts.items() if count), key=_rank))


def _rank(item: tuple[str, int]) -> tuple[int, str]:
    return -item[1], item[0]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FileReceipt(_Part):
    """An input file: its form, its columns, and what became of its records."""

    name: str
    shape: str
    """``flat csv``, ``nested ndjson``, ``nested parquet``, …"""
    bytes: int
    encoding: str
    delimiter: str = ""
    """Delimiter between the columns of a CSV; empty for other files."""
    tool: str = ""
    """Analytics tool whose columns the file has; empty for GA4 and for custom tables."""
    records: int
    """Counted independently of the parser; must equal ``read + rejected + collapsed``."""
    read: int
    rejected: int
    collapsed: int = 0
    """Rows merged into another row of the same event, where each parameter or item has a row."""
    columns: dict[str, str]
    """Field → column of the file it was read from."""
    missing: tuple[str, ...] = ()
    """Columns that other files of the run have and this one lacks."""
    notes: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _balanced(self) -> Self:
        if self.read + self.rejected + self.collapsed != self.records:
            raise ValueError(
                f"{self.name}: {self.read} read + {self.rejected} rejected + {self.collapsed} put together "
                f"is not {self.records} records"
            )
        return self


class WaterfallStep(_Part):
    """One bar of the waterfall: records (or, from page views on, page views) that leave at this step."""

    name: str
    label: str
    records: int
    """Records that leave here."""
    left: int
    """Records that remain after this step."""
    users: int | None = None
    """Users that leave here, where the step is about users."""
    note: str = ""


class LeftOut(_Part):
    """Records that could be read and are not used, for one cause."""

    cause: str
    """``no_id_denied``, ``internal``, …: also the name of the step in the waterfall."""
    label: str
    page_views: int
    other_events: int
    screen_views: int = 0
    """Other events that are views of an app's screens."""


class UrlCount(_Part):
    """Number of distinct page locations before and after cleaning, and the effect of each rule."""

    raw: int
    canonical: int
    by_rule: dict[str, int]
    """Rule → page views whose location it changed."""
    examples: tuple[tuple[str, str], ...] = ()


NO_CURRENCY: Final = "no currency given"
"""Currency of amounts for which an export names none."""


class OutcomeUsers(_Part):
    """Users with an event, how often, and the revenue; also users without a page view."""

    users: int
    without_page_view: int
    """Users without a used page view: they are in no segment and in no group."""
    left_out: int = 0
    """Users of ``without_page_view`` who did view pages, all of which are left out by choice."""
    events: int
    """Number of events; a purchase counts once per transaction."""
    revenue: dict[str, float]
    """Currency → gross revenue; empty if none was sent."""
    refunds: dict[str, float] = {}
    """Currency → refunded part of the revenue."""
    all_refunded: int = 0
    """Users whose payments were all refunded; included in ``users``."""

    @property
    def net(self) -> dict[str, float]:
        """Currency → revenue after refunds."""
        currencies = dict.fromkeys((*self.revenue, *self.refunds))
        return {name: self.revenue.get(name, 0.0) - self.refunds.get(name, 0.0) for name in currencies}


class Revenue(_Part):
    """Revenue of all purchases in one currency, with or without a user id."""

    gross: float
    refunds: float
    """All refunds, also of purchases that are not in the data."""
    net: float


def describe_without_views(users: int, left_out: int) -> str:
    """Say why users have no used page view: ``51 without a page view, 11 who viewed left-out pages only``.

    Args:
        users: Number of users without a used page view.
        left_out: How many of these viewed left-out pages only. A cause that applies to nobody is not named.
    """
    causes = {"without a page view": users - left_out, "who viewed left-out pages only": left_out}
    return ", ".join(f"{number:,} {cause}" for cause, number in causes.items() if number)


def add_outcome_users(parts: Iterable[OutcomeUsers]) -> OutcomeUsers:
    """Add up the counts of parts that share no user and no transaction."""
    parts = list(parts)
    return OutcomeUsers(
        users=sum(part.users for part in parts),
        without_page_view=sum(part.without_page_view for part in parts),
        left_out=sum(part.left_out for part in parts),
        events=sum(part.events for part in parts),
        revenue=_sums([part.revenue for part in parts]),
        refunds=_sums([part.refunds for part in parts]),
        all_refunded=sum(part.all_refunded for part in parts),
    )


def describe_more_times(did: OutcomeUsers) -> str:
    """Say how often visitors without a user id did something: ``8 more times (1,157.91 EUR gross)``."""
    worth = f" ({in_currencies(did.revenue, 'gross')})" if did.revenue else ""
    return f"{pluralise(did.events, 'more time')}{worth}"


def _sums(parts: Sequence[Mapping[str, float]]) -> dict[str, float]:
    names = dict.fromkeys(name for part in parts for name in part)
    return {name: sum(part.get(name, 0.0) for part in parts) for name in names}


def describe_revenue(revenue: Mapping[str, Revenue]) -> str:
    """Format revenue as ``1,240.00 EUR gross, 200.00 refunded, 1,040.00 net``; empty where nobody bought.

    Currencies are joined by ``;``; of one without refunds the end is ``nothing refunded``.
    """
    return "; ".join(
        _amount(sums.gross, currency, "gross, " + (
            f"{sums.refunds:,.2f} refunded, {sums.net:,.2f} net" if sums.refunds else "nothing refunded"
        )) for currency, sums in revenue.items()
    )  # fmt: skip


def in_currencies(revenue: Mapping[str, float], kind: str = "") -> str:
    """Format amounts by currency: ``12,726.66 EUR gross, 55.00 gross, no currency given``.

    Args:
        revenue: Currency (or :data:`NO_CURRENCY`) → amount.
        kind: Word after each amount, such as ``gross``; none if empty.
    """
    return ", ".join(_amount(paid, currency, kind) for currency, paid in sorted(revenue.items()))


def _amount(paid: float, currency: str, kind: str) -> str:
    known, absent = (currency, "") if currency != NO_CURRENCY else ("", f", {NO_CURRENCY}")
    return " ".join(filter(None, (f"{paid:,.2f}", known, kind))) + absent


class Decision(StrEnum):
    """Whether the values of a possibly personal place were masked, and by whose decision."""

    FOUND = "found"
    """Masked automatically: the place is personal."""
    KEPT = "kept"
    """Kept by the analyst's choice."""
    FORCED = "forced"
    """All values masked by the analyst's choice."""
    UNDECIDED = "undecided"
    """Kept: too few values to tell a personal place from a rarely seen one."""


class PersonalPlace(_Part):
    """A position in addresses, titles or labels whose values belong to one user each."""

    name: str
    """Name of the place in settings (``keep_places``, ``mask_places``)."""
    decision: Decision
    values: int
    """Number of distinct values."""
    users: int
    """Number of distinct users who saw these values."""
    page_views: int
    examples: tuple[str, ...]
    """First letters of a few values."""


class ChosenDimension(_Part):
    """A column of the export that is kept as an attribute of users."""

    key: str
    """Its column in ``users``: each user's most frequent value, by events."""
    column: str
    """The column of the files."""
    users: int
    """Number of users with a value."""
    values: int


class LoginCounts(_Part):
    """How cookies were joined to the signed-in users that they show, over all records that were read."""

    cookies: int
    """Different user keys before."""
    ids: int
    """Different user keys after."""
    users: int
    """Users that any cookie shows."""
    signed_in: int
    """Cookies that show a user."""
    conflicts: int
    """Of these, cookies that show several users; each stays a cookie."""
    page_views: int
    """Page views of joined cookies."""
    cross_device: int
    """Users with several joined cookies."""
    most_users: int
    """Most users of a cookie."""
    most_cookies: int
    """Most joined cookies of a user."""

    def in_words(self) -> str:
        """All counts, in two sentences."""
        moved = pluralise(self.page_views, "page view")
        kept = f", {self.conflicts:,} with several kept" if self.conflicts else ""
        return (
            f"{pluralise(self.cookies, 'cookie')} became {pluralise(self.ids, 'id')}: "
            f"{self.signed_in - self.conflicts:,} with one signed-in user joined to that user "
            f"({moved}){kept}. "
            f"{pluralise(self.users, 'user')} signed in, {self.cross_device:,} of them with several cookies."
        )


FIGURES: Final = {
    "users": "Active users", "sessions": "Sessions", "views": "Views", "events": "Events",
    "gross": "Gross purchase revenue", "refunds": "Refunds", "net": "Purchase revenue",
}  # fmt: skip
"""Figure of GA4 → its name there; purchase revenue is net of refunds."""
MONEY: Final = ("gross", "refunds", "net")


class GapCause(_Part):
    """How much of the way from GA4's figure to ours one cause accounts for."""

    cause: str
    label: str
    change: float
    """What the cause adds, or takes away where it is below 0."""


class Ga4Figure(_Part):
    """A figure by GA4's definition, ours, and the causes of the gap between them."""

    name: str
    """``users``, ``sessions``, ``views``, ``events``, or ``gross``, ``refunds`` and ``net``."""
    currency: str = ""
    ga4: float
    causes: tuple[GapCause, ...]
    ours: float

    @property
    def unexplained(self) -> float:
        """Part of the gap that no cause accounts for."""
        return round(self.ours - self.ga4 - sum(cause.change for cause in self.causes), 6)

    @property
    def title(self) -> str:
        """What is counted, with its currency."""
        return FIGURES[self.name] + (f", {self.currency}" if self.currency else "")

    def amount(self, value: float, *, signed: bool = False) -> str:
        """Format a value: money to the cent, counts whole."""
        return f"{value:{'+' if signed else ''},.{2 if self.name in MONEY else 0}f}".replace("-", "−")

    @property
    def reasons(self) -> str:
        """The causes in words, the largest first: ``−80 Internal traffic; +295 …``; empty without a gap."""
        parts = [(cause.change, cause.label) for cause in self.causes]
        parts.sort(key=lambda part: -abs(part[0]))
        parts += [(self.unexplained, "not explained")] if self.unexplained else []
        return "; ".join(
            f"{self.amount(change, signed=True)} {uncapitalised(label)}" for change, label in parts
        )


class Ga4Day(_Part):
    """A day of the export by GA4's definitions."""

    events: int
    events_without_id: int
    """Events of these without ``user_pseudo_id``, which GA4's reports leave out unless they are modelled."""
    views: int
    views_without_id: int
    users: int
    """Active users."""
    sessions: int
    gross: dict[str, float] = {}
    refunds: dict[str, float] = {}
    gross_without_id: dict[str, float] = {}
    refunds_without_id: dict[str, float] = {}


class AsGa4(_Part):
    """The export as GA4 counts it, beside our figures."""

    active_by: str
    """What makes a user active: ``is_active_user``, or else engagement and first visits."""
    figures: tuple[Ga4Figure, ...]
    days: dict[date, Ga4Day] = {}
    """Local day of the export (a UTC day where it has no ``event_date``) → counts."""
    by_hour: dict[str, dict[date, str]] = {}
    """``events``, ``views``, begun ``sessions``, ``gross EUR``, … of records with ``user_pseudo_id`` → UTC
    day → amounts in its hours, with blanks between: a line of the file a day."""


class Receipt(_Part):
    """Everything that happened between reading the files and the finished sequences.

    The waterfall starts at ``records`` and ends at the page views used; each step's ``left`` is the
    one before minus ``records``.
    """

    files: tuple[FileReceipt, ...]
    records: int
    rejected: int
    rejects_by_reason: dict[str, int]
    waterfall: tuple[WaterfallStep, ...]
    page_views_used: int
    users: int
    users_by_group: dict[str, int]
    sessions: int
    sessions_by_gap: int
    """Sessions that had to be cut by inactivity because ``ga_session_id`` was missing."""
    page_view: str = PAGE_VIEW
    """Name of the events that are page views, in files with names of events."""
    user_key: str
    """Column that identifies a user, and what its values look like."""
    id_kind: str
    first_ts: int
    last_ts: int
    time_unit: str
    page_views_by_day: dict[date, int] = {}
    """Used page views per local day of the export; empty in receipts of earlier releases."""
    days: str = ""
    """Which days have page views, which have none, and which fewer than usual."""
    time_zone: str
    """Time zone of the property, inferred from ``event_date``, or that it could not be inferred."""
    utc_offsets: tuple[tuple[int, int], ...] = ()
    """Pairs of a moment (microseconds UTC) and the UTC offset in minutes from then on; empty where it is not
    known, and in receipts of earlier releases."""
    rounded_times: bool = False
    """Whether the times end in zeros, as a spreadsheet leaves them: then they say nothing about pace."""
    tied_page_views: int
    truncated_days: tuple[str, ...]
    duplicate_transactions: int
    """Purchases left out because an earlier one of the export has the same ``transaction_id``."""
    repeated_events: int = 0
    """Events that another file of the run holds too; they are not left out."""
    pii_masked: dict[str, int]
    """Kind of personal data → values masked."""
    places: tuple[PersonalPlace, ...] = ()
    """Places whose values belong to one user each, those with most values first."""
    placeholders: dict[str, int]
    """Placeholder, such as ``(not set)`` → number of values that were read as absent."""
    engagement_rule: str
    engagement_share: float | None
    """Share of users with any engagement value; None when the file has none."""
    urls: UrlCount
    other_events_used: int | None = None
    """Users' events other than page views; None if not counted: in filtered data and old receipts."""
    left_out: tuple[LeftOut, ...] = ()
    """Why the other records are not used, each for the first cause that applies. What is used, what is left
    out, what is rejected and what is put together are all records."""
    source_basis: dict[str, int] = {}
    """Basis of the traffic source (:class:`SourceBasis`) → users."""
    sessions_by_channel: dict[str, int] = {}
    """Channel, or ``none`` where it is not known → sessions, most first; empty where no file has sources of
    sessions, and where only some of the views are counted."""
    channel_basis: dict[str, int] = {}
    """Basis of the channel (:class:`ChannelBasis`), or ``none`` → sessions."""
    revenue: dict[str, Revenue] = {}
    """Currency → revenue of all purchases, whoever bought; empty where only some of the users are counted."""
    dimensions: tuple[ChosenDimension, ...] = ()
    logins: LoginCounts | None = None
    """How cookies were joined to signed-in users; None where that was not asked for."""
    as_ga4: AsGa4 | None = None
    """This export by GA4's definitions; None where only some of the users are counted, and in receipts of
    earlier releases."""
    outcome_users: dict[str, OutcomeUsers] = {}
    """Event → its users and revenue, most users first."""
    no_user_id: dict[str, OutcomeUsers] = {}
    """Event → outcomes of visitors without a user id: in no segment, not among the users, but in every total.
    A transaction that a user also has is counted for the user only."""
    outcome_pages: tuple[str, ...] = ()
    """Pages that leak the purchase (``core/storage/leaks.py``): consider stripping them."""
    narrowed: str = ""
    """Description of the filter or user sample that made this data set from another; else empty."""
    trained_users: int | None = None
    """Number of sampled users that segments were learned from; None if all were."""
    warnings: tuple[str, ...] = ()

    @property
    def undecided(self) -> str:
        """How many possibly personal places the analyst has to decide about, and where; empty for none."""
        waiting = sum(place.decision is Decision.UNDECIDED for place in self.places)
        if not waiting:
            return ""
        return (
            f"{pluralise(waiting, 'place')} of possibly personal data, seen by too few users to tell: decide "
            "on the page Data, or by --mask-place and --keep-place (receipt.json has the names)"
        )

    @property
    def clock(self) -> LocalClock:
        """Local clock for days and hours; receipts of earlier releases have one offset all year."""
        return LocalClock.of(self.time_zone, self.utc_offsets)

    @property
    def is_winter_all_year(self) -> bool:
        """Whether summer time exists but its dates are not stored, as in receipts of earlier releases."""
        return not self.utc_offsets and "in summer" in self.time_zone

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        left = self.records
        for step in self.waterfall:
            left -= step.records
            if left != step.left:
                raise ValueError(f"the waterfall does not add up at {step.name!r}: {left} is not {step.left}")
        if left != self.page_views_used:
            raise ValueError(f"the waterfall ends at {left}, but {self.page_views_used} page views are used")
        return self

    @model_validator(mode="after")
    def _accounts_for_all(self) -> Self:
        if self.other_events_used is None:
            return self
        used = self.page_views_used + self.other_events_used
        left_out = sum(cause.page_views + cause.other_events for cause in self.left_out)
        read = self.records - self.rejected - sum(file.collapsed for file in self.files)
        if used + left_out != read:
            raise ValueError(f"{used} records used + {left_out} left out is not {read} read")
        return self

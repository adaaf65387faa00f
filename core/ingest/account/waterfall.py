"""Count the fate of every record, and the steps of the waterfall from all records to used page views."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import ibis.expr.types as ir
from ibis import _

from core.base.errors import NoPageViewsLeft, control
from core.base.schema import Raw
from core.base.settings import IngestSettings
from core.ingest.clean import clock, records
from core.ingest.clean.records import REJECTED, Fate
from core.ingest.engine import Engine
from core.storage.receipt import LeftOut, WaterfallStep

REJECT_REASONS: Final = {
    Fate.NO_TIME: "No event_timestamp",
    Fate.NOT_A_TIME: "Not a time",
    Fate.OUTSIDE: "Not between the years 1990 and 2100",
    Fate.NO_LOCATION: "A page view without page_location",
}
LEFT_OUT: Final = {
    Fate.OTHER_TABLE: "Of a day that another table has",
    Fate.OTHER_STREAM: "Of another stream",
    Fate.INTERNAL: "Internal traffic",
    Fate.DEBUG: "Debug traffic",
    Fate.BEFORE_LOGIN: "Before a login",
    Fate.NO_ID_DENIED: "No user id: consent denied",
    Fate.NO_ID_NO_COOKIE: "No user id: no cookie",
    Fate.NO_ID_NOT_SAID: "No user id: reason not said",
}
"""Fate of a readable record that is not used → reason."""
_TIMES_READ: Final = (
    "ISO 8601 (2026-10-12 09:30:00, in UTC where no zone is written), or as seconds, milli-, micro- or "
    "nanoseconds since 1970"
)
_LOUD_SHARE: Final = 0.5
"""Share of the page views above which an exclusion gets a warning."""


@dataclass
class FateTally:
    """Counts of the fates, times and days of all records that were read.

    Args:
        views: Fate → number of page views.
        others: Fate → number of other events.
        units: Unit of the time → number of records.
        screens: Fate → number of screen views of an app, which are included in ``others``.
        rounded: Number of records whose time is a multiple of ten seconds.
        rejected_of_file: ``file_no`` → number of records rejected for a missing or bad time or location.
        days: Name of a day → its events.
        days_of_file: ``file_no`` → names of the days in the file.
    """

    views: Counter[Fate] = field(default_factory=Counter)
    others: Counter[Fate] = field(default_factory=Counter)
    screens: Counter[Fate] = field(default_factory=Counter)
    units: Counter[str] = field(default_factory=Counter)
    rounded: int = 0
    rejected_of_file: Counter[int] = field(default_factory=Counter)
    days: dict[str, clock.Day] = field(default_factory=dict)
    days_of_file: defaultdict[int, set[str]] = field(default_factory=lambda: defaultdict(set))

    def add(self, row: Mapping[str, Any]) -> None:
        """Add a count of :func:`count_fates`: of records that share file, kind, fate, unit and day."""
        fate, count = Fate(row[records.FATE]), row["events"]
        (self.views if row[records.IS_VIEW] else self.others)[fate] += count
        if fate in REJECTED:
            self.rejected_of_file[row[Raw.FILE_NO]] += count
        if row["first"] is None:
            return
        self.units[row[records.UNIT]] += count
        self.rounded += row["rounded"]
        if row["day"] is not None:
            day = clock.Day(row["day"], row["first"], row["last"], count)
            self.days[day.name] = day.joined(self.days.get(day.name))
            self.days_of_file[row[Raw.FILE_NO]].add(day.name)

    @property
    def occurring(self) -> frozenset[Fate]:
        """Fates of at least one record."""
        return frozenset((*self.views, *self.others))

    @property
    def has_other_event_without_user_id(self) -> bool:
        """Whether any event other than a page view has no user id."""
        return any(self.others[fate] for fate in records.NO_USER)

    @property
    def rejects(self) -> Counter[Fate]:
        """Fate → number of rejected records, page views or not."""
        return Counter({fate: count for fate in REJECTED if (count := self.views[fate] + self.others[fate])})

    @property
    def timed(self) -> int:
        """Number of records with a usable time."""
        return self.units.total()

    @property
    def looks_rounded(self) -> bool:
        """Whether so many times are multiples of ten seconds that a spreadsheet must have rounded them."""
        return self.timed > 0 and self.rounded >= clock.ROUNDED_SHARE * self.timed


def count_fates(engine: Engine, typed: ir.Table, present: Collection[str]) -> FateTally:
    """Count the fates, times and days of all records in one query."""
    moment, alike = typed[records.TS], (Raw.FILE_NO, records.IS_VIEW, records.FATE, records.UNIT)
    groups = typed.group_by(*alike, written=clock.day_of(typed, present))
    counted = groups.agg(
        count=_.count(),
        start=moment.min(),
        end=moment.max(),
        tens=(moment % clock.ROUNDED_TO == 0).ifelse(1, 0).sum(),
    )
    # What is no day is one group: there may be as many of those as there are records.
    days = counted.group_by(*alike, day=clock.named_day(counted.written, present))
    counted = days.agg(
        events=_["count"].sum().cast("int64"),
        first=_.start.min(),
        last=_.end.max(),
        rounded=_.tens.sum().cast("int64"),
    )
    tally = FateTally()
    for row in engine.rows(counted):
        tally.add(row)
    return tally


@dataclass
class Waterfall:
    """Steps from all records down to the page views used.

    Args:
        total: Number of records counted in the files.
        other_events: Number of remaining events other than page views.
        left_out: Records left out, page views or not, by cause.
    """

    total: int
    other_events: int = 0
    steps: list[WaterfallStep] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)

    @property
    def left(self) -> int:
        """Number of records that remain after the last step."""
        return self.steps[-1].left if self.steps else self.total

    @property
    def causes(self) -> tuple[LeftOut, ...]:
        """Causes for which at least one record is left out."""
        return tuple(one for one in self.left_out if one.page_views or one.other_events)

    def drop(self, name: str, label: str, count: int, *, users: int | None = None, note: str = "") -> None:
        """Add a step at which ``count`` records leave."""
        left = self.left - count
        self.steps.append(
            WaterfallStep(name=name, label=label, records=count, left=left, users=users, note=note)
        )

    def leave(
        self,
        cause: str,
        label: str,
        views: int,
        others: int = 0,
        *,
        screens: int = 0,
        users: int | None = None,
        note: str = "",
    ) -> None:
        """Add a step at which ``views`` page views leave, and ``others`` other events for the same cause."""
        self.other_events -= others
        left = LeftOut(cause=cause, label=label, page_views=views, other_events=others, screen_views=screens)
        self.left_out.append(left)
        self.drop(cause, label, views, users=users, note=note)


def first_steps(
    total: int, rejected: int, tally: FateTally, settings: IngestSettings, collapsed: int = 0
) -> Waterfall:
    """Make the steps that judge records one by one.

    Args:
        total: Number of all records.
        rejected: Number of records that cannot be used, those of ``tally`` among them.
        tally: Counts of the fates of all records that were read.
        settings: What is left out.
        collapsed: Number of rows that were merged into another row of their event.
    """
    waterfall = Waterfall(total)
    if collapsed:
        note = "the file has one row a parameter or an item"
        waterfall.drop("collapsed", "More rows of the same event", collapsed, note=note)
    waterfall.other_events = sum(count for fate, count in tally.others.items() if fate not in REJECTED)
    used = "used for outcomes and engagement" if waterfall.other_events else ""
    if waterfall.other_events > tally.others[Fate.STAYS]:
        used += ", but for those left out by the causes below"
    waterfall.drop("rejected", "Cannot be used", rejected)
    waterfall.drop("not_page_view", "Events other than page views", waterfall.other_events, note=used)
    kept = {Fate.INTERNAL: not settings.exclude_internal, Fate.DEBUG: not settings.exclude_debug}
    for fate, label in LEFT_OUT.items():
        if fate in kept or fate in tally.occurring:
            note = "not excluded, by choice" if kept.get(fate) else ""
            waterfall.leave(
                fate.name.lower(), label, tally.views[fate], tally.others[fate],
                screens=tally.screens[fate], note=note,
            )  # fmt: skip
    return waterfall


def warnings(waterfall: Waterfall) -> list[str]:
    """Warn about exclusions that remove most of the page views, and say how to turn them off."""
    views = waterfall.left + sum(step.records for step in waterfall.steps if step.name in _SWITCHES)
    return [
        f"{step.label} takes {step.records:,} of {views:,} page views ({step.records / views:.0%}). {switch}"
        for step in waterfall.steps
        if (switch := _SWITCHES.get(step.name)) and step.records > _LOUD_SHARE * views
    ]


def require_page_views(waterfall: Waterfall, details: Mapping[str, str]) -> None:
    """Raise an error if no page view is left.

    Args:
        waterfall: The steps so far.
        details: Name of a step → detail for the message, such as the event names of the export.

    Raises:
        NoPageViewsLeft: If nothing is left; names the step that removed the last records, and the setting.
    """
    if waterfall.left:
        return
    step = next(step for step in reversed(waterfall.steps) if step.records)
    remedy = _SWITCHES.get(step.name) or _REMEDIES.get(step.name, "")
    found = f"; {details[step.name]}" if step.name in details else ""
    raise NoPageViewsLeft(
        f"No page view is left of {waterfall.total:,} records. The last {step.records:,} left at the step "
        f"{step.label!r}{found}",
        remedy=remedy,
    )


_SWITCHES: Final = {
    "internal": "To keep it, turn off exclude_internal",
    "debug": "To keep it, turn off exclude_debug",
    "bot_like": "To keep them, turn off exclude_bots",
    "stripped": "To keep some of them, shorten strip_pages",
}
_REMEDIES: Final = {
    "rejected": "Check from which columns event_timestamp and page_location are read: "
    f"{control('mapping')}. A time is read as {_TIMES_READ}",
    "not_page_view": f"Say which event is a page view: {control('page_view')}. If every record is one, say "
    f"that there are no event names: {control('no_event_name')}",
    "other_table": "Leave out the other table of that day",
    "other_stream": f"Choose another stream: {control('stream')}. Where an app's screens are what is viewed, "
    f"say so: {control('page_view')}",
    **{fate.name.lower(): f"Choose another column: {control('user_key')}" for fate in records.NO_USER},
}

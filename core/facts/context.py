"""The context that questions and descriptions are answered from: a data set, its segments and their names.

``Basis`` is the data set, laid out once; ``Tables`` are the tables counted for one partition of its users,
each when it is first asked for; ``Context`` adds names, certificates and the analyst's funnel.
``filtered_tables`` counts the segments again for the users that a filter keeps; their segments stay the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property, partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from core.base.errors import ArtifactError
from core.base.safe_text import clean
from core.base.schema import OUTSIDE, Pages, View
from core.base.settings import UrlSettings
from core.base.wording import common_origin, pluralise, short_address
from core.facts.answer import Fact, Title
from core.journeys.flow import Routes
from core.journeys.funnel import Funnel
from core.journeys.moves import Level, Moves, Places, StepCounts
from core.journeys.patterns import FunnelSite, cleaned_by
from core.periods.calendar import Calendar, PeriodUnit, calendar, calendar_of, covered, usual_unit
from core.periods.filter import CountFilter
from core.periods.over_time import Activity
from core.profiles.data import ProfileData
from core.profiles.differences import Diff, differences, distributions, pair_differences
from core.profiles.facets import find_facets
from core.profiles.metrics import Profiles, profile_rows
from core.profiles.name_words import SiteWords
from core.profiles.other_sessions import OTHER_SESSIONS
from core.profiles.outcomes import OutcomeRecord
from core.profiles.profile_columns import Col, RowKind
from core.profiles.rows import LabelData, Rows, make_rows
from core.profiles.user_items import Family, UserItems, labels_of
from core.rules.beam_search import FoundRules, find_rules
from core.rules.conditions import RuleFeatures
from core.segments.partition import Partition
from core.storage.dataset import NO_CHANNELS, Dataset, TimedEvents
from core.storage.page_labels import LabelledPages, counts_key
from core.storage.sequences import UserSequences

if TYPE_CHECKING:
    from core.people.look_alikes import LookAlikes
    from core.segments.certificate import Certificate

_STOPS: Final = 5
"""Stops by which routes are told apart; routes that differ later count as the same."""
LEVEL_OF: Final = {View.URL: Level.PAGE, View.THEME: Level.THEME, View.TYPE: Level.TYPE}


@dataclass(frozen=True, eq=False)
class Basis:
    """A data set and its labels, prepared once for everything that is counted of its users.

    Args:
        key: Content key of the data set with its labels.
        data: What profiles are counted from.
        sequences: Page views of all users.
        labels: Themes and types; None where pages are not labelled.
        addresses: Address of each page.
        pages: What to call each page: its address without what all addresses share.
        names: ``theme``, ``type``, ``template`` → the value of each page, as far as pages are labelled.
        items: Which user has which page, event, device, source and so on.
        site: Spelling of the site's own words, for names.
        events: Reads the events with their times.
        urls: Reads the settings by which addresses were cleaned.
        calendar: Days or weeks that the data cover, by the clock of the data; None takes UTC.
        session_channels: Reads the channel of each session (``schema.SessionColumns``).
        narrowed: Reads which part of an export this is, in words; empty where it is all of it.
    """

    key: str
    data: ProfileData
    sequences: UserSequences
    labels: LabelData | None
    addresses: tuple[str, ...]
    pages: tuple[str, ...]
    names: Mapping[str, Sequence[str]]
    items: UserItems
    site: SiteWords
    events: Callable[[], TimedEvents] = TimedEvents.none
    urls: Callable[[], UrlSettings] = UrlSettings
    calendar: Callable[[PeriodUnit | None], Calendar] | None = None
    session_channels: Callable[[], pd.DataFrame] = NO_CHANNELS.copy
    narrowed: Callable[[], str] = str

    @classmethod
    def from_dataset(
        cls, dataset: Dataset, labelled: LabelledPages | None = None, data: ProfileData | None = None
    ) -> Basis:
        """Make the basis of a data set and its labels.

        Args:
            dataset: The preprocessed export.
            labelled: Themes and types of its pages; None where they are not labelled.
            data: What profiles are counted from; made from the data set if None.
        """
        data = data or ProfileData.from_dataset(dataset, labelled)
        key = counts_key(dataset.key, labelled)
        levels, names = find_facets(dataset, labelled).items(), labels_of(labelled)
        basis = cls.from_tables(key, data, dataset.pages, dataset.sequences, names, levels)
        return replace(
            basis, events=lambda: dataset.events, urls=lambda: cleaned_by(dataset),
            calendar=partial(calendar, dataset), session_channels=lambda: dataset.session_channels,
            narrowed=lambda: dataset.receipt.narrowed,
        )  # fmt: skip

    @classmethod
    def from_tables(
        cls,
        key: str,
        data: ProfileData,
        pages: pd.DataFrame,
        sequences: UserSequences,
        names: Mapping[str, Sequence[str]],
        levels: Mapping[Family, Sequence[np.ndarray]] = MappingProxyType({}),
    ) -> Basis:
        """Make the basis from tables, without events, times or URL settings.

        Args:
            key: Any text that identifies the tables.
            data: What profiles are counted from.
            pages: One row a page (:class:`core.base.schema.Pages`).
            sequences: Page views.
            names: ``theme``, ``type`` and, where mined, ``template`` → the value of each page; may be empty.
            levels: Levels of users in the facets (:meth:`core.profiles.facets.Facets.items`).
        """
        labels = LabelData.from_names(sequences, names) if names else None
        items = UserItems.from_tables(data, pages, sequences, names, levels)
        addresses: list[str] = pages[Pages.PAGE_LOCATION].tolist()
        origin = common_origin(addresses)
        called = tuple(short_address(address, origin) for address in addresses)
        site = SiteWords.from_tables(pages, names.get(View.THEME, ()))
        return cls(key, data, sequences, labels, tuple(addresses), called, names, items, site)

    @property
    def views(self) -> tuple[View, ...]:
        """Views between which steps are counted: pages, and themes and types where pages are labelled."""
        return (View.URL, *(self.labels.page_of if self.labels else ()))

    @cached_property
    def rule_features(self) -> RuleFeatures:
        """The features of users that a rule's conditions can test."""
        return RuleFeatures.from_counted(self.data, self.addresses, self.sequences, self.names)

    @cached_property
    def _rules(self) -> dict[str, Mapping[int, FoundRules]]:
        return {}

    def rules(self, partition: Partition) -> Mapping[int, FoundRules]:
        """The best rules of each segment of a partition, kept for later calls: no outcome changes them."""
        if partition.digest not in self._rules:
            self._rules[partition.digest] = find_rules(self.rule_features, partition.labels)
        return self._rules[partition.digest]

    @cached_property
    def routes(self) -> Callable[[View], Routes]:
        """Function that returns the route of every session between pages, themes or types."""
        return cache(lambda view: Routes.of(self.sequences, self._places(view), _STOPS))

    @cached_property
    def moves(self) -> Callable[[View], Moves]:
        """Function that returns all steps between pages, themes or types, with session starts and ends."""
        return cache(lambda view: Moves.of(self.sequences, self._places(view)))

    @cached_property
    def activity(self) -> Callable[[PeriodUnit | None], Activity]:
        """Function that returns which users came in which day or week; None lets the data's length decide."""
        return cache(self._activity)

    def _activity(self, unit: PeriodUnit | None) -> Activity:
        sequences, everybody = self.sequences, np.ones(self.sequences.n_users, dtype=bool)
        if self.calendar is not None:
            days = self.calendar(unit)
        else:
            starts = sequences.timestamp[sequences.session_starts]
            unit = unit or usual_unit(covered(sequences.timestamp))
            days = calendar_of(sequences.timestamp, unit, starts=starts)
        return Activity.of(sequences, days, everybody)

    @cached_property
    def funnel_site(self) -> FunnelSite:
        """Names that funnel steps can use; no events where the data set does not say when they were done."""
        try:
            events = self.events().names
        except ArtifactError:
            events = ()
        return FunnelSite.from_names(self.addresses, self.names, events, self.urls())

    def _places(self, view: View) -> Places:
        names = np.array(self.pages)
        if self.labels is not None and view in self.labels.page_of:  # of each page that somebody saw
            names = np.array(self.labels.views[view].values)[self.labels.page_of[view]]
        return Places.from_names(LEVEL_OF[view], names.tolist(), self.sequences)


ALL: Final = "all"
ONE_PAGE: Final = "group:one_page"
OTHERS: Final = "others"
"""Key of the row that a figure is compared with: the clustered users who are not in the figure's row."""
UNSEEN: Final = "group:no_page_view"
"""Key of the users without a used page view; only their outcome is known."""
PASTED: Final = "list"
"""Key of the users whose ids the analyst pasted."""
_NO_ROWS: Final = {
    OTHERS: "The other clustered users", UNSEEN: "Users without a used page view (in no segment)",
    PASTED: "The users of the list",
}  # fmt: skip
WITH, WITHOUT = "outcome:with", "outcome:without"
"""Keys of the rows that replace segments: clustered users with the outcome, and those without."""


@dataclass(frozen=True, eq=False)
class Tables:
    """Everything counted for one partition, each table when it is first asked for.

    Args:
        basis: The data set.
        profiles: What its segments are like.
        partition: The segments.
        again: Family → tests of the differences on other sessions of the users, where there are any:
            :meth:`core.profiles.other_sessions.OtherSessions.scores`.
    """

    basis: Basis
    profiles: Profiles
    partition: Partition
    again: Mapping[str, pd.DataFrame] = field(default_factory=dict)

    @cached_property
    def rows(self) -> Rows:
        """The rows of the segments table, with the users of each."""
        return self.profiles.rows

    @cached_property
    def differences(self) -> pd.DataFrame:
        """Differences of every row from the other clustered users (``core/profiles/differences.py``)."""
        data = self.basis.data
        return differences(data, self.rows, self.basis.items, self.outcomes, self.again)

    @cached_property
    def tested_again(self) -> Mapping[tuple[str, str, str], tuple[float, float]]:
        """Row key, family and item → p and q of the differences that were tested in other sessions."""
        rows = self.differences[self.differences[Diff.TEST] == OTHER_SESSIONS]
        columns = (Col.KEY, Diff.FAMILY, Diff.ITEM, Diff.P_VALUE, Diff.Q_VALUE)
        return {
            (key, family, item): (p, q)
            for key, family, item, p, q in zip(*(rows[name].tolist() for name in columns), strict=True)
        }

    @cached_property
    def pair(self) -> Callable[[str, str], pd.DataFrame]:
        """Function that compares two rows, in the columns of :attr:`differences`."""
        data, items = self.basis.data, self.basis.items
        return cache(lambda *rows: pair_differences(data, self.rows, rows, items, self.outcomes))

    @cached_property
    def distributions(self) -> pd.DataFrame:
        """Distribution of the values behind each mean (``core/profiles/differences.py``)."""
        return distributions(self.basis.data, self.rows, self.profiles.conversions)

    @cached_property
    def outcomes(self) -> Mapping[str, OutcomeRecord]:
        """Each outcome → who of the users with a page view had it, the main one first."""
        return self.basis.data.outcomes.inside(self.profiles.settings)

    @cached_property
    def by_outcome(self) -> Tables | None:
        """Tables with the rows :data:`WITH` and :data:`WITHOUT` (the outcome) in place of segments.

        Only clustered users are in them: buyers of a single page beside others of two or more would differ by
        their number of pages. None where no clustered user has the outcome, or all have.
        """
        conversions, labels = self.profiles.conversions, self.partition.labels
        if conversions is None:
            return None
        split = np.where(labels <= OUTSIDE, labels, 1)
        split[conversions.user[labels[conversions.user] > OUTSIDE]] = 0
        if not {0, 1} <= set(split.tolist()):
            return None
        called = ((WITH, "Clustered users who converted"), (WITHOUT, "Clustered users who did not convert"))
        rows = replace(make_rows(self.basis.data, split), called=called)
        return Tables(self.basis, profile_rows(self.basis.data, rows, self.profiles.settings), self.partition)

    @cached_property
    def _of_outcome(self) -> pd.DataFrame:
        """The outcome's rows of the outcomes table; of several, those of any of them, which come last."""
        table = self.profiles.outcomes
        return table[table[Col.OUTCOME] == table[Col.OUTCOME].iloc[-1]] if len(table) else table

    @cached_property
    def money(self) -> Mapping[tuple[str, str, str], float]:
        """Revenue column (gross or net), row key and currency → sum of the revenue."""
        table, kinds = self._of_outcome, (Col.REVENUE, Col.NET_REVENUE)
        cells = [zip(table[Col.KEY], table[Col.CURRENCY], table[kind], strict=True) for kind in kinds]
        return {
            (kind, *where): paid for kind, rows in zip(kinds, cells, strict=True) for *where, paid in rows
        }

    @cached_property
    def segments(self) -> pd.DataFrame:
        """The segments table, indexed by row key."""
        return self.profiles.segments.set_index(Col.KEY, drop=False)

    @cached_property
    def records(self) -> dict[str, dict[str, Any]]:
        """Row key → row of the segments table as plain data, for fast look-ups of single cells."""
        return {
            str(key): {str(name): value for name, value in row.items()}
            for key, row in self.segments.to_dict("index").items()
        }

    @cached_property
    def segment_keys(self) -> tuple[str, ...]:
        """Keys of the segments, by id."""
        return tuple(key for key, row in self.records.items() if row[Col.KIND] == RowKind.SEGMENT)

    @cached_property
    def attributes(self) -> Mapping[str, tuple[str, ...]]:
        """Attribute (browser, device, …) → its values, most frequent first, without "other"."""
        shares = self.profiles.shares
        named = shares[~shares[Col.IS_OTHER].astype(bool)]
        return {
            str(attribute): tuple(dict.fromkeys(part[Col.VALUE]))
            for attribute, part in named.groupby(Col.ATTRIBUTE, sort=False)
        }

    @cached_property
    def digest(self) -> str:
        """Digest that identifies the data set, its labels, its segments and the outcome."""
        digest = hashlib.blake2b(self.basis.key.encode(), digest_size=16)
        digest.update(self.partition.labels.tobytes())
        digest.update(str(self.profiles.outcome).encode())
        if len(self.profiles.chosen) > 1:  # else any and the first are one
            digest.update(self.profiles.settings.outcome_counts.encode())
        return digest.hexdigest()

    def members(self, key: str) -> np.ndarray:
        """The users of a row: bool of shape (n_users,)."""
        return self.rows.members(list(self.records).index(key))

    @cached_property
    def taken(self) -> Callable[[str, View], StepCounts]:
        """Function that returns the steps of a row's users between pages, themes or types."""
        return cache(lambda key, view: self.basis.moves(view).taken(self.members(key)))

    @cached_property
    def items(self) -> dict[tuple[str, str], Mapping[str, Mapping[str, Any]]]:
        """Cache of :func:`core.facts.items.item_rows`: (dimension, value) → what it returns."""
        return {}

    def warm(self) -> None:
        """Count the tables that most questions need, so that the first question does not wait for them."""
        for view in self.basis.views:
            self.basis.moves(view)
        _ = self.segments, self.digest, self.differences


@dataclass(frozen=True, eq=False)
class Context:
    """The segments that a question is about, with what else an answer may need to know.

    Args:
        tables: Figures of the segments.
        names: Segment → name, the analyst's where edited; a segment without one is called by its number.
        previous: The segments before the last move of a slider.
        suggested: Segment → name that the analyst was offered and has not taken (yet).
        certificates: Segment → how sure it is; empty where that was not measured.
        unsupported: Whether no number of segments is supported.
        verdict: Whether the users form segments, in a sentence; empty where that was not measured.
        withheld: Whether names of segments are kept back, as no number of segments is supported.
        funnel: The funnel that the analyst built; None without one.
        like: Finds the look-alikes of a segment, by its key, or of ``PASTED``; None where it cannot.
        counted: The filter of users and days on screen; None where there is no screen to change.
        most_segments: Most segments that the screen can be set to.
        weighable: Views that can have a weight.
    """

    tables: Tables
    names: Mapping[int, str] = field(default_factory=dict)
    previous: Partition | None = None
    suggested: Mapping[int, str] = field(default_factory=dict)
    certificates: Mapping[int, Certificate] = field(default_factory=dict)
    unsupported: bool = False
    verdict: str = ""
    withheld: bool = False
    funnel: Funnel | None = None
    like: Callable[[str], LookAlikes] | None = None
    counted: CountFilter | None = None
    most_segments: int = 0
    weighable: tuple[View, ...] = ()

    @property
    def segment_keys(self) -> tuple[str, ...]:
        """Keys of the segments, by id."""
        return self.tables.segment_keys

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys of all rows, in the order of the segments table."""
        return tuple(self.tables.records)

    def row(self, key: str) -> Mapping[str, Any]:
        """The row of the segments table with a key: column → value. A KeyError if there is none."""
        return self.tables.records[key]

    def place(self, key: str) -> int:
        """Index of a row in :attr:`keys`, and so in all arrays by row. A ValueError if there is none."""
        return self.keys.index(key)

    def population_of(self, facts: Iterable[Fact]) -> str:
        """Sentence on how many users there are, in segments and left out; empty without facts."""
        profiles, unseen = self.tables.profiles, self.tables.basis.data.outcomes.unseen
        seen, inside = pluralise(profiles.n_users, "user"), f"{profiles.n_clustered:,} are in a segment"
        left = f"; {unseen:,} without a used page view are not among them." if unseen else "."
        return f"Of {seen} with a page view, {inside}{left}" if any(facts) else ""

    def holds(self, outer: str, inner: str) -> bool:
        """Whether the row ``outer`` (all users, or all of one page view) contains the other row ``inner``."""
        if OTHERS in (outer, inner) or outer == inner:
            return False
        one_page = outer == ONE_PAGE and self.row(inner)[Col.KIND] == RowKind.ONE_PAGE
        return outer == ALL or one_page

    def title(self, key: str) -> str:
        """The full title of a row: ``Bargain hunters (segment 2)``, ``One-page users``."""
        return self.titled(key).full

    def titled(self, key: str) -> Title:
        """The title of a row, as label, name and mark."""
        if key in _NO_ROWS:
            return Title(label=_NO_ROWS[key])
        row = self.row(key)
        label, rule = str(row[Col.LABEL]), ""
        if row[Col.KIND] == RowKind.ONE_PAGE:  # what it is called holds addresses, which strangers wrote
            label, _, rule = label.partition(": ")
        segment = int(row[Col.SEGMENT])
        if row[Col.KIND] != RowKind.SEGMENT:
            return Title(label=label, name=clean(rule))
        name, sure = (
            self.names.get(segment) or self.suggested.get(segment, ""),
            self.certificates.get(segment),
        )
        return Title(label=label, name=clean(name), mark=sure.mark if sure else "")

    def titles(self, keys: Iterable[str] = ()) -> dict[str, Title]:
        """Row key → title of some rows; of every row when none is named."""
        return {key: self.titled(key) for key in keys or (*self.keys, *_NO_ROWS)}

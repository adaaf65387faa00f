"""A data set, laid out once for all that is counted of its users."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property, lru_cache, partial
from types import MappingProxyType
from typing import Final

import numpy as np
import pandas as pd

from core.base.errors import ArtifactError
from core.base.schema import Pages, View
from core.base.settings import UrlSettings
from core.base.wording import common_origin, short_address
from core.data.dataset import Dataset
from core.data.page_labels import LabelledPages, counted_key
from core.data.sequences import UserSequences
from core.data.timed_events import TimedEvents
from core.differences.user_items import Family, UserItems, labels_of
from core.facets.facets import find_facets
from core.journeys.funnel import Funnel, StepKind
from core.journeys.funnel_walk import FunnelWalk, walk
from core.journeys.moves import Moves
from core.journeys.patterns import FunnelSite, cleaned_by
from core.journeys.places import Level, Places
from core.journeys.routes import Routes
from core.naming.words import SiteWords
from core.periods.activity import Activity
from core.periods.calendar import Calendar, PeriodUnit, calendar, calendar_of, covered, usual_unit
from core.profiles.data import ProfileData
from core.profiles.label_data import LabelData
from core.rules.features import RuleFeatures
from core.rules.judging import FoundRules, find_rules
from core.segments.partition import Partition

WALKS_KEPT: Final = 8
"""Funnels that were followed."""
STOPS: Final = 5
"""That a route is told apart by."""
LEVEL_OF: Final = {View.URL: Level.PAGE, View.THEME: Level.THEME, View.TYPE: Level.TYPE}


@dataclass(frozen=True, eq=False)
class Basis:
    """A data set, laid out once.

    Args:
        key: Names the data set and its labels.
        data: What profiles are counted from.
        sequences: Page views of all users.
        labels: Themes and types; None where pages are not labelled.
        addresses: Of each page.
        pages: What to call each page: its address without what all addresses share.
        names: Theme, type and template of each page, as far as pages are labelled.
        items: What each user did, saw or came with.
        site: How the site writes its words.
        events: When what was done, read when it is asked for.
        urls: How addresses were cleaned, read when it is asked for.
        calendar: The days or weeks that it covers, by its clock; by UTC where it is not known.
        narrowed: What part of an export it is, read when it is asked for; empty where it is all of it.
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
    narrowed: Callable[[], str] = str

    @classmethod
    def from_dataset(
        cls, dataset: Dataset, labelled: LabelledPages | None = None, data: ProfileData | None = None
    ) -> Basis:
        """Lay out a data set and its labels.

        Args:
            dataset: The preprocessed export.
            labelled: What its pages are about.
            data: What profiles are counted from, where it is at hand.
        """
        data = data or ProfileData.from_dataset(dataset, labelled)
        key = counted_key(dataset.key, labelled)
        levels, names = find_facets(dataset, labelled).items(), labels_of(labelled)
        made = cls.from_tables(key, data, dataset.pages, dataset.sequences, names, levels)
        return replace(
            made, events=lambda: dataset.events, urls=lambda: cleaned_by(dataset),
            calendar=partial(calendar, dataset), narrowed=lambda: dataset.receipt.narrowed,
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
        """Lay out tables.

        Args:
            key: Names them.
            data: What profiles are counted from.
            pages: All pages.
            sequences: Page views.
            names: Theme, type and, where mined, template of each page, or nothing.
            levels: What users are called by their facets (:meth:`core.facets.facets.Facets.items`).
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
        """What steps go between: pages, and themes and types where pages are labelled."""
        return (View.URL, *(self.labels.page_of if self.labels else ()))

    @cached_property
    def rule_features(self) -> RuleFeatures:
        """What a rule can ask of the users."""
        return RuleFeatures.from_counted(self.data, self.addresses, self.sequences, self.names)

    @cached_property
    def _rules(self) -> dict[str, Mapping[int, FoundRules]]:
        return {}

    def rules(self, partition: Partition) -> Mapping[int, FoundRules]:
        """The best rules of each segment; of whatever outcome, so that they stay when it changes."""
        if partition.digest not in self._rules:
            self._rules[partition.digest] = find_rules(self.rule_features, partition.labels)
        return self._rules[partition.digest]

    @cached_property
    def routes(self) -> Callable[[View], Routes]:
        """Whole sessions by pages, themes or types."""
        return cache(lambda view: Routes.of(self.sequences, self._places(view), STOPS))

    @cached_property
    def moves(self) -> Callable[[View], Moves]:
        """All steps between pages, themes or types, with the start and the end of each session."""
        return cache(lambda view: Moves.of(self.sequences, self._places(view)))

    @cached_property
    def activity(self) -> Callable[[PeriodUnit | None], Activity]:
        """Who came in which day or week; in what suits the length of the data where no unit is named."""
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
        """What steps of a funnel can be made of: no events where it is not known when they were done."""
        try:
            events = self.events().names
        except ArtifactError:
            events = ()
        return FunnelSite.from_names(self.addresses, self.names, events, self.urls())

    @cached_property
    def walked(self) -> Callable[[Funnel], FunnelWalk]:
        """How far each user comes in a funnel; a few of them are kept.

        It raises :class:`core.base.errors.ArtifactError` if a step is an event and it is not known when.
        """
        return lru_cache(WALKS_KEPT)(self._walk)

    def _walk(self, funnel: Funnel) -> FunnelWalk:
        asks_events = any(step.kind is StepKind.EVENT for step in funnel.steps)
        events = self.events() if asks_events else TimedEvents.none()
        return walk(funnel, self.funnel_site.marks_of(funnel), self.sequences, events)

    def _places(self, view: View) -> Places:
        names = np.array(self.pages)
        if self.labels is not None and view in self.labels.page_of:  # of each page that somebody saw
            names = np.array(self.labels.views[view].values)[self.labels.page_of[view]]
        return Places.from_names(LEVEL_OF[view], names.tolist(), self.sequences)

"""The live segments: settled settings and segments → combined vectors, profiles, names, certificates.

:func:`solve` reads no control and writes nothing. What a session has set, and which segments it has on
screen, is settled before (``session_segments.py``); all sessions share what is computed (``shared.py``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property

import numpy as np

from core.base.settings import AnalyzeSettings, ClusterSettings, ViewWeights
from core.facts.context import Tables
from core.profiles import name_fitting
from core.profiles.metrics import Profiles
from core.profiles.name_fitting import CurrentName
from core.profiles.names import SegmentName
from core.saved.saved_work import Segmentation
from core.segments import levels as numbers
from core.segments.certificate import Certificate, marked_names, verdict_text
from core.segments.combination import Combined
from core.segments.levels import SegmentLevels
from pages.ui.segments import shared
from pages.ui.segments.shared import Sources


@dataclass(frozen=True)
class SegmentSettings:
    """Settings of the segments, within what the data allow: weights of views, their number, the outcome."""

    weights: ViewWeights
    cluster: ClusterSettings
    analyze: AnalyzeSettings


@dataclass(frozen=True)
class Settled:
    """What a session has on screen, before anything is counted of it.

    Args:
        sources: What it is made from.
        settings: The settings that made it.
        segmentation: The segments.
        given: Segment → the name that the analyst gave it, and why.
        levels: Numbers of segments that users support; None until users have been compared.
        withheld: Whether names are kept back, as no number of segments is supported.
    """

    sources: Sources
    settings: SegmentSettings
    segmentation: Segmentation
    given: Mapping[int, SegmentName]
    levels: SegmentLevels | None
    withheld: bool


@dataclass(frozen=True)
class LiveSegments(Settled):
    """The segments on screen, with everything that pages draw of them.

    Args:
        combined: The vectors that were clustered, and how much each view counts in them.
        tables: What was counted of the segments.
        current_names: Segment → what it is called, and why.
        certificates: Segment → how sure it is; empty until that was measured.
    """

    combined: Combined
    tables: Tables
    current_names: Mapping[int, CurrentName]
    certificates: Mapping[int, Certificate]

    @cached_property
    def profiles(self) -> Profiles:
        """The profiles of the segments."""
        return self.tables.profiles

    @property
    def own_names(self) -> dict[int, str]:
        """Segment → the analyst's name, where one was given."""
        return {segment: name.text for segment, name in self.current_names.items() if name.is_given}

    @cached_property
    def labels(self) -> np.ndarray:
        """The segment of each user, int32 of shape (n_users,); -1 outside clustering, -3 set aside."""
        return self.segmentation.partition.labels

    @cached_property
    def segments(self) -> list[int]:
        """Ids of the segments, ascending."""
        return sorted(int(segment) for segment in self.segmentation.partition.ids)

    @cached_property
    def names(self) -> dict[int, str]:
        """Segment → its title for readers, with its number, marked where it is doubtful."""
        return marked_names(self.plain_names, self.certificates)

    @cached_property
    def plain_names(self) -> dict[int, str]:
        """Segment → its name and number without the mark, for files to be joined."""
        return {segment: self.current_names[segment].title(segment) for segment in self.segments}

    @property
    def verdict(self) -> str:
        """Sentence on whether there are segments, and how many are doubtful."""
        return verdict_text(self.levels, self.certificates)

    @property
    def unsupported(self) -> bool:
        """Whether the users support no number of segments."""
        return numbers.unsupported(self.levels)


def solve(settled: Settled) -> LiveSegments:
    """Compute everything that pages draw of the segments on screen.

    Raises:
        SettingsError: If the outcome is not in the data.
    """
    sources, weights = settled.sources, settled.segmentation.weights
    partition, levels = settled.segmentation.partition, settled.levels
    tables = shared.tables(sources, weights, partition, settled.settings.analyze)
    current_names = shared.called(tables, settled.given)
    return LiveSegments(
        **{field.name: getattr(settled, field.name) for field in fields(Settled)},
        combined=shared.combined(sources, weights),
        tables=tables,
        current_names=name_fitting.only_given(current_names) if settled.withheld else current_names,
        certificates=shared.certificates(sources, weights, partition, levels),
    )


def with_number(live: LiveSegments, k: int) -> LiveSegments:
    """The segments for another number: a fit from scratch, with the app's names."""
    sources, weights = live.sources, live.settings.weights
    cluster = live.settings.cluster.model_copy(update={"n_clusters": k})
    segmentation = Segmentation(live.sources.embeddings, weights, shared.cut(sources, weights, cluster))
    settings = replace(live.settings, cluster=cluster)
    return solve(replace(live, settings=settings, segmentation=segmentation, given={}))

"""What a report is made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from core.data.dataset import Dataset
from core.facets.facets import Facets
from core.journeys.counted_funnels import CountedFunnel
from core.journeys.moves import Moves
from core.naming.fitting import HeldName
from core.profiles.metrics import Profiles
from core.segments.certificate import Certificate
from core.segments.layout import Layout
from core.segments.partition import Partition


@dataclass(frozen=True, eq=False)
class ReportInput:
    """What a report is made from.

    Args:
        dataset: The preprocessed export.
        profiles: What each segment is like.
        differences: How each segment differs from the others (:mod:`core.differences.table`).
        moves: All steps between places that can be read; None where they could not be made.
        partition: The segments.
        vectors: float32 of shape (n_users, d), what was clustered.
        names: Segment → what it is called, and why; a segment without a name is called by its number.
        settings: Part of a run → its settings.
        versions: Package → version.
        facts: What else is worth keeping about the clustering (label → text).
        layout: The map; principal components when None.
        verdict: Whether there are segments, in a sentence; empty where nobody asked.
        certificates: Segment → how sure it is, where that was measured.
        journeys: What is told of how each segment moves (:mod:`core.journeys.record`).
        rules: Segment → it in a few conditions, in words, where they were looked for.
        funnels: Those that the analyst asked for, counted.
        next_pages: Segment → what its users are pointed to next, in words.
        facets: How users differ; None where that could not be found.
        outcome_told: Whether a facet or the segments tell the outcome better, in words.
    """

    dataset: Dataset
    profiles: Profiles
    differences: pd.DataFrame
    moves: Moves | None
    partition: Partition
    vectors: np.ndarray
    names: Mapping[int, HeldName]
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

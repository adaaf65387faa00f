"""The data behind the comparison with a later export: data sets to choose from, its job, and its result."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import streamlit as st

from core.base.errors import Beha2VecError
from core.periods.drift import Drift, Wear, drift, far_groups, page_changes, wear
from core.periods.migration import Migration, migration
from core.runs import artifacts, later_export
from core.runs.later_export import LaterRequest, Trained, TwoPeriods
from core.runs.stages import LATER_EXPORT
from core.storage.store import Artifact
from pages.ui.data import catalog, sources
from pages.ui.data.catalog import DatasetCard
from pages.ui.data.prepare_form import PREPARE_WALL_S
from pages.ui.segments.live_segments import LiveSegments
from pages.ui.segments.shared import SESSIONS, Sources
from pages.ui.shell import job_panel
from pages.ui.shell.shared_cache import cached


@dataclass(frozen=True, eq=False)
class Compared:
    """Everything that is drawn of a later export in the segments on screen.

    Args:
        periods: Users of both exports in these segments.
        drift: Whether the later users differ from the training's.
        migration: Users of both exports by segment before and now.
        pages: Result of :func:`core.periods.drift.page_changes`.
        groups: Result of :func:`core.periods.drift.far_groups`.
        wear: Figures on whether the model needs another training.
    """

    periods: TwoPeriods
    drift: Drift
    migration: Migration
    pages: pd.DataFrame
    groups: pd.DataFrame
    wear: Wear


def offered(made_from: Sources) -> dict[str, tuple[DatasetCard, float]]:
    """Key → card of another data set and the share of its page views on pages of this one, largest first."""
    found = {
        card.key: (card, _in_common(made_from.root, made_from.dataset.key, card.key, made_from))
        for card in catalog.datasets(made_from.store)
        if card.key != made_from.dataset.key
    }
    return dict(sorted(found.items(), key=lambda one: -round(one[1][1], 1)))


@st.cache_data(max_entries=256, show_spinner=False)
def _in_common(root: str, key: str, other: str, _made_from: Sources) -> float:
    try:
        opened = artifacts.open_dataset(_made_from.store, other)
    except Beha2VecError:
        return 0.0  # damaged: whoever chooses it is told
    return later_export.pages_in_common(_trained(_made_from), opened)


def called(made_from: Sources, card: DatasetCard, in_common: float) -> str:
    """Line on a data set for the choice, with its pages in common, and whether these are too few."""
    things = "sections" if _trained(made_from).by_section else "pages"
    few = "" if in_common >= later_export.MIN_KNOWN else ", too few to compare"
    return f"{card.line} · {in_common:.0%} {things} in common{few}"


@cached(lambda made_from: (made_from.root, made_from.model_key, made_from.counted), SESSIONS)
def _trained(made_from: Sources) -> Trained:
    """The model on screen and what it was trained on; its files are checked once for all sessions."""
    opened = artifacts.open_model(made_from.store, made_from.model_key)
    return Trained(made_from.dataset, made_from.labels, opened)


def subject(made_from: Sources, later: str) -> str:
    """Subject of the job: the model and the later data set."""
    return f"{made_from.model_key} {later}"


def start(made_from: Sources, card: DatasetCard) -> None:
    """Start placing a later export (a button's callback); its files are read where they still lie."""
    request = _request(made_from, card.key, tuple(sources.paths(sources.still_there(card))))
    limits = job_panel.file_limits(PREPARE_WALL_S)
    job_panel.start(LATER_EXPORT.name, request, subject(made_from, card.key), limits)


def _request(made_from: Sources, later: str, paths: tuple[Path, ...] = ()) -> LaterRequest:
    return LaterRequest(
        dataset=made_from.dataset.key, labels=made_from.label_key,
        model=made_from.model_key, later=later, paths=paths,
    )  # fmt: skip


def find(made_from: Sources, later: str) -> Artifact | None:
    """What the job made of a later data set (a content key); None until it has run."""
    key = LATER_EXPORT.key(_request(made_from, later))
    written = catalog.written(made_from.store.root / LATER_EXPORT.name / key)
    return _found(made_from.root, key, written, made_from) if written else None


@st.cache_resource(max_entries=SESSIONS, show_spinner=False)
def _found(root: str, key: str, written: float, _made_from: Sources) -> Artifact | None:
    return _made_from.store.find(LATER_EXPORT.name, key)


@cached(
    lambda live, made: (made.key, live.settings.weights, live.segmentation.partition.digest), max_entries=4,
    show_spinner="Comparing the two exports",
)  # fmt: skip
def compared(live: LiveSegments, made: Artifact) -> Compared:
    """Compare a later export, once for all sessions with these segments.

    Raises:
        ArtifactError: If something on disk is damaged, or was made with other views.
    """
    partition = live.segmentation.partition
    both = later_export.place_both(made, _trained(live.sources), live.combined, partition)
    found = drift(both.period, both.after)
    return Compared(
        both, found, migration(both.both, both.halves, len(partition.ids)),
        page_changes(both.period, both.after), far_groups(both.before, both.after, found.limit),
        wear(both.period, found),
    )  # fmt: skip

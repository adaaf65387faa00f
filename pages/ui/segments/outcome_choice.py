"""The outcome: what the data have, what was chosen, and what gives it away; and the facets beside it.

The facets of the data set on screen are found once for all sessions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import streamlit as st

from core.base.schema import PAGE_OUTCOME, page_outcome
from core.base.settings import AnalyzeSettings, OutcomeCount
from core.data.dataset import Dataset
from core.data.page_labels import LabelledPages, counted_key
from core.facets.beside_segments import BesideSegments, beside_segments
from core.facets.facets import Facets, find_facets
from core.profiles.outcomes import OutcomeIndex
from core.saved.controls import Controls
from core.segments.partition import Partition
from pages.ui.segments.made_from import Sources
from pages.ui.segments.shared import basis
from pages.ui.shell import state
from pages.ui.shell.kept import kept

if TYPE_CHECKING:
    from pages.ui.segments.live_segments import LiveSegments

OFFERED: Final = 1_000
"""Pages that can be chosen as the outcome, at most: the most viewed; the command line takes any."""


@kept(lambda made_from: made_from.counted, max_entries=8, cache=st.cache_data)
def outcomes(made_from: Sources) -> dict[str, int]:
    """Possible outcome → its users: events, then templates and pages, most users first."""
    return basis(made_from).data.outcomes.offered(OFFERED)


@kept(lambda live: (live.sources.counted, live.profiles.chosen), max_entries=16)
def leaks(live: LiveSegments) -> tuple[str, ...]:
    """Pages that the model has read although they give the outcome on screen away."""
    return basis(live.sources).data.outcomes.leaks(live.profiles.chosen)


def chosen_outcomes(made_from: Sources) -> tuple[str, ...]:
    """The chosen outcomes that the data have; without a choice the default."""
    known, chosen = outcomes(made_from), state.controls(made_from.model_key).outcomes
    if chosen:
        chosen = tuple(one for one in _by_address(chosen, made_from) if one in known) or None
    return basis(made_from).data.outcomes.usual if chosen is None else chosen


def unset(made_from: Sources) -> str:
    """Sentence on events that may be the outcome, where none is chosen and there is no default."""
    is_chosen = state.controls(made_from.model_key).outcomes is not None
    return "" if is_chosen else basis(made_from).data.outcomes.unset


def analyze(held: Controls, made_from: Sources) -> AnalyzeSettings:
    """Settings by which the chosen outcomes are counted."""
    chosen = chosen_outcomes(made_from)
    counts = held.outcome_counts if len(chosen) > 1 else OutcomeCount.ANY
    return AnalyzeSettings.checked(outcome=chosen, outcome_counts=counts)


def _by_address(chosen: tuple[str, ...], made_from: Sources) -> tuple[str, ...]:
    """Complete pages that are named without their host, as links and the command line may do."""
    index = basis(made_from).data.outcomes
    found = [index.pages_of(outcome) if outcome.startswith(PAGE_OUTCOME) else () for outcome in chosen]
    return tuple(
        page_outcome(index.pages[pages[0]]) if len(pages) == 1 else outcome
        for outcome, pages in zip(chosen, found, strict=True)
    )


def of_sources(made_from: Sources) -> Facets:
    """The facets of a model's data set, with the outcome chosen for the model."""
    return facets(made_from.dataset, made_from.labels, chosen_outcomes(made_from))


def beside(made_from: Sources, partition: Partition) -> BesideSegments | None:
    """Compare facets and segments by how well they tell the chosen outcome; None where that is unknown."""
    return beside_segments(of_sources(made_from), partition)


@kept(
    lambda dataset, labels, outcome: (counted_key(dataset.key, labels), outcome), max_entries=4,
    show_spinner="Looking at how users differ …",
)  # fmt: skip
def facets(dataset: Dataset, labels: LabelledPages | None, outcome: tuple[str, ...] | None) -> Facets:
    """Find the facets of a data set.

    Args:
        dataset: The users.
        labels: Themes and types of its pages.
        outcome: What counts as the outcome; None for what is usual.
    """
    settings = AnalyzeSettings.checked(outcome=outcome)
    index = OutcomeIndex.of(dataset, labels)
    given_away = index.is_read(index.chosen(settings))
    return find_facets(dataset, labels, index.inside(settings), given_away=given_away)

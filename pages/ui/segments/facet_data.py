"""The facets of the data set on screen, found once for all sessions."""

from __future__ import annotations

from core.base.settings import AnalyzeSettings
from core.data.dataset import Dataset
from core.data.page_labels import LabelledPages, counted_key
from core.facets.beside_segments import BesideSegments, beside_segments
from core.facets.facets import Facets, find_facets
from core.profiles.outcomes import OutcomeIndex
from core.segments.partition import Partition
from pages.ui.segments import outcome_choice
from pages.ui.segments.made_from import Sources
from pages.ui.shell.kept import kept


def of_sources(made_from: Sources) -> Facets:
    """The facets with the outcome that is chosen for a model."""
    return facets(made_from.dataset, made_from.labels, outcome_choice.chosen_outcomes(made_from))


def beside(made_from: Sources, partition: Partition) -> BesideSegments | None:
    """Whether the facets or these segments tell the chosen outcome better; None where that is not known."""
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

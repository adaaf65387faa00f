"""Next pages of the users of a run: learned from its data set, labels and model."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from core.base.progress import Progress, silent
from core.base.schema import Group, View
from core.people.next_page_learning import LearnedFrom, learn
from core.people.next_page_tables import functional_pages
from core.people.next_pages import NextPages
from core.segments.combination import Combined, Embed, FrozenMix
from core.storage.dataset import Dataset, in_group
from core.storage.page_labels import LabelledPages, page_names


def learn_next_pages(
    dataset: Dataset,
    labels: LabelledPages | None,
    model: Path,
    combined: Combined,
    inside: np.ndarray,
    embed: Embed,
    progress: Progress = silent,
) -> NextPages:
    """Learn to suggest next pages: count what follows what, and weigh kinds of evidence on held-out users.

    Args:
        dataset: The users.
        labels: Themes and types of their pages; None where they have none.
        model: Folder of the trained model.
        combined: The mixed vectors of all users.
        inside: bool of shape (n_users,), the clustered users.
        embed: Embeds sequences with a model, here or in another process.
        progress: Where to report.

    Raises:
        ArtifactError: If the model is missing or damaged.
    """
    names = page_names(dataset.pages, labels)
    mix = FrozenMix(embed, model, names, combined)
    functional = functional_pages(dataset.pages, labels)
    people = ~in_group(dataset.users, Group.BOT_LIKE)
    source = LearnedFrom(
        dataset.sequences, names[View.URL], functional, combined.vectors, inside, people, mix.vectors
    )
    return learn(source, progress)

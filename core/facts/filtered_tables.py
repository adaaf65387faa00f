"""Segments counted anew for what a filter leaves of their users, while everybody stays where they are."""

from __future__ import annotations

from dataclasses import replace

from core.base.errors import SettingsError
from core.base.schema import OUTSIDE
from core.base.wording import pluralise
from core.facts.context import Basis, Tables
from core.periods.dataset_part import DatasetPart
from core.profiles.data import ProfileData
from core.profiles.metrics import profile
from core.storage.page_labels import LabelledPages


def filtered_tables(whole: Tables, part: DatasetPart, labels: LabelledPages | None) -> Tables:
    """Count the segments again for the users and days that a filter keeps; nobody changes their segment.

    Args:
        whole: The segments with all their users.
        part: What the filter keeps of the data set.
        labels: Themes and types of the pages; None where they are not labelled.

    Raises:
        SettingsError: If no user in a segment is left.
        ArtifactError: If days are left out and the data set does not say when events were done.
    """
    data = ProfileData.from_dataset(part, labels)
    data = replace(data, outcomes=data.outcomes.part_of(whole.basis.data.outcomes))
    partition = replace(whole.partition, labels=whole.partition.labels[part.fit.users])
    if not (partition.labels > OUTSIDE).any():
        raise SettingsError(
            f"The filter leaves nobody in a segment: {pluralise(data.n_users, 'user')} who "
            f"{'fits' if data.n_users == 1 else 'fit'} {part.chosen.in_words} "
            f"{'is' if data.n_users == 1 else 'are'} in none",
            remedy="Clear the filter, or choose more",
        )
    profiles = whole.profiles
    settings = profiles.settings.model_copy(update={"outcome": profiles.chosen})
    one_page = profiles.one_page and replace(profiles.one_page, codes=profiles.one_page.codes[part.fit.users])
    return Tables(
        Basis.from_dataset(part, labels, data), profile(data, partition.labels, settings, one_page), partition
    )

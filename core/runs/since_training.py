"""Compare later users with the training period of a published model, by what its folder keeps of it.

Nobody is known again, as the folder has no ids: who is in both counts as two people. Their doing alike makes
differences smaller than is reckoned with, so that false alarms are rarer than stated, and changes harder to
see; where the training data are at hand, the app holds them against each other user by user
(:mod:`core.runs.later_export`).
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import pandas as pd

from core.base.errors import ArtifactError
from core.base.progress import Progress
from core.base.schema import View
from core.base.settings import Device
from core.base.wording import common_origin
from core.data.sequences import UserSequences
from core.periods import drift_words
from core.periods.drift import Drift, Wear, drift, page_changes, wear
from core.periods.placed_users import BY_SECTION, PlacedUsers, sections, seen_pages
from core.periods.training_period import TrainingPeriod
from core.runs import pipeline
from core.runs.frozen import FrozenModel, Placed
from core.runs.later_export import check_same_site, known_share
from core.runs.score import named_pages, place_export
from core.storage.disk import disk_errors
from core.storage.store import Store

NAME = "name"
NOBODY: Final = (
    "Nobody is known again, because a model folder has no ids: who came then and now counts as two people, "
    "so that false alarms are rarer and changes harder to see. The page Time knows them."
)


@dataclass(frozen=True, eq=False)
class SinceTraining:
    """Later users compared with those of the training.

    Args:
        period: The training period.
        drift: The alarm and its figures.
        pages: Table of :func:`core.periods.drift.page_changes`.
        wear: Whether it is time to train again.
        users: How many there are now.
        segments: What each segment is called, by position.
    """

    period: TrainingPeriod
    drift: Drift
    pages: pd.DataFrame
    wear: Wear
    users: int
    segments: tuple[str, ...]

    @property
    def figures(self) -> pd.DataFrame:
        """Figures of the alarm, each with its name."""
        origin = common_origin(self.drift.pages)
        rows = self.drift.table.to_dict("records")
        names = [drift_words.figure_name(row, self.segments, self.drift.pages, origin) for row in rows]
        return self.drift.table.assign(**{NAME: names})

    @property
    def lines(self) -> list[str]:
        """The comparison in words, the answer first."""
        told = drift_words.alarm_lines(self.drift, self.figures[NAME].tolist())
        pages = drift_words.page_lines(self.pages) if self.drift.comparable else []
        notes = [BY_SECTION] if self.period.by_section else []
        notes += [NOBODY] if self.drift.comparable else []
        return [*told, *notes, *drift_words.wear_lines(self.wear), *pages]

    def to_plain(self) -> dict[str, Any]:
        """The comparison as plain data; what a figure does not say is None."""
        return {
            "alarm": self.drift.alarm, "comparable": self.drift.comparable, "days": list(self.drift.days),
            "p_value": self.drift.p_value if self.drift.comparable else None, "users": self.users,
            "users_before": int(self.period.sizes.sum()), "train_again": bool(self.wear.by),
            "worn_by": [one.value for one in self.wear.by], "lines": self.lines,
            "figures": _records(self.figures), "pages": _records(self.pages),
        }  # fmt: skip


def since_training(frozen: FrozenModel, sequences: UserSequences, placed: Placed) -> SinceTraining:
    """Compare users that a model placed with those of its training.

    Args:
        frozen: The model.
        sequences: Their page views.
        placed: Where they belong.

    Raises:
        ArtifactError: If the model's folder keeps nothing of its training period.
        InputError: If the model knows too few of their pages.
    """
    period, names = frozen.training, placed.names[View.URL]
    if period is None:
        raise ArtifactError(
            "The model's folder keeps nothing of its training period: an earlier release wrote it",
            remedy="Write it again: python -m core run --out OUT --from-stage analyze",
        )
    known = frozen.known.pages
    alike = sections if period.by_section else list
    check_same_site(known_share(sequences, alike(names), set(alike(known))))
    (pages,) = seen_pages([(sequences, names)], known, period.pages)
    after = PlacedUsers.of(sequences, placed.vectors, placed.clusters, frozen.partition, pages)
    if period.by_section:
        after = replace(after, pages=after.pages.in_sections())
    found = drift(period, after)
    ids = frozen.partition.ids.tolist()
    called = tuple(frozen.names.get(segment, f"Segment {segment + 1}") for segment in ids)
    return SinceTraining(
        period, found, page_changes(period, after), wear(period, found), len(after.place), called
    )


def export_since_training(
    inputs: Sequence[Path], model: Path, progress: Progress, device: Device = Device.AUTO
) -> SinceTraining:
    """Read and place an export as the model's settings say, and compare its users with the training.

    Args:
        inputs: Files, folders or patterns.
        model: The ``model`` folder of an earlier run.
        progress: Where to report.
        device: Where the network runs.

    Raises:
        Beha2VecError: If the model or the input cannot be used, or the model knows too few of its pages.
    """
    frozen = FrozenModel.read(model)
    with disk_errors(), tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        work = Path(name)
        dataset = pipeline.preprocess(Store(work), inputs, frozen.settings, progress)
        names = named_pages(dataset, frozen, work, progress)
        placed = place_export(dataset, frozen, names, progress, device)
        return since_training(frozen, dataset.sequences, placed)


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    rows = table.astype(object).where(table.notna(), None).to_dict("records")
    return [{str(name): value for name, value in row.items()} for row in rows]

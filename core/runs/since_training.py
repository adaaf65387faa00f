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
from datetime import timedelta
from math import isfinite
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from core.base.errors import ArtifactError, InputError, reworded_for_frozen_model
from core.base.places import PROGRAM
from core.base.progress import Progress
from core.base.schema import OUTSIDE, View
from core.base.settings import Device
from core.base.wording import common_origin, pluralise
from core.periods import drift_words
from core.periods.calendar import covered
from core.periods.dataset_part import DatasetPart
from core.periods.drift import CHANGE, ERRORS, Drift, PageChange, Wear, drift, page_changes, wear
from core.periods.filter import CountFilter
from core.periods.placed_users import BY_SECTION, PlacedUsers, sections, seen_pages
from core.periods.training_period import DriftFigure, TrainingPeriod
from core.runs import pipeline
from core.runs.frozen import FrozenModel
from core.runs.later_export import check_same_site, known_share
from core.runs.placing import Placement, place, place_dataset
from core.runs.taken_files import WatchedDrift
from core.storage.dataset import Dataset
from core.storage.day_coverage import EPOCH
from core.storage.disk import disk_errors
from core.storage.store import Store

_NAME = "name"
_NOBODY: Final = (
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
        users: Number of later users.
        segments: Name of each segment, in the order of their ids.
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
        return self.drift.table.assign(**{_NAME: names})

    @property
    def lines(self) -> list[str]:
        """The comparison in words, the answer first."""
        told = drift_words.alarm_lines(self.drift, self.figures[_NAME].tolist())
        pages = drift_words.page_lines(self.pages) if self.drift.comparable else []
        notes = [BY_SECTION] if self.period.by_section else []
        notes += [_NOBODY] if self.drift.comparable else []
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


def _since_training(placed: Placement) -> SinceTraining:
    """Compare users that a model placed with those of its training.

    Raises:
        ArtifactError: If the model's folder keeps nothing of its training period.
        InputError: If the model knows too few of their pages.
    """
    frozen, sequences = placed.frozen, placed.sequences
    period, names = frozen.training, placed.names[View.URL]
    if period is None:
        raise ArtifactError(
            "The model's folder keeps nothing of its training period: an earlier release wrote it",
            remedy=f"Write it again: {PROGRAM} run --out OUT --from-stage analyze",
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


@reworded_for_frozen_model()
def export_since_training(
    inputs: Sequence[Path], model: Path, progress: Progress, device: Device = Device.AUTO
) -> SinceTraining:
    """Compare the users of an export, read and placed by a model's settings, with those of its training.

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
        return _since_training(place_dataset(frozen, dataset, work, progress, device))


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    rows = table.astype(object).where(table.notna(), None).to_dict("records")
    return [{str(name): value for name, value in row.items()} for row in rows]


_AGAIN: Final = (
    "Each look asks anew, so that of many looks at users who have not changed more than one in 20 may raise "
    "the alarm for a while."
)


def watched_drift(
    dataset: Dataset, placed: Placement, at: str, progress: Progress, device: Device
) -> WatchedDrift:
    """Compare the users of as many of the latest days as the training covers with its users; or say why not.

    Args:
        dataset: All users so far.
        placed: Where they belong.
        at: Time of the look, UTC, ISO 8601.
        progress: Where to report.
        device: Where the network runs.
    """
    try:
        found = _since_training(_latest(dataset, placed, progress, device))
    except (ArtifactError, InputError) as error:
        return WatchedDrift(at, dataset.sequences.n_users, why_not=str(error))
    if not found.drift.comparable:
        before, now = found.drift.days
        told = (
            f"Not yet comparable: {now:,} of {pluralise(before, 'day')}. {drift_words.why_not(found.drift)}"
        )
        return WatchedDrift(at, found.users, why_not=told)
    return _kept(found, at)


def _latest(dataset: Dataset, placed: Placement, progress: Progress, device: Device) -> Placement:
    """Users of as many days as the training has, placed by the page views of these alone."""
    first, last = covered(dataset.sequences.timestamp, dataset.receipt.clock)
    training = placed.frozen.training
    days = training.days if training else last - first + 1
    if last - first < days:
        return placed
    since, upto = (EPOCH + timedelta(day) for day in (last - days + 1, last))
    part = DatasetPart.of(dataset, CountFilter(first_day=since, last_day=upto))
    found = place(placed.frozen, part.users, part.sequences, placed.names, progress, device)
    alone = part.sequences.lengths == 1  # with the views that are left, as with anybody who has no more
    return replace(found, clusters=np.where(alone, OUTSIDE, found.clusters))


def _kept(found: SinceTraining, at: str) -> WatchedDrift:
    told = f"Held against the training are the users of {pluralise(found.drift.days[1], 'day')}, the latest."
    first = found.figures.iloc[0]
    before, now = found.drift.of(DriftFigure.UNKNOWN)
    changes = found.pages[CHANGE].value_counts()
    return WatchedDrift(
        at, found.users, found.drift.alarm, found.drift.p_value,
        measure=drift_words.figure_line(first.to_dict(), first[_NAME]),
        standard_errors=_number(first[ERRORS]),
        threshold=_number(found.drift.critical),
        unknown=_number(now), unknown_before=_number(before),
        new_pages=int(changes.get(PageChange.NEW, 0)), gone_pages=int(changes.get(PageChange.GONE, 0)),
        train_again=bool(found.wear.by), lines=(*found.lines, told, _AGAIN),
    )  # fmt: skip


def _number(value: float) -> float:
    """A figure for JSON, which knows no NaN: 0 where it could not be measured."""
    return float(value) if isfinite(value) else 0.0


def change_of_alarm(before: WatchedDrift | None, now: WatchedDrift) -> list[str]:
    """One line that the alarm begins or ends; empty while it stays as it is."""
    alarmed = before is not None and before.alarm
    if now.why_not or now.alarm == alarmed:
        return []
    if now.alarm:
        return [f"Drift alarm: {now.measure} (p = {now.p_value:.3f}, {now.users:,} users)"]
    return [f"The drift alarm has ended (p = {now.p_value:.3f}, {now.users:,} users)"]

"""Whether the users of a watched folder are still those of the training, as its record keeps it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from math import isfinite
from typing import Final

import numpy as np

from core.base.errors import ArtifactError, InputError
from core.base.progress import Progress
from core.base.schema import OUTSIDE
from core.base.settings import Device
from core.base.wording import counted
from core.data.dataset import Dataset
from core.data.seen_days import EPOCH
from core.data.sequences import UserSequences
from core.periods import drift_words
from core.periods.calendar import covered
from core.periods.dataset_part import DatasetPart
from core.periods.drift import CHANGE, ERRORS, PageChange
from core.periods.filter import CountFilter
from core.periods.training_period import DriftFigure
from core.runs.frozen import FrozenModel, Placed
from core.runs.score import place_export
from core.runs.since_training import NAME, SinceTraining, since_training
from core.runs.taken_files import WatchedDrift

AGAIN: Final = (
    "Each look asks anew, so that of many looks at users who have not changed more than one in 20 may raise "
    "the alarm for a while."
)


def watched_drift(
    frozen: FrozenModel, dataset: Dataset, placed: Placed, at: str, progress: Progress, device: Device
) -> WatchedDrift:
    """Compare the users of the latest days, as many as the training has, with it; or say why not.

    Args:
        frozen: The model.
        dataset: All users so far.
        placed: Where they belong.
        at: Time of the look, UTC, ISO 8601.
        progress: Where to report.
        device: Where the network runs.
    """
    try:
        sequences, placed = _latest(frozen, dataset, placed, progress, device)
        found = since_training(frozen, sequences, placed)
    except (ArtifactError, InputError) as error:
        return WatchedDrift(at, dataset.sequences.n_users, why_not=str(error))
    if not found.drift.comparable:
        before, now = found.drift.days
        told = f"Not yet comparable: {now:,} of {counted(before, 'day')}. {drift_words.why_not(found.drift)}"
        return WatchedDrift(at, found.users, why_not=told)
    return _kept(found, at)


def _latest(
    frozen: FrozenModel, dataset: Dataset, placed: Placed, progress: Progress, device: Device
) -> tuple[UserSequences, Placed]:
    """Page views of as many days as the training has, and where their users belong by these alone."""
    first, last = covered(dataset.sequences.timestamp, dataset.receipt.clock)
    days = frozen.training.days if frozen.training else last - first + 1
    if last - first < days:
        return dataset.sequences, placed
    since, upto = (EPOCH + timedelta(day) for day in (last - days + 1, last))
    part = DatasetPart.of(dataset, CountFilter(first_day=since, last_day=upto))
    found = place_export(part, frozen, placed.names, progress, device)
    alone = part.sequences.lengths == 1  # with the views that are left, as with anybody who has no more
    return part.sequences, replace(found, clusters=np.where(alone, OUTSIDE, found.clusters))


def _kept(found: SinceTraining, at: str) -> WatchedDrift:
    told = f"Held against the training are the users of {counted(found.drift.days[1], 'day')}, the latest."
    first = found.figures.iloc[0]
    before, now = found.drift.of(DriftFigure.UNKNOWN)
    changes = found.pages[CHANGE].value_counts()
    return WatchedDrift(
        at, found.users, found.drift.alarm, found.drift.p_value,
        measure=drift_words.told_row(first.to_dict(), first[NAME]),
        standard_errors=_number(first[ERRORS]),
        threshold=_number(found.drift.critical),
        unknown=_number(now), unknown_before=_number(before),
        new_pages=int(changes.get(PageChange.NEW, 0)), gone_pages=int(changes.get(PageChange.GONE, 0)),
        train_again=bool(found.wear.by), lines=(*found.lines, told, AGAIN),
    )  # fmt: skip


def _number(value: float) -> float:
    """A figure for JSON, which knows no NaN: 0 where it could not be measured."""
    return float(value) if isfinite(value) else 0.0


def change_of_alarm(before: WatchedDrift | None, now: WatchedDrift) -> list[str]:
    """Message that the alarm begins or ends; none while it stays as it is."""
    alarmed = before is not None and before.alarm
    if now.why_not or now.alarm == alarmed:
        return []
    if now.alarm:
        return [f"Drift alarm: {now.measure} (p = {now.p_value:.3f}, {now.users:,} users)"]
    return [f"The drift alarm has ended (p = {now.p_value:.3f}, {now.users:,} users)"]

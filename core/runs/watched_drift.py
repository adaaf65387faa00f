"""Whether the users of a watched folder are still those of the training, as its record keeps it."""

from __future__ import annotations

from math import isfinite

from core.base.errors import ArtifactError, InputError
from core.data.sequences import UserSequences
from core.periods import drift_words
from core.periods.drift import ERRORS
from core.periods.page_changes import CHANGE, PageChange
from core.periods.training_period import DriftFigure
from core.runs.frozen import FrozenModel, Placed
from core.runs.since_training import NAME, SinceTraining, since_training
from core.runs.taken_files import WatchedDrift


def watched_drift(frozen: FrozenModel, sequences: UserSequences, placed: Placed, at: str) -> WatchedDrift:
    """Hold all users so far against the training period; where that cannot be done, say why.

    Args:
        frozen: The model.
        sequences: Page views of all users so far.
        placed: Where they belong.
        at: When, UTC, ISO 8601.
    """
    try:
        found = since_training(frozen, sequences, placed)
    except (ArtifactError, InputError) as error:
        return WatchedDrift(at, len(sequences.user_id), why_not=str(error))
    return _kept(found, at)


def _kept(found: SinceTraining, at: str) -> WatchedDrift:
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
        train_again=bool(found.wear.by), lines=tuple(found.lines),
    )  # fmt: skip


def _number(value: float) -> float:
    """0 for what could not be measured: JSON knows no NaN."""
    return float(value) if isfinite(value) else 0.0


def change_of_alarm(before: WatchedDrift | None, now: WatchedDrift) -> list[str]:
    """A line where the alarm begins or ends; none while it stays as it is."""
    alarmed = before is not None and before.alarm
    if now.why_not or now.alarm == alarmed:
        return []
    if now.alarm:
        return [f"Drift alarm: {now.measure} (p = {now.p_value:.3f}, {now.users:,} users)"]
    return [f"The drift alarm has ended (p = {now.p_value:.3f}, {now.users:,} users)"]

"""Stage 6: mix the views of each user into a combined vector, by the analyst's weights.

``x = normalise(√w₁ · u₁, √w₂ · u₂, …)``, the views that are present side by side, weights renormalised to
sum to 1. The root makes a weight what its slider says: variances add up, so a view of weight .3 brings about
.3 of the variance (without the root .09 of .38; decision 0009). A direction of one view has nothing to do
with one of another, so that they share no column.

Where two or more views are present, ``uₘ = normalise(eₘ − μₘ)``: each view is centred on its mean over
the clustered users. Without that, a view whose vectors all point the same way adds nearly the same
vector to everybody and its slider does nothing. A view that is alone stays as the model made it: there
is nothing to balance, and distances are those the model was trained on.

Where a view knows nothing of a user (zeros), the others make that user's vector. Weights are first multiplied
by a factor of each view: its share of labelled page views, times a constant (:func:`scaled_weights`).

Beside the mix are principal components of rows, and the frozen mix, which makes vectors of other sequences
of the same pages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeAlias

import numpy as np

from core.base.errors import ArtifactError, SettingsError
from core.base.schema import LEARNED_VIEWS, View
from core.base.settings import ViewWeights
from core.segments.activity import with_activity
from core.storage.sequences import UserSequences

_BLOCK: Final = 8192
"""Rows worked on at a time: 4 MB of 128 float32, so that they stay in the processor's cache."""

_TINY: Final = 1e-6
"""A vector shorter than this has no direction and becomes all zeros."""


@dataclass(frozen=True, eq=False)
class CalibratedViews:
    """The part of a mix that does not depend on the weights, made once a data set so that sliders are quick.

    Args:
        views: float32 of shape (n_users, d) of each present view, in the order of :class:`View`; read only.
        means: float32 of shape (d,), subtracted from each view; zeros when a single view is present.
        scales: float32 of shape (n_users,) a view: 1 / length of the centred vector, or 0 if it has none or
            the view knows nothing of the user.
        variances: Variance of each centred view over the clustered users, summed over its columns.
        activity: Quantiles from :func:`core.segments.activity.activity_ranks`; None where activity does not
            count.
    """

    views: Mapping[View, np.ndarray]
    means: Mapping[View, np.ndarray]
    scales: Mapping[View, np.ndarray]
    variances: Mapping[View, float]
    activity: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Combined:
    """Combined vectors of all users, and the mix that made them.

    Args:
        vectors: float32 of shape (n_users, d), L2-normalised (all zeros where a user has no direction).
        effective: Share of each present view in the variance, see :func:`effective_shares`; sums to 1.
        absent: Learned views that have no vectors, so that their weights do nothing.
        means: Mean that was subtracted from each view; new users need the same.
        weights: The analyst's weights.
        counted: Weights times the factors of the views, see :func:`scaled_weights`.
        activity: Quantiles by which the activity view was made, see :class:`CalibratedViews`.
    """

    vectors: np.ndarray
    effective: Mapping[View, float]
    absent: tuple[View, ...]
    means: Mapping[View, np.ndarray]
    weights: ViewWeights
    counted: ViewWeights
    activity: np.ndarray | None = None


def combine(
    views: Mapping[View, np.ndarray],
    weights: ViewWeights,
    inside: np.ndarray | None = None,
    coverage: Mapping[View, float] | None = None,
) -> Combined:
    """Mix the views of all users; :func:`calibrate` and :func:`blend` in one go.

    Args:
        views: float32 of shape (n_users, d) of each present view, L2-normalised or zeros.
        weights: How much each view counts.
        inside: bool of shape (n_users,), the clustered users, over whom the means are taken; None for all.
        coverage: View → factor of its weight, see :func:`blend`.

    Raises:
        ArtifactError: If the views do not fit together.
        SettingsError: If every view that is present has weight 0.
    """
    return blend(calibrate(views, inside), weights, coverage)


def mix_like(
    views: Mapping[View, np.ndarray], weights: ViewWeights, means: Mapping[View, np.ndarray]
) -> np.ndarray:
    """Mix vectors of other users as in an earlier mix: float32 of shape (n_users, d), L2-normalised or zeros.

    Args:
        views: float32 of shape (n_users, d) of each view, of the other users.
        weights: :attr:`Combined.counted` of the earlier mix.
        means: :attr:`Combined.means` of the earlier mix.

    Raises:
        ArtifactError: If the views do not fit together, or a mean is missing.
        SettingsError: If every view that is present has weight 0.
    """
    ordered = _ordered(views)
    centres = _frozen(means, ordered)
    return _mixed(ordered, centres, _all_scales(ordered, centres), present_weights(tuple(ordered), weights))


def calibrate(views: Mapping[View, np.ndarray], inside: np.ndarray | None = None) -> CalibratedViews:
    """Measure means, scales and variances of the views; see :func:`combine` for the arguments.

    Raises:
        ArtifactError: If the views do not fit together.
    """
    ordered = _ordered(views)
    n_users = _common_length(ordered)
    rows = np.arange(n_users) if inside is None or not inside.any() else np.flatnonzero(inside)
    centres = _means(ordered, rows)
    scales = _all_scales(ordered, centres)
    variances = {view: _variance(ordered[view], centres[view], scales[view], rows) for view in ordered}
    return CalibratedViews(
        ordered, MappingProxyType(centres), MappingProxyType(scales), MappingProxyType(variances)
    )


def blend(
    calibrated: CalibratedViews, weights: ViewWeights, coverage: Mapping[View, float] | None = None
) -> Combined:
    """Mix calibrated views by weights into combined vectors.

    Args:
        calibrated: From :func:`calibrate`.
        weights: How much each view counts.
        coverage: View → factor of its weight, 1 where none is named (:func:`core.model.inputs.view_factors`).

    Raises:
        SettingsError: If every view that is present has weight 0.
    """
    present = tuple(calibrated.views)
    counts = scaled_weights(weights, coverage or {})
    shares = present_weights(present, counts)
    return Combined(
        vectors=_mixed(calibrated.views, calibrated.means, calibrated.scales, shares),
        effective=effective_shares(calibrated.variances, shares),
        absent=tuple(view for view in LEARNED_VIEWS if view not in present),
        means=calibrated.means,
        weights=weights,
        counted=counts,
        activity=calibrated.activity,
    )


def scaled_weights(weights: ViewWeights, coverage: Mapping[View, float]) -> ViewWeights:
    """Multiply weights by the factors of their views; unchanged with ``weights.insist`` or if all would be 0.

    Args:
        weights: The analyst's weights.
        coverage: View → factor of its weight, 1 where none is named.

    Returns:
        The products, divided by the largest if that is above 1: only ratios matter.
    """
    counts = {view: weights.of(view) * coverage.get(view, 1.0) for view in View}
    if weights.insist or not any(counts.values()):
        return weights
    largest = max(1.0, *counts.values())  # a weight is 1 at most, and only ratios matter
    return ViewWeights.checked(**{view: count / largest for view, count in counts.items()})


def present_weights(present: tuple[View, ...], weights: ViewWeights) -> dict[View, float]:
    """Rescale the weights of the views that are present to sum to 1: view → its share.

    Raises:
        ArtifactError: If activity has a weight and is not there.
        SettingsError: If they are all 0.
    """
    if weights.activity and View.ACTIVITY not in present:
        raise ArtifactError(
            "The segments were made with the activity of users, which is missing here",
            remedy="Set the weight of activity to 0, or make the segments again",
        )
    total = sum(weights.of(view) for view in present)
    if total <= 0:
        names = ", ".join(present)
        raise SettingsError(
            f"The weight of every view that is present ({names}) is 0",
            allowed="at least one of them above 0",
            remedy=f"Raise the weight of {names}",
        )
    return {view: weights.of(view) / total for view in present}


def effective_shares(variances: Mapping[View, float], shares: Mapping[View, float]) -> Mapping[View, float]:
    """Share of each view in the variance of the mix before it is normalised: weight times variance, over all.

    Args:
        variances: View → variance, see :class:`CalibratedViews`.
        shares: View → weight, summing to 1; returned as they are where nothing varies.
    """
    terms = {view: share * variances[view] for view, share in shares.items()}
    total = sum(terms.values())
    return MappingProxyType(
        {view: term / total for view, term in terms.items()} if total > 0 else dict(shares)
    )


def _ordered(views: Mapping[View, np.ndarray]) -> dict[View, np.ndarray]:
    return {view: views[view] for view in View if view in views}


def _all_scales(views: Mapping[View, np.ndarray], means: Mapping[View, np.ndarray]) -> dict[View, np.ndarray]:
    return {view: _scales(array, means[view]) for view, array in views.items()}


def _common_length(views: Mapping[View, np.ndarray]) -> int:
    lengths = {len(array) for array in views.values()}
    if len(lengths) != 1:
        shapes = ", ".join(f"{view} {array.shape}" for view, array in views.items()) or "no view"
        raise ArtifactError(
            f"The views do not fit together: {shapes}",
            allowed="views of the same users",
            remedy="Make the embeddings again",
        )
    return lengths.pop()


def _means(views: Mapping[View, np.ndarray], rows: np.ndarray) -> dict[View, np.ndarray]:
    if len(views) == 1:
        return {view: np.zeros(array.shape[1], dtype=np.float32) for view, array in views.items()}
    return {view: _mean(array, rows) for view, array in views.items()}


def _mean(array: np.ndarray, rows: np.ndarray) -> np.ndarray:
    total, known = np.zeros(array.shape[1]), 0
    for block in _blocks(len(rows)):
        total += array[rows[block]].sum(axis=0, dtype=np.float64)
        known += int(np.count_nonzero(array[rows[block]].any(axis=1)))
    mean: np.ndarray = (total / max(1, known)).astype(np.float32)
    return mean


def _frozen(means: Mapping[View, np.ndarray], views: Mapping[View, np.ndarray]) -> dict[View, np.ndarray]:
    missing = [view for view in views if view not in means or means[view].shape != views[view].shape[1:]]
    if missing:
        raise ArtifactError(
            f"The segments were made without the view {', '.join(missing)}, or with another model",
            remedy="Leave the view out, or make the segments again",
        )
    return {view: means[view] for view in views}


def _scales(array: np.ndarray, mean: np.ndarray) -> np.ndarray:
    scales = np.empty(len(array), dtype=np.float32)
    for block in _blocks(len(array)):
        centred = array[block] - mean
        lengths = np.sqrt(np.einsum("ij,ij->i", centred, centred))
        scales[block] = _inverse(lengths * array[block].any(axis=1))
    return scales


def _inverse(lengths: np.ndarray) -> np.ndarray:
    inverse: np.ndarray = np.divide(1, lengths, out=np.zeros_like(lengths), where=lengths > _TINY)
    return inverse


def _variance(array: np.ndarray, mean: np.ndarray, scales: np.ndarray, rows: np.ndarray) -> float:
    """Variance of a centred view, from float64 sums of float32 blocks."""
    total, squares = np.zeros(array.shape[1]), 0.0
    for block in _blocks(len(rows)):
        unit = scales[rows[block], None] * (array[rows[block]] - mean)
        total += unit.sum(axis=0, dtype=np.float64)
        squares += float(np.vdot(unit, unit))
    return squares / len(rows) - float(total @ total) / len(rows) ** 2


def _mixed(
    views: Mapping[View, np.ndarray],
    means: Mapping[View, np.ndarray],
    scales: Mapping[View, np.ndarray],
    shares: Mapping[View, float],
) -> np.ndarray:
    n_users, width = _common_length(views), sum(array.shape[1] for array in views.values())
    vectors = np.empty((n_users, width), dtype=np.float32)
    for block in _blocks(n_users):
        mixed = np.hstack(
            [
                np.float32(np.sqrt(share)) * scales[view][block, None] * (views[view][block] - means[view])
                for view, share in shares.items()
            ]
        )
        lengths = np.sqrt(np.einsum("ij,ij->i", mixed, mixed))
        vectors[block] = mixed * _inverse(lengths)[:, None]
    return vectors


def _blocks(length: int) -> Iterator[slice]:
    for start in range(0, length, _BLOCK):
        yield slice(start, min(start + _BLOCK, length))


Embed: TypeAlias = Callable[[Path, UserSequences, Mapping[View, Sequence[str]]], Mapping[View, np.ndarray]]


@dataclass(frozen=True, eq=False)
class FrozenMix:
    """A frozen model and mix of views, which make combined vectors of any sequences.

    Args:
        embed: Embeds sequences with a model: :func:`core.model.embedding.embed`, here or in another process.
        model: Folder of the trained model.
        names: View → URL, theme or type of each page, by the page index of the sequences.
        combined: The mix of all users, whose means, weights and activity quantiles are used.
    """

    embed: Embed
    model: Path
    names: Mapping[View, Sequence[str]]
    combined: Combined

    def vectors(self, sequences: UserSequences) -> np.ndarray:
        """Make combined vectors of any sequences: float32 of shape (n, d).

        Raises:
            ArtifactError: If the model is missing or damaged.
        """
        pages, page = np.unique(sequences.page, return_inverse=True)
        names = {view: [of_page[place] for place in pages] for view, of_page in self.names.items()}
        renumbered = replace(sequences, page=page.astype(np.int32))
        views = with_activity(self.embed(self.model, renumbered, names), sequences, self.combined.activity)
        return mix_like(views, self.combined.counted, self.combined.means)

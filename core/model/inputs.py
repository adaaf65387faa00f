"""Turn page views into tokens of each view and into padded batches, without a loop over users.

Also which views a model has, their vocabularies, and how far each counts.

Letters: n_views page views of all users, B sequences in a batch, T the longest of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import torch

from core.base.errors import ArtifactError
from core.base.schema import View
from core.model.vocabulary import (
    FIRST_VIEW,
    PADDING,
    UNKNOWN,
    ItemVocabulary,
    LabelVocabulary,
    build_label_vocabulary,
    build_vocabulary,
)
from core.storage.sequences import UserSequences

NO_GAP: Final = 0
N_GAPS: Final = 24
"""Buckets of time: 0 without a page view before, then the log2 of the seconds since it, up to half a year."""
_MICROSECONDS: Final = 1_000_000


@dataclass(frozen=True, eq=False)
class TokenStreams:
    """Tokens of every page view in a single view, as flat arrays of shape (n_views,).

    Args:
        items: int32 token id (of the page; of the theme or type in those views).
        transitions: int32 id of the step that led here.
        gaps: uint8 bucket of the time since the user's page view before, 0 for the first.
        session_starts: uint8, 1 where a later session of the user begins.
        groups: int32 group of the page that steps lead between; its label in a label view.
        labelled_before: int64 of shape (n_views + 1,), how many page views before each one have a label; in
            the view of pages all have.
    """

    items: np.ndarray
    transitions: np.ndarray
    gaps: np.ndarray
    session_starts: np.ndarray
    groups: np.ndarray
    labelled_before: np.ndarray

    def covers(self, spans: Spans) -> np.ndarray:
        """Which runs hold a page view with a label: bool of shape (B,).

        The view has no vector for the others: "unknown" alone is not a label that makes users alike.
        """
        before, end = self.labelled_before, spans.begin + spans.length
        covered: np.ndarray = before[end] > before[spans.begin]
        return covered

    @property
    def labelled_share(self) -> float:
        """Share of all page views that have a label."""
        return float(self.labelled_before[-1]) / max(1, len(self.items))


@dataclass(frozen=True, eq=False)
class PaddedBatch:
    """Sequences of different lengths, padded to the longest; padding never counts.

    Args:
        items: int64 of shape (B, T), 0 beyond the length.
        transitions: int64 of shape (B, T).
        gaps: int64 of shape (B, T).
        session_starts: int64 of shape (B, T).
        mask: bool of shape (B, T), true where there is a page view.
    """

    items: torch.Tensor
    transitions: torch.Tensor
    gaps: torch.Tensor
    session_starts: torch.Tensor
    mask: torch.Tensor

    def to(self, device: torch.device) -> PaddedBatch:
        """Copy the batch to a device."""
        parts = (self.items, self.transitions, self.gaps, self.session_starts, self.mask)
        return PaddedBatch(*(part.to(device, non_blocking=True) for part in parts))


@dataclass(frozen=True, eq=False)
class Spans:
    """Runs of consecutive page views, each within a single user.

    Args:
        begin: int64 of shape (B,), position of the first page view in the flat arrays.
        length: int64 of shape (B,), page views in the run, at least 1.
    """

    begin: np.ndarray
    length: np.ndarray

    def __len__(self) -> int:
        return len(self.begin)

    def __getitem__(self, chosen: np.ndarray | slice) -> Spans:
        return Spans(self.begin[chosen], self.length[chosen])


def joined(parts: Sequence[Spans]) -> Spans:
    """Concatenate several sets of runs."""
    return Spans(
        np.concatenate([part.begin for part in parts]), np.concatenate([part.length for part in parts])
    )


def latest_views(sequences: UserSequences, max_length: int) -> Spans:
    """Runs with the last ``max_length`` page views of every user, or with all where there are fewer."""
    length = np.minimum(sequences.lengths, max_length)
    return Spans(sequences.offsets[1:] - length, length)


def gap_buckets(timestamp: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Bucket the time since the previous page view of the user.

    Args:
        timestamp: int64 of shape (n_views,), microseconds, users one after the other.
        starts: int64 of shape (n_users,), where each user's views start.

    Returns:
        uint8 of shape (n_views,): 1 for less than a second, 2 for less than 3 s, doubling from there.
    """
    seconds = np.diff(timestamp, prepend=timestamp[:1]) / _MICROSECONDS
    seconds[starts] = 0.0
    buckets = 1 + np.log2(1.0 + np.maximum(seconds, 0.0)).astype(np.int64)
    buckets[starts] = NO_GAP
    return np.minimum(buckets, N_GAPS - 1).astype(np.uint8)


def token_streams(sequences: UserSequences, names: Sequence[str], vocabulary: ItemVocabulary) -> TokenStreams:
    """Make the tokens of a view: of each page view its item, the step that led to it, and the tempo.

    A user who saw no labelled page has no vector in a view of labels: "unknown" would make all of these
    users alike. A page that the vocabulary does not know still counts as a page.

    Args:
        sequences: Page views of all users.
        names: URL, theme or type of each page index in ``sequences``, known to the vocabulary or not.
        vocabulary: The vocabulary of the view.
    """
    starts = sequences.offsets[:-1]
    items = vocabulary.item_ids(names)[sequences.page]
    groups = vocabulary.group_ids(names)[sequences.page]
    later_session = np.diff(sequences.session, prepend=sequences.session[:1]) != 0
    later_session[starts] = False
    labelled = (items != UNKNOWN) | (not isinstance(vocabulary, LabelVocabulary))
    return TokenStreams(
        items=items,
        transitions=vocabulary.transition_ids(groups, starts),
        gaps=gap_buckets(sequences.timestamp, starts),
        session_starts=later_session.astype(np.uint8),
        groups=groups,
        labelled_before=np.concatenate([[0], np.cumsum(labelled)]),
    )


def padded_batch(streams: TokenStreams, spans: Spans) -> PaddedBatch:
    """Cut runs of page views out of the flat arrays into a padded batch.

    The first view of a run keeps nothing of what came before it: no step, no gap, no session start.
    """
    steps = np.arange(int(spans.length.max()))
    mask = steps < spans.length[:, None]  # (B, T)
    where = np.where(mask, spans.begin[:, None] + steps, spans.begin[:, None])  # (B, T)
    follows = mask & (steps > 0)

    def tensor(stream: np.ndarray, keep: np.ndarray, filler: int) -> torch.Tensor:
        return torch.from_numpy(np.where(keep, stream[where], filler).astype(np.int64))

    return PaddedBatch(
        items=tensor(streams.items, mask, PADDING),
        transitions=tensor(streams.transitions, follows, FIRST_VIEW),
        gaps=tensor(streams.gaps, follows, NO_GAP),
        session_starts=tensor(streams.session_starts, follows, 0),
        mask=torch.from_numpy(mask),
    )


Names: TypeAlias = Mapping[View, Sequence[str]]
"""View → URL, theme or type of each page index."""

FACTORS: Final = {View.URL: 1.0, View.THEME: 0.2, View.TYPE: 1.5}
"""Factor of the weight of each view. Themes have few directions, along which K-Means would cut."""


def build_vocabularies(sequences: UserSequences, names: Names, min_count: int) -> dict[View, ItemVocabulary]:
    """Build the vocabulary of each view, leaving out views in which all page views have the same label."""
    starts = sequences.offsets[:-1]
    vocabularies: dict[View, ItemVocabulary] = {
        View.URL: build_vocabulary(names[View.URL], sequences.page, starts, min_count)
    }
    for view in (View.THEME, View.TYPE):
        if view not in names:
            continue
        made = build_label_vocabulary(names[view], sequences.page, starts, min_count)
        if len(np.unique(made.item_ids(names[view])[sequences.page])) > 1:
            vocabularies[view] = made
    return vocabularies


def view_streams(
    sequences: UserSequences, names: Names, vocabularies: Mapping[View, ItemVocabulary]
) -> dict[View, TokenStreams]:
    """Make the tokens of every page view in each view.

    Raises:
        ArtifactError: If the names of a view are missing, or do not reach to the last page.
    """
    n_pages = int(sequences.page.max()) + 1 if sequences.n_views else 0
    for view in vocabularies:
        given = len(names.get(view, ()))
        if given < n_pages:
            raise ArtifactError(
                f"The {view} view needs a name for each of {n_pages} pages, and {given} have one",
                remedy="Label the pages again" if given == 0 else "Run preprocess again",
            )
    return {
        view: token_streams(sequences, names[view], vocabulary) for view, vocabulary in vocabularies.items()
    }


def view_factors(streams: Mapping[View, TokenStreams]) -> dict[View, float]:
    """View → factor of its weight: its share of labelled page views times :data:`FACTORS`."""
    return {view: stream.labelled_share * FACTORS[view] for view, stream in streams.items()}

"""Do the first page views tell who will have the outcome? The same number of them from everybody.

A logistic regression learns it from users that the model learned from, and is judged on users that neither
has seen: the model read the later pages of its own users, so on those it might know the end by heart.

Whoever stays long converts more often, so vectors of whole visits would win by mere length, and by pages
that come after the outcome.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import numpy as np
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from core.base.schema import Pages
from core.model.counts import Sparse
from core.model.inputs import Spans
from core.profiles.outcomes import Happened, OutcomeIndex, any_of, label_of
from core.segments.geometry import repeatable
from core.trust.case import NOTHING_HELD_OUT, SAMPLE, SEED, Case, drawn
from core.trust.intervals import Placements, auc_interval, auc_placements, call
from core.trust.ngrams import ngrams
from core.trust.result import Comparison, Figure, Method, Question, Topic

PREFIX: Final = 3
"""Page views that everybody is judged by."""
FEWEST: Final = 30
"""Users judged with the outcome, and without it."""
STRENGTH: Final = 10.0
"""``C`` of the logistic regression, for every way alike."""
MATTERS: Final = 0.03
INTERVAL: Final = "95 % interval over the users judged on (DeLong, paired)"


def measure(case: Case, outcomes: OutcomeIndex, chosen: Sequence[str]) -> Question:
    """Learn who converts from users that the model saw, and judge on those held out.

    Args:
        case: The users and the ways compared.
        outcomes: What can be the outcome.
        chosen: What is; any of them.
    """
    if not chosen:
        return _absent("No outcome is chosen, so there is none to tell.")
    if not case.held_out.any():
        return _absent(NOTHING_HELD_OUT)
    happened = any_of([outcomes[outcome] for outcome in chosen])
    gives_away = case.dataset.pages[Pages.PAGE_LOCATION].isin(outcomes.leaks(chosen)).to_numpy()
    users, positive = _sampled(case, *eligible(case, happened, gives_away))
    judged = case.held_out[users]
    n_positive, n_judged = int(positive[judged].sum()), int(judged.sum())
    if min(_fewer(positive[judged]), _fewer(positive[~judged])) < FEWEST:
        return _absent(
            f"{n_positive:,} of the {n_judged:,} users with more than {PREFIX} page views that the model "
            f"never saw had {label_of(chosen)} later on; at least {FEWEST} with and {FEWEST} without it are "
            "needed."
        )
    runs = Spans(case.sequences.offsets[users], np.full(len(users), PREFIX))
    placed = {method: _placements(rows, positive, judged) for method, rows in _rows(case, runs, judged)}
    return Question(
        topic=Topic.OUTCOME, n=n_judged, interval=INTERVAL,
        facts={"converted": n_positive, "page views": PREFIX, "learned on": len(users) - n_judged},
        figures=tuple(_figure(method, placed[method]) for method in placed),
        comparisons=tuple(
            _comparison(method, other, placed) for method, other in _pairs(placed)
        ),
    )  # fmt: skip


def _rows(case: Case, runs: Spans, judged: np.ndarray) -> list[tuple[Method, Sparse]]:
    """What each way tells of the runs, a row a run; in the order of :class:`Method`."""
    vectors = case.embed(runs) | {Method.SHUFFLED: case.learned.embed_shuffled(runs, SEED)}
    counted = ngrams(case.items, runs, ~judged)
    rows: dict[Method, Sparse] = {**vectors, Method.NGRAMS: counted}
    rows[Method.ADDED] = sparse.hstack([counted, vectors[Method.LEARNED]], format="csr")
    return [(method, rows[method]) for method in Method]


def _pairs(methods: Iterable[Method]) -> list[tuple[Method, Method]]:
    """The learned vectors against each other way; n-grams with them against n-grams without."""
    alone = [one for one in methods if one not in (Method.LEARNED, Method.ADDED)]
    return [*((Method.LEARNED, other) for other in alone), (Method.ADDED, Method.NGRAMS)]


def eligible(case: Case, happened: Happened, gives_away: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Users who had not converted after the first page views, and whether they did later.

    Left out are those who had the outcome before the page view after the first ones, and those who saw a
    page that gives it away among the first ones.

    Args:
        case: The users.
        happened: Who converted, and when first.
        gives_away: bool of shape (n_pages,).

    Returns:
        Indices of users, ascending, and bool of the same shape.
    """
    sequences = case.sequences
    when = np.full(sequences.n_users, np.iinfo(np.int64).max)
    inside = happened.only(happened.user < sequences.n_users)
    when[inside.user] = inside.first_ts
    users = np.flatnonzero(case.inside & (sequences.lengths > PREFIX))
    begin = sequences.offsets[users]
    told = gives_away[sequences.page[begin[:, None] + np.arange(PREFIX)]].any(axis=1)
    early = (when[users] < sequences.timestamp[begin + PREFIX]) | (
        when[users] <= sequences.timestamp[begin + PREFIX - 1]
    )
    users = users[~early & ~told]
    return users, when[users] < np.iinfo(np.int64).max


def _fewer(positive: np.ndarray) -> int:
    """Users with the outcome or without it, whichever are fewer."""
    return int(np.bincount(positive, minlength=2).min())


def _sampled(case: Case, users: np.ndarray, positive: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """At most :data:`SAMPLE` of the users held out, and of the others."""
    held_out = case.held_out[users]
    parts = [drawn(np.flatnonzero(part), SAMPLE, SEED) for part in (held_out, ~held_out)]
    kept = np.sort(np.concatenate(parts))
    return users[kept], positive[kept]


def _placements(vectors: Sparse, positive: np.ndarray, judged: np.ndarray) -> Placements:
    with repeatable():
        read = LogisticRegression(C=STRENGTH, max_iter=500).fit(vectors[~judged], positive[~judged])
        scores = read.decision_function(vectors[judged])
    return auc_placements(scores, positive[judged])


def _figure(method: Method, placements: Placements) -> Figure:
    value, low, high = auc_interval(placements)
    return Figure(method=method, value=value, low=max(0.0, low), high=min(1.0, high))


def _comparison(method: Method, other: Method, placed: Mapping[Method, Placements]) -> Comparison:
    ours, theirs = placed[method], placed[other]
    value, low, high = auc_interval((ours[0] - theirs[0], ours[1] - theirs[1]))
    called = call(low, high, MATTERS)
    return Comparison(method=method, other=other, difference=value, low=low, high=high, call=called)


def _absent(reason: str) -> Question:
    return Question(topic=Topic.OUTCOME, absent=reason)

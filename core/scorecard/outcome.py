"""Do the first page views tell who will have the outcome? The same number of them from everybody.

Whoever stays long converts more often, so vectors of whole visits would win by mere length, and by pages
that come after the outcome.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from core.model.inputs import Spans
from core.schema import Outcomes, Pages
from core.scorecard.case import SAMPLE, SEED, Case, drawn
from core.scorecard.intervals import auc_placements, call, normal_interval, spread
from core.scorecard.result import Comparison, Figure, Method, Question, Topic
from core.segments.geometry import repeatable

PREFIX: Final = 3
"""Page views that everybody is judged by."""
FEWEST: Final = 30
"""Users with the outcome, and without it."""
FOLDS: Final = 2
STRENGTH: Final = 10.0
"""``C`` of the logistic regression, for every way alike."""
MATTERS: Final = 0.03
INTERVAL: Final = "95 % interval over users (DeLong, paired)"


def measure(case: Case, outcome: str) -> Question:
    """Learn who converts from half of the users, judge on the other half, and the other way round."""
    if not outcome:
        return _absent("The data hold no event but page views, so there is no outcome to tell.")
    users, positive = eligible(case, outcome)
    n_positive = int(positive.sum())
    if min(n_positive, len(users) - n_positive) < FEWEST:
        return _absent(
            f"{n_positive:,} of the {len(users):,} users with more than {PREFIX} page views had {outcome} "
            f"later on, and at least {FEWEST} with and {FEWEST} without it are needed."
        )
    runs = Spans(case.sequences.offsets[users], np.full(len(users), PREFIX))
    vectors = case.embed(runs) | {Method.SHUFFLED: case.learned.embed_shuffled(runs, SEED)}
    placed = {method: _placements(vectors[method], positive) for method in Method if method in vectors}
    return Question(
        topic=Topic.OUTCOME, n=len(users), interval=INTERVAL,
        facts={"converted": n_positive, "page views": PREFIX},
        figures=tuple(_figure(method, placed[method]) for method in placed),
        comparisons=tuple(
            _comparison(other, placed[Method.LEARNED], placed[other])
            for other in placed
            if other is not Method.LEARNED
        ),
    )  # fmt: skip


def eligible(case: Case, outcome: str) -> tuple[np.ndarray, np.ndarray]:
    """Users who had not converted after the first page views, and whether they did later.

    Left out are those who had the outcome before the page view after the first ones, and those who saw a
    page that gives an outcome away among the first ones.

    Returns:
        Indices of users, ascending, and bool of the same shape.
    """
    sequences = case.sequences
    when = np.full(sequences.n_users, np.iinfo(np.int64).max)
    rows = case.dataset.outcomes
    rows = rows[rows[Outcomes.EVENT_NAME] == outcome]
    when[rows[Outcomes.USER].to_numpy()] = rows[Outcomes.FIRST_TS].to_numpy()
    users = np.flatnonzero(case.inside & (sequences.lengths > PREFIX))
    begin = sequences.offsets[users]
    gives_away = _telling_pages(case)[sequences.page[begin[:, None] + np.arange(PREFIX)]].any(axis=1)
    early = (when[users] < sequences.timestamp[begin + PREFIX]) | (
        when[users] <= sequences.timestamp[begin + PREFIX - 1]
    )
    users = drawn(users[~early & ~gives_away], SAMPLE, SEED)
    return users, when[users] < np.iinfo(np.int64).max


def _telling_pages(case: Case) -> np.ndarray:
    """Pages whose visitors nearly all converted: bool of shape (n_pages,)."""
    told: np.ndarray = (
        case.dataset.pages[Pages.PAGE_LOCATION].isin(case.dataset.receipt.outcome_pages).to_numpy()
    )
    return told


def _placements(vectors: np.ndarray, positive: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """One pair a fold, each fold scored by what was learned on the other."""
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=SEED)
    found = []
    with repeatable():
        for learns, judged in folds.split(vectors, positive):
            read = LogisticRegression(C=STRENGTH, max_iter=500).fit(vectors[learns], positive[learns])
            found.append(auc_placements(read.decision_function(vectors[judged]), positive[judged]))
    return found


def _figure(method: Method, placements: list[tuple[np.ndarray, np.ndarray]]) -> Figure:
    value, error = spread(placements)
    low, high = normal_interval(value, error)
    return Figure(method=method, value=value, low=max(0.0, low), high=min(1.0, high))


def _comparison(
    other: Method, ours: list[tuple[np.ndarray, np.ndarray]], theirs: list[tuple[np.ndarray, np.ndarray]]
) -> Comparison:
    apart = [(our[0] - their[0], our[1] - their[1]) for our, their in zip(ours, theirs, strict=True)]
    value, error = spread(apart)
    low, high = normal_interval(value, error)
    return Comparison(other=other, difference=value, low=low, high=high, call=call(low, high, MATTERS))


def _absent(reason: str) -> Question:
    return Question(topic=Topic.OUTCOME, absent=reason)

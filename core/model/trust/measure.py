"""Measure all questions of the scorecard, in seconds and with the same result each time.

- *Length*: how well a ridge regression reads the logarithm of a user's page views from their vector.
- *Retrieval*: whether a part of somebody's page views finds the other part among those of many users.
- *Outcome*: whether the first page views predict who will have the outcome. As many are read of everybody:
  whoever stays long converts more often, so vectors of whole visits would win by mere length, and by pages
  that come after the outcome. A logistic regression is fitted to users that the model learned from, and
  judged on users that neither has seen: the model read the later pages of its own users, and might know their
  end by heart. N-grams, the features that an analyst would count first, are compared here as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Ridge

from core.base.progress import Progress
from core.base.schema import Pages, View
from core.base.settings import ViewWeights
from core.model.bag import is_bag
from core.model.feature_blocks import Sparse
from core.model.inputs import Spans
from core.model.population import choose_users
from core.model.triplets import TIE, random_cut
from core.model.trust.case import NOTHING_HELD_OUT, SAMPLE, SEED, Case, draw_users, open_case
from core.model.trust.intervals import (
    Placements,
    auc_interval,
    auc_placements,
    call,
    mean_comparisons,
    mean_figures,
    r2_interval,
    resample,
)
from core.model.trust.result import STAGE, Comparison, Figure, Method, Question, Scorecard, Topic
from core.profiles.outcomes import OutcomeIndex, OutcomeRecord, any_of, label_of
from core.segments.combination import combine
from core.segments.geometry import repeatable
from core.storage.dataset import Dataset, is_clustered
from core.storage.page_labels import LabelledPages


def ngrams(items: np.ndarray, runs: Spans, learns: np.ndarray) -> Sparse:
    """TF-IDF of single pages and of pairs in a row, in rows of length 1; unseen ones are left out.

    Args:
        items: int of shape (n_views,), the page of every page view.
        runs: n runs of at least a page view.
        learns: bool of shape (n,), runs that pages, pairs and their frequencies are learned from.

    Returns:
        Sparse float64 of shape (n, pages and pairs seen).
    """
    texts = [
        " ".join(map(str, items[begin : begin + n])) for begin, n in zip(runs.begin, runs.length, strict=True)
    ]
    counter = TfidfVectorizer(ngram_range=(1, 2), token_pattern=r"\S+")
    counter.fit([text for text, teaches in zip(texts, learns, strict=True) if teaches])
    return counter.transform(texts)


_MIN_FOR_LENGTH: Final = 200
_LENGTH_INTERVAL: Final = "95 % interval over the users judged on (bootstrap)"


def measure_length(vectors: Mapping[Method, np.ndarray], lengths: np.ndarray, judged: np.ndarray) -> Question:
    """Measure how well vectors predict the number of page views, learned on some users and judged on others.

    Args:
        vectors: Method → float32 of shape (n, d).
        lengths: int of shape (n,), page views.
        judged: bool of shape (n,), users held out; where there are too few, a random third.
    """
    if len(lengths) < _MIN_FOR_LENGTH:
        reason = f"{len(lengths):,} users are too few: {_MIN_FOR_LENGTH} are needed."
        return Question(topic=Topic.LENGTH, absent=reason)
    if judged.sum() < _MIN_FOR_LENGTH // 4:
        judged = np.random.default_rng(SEED).permutation(len(lengths)) < len(lengths) // 3
    if np.ptp(lengths[judged]) == 0:
        return Question(topic=Topic.LENGTH, absent="All users have the same number of page views.")
    log = np.log(lengths)
    drawn = resample(int(judged.sum()), SEED, times=500)
    figures = []
    for method, rows in vectors.items():
        with repeatable():
            read = Ridge(alpha=1.0).fit(rows[~judged], log[~judged]).predict(rows[judged])
        value, low, high = r2_interval(log[judged], read, drawn)
        figures.append(Figure(method=method, value=value, low=low, high=high))
    return Question(
        topic=Topic.LENGTH, n=int(judged.sum()), interval=_LENGTH_INTERVAL,
        facts={"learned on": int((~judged).sum())}, figures=tuple(figures),
    )  # fmt: skip


_MIN_VIEWS: Final = 6
_CANDIDATES: Final = 1_000
_MIN_QUERIES: Final = 50
_RETRIEVAL_MATTERS: Final = 0.2
"""Share of a mean reciprocal rank below which a difference does not matter."""
_RETRIEVAL_INTERVAL: Final = "95 % interval over the users who ask (bootstrap, paired)"


def _measure_retrieval(case: Case) -> Question:
    """Measure retrieval: cut users in two at random, and find the second part by the first."""
    if not case.held_out.any():
        return Question(topic=Topic.RETRIEVAL, absent=NOTHING_HELD_OUT)
    users, n_queries = _chosen(case)
    if n_queries < _MIN_QUERIES:
        reason = (
            f"Only {n_queries} users that the model never saw have {_MIN_VIEWS} page views or more, and "
            f"{_MIN_QUERIES} are needed."
        )
        return Question(topic=Topic.RETRIEVAL, absent=reason)
    queries, answers = _parts(case, users, n_queries)
    scores = _scores(case, queries, answers)
    drawn = resample(n_queries, SEED)
    return Question(
        topic=Topic.RETRIEVAL, n=n_queries, interval=_RETRIEVAL_INTERVAL, facts={"candidates": len(answers)},
        figures=mean_figures(scores, drawn), comparisons=mean_comparisons(scores, drawn, _RETRIEVAL_MATTERS),
    )  # fmt: skip


def reciprocal_ranks(query: np.ndarray, answer: np.ndarray) -> np.ndarray:
    """1 / rank of each query's right answer among all answers by cosine; ties at their mean rank.

    Args:
        query: float of shape (n, d), unit vectors.
        answer: float of shape (m, d), m ≥ n, row i being the right answer of query i.

    Returns:
        float64 of shape (n,).
    """
    similarity = query @ answer.T  # (n, m)
    right = similarity[np.arange(len(query)), np.arange(len(query))][:, None]
    better = (similarity > right + TIE).sum(axis=1)
    ties = (np.abs(similarity - right) <= TIE).sum(axis=1) - 1
    reciprocal: np.ndarray = 1 / (1 + better + ties / 2)
    return reciprocal


def _chosen(case: Case) -> tuple[np.ndarray, int]:
    """Choose the users of retrieval: held-out ones first, then mere candidates; and how many are held out."""
    rng = np.random.default_rng(SEED)
    able = case.inside & (case.sequences.lengths >= _MIN_VIEWS)
    asking = rng.permutation(np.flatnonzero(able & case.held_out))[:_CANDIDATES]
    others = rng.permutation(np.flatnonzero(able & ~case.held_out))[: _CANDIDATES - len(asking)]
    return np.concatenate([asking, others]), len(asking)


def _parts(case: Case, users: np.ndarray, n_queries: int) -> tuple[Spans, Spans]:
    """Cut users at random: the last page views before the cut as queries, the first after it as answers."""
    whole = Spans(case.sequences.offsets[users], case.sequences.lengths[users])
    before, after = random_cut(whole, np.random.default_rng(SEED))
    lengths = np.minimum(before.length, case.learned.max_length)
    queries = Spans(before.begin + before.length - lengths, lengths)[slice(n_queries)]
    return queries, Spans(after.begin, np.minimum(after.length, case.learned.max_length))


def _scores(case: Case, queries: Spans, answers: Spans) -> dict[Method, np.ndarray]:
    """Reciprocal ranks of each method, in the order of :class:`Method`."""
    both = Spans(
        np.concatenate([queries.begin, answers.begin]), np.concatenate([queries.length, answers.length])
    )
    vectors = case.embed(both) | {Method.SHUFFLED: case.learned.embed_shuffled(both, SEED)}
    n = len(queries)
    return {
        method: reciprocal_ranks(vectors[method][:n], vectors[method][n:])
        for method in Method
        if method in vectors
    }


PREFIX: Final = 3
"""First page views of each user that the outcome is predicted from."""
_MIN_WITH_OUTCOME: Final = 30
"""Users with the outcome, and without it, that are needed to learn and to judge."""
_STRENGTH: Final = 10.0
"""``C`` of the logistic regression, the same for every method."""
_OUTCOME_MATTERS: Final = 0.03
_OUTCOME_INTERVAL: Final = "95 % interval over the users judged on (DeLong, paired)"


def measure_outcome(case: Case, outcomes: OutcomeIndex, chosen: Sequence[str]) -> Question:
    """Measure how well the first page views predict who converts, on users held out.

    Args:
        case: The users and the methods compared.
        outcomes: All possible outcomes.
        chosen: Outcomes any of which counts.
    """
    if not chosen:
        return _absent("No outcome is chosen, so there is none to tell.")
    if not case.held_out.any():
        return _absent(NOTHING_HELD_OUT)
    conversions = any_of([outcomes[outcome] for outcome in chosen])
    gives_away = case.dataset.pages[Pages.PAGE_LOCATION].isin(outcomes.leaks(chosen)).to_numpy()
    users, positive = _sampled(case, *eligible(case, conversions, gives_away))
    judged = case.held_out[users]
    n_positive, n_judged = int(positive[judged].sum()), int(judged.sum())
    if min(_fewer(positive[judged]), _fewer(positive[~judged])) < _MIN_WITH_OUTCOME:
        return _absent(
            f"{n_positive:,} of the {n_judged:,} users with more than {PREFIX} page views that the model "
            f"never saw had {label_of(chosen)} later on; at least {_MIN_WITH_OUTCOME} with and "
            f"{_MIN_WITH_OUTCOME} without it are needed."
        )
    runs = Spans(case.sequences.offsets[users], np.full(len(users), PREFIX))
    placed = {method: _placements(rows, positive, judged) for method, rows in _rows(case, runs, judged)}
    return Question(
        topic=Topic.OUTCOME, n=n_judged, interval=_OUTCOME_INTERVAL,
        facts={"converted": n_positive, "page views": PREFIX, "learned on": len(users) - n_judged},
        figures=tuple(_figure(method, placed[method]) for method in placed),
        comparisons=tuple(
            _comparison(method, other, placed) for method, other in _pairs(placed)
        ),
    )  # fmt: skip


def _rows(case: Case, runs: Spans, judged: np.ndarray) -> list[tuple[Method, Sparse]]:
    """Features of the runs by each method, a row a run, in the order of :class:`Method`."""
    vectors = case.embed(runs) | {Method.SHUFFLED: case.learned.embed_shuffled(runs, SEED)}
    counted = ngrams(case.items, runs, ~judged)
    rows: dict[Method, Sparse] = {**vectors, Method.NGRAMS: counted}
    rows[Method.ADDED] = sparse.hstack([counted, vectors[Method.LEARNED]], format="csr")
    return [(method, rows[method]) for method in Method]


def _pairs(methods: Iterable[Method]) -> list[tuple[Method, Method]]:
    """Pairs to compare: the learned vectors with each other method; n-grams with and without them."""
    alone = [method for method in methods if method not in (Method.LEARNED, Method.ADDED)]
    return [*((Method.LEARNED, other) for other in alone), (Method.ADDED, Method.NGRAMS)]


def eligible(case: Case, conversions: OutcomeRecord, gives_away: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Users who had not converted after the first page views, and whether they did later.

    Left out are users who had the outcome before the next page view, and users whose first page views hold a
    page that gives the outcome away.

    Args:
        case: The users.
        conversions: Who converted, and when first.
        gives_away: bool of shape (n_pages,), pages that give the outcome away.

    Returns:
        Indices of users, ascending, and bool of the same shape.
    """
    sequences = case.sequences
    when = np.full(sequences.n_users, np.iinfo(np.int64).max)
    inside = conversions.only(conversions.user < sequences.n_users)
    when[inside.user] = inside.first_ts
    users = np.flatnonzero(case.inside & (sequences.lengths > PREFIX))
    begin = sequences.offsets[users]
    saw_outcome = gives_away[sequences.page[begin[:, None] + np.arange(PREFIX)]].any(axis=1)
    early = (when[users] < sequences.timestamp[begin + PREFIX]) | (
        when[users] <= sequences.timestamp[begin + PREFIX - 1]
    )
    users = users[~early & ~saw_outcome]
    return users, when[users] < np.iinfo(np.int64).max


def _fewer(positive: np.ndarray) -> int:
    """Number of users with the outcome or without it, whichever is smaller."""
    return int(np.bincount(positive, minlength=2).min())


def _sampled(case: Case, users: np.ndarray, positive: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Draw at most :data:`SAMPLE` of the users held out, and of the others."""
    held_out = case.held_out[users]
    parts = [draw_users(np.flatnonzero(part), SAMPLE, SEED) for part in (held_out, ~held_out)]
    sampled = np.sort(np.concatenate(parts))
    return users[sampled], positive[sampled]


def _placements(vectors: Sparse, positive: np.ndarray, judged: np.ndarray) -> Placements:
    with repeatable():
        read = LogisticRegression(C=_STRENGTH, max_iter=500).fit(vectors[~judged], positive[~judged])
        scores = read.decision_function(vectors[judged])
    return auc_placements(scores, positive[judged])


def _figure(method: Method, placements: Placements) -> Figure:
    value, low, high = auc_interval(placements)
    return Figure(method=method, value=value, low=max(0.0, low), high=min(1.0, high))


def _comparison(method: Method, other: Method, placed: Mapping[Method, Placements]) -> Comparison:
    ours, theirs = placed[method], placed[other]
    value, low, high = auc_interval((ours[0] - theirs[0], ours[1] - theirs[1]))
    called = call(low, high, _OUTCOME_MATTERS)
    return Comparison(method=method, other=other, difference=value, low=low, high=high, call=called)


def _absent(reason: str) -> Question:
    return Question(topic=Topic.OUTCOME, absent=reason)


_UNLEARNED: Final = "These segments are made of a bag of pages: there is no trained model to compare it with."


def measure_scorecard(
    dataset: Dataset, labels: LabelledPages | None, model: Path, views: Mapping[View, np.ndarray],
    weights: ViewWeights, chosen: Sequence[str], progress: Progress,
) -> Scorecard:  # fmt: skip
    """Judge the vectors of a model on the data it was trained on, beside those of simple methods.

    Args:
        dataset: The data set.
        labels: Themes and types that the vectors were made by; None where they were made without.
        model: The model's folder; of a bag of pages, only the length is measured.
        views: The vectors of all users, float32 of shape (n_users, d) a view.
        weights: How much each view counts.
        chosen: The outcomes, any of which counts; empty for none.
        progress: Where to report; may stop the work.

    Raises:
        ArtifactError: If the model is missing or damaged.
        Cancelled: If ``progress`` says so.
    """
    progress(STAGE, 0.0, "Fitting a bag of pages and transitions")
    inside, population = is_clustered(dataset.users), choose_users(dataset.sequences)
    sample = draw_users(np.flatnonzero(inside), SAMPLE, SEED)
    case = None if is_bag(model) else open_case(dataset, labels, model, views, weights)
    bag = {Method.BAG: combine(views, weights, inside).vectors[sample]} if case is None else {}
    used = case.sampled if case else bag
    worth = _worth(case, OutcomeIndex.of(dataset, labels), chosen, progress)
    progress(STAGE, 0.8, "Reading the length from the vectors")
    lengths = measure_length(used, dataset.sequences.lengths[sample], population.held_out[sample])
    progress(STAGE, 1.0)
    return Scorecard(
        users=int(inside.sum()), learned_from=int(inside[population.training].sum()), weights=weights,
        own=next(iter(used)), outcome=label_of(chosen),
        steps_between=case.steps_between if case else "",
        questions=(*worth, lengths),
    )  # fmt: skip


def _worth(
    case: Case | None, outcomes: OutcomeIndex, chosen: Sequence[str], progress: Progress
) -> tuple[Question, ...]:
    if case is None:
        return tuple(Question(topic=topic, absent=_UNLEARNED) for topic in (Topic.RETRIEVAL, Topic.OUTCOME))
    progress(STAGE, 0.15, "Looking for users by another part of their visits")
    retrieval = _measure_retrieval(case)
    progress(STAGE, 0.4, "Telling the outcome from the first page views")
    return retrieval, measure_outcome(case, outcomes, chosen)

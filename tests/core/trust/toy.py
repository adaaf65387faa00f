"""Scorecards made by hand, for what reads them."""

from __future__ import annotations

from core.base.settings import ViewWeights
from core.trust.result import Call, Comparison, Figure, Method, Question, Repeat, Scorecard, Topic


def comparison(other: Method, call: Call, low: float, high: float, ratio: float | None = None) -> Comparison:
    ends = {"ratio_low": ratio - 0.5, "ratio_high": ratio + 0.5} if ratio else {}
    return Comparison(
        other=other, difference=(low + high) / 2, low=low, high=high, call=call, ratio=ratio, **ends
    )


def figure(method: Method, value: float, half: float = 0.02) -> Figure:
    return Figure(method=method, value=value, low=value - half, high=value + half)


def retrieval(
    bag: Call = Call.BETTER, shuffled: Call = Call.BETTER, level: float = 0.2, candidates: int = 1000
) -> Question:
    return Question(
        topic=Topic.RETRIEVAL, n=400, interval="95 % interval", facts={"candidates": candidates},
        figures=(
            figure(Method.LEARNED, level), figure(Method.SHUFFLED, level), figure(Method.BAG, level / 2),
            figure(Method.TRANSITIONS, level / 4),
        ),
        comparisons=(
            comparison(Method.BAG, bag, 0.01, 0.03, ratio=2.0),
            comparison(Method.TRANSITIONS, Call.BETTER, 0.1, 0.2, ratio=4.0),
            comparison(Method.SHUFFLED, shuffled, 0.01, 0.03, ratio=1.5),
        ),
    )  # fmt: skip


def outcome(bag: Call = Call.EQUAL, level: float = 0.7) -> Question:
    return Question(
        topic=Topic.OUTCOME, n=900, interval="95 % interval", facts={"converted": 90, "page views": 3},
        figures=(figure(Method.LEARNED, level), figure(Method.BAG, level)),
        comparisons=(comparison(Method.BAG, bag, -0.01, 0.01),),
    )  # fmt: skip


def stability(low: float = 0.8, high: float = 0.9, bag: float = 0.5) -> Question:
    learned = Figure(method=Method.LEARNED, value=(low + high) / 2, low=low, high=high)
    return Question(
        topic=Topic.STABILITY, n=900, interval="lowest and highest", facts={"segments": 6, "splits": 6},
        figures=(learned, figure(Method.BAG, bag)),
        comparisons=(comparison(Method.BAG, Call.BETTER, 0.1, 0.3),),
    )  # fmt: skip


def length(level: float = 0.2) -> Question:
    return Question(
        topic=Topic.LENGTH, n=300, interval="95 % interval", facts={"learned on": 600},
        figures=(figure(Method.LEARNED, level), figure(Method.BAG, 0.6)),
    )  # fmt: skip


def absent(topic: Topic, why: str = "Too few users.") -> Question:
    return Question(topic=topic, absent=why)


def repeat(n_clusters: int, low: float) -> Repeat:
    return Repeat(n_clusters=n_clusters, value=low + 0.02, low=low, high=low + 0.04)


def scorecard(
    *questions: Question, repeats: tuple[Repeat, ...] = (), own: Method = Method.LEARNED
) -> Scorecard:
    """The given questions; the others were not measured."""
    given = {question.topic: question for question in questions}
    return Scorecard(
        users=3000, held_out=300, n_clusters=6, weights=ViewWeights(), own=own, outcome="purchase",
        steps_between="types", repeats=repeats,
        questions=tuple(given.get(topic, absent(topic)) for topic in Topic),
    )  # fmt: skip

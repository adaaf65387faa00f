"""Scorecards made by hand, for what reads them."""

from __future__ import annotations

from core.base.settings import ViewWeights
from core.model.trust.result import Call, Comparison, Figure, Method, Question, Scorecard, Topic


def comparison(other: Method, call: Call, low: float, high: float, ratio: float | None = None) -> Comparison:
    ends = {"ratio_low": ratio - 0.5, "ratio_high": ratio + 0.5} if ratio else {}
    return Comparison(
        other=other, difference=(low + high) / 2, low=low, high=high, call=call, ratio=ratio, **ends
    )


def figure(method: Method, value: float, half: float = 0.02) -> Figure:
    return Figure(method=method, value=value, low=value - half, high=value + half)


def retrieval(
    bag: Call = Call.BETTER, shuffled: Call = Call.BETTER, untrained: Call = Call.BETTER,
    level: float = 0.2, candidates: int = 1000,
) -> Question:  # fmt: skip
    return Question(
        topic=Topic.RETRIEVAL, n=400, interval="95 % interval", facts={"candidates": candidates},
        figures=(
            figure(Method.LEARNED, level), figure(Method.SHUFFLED, level), figure(Method.UNTRAINED, level),
            figure(Method.BAG, level / 2), figure(Method.TRANSITIONS, level / 4),
        ),
        comparisons=(
            comparison(Method.BAG, bag, 0.01, 0.03, ratio=2.0),
            comparison(Method.TRANSITIONS, Call.BETTER, 0.1, 0.2, ratio=4.0),
            comparison(Method.UNTRAINED, untrained, 0.01, 0.03, ratio=1.2),
            comparison(Method.SHUFFLED, shuffled, 0.01, 0.03, ratio=1.5),
        ),
    )  # fmt: skip


def outcome(bag: Call = Call.EQUAL, level: float = 0.7, added: Call = Call.BETTER) -> Question:
    return Question(
        topic=Topic.OUTCOME, n=900, interval="95 % interval", facts={"converted": 90, "page views": 3},
        figures=tuple(
            figure(one, level) for one in (Method.LEARNED, Method.BAG, Method.NGRAMS, Method.ADDED)
        ),
        comparisons=(
            comparison(Method.BAG, bag, -0.01, 0.01), comparison(Method.NGRAMS, Call.EQUAL, -0.02, 0.02),
            comparison(Method.NGRAMS, added, 0.01, 0.05).model_copy(update={"method": Method.ADDED}),
        ),
    )  # fmt: skip


def length(level: float = 0.2) -> Question:
    return Question(
        topic=Topic.LENGTH, n=300, interval="95 % interval", facts={"learned on": 600},
        figures=(figure(Method.LEARNED, level), figure(Method.BAG, 0.6)),
    )  # fmt: skip


def absent(topic: Topic, why: str = "Too few users.") -> Question:
    return Question(topic=topic, absent=why)


def scorecard(*questions: Question, own: Method = Method.LEARNED) -> Scorecard:
    """The given questions; the others were not measured."""
    given = {question.topic: question for question in questions}
    return Scorecard(
        users=3000, learned_from=2700, weights=ViewWeights(), own=own, outcome="purchase",
        steps_between="types",
        questions=tuple(given.get(topic, absent(topic)) for topic in Topic),
    )  # fmt: skip

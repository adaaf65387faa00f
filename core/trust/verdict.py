"""The scorecard in words. Every word is decided by an interval; a figure alone decides nothing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from core.segments.evidence import KEvidence
from core.trust.result import Call, Comparison, Figure, Method, Question, Scorecard, Topic

FIRM: Final = 0.75
"""Adjusted Rand index of two halves from which on segments are called firm."""
PATTERN: Final = 0.6
"""From which on there is a pattern, though who belongs where is doubtful (as Hennig 2007 for Jaccard)."""
MOSTLY_LENGTH: Final = 0.5
CHANCE_AUC: Final = 0.5
FAST_MODE: Final = "A bag of pages gives segments in seconds, without a training."


class Advice(StrEnum):
    """What to do about it."""

    LEARNED = "learned"
    FAST = "fast"
    MIXED = "mixed"
    OPEN = "open"


class Action(StrEnum):
    """What to do about the segments on screen."""

    KEEP = "keep"
    USE = "use another number"
    BAG = "use a bag of pages"
    CAREFUL = "keep with care"
    """No number of segments comes out the same again, but much of these does."""
    DESCRIBE = "read as a description"
    """Nothing comes out the same again."""
    OPEN = "open"
    """Too few users to tell."""


@dataclass(frozen=True)
class TrustVerdict:
    """Whether the vectors are worth it, and what to do about the segments on screen.

    Args:
        advice: Which vectors.
        title: Why, in a few words.
        text: The reasons, a sentence each.
        action: What to do.
        todo: The same in a few words.
        why: The figure that it rests on.
        n_clusters: The number of segments to use; that on screen where it is to be kept.
    """

    advice: Advice
    title: str
    text: tuple[str, ...]
    action: Action
    todo: str
    why: str
    n_clusters: int


def verdict(card: Scorecard, evidence: KEvidence | None = None) -> TrustVerdict:
    """The overall answer about the segments on screen.

    Args:
        card: What was measured of them.
        evidence: Numbers of segments beside chance, for the same vectors and weights; where it is there it
            decides the number, so that every page gives the same advice.
    """
    advice, title, text = _worth(card)
    if evidence is not None and evidence.rows:
        action, n_clusters = _supported(card, advice, evidence)
        why = evidence.sentence
    else:
        action, n_clusters = _action(card, advice)
        why = _why(card, n_clusters)
    todo = _TODO[action].format(k=n_clusters)
    return TrustVerdict(advice, title, text, action, todo, why, n_clusters)


def _supported(card: Scorecard, advice: Advice, evidence: KEvidence) -> tuple[Action, int]:
    """Whether there are segments at all, then the vectors, then the number."""
    if evidence.suggested_k is None:
        return Action.DESCRIBE, card.n_clusters
    if advice is Advice.FAST:
        return Action.BAG, card.n_clusters
    if card.n_clusters in evidence.near:
        return Action.KEEP, card.n_clusters
    return Action.USE, evidence.suggested_k


def _action(card: Scorecard, advice: Advice) -> tuple[Action, int]:
    """Vectors first, then the number that is sure to come out the same again, nearest to the analyst's."""
    if advice is Advice.FAST:
        return Action.BAG, card.n_clusters
    asked = card.of(Topic.STABILITY)
    if asked.absent:
        return Action.OPEN, card.n_clusters
    if asked.own.low >= FIRM:
        return Action.KEEP, card.n_clusters
    firm = [one.n_clusters for one in card.repeats if one.low >= FIRM]
    if firm:  # of two as near, the larger one says more
        return Action.USE, min(firm, key=lambda k: (abs(k - card.n_clusters), -k))
    bag = asked.of(Method.BAG)
    if card.own is Method.LEARNED and bag is not None and bag.low >= FIRM:
        return Action.BAG, card.n_clusters
    return Action.CAREFUL if asked.own.value >= PATTERN else Action.DESCRIBE, card.n_clusters


def _why(card: Scorecard, n_clusters: int) -> str:
    own = sentences(card.of(Topic.STABILITY), card.steps_between)[0]
    other = next((one for one in card.repeats if one.n_clusters == n_clusters), None)
    if other is None:
        return own
    seen = f"{other.value:.2f}, {other.low:.2f} to {other.high:.2f}"
    return f"{own} With {n_clusters} segments halves agree by {seen}."


def _worth(card: Scorecard) -> tuple[Advice, str, tuple[str, ...]]:
    """By the questions of use, retrieval and outcome, against a bag of pages."""
    if card.own is Method.BAG:
        return Advice.OPEN, card.of(Topic.RETRIEVAL).absent, ()
    asked = [card.of(topic) for topic in (Topic.RETRIEVAL, Topic.OUTCOME)]
    telling = [question for question in asked if _says_something(question)]
    calls = {one.call for question in telling if (one := question.against(Method.BAG))}
    reasons = tuple(f for question in telling if (f := against(question, Method.BAG, card.steps_between)))
    if Call.BETTER in calls and Call.WORSE not in calls:
        return Advice.LEARNED, _why_learned(telling), reasons + _order(telling, card.steps_between)
    if Call.BETTER in calls:
        return Advice.MIXED, "It depends on what you need the vectors for", reasons
    if Call.WORSE in calls:
        title = "On these data a bag of pages does better"
        return Advice.FAST, title, (*reasons, FAST_MODE)
    if calls == {Call.EQUAL}:
        title = "On these data a bag of pages is as good"
        return Advice.FAST, title, (*reasons, FAST_MODE)
    why_not = tuple(_why_not(one) for one in asked)
    return Advice.OPEN, "These data do not tell whether order matters", reasons or why_not


def sentences(question: Question, steps_between: str) -> tuple[str, ...]:
    """What one question shows, a sentence a finding; the reason where it was not measured."""
    if question.absent:
        return (question.absent,)
    found = [_alone(question)]
    for other in (Method.BAG, Method.TRANSITIONS, Method.SHUFFLED):
        found.append(against(question, other, steps_between))
    return tuple(sentence for sentence in found if sentence)


def against(question: Question, other: Method, steps_between: str) -> str:
    """The learned vectors against another way, on one question; empty where they were not compared."""
    one = question.against(other)
    if one is None:
        return ""
    does, does_less, unit = _DOES[question.topic]
    if other is Method.SHUFFLED:
        return _ORDER[one.call].format(range=_range(one), does=does, does_less=does_less)
    name = _name(other, steps_between)
    if one.call is Call.UNCLEAR:
        few = "these splits" if question.topic is Topic.STABILITY else "so few users"
        return f"Whether they {does} better than {name} cannot be told from {few} ({_range(one)})."
    words = {
        Call.BETTER: f"{_times(one)} as well as {name}" if one.ratio else f"better than {name}",
        Call.WORSE: f"{does_less} than {name}",
        Call.EQUAL: f"as well as {name}, but for what would not matter",
    }[one.call]
    lead = "" if one.call is Call.WORSE else f"{does} "
    return f"The learned vectors {lead}{words} ({_range(one)}{unit if not one.ratio else ''})."


def chance(question: Question) -> float | None:
    """What a figure would be if the vectors said nothing; None where that is no question."""
    if question.topic is Topic.OUTCOME:
        return CHANCE_AUC
    if question.topic is Topic.RETRIEVAL and question.facts.get("candidates"):
        ranks = range(1, question.facts["candidates"] + 1)
        return sum(1 / rank for rank in ranks) / len(ranks)
    return None


def _says_something(question: Question) -> bool:
    """Whether any way does better than chance: comparing noise with noise says nothing."""
    floor = chance(question)
    return floor is not None and any(figure.low > floor for figure in question.figures)


def _why_learned(telling: list[Question]) -> str:
    orders = {one.call for question in telling if (one := question.against(Method.SHUFFLED))}
    if Call.BETTER in orders:
        return "Order matters here, and the learned vectors are worth it"
    if orders == {Call.EQUAL}:
        return "The learned vectors are worth it here, though not for the order of pages"
    return "The learned vectors are worth it here; these data do not tell whether the order of pages is why"


def _order(telling: list[Question], steps_between: str) -> tuple[str, ...]:
    """What was found about the order of pages, question by question."""
    found = (against(question, Method.SHUFFLED, steps_between) for question in telling)
    return tuple(sentence for sentence in found if sentence)


def _why_not(question: Question) -> str:
    return question.absent or _alone(question)


def _alone(question: Question) -> str:
    """What the learned figure says by itself."""
    return {
        Topic.RETRIEVAL: _alone_retrieval,
        Topic.OUTCOME: _alone_outcome,
        Topic.STABILITY: _alone_stability,
        Topic.SEEDS: _alone_seeds,
        Topic.LENGTH: _alone_length,
    }[question.topic](question, question.own)


def _alone_retrieval(question: Question, _own: Figure) -> str:
    if not _says_something(question):
        return "No way of describing users finds them again better than chance does on these data."
    return ""


def _alone_outcome(question: Question, _own: Figure) -> str:
    if not _says_something(question):
        return (
            f"The first {question.facts['page views']} page views do not tell who will convert, by any way."
        )
    return ""


def _alone_stability(question: Question, own: Figure) -> str:
    seen = f"agreement {own.value:.2f}, {own.low:.2f} to {own.high:.2f}; 1 is the same"
    k = question.facts["segments"]
    if own.low >= FIRM:
        return f"Another half of your users would have led to nearly the same {k} segments ({seen})."
    if own.high < FIRM:
        return (
            f"Another half of your users would have led to {k} clearly different segments ({seen}): "
            "take their borders with care."
        )
    return f"Another half of your users would have led to {k} mostly similar segments ({seen})."


def _alone_seeds(question: Question, own: Figure) -> str:
    seen = f"agreement {own.value:.2f}, {own.low:.2f} to {own.high:.2f}"
    if own.low >= FIRM:
        return f"It hardly matters where K-Means starts ({seen})."
    return f"It matters where K-Means starts ({seen}): several ways to cut these users are nearly as good."


def _alone_length(question: Question, own: Figure) -> str:
    seen = f"{max(0.0, own.value):.0%} of its spread, {max(0.0, own.low):.0%} to {own.high:.0%}"
    if own.low > MOSTLY_LENGTH:
        return (
            f"How long somebody stays can mostly be read from a vector ({seen}): "
            "segments may differ in little else."
        )
    return f"How long somebody stays can be read from a vector only in part ({seen})."


_TODO: Final = {
    Action.KEEP: "Keep these {k} segments",
    Action.USE: "Use {k} segments instead",
    Action.BAG: "Use a bag of pages here",
    Action.CAREFUL: "Keep these {k} segments, with care at their borders",
    Action.DESCRIBE: "Read these segments as a description, not as kinds of users",
    Action.OPEN: "Too few users to say whether these segments would come out again",
}

_DOES: Final = {
    Topic.RETRIEVAL: ("find users again", "find users again less well", ""),
    Topic.OUTCOME: ("tell who will convert", "tell less well who will convert", " of the area"),
    Topic.STABILITY: ("give segments that repeat", "give segments that repeat less", " of agreement"),
}
"""Topic → what the vectors do, what they do less well, and the unit of a difference."""

_ORDER: Final = {
    Call.BETTER: (
        "The order is read: with their pages in a random order, which the model never saw in training, they "
        "{does_less} ({range})."
    ),
    Call.WORSE: "The order misleads: with their pages in a random order they {does} better ({range}).",
    Call.EQUAL: "The order hardly counts: with their pages in a random order they {does} as well ({range}).",
    Call.UNCLEAR: "Whether the order of the pages counts cannot be told from so few users ({range}).",
}


def _name(other: Method, steps_between: str) -> str:
    return "a bag of pages" if other is Method.BAG else f"counting steps between page {steps_between}"


def _times(one: Comparison) -> str:
    return f"{one.ratio:.1f} times"


def _range(one: Comparison) -> str:
    if one.ratio_low is not None and one.ratio_high is not None:
        return f"{one.ratio_low:.2f} to {one.ratio_high:.2f} times"
    return f"{one.low:+.3f} to {one.high:+.3f}"

"""The scorecard in words, decided by intervals alone, and the advice on the segments on screen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from core.model.trust.result import Call, Comparison, Figure, Method, Question, Scorecard, Topic
from core.segments.certificate import Certificate, mostly_doubtful, verdict_text
from core.segments.levels import SegmentLevels

_MOSTLY_LENGTH: Final = 0.5
_NONE: Final[Mapping[int, Certificate]] = MappingProxyType({})
_CHANCE_AUC: Final = 0.5
_FAST: Final = "On these data a bag of pages {}, in seconds and without a training"


class Advice(StrEnum):
    """Which vectors to use: learned ones, a bag of pages (fast), as the question demands, or not known."""

    LEARNED = "learned"
    FAST = "fast"
    MIXED = "mixed"
    OPEN = "open"


class Action(StrEnum):
    """What to do about the segments on screen."""

    KEEP = "keep"
    USE = "use another number"
    BAG = "use a bag of pages"
    COMPARE = "compare numbers"
    """Numbers of segments have not been compared yet."""
    DESCRIBE = "read as a description"
    """Users support no number of segments, or most segments at each one are doubtful."""
    OPEN = "open"
    """There are too few users to tell."""


@dataclass(frozen=True)
class TrustVerdict:
    """Whether the vectors are worth it, and what to do about the segments on screen.

    Args:
        advice: Which vectors to use.
        title: Why, in a few words.
        text: The reasons, a sentence each.
        action: What to do about the segments.
        todo: The action in a few words.
        why: What is known of the segments as a whole, on which the action rests.
        n_clusters: The number of segments to use; that on screen where it is to be kept.
    """

    advice: Advice
    title: str
    text: tuple[str, ...]
    action: Action
    todo: str
    why: str
    n_clusters: int


def verdict(
    card: Scorecard,
    n_clusters: int,
    levels: SegmentLevels | None = None,
    certificates: Mapping[int, Certificate] = _NONE,
    coarser: int | None = None,
) -> TrustVerdict:
    """Decide whether the vectors are worth it, and what to do about the segments on screen.

    Args:
        card: Scorecard of the vectors.
        n_clusters: Number of segments on screen.
        levels: Numbers of segments that users support; they decide the number, so that every page gives the
            same advice; None until they were measured.
        certificates: Segment → its certificate; empty until measured.
        coarser: Coarser level at which most segments are not doubtful, looked for where most of those on
            screen are; None where there is none.
    """
    advice, title, text = _worth(card)
    action, to_use = _action(n_clusters, advice, levels)
    if action is Action.KEEP and mostly_doubtful(certificates):
        action, to_use = (Action.USE, coarser) if coarser else (Action.DESCRIBE, n_clusters)
    why = verdict_text(levels, certificates)
    return TrustVerdict(advice, title, text, action, _TODO[action].format(k=to_use), why, to_use)


def _action(n_clusters: int, advice: Advice, levels: SegmentLevels | None) -> tuple[Action, int]:
    """Decide the action: by whether there are segments at all, then by the vectors, then by the number."""
    if levels and not levels.gains:
        return Action.OPEN, n_clusters
    if levels and levels.suggested_k is None:
        return Action.DESCRIBE, n_clusters
    if advice is Advice.FAST:
        return Action.BAG, n_clusters
    if levels is None or levels.suggested_k is None:
        return Action.COMPARE, n_clusters
    if levels.of(n_clusters):
        return Action.KEEP, n_clusters
    return Action.USE, levels.suggested_k


def _worth(card: Scorecard) -> tuple[Advice, str, tuple[str, ...]]:
    """Decide by retrieval and outcome, against a bag of pages: the advice, its title, and the reasons."""
    if card.own is Method.BAG:
        return Advice.OPEN, card.of(Topic.RETRIEVAL).absent, ()
    asked = [card.of(topic) for topic in (Topic.RETRIEVAL, Topic.OUTCOME)]
    telling = [question for question in asked if _says_something(question)]
    calls = {one.call for question in telling if (one := question.against(Method.BAG))}
    reasons = tuple(
        sentence
        for other in (Method.BAG, Method.UNTRAINED, Method.SHUFFLED)
        for question in telling
        if (sentence := against(question, other, card.steps_between))
    )
    if Call.BETTER in calls and Call.WORSE not in calls:
        return Advice.LEARNED, _why_learned(telling), reasons
    if Call.BETTER in calls:
        return Advice.MIXED, "It depends on what you need the vectors for", reasons
    if Call.WORSE in calls:
        return Advice.FAST, _FAST.format("does better"), reasons
    if calls == {Call.EQUAL}:
        return Advice.FAST, _FAST.format("is as good"), reasons
    why_not = tuple(_why_not(one) for one in asked)
    title = "These data do not show whether the learned vectors are better than simple ways"
    return Advice.OPEN, title, reasons or why_not


def sentences(question: Question, steps_between: str) -> tuple[str, ...]:
    """What a question shows, a sentence a finding; the reason where it was not measured.

    Args:
        question: The question with its answer.
        steps_between: As in the :class:`Scorecard`: "types" or "groups" of pages.
    """
    if question.absent:
        return (question.absent,)
    found = [_alone(question)]
    found += [against(question, other, steps_between) for other in _BESIDE]
    found.append(_added(question))
    return tuple(sentence for sentence in found if sentence)


def against(question: Question, other: Method, steps_between: str) -> str:
    """Compare the learned vectors with another method in words; empty where they were not compared."""
    one = question.against(other)
    if one is None:
        return ""
    does, does_less, unit = _DOES[question.topic]
    if other in _OF_ITSELF:
        return _OF_ITSELF[other][one.call].format(range=_range(one), does=does, does_less=does_less)
    name = _NAMES[other].format(steps_between=steps_between)
    if one.call is Call.UNCLEAR:
        return f"Whether they {does} better than {name} cannot be told from so few users ({_range(one)})."
    words = {
        Call.BETTER: f"{_times(one)} as well as {name}" if one.ratio else f"better than {name}",
        Call.WORSE: f"{does_less} than {name}",
        Call.EQUAL: f"as well as {name}, but for what would not matter",
    }[one.call]
    lead = "" if one.call is Call.WORSE else f"{does} "
    return f"The learned vectors {lead}{words} ({_range(one)}{unit if not one.ratio else ''})."


def _added(question: Question) -> str:
    """Say whether the learned vectors add to counted pages and pairs of pages."""
    one = question.against(Method.NGRAMS, Method.ADDED)
    return _ADDED[one.call].format(range=f"{_range(one)} of the area") if one else ""


def chance(question: Question) -> float | None:
    """The figure that vectors without information would have; None for length, where there is none."""
    if question.topic is Topic.OUTCOME:
        return _CHANCE_AUC
    if question.topic is Topic.RETRIEVAL and question.facts.get("candidates"):
        ranks = range(1, question.facts["candidates"] + 1)
        return sum(1 / rank for rank in ranks) / len(ranks)
    return None


def _says_something(question: Question) -> bool:
    """Whether any method does better than chance: comparing noise with noise says nothing."""
    floor = chance(question)
    return floor is not None and any(figure.low > floor for figure in question.figures)


def _why_learned(telling: list[Question]) -> str:
    """Say that the learned vectors are better, and what training and the order of pages add to that."""
    by = {
        other: {one.call for question in telling if (one := question.against(other))}
        for other in (Method.UNTRAINED, Method.SHUFFLED)
    }
    parts = (_PART[part].get(frozenset(calls), "") for part, calls in by.items())
    return "; ".join(("The learned vectors describe users better than a bag of pages", *filter(None, parts)))


def _why_not(question: Question) -> str:
    return question.absent or _alone(question)


def _alone(question: Question) -> str:
    """What the figures say without a comparison; empty where that is nothing."""
    if question.topic is Topic.LENGTH:
        return _alone_length(question.own)
    if _says_something(question):
        return ""
    if question.topic is Topic.RETRIEVAL:
        return "No way of describing users finds them again better than chance does on these data."
    return f"The first {question.facts['page views']} page views do not tell who will convert, by any way."


def _alone_length(own: Figure) -> str:
    seen = f"{max(0.0, own.value):.0%} of its spread, {max(0.0, own.low):.0%} to {own.high:.0%}"
    if own.low > _MOSTLY_LENGTH:
        return f"How long somebody stays can mostly be read from a vector ({seen})."
    return f"How long somebody stays can be read from a vector only in part ({seen})."


_TODO: Final = {
    Action.KEEP: "Keep these {k} segments",
    Action.USE: "Use {k} segments instead",
    Action.BAG: "Use a bag of pages here",
    Action.COMPARE: "Find out first whether there are segments, and how many",
    Action.DESCRIBE: "Read these segments as a description, not as kinds of users",
    Action.OPEN: "Too few users to say whether these segments would come out again",
}

_EQUAL, _BETTER, _WORSE = frozenset({Call.EQUAL}), frozenset({Call.BETTER}), frozenset({Call.WORSE})
_PART: Final[Mapping[Method, Mapping[frozenset[Call], str]]] = {
    Method.UNTRAINED: {
        _EQUAL: "the same network before training does so nearly as well",
        _BETTER: "training is a part of it",
        _WORSE: "without training the same network would do so better still",
    },
    Method.SHUFFLED: {
        _EQUAL: "the order of pages hardly counts",
        _BETTER: "the order of pages is a part of it",
        _BETTER | {Call.EQUAL}: "the order of pages is a part of it",
        _WORSE: "the order of pages misleads them",
        _WORSE | {Call.EQUAL}: "the order of pages misleads them",
        _WORSE | {Call.BETTER}: "the order of pages helps in one way and misleads in another",
    },
}
"""Method → what is said of it where all or some questions were decided in these ways; else nothing is."""

_DOES: Final = {
    Topic.RETRIEVAL: ("find users again", "find users again less well", ""),
    Topic.OUTCOME: ("tell who will convert", "tell less well who will convert", " of the area"),
}
"""Topic → what the vectors do, what they do less well, and the unit of a difference."""

_BESIDE: Final = (Method.BAG, Method.TRANSITIONS, Method.STEADY, Method.UNTRAINED, Method.SHUFFLED)
"""Methods that the learned vectors are compared with in words, in this order."""

_NAMES: Final = {
    Method.BAG: "a bag of pages",
    Method.TRANSITIONS: "counting steps between page {steps_between}",
    Method.STEADY: "steady pages alone",
}

_ORDER: Final = {
    Call.BETTER: (
        "The order is read: with their pages in a random order, which the model never saw in training, they "
        "{does_less} ({range})."
    ),
    Call.WORSE: "The order misleads: with their pages in a random order they {does} better ({range}).",
    Call.EQUAL: "The order hardly counts: with their pages in a random order they {does} as well ({range}).",
    Call.UNCLEAR: "Whether the order of the pages counts cannot be told from so few users ({range}).",
}


_TRAINING: Final = {
    Call.BETTER: "Training helped to {does}: before it, the same network would {does_less} (now {range}).",
    Call.WORSE: "Training made them {does_less}: the same network before it would {does} better ({range}).",
    Call.EQUAL: (
        "Training hardly helped to {does}: before it, the same network would do nearly as well (now {range})."
    ),
    Call.UNCLEAR: "Whether training helped to {does} cannot be told from so few users (now {range}).",
}

_OF_ITSELF: Final = {Method.UNTRAINED: _TRAINING, Method.SHUFFLED: _ORDER}

_ADDED: Final = {
    Call.BETTER: "Beside counted pages and pairs of pages the learned vectors add to it ({range}).",
    Call.WORSE: "Beside counted pages and pairs of pages the learned vectors only disturb ({range}).",
    Call.EQUAL: "Beside counted pages and pairs of pages the learned vectors add nothing to it ({range}).",
    Call.UNCLEAR: (
        "Whether the learned vectors add to counted pages and pairs of pages cannot be told from so few "
        "users ({range})."
    ),
}


def _times(one: Comparison) -> str:
    return f"{one.ratio:.1f} times"


def _range(one: Comparison) -> str:
    if one.ratio_low is not None and one.ratio_high is not None:
        return f"{one.ratio_low:.2f} to {one.ratio_high:.2f} times"
    return f"{one.low:+.3f} to {one.high:+.3f}"

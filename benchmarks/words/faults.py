"""Answers of hand-written sentences: right ones, and wrong ones that differ from them in one place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from benchmarks.words.corpora import Corpus
from benchmarks.words.filling import (
    DOWN,
    ORDINALS,
    SLOT,
    Cast,
    called,
    casts,
    compared,
    extreme,
    filled,
    item_of,
    items_of,
    of_item,
    place_of,
    rank,
    render,
    value_of,
    written,
)
from core.facts.answer import Unit
from core.facts.measures import BY_KEY, write

OTHER_METRIC: Final = {
    "users": "outcome_users", "outcome_users": "users", "sessions": "users", "share": "outcome_rate",
    "outcome_rate": "share", "sessions_mean": "pages_per_session", "page_views_mean": "sessions_mean",
    "pages_per_session": "page_views_mean", "engagement_s_mean": "engagement_s_mean",
    "revenue_per_user": "page_views_mean",
}  # fmt: skip
OF_ITEMS: Final = frozenset({"share", "lift", "view_share", "view_lift", "entry", "exit", "step"})
"""How the metrics begin that are of items."""
INVENTED_MEASURES: Final = (
    "{outcome_rate:A} of {A} are women.", "In {A}, {outcome_rate:A} of users have children.",
    "{A} has {users:A} users. {outcome_rate:A} of them own a dog.",
    "About {outcome_rate:A} of {A} prefer dark mode.",
    "The outcome rate of {A} is {outcome_rate:A}. {outcome_rate:A|1} of its users are under thirty.",
    "{share:A} of the users in {A} are loyal to the brand.",
    "{outcome_rate:A} of {A}'s users have a loyalty card.",
    "{A} converts at {outcome_rate:A}, and {outcome_rate:A|1} of its visitors are satisfied.",
)  # fmt: skip
"""The last share is true of another measure than the one that it is said to be."""
KINDS: Final = ("wrong value", "another segment", "wrong metric", "wrong rounding", "spelt-out value")


@dataclass(frozen=True)
class Sample:
    """One answer.

    Args:
        text: The answer.
        kind: What is wrong with it; empty if nothing is.
        start: Where the wrong place begins.
        end: Where it ends.
        unbacked: Where numbers stand that no fact can back, such as the discount of a proposal.
    """

    text: str
    kind: str = ""
    start: int = 0
    end: int = 0
    unbacked: tuple[tuple[int, int], ...] = ()


def wrong_value(slot: str, cast: Cast, kind: str, rng: np.random.Generator) -> str | None:
    """Something wrong for a slot; None where this kind of fault cannot be made of it."""
    name, _, form = slot.partition("|")
    part = name.split(":")
    if part[0] in ("ratio", "points", "gap"):
        return wrong_comparison(part, cast, kind)
    if part[0] == "rank":
        return wrong_rank(part, form, cast, kind)
    if part[0] in OF_ITEMS and len(part) == 4:
        return wrong_page(part, form, cast, kind, rng)
    if len(part) != 2 or part[0] not in (*cast.shop.table, "low", "high"):
        return None
    metric, row = part[0], place_of(part[1], cast)
    value = value_of(metric, row, cast.shop)
    right = written(metric, value, form)
    if kind == "wrong value":
        wrong = written(metric, value * float(rng.choice([0.55, 0.8, 1.15, 1.3, 2.1])), form)
    elif kind == "another segment":
        wrong = written(metric, value_of(metric, cast.b if row == cast.a else cast.a, cast.shop), form)
    elif kind == "wrong metric" and metric in OTHER_METRIC and form in ("", "0", "1"):
        wrong = written(metric, cast.shop.table[OTHER_METRIC[metric]][row], form)
    elif kind == "wrong rounding":
        wrong = wrongly_rounded(metric, value, form)
    else:
        return None
    return None if wrong == right or is_right_anyway(metric, value, wrong) else wrong


def wrongly_rounded(metric: str, value: float, form: str) -> str:
    """One off in the last digit that is shown."""
    if form in ("words", "k", "~2", "s"):
        return written(metric, value, form)
    unit = BY_KEY["outcome_rate" if metric in ("low", "high") else metric]
    digits = int(form) if form else unit.digits
    return written(metric, value + 10.0**-digits * (0.01 if unit.unit is Unit.SHARE else 1), form)


def is_right_anyway(metric: str, value: float, wrong: str) -> bool:
    """Whether a text that was meant to be wrong is a right rounding of the value."""
    whole_minutes = wrong.endswith("min") and abs(value - 60 * int(wrong.split()[0])) <= 30
    about = wrong.endswith("0%")  # "about 20 %" may be 19.2 %
    return (
        about or whole_minutes or any(written(metric, value, form) == wrong for form in ("", "0", "1", "2"))
    )


def wrong_comparison(part: Sequence[str], cast: Cast, kind: str) -> str | None:
    """A comparison the other way round, or of other segments."""
    one, other = place_of(part[2], cast), place_of(part[3], cast)
    third = next(row for row in range(len(cast.shop.names)) if row not in (one, other))
    pairs = {
        "another segment": (third, other),
        "wrong value": (one, third),
        "swapped comparison": (one, other) if part[0] == "gap" else (other, one),
    }
    right = compared(part[0], part[1], (one, other), cast.shop)
    wrong = compared(part[0], part[1], pairs.get(kind, (one, other)), cast.shop)
    return None if wrong == right else wrong


def wrong_rank(part: Sequence[str], form: str, cast: Cast, kind: str) -> str | None:
    """The next place, or that of another segment."""
    row = place_of(part[2], cast)
    right = rank(part[1], row, form, cast.shop)
    places = [rank(part[1], each, form, cast.shop) for each in range(len(cast.shop.names))]
    wrong = {
        "wrong value": str(int(right) + 1) if form == "#" else ORDINALS[(ORDINALS.index(right) + 1) % 8],
        "another segment": places[cast.b if row == cast.a else cast.a],
    }.get(kind, right)
    return None if wrong == right else wrong


def wrong_page(part: Sequence[str], form: str, cast: Cast, kind: str, rng: np.random.Generator) -> str | None:
    """The value of another page or another segment, or an invented one."""
    page, shop = item_of(part[3], cast), cast.shop
    row = place_of(part[2], cast)
    other_page = next(one for one in items_of(part, shop) if one not in (cast.x, cast.y, page))
    right_value, unit = of_item(part, row, page, shop)
    values = {
        "another segment": of_item(part, cast.b if row == cast.a else cast.a, page, shop)[0],
        "wrong metric": of_item(part, row, other_page, shop)[0],
        "wrong value": right_value * float(rng.choice([0.6, 1.25, 1.4])),
    }
    digits = int(form or 1)
    right = write(right_value, unit, digits)
    wrong = write(values[kind], unit, digits) if kind in values else right
    return None if wrong == right else wrong


def right_answers(rng: np.random.Generator, corpus: Corpus, times: int = 2) -> list[Sample]:
    """Each sentence with different segments."""
    cast = casts(rng, corpus.shop)
    sentences = [*corpus.values, *corpus.order]
    return [_right(one, next(cast)) for _ in range(times) for one in sentences]


def _right(sentence: str, cast: Cast) -> Sample:
    text, spans = render(sentence, {}, cast)
    return Sample(text, unbacked=unbacked(sentence, spans))


def unbacked(sentence: str, spans: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Where a sentence has a number that no fact can back (``{=10%}``)."""
    slots = zip(SLOT.finditer(sentence), spans, strict=True)
    return tuple(span for match, span in slots if match[1].startswith("="))


def wrong_answers(rng: np.random.Generator, corpus: Corpus) -> list[Sample]:
    """Each sentence once for each kind of fault that can be made in it, and those that are wrong as such."""
    cast = casts(rng, corpus.shop)
    samples = [
        sample
        for sentence in [*corpus.values, *corpus.order]
        for kind in (*KINDS, "swapped comparison")
        if (sample := _with_fault(sentence, kind, next(cast), rng))
    ]
    samples += [sample for sentence in corpus.order if (sample := _swapped(sentence, next(cast)))]
    samples += [
        Sample(right.text, "number of a proposal", *span)
        for sentence in corpus.values
        for right in (_right(sentence, next(cast)),)
        for span in right.unbacked
    ]
    samples += [_invented(sentence, next(cast), rng) for _ in range(3) for sentence in corpus.always_wrong]
    samples += [_of_invented(sentence, next(cast)) for sentence in INVENTED_MEASURES]
    samples += [_whole(sentence, next(cast)) for _ in range(2) for sentence in corpus.spelt]
    return samples


def _with_fault(sentence: str, kind: str, cast: Cast, rng: np.random.Generator) -> Sample | None:
    slots = [match[1] for match in SLOT.finditer(sentence)]
    wrong = {n: text for n, slot in enumerate(slots) if (text := wrong_value(slot, cast, kind, rng))}
    if not wrong:
        return None
    place = int(rng.choice(list(wrong)))
    text, spans = render(sentence, {place: wrong[place]}, cast)
    return Sample(text, kind, *spans[place])


def _swapped(sentence: str, cast: Cast) -> Sample | None:
    """The comparing word turned round, or a superlative given to another segment."""
    for number, match in enumerate(SLOT.finditer(sentence)):
        part = match[1].partition("|")[0].split(":")
        if part[0] in DOWN:
            right = filled(match[1], cast)
            wrong = DOWN[part[0]] if right == part[0] else part[0]
            text, spans = render(sentence, {number: wrong}, cast)
            return Sample(text, "swapped comparison", *spans[number])
        if part[0] in ("MAX", "MIN"):
            other = next(row for row in (cast.a, cast.b) if row != extreme(part[0], part[1], cast.shop))
            text, _ = render(sentence, {number: called(other, cast, cast.style)}, cast)
            return Sample(text, "swapped comparison", 0, len(text))
    return None


def _invented(sentence: str, cast: Cast, rng: np.random.Generator) -> Sample:
    fill = {}
    for number, match in enumerate(SLOT.finditer(sentence)):
        part = match[1].split(":")
        if part[0] in ("sum", "difference", "mean"):
            values = cast.shop.table[part[1]]
            one, other = values[cast.a], values[cast.b]
            value = {"sum": one + other, "difference": abs(one - other), "mean": (one + other) / 2}[part[0]]
            fill[number] = written(part[1], value, "")
        elif part[0] == "made":
            fill[number] = f"{int(rng.integers(20_000, 99_999)):,}"
    text, spans = render(sentence, fill, cast)
    return Sample(text, "invented total", *spans[next(iter(fill))])


def _of_invented(sentence: str, cast: Cast) -> Sample:
    text, spans = render(sentence, {}, cast)
    slots = [match[1] for match in SLOT.finditer(sentence)]
    shares = [
        span for slot, span in zip(slots, spans, strict=True) if slot.startswith(("outcome_rate", "share"))
    ]
    return Sample(text, "invented measure", *shares[-1])


def _whole(sentence: str, cast: Cast) -> Sample:
    text, _ = render(sentence, {}, cast)
    return Sample(text, "spelt-out number", 0, len(text))

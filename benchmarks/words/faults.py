"""Answers made of hand-written sentences: right ones, and wrong ones that differ from them in one place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Final

import numpy as np

from benchmarks.words.sentences import advisers, answers, manners, mended, more_writers, tuned, writers
from benchmarks.words.shop import BY_HAND, Shop, drawn, wide
from core.words.contract import Unit
from core.words.measures import BY_KEY, write
from core.words.number_words import SMALL

SLOT: Final = re.compile(r"\{([^{}!]+)(?:!(\w+))?\}")
"""What stands in it, and after an exclamation mark how that is spelt."""
SPELLINGS: Final = {
    "sp": (("%", " %"),), "pct": (("%", " percent"),), "x": (("×", "x"),), "times": (("×", " times"),),
    "plain": ((",", ""),), "pp": ((" percentage points", " pp"),),
    "m": ((" h", "h"), (" min", "m"), (" s", "s")), "mins": ((" min", " minutes"), (" s", " seconds")),
}  # fmt: skip
ORDINALS: Final = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")
OTHER_METRIC: Final = {
    "users": "outcome_users", "outcome_users": "users", "sessions": "users", "share": "outcome_rate",
    "outcome_rate": "share", "sessions_mean": "pages_per_session", "page_views_mean": "sessions_mean",
    "pages_per_session": "page_views_mean", "engagement_s_mean": "engagement_s_mean",
    "revenue_per_user": "page_views_mean",
}  # fmt: skip
ITEMS: Final = {
    "H": ("lift:page", "A", 0), "I": ("lift:page", "A", 1), "J": ("lift:page", "B", 0),
    "K": ("entry:page", "A", 0), "L": ("exit:page", "A", 0), "P": ("step:type", "A", 0),
    "T": ("view_lift:theme", "A", 0), "U": ("view_lift:theme", "A", 1), "Z": ("view_lift:theme", "B", 0),
    "V": ("view_lift:type", "A", 0), "W": ("view_lift:type", "A", 1),
    "D": ("share:device", "A", 0), "E": ("share:device", "A", 1), "G": ("share:browser", "A", 0),
    "N": ("share:country", "A", 0), "O": ("share:country", "A", 1),
    "R": ("share:source", "A", 0), "Q": ("share:source", "A", 1),
}  # fmt: skip
"""Letter → the item with the most, or next to most, of a metric in the segment A or B."""
OF_ITEMS: Final = frozenset({"share", "lift", "view_share", "view_lift", "entry", "exit", "step"})
"""How the metrics begin that are of items."""
DOWN: Final = {
    "more": "fewer",
    "larger": "smaller",
    "higher": "lower",
    "longer": "shorter",
}
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


@dataclass(frozen=True)
class Cast:
    """Which segments and pages of which shop a sentence is about, and how the segments are called."""

    shop: Shop
    a: int
    b: int
    x: str
    y: str
    style: int

    @property
    def c(self) -> int:
        """The first of the segments that are neither."""
        return next(row for row in range(len(self.shop.names)) if row not in (self.a, self.b))


def called(segment: int, cast: Cast, style: int) -> str:
    """One of the ways to name a segment."""
    name = cast.shop.names[segment]
    return (
        f"Segment {segment + 1}", name, f"segment {segment + 1}", f"“{name}”",
        f"Segment {segment + 1} ({name})", f"cluster {segment + 1}", f"the {name.lower()} segment",
    )[style % 7]  # fmt: skip


def named(segment: int, form: str, cast: Cast, style: int) -> str:
    """A segment in the form that a sentence asks for, or in one of all ways."""
    forms = {
        "S": f"S{segment + 1}", "#": str(segment + 1), "name": cast.shop.names[segment],
        "nth": f"the {ORDINALS[segment % 8]} segment",
    }  # fmt: skip
    return forms.get(form) or called(segment, cast, style)


def rank(metric: str, segment: int, form: str, shop: Shop) -> str:
    """Place of a segment among all, most first, in words or as a number."""
    values = shop.table[metric][: len(shop.names)]
    place = sum(value > values[segment] for value in values)
    return str(place + 1) if form == "#" else ORDINALS[place]


def value_of(metric: str, row: int, shop: Shop) -> float:
    """A figure of the table; ``low`` and ``high`` are the ends of the outcome rate's interval."""
    if metric in ("low", "high"):
        return shop.interval(row)[metric == "high"]
    return shop.table[metric][row]


def written(metric: str, value: float, form: str) -> str:
    """A figure as a text would have it."""
    measure = BY_KEY["outcome_rate" if metric in ("low", "high") else metric]
    if form == "words":
        return in_words(value * 100 if measure.unit is Unit.SHARE else value, measure.unit)
    if form == "k":
        return f"{value / 1000:.1f}k"
    if form == "~2":
        digits = len(str(int(value))) - 2
        return f"{round(value, -digits):,.0f}"
    if form == "s":
        return f"{value:.0f} seconds"
    return write(value, measure.unit, int(form) if form else measure.digits)


def in_words(value: float, unit: Unit) -> str:
    """``two thousand six hundred fifty-one``; shares as percent, means with one digit."""
    value = round(value, 1 if unit is Unit.NUMBER else None)
    whole = int(value)
    text = _whole_in_words(whole)
    if unit is Unit.NUMBER:
        names = {int(number): word for word, number in SMALL.items() if number < 10}
        text += f" point {names[round(10 * (value - whole)) % 10]}"
    return f"{text} percent" if unit is Unit.SHARE else text


def _whole_in_words(value: int) -> str:
    names = {int(number): word for word, number in SMALL.items() if word not in ("dozen", "score")}
    for size, word in ((1000, "thousand"), (100, "hundred")):
        if value >= size:
            rest = f" {_whole_in_words(value % size)}" if value % size else ""
            return f"{_whole_in_words(value // size)} {word}{rest}"
    if value <= 20 or value % 10 == 0:
        return names[value]
    return f"{names[value - value % 10]}-{names[value % 10]}"


def place_of(name: str, cast: Cast) -> int:
    """Row of the table."""
    n = len(cast.shop.names)
    if name.isdigit():
        return int(name) - 1
    return {"A": cast.a, "B": cast.b, "C": cast.c, "group": n, "all": n + 1}[name]


def items_of(part: Sequence[str], shop: Shop) -> tuple[str, ...]:
    """Pages, themes or the like that a metric has."""
    return tuple(shop.items.get(f"{part[0]}:{part[1]}", shop.pages))


def of_item(part: Sequence[str], row: int, item: str, shop: Shop) -> tuple[float, Unit]:
    """The value of a page, theme or the like in a segment."""
    metric = f"{part[0]}:{part[1]}"
    unit = Unit.RATIO if part[0] in ("lift", "view_lift") else Unit.SHARE
    if metric in shop.items:
        return shop.items[metric][item][row], unit
    return shop.pages[item][row][unit is Unit.RATIO], unit


def item_of(letter: str, cast: Cast) -> str:
    """The page, theme or the like that a letter stands for."""
    if letter not in ITEMS:
        return cast.x if letter == "X" else cast.y
    metric, row, place = ITEMS[letter]
    part, of = metric.split(":"), place_of(row, cast)
    values = {item: of_item(part, of, item, cast.shop)[0] for item in items_of(part, cast.shop)}
    return sorted(values, key=lambda item: -values[item])[place]


def extreme(kind: str, metric: str, shop: Shop) -> int:
    """The segment with the most or the least."""
    values = shop.table[metric][: len(shop.names)]
    return values.index(max(values) if kind == "MAX" else min(values))


def filled(slot: str, cast: Cast) -> str:
    """What stands in a slot of a right sentence."""
    if slot.startswith("="):
        return slot[1:]
    name, _, form = slot.partition("|")
    part = name.split(":")
    if name in ("A", "B", "C") or name.isdigit():
        return named(place_of(name, cast), form, cast, cast.style + max("ABC".find(name), 0) * 2)
    if name in ("X", "Y", *ITEMS):
        return item_of(name, cast)
    if part[0] in ("MAX", "MIN"):
        return named(extreme(part[0], part[1], cast.shop), form, cast, cast.style)
    if part[0] == "rank":
        return rank(part[1], place_of(part[2], cast), form, cast.shop)
    if part[0] in ("ratio", "points", "gap", *DOWN):
        return compared(part[0], part[1], (place_of(part[2], cast), place_of(part[3], cast)), cast.shop)
    if len(part) == 4:  # share:page:A:X
        value, unit = of_item(part, place_of(part[2], cast), item_of(part[3], cast), cast.shop)
        return write(value, unit, int(form or 1)) if unit is Unit.SHARE else write(value, unit)
    is_extreme = part[1] in ("MAX", "MIN")
    row = extreme(part[1], part[2], cast.shop) if is_extreme else place_of(part[1], cast)
    return written(part[0], value_of(part[0], row, cast.shop), form)


def compared(word: str, metric: str, pair: tuple[int, int], shop: Shop) -> str:
    """A comparison of two segments, in words or as a value."""
    first, second = (shop.table[metric][row] for row in pair)
    if word == "ratio":
        return write(first / second, Unit.RATIO)
    gap = f"{abs(first - second) * 100:.1f} percentage points"
    if word == "gap":
        return gap
    if word == "points":
        return f"{gap} {'higher' if first > second else 'lower'}"
    return word if first > second else DOWN[word]


def render(sentence: str, fill: dict[int, str], cast: Cast) -> tuple[str, list[tuple[int, int]]]:
    """A sentence with its slots filled, and where each slot stands; ``fill`` overrides some."""
    text, spans, last = "", [], 0
    for number, match in enumerate(SLOT.finditer(sentence)):
        text += sentence[last : match.start()]
        start = len(text)
        said = fill.get(number) or filled(match[1], cast)
        for usual, spelling in SPELLINGS.get(match[2], ()):
            said = said.replace(usual, spelling)
        text += said[0].upper() + said[1:] if not text or text.endswith((". ", "\n- ", "# ")) else said
        spans.append((start, len(text)))
        last = match.end()
    return text + sentence[last:], spans


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


def casts(rng: np.random.Generator, shop: Shop) -> Iterator[Cast]:
    """Segments, pages and ways of naming, drawn again and again."""
    while True:
        a, b = rng.choice(len(shop.names), size=2, replace=False)
        x, y = rng.choice(list(shop.pages), size=2, replace=False)
        yield Cast(shop, int(a), int(b), str(x), str(y), int(rng.integers(7)))


@dataclass(frozen=True)
class Corpus:
    """Sentences to make answers of.

    Args:
        name: What to call it.
        shop: Whose segments they are about.
        values: Sentences with values.
        order: Sentences that compare.
        always_wrong: Sentences with a figure that is in no fact.
        spelt: Sentences with wrong numbers in words.
    """

    name: str
    shop: Shop
    values: tuple[str, ...]
    order: tuple[str, ...]
    always_wrong: tuple[str, ...] = ()
    spelt: tuple[str, ...] = ()


def _corpus(name: str, shop: Shop, module: ModuleType) -> Corpus:
    return Corpus(name, shop, module.VALUES, module.ORDER, module.INVENTED, module.SPELT)


TUNED: Final = _corpus("tuned", BY_HAND, tuned)
MENDED: Final = _corpus("mended", drawn(11), mended)
WRITERS: Final = tuple(_corpus("several writers", drawn(seed), writers) for seed in (17, 19))
MORE_WRITERS: Final = tuple(_corpus("more writers", drawn(seed), more_writers) for seed in (23, 29))
MANNERS: Final = (
    _corpus("manners of models", drawn(31), manners),
    _corpus("manners of models", drawn(37, manners.NAMES, manners.PAGES), manners),
)
ADVISERS: Final = tuple(_corpus("advisers", drawn(seed), advisers) for seed in (41, 43))
ANSWERS: Final = (
    _corpus("answers", wide(drawn(64046), 50, answers.ITEMS), answers),
    _corpus("answers", wide(drawn(253234, answers.NAMES, answers.PAGES), 14, answers.ITEMS), answers),
)
"""Not among ``CORPORA``; the seeds are of shops for which all that is said of fixed segments is true."""
CORPORA: Final = ((TUNED,), (MENDED,), WRITERS, MORE_WRITERS, MANNERS, ADVISERS)
"""Those of one kind, over one shop or two."""
SEEN: Final = tuple(one for corpora in CORPORA for one in corpora)
"""What the weights are fitted on."""


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


def _whole(sentence: str, cast: Cast) -> Sample:
    text, _ = render(sentence, {}, cast)
    return Sample(text, "spelt-out number", 0, len(text))

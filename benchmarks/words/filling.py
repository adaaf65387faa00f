"""Hand-written sentences filled with the names and figures of a shop: true answers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from benchmarks.words.shop import Shop
from core.facts.answer import Unit
from core.facts.measures import BY_KEY, write
from core.writing.prose.number_words import ORDINALS as PLACES
from core.writing.prose.number_words import SMALL

SLOT: Final = re.compile(r"\{([^{}!]+)(?:!(\w+))?\}")
"""What stands in it, and after an exclamation mark how that is spelt."""
SPELLINGS: Final = {
    "sp": (("%", " %"),), "pct": (("%", " percent"),), "x": (("×", "x"),), "times": (("×", " times"),),
    "plain": ((",", ""),), "pp": ((" percentage points", " pp"),),
    "m": ((" h", "h"), (" min", "m"), (" s", "s")), "mins": ((" min", " minutes"), (" s", " seconds")),
}  # fmt: skip
ORDINALS: Final = tuple(PLACES)
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
DOWN: Final = {
    "more": "fewer",
    "larger": "smaller",
    "higher": "lower",
    "longer": "shorter",
}


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


def casts(rng: np.random.Generator, shop: Shop) -> Iterator[Cast]:
    """Segments, pages and ways of naming, drawn again and again."""
    while True:
        a, b = rng.choice(len(shop.names), size=2, replace=False)
        x, y = rng.choice(list(shop.pages), size=2, replace=False)
        yield Cast(shop, int(a), int(b), str(x), str(y), int(rng.integers(7)))

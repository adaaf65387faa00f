"""What a value in a sentence is of: which segment, which measure, which page.

A number of another segment is as real as the right one, so that being in the data proves nothing. Every
name of the sentence, and what the text went on about before, is a candidate. A linear model over a few signs
of the wording (what stands in between, on which side, in which clause) ranks them, as mention-ranking models
of coreference do (Denis and Baldridge 2008, "Specialized models and ranking for coreference resolution"). Its
weights, ``binding.yaml``, are fitted on sentences whose values are known: ``python -m benchmarks.words.fit``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Final

import yaml

from core.writing.prose.mentions import ALL, REST, Kind, Mention
from core.writing.prose.pairing import paired, place_in_row
from core.writing.prose.phrases import READ_AS
from core.writing.prose.sentence import Place, Sentence
from core.writing.prose.signs import (
    Signs,
    in_sessions,
    names_of,
    same_rank,
    signs_of,
    wholes_of,
    without_told,
)

Keys = tuple[str, ...]
Candidate = tuple[Keys, Signs]
"""All that a name may mean, and the signs for and against its being what a value is of."""
WEIGHTS: Final = Path(__file__).parent / "binding.yaml"


def scores(
    sentence: Sentence,
    value: Place,
    kind: Kind,
    fits: Callable[[str], bool] = lambda _: True,
    head: str = "",
) -> dict[str, float]:
    """How well each name of a kind reads as what a value is of.

    Args:
        sentence: Where it stands.
        value: Where in it.
        kind: Segments, measures or things.
        fits: Whether a value written like this can be of a key.
        head: Which weights, if not those of the kind: ``compared`` for what is compared with something,
            ``extreme`` for what has the most or the least, ``slot`` for a measure whose unit is not seen.

    Returns:
        Key → log-odds against the best, 0 for that one; empty if nothing is named.
    """
    weights = _weights()[head or kind.value]
    found: dict[str, float] = {}
    for keys, signs in candidates(sentence, value, kind, fits):
        score = sum(weights.get(sign, 0.0) * size for sign, size in signs.items())
        for key in keys:
            found[key] = max(score, found.get(key, score))
    top = max(found.values(), default=0.0)
    return {key: score - top for key, score in found.items()}


def best(sentence: Sentence, value: Place, kind: Kind, head: str = "") -> Keys:
    """Keys of the name that reads best; several for a measure whose name may mean each."""
    return tuple(key for key, score in scores(sentence, value, kind, head=head).items() if score >= 0)


def measure_of(sentence: Sentence, place: Place) -> Keys:
    """Keys of the measure that a comparing word or a place in a ranking is of: as it is named, no other."""
    named = {key for one in sentence.of(Kind.METRIC) for key in one.keys} | set(sentence.before.metrics)
    read = scores(sentence, place, Kind.METRIC, named.__contains__)
    return tuple(key for key, score in read.items() if score >= 0)


def other_of(sentence: Sentence, value: Place, own: Keys) -> Keys:
    """Key of what the value's segment is compared with; empty if nothing else is named."""
    groups = [group for group in sentence.groups if group[0].keys[0] not in own or len(group) > 1]
    reference = [group for group in groups if sentence.is_reference(group)]
    others = [one for group in reference or groups for one in group if one.keys[0] not in own]
    near = min(others, key=lambda one: max(one.start - value.end, value.start - one.end), default=None)
    if near:
        return near.keys
    before = (*sentence.before.segments, *sentence.before.others)
    return tuple(key for key in before if key not in own)[:1]


def candidates(sentence: Sentence, value: Place, kind: Kind, fits: Callable[[str], bool]) -> list[Candidate]:
    """Each name that a value can be of; where no segment is named, all users."""
    how = " of" * sentence.text.startswith(" of", value.end) + " in sessions" * in_sessions(sentence, value)
    named = [
        (one, read)
        for one in _named(sentence, value, kind)
        if one.keys != (REST,)
        and not (kind is Kind.SEGMENT and one.end <= value.start and sentence.is_aside(one))
        and (read := _read(one.keys, fits, how))
    ]
    rivals = [one for one, _ in named]
    own = paired(sentence, value, [one for one in rivals if not one.weak])
    every = [one for one in names_of(sentence, value, kind) if not one.weak]
    rank = same_rank(sentence, value, every)
    found = [
        (keys, {**signs_of(sentence, value, one, rivals, own), **rank.get(one, {}), **more})
        for one, read in named
        for keys, more in read
    ]
    for sign, each in _carried(sentence, value, kind):
        found += [(keys, {sign: 1.0, **more}) for keys, more in _read(each, fits, how)]
    wholes = wholes_of(sentence, value)
    if kind is Kind.SEGMENT and (wholes or not found):
        found.append(((ALL,), wholes))
    if kind is Kind.METRIC and wholes and fits("users"):
        found.append((("users",), wholes))
    return found


def _named(sentence: Sentence, value: Place, kind: Kind) -> list[Mention]:
    named = names_of(sentence, value, kind)
    return without_told(sentence, value, named) if kind is Kind.METRIC else named


def _read(keys: Keys, fits: Callable[[str], bool], how: str) -> list[Candidate]:
    """What a name may mean, and what it may stand for: how a value is written says which."""
    own = tuple(key for key in keys if fits(key))
    others = {other for key in keys for other in READ_AS.get(key, ()) if fits(other)} - set(own)
    read: list[Candidate] = [((other,), {f"as {other}{how}": 1.0}) for other in sorted(others)]
    return [(own, {}), *read] if own else read


def _carried(sentence: Sentence, value: Place, kind: Kind) -> Iterator[tuple[str, Keys]]:
    """What the sentence goes on about; as many values as there were are of the same ones in order."""
    before = sentence.before
    if kind is Kind.METRIC and value in sentence.values and len(before.series) == len(sentence.values) > 1:
        yield "carried in order", before.series[sentence.values.index(value)]
    if kind is Kind.METRIC and before.metrics:
        yield "carried", before.metrics
    elif kind is Kind.ITEM:
        row, place = place_in_row(sentence, value)
        if len(row) == len(before.items) > 1:
            yield "carried in order", (before.items[place],)
        yield from ((f"carried{' before' * (key != before.items[-1])}", (key,)) for key in before.items)
    elif kind is Kind.SEGMENT:
        row, place = place_in_row(sentence, value)
        if not sentence.subjects and len(before.pair) == len(row) == 2:
            yield "carried in order", (before.pair[place],)
        beside = " beside" if sentence.subjects else ""
        yield from ((f"carried{beside}", (key,)) for key in before.segments)
        yield from ((f"carried other{beside}", (key,)) for key in before.others)


@cache
def _weights() -> Mapping[str, Mapping[str, float]]:
    """Head → sign → weight."""
    weights: dict[str, dict[str, float]] = yaml.safe_load(WEIGHTS.read_text(encoding="utf-8"))
    return weights

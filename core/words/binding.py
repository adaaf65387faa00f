"""What a value in a sentence is of: which segment, which measure, which page.

A number of another segment is as real as the right one, so that being in the data proves nothing. Every
name of the sentence, and what the text went on about before, is a candidate. A linear model over a few signs
of the wording (what stands in between, on which side, in which clause) ranks them, as mention-ranking models
of coreference do (Denis and Baldridge 2008, "Specialized models and ranking for coreference resolution"). Its
weights, ``binding.yaml``, are fitted on sentences whose values are known: ``python -m benchmarks.words.fit``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Final

import yaml

from core.words.mentions import ALL, REST, Kind, Mention
from core.words.pairing import paired
from core.words.phrases import READ_AS
from core.words.sentence import Place, Sentence

Keys = tuple[str, ...]
Signs = dict[str, float]
"""Sign of the wording → how strong it is."""
Candidate = tuple[Keys, Signs]
"""All that a name may mean, and the signs for and against its being what a value is of."""
WEIGHTS: Final = Path(__file__).parent / "binding.yaml"

_WORD: Final = re.compile(r"[\w§]+")
_MOST_WORDS: Final = 12
_STOP: Final = re.compile(r"[;:\n|→–—?!]|\.\s")
_CONJUNCTION: Final = re.compile(
    r"\b(?:and|while|whereas|but|though|although|than|versus|vs|against|compared)\b", re.IGNORECASE
)
_LINK: Final = re.compile(
    r"[^,;:()|]*\b(?:in|of|for|from|among|within|by|to|at|into|out of)\s+"
    r"(?:(?:the|all|its|their|our|users|visitors|people)\s+)*\W*",
    re.IGNORECASE,
)
"""Between a value and the name that it is tied to: ``users are in``."""
_TOUCH: Final = re.compile(
    r"[\s*_(:=“”\"'’,-]*(?:(?:the|a|of|in|is|at|has|have|with|its|their)\b[\s*_(]*)?", re.IGNORECASE
)
_WHOLES: Final = {
    "whole": re.compile(
        r"\b(?:of|under|among|from|out of)\s+(?:(?:all|the|our|its|a total of)\s+)*$|[\d\]]\s?/\s?$",
        re.IGNORECASE,
    ),
    "part of": re.compile(r"[\d\]](?: \w+)? (?:out )?of (?:(?:all|the|our) )*$"),
    "all of": re.compile(r"\ball (?:of )?(?:(?:the|our) )?[*_]*$", re.IGNORECASE),
}
"""Before the whole that something is a part of: ``19 of 743 users``, ``among all 900 users``."""
_OF_WHOLE: Final = re.compile(r"\s+of\s+(?:(?:all|the|our|its|their)\s+)*(?:[\d\[])")
"""Behind a part: ``12 % of its 743 users``."""
_USERS: Final = re.compile(r"\b(?:users|visitors|members|people|customers)\b", re.IGNORECASE)


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
    ahead, of = sentence.text[: value.start], sentence.text.startswith(" of", value.end)
    named = [
        (one, read)
        for one in _names(sentence, kind)
        if one.keys != (REST,) and (read := _read(one.keys, fits, of=of))
    ]
    rivals = [one for one, _ in named]
    own = paired(sentence, value, [one for one in rivals if not one.weak])
    found = [
        (keys, {**_signs(sentence, value, one, rivals, own), **more})
        for one, read in named
        for keys, more in read
    ]
    for sign, each in _carried(sentence, kind):
        found += [(keys, {sign: 1.0, **more}) for keys, more in _read(each, fits, of=of)]
    wholes = {sign: 1.0 for sign, before in _WHOLES.items() if before.search(ahead)}
    if kind is Kind.SEGMENT and (wholes or not found):
        found.append(((ALL,), wholes))
    if kind is Kind.METRIC and wholes and fits("users"):
        found.append((("users",), wholes))
    return found


def _read(keys: Keys, fits: Callable[[str], bool], *, of: bool) -> list[Candidate]:
    """What a name may mean, and what it may stand for: how a value is written says which."""
    own = tuple(key for key in keys if fits(key))
    others = {other for key in keys for other in READ_AS.get(key, ()) if fits(other)} - set(own)
    read: list[Candidate] = [((other,), {f"as {other}{' of' * of}": 1.0}) for other in sorted(others)]
    return [(own, {}), *read] if own else read


def _names(sentence: Sentence, kind: Kind) -> list[Mention]:
    """The names of a kind; ``one-page users`` and ``all users`` also say that users are counted."""
    counted = [
        replace(one, kind=kind, keys=("users",), start=one.start + noun.start(), end=one.start + noun.end())
        for one in (sentence.of(Kind.SEGMENT) if kind is Kind.METRIC else ())
        if not one.keys[0].startswith("segment:")
        for noun in _USERS.finditer(sentence.text[one.start : one.end])
    ]
    return sorted([*sentence.of(kind), *counted], key=lambda one: one.start)


def _carried(sentence: Sentence, kind: Kind) -> Iterator[tuple[str, Keys]]:
    """What the sentence goes on about."""
    before = sentence.before
    if kind is Kind.METRIC and before.metrics:
        yield "carried", before.metrics
    elif kind is Kind.ITEM:
        yield from (("carried", (key,)) for key in before.items)
    elif kind is Kind.SEGMENT:
        beside = " beside" if sentence.subjects else ""
        yield from ((f"carried{beside}", (key,)) for key in before.segments)
        yield from ((f"carried other{beside}", (key,)) for key in before.others)


def _signs(
    sentence: Sentence, value: Place, one: Mention, rivals: Sequence[Mention], own: Mention | None
) -> Signs:
    """The signs of one name."""
    ahead = one.start < value.start
    start = min(one.end, value.start) if ahead else value.end
    end = value.start if ahead else max(one.start, value.end)
    between = _between(sentence, start, end, rivals)
    signs = {f"{'ahead' if ahead else 'behind'} {name}".strip(): size for name, size in between.items()}
    if one.kind is Kind.SEGMENT:
        signs |= _of_segment(sentence, one, rivals, between, ahead=ahead)
    if one.kind is Kind.METRIC:
        signs |= _of_measure(sentence, value, one, rivals, ahead=ahead)
    every = [each for each in _names(sentence, one.kind) if not each.weak]
    if one in every and value in sentence.values and len(every) == len(sentence.values) > 1:
        signs["same rank" if every.index(one) == sentence.values.index(value) else "other rank"] = 1.0
    if own is not None:
        signs["paired" if one is own else "not paired"] = 1.0
    return {sign: size for sign, size in signs.items() if size}


def _between(sentence: Sentence, start: int, end: int, rivals: Sequence[Mention]) -> Signs:
    """What stands between a name and a value."""
    text = sentence.between(start, end)
    opened = text.count("(") - text.count(")")
    return {
        "": 1.0,
        "words": min(len(_WORD.findall(text)), _MOST_WORDS) ** 0.5,
        "values": min(2.0, sum(start <= each.start and each.end <= end for each in sentence.values)),
        "names": min(2.0, sum(start <= each.start and each.end <= end for each in rivals)),
        "comma": float("," in text),
        "stop": float(bool(_STOP.search(text))),
        "conjunction": float(bool(_CONJUNCTION.search(text))),
        "into brackets": float(opened > 0),
        "out of brackets": float(opened < 0),
        "touches": float(bool(_TOUCH.fullmatch(text))),
        "link": float(bool(_LINK.fullmatch(text))),
    }


def _of_segment(
    sentence: Sentence, one: Mention, rivals: Sequence[Mention], between: Signs, *, ahead: bool
) -> Signs:
    """How a segment's name stands: first, or only to be compared with."""
    group = next((group for group in sentence.groups if one in group), (one,))
    near = ahead and between["words"] ** 2 <= 3.5 and not between["comma"] and not between["names"]
    return {
        "reference near" if near else "reference": float(sentence.is_reference(group)),
        "weak near" if between["touches"] else "weak": float(one.weak),
        "all": float(one.keys == (ALL,)),
        "first": float(one is rivals[0]),
    }


def _of_measure(
    sentence: Sentence, value: Place, one: Mention, rivals: Sequence[Mention], *, ahead: bool
) -> Signs:
    """How a measure's name stands: last, as in ``743 users converted``, or as the noun of a whole."""
    after = next((each.start for each in sentence.values if each.start >= value.end), len(sentence.text))
    later = [each for each in rivals if one.end <= each.start < after]
    parted = all(_STOP.search(sentence.text[one.end : each.start]) for each in later)
    is_whole = _WHOLES["whole"].search(sentence.text[: value.start])
    is_part = not ahead and _OF_WHOLE.match(sentence.text[value.end :])
    how = "whole" if is_whole else "part" if is_part else "plain"
    return {f"{how} {'users' if 'users' in one.keys else 'other'}": 1.0, "last": float(not ahead and parted)}


@cache
def _weights() -> Mapping[str, Mapping[str, float]]:
    """Head → sign → weight."""
    weights: dict[str, dict[str, float]] = yaml.safe_load(WEIGHTS.read_text(encoding="utf-8"))
    return weights

"""Fit the weights by which a value in a sentence is tied to a name (``core/writing/prose/binding.yaml``).

    python -m benchmarks.words.fit
    python -m benchmarks.words.fit --leave-out

The second measures each set with weights that are fitted on the others, and writes none.

Each value of the seen sentences (``sentences/``) is known by its slot. The weights maximise the likelihood of
its name among all names of the sentence (a conditional logit, L2-penalised): one set for segments, for
segments that are compared or have most, for measures (with the unit seen, and in a slot) and for pages.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import Final
from unittest import mock

import numpy as np
import yaml
from scipy.optimize import minimize

from benchmarks.words.corpora import CORPORA, HELD_OUT, Corpus
from benchmarks.words.filling import DOWN, SLOT, Cast, casts, extreme, item_of, place_of, render
from benchmarks.words.mutations import added, score, slot_score
from core.facts.answer import Unit
from core.writing.prose import binding
from core.writing.prose.binding import WEIGHTS, Candidate, candidates
from core.writing.prose.claims import numerals_of, units_of
from core.writing.prose.comparatives import Comparative, find_comparatives
from core.writing.prose.mentions import Kind, Lexicon
from core.writing.prose.numerals import Numeral
from core.writing.prose.reading import read
from core.writing.prose.sentence import Place, Sentence

TIMES: Final = 4
"""How often each sentence is read, with other segments and other names."""
PENALTY: Final = 2e-4
ANY: Final = frozenset(Unit)
"""Units of a value whose unit is not seen."""
Case = tuple[list[Candidate], str]
"""The names that a value can be of, and the key of the right one."""
Found = dict[str, list[Case]]
"""Set of weights → its cases."""
_KIND: Final = {
    "segment": Kind.SEGMENT, "compared": Kind.SEGMENT, "extreme": Kind.SEGMENT,
    "metric": Kind.METRIC, "slot": Kind.METRIC, "item": Kind.ITEM,
}  # fmt: skip
"""Set of weights → what it ranks."""


def cases(corpora: Sequence[Corpus], seed: int = 0) -> Iterator[tuple[str, Case]]:
    """Every value and comparing word of every sentence: the set of weights, and the case."""
    rng = np.random.default_rng(seed)
    for corpus in corpora:
        cast, lexicon = casts(rng, corpus.shop), Lexicon(corpus.shop.facts, corpus.shop.segments)
        for _ in range(TIMES):
            for sentence in (*corpus.values, *corpus.order):
                yield from _of_text(sentence, next(cast), lexicon)


def _of_text(text: str, cast: Cast, lexicon: Lexicon) -> Iterator[tuple[str, Case]]:
    slots = [match[1] for match in SLOT.finditer(text)]
    said, spans = render(text, {}, cast)
    for part in read(said, lexicon, lambda one, names: [_place(each) for each in numerals_of(one, names)]):
        sentence = part.sentence
        within = [
            (slot, start - part.start, end - part.start)
            for slot, (start, end) in zip(slots, spans, strict=True)
            if start < part.start + len(sentence.text) and end > part.start
        ]
        for numeral in numerals_of(sentence.text, sentence.mentions):
            for slot, start, end in within:
                if start <= numeral.start < end:
                    units = ANY if slot.startswith("rank") else units_of(numeral)
                    yield from _of(sentence, _place(numeral), units, _value(slot, cast), lexicon)
        words = find_comparatives(sentence.text, sentence.names)
        for word in words:
            for slot, start, end in within:
                if slot.split(":")[0] in DOWN and start <= word.start < end:
                    known = {**_value(slot, cast), "metric": slot.split(":")[1]}
                    yield from _of(sentence, _place(word), ANY, known, lexicon)
        for word, known in _superlatives(words, [slot for slot, _, _ in within], cast):
            yield from _of(sentence, _place(word), ANY, known, lexicon)


def _superlatives(
    words: Sequence[Comparative], slots: Sequence[str], cast: Cast
) -> Iterator[tuple[Comparative, dict[str, str]]]:
    """Each superlative with the segment that has most, and in what; they go in order."""
    for kind, up in (("MAX", True), ("MIN", False)):
        named = [slot.partition("|")[0].split(":")[1] for slot in slots if slot.startswith(kind)]
        own = [word for word in words if word.of_all and word.up == up]
        if len(set(named)) == 1 or len(named) == len(own):
            for word, metric in zip(own, named * len(own), strict=False):
                row = cast.shop.rows[extreme(kind, metric, cast.shop)]
                yield word, {"extreme": row, "metric": metric}


def _of(
    sentence: Sentence, value: Place, units: Collection[Unit], known: Mapping[str, str], lexicon: Lexicon
) -> Iterator[tuple[str, Case]]:
    """The cases of one value; none where only one name is there, or the right one is not."""
    if {"segment", "metric"} <= known.keys():
        known = {**known, "slot": known["metric"]}
    for name, key in known.items():
        is_written = partial(lexicon.is_written, units=ANY if name == "slot" else units)
        fits = is_written if _KIND[name] is Kind.METRIC else lambda _: True
        found = candidates(sentence, value, _KIND[name], fits)
        right = [key in keys for keys, _ in found]
        if any(right) and not all(right):
            yield name, (found, key)


def _place(one: Numeral | Comparative) -> Place:
    return Place(one.start, one.end)


def _value(slot: str, cast: Cast) -> dict[str, str]:
    """Set of weights → what the value of a slot is of."""
    part, rows = slot.partition("|")[0].split(":"), cast.shop.rows
    if part[0] in ("ratio", "points", *DOWN):
        return {"compared": rows[place_of(part[2], cast)]}
    if part[0] == "rank":
        return {"metric": part[1]}
    if part[0] == "gap" or len(part) < 2 or part[0] in ("MAX", "MIN"):
        return {}
    if len(part) == 4:
        return {"segment": rows[place_of(part[2], cast)], "item": item_of(part[3], cast)}
    row = extreme(part[1], part[2], cast.shop) if part[1] in ("MAX", "MIN") else place_of(part[1], cast)
    return {"segment": rows[row], "metric": "outcome_rate" if part[0] in ("low", "high") else part[0]}


def fitted(found: Mapping[str, Sequence[Case]]) -> dict[str, dict[str, float]]:
    """The weight of each sign in each of some sets, most likely given the cases.

    A sign weighs in a set what it weighs in all of them, and what it weighs there alone; both are penalised,
    so that a set with few cases goes by the others (feature augmentation, Daumé 2007, "Frustratingly easy
    domain adaptation").
    """
    signs = sorted({sign for each in found.values() for names, _ in each for _, one in names for sign in one})
    sets = [_Cases(each, signs) for each in found.values()]

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        weights = flat.reshape(len(sets) + 1, len(signs))
        parts = [each.loss(weights[0] + own) for each, own in zip(sets, weights[1:], strict=True)]
        pulls = np.array([pull for _, pull in parts])
        value = sum(value for value, _ in parts) + PENALTY * flat @ flat
        return float(value), np.vstack([pulls.sum(0), pulls]).ravel() + 2 * PENALTY * flat

    flat = minimize(loss, np.zeros((len(sets) + 1) * len(signs)), jac=True, method="L-BFGS-B").x
    every, *own = flat.reshape(len(sets) + 1, len(signs))
    return {
        name: {sign: round(float(weight), 2) for sign, weight in zip(signs, every + one, strict=True)}
        for name, one in zip(found, own, strict=True)
    }


class _Cases:
    """Cases of one set as a matrix.

    Args:
        found: The cases.
        signs: What the columns are.
    """

    def __init__(self, found: Sequence[Case], signs: Sequence[str]) -> None:
        rows = [(key in keys, one) for names, key in found for keys, one in names]
        self._matrix = np.array([[one.get(sign, 0.0) for sign in signs] for _, one in rows])
        self._right = np.array([is_right for is_right, _ in rows])
        self._counts = np.array([len(names) for names, _ in found])
        self._starts = np.cumsum(self._counts) - self._counts

    def loss(self, weights: np.ndarray) -> tuple[float, np.ndarray]:
        """Negative log-likelihood of a case, and its gradient."""
        starts, counts, right = self._starts, self._counts, self._right
        raw = self._matrix @ weights
        size = np.exp(raw - np.repeat(np.maximum.reduceat(raw, starts), counts))
        whole, part = np.add.reduceat(size, starts), np.add.reduceat(size * right, starts)
        pull = size / np.repeat(whole, counts) - size * right / np.repeat(part, counts)
        return float(-np.log(part / whole).mean()), self._matrix.T @ pull / len(counts)


def collected(corpora: Sequence[Corpus]) -> Found:
    """The cases of some sentences by set of weights."""
    found: Found = defaultdict(list)
    for name, case in cases(corpora):
        found[name].append(case)
    return found


def fit(parts: Sequence[Found]) -> dict[str, dict[str, float]]:
    """All sets of weights; those that rank names of one kind are fitted together."""
    names = sorted({name for part in parts for name in part})
    found = {name: [case for part in parts for case in part.get(name, ())] for name in names}
    weights: dict[str, dict[str, float]] = {}
    for kind in Kind:
        weights |= fitted({name: each for name, each in found.items() if _KIND[name] is kind})
    return weights


def leave_out() -> None:
    """Measure each set of sentences with weights that are fitted on the others, the held-out one always."""
    found = {corpora[0].name: collected(corpora) for corpora in CORPORA}
    for left in (*CORPORA, HELD_OUT):
        weights = fit([one for name, one in found.items() if name != left[0].name])
        with mock.patch.object(binding, "_weights", return_value=weights):
            for name, measured in (("numbers", score), ("slots", slot_score)):
                result = added([measured(one) for one in left])
                print(
                    f"{left[0].name}, {name}: recall {result.recall:.2%} of {result.wrong.total()}; ", end=""
                )
                print(f"false alarms {result.false_alarms:.2%} of {result.right}", flush=True)


def main() -> None:
    """Fit all sets of weights and write them down, or measure what they are worth elsewhere."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--leave-out", action="store_true", help="measure each set with weights of the others"
    )
    if parser.parse_args().leave_out:
        leave_out()
    else:
        weights = fit([collected(corpora) for corpora in CORPORA])
        WEIGHTS.write_text(yaml.safe_dump(weights), encoding="utf-8")


if __name__ == "__main__":
    main()

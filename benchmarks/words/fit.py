"""Fit the weights by which a value in a sentence is tied to a name (``core/words/binding.yaml``).

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

from benchmarks.words.corpora import CORPORA, SEEN, Corpus
from benchmarks.words.filling import DOWN, SLOT, Cast, casts, extreme, place_of, render
from benchmarks.words.mutations import added, score, slot_score
from core.words import binding
from core.words.binding import WEIGHTS, Candidate, candidates
from core.words.claims import numerals_of, units_of
from core.words.comparatives import Comparative, find_comparatives
from core.words.contract import Unit
from core.words.mentions import Kind, Lexicon
from core.words.numerals import Numeral
from core.words.reading import read
from core.words.sentence import Place, Sentence

TIMES: Final = 4
"""How often each sentence is read, with other segments and other names."""
PENALTY: Final = 2e-4
ANY: Final = frozenset(Unit)
"""Units of a value whose unit is not seen."""
Case = tuple[list[Candidate], str]
"""The names that a value can be of, and the key of the right one."""
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
                    yield from _of(sentence, _place(numeral), units_of(numeral), _value(slot, cast), lexicon)
        for word in find_comparatives(sentence.text, sentence.names):
            for slot, start, end in within:
                name, metric = slot.split(":")[0], slot.split(":")[-1]
                if name in DOWN and start <= word.start < end:
                    known = {**_value(slot, cast), "metric": slot.split(":")[1]}
                    yield from _of(sentence, _place(word), ANY, known, lexicon)
                elif word.of_all and name == ("MAX" if word.up else "MIN"):
                    row = cast.shop.rows[extreme(name, metric, cast.shop)]
                    yield from _of(sentence, _place(word), ANY, {"extreme": row, "metric": metric}, lexicon)


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
    if part[0] in ("gap", "rank") or len(part) < 2 or part[0] in ("MAX", "MIN"):
        return {}
    if part[1] == "page":
        return {"segment": rows[place_of(part[2], cast)], "item": cast.x if part[3] == "X" else cast.y}
    row = extreme(part[1], part[2], cast.shop) if part[1] in ("MAX", "MIN") else place_of(part[1], cast)
    return {"segment": rows[row], "metric": "outcome_rate" if part[0] in ("low", "high") else part[0]}


def fitted(found: Sequence[Case]) -> dict[str, float]:
    """The weight of each sign, most likely given the cases."""
    signs = sorted({sign for names, _ in found for _, one in names for sign in one})
    rows = [(key in keys, one) for names, key in found for keys, one in names]
    matrix = np.array([[one.get(sign, 0.0) for sign in signs] for _, one in rows])
    right = np.array([is_right for is_right, _ in rows])
    counts = np.array([len(names) for names, _ in found])
    starts = np.cumsum(counts) - counts

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        raw = matrix @ weights
        size = np.exp(raw - np.repeat(np.maximum.reduceat(raw, starts), counts))
        whole, part = np.add.reduceat(size, starts), np.add.reduceat(size * right, starts)
        pull = size / np.repeat(whole, counts) - size * right / np.repeat(part, counts)
        value = -np.log(part / whole).mean() + PENALTY * weights @ weights
        return float(value), matrix.T @ pull / len(found) + 2 * PENALTY * weights

    weights = minimize(loss, np.zeros(len(signs)), jac=True, method="L-BFGS-B").x
    return {sign: round(float(weight), 2) for sign, weight in zip(signs, weights, strict=True)}


def fit(corpora: Sequence[Corpus]) -> dict[str, dict[str, float]]:
    """All sets of weights, fitted on some sentences."""
    found: dict[str, list[Case]] = defaultdict(list)
    for name, case in cases(corpora):
        found[name].append(case)
    for name, each in sorted(found.items()):
        print(f"{name}: {len(each)} cases")
    return {name: fitted(each) for name, each in sorted(found.items())}


def leave_out() -> None:
    """Measure each set of sentences with weights that are fitted on the others."""
    for left in CORPORA:
        weights = fit([one for one in SEEN if one not in left])
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
        WEIGHTS.write_text(yaml.safe_dump(fit(SEEN)), encoding="utf-8")


if __name__ == "__main__":
    main()

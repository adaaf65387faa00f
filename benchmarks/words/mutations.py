"""How many wrong answers the checks notice, and how many right ones they doubt.

    python -m benchmarks.words.mutations

Answers are made from hand-written sentences (``sentences/``) and a made tables (``shop.py``). A wrong one
differs from a right one in one place; it counts as noticed if that very place is marked. Each sentence is
used with numbers (for the verifier) and with slots (for the slot check).
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.words.corpora import CORPORA, HELD_OUT, LETTERS, REPLIES, Corpus
from benchmarks.words.faults import (
    KINDS,
    OF_ITEMS,
    OTHER_METRIC,
    Sample,
    right_answers,
    unbacked,
    wrong_answers,
)
from benchmarks.words.filling import SLOT, Cast, casts, item_of, place_of, render
from core.writing.prose.check import Problem, SlotChecker
from core.writing.prose.verify import Checked, Verified, Verifier


@dataclass(frozen=True)
class Score:
    """How the verifier did.

    Args:
        missed: Wrong answers whose wrong place was not marked.
        doubted: Right answers with a mark.
        wrong: How many wrong answers of each kind.
        right: How many right answers.
    """

    missed: tuple[Sample, ...]
    doubted: tuple[tuple[Sample, Verified], ...]
    wrong: Counter[str]
    right: int

    @property
    def recall(self) -> float:
        """Share of wrong answers that were noticed."""
        return 1 - len(self.missed) / self.wrong.total()

    @property
    def false_alarms(self) -> float:
        """Share of right answers that were doubted."""
        return len(self.doubted) / self.right


def added(scores: Sequence[Score]) -> Score:
    """Several scores as one."""
    return Score(
        tuple(sample for one in scores for sample in one.missed),
        tuple(pair for one in scores for pair in one.doubted),
        sum((one.wrong for one in scores), Counter()),
        sum(one.right for one in scores),
    )


def score(corpus: Corpus, seed: int = 0) -> Score:
    """Verify all answers."""
    rng = np.random.default_rng(seed)
    right, wrong = right_answers(rng, corpus), wrong_answers(rng, corpus)
    verifier = Verifier(corpus.shop.facts, corpus.shop.segments)
    missed = []
    for sample in wrong:
        if not _is_marked(sample, verifier.verify(sample.text).unverified):
            missed.append(sample)
    checked = [(sample, verifier.verify(sample.text)) for sample in right]
    doubted = tuple(
        (sample, verified) for sample, verified in checked if _doubts(sample, verified.unverified)
    )
    return Score(tuple(missed), doubted, Counter(sample.kind for sample in wrong), len(right))


def slot_score(corpus: Corpus, seed: int = 0) -> Score:
    """Check the same sentences with slots in place of values; a wrong one cites another fact."""
    rng = np.random.default_rng(seed)
    cast, checker = casts(rng, corpus.shop), SlotChecker(corpus.shop.facts, corpus.shop.segments)
    ids = {(fact.metric, fact.segments, fact.item): fact.id for fact in corpus.shop.facts}
    missed: list[Sample] = []
    doubted: list[tuple[Sample, Verified]] = []
    kinds: Counter[str] = Counter()
    right = 0
    for sentence in corpus.values:
        drawn = next(cast)
        slots = [fact_of(match[1], drawn) for match in SLOT.finditer(sentence)]
        fill = {n: f"[[{ids[key]}]]{after}" for n, (key, after) in enumerate(slots) if key}
        if not fill or any(word in sentence for word in ("{low", "{high")):
            continue
        right += 1
        text, spans = render(sentence, fill, drawn)
        sample = Sample(text, unbacked=unbacked(sentence, spans))
        problems = checker.check(text).problems
        if _doubts(sample, problems):
            marks = tuple(Checked(one.start, one.end, False, reason=one.reason) for one in problems)
            doubted.append((sample, Verified(text, marks)))
        for kind in KINDS[1:3]:
            if wrong := _with_other_fact(sentence, slots, fill, drawn, kind, ids):
                kinds[kind] += 1
                checked = checker.check(wrong.text)
                missed += [] if _is_marked(wrong, checked.problems) else [wrong]
    return Score(tuple(missed), tuple(doubted), kinds, right)


Key = tuple[str, tuple[str, ...], str]


def fact_of(slot: str, cast: Cast) -> tuple[Key | None, str]:
    """Which fact a slot is, and the word that follows it."""
    part = slot.partition("|")[0].split(":")
    if part[0] in ("ratio", "points", "gap"):
        one, other = place_of(part[2], cast), place_of(part[3], cast)
        metric = f"{'ratio' if part[0] == 'ratio' else 'difference'}:{part[1]}"
        values, keys = cast.shop.table[part[1]], cast.shop.keys
        after = f" {'higher' if values[one] > values[other] else 'lower'}" if part[0] == "points" else ""
        return (metric, (keys[one], keys[other]), ""), after
    if part[0] in OF_ITEMS and len(part) == 4:
        item = item_of(part[3], cast)
        return (f"{part[0]}:{part[1]}", (cast.shop.keys[place_of(part[2], cast)],), item), ""
    if len(part) == 2 and part[0] in cast.shop.table:
        return (part[0], (cast.shop.rows[place_of(part[1], cast)],), ""), ""
    return None, ""


def _with_other_fact(
    sentence: str,
    slots: Sequence[tuple[Key | None, str]],
    fill: dict[int, str],
    cast: Cast,
    kind: str,
    ids: dict[Key, str],
) -> Sample | None:
    """One slot cites the same measure of another segment, or another measure of the same."""
    keys = cast.shop.keys
    for place, (key, after) in enumerate(slots):
        if key is None or len(key[1]) != 1 or key[1][0] not in keys:
            continue
        third = next(other for other in keys if other not in (keys[cast.a], keys[cast.b]))
        metric = OTHER_METRIC.get(key[0], key[0])
        other = (key[0], (third,), key[2]) if kind == "another segment" else (metric, key[1], key[2])
        if other != key:
            text, spans = render(sentence, {**fill, place: f"[[{ids[other]}]]{after}"}, cast)
            return Sample(text, kind, *spans[place])
    return None


def _is_marked(sample: Sample, marks: Sequence[Checked | Problem]) -> bool:
    return any(mark.start < sample.end and sample.start < mark.end for mark in marks)


def _doubts(sample: Sample, marks: Sequence[Checked | Problem]) -> bool:
    """Whether anything is marked but the numbers that no fact can back."""
    return any(
        not any(start < mark.end and mark.start < end for start, end in sample.unbacked) for mark in marks
    )


def main() -> None:
    """Print a table for docs/method.md for each corpus, and what went wrong."""
    for corpora in (*CORPORA, HELD_OUT, REPLIES, LETTERS):
        for name, measured in (("numbers", score), ("slots", slot_score)):
            started = time.monotonic()
            result = added([measured(one) for one in corpora])
            _print(f"{corpora[0].name}, {name}", result, time.monotonic() - started)


def _print(name: str, result: Score, seconds: float) -> None:
    missed = Counter(sample.kind for sample in result.missed)
    print(f"\nSentences {name}:\n\n| fault | answers | noticed |\n|---|---|---|")
    for kind, count in sorted(result.wrong.items()):
        print(f"| {kind} | {count} | {count - missed[kind]} |")
    print(f"\nrecall {result.recall:.2%} of {result.wrong.total()}; ", end="")
    print(f"false alarms {result.false_alarms:.2%} of {result.right}; {seconds:.1f} s")
    for sample in result.missed:
        print(f"MISSED ({sample.kind}, {sample.text[sample.start : sample.end]!r}): {sample.text}")
    for sample, verified in result.doubted:
        reasons = [f"{sample.text[one.start : one.end]!r} {one.reason}" for one in verified.unverified]
        print(f"DOUBTED {reasons}: {sample.text}")


if __name__ == "__main__":
    main()

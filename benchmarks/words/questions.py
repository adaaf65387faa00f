"""Ask the questions, and hold every answer against the oracle.

    python -m benchmarks.words.questions --users 3000

Prints the score by intent, and every question that was not answered exactly.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.words.checking import problems
from benchmarks.words.demo import Shop, demo_shop
from benchmarks.words.oracle import Oracle
from core.facts.sentences import plain
from core.profiles.facets import find_facets
from core.questions.answers import ask

SAID = "is only suggested as the name of"
QUESTIONS = Path(__file__).with_name("questions.jsonl")


@dataclass(frozen=True)
class Score:
    """How well the questions were answered.

    Args:
        asked: Intent → questions.
        exact: Intent → those answered exactly, or declined where they must be.
        wrong: Question → what is wrong; a decline of what can be answered is not wrong but missed.
        missed: Questions that were declined and need not have been.
        seconds: Longest and median time of an answer.
    """

    asked: Counter[str]
    exact: Counter[str]
    wrong: dict[str, list[str]]
    missed: list[str]
    seconds: tuple[float, float]


def read() -> list[dict[str, Any]]:
    """Read the committed questions with what is expected of their answers."""
    return [json.loads(line) for line in QUESTIONS.read_text(encoding="utf-8").splitlines()]


def oracle_of(shop: Shop) -> Oracle:
    """Make an oracle over the tables of a shop."""
    before = shop.context.previous
    assert before is not None
    sequences = shop.dataset.sequences
    return Oracle(
        shop.dataset.users, shop.dataset.outcomes, shop.dataset.pages, sequences.offsets, sequences.page,
        sequences.session, {view.value: names for view, names in shop.labels.items()}, shop.partition.labels,
        before.labels, shop.vectors,
        given_away=shop.context.tables.basis.data.outcomes.is_read(shop.context.tables.profiles.chosen),
        levels=find_facets(shop.dataset).items(),
    )  # fmt: skip


def score(shop: Shop) -> Score:
    """Ask all questions about a shop, and check every answer."""
    oracle, asked, exact = oracle_of(shop), Counter[str](), Counter[str]()
    wrong: dict[str, list[str]] = {}
    missed, seconds = [], []
    only_suggested = replace(shop.context, names={}, suggested=shop.context.names)
    for one in read():
        asked[one["intent"]] += 1
        context = only_suggested if one.get("suggested") else shop.context
        last = None
        for before in one.get("after", ()):
            last = ask(before, context, last).reading
        began = time.perf_counter()
        answer = ask(one["question"], context, last)
        seconds.append(time.perf_counter() - began)
        if "expect" in one:
            found = problems(answer, one["expect"], oracle)
            said = plain(answer.blocks, answer.titles)
            found += ["not said to be suggested"] if one.get("suggested") and SAID not in said else []
        else:
            found = [] if answer.declined else ["answered"]
            found += [f"offers {near}" for near in answer.suggestions if ask(near, context).declined]
        exact[one["intent"]] += not found
        if found == ["declined"]:
            missed.append(one["question"])
        elif found:
            wrong[one["question"]] = found
    return Score(asked, exact, wrong, missed, (max(seconds), float(np.median(seconds))))


def main() -> None:
    """Print the score."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=3_000)
    found = score(demo_shop(parser.parse_args().users))
    print("| intent | questions | exact |\n|---|---|---|")
    for intent, n in found.asked.items():
        print(f"| {intent} | {n} | {found.exact[intent]} |")
    longest, median = found.seconds
    print(f"\n{sum(found.exact.values())} of {sum(found.asked.values())}; "
          f"median {median * 1000:.1f} ms, longest {longest * 1000:.1f} ms")  # fmt: skip
    for question in found.missed:
        print(f"missed: {question}")
    for question, reasons in found.wrong.items():
        print(f"wrong: {question}: {'; '.join(reasons[:4])}")


if __name__ == "__main__":
    main()

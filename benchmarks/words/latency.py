"""How long the first answer takes on many users, with nothing counted before.

    python -m benchmarks.words.latency --users 270000

Laying out the data set is not counted: that is done once, beside the profiles. Wall time and processor time
differ on a busy machine, so both are printed.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace

from benchmarks.words.demo import demo_shop
from core.facts.context import Context, Tables
from core.questions.answers import ask

QUESTIONS = (
    "outcome rate of segment 2", "which segment has the most users", "top pages of segment 2",
    "which themes set segment 2 apart", "compare segment 1 and 2", "compare all segments",
    "describe segment 1", "typical path of segment 3", "what comes after /cart in segment 2",
    "where do users of segment 1 enter",
    "share of mobile users in segment 2", "build a persona for segment 2", "what changed",
)  # fmt: skip


def cold(context: Context) -> Context:
    """Copy a context without anything that was counted for it."""
    tables = context.tables
    return replace(context, tables=Tables(tables.basis, tables.profiles, tables.partition))


def milliseconds(question: str, context: Context) -> tuple[float, float]:
    """Wall time and processor time of one answer, in milliseconds.

    Raises:
        ValueError: If the question is declined.
    """
    wall, busy = time.perf_counter(), time.process_time()
    answer = ask(question, context)
    took = (time.perf_counter() - wall) * 1000, (time.process_time() - busy) * 1000
    if answer.declined:
        raise ValueError(f"{question!r} was declined")
    return took


def main() -> None:
    """Print how long each question takes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=270_000)
    context = demo_shop(parser.parse_args().users).context
    ask("outcome rate of segment 1", context)  # loads what is loaded once a process
    warm = cold(context)
    warm.tables.warm()
    print("| question | first answer ms | of it processor | once counted ms |\n|---|---|---|---|")
    for question in QUESTIONS:
        (wall, busy), (again, _) = milliseconds(question, cold(context)), milliseconds(question, warm)
        print(f"| {question} | {wall:.0f} | {busy:.0f} | {again:.0f} |")


if __name__ == "__main__":
    main()

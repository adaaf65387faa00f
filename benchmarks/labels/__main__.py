"""Print how well and how fast pages are labelled, as Markdown for docs/method.md.

    python -m benchmarks.labels [--only well|fast]

Well: three sets of pages that a person labelled (README.md). Fast: each rung alone, cold and warm. The
entailment rung runs transformers' real pipeline on a tiny model with random weights, made on the spot: its
figure shows that everything fits together and what the pipeline itself costs, and nothing of a real model's
speed or quality. A language model's speed is its server's; it is not measured.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from benchmarks.labels import speed
from benchmarks.labels.evaluate import evaluate, report
from benchmarks.labels.sets import SETS, load
from benchmarks.measure import measure
from core.labels.label_cache import SIZE_LIMIT
from core.labels.label_settings import LabelSettings
from core.labels.ladder import build
from core.storage.json_cache import JsonCache

WELL, FAST = "well", "fast"


@click.command(help=__doc__)
@click.option("--only", type=click.Choice([WELL, FAST]), help="One half of the figures.")
def main(only: str | None) -> None:
    """Run what is asked for."""
    if only != FAST:
        for name in SETS:
            labelled = load(name)
            with tempfile.TemporaryDirectory() as fresh, JsonCache(Path(fresh), SIZE_LIMIT) as cache:
                ladder = build(LabelSettings(taxonomy=labelled.taxonomy), cache)
                print(report(labelled, evaluate(labelled, ladder)), end="\n\n", flush=True)
    if only != WELL:
        print(speed.report([measure(speed.speed_of, name).value for name in speed.RUNGS]))


if __name__ == "__main__":
    main()

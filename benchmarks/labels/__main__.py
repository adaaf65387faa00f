"""Print how well and how fast pages are labelled, as Markdown for docs/method.md.

    python -m benchmarks.labels [--only well|sites|markup|fast]

Well: three sets of pages that a person labelled (README.md). Sites: whole made-up sites, with people's ways
(benchmarks/sites). Markup: the shops as if they had been fetched. Fast: each rung alone, cold and warm. The
entailment rung runs transformers' real pipeline on a tiny model with random weights, made on the spot: its
figure shows that everything fits together and what the pipeline itself costs, and nothing of a real model's
speed or quality. A language model's speed is its server's; it is not measured.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import click
import pandas as pd

from benchmarks.labels import speed
from benchmarks.labels.evaluate import evaluate, report, summary
from benchmarks.labels.markup import SYSTEMS, with_markup
from benchmarks.labels.sets import SETS, LabelledSet, load
from benchmarks.labels.sites import load_site, site_row
from benchmarks.measure import measure
from benchmarks.sites.plan import DEV, HELD
from benchmarks.tables import markdown
from core.base.schema import View
from core.labels.cascade import build
from core.labels.label_cache import SIZE_LIMIT
from core.labels.label_settings import LabelSettings
from core.storage.json_cache import JsonCache

WELL, SITES, MARKUP, FAST = PARTS = "well", "sites", "markup", "fast"


@click.command(help=__doc__)
@click.option("--only", type=click.Choice(PARTS), help="One part of the figures.")
def main(only: str | None) -> None:
    """Run what is asked for."""
    wanted = (only,) if only else PARTS
    if WELL in wanted:
        for name in SETS:
            labelled = load(name)
            print(report(labelled, _evaluated(labelled)), end="\n\n", flush=True)
    if SITES in wanted:
        with tempfile.TemporaryDirectory() as folder:
            rows = [site_row(load_site(name, Path(folder)), Path(folder)) for name in DEV + HELD]
        print("### Made-up sites", markdown([*rows[0]], [[*row.values()] for row in rows]), sep="\n\n")
    if MARKUP in wanted:
        shops = load("shops")
        read = [shops, *(with_markup(shops, system) for system in SYSTEMS)]
        cells = [
            (one.name, view, *summary(pages).values())
            for one in read
            for view, pages in _evaluated(one).items()
        ]
        print(markdown(["markup", "view", "pages", "coverage", "precision on decided", "accuracy"], cells))
    if FAST in wanted:
        print(speed.report([measure(speed.speed_of, name).value for name in speed.RUNGS]))


def _evaluated(labelled: LabelledSet) -> dict[View, pd.DataFrame]:
    with tempfile.TemporaryDirectory() as fresh, JsonCache(Path(fresh), SIZE_LIMIT) as cache:
        return evaluate(labelled, build(LabelSettings(taxonomy=labelled.taxonomy), cache))


if __name__ == "__main__":
    main()

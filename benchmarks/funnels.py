"""What a funnel of four steps takes, its steps of pages and events, in every order and limit.

    python -m core sample --users 270000 --out BIG.csv.gz
    python -m benchmarks.funnels BIG.csv.gz

CPU time of one thread, so that a busy machine does not change it: names matched, all users followed, and the
table of every segment (drawn at random).
"""

from __future__ import annotations

import tempfile
import time
from itertools import product
from pathlib import Path

import click
import numpy as np

from benchmarks.tables import markdown
from core.base.progress import silent
from core.base.settings import IngestSettings
from core.journeys.funnel import Funnel, StepOrder
from core.journeys.funnel_table import ShareOf, side_by_side, walk
from core.journeys.moves import levels_of
from core.journeys.patterns import FunnelSite
from core.profiles.rows import Rows
from core.runs import pipeline
from core.storage.store import Store

STEPS = (("page", "*"), ("event", "view_item"), ("page", "*"), ("event", "add_to_cart"))
SEGMENTS = 8


@click.command(help=__doc__)
@click.argument("file", type=click.Path(exists=True, path_type=Path))
def main(file: Path) -> None:
    """Print a row an order and limit."""
    with tempfile.TemporaryDirectory() as folder:
        data = pipeline.preprocess(Store(Path(folder)), [file], IngestSettings(), silent)
        sequences, events = data.sequences, data.events
        site = FunnelSite(levels_of(data.pages, None), events.names)
        place = np.random.default_rng(0).integers(SEGMENTS, size=sequences.n_users)
        rows = Rows(place, tuple(range(SEGMENTS)), ())
        steps = tuple({"kind": kind, "any_of": (pattern,)} for kind, pattern in STEPS)
        lines = []
        for order, within in product(StepOrder, ("user", "session", "30 minutes")):
            funnel = Funnel.checked(steps=steps, order=order, within=within)
            began = time.process_time()
            found = walk(funnel, site.marks_of(funnel), sequences, events)
            followed = time.process_time()
            side_by_side(funnel, found, rows, ShareOf.ALL)
            took = (followed - began, time.process_time() - followed)
            reached = [int((found.depth >= step).sum()) for step in range(1, len(steps) + 1)]
            lines.append((order, within, *(f"{1000 * one:.0f} ms" for one in took), *reached))
        print(f"{sequences.n_users:,} users, {sequences.n_views:,} page views, {len(events.user):,} events")
        head = ["order", "within", "followed", "all segments", *(f"step {number}" for number in range(1, 5))]
        print(markdown(head, lines))


if __name__ == "__main__":
    main()

"""How long each stage takes, beside a raw DuckDB floor and what others take, measured in the same run.

    python -m benchmarks.run --users 50000

Prints a Markdown table for docs/method.md, and a small quality check that fails the build when our vectors
are worse than a bag of pages (benchmarks/quality/floor.py). The demo shop is made first and not counted.
Functions run in child processes; what is heavy is imported inside them, and counts.
"""

from __future__ import annotations

import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from benchmarks.anchors import anchors
from benchmarks.measure import Measured, measure
from benchmarks.sets import demo_shop
from benchmarks.tables import markdown
from core.base.schema import View

if TYPE_CHECKING:
    from core.runs.artifacts import Embeddings
    from core.runs.pipeline import Segments
    from core.storage.dataset import Dataset
    from core.storage.page_labels import LabelledPages

FLOOR = """
COPY (
    WITH views AS (
        SELECT user_pseudo_id AS user_id, event_timestamp::BIGINT AS ts,
               regexp_replace(lower(page_location), '[?#].*$', '') AS page
        FROM read_csv('{csv}', header = true, all_varchar = true)
        WHERE event_name = 'page_view' AND user_pseudo_id IS NOT NULL
    ),
    pages AS (
        SELECT page, row_number() OVER (ORDER BY count(*) DESC, page) - 1 AS id FROM views GROUP BY page
    )
    SELECT user_id, list(id ORDER BY ts) AS pages, list(ts ORDER BY ts) AS times
    FROM views JOIN pages USING (page) GROUP BY user_id
) TO '{out}' (FORMAT parquet)
"""


def floor(csv: Path, folder: Path) -> None:
    """Do the least of a correct preprocess in DuckDB: typed read, filter, page ids, lists to Parquet."""
    import duckdb

    duckdb.execute(FLOOR.format(csv=csv, out=folder / "floor.parquet"))


def preprocess(csv: Path, folder: Path) -> str:
    """Run stage preprocess with receipt, masking and URL cleaning; content key of the data set."""
    from core.base.progress import silent
    from core.base.settings import IngestSettings
    from core.runs import pipeline
    from core.storage.store import Store

    return pipeline.preprocess(Store(folder), [csv], IngestSettings(), silent).key


def label(dataset: str, folder: Path) -> str:
    """Run stage label with the default rungs; content key of the themes and types of every page."""
    from core.base.progress import silent
    from core.labels.label_settings import LabelSettings
    from core.runs import artifacts, pipeline
    from core.storage.store import Store

    store = Store(folder)
    made = pipeline.label(store, artifacts.open_dataset(store, dataset), LabelSettings(), silent)
    assert made is not None  # the default labels pages
    return made.key


def train(dataset: str, labels: str, folder: Path, preset: str) -> str:
    """Run stage train on three views; content key of the model."""
    from core.base.progress import silent
    from core.base.settings import Preset, TrainSettings
    from core.runs import artifacts, pipeline
    from core.storage.store import Store

    store = Store(folder)
    data, known = artifacts.open_dataset(store, dataset), artifacts.open_labels(store, labels)
    return pipeline.train(store, data, known, TrainSettings.preset(Preset(preset)), silent).key


def embed(dataset: str, labels: str, model: str, folder: Path) -> str:
    """Run stage embed; content key of the vectors."""
    from core.base.progress import silent
    from core.runs import artifacts, pipeline
    from core.storage.store import Store

    store = Store(folder)
    data, known = artifacts.open_dataset(store, dataset), artifacts.open_labels(store, labels)
    return pipeline.embed(store, data, known, artifacts.open_model(store, model), silent).artifact.key


def segment(dataset: str, labels: str, embeddings: str, folder: Path) -> dict[str, float]:
    """Seconds of combine, cluster and analyze, cold, and then of a move of a slider (median of 5).

    The table of differences, and the names that are made of it, follow a move and are timed by themselves.
    """
    from core.base.progress import silent
    from core.runs import artifacts, pipeline
    from core.storage.store import Store

    store = Store(folder)
    data, labelled = artifacts.open_dataset(store, dataset), artifacts.open_labels(store, labels)
    vectors = artifacts.open_embeddings(store, data, embeddings)
    cold = time.perf_counter()
    first = pipeline.segment(data, labelled, vectors, pipeline.RunSettings(), silent)
    cold = time.perf_counter() - cold
    times = zip(*_moves(data, labelled, vectors, first), strict=True)
    names = ("move_s", "move_cpu_s", "table_s", "table_cpu_s")
    return {"cold_s": cold} | dict(zip(names, map(statistics.median, times), strict=True))


def _moves(
    dataset: Dataset, labels: LabelledPages, vectors: Embeddings, first: Segments
) -> Iterator[tuple[float, float, float, float]]:
    """Seconds, and CPU seconds, of each move of a slider, and of its table and names."""
    import numpy as np

    from core.base.settings import AnalyzeSettings, ClusterSettings, ViewWeights
    from core.profiles.differences import differences
    from core.profiles.facets import find_facets
    from core.profiles.name_fitting import current_names
    from core.profiles.name_words import SiteWords
    from core.profiles.user_items import UserItems, labels_of
    from core.runs import pipeline
    from core.segments.identity import match

    data = first.data  # once for all moves, as in the app
    levels = find_facets(dataset, labels).items()
    items = UserItems.from_tables(data, dataset.pages, dataset.sequences, labels_of(labels), levels)
    site, previous = SiteWords.from_tables(dataset.pages, labels.of(View.THEME)), first.partition
    outcomes, one_page = data.outcomes.inside(AnalyzeSettings()), first.profiles.one_page
    for k in (7, 6, 8, 6, 7):
        began = np.array([time.perf_counter(), time.process_time()])
        combined = pipeline.combine(vectors, ViewWeights(url=k / 10))
        cut = pipeline.cluster(combined, vectors.inside, ClusterSettings(n_clusters=k), previous)
        previous = match(previous, cut).partition
        profiles = pipeline.analyze(data, previous, AnalyzeSettings(), one_page)
        moved = np.array([time.perf_counter(), time.process_time()])
        current_names(differences(data, profiles.rows, items, outcomes), site, {})
        yield *(moved - began), *(np.array([time.perf_counter(), time.process_time()]) - moved)


@click.command(help=__doc__)
@click.option("--users", type=int, default=50_000, show_default=True)
@click.option("--preset", default="balanced", show_default=True)
def main(users: int, preset: str) -> None:
    """Measure every stage and print the table."""
    with tempfile.TemporaryDirectory() as scratch:
        print_times(users, preset, measure_all(users, preset, Path(scratch)))
        check_quality(Path(scratch))


def measure_all(users: int, preset: str, folder: Path) -> dict[str, Measured]:
    """Run every step in a process of its own, in order; step → what it took."""
    csv = measure(demo_shop, users, 0, folder).value
    rows = {"DuckDB floor": measure(floor, csv, folder), "preprocess": measure(preprocess, csv, folder)}
    dataset = rows["preprocess"].value
    rows["label"] = measure(label, dataset, folder)
    labels = rows["label"].value
    rows["train"] = measure(train, dataset, labels, folder, preset)
    rows["embed"] = measure(embed, dataset, labels, rows["train"].value, folder)
    embeddings = rows["embed"].value
    rows["combine + cluster + analyze"] = measure(segment, dataset, labels, embeddings, folder)
    return rows | anchors(csv, folder / "embed" / embeddings / "url.npy")


def print_times(users: int, preset: str, rows: dict[str, Measured]) -> None:
    """Print a table of what every step took."""
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.machine()}"
    print(f"{users:,} demo users, {preset}; {machine}; {date.today():%Y-%m-%d}\n")
    cells = [
        (name, f"{row.wall_s:.2f}", f"{row.cpu_s:.2f}", f"{row.peak_mb:,.0f}") for name, row in rows.items()
    ]
    print(markdown(["step", "wall s", "CPU s", "peak MB"], cells))
    steering = rows["combine + cluster + analyze"].value
    ratio = rows["preprocess"].wall_s / rows["DuckDB floor"].wall_s
    print(f"\npreprocess / floor: {ratio:.2f}; first segmentation {steering['cold_s']:.2f} s;", end=" ")
    times = {name: f"{value * 1000:.0f} ms" for name, value in steering.items()}
    print(f"a slider move {times['move_s']} (CPU {times['move_cpu_s']}), its table of differences and names")
    print(f"{times['table_s']} more (CPU {times['table_cpu_s']})")
    for name, row in rows.items():
        if name.startswith("anchor") and isinstance(row.value, dict):
            figures = ", ".join(f"{figure} {value:.3g}" for figure, value in row.value.items())
            print(f"{name}, without imports: {figures}")


def check_quality(folder: Path) -> None:
    """Print the small quality check; exit where a figure is below its floor."""
    from benchmarks.quality.floor import BASE, FLOORS, USERS, broken, small_quality

    ratios = small_quality(folder)
    print(f"\nQuality, {USERS:,} demo users, URL view, one seed, as a multiple of {BASE}:\n")
    cells = [(name, f"{ratio:.2f}", FLOORS[name]) for name, ratio in ratios.items()]
    print(markdown(["figure", "measured", "floor"], cells), flush=True)
    if failed := broken(ratios):
        sys.exit("Quality is below its floor. " + "; ".join(failed))


if __name__ == "__main__":
    main()

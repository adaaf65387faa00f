"""How long each stage takes, beside a raw DuckDB floor and what others take, measured in the same run.

    python -m benchmarks.run --users 50000

Prints a Markdown table for docs/method.md, and a small quality check that fails the build when our vectors
are worse than a bag of pages (benchmarks/quality/floor.py). The demo shop is made first and not counted.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

from benchmarks.anchors import anchors
from benchmarks.measure import Measured, measure
from benchmarks.quality.floor import BASE, FLOORS, USERS, broken, small_quality

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


def floor(csv: str, folder: str) -> int:
    """The least a correct preprocess has to do: typed read, filter, page ids, ordered lists to Parquet."""
    import duckdb

    out = Path(folder) / "floor.parquet"
    duckdb.execute(FLOOR.format(csv=csv, out=out))
    return duckdb.execute(f"SELECT count(*) FROM '{out}'").fetchall()[0][0]


def preprocess(csv: str, folder: str) -> str:
    """Stage preprocess: receipt, masking and URL cleaning included."""
    from core.base.progress import silent
    from core.base.settings import IngestSettings
    from core.runs.pipeline import preprocess as stage
    from core.storage.store import Store

    return stage(Store(Path(folder)), [Path(csv)], IngestSettings(), silent).key


def label(dataset: str, folder: str) -> str:
    """Stage label: theme and type of every page, by the ladder's default rungs."""
    from core.base.progress import silent
    from core.labels.label_settings import LabelSettings
    from core.runs.pipeline import label as stage
    from core.runs.pipeline import open_dataset
    from core.storage.store import Store

    store = Store(Path(folder))
    made = stage(store, open_dataset(store, dataset), LabelSettings(), silent)
    assert made is not None  # the default labels pages
    return made.key


def train(dataset: str, labels: str, folder: str, preset: str) -> str:
    """Stage train: three views."""
    from core.base.progress import silent
    from core.base.settings import Preset, TrainSettings
    from core.runs.pipeline import open_dataset, open_labels
    from core.runs.pipeline import train as stage
    from core.storage.store import Store

    store = Store(Path(folder))
    data, known = open_dataset(store, dataset), open_labels(store, labels)
    return stage(store, data, known, TrainSettings.preset(Preset(preset)), silent).key


def embed(dataset: str, labels: str, model: str, folder: str) -> str:
    """Stage embed."""
    from core.base.progress import silent
    from core.runs.pipeline import embed as stage
    from core.runs.pipeline import open_dataset, open_labels, open_model
    from core.storage.store import Store

    store = Store(Path(folder))
    data, known = open_dataset(store, dataset), open_labels(store, labels)
    return stage(store, data, known, open_model(store, model), silent).artifact.key


def segment(dataset: str, embeddings: str, folder: str) -> dict[str, float]:
    """Stages combine, cluster and analyze, cold; then what one move of a slider takes (median of 5)."""
    from core.base.progress import silent
    from core.base.settings import AnalyzeSettings, ClusterSettings, ViewWeights
    from core.profiles.data import ProfileData
    from core.runs import pipeline
    from core.segments.identity import match
    from core.storage.store import Store

    store = Store(Path(folder))
    data = pipeline.open_dataset(store, dataset)
    vectors = pipeline.open_embeddings(store, data, embeddings)
    cold = time.perf_counter()
    first = pipeline.segment(data, vectors, pipeline.RunSettings(), silent)
    cold = time.perf_counter() - cold

    profiled, previous, took = ProfileData.from_dataset(data), first.partition, []
    for k in (7, 6, 8, 6, 7):
        began = time.perf_counter()
        combined = pipeline.combine(vectors, ViewWeights(url=k / 10))
        cut = pipeline.cluster(combined, vectors.inside, ClusterSettings(n_clusters=k), previous)
        moved = match(previous, cut)
        pipeline.analyze(profiled, moved.partition, AnalyzeSettings())
        took.append(time.perf_counter() - began)
        previous = moved.partition
    return {"cold_s": cold, "move_s": statistics.median(took)}


def main() -> None:
    """Measure every stage and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=50_000)
    parser.add_argument("--preset", default="balanced")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    parser.add_argument("--retentioneering", help="Python of a venv that has it, to be measured beside ours")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = measure_all(args.users, args.preset, folder, args.retentioneering)
        ratios = small_quality(Path(folder))
    print_times(args.users, args.preset, rows)
    print_quality(ratios)
    if args.json:
        dumped = {name: row.__dict__ for name, row in rows.items()} | {"quality": ratios}
        args.json.write_text(json.dumps(dumped))
    if failed := broken(ratios):
        sys.exit("Quality is below its floor. " + "; ".join(failed))


def print_times(users: int, preset: str, rows: dict[str, Measured]) -> None:
    """What every step took."""
    print(f"{users:,} demo users, {preset}; {describe_machine()}; {date.today():%Y-%m-%d}\n")
    print("| step | wall s | CPU s | peak MB |\n|---|---|---|---|")
    for name, row in rows.items():
        print(f"| {name} | {row.wall_s:.2f} | {row.cpu_s:.2f} | {row.peak_mb:,.0f} |")
    steering = rows["combine + cluster + analyze"].value
    ratio = rows["preprocess"].wall_s / rows["DuckDB floor"].wall_s
    print(f"\npreprocess / floor: {ratio:.2f}; first segmentation {steering['cold_s']:.2f} s;", end=" ")
    print(f"a slider move {steering['move_s'] * 1000:.0f} ms")
    for name, row in rows.items():
        if isinstance(row.value, dict) and name.startswith("anchor"):
            print(
                f"{name}, without imports:",
                ", ".join(f"{key} {value:.3g}" for key, value in row.value.items()),
            )


def print_quality(ratios: dict[str, float]) -> None:
    """The small quality check."""
    print(f"\nQuality, {USERS:,} demo users, URL view, one seed, as a multiple of {BASE}:")
    print("\n| figure | measured | floor |\n|---|---|---|")
    for name, ratio in ratios.items():
        print(f"| {name} | {ratio:.2f} | {FLOORS[name]} |")


def measure_all(
    users: int, preset: str, folder: str, retentioneering: str | None = None
) -> dict[str, Measured]:
    """Every step in a process of its own, in order."""
    from core.sample import write_sample

    csv = str(Path(folder) / "shop.csv")
    write_sample(Path(csv), users, 0)
    rows = {"DuckDB floor": measure(floor, csv, folder), "preprocess": measure(preprocess, csv, folder)}
    dataset = rows["preprocess"].value
    rows["label"] = measure(label, dataset, folder)
    labels = rows["label"].value
    rows["train"] = measure(train, dataset, labels, folder, preset)
    rows["embed"] = measure(embed, dataset, labels, rows["train"].value, folder)
    rows["combine + cluster + analyze"] = measure(segment, dataset, rows["embed"].value, folder)
    vectors = str(Path(folder) / "embed" / rows["embed"].value / "url.npy")
    return rows | anchors(csv, vectors, retentioneering)


def describe_machine() -> str:
    """Cores and Python, no host name."""
    import os

    return f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.machine()}"


if __name__ == "__main__":
    main()

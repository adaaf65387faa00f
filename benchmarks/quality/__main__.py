"""Print how good the vectors are, beside simple ways, for docs/method-history.md.

    python -m benchmarks.quality [--users N]... [--big N] [--real] [--data FILE]... [--themes T] [--work DIR]

The whole of it: ``--users 20000 --users 50000 --big 270000 --real --work FOLDER``. Every method runs in a
process of its own; each figure is written to ``figures.csv`` of the set's folder as soon as it is known.
word2vec wants gensim: ``pip install -r requirements-bench.txt``.
"""

from __future__ import annotations

import os
import platform
import subprocess
import tempfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import click
import pandas as pd

from benchmarks.measure import measure
from benchmarks.quality.judge import about, judge, stability
from benchmarks.quality.methods import CASCADE, HAND_VIEWS, METHODS, OURS, TRUTH, folder_of, make, why_not
from benchmarks.quality.views import judge_views
from benchmarks.sets import DEMO_SEED, REAL, SetSpec, demo_shop, prepare
from benchmarks.tables import markdown
from core.labels.label_settings import ThemeSource

COLUMNS = ["method", "seed", "figure", "value"]


@click.command(help=__doc__)
@click.option("--users", type=int, multiple=True, help="Size of a demo shop.")
@click.option("--big", type=int, help="Size of a demo shop for speed and memory: ours, one seed.")
@click.option("--demo-seed", type=int, default=DEMO_SEED, show_default=True)
@click.option("--data", type=click.Path(path_type=Path, exists=True), multiple=True, help="Another export.")
@click.option("--real", is_flag=True, help="The real exports beside the repository, if they are there.")
@click.option("--seeds", type=int, default=3, show_default=True, help="Of the training.")
@click.option("--methods", default="", help=f"Parts of names, comma-separated: {', '.join(METHODS)}.")
@click.option("--themes", type=click.Choice([one.value for one in ThemeSource]), default="auto")
@click.option("--work", type=click.Path(path_type=Path), help="Keep data, models and vectors in this folder.")
def main(
    users: Sequence[int],
    big: int | None,
    demo_seed: int,
    data: Sequence[Path],
    real: bool,
    seeds: int,
    methods: str,
    themes: ThemeSource,
    work: Path | None,
) -> None:
    """Run the sets that are asked for."""
    print(f"# Quality\n\n{machine()}; {seeds} training seeds, mean (range)", flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        folder = work or Path(scratch)
        exports = [measure(demo_shop, size, demo_seed, folder).value for size in users]
        exports += [*data, *(path for path in REAL if real and path.exists())]
        for csv in exports:
            report(measure(prepare, csv, folder, ThemeSource(themes)).value, range(seeds), chosen(methods))
        if big:
            csv = measure(demo_shop, big, demo_seed, folder).value
            report(measure(prepare, csv, folder, ThemeSource(themes)).value, range(1), [CASCADE])


def chosen(parts: str) -> list[str]:
    """Methods whose name has one of the comma-separated parts; all if ``parts`` is empty."""
    return [
        name for name in METHODS if any(part.strip().lower() in name.lower() for part in parts.split(","))
    ]


def report(spec: SetSpec, seeds: Sequence[int], methods: Sequence[str]) -> None:
    """Run every method on one set and print what it found."""
    sizes = measure(about, spec).value
    print(f"\n## {spec.name}\n\n" + ", ".join(f"{name} {number(value)}" for name, value in sizes.items()))
    figures, runnable = pd.DataFrame(columns=COLUMNS), []
    for method in methods:
        if reason := why_not(spec, method):
            print(f"\n{method}: not run, {reason}.", flush=True)
            continue
        runnable.append(method)
        figures = pd.concat([figures, run_method(spec, method, seeds)])
        figures.to_csv(spec.work / "figures.csv", index=False)
    print(f"\n{summary(figures)}")
    labelled = [method for method in (TRUTH, CASCADE) if method in runnable]
    if labelled:
        print(
            f"\nViews of {labelled[0]}; moved: users in another segment than at the default weights, and at"
        )
        print("the default than with another K-Means seed; share: of the default mix.\n")
        print(views(spec, labelled[0], HAND_VIEWS in runnable, seeds), flush=True)


def run_method(spec: SetSpec, method: str, seeds: Sequence[int]) -> pd.DataFrame:
    """Train, embed and judge with each seed: a row a figure, of :data:`COLUMNS`."""
    rows, folders = [], [folder_of(spec, method, seed) for seed in seeds]
    for seed, folder in zip(seeds, folders, strict=True):
        click.echo(f"{spec.name}: {method}, seed {seed}", err=True)
        made = measure(make, spec, method, seed)
        found = measure(judge, spec, folder, seed).value | made.value | {"peak MB": made.peak_mb}
        rows += [(method, seed, figure, value) for figure, value in found.items()]
    rows += [(method, -1, "stability", value) for value in measure(stability, folders).value]
    return pd.DataFrame(rows, columns=COLUMNS)


def summary(figures: pd.DataFrame) -> str:
    """Markdown table of figures by method: the mean, and the range where seeds differ."""
    found = figures.groupby(["figure", "method"], sort=False)["value"].agg(["mean", "min", "max"])
    cells = [
        number(mean) + (f" ({number(low)}–{number(high)})" if number(low) != number(high) else "")
        for mean, low, high in found.itertuples(index=False)
    ]
    table = pd.Series(cells, found.index).unstack(fill_value="–", sort=False)
    return markdown(["", *table.columns], table.itertuples())


def views(spec: SetSpec, method: str, beside_hand: bool, seeds: Sequence[int]) -> str:
    """Markdown table of figures by weights of the views, mean over the seeds."""
    rows = [
        pd.DataFrame.from_dict(
            measure(
                judge_views,
                spec,
                folder_of(spec, method, seed),
                folder_of(spec, HAND_VIEWS, seed) if beside_hand else None,
                OURS[method],
            ).value,
            orient="index",
        )
        for seed in seeds
    ]
    table = pd.concat(rows).groupby(level=0, sort=False).mean().map(number)
    return markdown(["weights", *table.columns], table.itertuples())


def number(value: float) -> str:
    """Format a number: three decimals below 10, none above, a dash for NaN."""
    return "–" if pd.isna(value) else f"{value:.3f}" if abs(value) < 10 else f"{value:,.0f}"


def machine() -> str:
    """Cores, versions, date, commit; no host name."""
    git = ["git", "describe", "--always", "--dirty=+"]
    commit = subprocess.run(git, capture_output=True, text=True, check=False).stdout.strip() or "unknown"
    python = f"Python {platform.python_version()}, {platform.machine()}"
    return f"{os.cpu_count()} cores, {python}; {date.today():%Y-%m-%d}; commit {commit}"


if __name__ == "__main__":
    main()

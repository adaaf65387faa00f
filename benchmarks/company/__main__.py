"""Many people on one server, measured.

    python -m benchmarks.company --sessions 20 --users 20000 --minutes 3

Makes the demo shop and a model first (kept in ``--folder`` for the next time), starts the real server on a
free port of this machine, opens real sessions over Streamlit's own WebSocket protocol, and prints what people
waited for, what failed, what it cost the server and its memory. It stops by itself.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

import click
import pandas as pd

from benchmarks.company.load import Load, Measured, drive
from benchmarks.company.server import running
from benchmarks.sets import demo_shop
from benchmarks.tables import markdown
from core.base.progress import silent
from core.base.settings import IngestSettings, Preset, TrainSettings
from core.labels.label_settings import LabelSettings
from core.runs import pipeline, tasks
from core.storage.store import Store

SEED = 3


@click.command(help=__doc__)
@click.option("--sessions", type=click.IntRange(1, 50), default=20, help="People at once.")
@click.option("--users", type=int, default=20_000, help="Users of the demo shop.")
@click.option(
    "--minutes",
    type=click.FloatRange(0, 15, min_open=True),
    default=3.0,
    help="How long people begin things.",
)
@click.option(
    "--pause", type=click.FloatRange(0), nargs=2, default=(3.0, 8.0), help="Seconds, least and most."
)
@click.option(
    "--preset",
    type=click.Choice([preset.value for preset in Preset]),
    default=Preset.FAST.value,
    help="Of the training.",
)
@click.option("--seed", type=int, default=0, help="Of what people do.")
@click.option("--folder", type=click.Path(path_type=Path), help="Keep the shop and the model here.")
def main(
    sessions: int,
    users: int,
    minutes: float,
    pause: tuple[float, float],
    preset: str,
    seed: int,
    folder: Path | None,
) -> None:
    """Prepare, measure, print; 1 if anything failed."""
    with tempfile.TemporaryDirectory() as scratch:
        store = Store((folder or Path(scratch)) / "cache")
        link = trained(store, demo_shop(users, SEED, folder or Path(scratch)), Preset(preset))
        with running(store.root, Path(scratch) / "server") as server:
            measured = asyncio.run(drive(server, link, Load(sessions, minutes * 60, pause, seed)))
    print(f"{waits(measured)}\n\n{summary(measured, minutes * 60)}")
    for failure in measured.failures:
        print(f"- {failure.kind} after {failure.seconds:.1f} s: {failure.failure[:300]}")
    sys.exit(1 if measured.failures else 0)


def trained(store: Store, csv: Path, preset: Preset) -> dict[str, str]:
    """Train as the app's own button does, unless the store has it; query parameters that open the model."""
    dataset = pipeline.preprocess(store, [csv], IngestSettings(), silent)
    settings = TrainSettings.preset(preset)
    request = tasks.TrainRequest(dataset=dataset.key, label=LabelSettings(), settings=settings)
    made = tasks.train(store, request, silent)
    return {"data": made["dataset"], "model": made["model"]}


def waits(measured: Measured) -> str:
    """How long people waited, by kind of interaction, as a Markdown table."""
    found = pd.DataFrame(map(asdict, measured.interactions))
    both = pd.concat([found.assign(kind="all"), found])
    seconds = both.groupby("kind", sort=False)["seconds"]
    table = seconds.describe(percentiles=[0.5, 0.95])[["count", "50%", "95%", "max"]]
    rows = [
        (kind, f"{n:.0f}", *(f"{cell:.2f} s" for cell in cells)) for kind, n, *cells in table.itertuples()
    ]
    return markdown(["interaction", "n", "p50", "p95", "max"], rows)


def summary(measured: Measured, seconds: float) -> str:
    """Sentence on failures, and what a load of so many seconds cost the server."""
    n, memory = max(1, len(measured.interactions)), measured.memory_mb
    quarters = " → ".join(f"{memory[(len(memory) - 1) * part // 4]:.0f}" for part in range(5))
    return (
        f"{len(measured.failures)} failures of {len(measured.interactions)} interactions, "
        f"{measured.polls} polls; server CPU {measured.cpu_s:.0f} s, {1000 * measured.cpu_s / n:.0f} ms an "
        f"interaction, {measured.cpu_s / seconds:.2f} cores; memory {quarters} MB"
    )


if __name__ == "__main__":
    main()

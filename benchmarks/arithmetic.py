"""What ``torch.compile`` and bfloat16 bring: CPU time of training steps and of embedding all users.

    python -m benchmarks.arithmetic [--users N] [--epochs N]

Each way runs in a process of its own, on the URL view of the same demo shop. A compiler compiles while the
first steps are done, so the second half of the steps is told apart; so is a second embedding of everybody.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from statistics import mean
from unittest import mock

import torch

from benchmarks.measure import measure
from benchmarks.quality.case import open_case
from benchmarks.quality.sets import DEMO_SEED, SetSpec, demo_shop, prepare
from core.base.schema import View
from core.base.settings import Preset, TrainSettings
from core.base.workers import workers
from core.model import embedding, steps, training
from core.model.model_files import load_model
from core.model.network import UserBehaviorTransformer
from core.model.view_streams import view_streams

WAYS = {"neither": (False, False), "bfloat16": (False, True), "compiled": (True, False), "both": (True, True)}
"""Name → whether it is compiled, and whether it is in bfloat16."""


def measured(spec: SetSpec, epochs: int, compiled: bool, short: bool) -> dict[str, float]:
    """CPU milliseconds of a step, and CPU seconds of the rest; runs in a child process."""
    case, spent = open_case(spec), [time.process_time()]
    names = {View.URL: case.urls}
    new_network = training.new_network

    def built(*args: object) -> UserBehaviorTransformer:
        return _compiled(new_network(*args)) if compiled else new_network(*args)  # type: ignore[arg-type]

    def tell(stage: str, share: float, message: str, **figures: object) -> None:
        spent.append(time.process_time())

    with ExitStack() as stack, tempfile.TemporaryDirectory() as folder:
        stack.enter_context(mock.patch.object(training, "new_network", built))
        for module in (steps, embedding):
            stack.enter_context(mock.patch.object(module, "fast_arithmetic", _autocast(short)))
        settings = TrainSettings.preset(Preset.BALANCED, epochs=epochs)
        report = training.train(case.sequences, names, settings, Path(folder) / "model", tell)
        model = load_model(Path(folder) / "model")
        network = _compiled(model.network) if compiled else model.network
        stream = view_streams(case.sequences, names, model.vocabularies)[View.URL]
        passes = []
        for _ in range(2):
            began = time.process_time()
            with workers(torch.device("cpu")) as threads:
                embedding.embed_spans(network, View.URL, stream, case.users, threads)
            passes.append(time.process_time() - began)
    took = [after - before for before, after in pairwise(spent)]
    half = len(took) // 2
    return {
        "training, CPU s": spent[-1] - spent[0],
        "a later step, CPU ms": 1000 * mean(took[half:]),
        "embedding, CPU s": passes[0],
        "embedding again, CPU s": passes[1],
        "validation MRR": report.valid_mrr or 0.0,
    }


def _compiled(network: UserBehaviorTransformer) -> UserBehaviorTransformer:
    for view in network.views:
        network.encoder(view).compile(dynamic=True)
    return network


def _autocast(short: bool):  # noqa: ANN202 - stands in for fast_arithmetic
    return lambda device: torch.autocast(device.type, dtype=torch.bfloat16, enabled=short)


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--users", type=int, default=20_000)
    parser.add_argument("--epochs", type=int, default=4)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        csv, truth = measure(demo_shop, args.users, DEMO_SEED, Path(folder)).value
        spec = measure(prepare, "shop", csv, truth, Path(folder)).value
        rows = {way: measure(measured, spec, args.epochs, *how).value for way, how in WAYS.items()}
    columns = list(rows["neither"])
    print(f"| {args.users:,} users, {args.epochs} epochs | {' | '.join(columns)} |")
    print("|---" * (len(columns) + 1) + "|")
    for way, row in rows.items():
        print(f"| {way} | {' | '.join(f'{row[name]:.4g}' for name in columns)} |")


if __name__ == "__main__":
    main()

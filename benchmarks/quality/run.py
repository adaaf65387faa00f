"""Run every method on one set with every seed, each in a process of its own, and judge it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import mean
from typing import Any

from benchmarks.measure import measure
from benchmarks.quality.judge import judge, simple_next_page, stability
from benchmarks.quality.ledger import Ledger
from benchmarks.quality.methods import COLES, HAND_VIEWS, METHODS, OURS, available, folder_of, make
from benchmarks.quality.report import SetResult
from benchmarks.quality.sets import SetSpec
from benchmarks.quality.views import judge_views


def run_set(spec: SetSpec, seeds: Sequence[int], methods: Sequence[str], peer: str | None) -> SetResult:
    """All of one set; what ``results.json`` in its folder already knows is not done again."""
    ledger = Ledger(Path(spec.work) / "results.json")
    result = SetResult(spec.name, ledger.once("about", partial(apart, simple_next_page, spec)))
    reasons = available(spec, peer)
    for method in methods:
        if reasons[method]:
            result.skipped[method] = reasons[method]
            continue
        try:
            _run_method(spec, method, seeds, peer, ledger, result)
        except RuntimeError as error:
            if method != COLES:
                raise
            result.skipped[method] = f"the other Python failed ({error})"
    _views(spec, seeds, ledger, result)
    return result


def _run_method(
    spec: SetSpec, method: str, seeds: Sequence[int], peer: str | None, ledger: Ledger, result: SetResult
) -> None:
    folders = [str(folder_of(spec, method, seed)) for seed in seeds]
    costs, figures = [], []
    for seed, folder in zip(seeds, folders, strict=True):
        say(f"{spec.name}: {method}, seed {seed}")
        about = f"{method}, seed {seed}"
        costs.append(ledger.once(f"{about}: cost", partial(_made, spec, method, seed, peer)))
        figures.append(ledger.once(f"{about}: figures", partial(apart, judge, spec, folder, seed)))
    result.costs[method], result.figures[method] = by_name(costs), by_name(figures)
    if len(folders) > 1:
        found = ledger.once(f"{method}, seeds {list(seeds)}: stability", partial(apart, stability, folders))
        result.figures[method]["stability"] = found


def _made(spec: SetSpec, method: str, seed: int, peer: str | None) -> dict[str, float]:
    step = measure(make, spec, method, seed, peer)
    figures: dict[str, float] = step.value
    return figures | {"peak_mb": step.peak_mb}


def by_name(rows: Sequence[dict[str, float]]) -> dict[str, list[float]]:
    """Name → a value of each row that has it."""
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [row[name] for row in rows if name in row] for name in names}


def _views(spec: SetSpec, seeds: Sequence[int], ledger: Ledger, result: SetResult) -> None:
    """The views of every seed, mean; of the variant with the truth's labels where there is such."""
    labelled = [method for method, source in OURS.items() if source and method in result.figures]
    if not labelled:
        return
    method, rows = labelled[0], []
    for seed in seeds:
        say(f"{spec.name}: views of {method}, seed {seed}")
        ours, hand = (str(folder_of(spec, name, seed)) for name in (method, HAND_VIEWS))
        beside = hand if HAND_VIEWS in result.figures else None
        judged = partial(apart, judge_views, spec, ours, beside, OURS[method])
        rows.append(ledger.once(f"{method}, seed {seed}: views", judged))
    for setting in rows[0]:
        every = by_name([row[setting] for row in rows])
        result.views[setting] = {name: mean(values) for name, values in every.items()}


def apart(function: Callable[..., Any], *args: object) -> Any:  # noqa: ANN401 - whatever it returns
    """What a function returns in a process of its own."""
    return measure(function, *args).value


def say(text: str) -> None:
    """Where it is, on stderr."""
    print(text, file=sys.stderr, flush=True)


def chosen(names: str | None) -> tuple[str, ...]:
    """Methods by comma-separated parts of their names; all without any."""
    if not names:
        return METHODS
    parts = [part.strip().casefold() for part in names.split(",")]
    return tuple(method for method in METHODS if any(part in method.casefold() for part in parts))


def name_of(path: Path) -> str:
    """A file's name without its endings."""
    return path.name.split(".")[0]

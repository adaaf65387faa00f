"""Run every method on one set with every seed, each in a process of its own, and judge it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.measure import measure
from benchmarks.quality.judge import judge, simple_next_page
from benchmarks.quality.methods import COLES, HAND_VIEWS, METHODS, ORIGINAL, OURS, Made, available, make
from benchmarks.quality.report import SetResult
from benchmarks.quality.sets import SetSpec
from benchmarks.quality.views import judge_views

ONE_SEED = (ORIGINAL, COLES)
"""Too slow for several, and far from our own figures."""


def run_set(spec: SetSpec, seeds: Sequence[int], methods: Sequence[str], peer: str | None) -> SetResult:
    """All of one set."""
    say(f"{spec.name}: what a table knows")
    result = SetResult(spec.name, measure(simple_next_page, spec).value)
    folders: dict[str, list[str]] = {}
    reasons = available(spec, peer)
    for method in methods:
        if reasons[method]:
            result.skipped[method] = reasons[method]
            continue
        try:
            folders[method] = _train(spec, method, seeds[:1] if method in ONE_SEED else seeds, peer, result)
        except RuntimeError as error:
            if method != COLES:
                raise
            result.skipped[method] = f"the other Python failed ({error})"
            continue
        say(f"{spec.name}: judging {method}")
        result.figures[method] = measure(judge, spec, folders[method], seeds[: len(folders[method])]).value
    _views(spec, folders, result)
    return result


def _train(
    spec: SetSpec, method: str, seeds: Sequence[int], peer: str | None, result: SetResult
) -> list[str]:
    folders = []
    costs = result.costs.setdefault(method, {})
    for seed in seeds:
        say(f"{spec.name}: {method}, seed {seed}")
        step = measure(make, spec, method, seed, peer)
        made: Made = step.value
        folders.append(made.path)
        for name, value in (made.figures | {"peak_mb": step.peak_mb}).items():
            costs.setdefault(name, []).append(value)
    return folders


def _views(spec: SetSpec, folders: dict[str, list[str]], result: SetResult) -> None:
    """The views of the first seed, with the truth's labels where there are such."""
    for method, source in OURS.items():
        if source and method in folders:
            say(f"{spec.name}: views of {method}")
            hand = folders.get(HAND_VIEWS, [None])[0]
            result.views = measure(judge_views, spec, folders[method][0], hand, source).value
            return


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

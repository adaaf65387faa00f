"""The run as Markdown: what was run on what, every method, every goal, the views."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from statistics import mean
from typing import Any

from benchmarks.quality.goals import GOALS, VIEWS, Means, reached, view_figures
from benchmarks.quality.methods import METHODS, OURS

COLUMNS = {
    "MRR random": "MRR random cut",
    "MRR cross-session": "MRR cross-session",
    "ARI": "ARI",
    "AMI": "AMI",
    "order twin": "order twin",
    "tempo twin": "tempo twin",
    "length R2": "R² log-length",
    "stability": "stability",
    "K-Means noise": "same vectors, other K-Means seed",
    "next alone": "next page, vector alone",
    "next": "next page, with bigram",
    "next + history": "next page, with bigram and history",
}
COSTS = {
    "train_cpu": ("train CPU-s", "{:.1f}"),
    "train_users_per_s": ("train users/s", "{:,.0f}"),
    "embed_users_per_s": ("embed users/s", "{:,.0f}"),
    "embed_cpu_rate": ("embed users/CPU-s", "{:,.0f}"),
    "stock_users_per_s": ("embed users/s, stock loop", "{:,.0f}"),
    "epochs": ("epochs", "{:.0f}"),
    "peak_mb": ("peak MB", "{:,.0f}"),
}
VIEW_COLUMNS = (
    "MRR random", "MRR cross-session", "ARI", "order twin", "tempo twin", "AMI theme", "pure", "share",
    "moved", "hand MRR random", "hand ARI",
)  # fmt: skip


@dataclass
class SetResult:
    """All figures of one set.

    Args:
        name: Of the set.
        about: Sizes, and next page by tables alone.
        figures: Method → figure → a value for each seed.
        costs: Method → cost → a value for each seed.
        skipped: Method → why it was not run.
        views: Setting of the weights → figure → value; empty without labels.
    """

    name: str
    about: dict[str, float]
    figures: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    costs: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    views: dict[str, dict[str, float]] = field(default_factory=dict)

    def means(self) -> dict[str, dict[str, float]]:
        """Mean of every figure and cost of every method; tables alone count as methods."""
        made = {
            method: {
                name: mean(values) for name, values in (ones | self.costs.get(method, {})).items() if values
            }
            for method, ones in self.figures.items()
        }
        made["bigram"] = {"next": self.about["bigram"]}
        made["bigram + history"] = dict.fromkeys(("next", "next + history"), self.about["bigram + history"])
        return made | {VIEWS: view_figures(self.views)}


def heading(seeds: int) -> str:
    """Machine, versions, date, commit."""
    return (
        f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.machine()}; "
        f"{date.today():%Y-%m-%d}; commit {commit()}; {seeds} training seeds, mean (range)"
    )


def commit() -> str:
    """Short hash, with a plus where files are changed."""
    try:
        found = subprocess.run(
            ["git", "describe", "--always", "--dirty=+"], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return found.stdout.strip()


def markdown(result: SetResult) -> str:
    """One set."""
    parts = [f"## {result.name}", about(result), quality(result), costs(result)]
    parts += [f"{name}: not run, {reason}." for name, reason in result.skipped.items()]
    parts += [goals(result.means(), method) for method in OURS if method in result.figures]
    parts += [views(result.views)] if result.views else []
    return "\n\n".join(part for part in parts if part)


def about(result: SetResult) -> str:
    """Sizes, in words."""
    one = result.about
    cuts = "; ".join(
        f"{name} cut: {one[f'{name} queries']:,.0f} held-out users, "
        f"each sought among {one[f'{name} candidates']:,.0f}"
        for name in ("random", "cross-session")
        if f"{name} queries" in one
    )
    return (
        f"{one['users']:,.0f} users, {one['page views']:,.0f} page views, {one['pages']:,.0f} pages; "
        f"{one['judged']:,.0f} users clustered (K = {one['K']:.0f}), {one['judged held out']:,.0f} of them "
        f"held out. {cuts}. Next page hit@10: popularity {one['popularity']:.3f}, "
        f"bigram {one['bigram']:.3f}, bigram + own history {one['bigram + history']:.3f}."
    )


def quality(result: SetResult) -> str:
    """Methods by figures."""
    shown = [name for name in COLUMNS if any(name in ones for ones in result.figures.values())]
    rows = [
        [method, *(cell(result.figures[method].get(name, [])) for name in shown)]
        for method in METHODS
        if method in result.figures
    ]
    return table(["method", *(COLUMNS[name] for name in shown)], rows)


def costs(result: SetResult) -> str:
    """Methods by costs."""
    rows = [
        [method, *(plain(result.costs[method].get(name, []), style) for name, (_, style) in COSTS.items())]
        for method in METHODS
        if method in result.costs
    ]
    return table(["method", *(title for title, _ in COSTS.values())], rows)


def goals(means: Means, method: str) -> str:
    """Goals and what one of our variants reached; those of the views where they were judged."""
    rows = []
    for goal in GOALS:
        found = reached(goal, means, goal.method or method)
        if found is not None:
            sign, value = ("≤" if goal.at_most else "≥"), found[0]
            wished = "–" if goal.stretch is None else f"{sign} {goal.stretch:,}"
            rows.append([goal.text, f"{sign} {goal.firm:,}", wished, f"{value:,.3g}", found[1]])
    return table([f"goal, {method}", "firm", "stretch", "measured", "reached"], rows)


def views(rows: Mapping[str, Mapping[str, float]]) -> str:
    """Settings of the weights by figures."""
    shown = [name for name in VIEW_COLUMNS if any(name in one for one in rows.values())]
    body = [[name, *(cell([one[key]] if key in one else []) for key in shown)] for name, one in rows.items()]
    note = (
        "moved: users in another segment than at the default weights; in the row of the default, than with "
        "another K-Means seed. share: what the view contributes to the default mix."
    )
    return f"{table(['weights', *shown], body)}\n\n{note}"


def cell(values: Sequence[float]) -> str:
    """Mean, and the range where there are several."""
    if not values:
        return "–"
    shown = f"{mean(values):.3f}"
    return shown if len(values) == 1 else f"{shown} ({min(values):.3f}–{max(values):.3f})"


def plain(values: Sequence[float], style: str) -> str:
    """Mean alone."""
    return style.format(mean(values)) if values else "–"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; nothing where there are no rows."""
    if not rows:
        return ""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def as_json(results: Sequence[SetResult]) -> list[dict[str, Any]]:
    """Plain data."""
    return [asdict(result) for result in results]

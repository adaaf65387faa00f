"""Print how often a later export raises the alarm: without any change, and with some users changed.

    python -m benchmarks.drift [--exports N] [--users N] [--segments K] [--changed SHARE] [--kind KIND]

Users of four kinds (``benchmarks.evidence``), each at home in a part of the site. Each pair of exports is
drawn anew, a bag of pages learns from the first one alone, and its users are cut into K segments. Then the
later one is placed: as it is, and with the page views of some users replaced by those of another kind.
``--kind new`` replaces them by pages in an order of popularity that no kind has, ``known`` by those of the
first kind.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import click
import numpy as np

from benchmarks.evidence import KINDS, PAGES_A_KIND, planted
from benchmarks.tables import markdown
from core.base.settings import ClusterSettings
from core.data.sequences import UserSequences
from core.model.bag import BagOfPages
from core.model.inputs import latest_views
from core.periods.drift import ALPHA, drift
from core.periods.placed_users import PlacedUsers, seen_pages
from core.periods.training_period import TrainingPeriod
from core.profiles.wilson import wilson
from core.segments.clustering import assign, fit

MIN_COUNT: Final = 3
LONGEST: Final = 64


def pair(users: int, seed: int) -> tuple[UserSequences, UserSequences]:
    """The users of one draw in two random halves."""
    both = planted(2 * users, seed)
    order = np.random.default_rng([seed, 1]).permutation(2 * users)  # not the draw that made them
    first, second = (both.of_users(np.sort(part)) for part in np.split(order, 2))
    return first, second


def changed(later: UserSequences, share: float, kind: str, seed: int) -> UserSequences:
    """The same with the page views of some users replaced by another behaviour."""
    rng = np.random.default_rng([seed, 2])
    chosen = rng.permutation(later.n_users) < share * later.n_users
    views = chosen[later.user]
    rank = np.minimum(rng.geometric(0.25, len(views)) - 1, PAGES_A_KIND - 1)
    own = rank if kind == "known" else (rank % KINDS) * PAGES_A_KIND + PAGES_A_KIND - 1 - rank
    return replace(later, page=np.where(views, own, later.page).astype(np.int32))


def alarms(
    before: UserSequences, later: Sequence[UserSequences], seed: int, permutations: int, k: int = KINDS
) -> list[float]:
    """The p of each later export, on a model of the earlier one and its k segments."""
    names = [f"page {number}" for number in range(KINDS * PAGES_A_KIND)]
    runs = latest_views(before, LONGEST)
    model = BagOfPages.fit(before.page, len(names), runs)
    views = np.bincount(before.page, minlength=len(names))
    known = {name for name, n in zip(names, views.tolist(), strict=True) if n >= MIN_COUNT}
    vectors = model.embed(before.page, runs)
    partition = fit(vectors, np.ones(len(runs), dtype=bool), ClusterSettings(n_clusters=k))
    found = []
    for export in later:
        placed = model.embed(export.page, latest_views(export, LONGEST))
        pages = seen_pages([(before, names), (export, names)], known)
        first = PlacedUsers.of(before.user_id, vectors, partition.labels, partition, pages[0], MIN_COUNT)
        second = PlacedUsers.of(export.user_id, placed, assign(placed, partition), partition, pages[1])
        found.append(drift(TrainingPeriod.of(first, k, seed), second, seed, permutations).p_value)
    return found


@click.command(help=__doc__)
@click.option("--exports", type=int, default=100, show_default=True, help="Pairs of exports.")
@click.option("--users", type=int, default=5000, show_default=True, help="Of each export.")
@click.option("--segments", "k", type=int, default=KINDS, show_default=True)
@click.option("--changed", "share", type=float, default=0.05, show_default=True)
@click.option("--kind", type=click.Choice(["known", "new"]), default="known", show_default=True)
@click.option("--first", type=int, default=0, show_default=True, help="Seed of the first pair.")
def main(exports: int, users: int, k: int, share: float, kind: str, first: int) -> None:
    """Print a table."""
    began, found = time.monotonic(), []
    for seed in range(first, first + exports):
        before, later = pair(users, seed)
        both = later, changed(later, share, kind, seed)
        found.append(alarms(before, both, seed, 199, k))
    rows = []
    for name, p in zip(("no change", f"{share:.0%} of the users changed"), np.array(found).T, strict=True):
        raised = (p <= ALPHA).sum()
        low, high = wilson(raised, np.array(exports))
        rows.append([name, str(raised), str(exports), f"{low:.3f} to {high:.3f}", f"{np.median(p):.3f}"])
    click.echo(markdown(["later export", "alarms", "of", "rate, 95 %", "median p"], rows))
    click.echo(f"{users:,} users an export, {k} segments, {kind} behaviour, {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()

"""Print how often a later export raises the alarm: without any change, and with some users changed.

    python -m benchmarks.drift [--exports N] [--users N] [--changed SHARE] [--kind KIND]

Users of four kinds (``benchmarks.evidence``), each at home in a part of the site. Each pair of exports is
drawn anew, a bag of pages learns from the first one alone, and its users are cut into four segments. Then the
later one is placed: as it is, and with the page views of some users replaced by those of another kind.
``--kind new`` replaces them by pages in an order of popularity that no kind has, ``known`` by those of the
first kind.
"""

from __future__ import annotations

import time
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
from core.periods.drift import drift
from core.periods.placed_users import PlacedUsers, seen_pages
from core.profiles.wilson import wilson
from core.segments.clustering import assign, fit

MIN_COUNT: Final = 3
LONGEST: Final = 64


def pair(users: int, seed: int) -> tuple[UserSequences, UserSequences]:
    """The users of one draw in two random halves."""
    both = planted(2 * users, seed)
    order = np.random.default_rng(seed).permutation(2 * users)
    first, second = (both.of_users(np.sort(part)) for part in np.split(order, 2))
    return first, second


def changed(later: UserSequences, share: float, kind: str, seed: int) -> UserSequences:
    """The same with the page views of some users replaced by another behaviour."""
    rng = np.random.default_rng(seed)
    chosen = rng.permutation(later.n_users) < share * later.n_users
    views = chosen[later.user]
    rank = np.minimum(rng.geometric(0.25, len(views)) - 1, PAGES_A_KIND - 1)
    own = rank if kind == "known" else (rank % KINDS) * PAGES_A_KIND + PAGES_A_KIND - 1 - rank
    return replace(later, page=np.where(views, own, later.page).astype(np.int32))


def alarm(before: UserSequences, later: UserSequences, seed: int) -> float:
    """P of the later export on a model of the earlier one."""
    names = [f"page {number}" for number in range(KINDS * PAGES_A_KIND)]
    runs = latest_views(before, LONGEST)
    model = BagOfPages.fit(before.page, len(names), runs)
    views = np.bincount(before.page, minlength=len(names))
    known = {name for name, n in zip(names, views.tolist(), strict=True) if n >= MIN_COUNT}
    vectors = model.embed(before.page, runs)
    partition = fit(vectors, np.ones(len(runs), dtype=bool), ClusterSettings(n_clusters=KINDS))
    placed = model.embed(later.page, latest_views(later, LONGEST))
    pages = seen_pages([(before, names), (later, names)], known)
    first = PlacedUsers.of(before.user_id, vectors, partition.labels, partition, pages[0], MIN_COUNT)
    second = PlacedUsers.of(later.user_id, placed, assign(placed, partition), partition, pages[1])
    return drift(first, second, KINDS, seed).p_value


@click.command(help=__doc__)
@click.option("--exports", type=int, default=100, show_default=True, help="Pairs of exports.")
@click.option("--users", type=int, default=3000, show_default=True, help="Of each export.")
@click.option("--changed", "share", type=float, default=0.05, show_default=True)
@click.option("--kind", type=click.Choice(["known", "new"]), default="known", show_default=True)
def main(exports: int, users: int, share: float, kind: str) -> None:
    """Print a table."""
    began, p = time.monotonic(), {"no change": [], f"{share:.0%} of the users changed": []}
    for seed in range(exports):
        before, later = pair(users, seed)
        for name, export in zip(p, (later, changed(later, share, kind, seed)), strict=True):
            p[name].append(alarm(before, export, seed))
    rows = []
    for name, found in p.items():
        alarms = int((np.array(found) <= 0.05).sum())
        low, high = wilson(np.array(alarms), np.array(exports))
        rows.append([name, str(alarms), str(exports), f"{low:.3f} to {high:.3f}", f"{np.median(found):.3f}"])
    click.echo(markdown(["later export", "alarms", "of", "rate, 95 %", "median p"], rows))
    click.echo(f"{users:,} users an export, {kind} behaviour, {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()

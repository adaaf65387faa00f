"""Print how often the search for levels is right on made-up users, whose kinds are known or who have none.

    python -m benchmarks.levels [LINE]... [--users N] [--first SEED] [--seeds N]

A row a line: the numbers that were suggested (in brackets: by which users are only described), how often they
are within one of the truth, and the adjusted Rand index with the truth of so many groups, beside that of the
best number. Groups are those of the fitted kinds, so nothing is trained. Without kinds, right is that
none are claimed; an aspect that claims kinds by itself is named.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import click
import numpy as np
import pyarrow as pa
from sklearn.metrics import adjusted_rand_score

from benchmarks.tables import markdown
from core.segments.level_search import measure_levels
from core.segments.levels import AspectStructure, SegmentLevels
from core.segments.user_priors import TokenCounts, kinds
from core.segments.visit_tokens import Aspect, half_counts
from core.storage.sequences import UserSequences

STAYS: Final = 0.3
"""Chance that the next page view is of the same part of the site, whatever a user likes."""
BURSTINESS: Final = 0.02
MAX_GROUPS: Final = 16


@dataclass(frozen=True)
class Line:
    """How the users of a row of the table (a line) are made.

    Args:
        truth: Numbers of kinds that are right, the finest last; empty where there are none.
        zipf: Whether the n-th kind is 1 / n as large as the first.
        parts: Parts of the site, a few to a folder; a fifth of the pages lie at the root.
        pages: Pages of a part.
        contrast: How much the interests of kinds differ: standard deviation of their logarithms.
        variety: How much the interests of the users of a kind differ, likewise.
        by: What tells kinds; None for what they are interested in.
        null: How users without kinds are made: ``shuffled``, ``crowd``, ``continuum`` or ``mixtures``.
    """

    truth: tuple[int, ...] = ()
    zipf: bool = False
    parts: int = 12
    pages: int = 8
    contrast: float = 2.0
    variety: float = 0.2
    by: Aspect | None = None
    null: str = ""


LINES: Final = {
    "3 kinds": Line((3,)), "3 kinds, Zipf": Line((3,), zipf=True),
    "5 kinds": Line((5,)), "5 kinds, Zipf": Line((5,), zipf=True),
    "9 kinds": Line((9,)), "9 kinds, Zipf": Line((9,), zipf=True),
    "3 × 3 kinds": Line((3, 9)),
    "24 pages, 3 kinds": Line((3,), parts=4, pages=6), "30 pages, 4 kinds": Line((4,), parts=5, pages=6),
    "4 kinds of variety": Line((4,), variety=0.8), "7 kinds of variety": Line((7,), variety=0.8),
    "3 by order": Line((3,), by=Aspect.ORDER), "3 by tempo": Line((3,), by=Aspect.TEMPO),
    "3 by activity": Line((3,), by=Aspect.ACTIVITY),
    "shuffled": Line(null="shuffled"), "crowd": Line(null="crowd"),
    "continuum": Line(null="continuum"), "mixtures": Line(null="mixtures"),
    "11 kinds": Line((11,)), "15 kinds": Line((15,)),
    "11 kinds, Zipf": Line((11,), zipf=True), "15 kinds, Zipf": Line((15,), zipf=True),
    "3 by returns": Line((3,), by=Aspect.RETURNS),
}  # fmt: skip


@dataclass(frozen=True)
class Site:
    """Made-up users, the address of each page, and the kind of each user."""

    sequences: UserSequences
    urls: list[str]
    kind: np.ndarray


def made(line: Line, users: int, seed: int) -> Site:
    """Draw so many users of a line, with two to six visits each."""
    rng = np.random.default_rng(seed)
    n_kinds = line.truth[-1] if line.truth else 5
    share = 1 / np.arange(1, n_kinds + 1) if line.zipf else np.ones(n_kinds)
    kind = rng.choice(n_kinds, users, p=share / share.sum())
    taste = _tastes(line, kind, rng)
    visits, length = rng.integers(2, 7, users), rng.uniform(2, 7, users)
    if line.by is Aspect.ACTIVITY:
        visits, length = np.array([2, 4, 9])[kind], np.array([9, 3, 5])[kind]
    gap = np.array([6.0, 30.0, 150.0])[kind] if line.by is Aspect.TEMPO else np.full(users, 25.0)
    popular = 1 / np.arange(1, line.pages + 1)
    pages, times, sessions = [], [], []
    for user in range(users):
        sizes = np.maximum(2, rng.poisson(length[user], visits[user]))
        part = rng.choice(line.parts, sizes.sum(), p=taste[user])
        for at in np.flatnonzero(rng.random(len(part)) < STAYS):
            part[at] = part[at - 1] if at else part[at]
        session = np.repeat(np.arange(len(sizes)), sizes)
        if line.by is Aspect.ORDER and kind[user]:  # one way, or the other; the third kind in none
            jitter = part + rng.normal(0, 1.5, len(part))
            part = part[np.lexsort(((-1 if kind[user] == 1 else 1) * jitter, session))]
        pages.append(part * line.pages + rng.choice(line.pages, len(part), p=popular / popular.sum()))
        seconds, days = gap[user] * rng.lognormal(0, 0.7, len(part)), rng.gamma(3)
        if line.by is Aspect.RETURNS:
            days = np.array([1.0, 7.0, 30.0])[kind[user]] * rng.lognormal(0, 0.5, len(part))
        seconds += 86_400 * days * (np.diff(session, prepend=0) > 0)
        times.append((1e6 * np.cumsum(seconds)).astype(np.int64))
        sessions.append(session)
    page = np.concatenate(pages)
    page = rng.permutation(page) if line.null == "shuffled" else page
    offsets = np.concatenate([[0], np.cumsum([len(some) for some in pages])])
    ids = pa.array([f"u{user:06d}" for user in range(users)])
    return Site(
        UserSequences(
            ids, offsets, page.astype(np.int32), np.concatenate(times),
            np.concatenate(sessions).astype(np.int32),
        ),
        _addresses(line, rng), kind,
    )  # fmt: skip


def _tastes(line: Line, kind: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Chance of each part of the site for each user: float64 of shape (n_users, parts)."""
    users, parts = len(kind), line.parts
    base = rng.normal(0, 0.5, parts)
    if line.null == "mixtures":
        poles = rng.dirichlet(np.full(parts, 0.4), 4)
        return rng.dirichlet(np.full(4, 0.5), users) @ poles
    if line.null == "continuum":
        log = base + rng.normal(size=(users, 1)) * rng.normal(0, line.contrast, parts)
    elif line.null == "crowd" or line.by:
        log = np.tile(base, (users, 1))
    else:
        tilt = line.contrast * rng.normal(size=(kind.max() + 1, parts))
        if len(line.truth) > 1:  # kinds of kinds
            coarse = 1.5 * line.contrast * rng.normal(size=(line.truth[0], parts))
            tilt = coarse[np.arange(len(tilt)) // line.truth[0]] + 0.7 * tilt
        log = base + tilt[kind] + line.variety * rng.normal(size=(users, parts))
    chance: np.ndarray = np.exp(log)
    return chance / chance.sum(axis=1, keepdims=True)


def _addresses(line: Line, rng: np.random.Generator) -> list[str]:
    """Address of each page; folders are two deep, and some pages lie at the root."""
    section = np.sort(rng.integers(0, max(2, line.parts * 2 // 5), line.parts))
    places = [f"{section[part]}/{part}/" for part in range(line.parts) for _ in range(line.pages)]
    at_root = rng.random(len(places)) < 0.2
    return [
        f"https://site.example/{'' if root else place}{page}"
        for page, (place, root) in enumerate(zip(places, at_root, strict=True))
    ]


def judged(line: Line, levels: SegmentLevels, site: Site) -> tuple[str, bool, float, float]:
    """Judge the numbers of segments that were found on a site.

    Returns:
        The numbers in words, whether they are right, and the adjusted Rand index with the truth at the number
        found and at the best one; NaN without kinds.
    """
    if line.by in (Aspect.ACTIVITY, Aspect.RETURNS):  # which are no part of the whole
        one = levels.aspects.get(line.by, AspectStructure(verdict=levels.verdict))
        return str(one.k or f"({one.verdict})"), one.k is not None and abs(one.k - 3) <= 1, np.nan, np.nan
    offered = [level.k for level in levels.levels]
    found = " and ".join(map(str, offered)) or f"({levels.described_k})"
    if not line.truth:
        claims = [str(aspect) for aspect, one in levels.aspects.items() if one.k]
        return ", ".join([found, *claims]), not offered, np.nan, np.nan
    right = all(any(abs(k - truth) <= 1 for k in offered) for truth in line.truth)
    counts, _ = half_counts(site.sequences, site.urls, {})
    tokens = TokenCounts(counts.both, counts.context, BURSTINESS)
    index = {
        k: adjusted_rand_score(site.kind, tokens.posterior(prior).argmax(axis=1))
        for k, prior in kinds(tokens, MAX_GROUPS).items()
    }
    return found, right, index[min(levels.described_k, max(index))], max(index.values())


@click.command(help=__doc__)
@click.argument("names", nargs=-1, type=click.Choice(list(LINES)), metavar="[LINE]...")
@click.option("--users", default=1200, show_default=True)
@click.option("--first", default=0, show_default=True, help="First seed.")
@click.option("--seeds", default=2, show_default=True)
def main(names: Sequence[str], users: int, first: int, seeds: int) -> None:
    """Print the table, a row as soon as it is known."""
    print(markdown(["line", "found", "right", "ARI there", "ARI of the best K", "CPU s"], []), flush=True)
    for name in names or LINES:
        line, began = LINES[name], time.process_time()
        rows = []
        for seed in range(first, first + seeds):
            site = made(line, users, 1000 * list(LINES).index(name) + seed)
            levels = measure_levels(site.sequences, np.arange(users), site.urls, {})
            rows.append(judged(line, levels, site))
        found, right, there, best = zip(*rows, strict=True)
        figures = [" · ".join(f"{one:.2f}" for one in column) for column in (there, best)]
        spent = f"{(time.process_time() - began) / seeds:.0f}"
        row = [name, " · ".join(found), f"{sum(right)}/{seeds}", *figures, spent]
        print(markdown(row, []).splitlines()[0], flush=True)


if __name__ == "__main__":
    main()

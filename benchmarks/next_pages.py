"""Print how often the next page is among ten suggestions, beside what follows the last page with the history.

    python -m benchmarks.next_pages [--users N] [--site NAME]... [--real] [--preset NAME] [--seed N]...
        --work DIR

Users held out from the training are split in two halves: weights are fitted on one, and each view after the
first half of what the users of the other did (at most four a user) is to be told from what came before it, by
vectors embedded from that alone; then the other way round. The plain way is counted here on its own, from
every page, and the weight of the user's own pages in it is chosen on the same users as the blend's, by hit
rate. Each user counts the same; intervals are 95 % (bootstrap over users, paired).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import Final

import click
import numpy as np
import pandas as pd

from benchmarks.sets import DEMO_SEED, REAL, demo_shop
from benchmarks.sites.write import write_site
from benchmarks.tables import markdown
from core.base.progress import silent
from core.base.schema import Group, View
from core.base.settings import Device, IngestSettings, Preset, TrainSettings, ViewWeights
from core.labels.label_settings import LabelSettings
from core.model.embedding import embed
from core.people.next_page_candidates import Reach
from core.people.next_page_learning import LearnedFrom, NextMoments, choose_moments, learn
from core.people.next_page_tables import functional_pages
from core.runs import pipeline
from core.segments.combination import FrozenMix
from core.storage.dataset import in_group
from core.storage.page_labels import page_names
from core.storage.store import Store

DESKDROP: Final = REAL[0].parent / "deskdrop_2016.csv.gz"
TOP, MOST_USERS, RESAMPLES = 10, 3_000, 2_000
HISTORY: Final = (0.0, 0.03, 0.1, 0.3, 1.0, 3.0)
"""Weights of the user's own pages beside the bigrams that are tried."""
BELOW: Final = 1e-3
"""Weight of popularity, which decides where the bigrams say nothing."""
WAYS: Final = ("bigram", "bigram + history", "blend")


def opened(store: Store, csv: Path, preset: Preset, seed: int) -> LearnedFrom:
    """Prepare an export and train on it with a seed, as the app does."""
    dataset = pipeline.preprocess(store, [csv], IngestSettings(), silent)
    labels = pipeline.label(store, dataset, LabelSettings(), silent)
    model = pipeline.train(store, dataset, labels, TrainSettings.preset(preset, seed=seed), silent)
    made = pipeline.embed(store, dataset, labels, model, silent)
    combined, names = pipeline.combine(made, ViewWeights()), page_names(dataset.pages, labels)
    mix = FrozenMix(partial(embed, device=Device.CPU), model.path, names, combined)
    people = ~in_group(dataset.users, Group.BOT_LIKE)
    return LearnedFrom(
        dataset.sequences, names[View.URL], functional_pages(dataset.pages, labels), combined.vectors,
        made.inside, people, mix.vectors,
    )  # fmt: skip


def hits(source: LearnedFrom) -> pd.DataFrame:
    """Ask for the next page at moments of held-out users.

    Returns:
        A row a moment: ``reach`` (any or new pages), ``user``, for each of :data:`WAYS` whether the page is
        among the suggestions, and ``promised``, the sum of the blend's scores.
    """
    held = np.flatnonzero(source.held_out & source.inside)
    held = np.random.default_rng(0).permutation(held)
    halves = [np.isin(np.arange(source.sequences.n_users), part) for part in (held[::2], held[1::2])]
    plain = Plain(source)
    found = []
    for fitted, tested in (halves, halves[::-1]):
        made = learn(replace(source, asking=fitted))
        tuning = choose_moments(source.sequences, fitted)
        moments = choose_moments(source.sequences, tested, MOST_USERS)
        seen = made.seen(moments.before, source.names)
        vectors = source.embed(moments.before)
        target = source.sequences.page[moments.at]
        for reach in Reach:
            suggested = made.suggest(seen, vectors, TOP, reach)
            pages = made.tables.columns(source.names)[target][:, None]
            blend = ((suggested.column == pages) & (pages >= 0)).any(axis=1)
            bigram, history = plain.hits(moments, tuning, reach)
            may = plain.allowed(moments, reach)[np.arange(len(target)), target]
            table = pd.DataFrame(dict(zip(WAYS, (bigram, history, blend), strict=True)))
            table = table.assign(reach=reach.value, user=moments.user, promised=suggested.score.sum(axis=1))
            found.append(table[may])
    return pd.concat(found).astype(dict.fromkeys(WAYS, float))


class Plain:
    """The plain way: what follows the last page, and the user's own pages, counted from every page."""

    def __init__(self, source: LearnedFrom) -> None:
        self._source, sequences = source, source.sequences
        n_pages, counted = len(source.names), (source.people & ~source.held_out)[sequences.user]
        pairs = np.flatnonzero(counted[1:] & (sequences.user[1:] == sequences.user[:-1])) + 1
        self._bigram = np.zeros((n_pages, n_pages), dtype=np.float32)
        np.add.at(self._bigram, (sequences.page[pairs - 1], sequences.page[pairs]), 1)
        self._bigram /= np.maximum(self._bigram.sum(axis=1, keepdims=True), 1)
        popular = np.bincount(sequences.page[counted], minlength=n_pages)
        self._below = (BELOW * popular / popular.sum()).astype(np.float32)

    def allowed(self, moments: NextMoments, reach: Reach) -> np.ndarray:
        """Which pages may be suggested at each moment: bool of shape (n, n_pages)."""
        may = np.ones((len(moments.at), len(self._source.names)), dtype=bool)
        if reach is Reach.NEW:
            may[moments.before.user, moments.before.page] = False
            may[:, self._source.functional] = False
        return may

    def hits(self, moments: NextMoments, tuning: NextMoments, reach: Reach) -> tuple[np.ndarray, np.ndarray]:
        """Which moments' pages are found by bigrams alone, and with the user's own pages.

        Args:
            moments: Moments to ask about.
            tuning: Moments by which the weight of the own pages is chosen.
            reach: Which pages may be suggested.

        Returns:
            Two arrays, bool of shape (n,).
        """
        rates = [self._found(tuning, reach, weight) for weight in HISTORY]
        means = [np.average(one, weights=_each_user_once(tuning.user)) for one in rates]
        best = HISTORY[int(np.argmax(means))]
        return self._found(moments, reach, 0.0), self._found(moments, reach, best)

    def _found(self, moments: NextMoments, reach: Reach, weight: float) -> np.ndarray:
        ends, n = moments.before.offsets[1:] - 1, len(moments.at)
        scores = self._bigram[moments.before.page[ends]] + self._below
        history = np.zeros_like(scores)
        np.add.at(history, (moments.before.user, moments.before.page), 1)
        scores += weight * history / history.sum(axis=1, keepdims=True)
        scores[~self.allowed(moments, reach)] = -1
        own = scores[np.arange(n), self._source.sequences.page[moments.at]][:, None]
        rank = (scores > own).sum(axis=1) + ((scores == own).sum(axis=1) - 1) / 2
        found: np.ndarray = (rank < TOP) & (own[:, 0] >= 0)
        return found


def _each_user_once(user: np.ndarray) -> np.ndarray:
    weights: np.ndarray = 1 / np.bincount(user)[user]
    return weights


def lines(name: str, found: pd.DataFrame) -> Iterator[tuple[str, ...]]:
    """Rows of the printed table for a set (its name) and its :func:`hits`, one for each reach."""
    for reach, moments in found.groupby("reach", sort=False):
        users = moments.groupby("user")[[*WAYS, "promised"]].mean()
        rng = np.random.default_rng(0)
        draws = [rng.integers(0, len(users), len(users)) for _ in range(RESAMPLES)]
        figures = users.to_numpy()
        drawn = np.stack([figures[draw].mean(axis=0) for draw in draws])
        mean = figures.mean(axis=0)
        low, high = np.percentile(drawn, (2.5, 97.5), axis=0)
        least, most = np.percentile(drawn[:, 2] - drawn[:, 1], (2.5, 97.5))
        told = {"any": "any page", "new": "new pages"}[str(reach)]
        yield (
            name, told, f"{len(users):,}", f"{len(moments):,}", f"{mean[0]:.3f}", f"{mean[1]:.3f}",
            f"{mean[2]:.3f} ({low[2]:.3f}–{high[2]:.3f})",
            f"{mean[2] - mean[1]:+.3f} ({least:+.3f} to {most:+.3f})", f"{mean[3]:.3f}",
        )  # fmt: skip


HEAD: Final = (
    "set", "may come", "users", "moments", *WAYS, "blend less bigram + history", "promised",
)  # fmt: skip


@click.command(help=__doc__)
@click.option("--users", type=int, default=3000, show_default=True, help="Of the demo shop; 0 for none.")
@click.option("--site", "sites", multiple=True, help="Name of a site of benchmarks/sites.")
@click.option("--real", is_flag=True, help="Also the real exports, where they are at hand.")
@click.option("--csv", "files", multiple=True, type=click.Path(path_type=Path), help="An export of your own.")
@click.option("--preset", type=click.Choice([one.value for one in Preset]), default=Preset.BALANCED.value)
@click.option("--seed", "seeds", multiple=True, type=int, default=(0,), help="Of the training.")
@click.option("--work", type=click.Path(path_type=Path), required=True, help="Keep data and models here.")
def main(
    users: int,
    sites: Sequence[str],
    real: bool,
    files: Sequence[Path],
    preset: str,
    seeds: Sequence[int],
    work: Path,
) -> None:
    """Print the table."""
    work.mkdir(parents=True, exist_ok=True)
    exports = [demo_shop(users, DEMO_SEED, work)] if users else []
    exports += [path for path in (*REAL, DESKDROP) if real and path.exists()]
    exports += [*files, *(write_site(site, work).csv for site in sites)]
    rows = []
    for seed, csv in product(seeds, exports):
        source = opened(Store(work / "store"), csv, Preset(preset), seed)
        rows += lines(f"{csv.name.split('.')[0]}, seed {seed}", hits(source))
        print(rows[-2:], flush=True)
    print(markdown(list(HEAD), rows))


if __name__ == "__main__":
    main()

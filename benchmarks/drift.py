"""Print how often a later export raises the alarm: without any change, and with some users changed.

    python -m benchmarks.drift [--exports N] [--users N] [--segments K] [--changed SHARE]
                               [--kind KIND] [--both SHARE] [--demo FOLDER]

Users of four kinds (``benchmarks.evidence``), each at home in a part of the site. Each pair of exports is
drawn anew, a bag of pages learns from the first one alone, and its users are cut into K segments. Then the
later one is placed: as it is, and with the page views of some users replaced by those of another kind.
``--kind new`` replaces them by pages in an order of popularity that no kind has, ``known`` by those of the
first kind. With ``--both`` some of the later users are users of the training period, of the same kind with
other visits; they are held against each other user by user, and as a model folder does it, which knows
nobody again.

``--demo`` takes users of a demo shop instead, embedded by a network (preset fast, labels by rules) that
trained on a third of them. Each pair of exports is dealt from all of them, as is; then some later users
are replaced by others of one kind, another one each time. Last, the users of the training themselves are
held against others.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import click
import numpy as np
import pandas as pd
import pyarrow as pa

from benchmarks.evidence import KINDS, PAGES_A_KIND, planted
from benchmarks.sets import DEMO_SEED, demo_shop
from benchmarks.tables import markdown
from core.base.schema import OUTSIDE, View
from core.base.settings import ClusterSettings, IngestSettings, Preset, TrainSettings, ViewWeights
from core.model.bag import BagOfPages
from core.model.inputs import latest_views
from core.periods.drift import ALPHA, drift
from core.periods.placed_users import PlacedUsers, seen_pages
from core.periods.training_period import TrainingPeriod
from core.profiles.two_shares import wilson
from core.segments.clustering import assign, fit
from core.storage.dataset import is_clustered
from core.storage.page_labels import page_names
from core.storage.sequences import UserSequences

MIN_COUNT: Final = 3
LONGEST: Final = 64
PERMUTATIONS: Final = 199


@dataclass(frozen=True, eq=False)
class Export:
    """Embedded users: their page views, vectors, and who takes part in clustering."""

    sequences: UserSequences
    vectors: np.ndarray
    inside: np.ndarray

    def of(self, users: np.ndarray) -> Export:
        """Only some of the users, by ascending index."""
        return Export(self.sequences.of_users(users), self.vectors[users], self.inside[users])


def held(
    before: Export, later: Sequence[Export], names: Sequence[str], known: set[str], k: int, seed: int,
    permutations: int = PERMUTATIONS,
) -> list[float]:  # fmt: skip
    """Cut an export into k segments, and return p of each later one: do its users differ?

    Args:
        before: The earlier export.
        later: Exports that are held against it.
        names: Name of each page.
        known: Pages that the model knows.
        k: Number of segments.
        seed: Seed of the test.
        permutations: Number of permutations of the test.
    """
    partition = fit(before.vectors, before.inside, ClusterSettings(n_clusters=k))
    found = []
    for export in later:
        pages = seen_pages([(before.sequences, names), (export.sequences, names)], known)
        first = PlacedUsers.of(
            before.sequences, before.vectors, partition.labels, partition, pages[0], MIN_COUNT
        )
        labels = np.where(export.inside, assign(export.vectors, partition), OUTSIDE)
        second = PlacedUsers.of(export.sequences, export.vectors, labels, partition, pages[1])
        found.append(drift(TrainingPeriod.of(first, k, seed), second, seed, permutations).p_value)
    return found


def pair(users: int, seed: int, both: float = 0) -> tuple[UserSequences, UserSequences]:
    """Draw two exports of so many users each, with a share ``both`` of the later users in both."""
    if both == 0:
        drawn = planted(2 * users, seed)
        order = np.random.default_rng([seed, 1]).permutation(2 * users)  # not the draw that made them
        first, second = (drawn.of_users(np.sort(part)) for part in np.split(order, 2))
        return first, second
    rng = np.random.default_rng([seed, 1])
    kinds = rng.integers(0, KINDS, (2, users))
    same = np.arange(users) < both * users
    kinds[1, same] = kinds[0, same]
    first, second = (planted(users, 2 * seed + side, kinds[side]) for side in range(2))
    ids = np.where(same, np.array(second.user_id.to_pylist()), np.char.add("x", second.user_id.to_pylist()))
    return first, replace(second, user_id=pa.array(ids.tolist()))


def changed(later: UserSequences, share: float, kind: str, seed: int) -> UserSequences:
    """Replace the page views of a share of the users by another behaviour, ``known`` or new."""
    rng = np.random.default_rng([seed, 2])
    chosen = rng.permutation(later.n_users) < share * later.n_users
    views = chosen[later.user]
    rank = np.minimum(rng.geometric(0.25, len(views)) - 1, PAGES_A_KIND - 1)
    own = rank if kind == "known" else (rank % KINDS) * PAGES_A_KIND + PAGES_A_KIND - 1 - rank
    return replace(later, page=np.where(views, own, later.page).astype(np.int32))


def alarms(
    before: UserSequences, later: Sequence[UserSequences], seed: int, permutations: int, k: int = KINDS
) -> list[float]:
    """Return the p of each later export, on a bag of pages of the earlier one and its k segments."""
    names = [f"page {number}" for number in range(KINDS * PAGES_A_KIND)]
    runs = latest_views(before, LONGEST)
    model = BagOfPages.fit(before.page, len(names), runs)
    views = np.bincount(before.page, minlength=len(names))
    known = {name for name, n in zip(names, views.tolist(), strict=True) if n >= MIN_COUNT}

    def embedded(users: UserSequences) -> Export:
        vectors = model.embed(users.page, latest_views(users, LONGEST))
        return Export(users, vectors, np.ones(users.n_users, dtype=bool))

    first, *others = map(embedded, [before, *later])
    return held(first, others, names, known, k, seed, permutations)


def of_planted(
    exports: int, users: int, k: int, share: float, kind: str, both: float
) -> dict[str, list[float]]:
    """Draw pairs of exports of planted kinds; what was changed, in words → the p of each pair."""
    found = []
    for seed in range(exports):
        before, later = pair(users, seed, both)
        made = [later, changed(later, share, kind, seed)]
        unknown = [replace(one, user_id=_other_ids(one)) for one in made] if both else []
        found.append(alarms(before, [*made, *unknown], seed, PERMUTATIONS, k))
    called = ["no change", f"{share:.0%} of the users changed"]
    named = [*called, *(f"{name}, nobody known again" for name in called if both)]
    return dict(zip(named, map(list, zip(*found, strict=True)), strict=True))


def _other_ids(users: UserSequences) -> pa.StringArray:
    return pa.array([f"other {user}" for user in users.user_id.to_pylist()])


def of_demo(exports: int, users: int, k: int, share: float, folder: Path) -> dict[str, list[float]]:
    """Draw pairs of exports from a demo shop and a network; what was changed, in words → p of each pair."""
    pool, names, known, kind, trained = _embedded_shop(folder, users)
    kinds = sorted(kind.groupby(kind).filter(lambda own: len(own) > 100).unique())
    others = np.setdiff1d(np.arange(len(kind)), trained)
    found = []
    for seed in range(exports):
        rng = np.random.default_rng([seed, 1])  # not the draw of the permutations
        order = rng.permutation(len(kind))
        before, later, rest = np.split(order, [users, 2 * users])
        donors = rest[kind.to_numpy()[rest] == kinds[seed % len(kinds)]][: int(share * users)]
        mixed = np.concatenate([later[len(donors) :], donors])
        sides = [pool.of(np.sort(part)) for part in (before, later, mixed)]
        of_training = [pool.of(np.sort(part)) for part in (trained, rng.permutation(others)[:users])]
        found.append(
            held(sides[0], sides[1:], names, known, k, seed)
            + held(of_training[0], of_training[1:], names, known, k, seed)
        )
    called = ("no change", f"{share:.0%} of the users of one kind", "users of the training, and others")
    return dict(zip(called, map(list, zip(*found, strict=True)), strict=True))


def _embedded_shop(folder: Path, users: int) -> tuple[Export, list[str], set[str], pd.Series, np.ndarray]:
    """Three times as many users, what each page is called, which are known, kinds, and who trained."""
    from core.base.progress import silent
    from core.ingest.sample import truth_path
    from core.labels.label_settings import LabelMode, LabelSettings
    from core.model import training
    from core.model.embedding import embed
    from core.model.model_files import load_pages
    from core.runs import pipeline
    from core.segments.combination import combine, mix_like
    from core.storage.store import Store

    csv = demo_shop(3 * users, DEMO_SEED, folder)
    store = Store(folder / "store")
    shop = pipeline.preprocess(store, [csv], IngestSettings(), silent)
    labels = pipeline.label(store, shop, LabelSettings(mode=LabelMode.RULES), silent)
    names, model = page_names(shop.pages, labels), folder / f"model-{users}"
    n = shop.sequences.n_users
    trained = np.sort(np.random.default_rng(0).permutation(n)[:users])
    if not model.exists():
        model.mkdir()
        training.train(shop.sequences.of_users(trained), names, TrainSettings.preset(Preset.FAST), model)
    views = embed(model, shop.sequences, names)
    mix = combine({view: rows[trained] for view, rows in views.items()}, ViewWeights())
    vectors = mix_like(views, mix.counted, mix.means)
    truth = pd.read_csv(truth_path(csv), dtype=str).set_index("user_pseudo_id")["segment"]
    kind = truth.reindex(shop.sequences.user_id.to_pylist()).reset_index(drop=True)
    pool = Export(shop.sequences, vectors, is_clustered(shop.users))
    return pool, list(names[View.URL]), set(load_pages(model)), kind, trained


@click.command(help=__doc__)
@click.option("--exports", type=int, default=100, show_default=True, help="Pairs of exports.")
@click.option("--users", type=int, default=5000, show_default=True, help="Of each export.")
@click.option("--segments", "k", type=int, default=KINDS, show_default=True)
@click.option("--changed", "share", type=float, default=0.05, show_default=True)
@click.option("--kind", type=click.Choice(["known", "new"]), default="known", show_default=True)
@click.option("--both", type=float, default=0, show_default=True, help="Share of later users in both.")
@click.option("--demo", type=click.Path(path_type=Path), help="Folder for a demo shop and its network.")
def main(exports: int, users: int, k: int, share: float, kind: str, both: float, demo: Path | None) -> None:
    """Print how often the alarm is raised, a row for each way that the later users differ."""
    began = time.monotonic()
    if demo is None:
        found = of_planted(exports, users, k, share, kind, both)
    else:
        demo.mkdir(parents=True, exist_ok=True)
        found = of_demo(exports, users, k, share, demo)
    rows = []
    for name, p in found.items():
        raised = int((np.array(p) <= ALPHA).sum())
        low, high = wilson(np.array(raised), np.array(exports))
        rows.append([name, str(raised), str(exports), f"{low:.3f} to {high:.3f}", f"{np.median(p):.3f}"])
    click.echo(markdown(["later export", "alarms", "of", "rate, 95 %", "median p"], rows))
    click.echo(f"{users:,} users an export, {k} segments, {kind} behaviour, {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()

"""Whether the table of differences says what is there, and how long it takes.

    python -m benchmarks.differences --seeds 100 --users 100000
    python -m benchmarks.differences --export FILE

* Nothing to find: segments of the demo shop drawn anew at random among the clustered users, so that nothing
  held out differs; which share of the tested rows is called different, and in how many draws any is.
* Intervals: how often the 95 % intervals hold the truth that users were drawn from.
* Two statements: 5.75 % of 1,252 against 2.93 % of 1,673 users, and six buyers against forty.
* Time of one table over 8 segments, items laid out before.
* With ``--export`` only how much is shown of pages by other sessions (``core/profiles/other_sessions.py``)
  of six segments on a bag of pages: of users as they are, with the pages of all page views dealt anew, with
  sessions dealt anew among those of as many page views; and which rare pages are shown that were put into
  sessions of a segment.

Exits with 1 if a bound is broken.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from core.base.progress import silent
from core.base.schema import OUTSIDE, Pages
from core.base.settings import (
    PRESETS,
    AnalyzeSettings,
    ClusterSettings,
    IngestSettings,
    Preset,
    TrainSettings,
    ViewWeights,
)
from core.base.wording import common_origin, short_address
from core.ingest.ingest import ingest
from core.ingest.sample.write_sample import write_sample
from core.model.embedding import embed
from core.periods.training_period import halves_of
from core.profiles import two_shares
from core.profiles.data import ProfileData
from core.profiles.differences import Diff, differences
from core.profiles.means import ComparedGroups, UserValues, compare_means, decide_shares
from core.profiles.other_sessions import OTHER_SESSIONS, OtherSessions
from core.profiles.profile_columns import Col, MetricRole
from core.profiles.rows import make_rows
from core.profiles.user_items import Family, UserItems
from core.runs import pipeline
from core.segments.clustering import fit
from core.segments.combination import combine
from core.segments.partition import Partition
from core.storage.dataset import Dataset, is_clustered
from core.storage.page_labels import page_names
from core.storage.sequences import UserSequences
from core.storage.store import Store

MOST_FOUND, COVERAGE, OFF, MOST_SECONDS = 0.05, 0.95, 0.02, 0.5
SEGMENTS = 8
SEGMENTS_OF_PAGES, DRAWS_OF_PAGES, PLANTED = 6, 3, (0.15, 0.3, 0.5)
DRAWS = 20_000
SHARES = ((0.5, 0.4), (0.1, 0.05), (0.03, 0.03), (0.9, 0.6), (0.01, 0.04))
"""True shares of the two sides that are compared."""
SIZES = ((40, 400), (100, 100), (300, 3_000), (1_000, 1_000))
"""Users of the two sides that are compared."""


def shop(users: int) -> tuple[ProfileData, UserItems, np.ndarray]:
    """Make a demo shop: its data for profiles, its items, and who is clustered (bool of shape (n_users,))."""
    with tempfile.TemporaryDirectory() as folder:
        data, work = Path(folder, "data"), Path(folder, "work")
        for made in (data, work):
            made.mkdir()
        csv = Path(folder, "demo.csv")
        write_sample(csv, users, 0)
        ingest([csv], IngestSettings(), data, silent, work)
        dataset = Dataset(data, "demo")
        return ProfileData.from_dataset(dataset), UserItems.from_dataset(dataset), is_clustered(dataset.users)


def drawn(inside: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw segments of different sizes: int32 of shape (n_users,), OUTSIDE for those who are not inside."""
    chances = np.arange(1, SEGMENTS + 1) / np.arange(1, SEGMENTS + 1).sum()
    labels = np.full(len(inside), OUTSIDE, dtype=np.int32)
    labels[inside] = rng.choice(SEGMENTS, inside.sum(), p=chances)
    return labels


def nothing_to_find(data: ProfileData, items: UserItems, inside: np.ndarray, seeds: int) -> bool:
    """Print how many tested rows are called different although nothing differs; whether few enough are."""
    found, p_values, draws, bought = [], [], 0, data.outcomes.inside(AnalyzeSettings())
    for seed in range(seeds):
        labels = drawn(inside, np.random.default_rng(seed))
        table = differences(data, make_rows(data, labels), items, bought)
        tested = table[table[Diff.P_VALUE].notna() & (table["kind"] == "segment")]
        found += (tested[Diff.Q_VALUE] < MOST_FOUND).tolist()
        p_values += (tested[Diff.P_VALUE] < MOST_FOUND).tolist()
        draws += bool((tested[Diff.Q_VALUE] < MOST_FOUND).any())
    print(
        f"nothing to find: {seeds} draws, {len(found) // seeds} tested rows each; q < .05 in "
        f"{np.mean(found):.3%} of rows, in any row of {draws / seeds:.0%} of draws; p < .05 in "
        f"{np.mean(p_values):.2%}"
    )
    return bool(np.mean(found) <= MOST_FOUND)


def covered_shares(rng: np.random.Generator) -> list[float]:
    """Print how often intervals of shares hold the truth; a share for each of SHARES, SIZES and interval."""
    made = []
    for p, q in SHARES:
        for n, m in SIZES:
            four = rng.binomial(n, p, DRAWS), np.array(n), rng.binomial(m, q, DRAWS), np.array(m)
            low, high = two_shares.difference_interval(*four)
            ratio_low, ratio_high = two_shares.ratio_interval(*four)
            known = ~np.isnan(ratio_low)
            difference = np.mean((low <= p - q) & (p - q <= high))
            ratio = np.mean(((ratio_low <= p / q) & (p / q <= ratio_high))[known])
            print(f"  shares {p} of {n} against {q} of {m}: difference {difference:.1%}, ratio {ratio:.1%}")
            made += [float(difference), float(ratio)]
    return made


def covered_means(rng: np.random.Generator) -> list[float]:
    """Print how often intervals of means hold the truth: page views (geometric), engagement (log-normal)."""
    made, draws = [], 2_000
    kinds = {
        "page views": (lambda size, mean: rng.geometric(1 / mean, size), (5.0, 8.0)),
        "engagement": (lambda size, mean: rng.lognormal(np.log(mean) - 0.5, 1, size), (60.0, 90.0)),
    }
    for name, (draw, (mean, other)) in kinds.items():
        for n, m in SIZES[:3]:
            place = np.repeat([0, 1], [n, m])
            holds = []
            for _ in range(draws):
                values = np.concatenate([draw(n, mean), draw(m, other)]).astype(np.float64)
                found = compare_means(UserValues(values, np.ones(n + m)), ComparedGroups(place, 2, 2))
                holds.append(found.difference_low[0] <= mean - other <= found.difference_high[0])
            print(f"  mean {name} of {n} against {m}: {np.mean(holds):.1%}")
            made.append(float(np.mean(holds)))
    return made


def statements() -> bool:
    """Whether 5.75 % against 2.93 % is called different, and six buyers of 114 against 40 of 940 is not."""
    large = decide_shares(72, 1_252, 49, 1_673, MetricRole.HELD_OUT)
    small = decide_shares(6, 114, 40, 940, MetricRole.HELD_OUT)
    for name, found in (("72 of 1,252 against 49 of 1,673", large), ("6 of 114 against 40 of 940", small)):
        print(f"  {name}: {found.test}, p = {found.p_value:.2g}, least seen {found.detectable:.2%}")
    return large.differs and not small.differs


def seconds(users: int) -> float:
    """CPU seconds of the fastest of five tables of differences over so many users."""
    data, items, inside = shop(users)
    bought = data.outcomes.inside(AnalyzeSettings())
    labels, times = drawn(inside, np.random.default_rng(0)), []
    for _ in range(5):
        start = time.process_time()
        table = differences(data, make_rows(data, labels), items, bought)
        times.append(time.process_time() - start)
    fastest, slowest = (f"{took * 1000:.0f} ms" for took in (min(times), max(times)))
    size = f"{data.n_users:,} users × {SEGMENTS} segments, {len(table):,} rows"
    print(f"{size}: {fastest} of CPU (slowest {slowest})")
    return min(times)


def as_they_are(sequences: UserSequences, rng: np.random.Generator) -> UserSequences:
    """Users as they are."""
    return sequences


def pages_dealt(sequences: UserSequences, rng: np.random.Generator) -> UserSequences:
    """The pages of all page views dealt anew."""
    return replace(sequences, page=rng.permutation(sequences.page))


def sessions_dealt(sequences: UserSequences, rng: np.random.Generator) -> UserSequences:
    """Sessions dealt anew among those of as many page views."""
    starts, page = sequences.session_starts, sequences.page.copy()
    lengths = np.diff(starts, append=sequences.n_views)
    for length in np.unique(lengths):
        views = starts[lengths == length][:, None] + np.arange(length)
        page[views] = sequences.page[rng.permutation(views)]
    return replace(sequences, page=page)


def planted(
    sequences: UserSequences, labels: np.ndarray, share: float, rng: np.random.Generator
) -> tuple[UserSequences, np.ndarray]:
    """Put a rare page of its own at the end of a share of each segment's sessions.

    Returns:
        The changed page views, and segment → its page, int of shape (n_segments,).
    """
    rare = np.argsort(np.bincount(sequences.page), kind="stable")[: labels.max() + 1]
    starts, page = sequences.session_starts, sequences.page.copy()
    last = np.append(starts[1:], sequences.n_views) - 1
    owner = labels[sequences.user[starts]]
    gets = (owner > OUTSIDE) & (rng.random(len(starts)) < share)
    page[last[gets]] = rare[owner[gets]]
    return replace(sequences, page=page), rare


def pages_again(export: Path) -> bool:
    """Print how often pages that made the segments are called different; whether it is seldom by chance."""
    false = []
    with tempfile.TemporaryDirectory() as folder:
        store, settings = Store(Path(folder)), TrainSettings.checked(**PRESETS[Preset.BAG])
        dataset = pipeline.preprocess(store, [export], IngestSettings(), silent)
        model = pipeline.train(store, dataset, None, settings, silent).path
        for deal in (as_they_are, pages_dealt, sessions_dealt):
            made = [
                again(dataset, model, deal(dataset.sequences, np.random.default_rng(seed)), seed)[1]
                for seed in range(DRAWS_OF_PAGES)
            ]
            tested = pd.concat(table[table[Diff.TEST] == OTHER_SESSIONS] for table in made)
            print(f"{deal.__doc__} {tested[Diff.DIFFERS].sum():,} of {len(tested):,} tested rows differ")
            false += [tested[Diff.DIFFERS].mean()] if deal is not as_they_are else []
        for share in PLANTED:
            pages = [
                page for seed in range(DRAWS_OF_PAGES) for page in shown_again(dataset, model, share, seed)
            ]
            told = ", ".join(f"{pages.count(said)} {said}" for said in ("shown", "not shown", "not tested"))
            print(f"A rare page in {share:.0%} of the sessions of a segment: of {len(pages)} {told}")
    return max(false) <= MOST_FOUND


def shown_again(dataset: Dataset, model: Path, share: float, seed: int) -> list[str]:
    """For each segment: is it ``shown``, ``not shown`` or ``not tested`` to differ in a page put into it?"""
    before, _ = again(dataset, model, dataset.sequences, seed)
    sequences, rare = planted(dataset.sequences, before.labels, share, np.random.default_rng(seed))
    _, table = again(dataset, model, sequences, seed)
    pages, said = dataset.pages[Pages.PAGE_LOCATION].tolist(), []
    upwards = table[(table[Diff.FAMILY] == Family.PAGE) & (table[Col.DIFFERENCE] > 0)]
    for page in rare:
        own = upwards[upwards[Diff.ITEM] == short_address(pages[page], common_origin(pages))]
        tested = own[own[Diff.TEST] == OTHER_SESSIONS]
        said.append("not tested" if tested.empty else "shown" if tested[Diff.DIFFERS].any() else "not shown")
    return said


def again(
    dataset: Dataset, model: Path, sequences: UserSequences, seed: int
) -> tuple[Partition, pd.DataFrame]:
    """Cluster users by these page views; segments, and differences with pages tested in other sessions."""
    inside, names = is_clustered(dataset.users), page_names(dataset.pages, None)
    combined = combine(embed(model, sequences, names), ViewWeights(), inside)
    partition = fit(combined.vectors, inside, ClusterSettings(n_clusters=SEGMENTS_OF_PAGES, seed=seed))
    users, halves = halves_of(sequences, inside, seed=seed)
    first, second = (halves.of_users(np.arange(len(users)) + part * len(users)) for part in range(2))
    others = OtherSessions.from_tables(embed(model, first, names), first, second, dataset.pages, {})
    data, began = ProfileData.from_dataset(dataset), time.process_time()
    scores = others.scores(combined, partition)
    print(f"  {len(users):,} with several sessions, scores in {time.process_time() - began:.3f} s of CPU")
    items = UserItems.from_tables(data, dataset.pages, sequences)
    return partition, differences(data, make_rows(data, partition.labels), items, again=scores)


def main() -> None:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument(
        "--users", type=int, default=100_000, help="of the table that is timed; 0 leaves it out"
    )
    parser.add_argument("--export", type=Path, help="measure pages that are tested in other sessions, on it")
    asked = parser.parse_args()
    if asked.export:
        sys.exit(not pages_again(asked.export))
    rng = np.random.default_rng(0)
    held = [nothing_to_find(*shop(3_000), asked.seeds)]
    for name, covered in (("shares", covered_shares(rng)), ("means", covered_means(rng))):
        print(f"{name}: {np.mean(covered):.1%} on average, {min(covered):.1%} to {max(covered):.1%}")
        held.append(abs(np.mean(covered) - COVERAGE) <= OFF)
    held.append(statements())
    if asked.users:
        held.append(seconds(asked.users) <= MOST_SECONDS)
    sys.exit(not all(held))


if __name__ == "__main__":
    main()

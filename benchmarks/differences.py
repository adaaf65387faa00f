"""Whether the table of differences says what is there, and how long it takes.

    python -m benchmarks.differences --seeds 100 --users 100000

* Nothing to find: segments of the demo shop drawn anew at random among the clustered users, so that nothing
  held out differs; which share of the tested rows is called different, and in how many draws any is.
* Intervals: how often the 95 % intervals hold the truth that users were drawn from.
* Two statements: 5.75 % of 1,252 against 2.93 % of 1,673 users, and six buyers against forty.
* Time of one table over 8 segments, items laid out before.

Exits with 1 if a bound is broken.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from core.base.progress import silent
from core.base.schema import OUTSIDE
from core.base.settings import AnalyzeSettings, IngestSettings
from core.data.dataset import Dataset, clustered
from core.differences.means import UserValues, compare_means
from core.differences.sides import Sides
from core.differences.single import decide_shares
from core.differences.table import Diff, differences
from core.differences.user_items import UserItems
from core.ingest.ingest import ingest
from core.profiles import two_shares
from core.profiles.data import ProfileData
from core.profiles.profile_columns import MetricRole
from core.profiles.rows import make_rows
from core.sample.write_sample import write_sample

MOST_FOUND, COVERAGE, OFF, MOST_SECONDS = 0.05, 0.95, 0.02, 0.5
SEGMENTS = 8
DRAWS = 20_000
SHARES = ((0.5, 0.4), (0.1, 0.05), (0.03, 0.03), (0.9, 0.6), (0.01, 0.04))
"""Truth of the two sides."""
SIZES = ((40, 400), (100, 100), (300, 3_000), (1_000, 1_000))
"""Users of the two sides."""


def shop(users: int) -> tuple[ProfileData, UserItems, np.ndarray]:
    """The demo shop laid out, and who of it is clustered."""
    with tempfile.TemporaryDirectory() as folder:
        data, work = Path(folder, "data"), Path(folder, "work")
        for made in (data, work):
            made.mkdir()
        csv = Path(folder, "demo.csv")
        write_sample(csv, users, 0)
        ingest([csv], IngestSettings(), data, silent, work)
        dataset = Dataset(data, "demo")
        return ProfileData.from_dataset(dataset), UserItems.from_dataset(dataset), clustered(dataset.users)


def drawn(inside: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Segments of different sizes that mean nothing."""
    chances = np.arange(1, SEGMENTS + 1) / np.arange(1, SEGMENTS + 1).sum()
    labels = np.full(len(inside), OUTSIDE, dtype=np.int32)
    labels[inside] = rng.choice(SEGMENTS, inside.sum(), p=chances)
    return labels


def nothing_to_find(data: ProfileData, items: UserItems, inside: np.ndarray, seeds: int) -> bool:
    """Tested rows that are called different although nothing differs."""
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
    """How often the intervals of shares hold the truth, a figure a setting and interval."""
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
    """The same of means of page views (geometric) and of engagement (log-normal)."""
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
                found = compare_means(UserValues(values, np.ones(n + m)), Sides(place, 2, 2))
                holds.append(found.difference_low[0] <= mean - other <= found.difference_high[0])
            print(f"  mean {name} of {n} against {m}: {np.mean(holds):.1%}")
            made.append(float(np.mean(holds)))
    return made


def statements() -> bool:
    """5.75 % against 2.93 % is a difference; six buyers of 114 against forty of 940 is not one."""
    large = decide_shares(72, 1_252, 49, 1_673, MetricRole.HELD_OUT)
    small = decide_shares(6, 114, 40, 940, MetricRole.HELD_OUT)
    for name, found in (("72 of 1,252 against 49 of 1,673", large), ("6 of 114 against 40 of 940", small)):
        print(f"  {name}: {found.test}, p = {found.p_value:.2g}, least seen {found.detectable:.2%}")
    return large.differs and not small.differs


def seconds(users: int) -> float:
    """CPU seconds of the fastest of five tables, as others use the machine."""
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


def main() -> None:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument(
        "--users", type=int, default=100_000, help="of the table that is timed; 0 leaves it out"
    )
    asked = parser.parse_args()
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

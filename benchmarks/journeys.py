"""How long the moves of one segment take beside those of the others, and beside retentioneering's.

    python -m benchmarks.journeys --users 270000 --views 1430000 [--rival VENV/bin/python]

Users are drawn: eight segments that prefer different places of 40, and of 40,000 pages. Everything that the
page Journeys draws of a segment and its difference to the others is counted: steps, entries, exits, returns,
repeats, dead ends, the step matrix and the flows of both. With ``--rival``, a Python that has
``retentioneering`` makes its transition matrix and step matrix of the same sessions, as a difference, and
the counts are compared.

Exits with 1 if one segment takes longer than a second, or a count differs.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from core.journeys.flow import flow
from core.journeys.moves import END, START, Level, Moves, Places
from core.journeys.step_table import dead_ends, return_table, step_table
from core.storage.sequences import UserSequences

MOST_SECONDS = 1.0
SEGMENTS = 8
PLACES = (40, 40_000)
NEW_SESSION = 0.35
TIMES = 3
"""Runs of which the fastest counts: other work on the machine only slows down."""
RIVAL = """
import json, os, sys, time
os.environ["RETENTIONEERING_NO_TRACK"] = "1"
import pandas as pd
from retentioneering import Eventstream, __version__
events, told = pd.read_csv(sys.argv[1], dtype={"event": str}), {"version": __version__}
def timed(name, do):
    start = time.perf_counter(); made = do(); told[name] = time.perf_counter() - start
    return made
schema = {"path_cols": ["session"], "segment_cols": ["segment"]}
stream = timed("lay out", lambda: Eventstream(events, schema))
diff = ("segment", "s0", "<REST>")
timed("transitions, difference", lambda: stream.transition_graph_data(edge_weight="proba_out", diff=diff))
timed("step matrix, difference", lambda: stream.step_matrix_data(max_steps=8, diff=diff))
_, counts, _ = stream.transition_graph_data(edge_weight="count", diff=diff)
cells = counts.stack()
told["counts"] = [[left, reached, int(times)] for (left, reached), times in cells[cells > 0].items()]
print(json.dumps(told))
"""


def drawn(users: int, views: int, places: int, seed: int = 0) -> tuple[UserSequences, np.ndarray]:
    """Draw users with so many page views of so many places, and their segment, int of shape (n_users,).

    Each of the eight segments prefers other places.
    """
    random = np.random.default_rng(seed)
    segment = random.integers(0, SEGMENTS, users)
    lengths = 1 + random.multinomial(views - users, random.dirichlet(np.full(users, 0.5)))
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    rank = (random.pareto(0.8, views) * 3).astype(np.int64) % places
    page = (rank + np.repeat(segment, lengths) * (places // 20)) % places
    new = random.random(views) < NEW_SESSION
    new[offsets[:-1]] = False
    begun = np.cumsum(new)
    session = begun - np.repeat(begun[offsets[:-1]], lengths)
    ids = pa.array([f"{user:07d}" for user in range(users)])
    times = np.arange(views, dtype=np.int64) * 1_000_000
    return UserSequences(ids, offsets, page.astype(np.int32), times, session.astype(np.int32)), segment


def everything(moves: Moves, users: np.ndarray, others: np.ndarray) -> dict[str, float]:
    """Count all that the page Journeys draws of users beside others; part → seconds."""
    told, start = {}, time.perf_counter()

    def done(part: str) -> None:
        nonlocal start
        told[part], start = time.perf_counter() - start, time.perf_counter()

    here, there = moves.taken(users), moves.taken(others)
    for which in (None, moves.left == moves.start, moves.reached == moves.end, moves.left == moves.reached):
        step_table(moves, here, there, which)
    return_table(moves, here, there)
    dead_ends(moves, here)
    done("steps, ends, loops")
    for side in (users, others):
        flow(moves, side)
    done("flows")
    return told


def beside(rival: Path, sequences: UserSequences, segment: np.ndarray, moves: Moves) -> int:
    """Print the rival's times, compare its counts with ours, and return the number that differ.

    Args:
        rival: A Python that has retentioneering.
        sequences: Page views.
        segment: Segment of each user.
        moves: Their steps, as counted here.
    """
    events = pd.DataFrame(
        {
            "session": moves.visited.of_view,
            "timestamp": pd.to_datetime(sequences.timestamp, unit="us"),
            "event": [f"p{page}" for page in moves.place.tolist()],
            "segment": [f"s{number}" for number in segment[sequences.user].tolist()],
        }
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        events.to_csv(Path(folder, "events.csv"), index=False)
        asked = [str(rival), "-c", RIVAL, str(Path(folder, "events.csv"))]
        done = subprocess.run(asked, capture_output=True, text=True, check=True)
    told = json.loads(done.stdout.splitlines()[-1])
    names = {START: "path_start", END: "path_end"} | {
        name: f"p{place}" for place, name in enumerate(moves.places.names)
    }
    ours = step_table(moves, moves.taken(segment == 0), most=len(moves.steps.different))
    steps = zip(ours["from"], ours["to"], ours["steps"].tolist(), strict=True)
    counted = {(names[left], names[reached]): times for left, reached, times in steps}
    theirs = {(left, reached): times for left, reached, times in told.pop("counts")}
    wrong = sum(counted.get(step) != theirs.get(step) for step in counted.keys() | theirs.keys())
    print(f"retentioneering {told.pop('version')}: {_seconds(told)}; {wrong} of {len(counted)} counts differ")
    return wrong


def _seconds(told: dict[str, float]) -> str:
    return ", ".join(f"{part} {seconds:.2f} s" for part, seconds in told.items())


def main() -> int:
    """Measure and print; 1 if a bound is broken, else 0."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--users", type=int, default=270_000)
    parser.add_argument("--views", type=int, default=1_430_000)
    parser.add_argument("--rival", type=Path, help="A Python that has retentioneering.")
    asked = parser.parse_args()
    wrong, slowest = 0, 0.0
    for number in PLACES:
        sequences, segment = drawn(asked.users, asked.views, number)
        places = Places.from_names(Level.PAGE, [f"/{page}" for page in range(number)], sequences)
        start = time.perf_counter()
        moves = Moves.of(sequences, places)
        told = {"laid out once": time.perf_counter() - start}
        parts = min(
            (everything(moves, segment == 0, segment != 0) for _ in range(TIMES)),
            key=lambda one: sum(one.values()),
        )
        slowest = max(slowest, sum(parts.values()))
        print(
            f"{number:,} places, {len(moves.steps.thing):,} steps, {len(moves.steps.different):,} different: "
            f"{_seconds(told | parts)}; a segment {sum(parts.values()):.2f} s"
        )
        if asked.rival and number == PLACES[0]:
            wrong += beside(asked.rival, sequences, segment, moves)
    return int(wrong > 0 or slowest > MOST_SECONDS)


if __name__ == "__main__":
    sys.exit(main())

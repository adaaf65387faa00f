"""One set as every method and every metric sees it: users, who is held out, cuts, and what page came next.

Letters: n_users, n_views page views of all users, n_pages.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.quality.site_truth import true_names
from benchmarks.sets import SetSpec
from core.base.schema import Group, Pages, Users, View
from core.model.inputs import Spans, latest_views
from core.model.population import is_held_out
from core.model.triplets import random_cut
from core.storage.dataset import Dataset
from core.storage.page_labels import LabelledPages
from core.storage.sequences import UserSequences

MAX_LENGTH = 64
"""Page views that any method reads of one run, the latest ones (of an answer: the first ones)."""
MIN_JUDGED = 3
"""Page views a user needs to be clustered here; below, nobody can tell segments apart."""
MIN_CUT = 6
SHORTEST_SIDE = 2
CANDIDATES = 1000
FEWEST_QUERIES = 50
NEXT_USERS = 3000
NO_SEGMENT = ("bot", "internal", "debug")


@dataclass(frozen=True, eq=False)
class Cut:
    """Users cut in two: does the first part find the second part of the same user?

    Queries are held out; other users' answers fill up the candidates.

    Args:
        query: First parts: n_queries runs.
        answer: Second parts: n_candidates runs, the first n_queries those of the queries' own users.
    """

    query: Spans
    answer: Spans


@dataclass(frozen=True, eq=False)
class NextPage:
    """What page came next, for one random moment of each of some users.

    Args:
        prefix: The page views before.
        current: int of shape (n,), the page then open.
        target: int of shape (n,), the page that came.
        tuning: bool of shape (n,), true for the users that mixing weights are chosen on; the others are
            held out.
        counted: bool of shape (n_users,), the users that tables are counted from: neither held out nor
            chosen on.
    """

    prefix: Spans
    current: np.ndarray
    target: np.ndarray
    tuning: np.ndarray
    counted: np.ndarray


@dataclass(frozen=True, eq=False)
class Case:
    """A set of users, opened for every method.

    Args:
        sequences: Page views of all users.
        urls: Addresses of the pages.
        names: Where labels come from ("truth", "cascade") → view → name of each page.
        truth: Segment of each user in truth, empty where unknown; None for a set without truth.
        held_out: bool of shape (n_users,); no method may learn from these.
        inside: bool of shape (n_users,), the users that the app would cluster.
        judged: bool of shape (n_users,), those of them that are clustered and compared here.
        cuts: "random" and "cross-session" → a cut; absent where there are too few users.
        next_page: See :class:`NextPage`.
    """

    sequences: UserSequences
    urls: list[str]
    names: Mapping[str, Mapping[View, list[str]]]
    truth: np.ndarray | None
    held_out: np.ndarray
    inside: np.ndarray
    judged: np.ndarray
    cuts: Mapping[str, Cut]
    next_page: NextPage

    @property
    def users(self) -> Spans:
        """The run of the latest page views of every user."""
        return latest_views(self.sequences, MAX_LENGTH)

    @property
    def n_segments(self) -> int:
        """How many segments there are in truth; 8 without truth."""
        return 8 if self.truth is None else len(set(self.truth[self.judged]))

    def labels(self) -> Mapping[View, list[str]]:
        """View → name of each page: the true ones, else the cascade's, else no view."""
        return self.names.get("truth") or self.names.get("cascade") or {}


def open_case(spec: SetSpec) -> Case:
    """Read a set. Everything random here is the same in every process and for every method."""
    dataset = Dataset(spec.dataset, "bench")
    sequences, frame = dataset.sequences, dataset.users
    urls = dataset.pages[Pages.PAGE_LOCATION].tolist()
    names = {"truth": true_names(urls)} if spec.truth else {}
    if spec.cascade:
        labels = LabelledPages(spec.cascade, "bench")
        names["cascade"] = {view: labels.of(view) for view in (View.THEME, View.TYPE)}
    held_out = is_held_out(sequences)
    inside = (frame[Users.GROUP] == Group.SEGMENT).to_numpy()
    truth = _truth(spec.truth, frame)
    judged = inside & (sequences.lengths >= MIN_JUDGED)
    if truth is not None:
        judged &= ~np.isin(truth, (*NO_SEGMENT, ""))
    return Case(
        sequences=sequences,
        urls=urls,
        names=names,
        truth=truth,
        held_out=held_out,
        inside=inside,
        judged=judged,
        cuts=_cuts(sequences, inside, held_out),
        next_page=next_pages(sequences, inside, held_out),
    )


def _truth(path: Path | None, frame: pd.DataFrame) -> np.ndarray | None:
    if path is None:
        return None
    table = pd.read_csv(path, dtype=str)
    segment = dict(zip(table.iloc[:, 0], table["segment"], strict=True))
    return np.array([segment.get(user, "") for user in frame[Users.USER_ID]], dtype=object)


def _cuts(sequences: UserSequences, inside: np.ndarray, held_out: np.ndarray) -> dict[str, Cut]:
    rng = np.random.default_rng(0)
    made = {
        "random": random_cuts(sequences, inside, held_out, rng),
        "cross-session": session_cuts(sequences, inside, held_out, rng),
    }
    return {name: cut for name, cut in made.items() if cut is not None}


def random_cuts(
    sequences: UserSequences, inside: np.ndarray, held_out: np.ndarray, rng: np.random.Generator
) -> Cut | None:
    """Users cut at a random place; None where too few are held out."""
    users = chosen_users(inside & (sequences.lengths >= MIN_CUT), held_out, rng)
    if users is None:
        return None
    chosen, n_queries = users
    before, after = random_cut(Spans(sequences.offsets[chosen], sequences.lengths[chosen]), rng)
    return _cut(before, after, n_queries)


def session_cuts(
    sequences: UserSequences, inside: np.ndarray, held_out: np.ndarray, rng: np.random.Generator
) -> Cut | None:
    """Users cut between two sessions; None where too few are held out."""
    borders = session_borders(sequences, rng)
    users = chosen_users(inside & (borders > 0), held_out, rng)
    if users is None:
        return None
    chosen, n_queries = users
    begin, first = sequences.offsets[chosen], borders[chosen]
    return _cut(Spans(begin, first), Spans(begin + first, sequences.lengths[chosen] - first), n_queries)


def chosen_users(
    able: np.ndarray, held_out: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, int] | None:
    """Held-out users first, then others up to the number of candidates; and how many are held out.

    Returns:
        None where too few users could ask.
    """
    asking = rng.permutation(np.flatnonzero(able & held_out))[:CANDIDATES]
    if len(asking) < FEWEST_QUERIES:
        return None
    others = rng.permutation(np.flatnonzero(able & ~held_out))[: CANDIDATES - len(asking)]
    return np.concatenate([asking, others]), len(asking)


def session_borders(sequences: UserSequences, rng: np.random.Generator) -> np.ndarray:
    """For each user a random place between two sessions with two page views or more on each side.

    Returns:
        int64 of shape (n_users,): page views before it, 0 where there is no such place.
    """
    place = np.arange(sequences.n_views) - np.repeat(sequences.offsets[:-1], sequences.lengths)
    left = np.repeat(sequences.lengths, sequences.lengths) - place
    begins = np.diff(sequences.session, prepend=sequences.session[:1]) != 0
    able = np.flatnonzero(begins & (place >= SHORTEST_SIDE) & (left >= SHORTEST_SIDE))
    able = rng.permutation(able)
    borders = np.zeros(sequences.n_users, dtype=np.int64)
    borders[sequences.user[able]] = place[able]
    return borders


def _cut(before: Spans, after: Spans, n_queries: int) -> Cut:
    kept = np.minimum(before.length, MAX_LENGTH)
    query = Spans(before.begin + before.length - kept, kept)
    return Cut(query[slice(n_queries)], Spans(after.begin, np.minimum(after.length, MAX_LENGTH)))


def next_pages(sequences: UserSequences, inside: np.ndarray, held_out: np.ndarray) -> NextPage:
    """Choose users, and for each a random moment, of which the next page is to be told."""
    rng = np.random.default_rng(1)
    able = inside & (sequences.lengths >= MIN_JUDGED)
    asked = rng.permutation(np.flatnonzero(able & held_out))[:NEXT_USERS]
    seen = rng.permutation(np.flatnonzero(able & ~held_out))
    tuning = seen[: min(NEXT_USERS, len(seen) // 10)]
    counted = ~held_out
    counted[tuning] = False
    users = np.concatenate([tuning, asked])
    lengths = sequences.lengths[users]
    before = SHORTEST_SIDE + (rng.random(len(users)) * (lengths - SHORTEST_SIDE)).astype(np.int64)
    kept = np.minimum(before, MAX_LENGTH)
    at = sequences.offsets[users] + before
    return NextPage(
        prefix=Spans(at - kept, kept),
        current=sequences.page[at - 1],
        target=sequences.page[at],
        tuning=np.arange(len(users)) < len(tuning),
        counted=counted,
    )

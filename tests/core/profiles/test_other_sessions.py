"""Pages that made the segments, tested in sessions that did not."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest
from scipy import sparse, stats

from core.base.schema import Group, View
from core.base.settings import ClusterSettings, ViewWeights
from core.periods.training_period import halves_of
from core.profiles.data import ProfileData
from core.profiles.difference_words import in_words
from core.profiles.differences import Diff, differences, is_apart
from core.profiles.other_sessions import OTHER_SESSIONS, OtherSessions, stratified_scores
from core.profiles.profile_columns import MetricRole
from core.profiles.rows import make_rows
from core.profiles.user_items import Family, UserItems
from core.segments.clustering import fit
from core.segments.combination import Combined, combine
from core.segments.edits import Gather
from core.segments.partition import Partition
from core.storage.sequences import UserSequences
from tests.core.profiles.toy import outcomes, tables

BERKELEY = (  # men and women admitted and rejected by each of six departments (Bickel and others 1975)
    (512, 313, 89, 19), (353, 207, 17, 8), (120, 205, 202, 391), (138, 279, 131, 244), (53, 138, 94, 299),
    (22, 351, 24, 317),
)  # fmt: skip
N_PAGES, LIKED = 24, 6
"""Of which each half of the users may like some, without a page in common."""


def test_admissions_at_berkeley_as_in_r() -> None:
    """``mantelhaen.test(UCBAdmissions)``: 1.4269, p = .2323; without departments men are far ahead."""
    count = np.array(BERKELEY).ravel()
    is_woman, admitted = np.tile([0, 0, 1, 1], 6), np.tile([True, False, True, False], 6)[:, None]
    department = np.repeat(np.arange(6), 4)

    def scores(stratum: np.ndarray) -> np.ndarray:
        everybody = (np.repeat(part, count, axis=0) for part in (is_woman, stratum, admitted))
        row, stratum, has = everybody
        return stratified_scores(row, stratum, 2, sparse.csr_array(has)).ravel()

    men, women = scores(department)
    assert men == pytest.approx(-women)
    assert women**2 == pytest.approx(1.4269, abs=1e-4)
    assert 2 * stats.norm.sf(women) == pytest.approx(0.2323, abs=1e-4)
    assert scores(np.zeros(24, dtype=int))[0] > 9


def test_what_few_saw_is_not_tested() -> None:
    """Nine of 200; ten; and 199, of whom by chance hardly more or fewer would be in either row."""
    has = np.arange(200)[:, None] < np.array([9, 10, 199])
    score = stratified_scores(np.arange(200) % 2, np.zeros(200, int), 2, sparse.csr_array(has))
    assert np.isnan(score).tolist() == [[True, False, True]] * 2


@dataclass(frozen=True)
class Made:
    """Segments of made-up users."""

    data: ProfileData
    items: UserItems
    others: OtherSessions
    combined: Combined
    partition: Partition

    def table(self, sign: int = 1) -> pd.DataFrame:
        """Their differences; with the scores of the other sessions turned around where the sign is −1."""
        scores = self.others.scores(self.combined, self.partition)
        again = {family: sign * found for family, found in scores.items()}
        return differences(self.data, make_rows(self.data, self.partition.labels), self.items, again=again)


def made(seed: int, *, liking: bool, n: int = 240) -> Made:
    """Users with three sessions of three pages in two segments; each half may like pages of its own."""
    rng = np.random.default_rng(seed)
    odds = np.ones((n, N_PAGES))
    if liking:
        odds[: n // 2, :LIKED] = odds[n // 2 :, LIKED : 2 * LIKED] = 8
    visits = [rng.choice(N_PAGES, (3, 3), p=own / own.sum()).tolist() for own in odds]
    users, pages, views = tables(visits, [Group.SEGMENT] * n, N_PAGES)
    inside = np.ones(n, dtype=bool)
    combined = combine({View.URL: bag(views)}, ViewWeights(), inside)
    partition = fit(combined.vectors, inside, ClusterSettings(n_clusters=2, seed=seed))
    _, halves = halves_of(views, inside, seed=seed)
    first, second = (halves.of_users(np.arange(n) + n * part) for part in (0, 1))
    others = OtherSessions.from_tables({View.URL: bag(first)}, first, second, pages, {})
    data = ProfileData.from_tables(users, pages, outcomes([]), views)
    return Made(data, UserItems.from_tables(data, pages, views), others, combined, partition)


def bag(views: UserSequences) -> np.ndarray:
    """Page views of each page, of length 1."""
    counts = np.zeros((views.n_users, N_PAGES), dtype=np.float32)
    np.add.at(counts, (views.user, views.page), 1)
    return counts / np.linalg.norm(counts, axis=1, keepdims=True)


def test_of_users_without_kinds_nothing_differs() -> None:
    """The intervals of what the segments were made of leave out 0 all the same."""
    tested = pd.concat(made(seed, liking=False).table() for seed in range(8))
    tested = tested[tested[Diff.TEST] == OTHER_SESSIONS]
    assert len(tested) > 400
    assert is_apart(tested).mean() > 0.1
    assert tested[Diff.DIFFERS].mean() <= 0.05


def test_pages_that_users_like_are_shown_by_their_other_sessions() -> None:
    table = made(0, liking=True).table()
    pages = table[(table[Diff.FAMILY] == Family.PAGE) & (table[Diff.TEST] == OTHER_SESSIONS)]
    assert len(pages) == 2 * N_PAGES
    address = pages[Diff.ITEM].str.rpartition("/")[2]
    liked = pages[address.isin([str(page) for page in range(4, 2 * LIKED)])]
    assert liked[Diff.DIFFERS].all()
    assert in_words(liked)["difference"].str.endswith(" points, also in their other sessions").all()
    others = pages[~pages[Diff.DIFFERS]]
    assert in_words(others)["difference"].str.endswith(" points, not shown in their other sessions").all()


def test_what_is_tested_in_other_sessions_has_q_among_itself_and_no_rank() -> None:
    table = made(1, liking=True).table()
    is_input = table[Diff.ROLE] == MetricRole.INPUT
    tested = table[is_input & table[Diff.P_VALUE].notna()]
    assert tested[Diff.Q_VALUE].tolist() == pytest.approx(stats.false_discovery_control(tested[Diff.P_VALUE]))
    assert table[is_input][Diff.RANK].isna().all()
    assert tested[Diff.DIFFERS].any()
    untested = table[is_input & table[Diff.P_VALUE].isna()]
    assert untested[Diff.DIFFERS].isna().all() and set(untested[Diff.TEST]) <= {""}


def test_of_few_users_nothing_is_tested() -> None:
    """Three users have hardly a page in common in their second parts: some families are left out."""
    site = made(0, liking=False, n=3)
    assert len(site.others.second) < len(made(0, liking=False).others.second)
    table = site.table()
    assert len(table) and set(table.loc[table[Diff.ROLE] == MetricRole.INPUT, Diff.TEST]) == {""}


def test_sessions_that_lean_the_other_way_show_nothing() -> None:
    site = made(0, liking=True)
    shown, turned = site.table()[Diff.DIFFERS], site.table(-1)
    assert shown.sum() > 2 * LIKED
    assert not turned[Diff.DIFFERS].any()
    assert set(turned.loc[shown.fillna(False), Diff.P_VALUE]) == {1.0}


def test_segments_of_chosen_users_are_not_tested() -> None:
    site = made(0, liking=True)
    by_hand = replace(site.partition, edits=(Gather(made=1, why="", users=9),))
    assert site.others.scores(site.combined, by_hand) == {}

"""Pages and ways of behaving that are new, and those that are gone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from core.periods.drift import CHANGE, PAGE, TYPICAL, PageChange, far_groups, page_changes
from core.periods.placed_users import PlacedUsers, ViewedPages, distance_limit
from core.periods.training_period import TrainingPeriod
from core.profiles.differences import Diff
from core.profiles.profile_columns import Col
from tests.core.periods.two_exports import two_exports


def seen(side: PlacedUsers, wanted: list[list[int]]) -> PlacedUsers:
    """Users with page views as given, a list a user of views a page."""
    from scipy import sparse

    pages = ViewedPages(side.pages.names, sparse.csr_array(np.array(wanted)), side.pages.known)
    return replace(side, pages=pages)


def test_a_page_is_new_more_less_or_gone() -> None:
    before, after, _ = two_exports(0)
    names = list(before.pages.names)
    early = seen(before, [[1, int(user < 10), int(user < 50), 1, 0, 1] for user in range(60)])
    late = seen(after, [[1, int(user < 50), int(user < 10), 0, 1, int(user < 59)] for user in range(60)])
    found = page_changes(TrainingPeriod.of(early, 3), late)
    told = dict(zip(found[PAGE], found[CHANGE], strict=True))
    assert told == {
        names[1]: PageChange.MORE, names[2]: PageChange.LESS, names[3]: PageChange.GONE,
        names[4]: PageChange.NEW,
    }  # fmt: skip
    assert set(found[PAGE][:2]) == {names[3], names[4]}  # what changed most for sure first
    assert found[Diff.DIFFERS].all()
    assert found[Col.DIFFERENCE].tolist() == pytest.approx(
        [{1: 40, 2: -40, 3: -60, 4: 60}[names.index(page)] / 60 for page in found[PAGE]]
    )


def test_where_nothing_changed_there_is_hardly_a_page() -> None:
    exports = [two_exports(seed, n=200)[:2] for seed in range(30)]
    found = [len(page_changes(TrainingPeriod.of(early, 3), late)) for early, late in exports]
    assert np.mean(found) < 0.6  # of 6 pages, one in twenty


def test_far_users_of_the_later_export_who_are_alike_are_new_behaviour() -> None:
    before, after, _ = two_exports(5, n=600)
    limit = distance_limit(before)
    none = far_groups(before, after, limit)
    assert not none[Diff.DIFFERS].any()
    vectors, distance, pages = after.vectors.copy(), after.distance.copy(), after.pages.seen.toarray()
    new = np.flatnonzero(after.clustered)[:120]
    vectors[new], distance[new] = [0, 0, -0.6, -0.8], 2.0
    pages[new] = [0, 0, 0, 0, 0, 3]
    found = far_groups(
        before, seen(replace(after, vectors=vectors, distance=distance), pages.tolist()), limit
    )
    top = found.iloc[0]
    assert top[Diff.DIFFERENCE_LOW] > 0
    assert top[Col.USERS] >= 120
    assert top[TYPICAL][0] == before.pages.names[5]


def test_too_few_far_users_make_no_group() -> None:
    before, after, _ = two_exports(5)
    assert len(far_groups(before, after, distance_limit(before))) == 0


@pytest.mark.parametrize("of_a_folder", [False, True])
def test_two_users_before_and_eight_now_are_no_new_page(of_a_folder: bool, tmp_path: Path) -> None:
    """Of 100: the interval holds 0; a folder does not say the 2, and takes no 0 for them."""
    before, after, _ = two_exports(0, n=100)
    others = pa.array([f"x{user}" for user in range(100)])
    early = seen(before, [[int(user < 2), 1, 1, 1, 1, 1] for user in range(100)])
    late = seen(replace(after, user_id=others), [[int(user < 8), 1, 1, 1, 1, 1] for user in range(100)])
    period = TrainingPeriod.of(early, 3)
    if of_a_folder:
        period.save(tmp_path)
        loaded = TrainingPeriod.load(tmp_path)
        assert loaded is not None
        period = loaded
    assert page_changes(period, late).empty
    more = seen(late, [[int(user < 20), 1, 1, 1, 1, 1] for user in range(100)])
    assert page_changes(period, more)[[CHANGE, PAGE]].to_numpy().tolist() == [[PageChange.NEW, "A"]]
    assert page_changes(period, replace(more, days=9)).empty  # of nine days, the training one


def test_what_two_users_saw_counts_for_them_where_they_are_at_hand() -> None:
    before, _, _ = two_exports(0, n=100)
    early = seen(before, [[int(user < 2), 1, 1, 1, 1, 1] for user in range(100)])
    assert TrainingPeriod.of(early, 3).saw(["A", "B", "Z"]).sum(axis=0).tolist() == [2, 100, 0]

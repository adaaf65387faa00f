"""Users of an export in frozen segments, beside counts made page view by page view."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from core.periods.placed_users import FAR_SHARE, distance_limit
from tests.core.periods.two_exports import KNOWN, NAMES, two_exports


@pytest.mark.parametrize("seed", range(10))
def test_views_users_and_unknown_pages_are_those_of_a_plain_count(seed: int) -> None:
    before, after, (early, late) = two_exports(seed, min_count=3)
    for side, source in ((before, early), (after, late)):
        seen = [
            [NAMES[page] for page in source.page[start:stop]]
            for start, stop in zip(source.offsets, source.offsets[1:], strict=False)
        ]
        assert side.pages.views.tolist() == [len(views) for views in seen]
        users = Counter(page for views in seen for page in set(views))
        found = dict(zip(side.pages.names, side.pages.users.tolist(), strict=True))
        assert found == {name: users[name] for name in side.pages.names}
        plain = [sum(page not in KNOWN for page in views) for views in seen]
        assert side.pages.unknown.tolist() == plain
        total = Counter(page for views in seen for page in views)
        without = [sum(total[page] - views.count(page) < 3 for page in views) for views in seen]
        assert side.pages.unknown_to_others(3).tolist() == without
    assert before.unknown.tolist() == before.pages.unknown_to_others(3).tolist()
    assert after.unknown.tolist() == after.pages.unknown.tolist()


def test_one_in_twenty_of_the_training_period_is_far() -> None:
    before, _, _ = two_exports(1, n=2000)
    assert before.far(distance_limit(before))[before.clustered].mean() == pytest.approx(FAR_SHARE, abs=1e-3)
    assert not before.far(distance_limit(before))[~before.clustered].any()


def test_who_is_in_no_segment_stands_behind_the_last_one() -> None:
    before, _, (early, _) = two_exports(2)
    assert before.sizes(3).sum() == 60
    assert before.sizes(3)[3] == (early.lengths < 2).sum() > 0
    assert np.isnan(before.distance).tolist() == (early.lengths < 2).tolist()

"""What a model folder keeps of its training period."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from core.base.errors import ArtifactError
from core.periods.drift import drift, page_changes
from core.periods.placed_users import PlacedUsers
from core.periods.training_period import FACTS, ROWS, TrainingPeriod
from tests.core.periods.test_page_changes import seen
from tests.core.periods.two_exports import two_exports


def exports(seed: int) -> tuple[PlacedUsers, PlacedUsers]:
    """Two exports that share nobody."""
    before, after, _ = two_exports(seed, n=120, shift=0.3, min_count=3)
    others = pa.array([f"x{user}" for user in after.user_id.to_pylist()])
    return before, PlacedUsers(others, *(vars(after)[name] for name in list(vars(after))[1:]))


@pytest.mark.parametrize("seed", range(5))
def test_of_others_a_folder_says_what_the_users_themselves_say(seed: int, tmp_path: Path) -> None:
    before, after = exports(seed)
    whole = TrainingPeriod.of(before, 3)
    whole.save(tmp_path)
    read = TrainingPeriod.load(tmp_path)
    assert read is not None
    one, other = (drift(period, after, permutations=99) for period in (whole, read))
    assert one.table.equals(other.table)
    assert (one.p_value, one.critical, one.limit) == (other.p_value, other.critical, other.limit)
    assert page_changes(whole, after).equals(page_changes(read, after))
    assert (read.k, read.clustered) == (3, int(before.clustered.sum()))


def test_who_is_in_both_is_known_again_by_the_users_alone(tmp_path: Path) -> None:
    before, after, _ = two_exports(1)
    whole = TrainingPeriod.of(before, 3)
    whole.save(tmp_path)
    read = TrainingPeriod.load(tmp_path)
    assert read is not None
    rows, there = whole.known_again(after.user_id)
    ids = before.user_id.take(whole.drawn).take(rows)
    assert ids.equals(after.user_id.take(there))
    assert len(ids) == 30
    assert [len(part) for part in read.known_again(after.user_id)] == [0, 0]


def test_a_folder_holds_no_id_no_rare_page_and_no_order_of_users(tmp_path: Path) -> None:
    before, _, _ = two_exports(0)
    rare = seen(before, [[1, int(user < 2), int(user < 3), 1, 1, 1] for user in range(60)])
    TrainingPeriod.of(rare, 3).save(tmp_path)
    text = (tmp_path / FACTS).read_text()
    assert f'"{before.pages.names[2]}": 3' in text
    assert f'"{before.pages.names[1]}"' not in text
    assert "u1" not in text
    shuffled = np.random.default_rng(0).permutation(60)
    other = PlacedUsers(
        rare.user_id.take(shuffled), rare.vectors[shuffled], rare.place[shuffled], rare.distance[shuffled],
        type(rare.pages)(rare.pages.names, rare.pages.seen[shuffled], rare.pages.known),
        rare.unknown[shuffled], rare.days,
    )  # fmt: skip
    TrainingPeriod.of(other, 3).save(tmp_path / "..")
    kept = [np.load(folder / ROWS)["values"] for folder in (tmp_path, tmp_path / "..")]
    assert np.allclose(*kept, equal_nan=True, atol=1e-5)


def test_a_folder_of_an_earlier_release_has_none_and_a_damaged_one_is_refused(tmp_path: Path) -> None:
    assert TrainingPeriod.load(tmp_path) is None
    before, _, _ = two_exports(0)
    TrainingPeriod.of(before, 3).save(tmp_path)
    facts = (tmp_path / FACTS).read_text()
    for text in (
        facts.replace('"days": 1', '"day": 1'),
        "{}",
        facts.replace('"format": 1', '"format": 2'),
        facts[:-9],
        re.sub(r'"A": \d+,', "", facts),
    ):
        (tmp_path / FACTS).write_text(text)
        with pytest.raises(ArtifactError, match="training period is damaged"):
            TrainingPeriod.load(tmp_path)

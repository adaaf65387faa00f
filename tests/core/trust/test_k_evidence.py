"""Numbers of segments on whole small data sets: found where they are, and not where chance made them."""

from pathlib import Path

import numpy as np
import pytest

from core.base.errors import Cancelled
from core.base.settings import TrainSettings, ViewWeights
from core.data.sequences import UserSequences
from core.model import bag
from core.model.embedding import embed
from core.segments.evidence import KEvidence
from core.trust.k_evidence import KSubject, measure
from core.trust.shuffled import shuffled_users
from tests.core.model.toys import SHOP_URLS, pages_of, sequences_of, shop

N_PAGES = len(SHOP_URLS)


def subject(users: UserSequences, folder: Path) -> KSubject:
    """The users with a bag of pages, which needs no training."""
    names = pages_of(SHOP_URLS)
    bag.train(users, SHOP_URLS, TrainSettings(min_count=1), folder)
    inside = users.lengths > 1
    return KSubject(users, names, folder, embed(folder, users, names), inside, ViewWeights())


def evidence(users: UserSequences, folder: Path) -> KEvidence:
    return measure(subject(users, folder), draws=5)


def test_two_kinds_of_users_are_two_segments(tmp_path: Path) -> None:
    found = evidence(shop(60), tmp_path)
    assert (found.suggested_k, found.users, found.draws) == (2, 60, 5)
    assert [row.k for row in found.rows] == [2]
    assert found.rows[0].halves.value == 1.0


def test_shuffled_users_have_none(tmp_path: Path) -> None:
    found = evidence(shuffled_users(shop(60), 99), tmp_path)
    assert found.suggested_k is None
    assert found.sentence.startswith("No stable segments here.")


@pytest.mark.parametrize(
    "pages",
    [
        [[number % 2, 2 + number % 2] for number in range(10)],
        [[0, 1, 2]] * 60,
        [[0, 1, 2] if number % 2 else [3, 4, 5] for number in range(60)],
        [np.random.default_rng(number).integers(0, N_PAGES, 2).tolist() for number in range(70)],
        [[0] * 30 + [number % N_PAGES] for number in range(70)],
    ],
    ids=["ten users", "all identical", "two kinds of identical users", "two views each", "one page"],
)
def test_poor_data_are_answered_in_words_and_finite_numbers(pages: list[list[int]], tmp_path: Path) -> None:
    users = sequences_of({f"u{number:04d}": seen for number, seen in enumerate(pages)})
    found = evidence(users, tmp_path)
    assert found.sentence.endswith(".")
    assert found.verdict in ("segments", "none")
    assert not found.table().isna().any(axis=None)


def test_two_kinds_of_identical_users_are_two_segments(tmp_path: Path) -> None:
    users = sequences_of({f"u{n:04d}": [0, 1, 2] if n % 2 else [3, 4, 5] for n in range(60)})
    assert evidence(users, tmp_path).suggested_k == 2


def test_it_is_the_same_again_and_can_be_stopped(tmp_path: Path) -> None:
    of = subject(shop(60), tmp_path)
    assert measure(of, draws=3) == measure(of, draws=3)

    def stop(stage: str, fraction: float, message: str = "", **figures: float) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        measure(of, stop, draws=3)


def test_users_outside_do_not_count(tmp_path: Path) -> None:
    pages = {f"u{number:04d}": [number % N_PAGES] * (1 + number // 30) for number in range(60)}
    found = evidence(sequences_of(pages), tmp_path)
    assert (found.users, found.rows, found.verdict) == (30, (), "none")

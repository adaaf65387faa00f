"""Numbers of segments beside chance: what is supported, suggested, and said."""

import json

import numpy as np
import pytest

from core.base.errors import ArtifactError
from core.segments.evidence import KEvidence, KMeasure, highest, judge, users_needed

KS = (2, 3, 4, 5)


def judged(
    halves: list[float], chance: float = 0.2, spread: float = 0.01, needed: int | None = None
) -> KEvidence:
    """Evidence of these agreements, each of six splits, against twenty draws around ``chance``."""
    rng = np.random.default_rng(0)
    splits = np.array(halves) + spread * np.array([-1, 1, -1, 1, -1, 1])[:, None]
    draws = chance + 0.02 * rng.normal(size=(20, len(halves)))
    found = {measure: splits if measure is KMeasure.SPLIT_HALF else splits[:1] for measure in KMeasure}
    return judge(KS[: len(halves)], found, dict.fromkeys(KMeasure, draws), 1000, needed)


def test_the_largest_number_within_the_noise_of_the_best_is_suggested() -> None:
    found = judged([0.90, 0.91, 0.905, 0.85])
    assert (found.suggested_k, found.verdict) == (4, "segments")
    assert found.near == (2, 3, 4)
    assert "in nearly the same way (agreement 0.91" in found.sentence
    assert "in a similar way" in judged([0.7, 0.62, 0.5, 0.4]).sentence


def test_a_number_that_chance_gives_as_well_is_not_supported() -> None:
    found = judged([0.9, 0.9, 0.9, 0.9], chance=0.9)
    assert (found.suggested_k, found.verdict, found.near) == (None, "none", ())


@pytest.mark.parametrize(
    ("agreement", "chance", "wide", "why"),
    [
        (0.5, 0.2, 0.2, "Some pages go together more often than by chance, but there another half"),
        (0.2, 0.2, 0.2, "Nothing goes beyond what users with shuffled pages show: another half"),
        (
            0.8,
            0.75,
            0.1,
            "Another half of the 1,000 users compared would cut them much alike, but users with",
        ),
        (0.8, 0.5, 0.2, "Another half of the 1,000 users compared would cut them much alike, but users with"),
    ],
)
def test_why_none_is_supported_is_true_of_its_figures(
    agreement: float, chance: float, wide: float, why: str
) -> None:
    """Halves that agree by .80 are not said to be cut otherwise: chance is why they count for nothing."""
    draws = chance + wide * np.linspace(-1, 1, 20)[:, None]
    draws = np.hstack([draws, np.where(np.arange(20) == 0, 0.9, 0.1)[:, None]])  # at one number far out once
    found = np.array([[agreement, 0.1]])
    said = judge(KS[:2], dict.fromkeys(KMeasure, found), dict.fromkeys(KMeasure, draws), 1000).sentence
    assert said.startswith(f"No stable segments here. {why}")
    assert ("cut otherwise" in said) == (agreement < 0.6)
    assert f"(at best 2 segments: agreement {agreement:.2f}, by chance {chance:.2f};" in said
    assert "cannot be told from these" in said


def test_users_needed_are_said_where_none_is_supported() -> None:
    found = judged([0.3, 0.5, 0.4, 0.3], needed=4000)
    assert (found.suggested_k, found.usable_k) == (None, 3)
    assert "4,000 are needed" in found.sentence


def test_where_none_is_supported_the_number_that_repeats_best_is_taken_not_the_luckiest_lead() -> None:
    """At chance every lead is noise: many segments that nobody finds again would be an odd start."""
    levels = np.array([0.5, 0.4, 0.3, 0.2])
    draws = levels + np.array([-0.05, 0.05])[:, None]
    found = {measure: levels[None] + [0, 0, 0, 0.04] for measure in KMeasure}
    assert judge(KS, found, dict.fromkeys(KMeasure, draws), 1000, None).usable_k == 2
    beyond = {measure: levels[None] + [0, 0.1, 0, 0] for measure in KMeasure}
    assert judge(KS, beyond, dict.fromkeys(KMeasure, draws), 1000, None).usable_k == 3


def test_what_was_not_compared_is_said_in_words() -> None:
    nothing = KEvidence(rows=(), users=10, draws=0)
    assert (nothing.verdict, nothing.usable_k, nothing.table().empty) == ("none", 2, True)
    assert nothing.sentence.startswith("Too few users")


def test_a_table_has_a_row_a_number_and_survives_the_disk() -> None:
    found = judged([0.9, 0.8, 0.7, 0.7])
    assert list(found.table()["k"]) == list(KS)
    assert {"split_half", "split_half_null_low", "seeds_null_high", "davies_bouldin"} <= set(found.table())
    assert KEvidence.from_json(found.to_json()) == found
    json.dumps(found.records(), allow_nan=False)
    with pytest.raises(ArtifactError, match="cannot be read"):
        KEvidence.from_json("{}")


def test_one_number_at_which_chance_varies_much_does_not_ask_for_more_than_all_of_agreement() -> None:
    """As on a site of 30 pages: a cut in two that shuffled users often share, by .1 to .9."""
    wide = np.array([0.1] * 16 + [0.6, 0.7, 0.8, 0.9])
    draws = np.stack([wide, 0.35 + 0.3 * (wide - 0.3)], axis=1)
    assert (highest(draws) < 1).all() and (highest(draws) >= draws.max(axis=0)).all()
    found = dict.fromkeys(KMeasure, np.array([[0.7, 0.97]]))
    assert judge(KS[:2], found, dict.fromkeys(KMeasure, draws), 600).suggested_k == 3
    alike = dict.fromkeys(KMeasure, np.ones((20, 2)))
    assert judge(KS[:2], dict.fromkeys(KMeasure, np.ones((6, 2))), alike, 600).suggested_k is None


def test_users_without_structure_pass_the_band_about_once_in_21_times() -> None:
    """Draws are exchangeable with the real users then, so the share is 1/21 for any distribution."""
    rng = np.random.default_rng(1)
    passed = []
    for _ in range(400):
        figures = rng.normal(size=(21, 14)) * np.linspace(0.3, 0.01, 14)
        passed.append(bool((figures[0] > highest(figures[1:])).any()))
    assert np.mean(passed) == pytest.approx(1 / 21, abs=0.025)


@pytest.mark.parametrize(
    ("now", "at_half", "noise", "expected"),
    [
        (0.4, 0.3, 0.01, 4000),  # .1 a doubling: two doublings to .6
        (0.4, 0.39, 0.01, None),  # no growth beyond the noise
        (0.1, 0.05, 0.001, None),  # ten doublings: out of reach
    ],
)
def test_users_needed_are_told_by_growth_with_each_doubling(
    now: float, at_half: float, noise: float, expected: int | None
) -> None:
    assert users_needed(1000, now, at_half, noise) == expected

"""Time to the outcome: a textbook's figures, small cases by hand, and random ones by lifelines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.journeys.survival import AT_RISK, HAVE_HAD, TimeToOutcome, time_to_outcome
from core.profiles.profile_columns import Col
from core.storage.sequences import UserSequences
from tests.core.journeys.make_lifelines import END
from tests.core.journeys.toy import had, walks
from tests.random_cases import cases

CASES: list[dict[str, Any]] = json.loads(Path(__file__).with_name("lifelines.json").read_text())
MINUTE = 60.0


def followed(begins: list[int], end: int) -> UserSequences:
    """A user each who came at a minute and saw one page, and a last one who shows where the data end."""
    return walks([[[0]]] * (len(begins) + 1), [*begins, end])


def of_all_but_the_last(sequences: UserSequences, minutes: dict[int, float]) -> TimeToOutcome:
    users = np.arange(sequences.n_users) < sequences.n_users - 1
    return time_to_outcome(sequences, users, had(minutes))


def test_remissions_of_freireich_as_in_the_textbooks() -> None:
    """6-MP against leukaemia (Freireich and others 1963), weeks; Greenwood by Kleinbaum and Klein (2012)."""
    relapsed = [6, 6, 6, 7, 10, 13, 16, 22, 23]
    censored = [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
    begins = [0] * len(relapsed) + [35 - week for week in censored]
    found = of_all_but_the_last(followed(begins, 35), {user: week for user, week in enumerate(relapsed)})
    assert (found.seconds / MINUTE).tolist() == [6, 7, 10, 13, 16, 22, 23]
    assert (1 - found.share).round(4).tolist() == [0.8571, 0.8067, 0.7529, 0.6902, 0.6275, 0.5378, 0.4482]
    assert found.at_risk(found.seconds).tolist() == [21, 17, 15, 12, 11, 7, 6]
    assert found.time_until(0.5) == 23 * MINUTE
    assert found.time_until(0.1) == 6 * MINUTE
    assert round(1 - found.in_the_end, 4) == 0.4482


@pytest.mark.parametrize("case", cases(len(CASES)))
def test_random_users_are_estimated_as_by_lifelines(case: int) -> None:
    begins, took = CASES[case]["begins"], CASES[case]["took"]
    minutes = {user: begins[user] + t for user, t in enumerate(took) if t is not None}
    found = of_all_but_the_last(followed(begins, END), minutes)
    curve = np.array(CASES[case]["curve"]).reshape(-1, 4)
    assert found.had == len(minutes)
    np.testing.assert_allclose(found.seconds / MINUTE, curve[:, 0])
    np.testing.assert_allclose(1 - found.share, curve[:, 1], atol=2e-9)
    some = found.share < 1  # where all have had it, lifelines calls the estimate its own interval
    np.testing.assert_allclose(1 - found.high[some], curve[some, 2], atol=2e-9)
    np.testing.assert_allclose(1 - found.low[some], curve[some, 3], atol=2e-9)
    assert np.isnan(found.low[~some]).all()
    assert found.at_risk(found.seconds).tolist() == CASES[case]["at_risk"]
    half = [minute * MINUTE for minute, without in curve[:, :2].tolist() if without <= 0.5]
    assert found.time_until(0.5) == (half[0] if half else None)


def test_the_curve_is_read_at_any_moment_as_far_as_anybody_was_followed() -> None:
    found = of_all_but_the_last(followed([0, 0, 0, 8], 10), {0: 2.0, 1: 4.0})
    read = found.at(np.array([0, 1, 2, 3, 4, 10, 11]) * MINUTE)
    assert read[HAVE_HAD].round(4).tolist() == [0, 0, 0.25, 0.25, 0.625, 0.625]
    assert read[AT_RISK].tolist() == [4, 4, 4, 2, 2, 1]  # the fourth is followed for two minutes
    assert read[Col.LOW].isna().tolist() == [True, True, False, False, False, False]
    assert (read[Col.LOW].dropna() < read[Col.HIGH].dropna()).all()


def test_who_had_it_before_the_first_page_view_is_counted_and_not_followed() -> None:
    found = of_all_but_the_last(followed([5, 5], 10), {0: 3.0, 1: 6.0})
    assert (found.before, found.had, len(found.followed)) == (1, 1, 1)


def test_the_data_end_with_the_last_outcome_where_that_is_later() -> None:
    found = of_all_but_the_last(followed([0, 0], 10), {0: 30.0})
    assert (found.followed / MINUTE).tolist() == [30, 30]


@pytest.mark.parametrize(("minutes", "share"), [({}, []), ({0: 0.0, 1: 0.0}, [1.0])])
def test_nobody_and_everybody_at_once(minutes: dict[int, float], share: list[float]) -> None:
    found = of_all_but_the_last(followed([0, 0], 10), minutes)
    assert found.share.tolist() == share
    assert found.at(np.array([0.0]))[HAVE_HAD].tolist() == [float(bool(minutes))]
    assert found.time_until(0.5) == (0.0 if minutes else None)


def test_one_user_and_no_user() -> None:
    sequences = followed([0], 10)
    assert of_all_but_the_last(sequences, {0: 4.0}).share.tolist() == [1.0]
    nobody = time_to_outcome(sequences, np.zeros(2, dtype=bool), had({0: 4.0}))
    assert len(nobody.followed) == 0
    assert len(nobody.at(np.array([0.0]))) == 0

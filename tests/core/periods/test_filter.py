"""Whom and which days a filter leaves, in a link and in words."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from core.base.attributes import ATTRIBUTES
from core.base.errors import SettingsError
from core.base.local_clock import UTC_CLOCK, LocalClock
from core.base.schema import Users
from core.periods.filter import CountFilter, apply_filter
from tests.core.periods.visits import CASES, frame, random_case, visits

USERS = pd.DataFrame(
    {
        Users.DEVICE: ["mobile", "desktop", "mobile"],
        Users.COUNTRY: ["Italy", None, "France"],
        Users.SOURCE: ["google / organic"] * 3,
    }
)
VISITS = visits([[0.1, 1.1], [1.2], [2.3]])


def left(chosen: CountFilter, clock: LocalClock = UTC_CLOCK) -> tuple[list[int], int]:
    found = apply_filter(chosen, USERS, VISITS, clock)
    return np.flatnonzero(found.users).tolist(), int(found.views.sum())


def test_nothing_chosen_leaves_all() -> None:
    assert left(CountFilter()) == ([0, 1, 2], 4)
    assert not CountFilter().is_set and CountFilter().in_words == ""


def test_by_attributes_and_days() -> None:
    assert left(CountFilter(device=("mobile",))) == ([0, 2], 3)
    assert left(CountFilter(device=("mobile",), country=("Italy", "Spain"))) == ([0], 2)
    assert left(CountFilter(country=("Italy", "France"))) == ([0, 2], 3)  # who has no country does not fit
    assert left(CountFilter(first_day=date(2016, 3, 1), last_day=date(2016, 3, 1))) == ([0, 1], 2)


def test_days_are_those_of_the_exports_clock() -> None:
    first = CountFilter(last_day=date(2016, 2, 29))
    assert left(first) == ([0], 1)
    assert left(first, LocalClock.fixed(-300)) == ([0, 1], 3)


def test_users_of_a_condition_are_those_given_beside_the_other_fields() -> None:
    chosen = CountFilter(device=("mobile",), where="{}", who="users who did it")
    found = apply_filter(chosen, USERS, VISITS, UTC_CLOCK, np.array([False, True, True]))
    assert (np.flatnonzero(found.users).tolist(), int(found.views.sum())) == ([2], 1)
    assert chosen.in_words == "users who did it; device mobile"
    with pytest.raises(ValueError, match="needs the users"):
        left(chosen)


def test_who_leaves_nobody_is_told_so() -> None:
    with pytest.raises(SettingsError, match=r"none of 3 users fits device tablet; from 1 Mar 2016.*Clear"):
        left(CountFilter(device=("tablet",), first_day=date(2016, 3, 1)))


def test_the_wrong_order_of_days_is_refused() -> None:
    with pytest.raises(SettingsError, match="comes before"):
        CountFilter.checked(first_day="2016-03-02", last_day="2016-03-01")


def test_a_link_says_the_same_and_nonsense_in_it_is_refused() -> None:
    chosen = CountFilter(first_day=date(2016, 3, 1), device=("mobile", "tablet"), source=("a / b",))
    assert CountFilter.from_link(chosen.link()) == chosen
    assert CountFilter.from_link({}) is None
    with pytest.raises(SettingsError):
        CountFilter.from_link({"from": ["yesterday"]})


def test_a_chosen_dimension_filters_as_a_device_does_and_a_link_keeps_it() -> None:
    chosen = CountFilter(attributes={"plan": ("pro: yearly", "free"), "country": ()}, device=("mobile",))
    assert chosen.values == {"device": ("mobile",), "plan": ("pro: yearly", "free")}
    assert chosen.in_words == "device mobile; plan pro: yearly or free"
    assert CountFilter.from_link(chosen.link()) == chosen == CountFilter.model_validate(chosen.model_dump())
    users = USERS.assign(plan=["free", "pro", "pro: monthly"])
    assert np.flatnonzero(apply_filter(chosen, users, VISITS, UTC_CLOCK).users).tolist() == [0]
    with pytest.raises(SettingsError, match="'plan', which this data set does not have"):
        left(chosen)


def test_many_values_are_not_all_written_out() -> None:
    assert CountFilter(country=tuple("ABCDE")).in_words == "country A or B or C or 2 more"


@pytest.mark.parametrize("seed", range(CASES))
def test_it_leaves_what_pandas_leaves(seed: int) -> None:
    random = np.random.default_rng(seed)
    sequences, labels, clock = random_case(random)
    users = pd.DataFrame({column: random.choice(list("ab"), sequences.n_users) for column in ATTRIBUTES})
    views = frame(sequences, labels, clock)
    low, high = (views["local"].dt.date.sample(1, random_state=seed + n).iloc[0] for n in (0, 1))
    chosen = CountFilter(first_day=min(low, high), last_day=max(low, high), device=("a",))
    kept = views["local"].dt.date.between(min(low, high), max(low, high))
    kept &= (users[Users.DEVICE] == "a").to_numpy()[views["user"]]
    if not kept.any():
        with pytest.raises(SettingsError):
            apply_filter(chosen, users, sequences, clock)
        return
    found = apply_filter(chosen, users, sequences, clock)
    assert (found.views == kept.to_numpy()).all()
    assert set(np.flatnonzero(found.users)) == set(views["user"][kept])

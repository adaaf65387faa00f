"""The Users page: lists of people, the search by id, and one person's sessions."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from core.profiles.samples import SECONDS_TO_NEXT
from pages.ui.shell.text import md_text
from tests.pages.conftest import OpenApp
from tests.pages.fake_jobs import texts
from tests.pages.fixtures_segments import FLOAT_LIKE_ID, HOSTILE_TITLE, FinishedRun

PAGE = "pages/use/users.py"


@pytest.fixture
def users(open_app: OpenApp, finished_run: FinishedRun) -> AppTest:
    app = open_app(PAGE, data=finished_run.dataset, k="3")
    assert not app.exception
    return app


def listed(app: AppTest) -> list[list[str]]:
    return [table.value["user_id"].tolist() for table in app.dataframe if "user_id" in table.value.columns]


def test_without_data_it_says_where_to_go(open_app: OpenApp) -> None:
    app = open_app(PAGE)
    assert not app.exception
    assert "This page needs a data set" in texts(app)


def test_typical_and_random_users_of_a_segment_are_listed(users: AppTest) -> None:
    typical, drawn = listed(users)
    assert (len(typical), len(drawn)) == (5, 5)
    assert len({user.split("_")[1] for user in typical if user.startswith("user_")}) == 1  # of one kind


def test_lists_and_the_user_say_how_much_they_belong(users: AppTest) -> None:
    shares = next(table.value["membership"] for table in users.dataframe if "membership" in table.value)
    assert ((shares > 0.5) & (shares <= 1)).all()
    users.text_input(key="wanted_user").set_value(listed(users)[0][0]).run()
    assert f"belongs {shares.iloc[0]:.0%}, next: " in texts(users)


def test_the_seed_draws_others_and_the_same_again(users: AppTest) -> None:
    first = listed(users)[1]
    users.number_input(key="sample_seed").set_value(7).run()
    other = listed(users)[1]
    users.number_input(key="sample_seed").set_value(0).run()
    assert first != other
    assert listed(users)[1] == first


def test_a_user_is_found_by_the_exact_id_and_read_in_sessions(users: AppTest) -> None:
    users.text_input(key="wanted_user").set_value(FLOAT_LIKE_ID).run()
    assert not users.exception
    assert FLOAT_LIKE_ID in [text.value for text in users.text]
    assert "5 page views in 2 sessions" in texts(users)
    timeline = next(table.value for table in users.dataframe if SECONDS_TO_NEXT in table.value.columns)
    assert timeline["session"].tolist() == [1, 1, 1, 2, 2]
    assert timeline["page_title"].iloc[0] == HOSTILE_TITLE
    assert HOSTILE_TITLE not in texts(users)
    assert len(users.get("vega_lite_chart")) == 1


@pytest.mark.parametrize(
    "wanted", [FLOAT_LIKE_ID[:-1], "USER_0_00001", "![x](https://tracker.invalid/p.gif)"]
)
def test_an_id_must_match_exactly(users: AppTest, wanted: str) -> None:
    users.text_input(key="wanted_user").set_value(wanted).run()
    assert not users.exception
    assert "No user has the id" in users.error[0].value
    assert "![" not in users.error[0].value


def test_a_segment_that_goes_while_it_is_listed_breaks_nothing(users: AppTest) -> None:
    users.selectbox(key="people_of").set_value(2).run()
    users.slider(key="k").set_value(2).run()
    assert not users.exception
    assert len(listed(users)) == 2


def test_a_user_outside_clustering_says_why(users: AppTest) -> None:
    users.text_input(key="wanted_user").set_value("once_00").run()
    assert f"{md_text('One-page users')}, not clustered" in texts(users)

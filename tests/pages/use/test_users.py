"""The Users page: lists of people, the search by id, and one person's sessions."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core.base.progress import silent
from core.base.settings import Preset, TrainSettings
from core.people.look_alikes import SCORE
from core.people.occlusion import EFFECT, Reasons
from core.profiles.samples import SECONDS_TO_NEXT
from core.runs import artifacts, pipeline
from core.storage.store import MANIFEST, Store, file_checksum
from pages.ui.people import reasons_view, user_lists
from pages.ui.people.look_alikes_view import Seeds
from pages.ui.shell.text import md_text
from tests.pages.conftest import OpenApp
from tests.pages.fake_jobs import texts
from tests.pages.fixtures_segments import BOTS, FLOAT_LIKE_ID, HOSTILE_TITLE, PER_KIND, FinishedRun, write_run

PAGE = "pages/use/users.py"


@pytest.fixture
def users(open_app: OpenApp, finished_run: FinishedRun) -> AppTest:
    app = open_app(PAGE, data=finished_run.dataset, k="3")
    assert not app.exception
    return app


def listed(app: AppTest) -> list[list[str]]:
    return [table.value["user_id"].tolist() for table in app.dataframe if "user_id" in table.value.columns]


def scored(app: AppTest) -> pd.DataFrame:
    """The table of look-alikes."""
    tables = [table.value for table in app.dataframe]
    return next(table for table in tables if {SCORE, "user_id"} <= set(table.columns))


def show(app: AppTest, lists: str) -> None:
    app.segmented_control(key="lists").set_value(lists).run()


def test_without_data_it_says_where_to_go(open_app: OpenApp) -> None:
    app = open_app(PAGE)
    assert not app.exception
    assert "This page needs a data set" in texts(app)


def test_users_of_a_segment_are_listed_by_how_they_stand_in_it(users: AppTest) -> None:
    typical, drawn, between, outlying = listed(users)
    assert [len(one) for one in (typical, drawn, between, outlying)] == [5] * 4
    shares = [table.value["membership"] for table in users.dataframe if "membership" in table.value]
    assert shares[2].max() < shares[0].min()  # between two segments users belong less than the typical ones
    assert shares[3].max() < shares[0].min()
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
    assert len(listed(users)) == 4


def test_a_user_outside_clustering_says_why(users: AppTest) -> None:
    users.text_input(key="wanted_user").set_value("once_00").run()
    assert f"{md_text('One-page users')}, not clustered" in texts(users)


def test_users_are_found_by_what_they_saw_and_did(users: AppTest) -> None:
    show(users, "Search")
    assert listed(users) == []
    users.multiselect(key="search-saw").set_value(["page:shop.example/blog"]).run()
    assert not users.exception
    assert len(listed(users)[0]) == PER_KIND + BOTS
    users.multiselect(key="search-rows").set_value(["segment:0", "segment:1", "segment:2"]).run()
    assert len(listed(users)[0]) == PER_KIND
    users.multiselect(key="search-did").set_value(["purchase"]).run()
    assert listed(users)[0] == []
    assert "Nobody." in texts(users)


def test_users_are_found_by_a_chosen_dimension(
    open_app: OpenApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = write_run(tmp_path / "with a plan", per_kind=12)  # none that other tests have in memory
    monkeypatch.setenv("BEHA2VEC_CACHE", str(run.root))
    path = artifacts.open_dataset(Store(run.root), run.dataset).path / "users.parquet"
    table = pd.read_parquet(path)
    table["plan"] = ["plus", *["free"] * (len(table) - 1)]
    table.to_parquet(path, index=False)
    manifest = json.loads((path.parent / MANIFEST).read_text())
    manifest["files"][path.name] = file_checksum(path)
    (path.parent / MANIFEST).write_text(json.dumps(manifest))
    app = open_app(PAGE, data=run.dataset, k="3")
    show(app, "Search")
    assert app.multiselect(key="search-of-plan").label == "Main plan"
    app.multiselect(key="search-of-plan").set_value(["plus"]).run()
    assert listed(app) == [[table["user_id"][0]]]


def test_a_search_is_there_again_on_the_way_back(users: AppTest) -> None:
    show(users, "Search")
    users.multiselect(key="search-of-device").set_value(["mobile"]).run()
    found = listed(users)[0]
    show(users, "Of a segment")
    show(users, "Search")
    assert users.multiselect(key="search-of-device").value == ["mobile"]
    assert listed(users)[0] == found


def test_look_alikes_of_a_segment_are_users_of_the_others(users: AppTest) -> None:
    show(users, "Look-alikes")
    assert not users.exception
    users.number_input[0].set_value(7).run()
    table = scored(users)
    assert len(table) == 7
    assert table[SCORE].is_monotonic_decreasing
    own = users.selectbox(key="like_segment").options[0]
    assert own not in set(table["segment"])
    assert "Hidden seeds" not in texts(users)


def test_look_alikes_of_the_one_user_that_is_looked_at(users: AppTest) -> None:
    show(users, "Look-alikes")
    users.segmented_control(key="like").set_value(Seeds.USER).run()
    assert "Find a user by id above" in texts(users)
    users.text_input(key="wanted_user").set_value("user_1_00003").run()
    assert not users.exception
    table = scored(users)
    assert set(table["user_id"].str[:6].head(10)) == {"user_1"}
    assert "fewer than 10 seeds" in texts(users)


def test_look_alikes_of_a_list_say_what_became_of_each_id(users: AppTest) -> None:
    show(users, "Look-alikes")
    users.segmented_control(key="like").set_value(Seeds.LIST).run()
    seeds = [f"user_2_{number:05d}" for number in range(12)]
    pasted = "\n".join(["user_pseudo_id", *seeds, seeds[0], "once_00", "**nobody**"])
    users.text_area(key="pasted_ids").set_value(pasted).run()
    assert not users.exception
    assert "15 ids read (first line taken as a header): 13 known users, 1 unknown, " in texts(users)
    assert f"Unknown: {md_text('**nobody**')}" in texts(users)  # text of strangers is no Markdown
    assert "1 seed is not clustered" in texts(users)
    found = scored(users)
    assert not set(found["user_id"]) & set(seeds)
    assert (found["user_id"].str[:6] == "user_2").mean() > 0.9
    curve = next(table.value for table in users.dataframe if "by_chance" in table.value)
    assert curve["found"].iloc[-1] == 1


@pytest.mark.parametrize(
    ("pasted", "told"),
    [
        ("nobody\nno-one", "None of these ids is in the data"),
        (",,\n;", "There is no id in the list"),
        ("once_00\nonce_01", "None of 2 users to be like is clustered"),
    ],
)
def test_a_list_that_leads_nowhere_says_so(users: AppTest, pasted: str, told: str) -> None:
    show(users, "Look-alikes")
    users.segmented_control(key="like").set_value(Seeds.LIST).run()
    users.text_area(key="pasted_ids").set_value(pasted).run()
    assert not users.exception
    assert told in users.error[0].value


def test_a_file_of_ids_goes_before_what_was_pasted(users: AppTest) -> None:
    show(users, "Look-alikes")
    users.segmented_control(key="like").set_value(Seeds.LIST).run()
    users.text_area(key="pasted_ids").set_value("user_2_00001").run()
    upload = users.file_uploader(key="ids_file")
    upload.upload("ids.csv", b"user_id,cluster\r\nuser_0_00001,0\r\nuser_0_00002,0\r\n", "text/csv").run()
    assert not users.exception
    assert "2 ids read (first line taken as a header): 2 known users" in texts(users)


def test_a_file_that_is_no_list_is_refused_in_words(users: AppTest) -> None:
    show(users, "Look-alikes")
    users.segmented_control(key="like").set_value(Seeds.LIST).run()
    users.file_uploader(key="ids_file").upload("ids.csv", b"\x89PNG\r\n\0\0", "text/csv").run()
    assert not users.exception
    assert "a PNG image" in users.error[0].value


def test_a_list_of_everybody_leaves_nobody(users: AppTest, finished_run: FinishedRun) -> None:
    show(users, "Look-alikes")
    users.segmented_control(key="like").set_value(Seeds.LIST).run()
    store = Store(finished_run.root)
    ids = artifacts.open_dataset(store, finished_run.dataset).sequences.user_id.to_pylist()
    users.text_area(key="pasted_ids").set_value("\n".join(ids)).run()
    assert "Every clustered user is on the list" in users.error[0].value


def test_ids_are_in_no_link(users: AppTest) -> None:
    show(users, "Look-alikes")
    users.segmented_control(key="like").set_value(Seeds.LIST).run()
    users.text_area(key="pasted_ids").set_value("user_2_00001").run()
    assert "user_2_00001" not in str(dict(users.query_params))


def test_why_a_user_is_here_is_told_page_by_page(open_app: OpenApp, finished_run: FinishedRun) -> None:
    store = Store(finished_run.root)
    dataset = artifacts.open_dataset(store, finished_run.dataset)
    model = pipeline.train(store, dataset, None, TrainSettings.preset(Preset.BAG), silent)
    pipeline.embed(store, dataset, None, model, silent)
    app = open_app(PAGE, data=finished_run.dataset, model=model.key, k="3")
    app.text_input(key="wanted_user").set_value(FLOAT_LIKE_ID).run()
    app.toggle(key="why").set_value(True).run()
    assert not app.exception
    assert not app.error
    pages, sessions = (table.value for table in app.dataframe if "effect" in table.value)
    assert sorted(pages["what"]) == ["/cart", "/sale", "/sale/shoes"]
    assert sorted(sessions["what"]) == ["Session 1", "Session 2"]
    assert "a lead of" in texts(app)


def test_of_a_user_chosen_by_hand_no_segment_without_a_page_is_told(
    open_app: OpenApp, finished_run: FinishedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = pd.DataFrame({"kind": "session", "part": [0, 1], "views": [3, 2], "effect": [0.1, -0.1]})
    found = Reasons(0, 1, 1.0, 1.5, parts.assign(distance=1.1, next_distance=1.4))
    monkeypatch.setattr(reasons_view, "_reasons", lambda *_: found)
    app = open_app(PAGE, data=finished_run.dataset, k="3")
    app.text_input(key="wanted_user").set_value(FLOAT_LIKE_ID).run()
    app.toggle(key="why").set_value(True).run()
    assert not app.exception
    assert reasons_view.BY_HAND in texts(app)
    (table,) = (table.value for table in app.dataframe if "effect" in table.value)  # and none of its one page
    assert "without" not in table
    assert "what" in table
    specs = [chart.proto.spec for chart in app.get("vega_lite_chart")]
    assert [EFFECT in spec for spec in specs if "Minutes and seconds" in spec] == [False]


def test_a_model_that_is_gone_is_said_in_words(users: AppTest) -> None:
    users.text_input(key="wanted_user").set_value(FLOAT_LIKE_ID).run()
    users.toggle(key="why").set_value(True).run()
    assert not users.exception
    assert "is not a model file" in users.error[0].value
    assert "5 page views in 2 sessions" in texts(users)  # what they did is read all the same


def test_who_is_not_clustered_is_not_asked_why(users: AppTest) -> None:
    users.text_input(key="wanted_user").set_value("once_00").run()
    assert "why" not in [toggle.key for toggle in users.toggle]


def suggested(app: AppTest) -> pd.DataFrame:
    """The table of next pages."""
    return next(table.value for table in app.dataframe if {"score", "why"} <= set(table.value.columns))


def test_next_pages_are_new_ones_that_are_no_function_or_any(users: AppTest) -> None:
    users.text_input(key="wanted_user").set_value(FLOAT_LIKE_ID).run()
    users.toggle(key="next_pages").set_value(True).run()
    assert not users.exception
    assert not users.error
    own = {"shop.example/sale", "shop.example/sale/shoes", "shop.example/cart"}
    new = suggested(users)
    assert set(new["page_location"]) == {"shop.example/guide", "shop.example/guide/size", "shop.example/blog"}
    assert (new["why"] == "popular 100%").all()  # nobody who saw their pages saw others
    assert "too few to weigh the sources" in texts(users)
    users.segmented_control(key="next_reach").set_value("any").run()
    assert not users.exception
    found = suggested(users)
    assert set(found["page_location"].head(3)) == own
    assert "followed the last page" in found["why"].iloc[0]
    assert found["page_title"].iloc[0] is not None


def test_who_is_not_clustered_has_next_pages_all_the_same(users: AppTest) -> None:
    users.text_input(key="wanted_user").set_value("once_00").run()
    users.toggle(key="next_pages").set_value(True).run()
    assert not users.exception
    assert suggested(users)["page_location"].iloc[0] == "shop.example/sale/shoes"


def test_the_user_looked_at_is_in_the_address_by_place_and_comes_from_it(
    users: AppTest, open_app: OpenApp, finished_run: FinishedRun
) -> None:
    users.text_input(key="wanted_user").set_value(FLOAT_LIKE_ID).run()
    place = str(users.query_params["user"])
    assert place.isdecimal()
    assert FLOAT_LIKE_ID not in str(dict(users.query_params))
    again = open_app(PAGE, data=finished_run.dataset, k="3", user=place)
    assert again.text_input(key="wanted_user").value == FLOAT_LIKE_ID
    assert FLOAT_LIKE_ID in [text.value for text in again.text]
    told = [caption.value for caption in again.caption]
    assert told.index("User") < told.index(user_lists.TYPICAL)  # above the lists, or beside them
    again.text_input(key="wanted_user").set_value("nobody").run()
    assert "user" not in again.query_params
    other = open_app(PAGE, data=finished_run.dataset, k="3")
    assert other.text_input(key="wanted_user").value == ""


def test_a_place_that_the_data_do_not_have_finds_nobody(open_app: OpenApp, finished_run: FinishedRun) -> None:
    app = open_app(PAGE, data=finished_run.dataset, k="3", user="999999")
    assert not app.exception
    assert app.text_input(key="wanted_user").value == ""

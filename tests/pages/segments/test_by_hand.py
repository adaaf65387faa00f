"""Segments changed by hand on Explore: said before, done, told, taken back, and never lost by a move."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from core.base.schema import SET_ASIDE
from core.saved import saved_work
from core.segments.partition import Partition
from core.storage.store import Store
from pages.ui.segments import editing_view, map_view
from pages.ui.segments.session_segments import KEY
from pages.ui.shell import state
from tests.core.segments.made_levels import supported
from tests.pages.conftest import OpenApp
from tests.pages.fake_jobs import texts
from tests.pages.fixtures_segments import FinishedRun, keep_certificates, keep_levels

PAGE = "pages/segments/explore.py"


def partition(app: AppTest, run: FinishedRun) -> Partition:
    found: Partition = app.session_state[state.OF_MODEL][run.model][KEY].history[0].partition
    return found


def widget(found: object, prefix: str) -> object:
    return next(one for one in found if one.key and one.key.startswith(prefix))  # type: ignore[attr-defined]


def merge(app: AppTest, segments: list[int]) -> None:
    widget(app.multiselect, "Merge-").set_value(segments).run()  # type: ignore[attr-defined]
    app.button(key="by-hand-do").click().run()
    assert not app.exception


def test_two_segments_become_one_and_undo_brings_back_the_very_same(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    app = open_app(PAGE, data=finished_run.dataset)
    first = partition(app, finished_run)
    widget(app.multiselect, "Merge-").set_value([4, 1]).run()  # type: ignore[attr-defined]
    users = first.sizes[1] + first.sizes[4]
    assert f"It gives **2** with {users} users; 5 segments in all." in texts(app)
    assert partition(app, finished_run) is first
    app.button(key="by-hand-do").click().run()
    assert not app.exception
    assert f"Merged 2 and 5 into 2: {users} users" in texts(app).replace("\\", "")
    assert "73 users in 5 segments" in texts(app)
    assert "By hand" in texts(app)
    assert partition(app, finished_run).sizes[1] == users
    app.button(key="undo-by-hand").click().run()
    assert partition(app, finished_run).digest == first.digest
    assert "73 users in 6 segments" in texts(app)
    assert all(button.key != "undo-by-hand" for button in app.button)


def test_another_session_finds_the_changes_and_can_take_them_back(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    app = open_app(PAGE, data=finished_run.dataset)
    first = partition(app, finished_run)
    merge(app, [0, 1])
    merge(app, [2, 3])
    other = open_app(PAGE, data=finished_run.dataset)
    assert partition(other, finished_run).digest == partition(app, finished_run).digest
    for _ in range(2):
        other.button(key="undo-by-hand").click().run()
    assert partition(other, finished_run).digest == first.digest
    assert "by hand: these segments" not in texts(open_app(PAGE, data=finished_run.dataset))


def test_a_move_ends_the_changes_says_so_and_they_can_be_brought_back_in_another_session_too(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    app = open_app(PAGE, data=finished_run.dataset)
    merge(app, [0, 1])
    changed = partition(app, finished_run)
    app.slider(key="k").set_value(4).run()
    assert "A move ended your 1 change by hand" in texts(app)
    assert not partition(app, finished_run).edits
    app = open_app(PAGE, data=finished_run.dataset, k="4")
    app.button(key="bring-back").click().run()
    assert not app.exception
    assert app.slider(key="k").value == 6
    assert partition(app, finished_run).digest == changed.digest
    assert "A move ended" not in texts(app)


def test_the_way_back_of_a_slider_brings_them_back_and_a_refit_does_not_lose_them(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    app = open_app(PAGE, data=finished_run.dataset)
    app.slider(key="k").set_value(5).run()
    merge(app, [0, 1])
    changed = partition(app, finished_run).digest
    app.slider(key="k").set_value(3).run()
    app.slider(key="k").set_value(5).run()
    assert partition(app, finished_run).digest == changed
    app.button(key="refit").click().run()
    assert "73 users in 5 segments" in texts(app)
    assert "A move ended your 1 change by hand" in texts(app)
    app.button(key="bring-back").click().run()
    assert partition(app, finished_run).digest == changed


def test_changes_that_are_let_go_are_not_offered_again(open_app: OpenApp, finished_run: FinishedRun) -> None:
    app = open_app(PAGE, data=finished_run.dataset)
    merge(app, [0, 1])
    app.slider(key="k").set_value(4).run()
    app.button(key="let-go").click().run()
    assert "A move ended" not in texts(app)
    assert "A move ended" not in texts(open_app(PAGE, data=finished_run.dataset))


def test_a_merged_segment_keeps_the_name_of_the_largest_and_undo_that_of_the_other(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    store, model = Store(finished_run.root), finished_run.model
    saved_work.rename(store, model, {0: "Readers", 1: "Hunters"})
    app = open_app(PAGE, data=finished_run.dataset)
    merge(app, [0, 1])
    fields = {field.placeholder: field.value for field in app.text_input if field.key.startswith("name-")}
    assert fields["Segment 1"] == "Readers"
    assert "Segment 2" not in fields
    app.button(key="undo-by-hand").click().run()
    fields = {field.placeholder: field.value for field in app.text_input if field.key.startswith("name-")}
    assert (fields["Segment 1"], fields["Segment 2"]) == ("Readers", "Hunters")


def test_undo_takes_a_name_back_that_was_given_to_what_is_gone(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    store = Store(finished_run.root)
    app = open_app(PAGE, data=finished_run.dataset)
    first = partition(app, finished_run)
    kept, other = sorted([1, 4], key=lambda segment: (-first.sizes[segment], segment))
    saved_work.rename(store, finished_run.model, {kept: "Before", 0: "Untouched"})
    merge(app, [kept, other])
    saved_work.rename(store, finished_run.model, {kept: "Both", 0: "Renamed meanwhile"})
    app.run()
    app.button(key="undo-by-hand").click().run()
    assert not app.exception
    assert saved_work.names(store, finished_run.model) == {kept: "Before", 0: "Renamed meanwhile"}


def test_a_split_takes_new_numbers_that_carry_no_old_name(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    saved_work.rename(Store(finished_run.root), finished_run.model, {6: "Of long ago"})
    app = open_app(PAGE, data=finished_run.dataset)
    app.button_group(key="by-hand-change").set_value(editing_view.Change.SPLIT).run()
    widget(app.selectbox, "split-").set_value(0).run()  # type: ignore[attr-defined]
    assert "7 segments in all" in texts(app)
    app.button(key="by-hand-do").click().run()
    assert not app.exception
    now = partition(app, finished_run)
    assert now.ids.tolist() == list(range(7))
    assert "Of long ago" not in texts(app)
    assert saved_work.names(Store(finished_run.root), finished_run.model) == {}


def test_users_set_aside_are_a_group_of_their_own_on_every_page(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    app = open_app(PAGE, data=finished_run.dataset)
    app.button_group(key="by-hand-change").set_value(editing_view.Change.ASIDE).run()
    aside = partition(app, finished_run).sizes[2]
    widget(app.multiselect, "Set aside-").set_value([2]).run()  # type: ignore[attr-defined]
    assert f"{aside} users leave; 5 segments in all" in texts(app)
    app.button(key="by-hand-do").click().run()
    assert not app.exception
    assert f"{73 - aside} users in 5 segments, {aside} set aside" in texts(app)
    assert "**Set aside by hand** :gray-badge[no segment]" in texts(app)
    for page in ("segments/profiles", "segments/compare", "segments/trust", "use/users", "use/export"):
        other = open_app(f"pages/{page}.py", data=finished_run.dataset)
        assert not other.exception
        assert f"{aside} set aside · changed by hand" in texts(other)


def test_rules_tell_a_segment_from_segments_and_not_from_users_set_aside(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    app = open_app(PAGE, data=finished_run.dataset)
    app.button_group(key="by-hand-change").set_value(editing_view.Change.ASIDE).run()
    widget(app.multiselect, "Set aside-").set_value([2]).run()  # type: ignore[attr-defined]
    app.button(key="by-hand-do").click().run()
    rules = open_app("pages/use/rules.py", data=finished_run.dataset)
    rules.button(key="take-rule").click().run()
    assert not rules.exception
    made, judged = re.findall(r"Made from (\d+) users, judged on the other (\d+)", texts(rules))[0]
    assert int(made) + int(judged) == sum(partition(app, finished_run).sizes.values()) < 73
    assert f"on the same {judged} users in segments" in texts(rules)


def test_what_cannot_be_done_is_said_and_nothing_changes(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    app = open_app(PAGE, data=finished_run.dataset)
    first = partition(app, finished_run)
    widget(app.multiselect, "Merge-").set_value(list(range(6))).run()  # type: ignore[attr-defined]
    assert "This would leave 1 segment" in app.error[0].value
    assert all(button.key != "by-hand-do" for button in app.button)
    assert partition(app, finished_run).digest == first.digest


def test_users_inside_the_lasso_become_a_segment(
    open_app: OpenApp, finished_run: FinishedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    half = [[-9.0, -9.0], [0.1, -9.0], [0.1, 9.0], [-9.0, 9.0]]
    monkeypatch.setattr(map_view, "user_map", lambda *_, **__: half)
    app = open_app(PAGE, data=finished_run.dataset)
    said = re.search(r"As a segment: (\d+) users, now in [\d, or]+\. \d+ more are outside", texts(app))
    assert said is not None
    app.button(key="make-segment").click().run()
    assert not app.exception
    now = partition(app, finished_run)
    assert now.sizes[int(now.ids[-1])] == int(said[1])
    assert f"of {said[1]} users: chosen on the map" in texts(app).replace("\\", "")
    assert "As a segment" not in texts(app)  # it is one
    assert SET_ASIDE not in now.labels


def test_a_lasso_is_over_once_it_is_a_segment_and_leaves_out_who_was_set_aside(
    open_app: OpenApp, finished_run: FinishedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = []
    half = [[-9.0, -9.0], [0.1, -9.0], [0.1, 9.0], [-9.0, 9.0]]

    def drawn(*_: object, key: str, **__: object) -> list[list[float]] | None:
        keys.append(key)
        return half if key == keys[0] else None

    monkeypatch.setattr(map_view, "user_map", drawn)
    app = open_app(PAGE, data=finished_run.dataset)
    app.segmented_control(key="by-hand-change").set_value("Set aside").run()
    widget(app.multiselect, "Set aside-").set_value([0]).run()  # type: ignore[attr-defined]
    app.button(key="by-hand-do").click().run()
    said = re.search(r"(\d+) more were set aside and stay so", texts(app))
    assert said is not None
    aside = int((partition(app, finished_run).labels == SET_ASIDE).sum())
    app.button(key="make-segment").click().run()
    assert int((partition(app, finished_run).labels == SET_ASIDE).sum()) == aside
    assert keys[-1] != keys[0]
    assert map_view.DRAWN not in app.session_state[state.OF_MODEL][finished_run.model]
    assert "users selected" not in texts(app)


def test_a_link_names_the_changes_and_opens_them_or_says_that_they_are_gone(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    app = open_app(PAGE, data=finished_run.dataset)
    assert "hand" not in app.query_params
    merge(app, [0, 1])
    link = {name: str(app.query_params[name]) for name in ("data", "k", "hand")}
    assert link["hand"] == partition(app, finished_run).digest
    app.slider(key="k").set_value(4).run()  # another session is now elsewhere
    assert "hand" not in app.query_params
    linked = open_app(PAGE, **link)
    assert partition(linked, finished_run).digest == link["hand"]
    gone = open_app(PAGE, **link | {"hand": "abc"})
    assert any("changes are no longer kept here" in info.value for info in gone.info)
    app.button(key="let-go").click().run()
    assert not partition(open_app(PAGE, **link | {"k": "4"}), finished_run).edits


def test_what_was_changed_by_hand_changes_no_other_setting_and_no_link(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    app = open_app(PAGE, data=finished_run.dataset)
    link, first = {"data": finished_run.dataset, "k": "6"}, partition(app, finished_run)
    eight = partition(open_app(PAGE, **link | {"k": "8"}), finished_run)
    app.button_group(key="by-hand-change").set_value(editing_view.Change.SPLIT).run()
    widget(app.selectbox, "split-").set_value(0).run()  # type: ignore[attr-defined]
    app.button(key="by-hand-do").click().run()
    assert partition(app, finished_run).edits
    assert partition(open_app(PAGE, **link), finished_run).digest == first.digest
    app.slider(key="k").set_value(8).run()
    assert partition(app, finished_run).digest == eight.digest


def test_a_segment_of_chosen_users_says_that_nothing_would_lead_to_it_again(
    open_app: OpenApp, finished_run: FinishedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    half = [[-9.0, -9.0], [0.1, -9.0], [0.1, 9.0], [-9.0, 9.0]]
    monkeypatch.setattr(map_view, "user_map", lambda *_, **__: half)
    app = open_app(PAGE, data=finished_run.dataset)
    app.button(key="make-segment").click().run()
    assert texts(app).count("Users chosen by hand: stability is not measured") == 1


def test_certificates_are_of_the_segments_as_they_are_now(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    app = open_app(PAGE, data=finished_run.dataset)
    keep_certificates(finished_run, partition(app, finished_run), dict.fromkeys(range(6), 0.9))
    app.run()
    assert "given these vectors: highly stable on average" in texts(app).replace("\\", "")
    merge(app, [0, 1])
    assert "highly stable" not in texts(app)
    app.button(key="undo-by-hand").click().run()
    assert "given these vectors: highly stable on average" in texts(app).replace("\\", "")


def test_the_export_says_that_a_command_does_not_repeat_it(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    said = "What you changed by hand is in the files above"
    assert said not in texts(open_app("pages/use/export.py", data=finished_run.dataset))
    app = open_app(PAGE, data=finished_run.dataset)
    merge(app, [0, 1])
    assert said in texts(open_app("pages/use/export.py", data=finished_run.dataset))


def test_the_comparison_of_numbers_is_about_the_segments_before(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    keep_levels(finished_run, supported(4))
    app = open_app(PAGE, data=finished_run.dataset)
    merge(app, [0, 1])
    assert "You are at 4, changed by hand to 3." in texts(app)
    assert all(button.key != "use_level_3" for button in app.button)


def test_a_lasso_around_everybody_makes_no_segment_and_says_why(
    open_app: OpenApp, finished_run: FinishedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    everywhere = [[-9.0, -9.0], [9.0, -9.0], [9.0, 9.0], [-9.0, 9.0]]
    monkeypatch.setattr(map_view, "user_map", lambda *_, **__: everywhere)
    app = open_app(PAGE, data=finished_run.dataset)
    first = partition(app, finished_run)
    app.button(key="make-segment").click().run()
    assert "This would leave 1 segment" in app.error[0].value
    assert partition(app, finished_run).digest == first.digest


def test_users_of_a_segment_are_one_already(open_app: OpenApp, finished_run: FinishedRun) -> None:
    app = open_app(PAGE, data=finished_run.dataset)
    app.selectbox(key=f"listed-of-{finished_run.model}").select_index(2).run()
    assert "users selected" in texts(app)
    assert all(button.key != "make-segment" for button in app.button)


def test_changes_that_other_vectors_ended_are_told_and_cannot_be_brought_back(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    app = open_app(PAGE, data=finished_run.dataset)
    merge(app, [0, 1])
    app.slider(key="k").set_value(4).run()
    mine = app.session_state[state.OF_MODEL][finished_run.model]
    mine[KEY] = replace(mine[KEY], by_hand=replace(mine[KEY].by_hand, embeddings="of other labels"))
    app.run()
    assert "Other labels, which make other vectors, ended your 1 change by hand" in texts(app)
    assert all(button.key != "bring-back" for button in app.button)
    app.button(key="let-go").click().run()
    assert "ended your" not in texts(app)


def test_the_levels_of_a_facet_become_named_segments(open_app: OpenApp, finished_run: FinishedRun) -> None:
    app = open_app(PAGE, data=finished_run.dataset)
    first = partition(app, finished_run)
    app.segmented_control(key="by-hand-change").set_value("By a facet").run()
    widget(app.multiselect, "facet-").set_value(["interest"]).run()  # type: ignore[attr-defined]
    assert "Of the clustered users, it gives" in texts(app)
    app.button(key="by-facet-do").click().run()
    assert not app.exception
    assert "by a facet, What they look at" in texts(app)
    names = saved_work.names(Store(finished_run.root), finished_run.model)
    assert {"Sale", "Guide"} <= set(names.values())
    app.button(key="undo-by-hand").click().run()
    assert partition(app, finished_run).digest == first.digest

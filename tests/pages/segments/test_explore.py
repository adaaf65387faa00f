"""The Explore page: without data, with segments, and while the analyst steers."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from core.base.schema import View
from core.base.settings import OutcomeCount
from core.profiles.name_candidates import NameEvidence
from core.runs import pipeline
from core.runs.jobs import State
from core.saved import saved_work
from core.segments import clustering
from core.storage.store import Store
from pages.ui.segments import map_view, shared
from pages.ui.segments.session_segments import KEY, Session
from pages.ui.shell import state
from pages.ui.shell.text import md_text
from tests.pages.conftest import OpenApp
from tests.pages.fake_jobs import FakeJobs, texts
from tests.pages.fixtures_segments import HOSTILE_TITLE, ONE_PAGERS, FinishedRun, write_run

PAGE = "pages/segments/explore.py"


def session(app: AppTest, run: FinishedRun) -> Session:
    found: Session = app.session_state[state.OF_MODEL][run.model][KEY]
    return found


def name_fields(app: AppTest) -> dict[str, str]:
    return {field.placeholder: field.value for field in app.text_input if field.key.startswith("name-")}


def test_without_data_it_says_where_to_go(open_app: OpenApp) -> None:
    app = open_app(PAGE)
    assert not app.exception
    assert "This page needs a data set" in texts(app)
    assert len(app.slider) == 0


def test_the_first_segments_are_a_full_fit_of_the_clustered_users(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    app = open_app(PAGE, data=finished_run.dataset)
    assert not app.exception
    assert app.slider(key="k").value == 6
    assert "73 users in 6 segments" in texts(app)
    assert "Quick fit" not in texts(app)
    assert list(name_fields(app)) == [f"Segment {number}" for number in range(1, 7)]
    assert len(app.get("echarts_chart")) == 1


def test_segments_and_their_names_go_on_after_a_training_that_leads_to_the_same(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    before = open_app(PAGE, data=finished_run.dataset)
    assert "as before the training" not in texts(before)
    next(field for field in before.text_input if field.placeholder == "Segment 2").input("Mine").run()
    after = write_run(finished_run.root, epochs=2)
    app = open_app(PAGE, data=after.dataset, model=after.model)
    assert name_fields(app)["Segment 2"] == "Mine"
    assert "as before the training: 1 (100% overlap), 2 (100% overlap)" in texts(app)
    app.slider(key="k").set_value(5).run()
    assert "as before the training" not in texts(app)


def test_the_outcome_goes_on_after_a_training(open_app: OpenApp, finished_run: FinishedRun) -> None:
    app = open_app(PAGE, data=finished_run.dataset)
    assert app.multiselect(key="outcome").value == ["purchase"]
    app.multiselect(key="outcome").set_value([]).run()
    after = write_run(finished_run.root, epochs=2)
    app = open_app(PAGE, data=after.dataset, model=after.model)
    assert app.multiselect(key="outcome").value == []


def test_groups_made_by_rule_stand_apart_with_their_counts(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    shown = texts(open_app(PAGE, data=finished_run.dataset))
    assert f"**{md_text('One-page users')}** :gray-badge[by rule]" in shown
    assert f"**{ONE_PAGERS}** users" in shown


def test_one_page_segments_stand_beside_the_others_and_it_is_said_why(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    many = write_run(finished_run.root, one_pagers=120)
    app = open_app(PAGE, data=many.dataset)
    assert not app.exception
    shown = texts(app)
    for letter, page in zip("ABC", ("account", "guide", "sale"), strict=True):
        assert f"**{md_text(f'One-page {letter}: Land on /{page}')}** :gray-badge[by rule]" in shown
        assert md_text(f"One-page {letter}: Land on /{page} (40)") in shown  # the legend of the grey dots
    assert md_text("One-page users") not in shown
    helps = [one.proto.help for one in app.markdown if one.proto.help]
    second = "A second page would be: /sale/shoes (100.0%) of 25 users who arrived alike and went on."
    assert second in helps
    assert (
        "61% viewed one page only, from which no behaviour can be learned; 2% look automated."
        in app.info[0].value
    )


def test_the_map_says_how_true_it_is(open_app: OpenApp, finished_run: FinishedRun) -> None:
    shown = texts(open_app(PAGE, data=finished_run.dataset))
    assert "All 87 users, laid out by PCA. It keeps **" in shown
    assert "Distances between islands, and how large they look, mean little" in shown


def test_users_of_a_segment_are_listed_without_the_lasso(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    app = open_app(PAGE, data=finished_run.dataset, k="3")
    assert "users selected" not in texts(app)
    sizes = re.findall(r":small\[\*\*(\d+)\*\* users", texts(app))
    app.selectbox(key=f"listed-of-{finished_run.model}").select_index(2).run()
    assert not app.exception
    assert f"{sizes[2]} users selected" in texts(app)


def test_absent_views_are_disabled_with_the_reason(open_app: OpenApp, finished_run: FinishedRun) -> None:
    app = open_app(PAGE, data=finished_run.dataset)
    assert [app.slider(key=f"w_{view}").disabled for view in View] == [False, True, True, False]
    assert "No page themes: the model was made without them" in texts(app)
    assert "counts **100%**" in texts(app)


def test_a_move_of_k_is_warm_and_says_how_many_users_moved(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    app = open_app(PAGE, data=finished_run.dataset)
    app.slider(key="k").set_value(3).run()
    assert not app.exception
    assert "73 users in 3 segments · the last move changed" in texts(app)
    assert "Quick fit" in texts(app)
    fit = session(app, finished_run).history[0]
    assert fit.moved == int(
        (fit.partition.labels != session(app, finished_run).history[1].partition.labels).sum()
    )


@pytest.mark.parametrize(("moved", "is_said"), [(18, False), (19, True)])
def test_a_move_of_more_than_a_quarter_leads_to_trust(
    open_app: OpenApp, finished_run: FinishedRun, moved: int, is_said: bool
) -> None:
    """Of 73 clustered users, a quarter is 18.25."""
    app = open_app(PAGE, data=finished_run.dataset)
    assert "changed their segment" not in texts(app)
    first = session(app, finished_run)
    app.session_state[state.OF_MODEL][finished_run.model][KEY] = replace(
        first, history=(replace(first.history[0], moved=moved), *first.history[1:])
    )
    app.run()
    assert ("More than a quarter of the users changed their segment" in texts(app)) is is_said
    assert ("See Trust" in [link.label for link in app.get("page_link")]) is is_said


def test_segments_that_go_on_keep_their_number(open_app: OpenApp, finished_run: FinishedRun) -> None:
    app = open_app(PAGE, data=finished_run.dataset)
    app.slider(key="k").set_value(4).run()
    after, before = (fit.partition for fit in session(app, finished_run).history)
    for segment in after.ids:
        shared = (before.labels == segment) & (after.labels == segment)
        assert shared.any()


def test_the_way_back_gives_the_very_same_segments(open_app: OpenApp, finished_run: FinishedRun) -> None:
    app = open_app(PAGE, data=finished_run.dataset)
    first = session(app, finished_run).history[0].partition
    app.slider(key="k").set_value(4).run()
    app.slider(key="k").set_value(6).run()
    assert session(app, finished_run).history[0].partition.labels.tolist() == first.labels.tolist()
    assert "Quick fit" not in texts(app)


def test_the_same_settings_give_the_same_numbers_whatever_way_the_slider_went(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    found = []
    for way in ((9, 4, 8), (2, 8), (8,)):
        shutil.rmtree(finished_run.root / saved_work.STAGE, ignore_errors=True)
        app = open_app(PAGE, data=finished_run.dataset)
        for k in way:
            app.slider(key="k").set_value(k).run()
        found.append(session(app, finished_run).history[0].partition)
    assert [one.digest for one in found] == [found[0].digest] * 3
    assert len(found[0].ids) == 8


def test_a_link_opens_the_kind_of_fit_that_it_was_copied_from(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    app = open_app(PAGE, data=finished_run.dataset)
    app.slider(key="k").set_value(8).run()
    found, links = [], []
    for press in (None, "refit"):
        if press:
            app.button(key=press).click().run()
        found.append(session(app, finished_run).history[0].partition)
        links.append({name: str(app.query_params[name]) for name in ("k", "fit") if name in app.query_params})
    assert [one.warm for one in found] == [True, False]
    for k in (8, 5):  # whatever is on screen elsewhere
        app.slider(key="k").set_value(k).run()
        for partition, link in zip(found, links, strict=True):
            linked = open_app(PAGE, data=finished_run.dataset, **link)
            assert session(linked, finished_run).history[0].partition.digest == partition.digest


def test_the_same_way_is_gone_once_for_all_sessions(
    open_app: OpenApp, finished_run: FinishedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, fit = [], clustering.fit
    monkeypatch.setattr(clustering, "fit", lambda *given: made.append(given[2].n_clusters) or fit(*given))
    one, other = (open_app(PAGE, data=finished_run.dataset) for _ in range(2))
    for app in (one, other):
        app.slider(key="k").set_value(4).run()
    assert made == [6, 4]
    assert (
        session(one, finished_run).history[0].partition.labels.tolist()
        == session(other, finished_run).history[0].partition.labels.tolist()
    )
    one.slider(key="k").set_value(3).run()
    assert (
        len(session(one, finished_run).history[0].partition.ids),
        len(session(other, finished_run).history[0].partition.ids),
    ) == (
        3,
        4,
    )


def test_a_full_refit_starts_from_scratch_and_keeps_numbers(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    app = open_app(PAGE, data=finished_run.dataset)
    app.slider(key="k").set_value(3).run()
    warm = session(app, finished_run).history[0].partition
    app.button(key="refit").click().run()
    cold = session(app, finished_run).history[0].partition
    assert (warm.warm, cold.warm) == (True, False)
    assert set(cold.ids) == set(warm.ids)


def test_a_rerun_without_a_move_computes_nothing_again(
    open_app: OpenApp, finished_run: FinishedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = open_app(PAGE, data=finished_run.dataset)
    for module, name in (
        (pipeline, "cluster"),
        (pipeline, "analyze"),
        (pipeline, "combine"),
        (shared, "pca_layout"),
    ):
        monkeypatch.setattr(module, name, None)  # calling it would be an exception on the page
    app.run()
    assert not app.exception


def test_another_outcome_moves_no_segment(
    open_app: OpenApp, finished_run: FinishedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = open_app(PAGE, data=finished_run.dataset)
    monkeypatch.setattr(pipeline, "cluster", None)
    app.multiselect(key="outcome").set_value(["page:shop.example/cart"]).run()
    assert not app.exception


def test_nothing_can_be_the_outcome_and_stays_so(open_app: OpenApp, finished_run: FinishedRun) -> None:
    app = open_app(PAGE, data=finished_run.dataset)
    assert app.multiselect(key="outcome").value == ["purchase"]
    app.multiselect(key="outcome").set_value([]).run()
    assert not app.exception
    assert app.multiselect(key="outcome").value == []
    assert "purchase" not in texts(app.main)  # the chat beside it names one as an example
    again = open_app(PAGE, data=finished_run.dataset)
    assert again.multiselect(key="outcome").value == []
    assert again.query_params["outcome"] == "none"


def test_of_several_outcomes_all_or_the_first_alone_count(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    app = open_app(PAGE, data=finished_run.dataset)
    assert all(group.key != "outcome_counts" for group in app.button_group)
    app.multiselect(key="outcome").set_value(["purchase", "page:shop.example/cart"]).run()
    app.button_group(key="outcome_counts").set_value(OutcomeCount.FIRST).run()
    assert not app.exception
    assert app.query_params["counts"] == "first"


def test_more_segments_than_the_data_allow_are_not_in_the_link_either(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    app = open_app(PAGE, data=finished_run.dataset, k="45")
    assert app.slider(key="k").value == 24
    assert app.query_params["k"] == "24"


def test_a_lasso_is_kept_when_another_map_comes(
    open_app: OpenApp, finished_run: FinishedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    everywhere = [[-9.0, -9.0], [9.0, -9.0], [9.0, 9.0], [-9.0, 9.0]]
    drawn = iter([everywhere])
    monkeypatch.setattr(map_view, "user_map", lambda *_, **__: next(drawn, None))
    tokens = iter(["quick"])
    monkeypatch.setattr(shared, "token", lambda _: next(tokens, "neighbours"))
    app = open_app(PAGE, data=finished_run.dataset)
    assert "87 users selected" in texts(app)
    for _ in range(2):
        app.run()
        assert "87 users selected" in texts(app)
        assert "The lasso was drawn on the map before this one" in texts(app)
    app.button(key="clear-drawn").click().run()
    assert "users selected" not in texts(app)


def test_a_name_is_kept_on_disk_and_in_a_new_session(open_app: OpenApp, finished_run: FinishedRun) -> None:
    app = open_app(PAGE, data=finished_run.dataset)
    field = next(field for field in app.text_input if field.placeholder == "Segment 2")
    field.set_value("**Bargain** hunters").run()
    assert name_fields(app)["Segment 2"] == "**Bargain** hunters"
    assert [toast.value for toast in app.toast] == [r"Saved: \*\*Bargain\*\* hunters"]
    assert saved_work.names(Store(finished_run.root), finished_run.model) == {1: "**Bargain** hunters"}
    again = open_app(PAGE, data=finished_run.dataset)
    assert name_fields(again)["Segment 2"] == "**Bargain** hunters"


def test_a_name_that_no_longer_fits_is_said_and_a_better_one_taken_with_one_click(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    store, gone = Store(finished_run.root), (NameEvidence("word", "never-seen", 0.9, 9.0, 8.0),)
    saved_work.rename(store, finished_run.model, {1: "Readers"}, {1: gone})
    app = open_app(PAGE, data=finished_run.dataset)
    assert any("**Readers** no longer fits" in text.value for text in app.markdown)
    app.button(key="use-name-1").click().run()
    assert saved_work.names(store, finished_run.model)[1] != "Readers"
    assert not any("no longer fits" in text.value for text in app.markdown)


def test_a_new_session_goes_on_with_the_segments_on_screen(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    app = open_app(PAGE, data=finished_run.dataset)
    app.slider(key="k").set_value(4).run()
    again = open_app(PAGE, data=finished_run.dataset, k="4")
    assert (
        session(again, finished_run).history[0].partition.labels.tolist()
        == session(app, finished_run).history[0].partition.labels.tolist()
    )


def test_a_link_carries_the_controls(open_app: OpenApp, finished_run: FinishedRun) -> None:
    app = open_app(PAGE, data=finished_run.dataset, k="4", segment="segment:1")
    assert app.slider(key="k").value == 4
    app.switch_page("pages/segments/compare.py").run()
    assert app.selectbox(key="compare-first").value == "segment:1"


def test_moving_a_slider_of_a_present_view_changes_the_segments_and_not_the_map(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    both = write_run(finished_run.root, views=("url", "theme"), per_kind=20)
    app = open_app(PAGE, data=both.dataset)
    assert not app.exception
    shares = [caption.value for caption in app.caption if caption.value.startswith("counts")]
    app.slider(key="w_url").set_value(5).run()
    assert app.slider(key="w_theme").value == 95
    after = [caption.value for caption in app.caption if caption.value.startswith("counts")]
    assert shares != after
    assert "Dots lie where the earlier weights put them" in texts(app)
    app.button(key="lay_out_again").click().run()
    assert "Dots lie where the earlier weights put them" not in texts(app)


def test_activity_counts_nothing_until_it_has_a_weight_and_what_it_changes_is_said_before(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    app = open_app(PAGE, data=finished_run.dataset)
    assert app.slider(key="w_activity").value == 0
    app.button(key="try-activity").click().run()
    assert not app.exception
    (said,) = (text.value for text in app.markdown if "of 73 would be in another segment" in text.value)
    assert "purchase" in said
    assert "73 users in 6 segments · the last move" not in texts(app)  # it has moved nobody
    app.slider(key="w_activity").set_value(60).run()
    assert not app.exception
    assert app.slider(key="w_url").value == 40
    assert "the last move changed" in texts(app)
    assert "try-activity" not in [button.key for button in app.button]
    linked = open_app(PAGE, data=finished_run.dataset, url="70", activity="30")
    assert linked.slider(key="w_activity").value == 30


def test_a_weight_counts_by_what_has_a_label_unless_the_analyst_insists(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    partly = write_run(
        finished_run.root, views=("url", "theme"), per_kind=20, coverage={"url": 1.0, "theme": 0.25}
    )
    app = open_app(PAGE, data=partly.dataset)
    assert not app.exception

    def counts() -> list[str]:
        return [caption.value for caption in app.caption if caption.value.startswith("counts")]

    before, slider = counts(), app.slider(key="w_theme").value
    assert "page themes 25%" in app.checkbox(key="insist").help
    app.checkbox(key="insist").check().run()
    assert not app.exception
    assert counts() != before
    assert app.slider(key="w_theme").value == slider
    assert "insist" not in [box.key for box in open_app(PAGE, data=finished_run.dataset).checkbox]


def test_the_k_chart_is_made_by_a_job(
    open_app: OpenApp, fake_jobs: FakeJobs, finished_run: FinishedRun
) -> None:
    app = open_app(PAGE, data=finished_run.dataset)
    app.button(key="compare_k").click().run()
    task, request, subject = fake_jobs.started[-1]
    assert (task, subject) == ("choose_k", finished_run.dataset)
    assert request == {"dataset": finished_run.dataset, "labels": ""}
    assert "Comparing numbers of segments" in texts(app)
    fake_jobs.end("choose_k", State.FAILED, error="It ran out of memory.")
    app.run()
    assert "It ran out of memory" in app.error[0].value


def test_the_neighbours_map_is_drawn_by_a_job_and_offered_again_when_that_fails(
    open_app: OpenApp, fake_jobs: FakeJobs, finished_run: FinishedRun
) -> None:
    app = open_app(PAGE, data=finished_run.dataset)
    assert [task for task, _, _ in fake_jobs.started] == ["layout"]
    assert "Drawing the map" in texts(app)
    fake_jobs.end("layout", State.FAILED, error="It ran out of memory.")
    app.run()
    assert "It ran out of memory" in app.error[0].value
    app.button(key="draw_neighbours").click().run()
    assert [task for task, _, _ in fake_jobs.started] == ["layout", "layout"]


def test_a_hostile_title_never_becomes_markdown(open_app: OpenApp, finished_run: FinishedRun) -> None:
    app = open_app(PAGE, data=finished_run.dataset)
    assert HOSTILE_TITLE not in texts(app)
    assert "onerror" not in "".join(element.value for element in app.html)

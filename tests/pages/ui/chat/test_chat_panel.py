"""The chat: before there is a model, a question and its answer, kept over pages and conversations."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from core.saved import conversations
from core.saved.conversations import Conversation
from core.storage.store import Store
from pages.ui.chat.chat_panel import UNFILTERED
from tests.pages.conftest import OpenApp
from tests.pages.fake_jobs import texts
from tests.pages.fixtures_segments import FLOAT_LIKE_ID, FinishedRun

EXPLORE, EXPORT = "pages/segments/explore.py", "pages/use/export.py"


def said(app: AppTest) -> str:
    return "\n".join(element.value for element in app.sidebar.markdown)


def asked(app: AppTest, question: str) -> AppTest:
    return app.sidebar.chat_input(key="question").set_value(question).run()


def kept(run: FinishedRun) -> Conversation:
    """The only conversation."""
    (listed,) = conversations.earlier(Store(run.root), run.model)
    found = conversations.load(Store(run.root), run.model, listed.id)
    assert found is not None
    return found


def test_without_a_model_it_says_when_questions_can_be_asked(open_app: OpenApp) -> None:
    app = open_app()
    assert any("once a model is trained" in caption.value for caption in app.sidebar.caption)
    assert not app.sidebar.chat_input


def test_a_question_is_answered_with_a_figure_and_its_source(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    app = open_app(EXPLORE, data=finished_run.dataset, k="3")
    app = asked(app, "How many users are in segment 1?")
    assert not app.exception
    session = app.session_state["of_model"][finished_run.model]["session_segments"]
    users = int((session.history[0].partition.labels == 0).sum())
    assert f"**{users}**" in said(app)
    assert "How many users are in segment 1?" in said(app)


def test_it_says_that_a_filter_is_not_for_its_answers(open_app: OpenApp, finished_run: FinishedRun) -> None:
    for link in ({}, {"device": "mobile"}):
        app = open_app("pages/segments/profiles.py", data=finished_run.dataset, k="3", **link)
        assert (UNFILTERED in [caption.value for caption in app.sidebar.caption]) is bool(link)


@pytest.mark.parametrize("number", range(4))
def test_what_it_offers_to_ask_is_answered(open_app: OpenApp, finished_run: FinishedRun, number: int) -> None:
    app = open_app(EXPLORE, data=finished_run.dataset, k="3")
    app.sidebar.button(key=f"example-{number}").click().run()
    assert not app.exception
    answer = kept(finished_run).exchanges[-1].answer
    assert answer is not None
    assert answer.facts


@pytest.mark.parametrize(("outcome", "word"), [("purchase", "converts best"), ("none", "page views a user")])
def test_it_offers_no_outcome_where_there_is_none(
    open_app: OpenApp, finished_run: FinishedRun, outcome: str, word: str
) -> None:
    app = open_app(EXPORT, data=finished_run.dataset, k="3", outcome=outcome)
    assert word in app.sidebar.button(key="example-0").label


def test_the_newest_answer_is_right_below_the_field_and_what_was_before_is_folded_away(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    app = open_app(EXPLORE, data=finished_run.dataset, k="3")
    for number in (1, 2, 3):
        asked(app, f"How many users are in segment {number}?")
    drawn = list(app.sidebar)
    field = next(place for place, one in enumerate(drawn) if one.type == "chat_input")
    newest = next(
        place
        for place, one in enumerate(drawn)
        if one.type == "markdown" and "many users are in segment 3?" in one.value
    )
    older = next(place for place, one in enumerate(drawn) if "earlier" in str(getattr(one, "label", "")))
    assert field < newest < older
    (earlier,) = [one for one in app.sidebar.expander if "earlier" in one.label]
    assert earlier.label == "2 earlier questions"
    folded = "\n".join(element.value for element in earlier.markdown)
    assert ["segment 1?" in folded, "segment 2?" in folded, "segment 3?" in folded] == [True, True, False]
    assert "segment 3?" in said(app)


def test_it_is_kept_over_pages_and_sessions(open_app: OpenApp, finished_run: FinishedRun) -> None:
    app = asked(open_app(EXPLORE, data=finished_run.dataset), "How many users are in segment 1?")
    app.switch_page(EXPORT).run()
    assert "How many users are in segment 1?" in said(app)
    assert "How many users are in segment 1?" in said(open_app(EXPLORE, data=finished_run.dataset))


def test_another_conversation_begins_empty_and_the_first_can_be_opened_again(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    app = asked(open_app(EXPLORE, data=finished_run.dataset), "Describe segment 2")
    app.button(key="chat-new").click().run()
    assert "Describe segment 2" not in "\n".join(
        element.value for element in app.sidebar.markdown if "person" in element.value
    )
    (first,) = conversations.earlier(Store(finished_run.root), finished_run.model)
    app.button(key=f"chat-{first.id}").click().run()
    assert "Describe segment 2" in said(app)
    app.button(key="chat-forget").click().run()
    assert conversations.earlier(Store(finished_run.root), finished_run.model) == []


def test_what_cannot_be_answered_says_what_can(open_app: OpenApp, finished_run: FinishedRun) -> None:
    app = asked(open_app(EXPLORE, data=finished_run.dataset), "How many users are in segment 99?")
    assert "There is no segment 99" in said(app)


def test_a_hostile_question_stays_text(open_app: OpenApp, finished_run: FinishedRun) -> None:
    app = open_app(EXPLORE, data=finished_run.dataset)
    app = asked(app, "![x](https://tracker.invalid/p.gif) **bold**")
    assert "![x](https" not in said(app)
    assert not app.exception


def test_signs_of_a_question_are_escaped_and_none_is_lost(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    app = asked(open_app(EXPLORE, data=finished_run.dataset), "is <b>3</b> &lt; 5?")
    assert r"is \<b\>3\</b\> \&lt; 5?" in said(app)
    assert "I do not understand “<”" in said(app).replace("\\", "")


def test_a_follow_up_goes_on_with_the_question_before(open_app: OpenApp, finished_run: FinishedRun) -> None:
    app = asked(open_app(EXPLORE, data=finished_run.dataset, k="3"), "Sessions a user of segment 1")
    asked(app, "and segment 2?")
    first, second = (one.answer for one in kept(finished_run).exchanges)
    assert first is not None
    assert second is not None
    assert {fact.measure.rpartition(":")[0] for fact in (*first.facts, *second.facts)} == {
        "query:sessions_per_user"
    }
    assert second.reading is not None
    assert second.reading.rows == ("segment:1",)


def test_a_refusal_is_a_line_and_buttons_that_are_answered(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    app = asked(open_app(EXPLORE, data=finished_run.dataset, k="3"), "What is the weather like?")
    refused = kept(finished_run).exchanges[-1].answer
    assert refused is not None
    assert refused.declined
    offered = [button for button in app.sidebar.button if (button.key or "").startswith("suggested-")]
    assert 1 <= len(offered) <= 3
    assert [button.label for button in offered] == list(refused.suggestions[:3])
    offered[0].click().run()
    answered = kept(finished_run).exchanges[-1]
    assert answered.question == offered[0].label
    assert answered.answer is not None
    assert answered.answer.facts


def test_an_answer_about_segments_that_are_gone_says_so(open_app: OpenApp, finished_run: FinishedRun) -> None:
    app = asked(open_app(EXPLORE, data=finished_run.dataset, k="3"), "How many users are in segment 1?")
    assert "About earlier segments" not in texts(app.sidebar)
    app.slider(key="k").set_value(2).run()
    assert "About earlier segments (K = 3)" in texts(app.sidebar)
    app.slider(key="k").set_value(3).run()
    assert "About earlier segments" not in texts(app.sidebar)


def test_a_chart_is_drawn_of_the_figures(open_app: OpenApp, finished_run: FinishedRun) -> None:
    app = asked(open_app(EXPORT, data=finished_run.dataset, k="3"), "Chart the outcome rate by segment")
    assert not app.exception
    (drawn,) = app.sidebar.get("vega_lite_chart")
    assert "hare of users who did purchase" in drawn.proto.spec


def test_a_conversation_that_another_tab_has_deleted_does_not_come_back(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    store = Store(finished_run.root)
    app = asked(open_app(EXPLORE, data=finished_run.dataset), "How many users are in segment 1?")
    (listed,) = conversations.earlier(store, finished_run.model)
    deleted = conversations.load(store, finished_run.model, listed.id)
    assert deleted is not None
    conversations.forget(store, deleted)
    asked(app, "How many users are in segment 2?")
    assert kept(finished_run).title == "How many users are in segment 2?"


def test_a_question_that_a_restart_left_alone_says_so_and_can_be_asked_again(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    question = "How many users are in segment 1?"
    store = Store(finished_run.root)
    left = conversations.ask(store, conversations.begin(finished_run.model), question)
    app = open_app(EXPLORE, data=finished_run.dataset)
    assert any("was not answered" in caption.value for caption in app.sidebar.caption)
    app.button(key=f"again-{left.id}-0").click().run()
    (answered,) = kept(finished_run).exchanges
    assert answered.question == question
    assert answered.answer is not None
    assert answered.answer.facts


def test_the_funnel_of_the_link_and_the_pasted_list_are_asked_about(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    funnel = "user;loose;page:/sale;page:/cart"
    app = open_app(EXPLORE, data=finished_run.dataset, k="3", funnel=funnel)
    app = asked(app, "Where do users drop off in the funnel?")
    assert "the funnel of Journeys" in said(app)
    app = asked(app, "How many users are like the list?")
    assert "There is no list" in said(app)
    app.session_state["of_model"][finished_run.model]["pasted_ids"] = f"{FLOAT_LIKE_ID}, nobody"
    app = asked(app, "How many users are as near to the list?")
    assert not app.exception
    shown = said(app).replace("\\", "")
    assert "look-alikes among the other clustered users" in shown
    assert FLOAT_LIKE_ID not in shown
    answer = kept(finished_run).exchanges[-1].answer
    assert answer is not None
    assert answer.facts[0].n > answer.facts[0].value > 0


def test_a_part_of_a_query_is_taken_out_by_its_button(open_app: OpenApp, finished_run: FinishedRun) -> None:
    app = asked(open_app(EXPLORE, data=finished_run.dataset), "users with more than 2 page views on mobile")
    assert "Users who have more than 2 page views and are mostly on mobile" in said(app)
    chips = [button for button in app.sidebar.button if str(button.key).startswith("part-")]
    assert [chip.label for chip in chips] == ["have more than 2 page views", "are mostly on mobile"]
    app = chips[1].click().run()
    assert not app.exception
    exchange = kept(finished_run).exchanges[-1]
    assert exchange.question == "Without “are mostly on mobile”"
    assert exchange.answer is not None and not exchange.answer.declined
    assert "Users who have more than 2 page views, all days" in said(app)


def test_a_part_of_a_query_is_changed_by_what_it_could_be_instead(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    app = asked(open_app(EXPLORE, data=finished_run.dataset), "users with more than 2 page views by device")
    of_rows = next(one for one in app.sidebar.selectbox if "by segment" in one.options)
    assert "by user's main device" not in of_rows.options
    app = of_rows.select("by segment").run()
    assert not app.exception
    exchange = kept(finished_run).exchanges[-1]
    assert exchange.question == "“by segment” instead of “by user's main device”"
    assert exchange.answer is not None and not exchange.answer.declined
    assert "Users who have more than 2 page views, by segment, all days" in said(app)
    number = next(one for one in app.sidebar.selectbox if "have more than 5 page views" in one.options)
    app = number.select("have more than 5 page views").run()
    assert "Users who have more than 5 page views, by segment, all days" in said(app)


def test_a_change_of_the_screen_is_proposed_applied_and_undone(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    app = asked(open_app(EXPLORE, data=finished_run.dataset, k="3"), "make it 4")
    (chip,) = [button for button in app.sidebar.button if button.label == "Make 4 segments"]
    assert app.slider(key="k").value == 3  # nothing changes before the click
    app = chip.click().run()
    assert not app.exception
    assert app.slider(key="k").value == 4
    (undo,) = [button for button in app.sidebar.button if button.label == "Undo"]
    app = undo.click().run()
    assert app.slider(key="k").value == 3
    assert [button for button in app.sidebar.button if button.label == "Make 4 segments"]


def test_a_filter_of_the_chat_is_the_one_of_the_pages(open_app: OpenApp, finished_run: FinishedRun) -> None:
    page = open_app("pages/segments/profiles.py", data=finished_run.dataset, k="3")
    app = asked(page, "show only mobile")
    assert UNFILTERED not in [caption.value for caption in app.sidebar.caption]
    (chip,) = [button for button in app.sidebar.button if button.label == "Count only them"]
    (fact,) = kept(finished_run).exchanges[0].answer.facts  # type: ignore[union-attr]
    app = chip.click().run()
    assert not app.exception
    (line,) = [one.value for one in app.main.caption if "Counted: device mobile" in one.value]
    assert f"{fact.text} users of" in line
    app = next(button for button in app.sidebar.button if button.label == "Undo").click().run()
    assert any("Everybody and every day is counted" in caption.value for caption in app.main.caption)


def test_a_change_that_is_made_elsewhere_says_where(open_app: OpenApp, finished_run: FinishedRun) -> None:
    app = asked(open_app(EXPLORE, data=finished_run.dataset, k="3"), "leave out /cart")
    assert "Pages are left out when the data are prepared" in said(app)
    assert not [button for button in app.sidebar.button if str(button.key).startswith("apply-")]


def test_the_users_of_a_question_become_a_segment(open_app: OpenApp, finished_run: FinishedRun) -> None:
    app = open_app(EXPLORE, data=finished_run.dataset, k="3")
    app = asked(app, "How many users did purchase and did not see /blog?")
    answer = kept(finished_run).exchanges[-1].answer
    assert answer is not None
    assert not answer.declined
    app.sidebar.button(key="parts-segment").click().run()
    assert not app.exception
    partition = app.session_state["of_model"][finished_run.model]["session_segments"].history[0].partition
    (edit,) = partition.edits
    assert edit.why.startswith("users who ")
    assert edit.users == int((partition.labels == edit.made).sum()) > 0
    assert "Made 4 of" in texts(app.main)


def test_users_of_a_segment_are_not_offered_as_one(open_app: OpenApp, finished_run: FinishedRun) -> None:
    app = asked(open_app(EXPLORE, data=finished_run.dataset, k="3"), "How many page views has segment 1?")
    assert all(button.key != "parts-segment" for button in app.sidebar.button)


def test_the_users_of_a_question_are_counted_alone_and_everybody_again(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    profiles = "pages/segments/profiles.py"
    app = asked(open_app(profiles, data=finished_run.dataset, k="3"), "How many users did not see /blog?")
    answer = kept(finished_run).exchanges[-1].answer
    assert answer is not None
    users = int(answer.facts[0].value)
    (apply,) = (button for button in app.sidebar.button if str(button.key).startswith("apply-"))
    apply.click().run()
    assert not app.exception
    assert "users who did not see" in texts(app.main)
    assert f"{users} users of" in texts(app.main)
    again = open_app(profiles, **{name: values for name, values in app.query_params.items()})
    assert f"{users} users of" in texts(again.main)
    (undo,) = (button for button in app.sidebar.button if str(button.key).startswith("undo-"))
    undo.click().run()
    assert "Everybody and every day is counted." in texts(app.main)


def test_more_rows_or_more_segments_are_offered_beside_what_can_be_done_with_the_users(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    app = asked(open_app(EXPLORE, data=finished_run.dataset, k="3"), "top 3 pages of users who saw /cart")
    app = asked(app, "make it 5")
    assert not app.exception
    labels = [b.label for b in app.sidebar.button if str(b.key).startswith("apply-")]
    assert labels == ["Make 5 segments", "Count only them"]

"""Texts that ask for a change of the screen, and those that do not."""

from dataclasses import replace
from datetime import date

import pytest

from core.base.schema import View
from core.facts.answer import Answer, ScreenChange
from core.facts.sentences import plain
from core.periods.filter import CountFilter
from core.questions.answers import ask
from core.questions.changes import PREPARED
from tests.core.questions.true_site import site

SHOP = replace(site("shop").context, counted=CountFilter(), most_segments=20, weighable=(View.URL,))


def said(answer: Answer) -> str:
    return plain(answer.blocks, answer.titles)


def changed(text: str, counted: CountFilter | None = None) -> dict[str, object]:
    """What a text changes; empty for nothing."""
    about = replace(SHOP, counted=counted) if counted else SHOP
    change = ask(text, about).change
    return change.model_dump(exclude_defaults=True, exclude={"label"}) if change else {}


def _devices(*names: str) -> dict[str, object]:
    return {"counted": {"attributes": (("device", names),)}}


@pytest.mark.parametrize(
    ("text", "change"),
    [
        ("show only mobile", _devices("mobile")),
        ("only mobile users please", _devices("mobile")),
        ("Could you show only users on mobile or tablet?", _devices("mobile", "tablet")),
        ("zeige nur mobile", _devices("mobile")),
        ("leave out mobile", _devices("desktop", "tablet")),
        ("show only users from 1 Nov 2025 on", {"counted": {"first_day": date(2025, 11, 1)}}),
        ("make it 6", {"n_clusters": 6}),
        ("6 segments please", {"n_clusters": 6}),
        ("split the users into six groups", {}),
        ("split into six groups", {"n_clusters": 6}),
        ("take purchase as the outcome", {"outcomes": ("purchase",)}),
        ("make /cart the goal", {"outcomes": ("page:/cart",)}),
        ("weight pages .6", {"weight": (View.URL, 60)}),
        ("set the weight of pages to 25 %", {"weight": (View.URL, 25)}),
        ("leave out /cart", {"page": "data"}),
    ],
)
def test_what_a_text_changes(text: str, change: dict[str, object]) -> None:
    assert changed(text) == change
    assert ask(text, site("shop").context).change is None  # where there is no screen


@pytest.mark.parametrize(
    "question",
    [
        "how many users on mobile?", "how many segments?", "which segment converts best", "top 6 pages",
        "what is the outcome rate", "users who saw /cart", "show only users who saw /cart",
        "how many users left out /cart", "show me 3 segments with the most users", "describe segment 2",
        "conversion rate of everybody", "show only segment 2", "only users from Mars",
    ],
)  # fmt: skip
def test_a_question_is_no_change(question: str) -> None:
    assert ask(question, SHOP).change is None


def test_what_it_says_is_what_the_filter_leaves() -> None:
    answer = ask("show only mobile", SHOP)
    basis = SHOP.tables.basis
    device = basis.data.attributes["device"]
    mobile = device.values.index("mobile")
    assert [fact.value for fact in answer.facts] == [int((device.codes == mobile).sum())]
    assert said(answer).startswith("Of 280 users, count only those who are mostly on mobile: 148.")


def test_a_filter_goes_on_with_the_one_on_screen_and_everybody_clears_it() -> None:
    counted = CountFilter(first_day=date(2025, 11, 1), device=("mobile",))
    desktop = {"first_day": date(2025, 11, 1), "attributes": (("device", ("desktop",)),)}
    assert changed("show only desktop", counted) == {"counted": desktop}
    answer = ask("everybody again", replace(SHOP, counted=counted))
    assert answer.change == ScreenChange(label="Count everybody", counted=CountFilter())
    assert said(answer).startswith("Count all users: 280.")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("60 segments", "From 2 to 20 segments are possible here."),
        ("make it 1", "From 2 to 20 segments are possible here."),
        ("make it 3", "The users are in 3 segments already."),
        ("weight themes .6", "Page themes have no weight here"),
        ("weight pages 160", "A weight is from 0 to 100 %."),
        ("leave out mobile, desktop and tablet", "Nobody would be left"),
        ("leave out /cart", PREPARED),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(text: str, why: str) -> None:
    answer = ask(text, SHOP)
    assert said(answer).startswith(why)
    assert not answer.declined  # no language model is asked instead
    assert answer.change is None or answer.change.page


def test_a_page_that_is_not_there_is_no_outcome() -> None:
    answer = ask("take /nowhere as the outcome", SHOP)
    assert answer.declined and answer.change is None


def test_what_may_go_on_with_the_last_question_is_answered_and_offered_as_a_change() -> None:
    last = ask("conversion rate by device", SHOP).reading
    for text in ("only mobile", "leave out mobile"):
        answer = ask(text, SHOP, last)
        assert "Share of users who did purchase" in said(answer)
        assert answer.change is not None and answer.change.counted is not None
    assert "count only" in said(ask("show only mobile", SHOP, last))


def test_a_change_keeps_what_the_conversation_is_about() -> None:
    last = ask("conversion rate by device", SHOP).reading
    assert ask("make it 6", SHOP, last).reading == last


def test_make_it_10_after_the_top_5_is_more_rows_or_more_segments() -> None:
    last = ask("top 2 pages", SHOP).reading
    answer = ask("make it 4", SHOP, last)
    assert len(answer.facts) == 4
    assert answer.change is not None and answer.change.n_clusters == 4

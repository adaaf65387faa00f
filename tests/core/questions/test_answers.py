"""Questions and answers."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.facts.answer import Answer, Chart, Contrast, FigureList, Note, Ranking, Reading
from core.facts.context import PASTED, Context
from core.facts.contrasting import DESCRIBED, sentence_on_tests
from core.facts.fact_maker import Figures, notes
from core.facts.other_tools import ALL_COUNTED
from core.facts.sentences import plain
from core.people.look_alikes import LookAlikes
from core.profiles.outcomes import OutcomeRecord
from core.questions.answers import HELP, ask
from core.questions.calls import BOUNCED, HOW_SURE, TESTED, TRUST
from core.questions.lexicon import lexicon
from core.segments.certificate import Certificate
from core.storage.dataset import TimedEvents
from tests.core.facts.shop import shop
from tests.core.facts.toy import context, rule_figures, without_outcome

EIGHT = context()


def _added() -> Context:
    """The eight, two of whom put something into the cart."""
    user, none = np.array([0, 3], dtype=np.int32), np.zeros(2, dtype=np.int32)
    at = np.array([10**12, 61_000_000])
    events = TimedEvents(user, none, at, none, np.array([4, 1], dtype=np.int32), ("add_to_cart",))
    basis, index = EIGHT.tables.basis, EIGHT.tables.basis.data.outcomes
    index = replace(
        index,
        events={**index.events, "add_to_cart": OutcomeRecord(user.astype(np.int64), np.ones(2), at, {})},
    )
    basis = replace(basis, events=lambda: events, data=replace(basis.data, outcomes=index))
    return replace(EIGHT, tables=replace(EIGHT.tables, basis=basis))


ADDED = _added()
WITH = {"outcome:with"}
Address = tuple[str, tuple[str, ...], str]


def addresses(answer: Answer) -> list[Address]:
    return [(fact.measure, fact.segments, fact.item) for fact in answer.facts]


def noted(answer: Answer) -> list[str]:
    return [block.text for block in answer.blocks if isinstance(block, Note)]


def talk(*questions: str, about: Context = EIGHT) -> Answer:
    """The last answer of a conversation."""
    last, answer = None, None
    for question in questions:
        answer = ask(question, about, last)
        last = answer.reading or last
    assert answer is not None
    return answer


def test_an_answer_has_blocks_titles_a_query_and_a_reading() -> None:
    answer = ask("What is the outcome rate of segment 2?", EIGHT)
    assert addresses(answer) == [("outcome_rate", ("segment:1",), "")]
    assert answer.facts[0].value == 0.5
    assert (answer.declined, answer.source, answer.suggestions) == (False, "rules", ())
    assert {key: title.full for key, title in answer.titles.items()} == {
        "segment:1": "Blog readers (segment 2)"
    }
    assert "outcome_rate" in answer.query
    assert answer.reading == Reading(rows=("segment:1",), measures=("outcome_rate",), focus=("segment:1",))
    assert Reading.model_validate_json(answer.reading.model_dump_json()) == answer.reading


def test_an_edited_name_is_known_at_once() -> None:
    renamed = replace(EIGHT, names={0: "Champions", 1: "Others"})
    assert addresses(ask("How many users are Champions?", renamed)) == [("users", ("segment:0",), "")]
    assert ask("How many users are Sale hunters?", renamed).declined


def test_a_correction_is_said_and_never_silent() -> None:
    assert noted(ask("revneue of segment 1", EIGHT)) == ["“revneue” is read as “revenue”."]


@pytest.mark.parametrize(
    ("question", "why"),
    [
        ("outcome rate of segment 9", "There is no segment 9. The segments are Sale hunters (segment 1), "),
        ("persona for cluster 0", "what the data calls cluster 0 is Segment 1"),
        ("customers from Mars", "I do not understand “mars”, so I do not answer."),
        ("mars and Mars", "I do not understand “mars”, so I do not answer."),
        ("What is the purpose of gravity?", "I do not understand “purpose”, “gravity”, so I do not answer."),
        ("share of moblie users", "Do you mean “mobile” by “moblie”?"),
        ("which is the best segment", "By what?"),
        ("how many active users", "By what?"),
        ("what is their revenue", "Which segment do you mean?"),
        ("sort from least to most users", "Do you mean the most or the least?"),
        ("compare segment 1", "name both"),
        ("compare segment 1 with the rest", "with another one or with all users"),
        ("country mobile", "That is no country"),
        ("what changed", "Nothing changed yet"),
        ("which segment has the most", "not the question as a whole"),
        ("how many are that", "How many of what?"),
        ("outcome rate of mobile users", "only some users of a segment"),
        ("what share of buyers are in segment 1", "share of such users is in a segment is not counted"),
        ("outcome rate of users not in segment 2", "“not”"),
        ("revenue last month", "Of time, only this is told here"),
        ("does revenue grow", "Ask how many, or what share, instead of whether"),
        ("how many buy in one session", "told of steps one after the other alone"),
        ("How much was refunded in segment 2?", "Refunds are no figure of the chat"),
        ("Which segment has the most refunds?", "Refunds are no figure of the chat"),
        ("which users only saw /cart", "only that is not counted"),
        ("segments over 4 % users and over 2 sessions", "A limit is applied to segments"),
        ("segments with a conversion over 4", "Write “%” after the limit"),
        ("Who is the user with the most sessions?", "Nobody is looked at alone"),
        ("how many users of segment 1 are the cart", "Do you mean the page /cart?"),
        ("outcome rate without segment 2", "“not”"),
        ("the 9th largest segment", "not so many"),
        ("what do buyers of segment 1 look at", "not the question as a whole"),
        ("how long do people take to buy", "not the question as a whole"),
        ("does the cart page help conversion", "only some users of a segment"),
        ("outcome rate by device", "only some users of a segment"),
        ("", "That is no question about these segments."),
        ("hello", "That is no question about these segments."),
    ],
)
def test_declined_in_one_line_with_the_reason_and_what_can_be_asked(question: str, why: str) -> None:
    answer = ask(question, EIGHT)
    assert answer.declined
    (text,) = noted(answer)
    assert why in text
    assert HELP not in text
    assert not answer.facts
    assert 1 <= len(answer.suggestions) <= 3
    assert not any(ask(nearest, EIGHT).declined for nearest in answer.suggestions)


@pytest.mark.parametrize(
    "question",
    [
        "Is segment 1 worse than segment 2 at converting?",
        "Is segment 1 better than segment 2 in outcome rate?",
        "Is segment 1 higher in conversion rate than segment 2?",
        "Is segment 1 below segment 2 in outcome rate?",
        "What are segment 1 and segment 2's outcome rates?",
    ],
)
def test_a_segment_that_a_question_asks_about_first_is_no_part_of_another(question: str) -> None:
    told = [(fact.row, fact.value) for fact in ask(question, EIGHT).facts if fact.measure == "outcome_rate"]
    assert told == [("segment:0", pytest.approx(1 / 3)), ("segment:1", 0.5)]


def test_help_is_an_answer() -> None:
    assert noted(ask("What can I ask?", EIGHT)) == [HELP]
    assert not ask("help", EIGHT).declined


def test_a_figure_that_is_absent_is_declined_and_not_offered() -> None:
    answer = ask("outcome rate of segment 1", without_outcome())
    assert answer.declined
    assert "is absent" in noted(answer)[0]
    assert not any("outcome" in nearest for nearest in answer.suggestions)


def test_who_never_saw_an_item_or_never_bought_is_counted() -> None:
    answer = ask("What share of segment 1 never saw /sale?", EIGHT)
    shares = {fact.measure: fact.value for fact in answer.facts}
    seen = ask("What share of segment 1 saw /sale?", EIGHT).facts
    assert shares["not_share:page"] == pytest.approx(1 - seen[0].value)
    (never,), (bought,) = (
        ask(asked, EIGHT).facts for asked in ("Who never bought?", "How many users bought?")
    )
    assert (never.measure, never.value) == ("not_outcome_users", 8 - bought.value)


def test_one_of_a_list_alone() -> None:
    both = ask("top 2 pages", EIGHT).facts
    assert ask("the 2nd most viewed page", EIGHT).facts == (both[1],)
    assert talk("top 2 pages", "and the 2nd?").facts == (both[1],)


def test_a_vague_word_is_read_as_the_nearest_figure_and_said() -> None:
    answer = ask("most loyal users", EIGHT)
    assert noted(answer) == ["“loyal” is read as the sessions a user."]
    assert addresses(answer)[0][0] == "sessions_mean"


def test_a_bounce_is_said_to_be_something_else() -> None:
    answer = ask("What is the bounce rate?", EIGHT)
    assert noted(answer) == [BOUNCED]
    assert ("share", ("group:one_page",), "") in addresses(answer)


# several questions


def test_what_no_table_of_segments_holds_is_answered_as_a_query() -> None:
    saw_both = ask("users who saw /cart and /sale", EIGHT)
    assert [fact.value for fact in saw_both.facts] == [3]
    assert plain(saw_both.blocks, saw_both.titles).startswith(
        "Users who saw /cart and saw /sale, all days: 3"
    )
    assert [fact.value for fact in ask("users with more than 3 sessions", EIGHT).facts] == [0]
    on_mobile = ask("and on mobile?", EIGHT, saw_both.reading)
    assert "are mostly on mobile" in plain(on_mobile.blocks, on_mobile.titles)


@pytest.mark.parametrize(
    ("question", "why"),
    [
        ("which is the largest and which likes jazz?", "“jazz”"),
        ("which is the largest and what is the best?", "Not all of it is understood: “what is the best?”"),
        ("outcome rate of segment 1 and the weather", "“weather”"),
        ("How many users of segment 1 saw /cart and converted?", "only some users"),
        ("How many users of segment 1 are on mobile and from Germany", "“germany”"),
    ],
)
def test_what_is_not_understood_is_named_and_nothing_is_half_answered(question: str, why: str) -> None:
    answer = ask(question, EIGHT)
    assert answer.declined
    assert why in noted(answer)[0]
    assert not answer.facts


# follow-ups; how each is read is tested with test_followups.py


def test_rows_that_are_gone_are_not_followed() -> None:
    gone = Reading(rows=("segment:7",), measures=("users",), focus=("segment:7",))
    assert ask("why?", EIGHT, gone).declined


# hostile and random


@given(st.text(max_size=80))
def test_any_text_gets_an_answer_or_is_declined(text: str) -> None:
    assert ask(text, EIGHT).blocks


WORDS = sorted(
    {" ".join(phrase) for phrase in lexicon(EIGHT)} | {"segment 1", "segment 2", "/cart", "5", "and"}
)


@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=6), st.lists(st.sampled_from(WORDS), max_size=4))
def test_known_words_in_any_order_never_break_it(words: list[str], further: list[str]) -> None:
    first = ask(" ".join(words), EIGHT)
    for answer in (first, ask(" ".join(further), EIGHT, first.reading)):
        assert answer.blocks
        assert {row for fact in answer.facts for row in fact.segments} <= {*answer.titles}
        assert answer.reading is None if answer.declined else True
        kept = [block for block in answer.blocks if isinstance(block, FigureList)]
        assert all(block.facts for block in kept)


@pytest.mark.parametrize(
    "question",
    [
        "outcome rate of segment 1 > segment 2", "segment 1 < segment 2 users", "users of segment <1>",
        "top 5 pages ≥ of segment 1", "users of segment 1 <script>",
    ],
)  # fmt: skip
def test_a_sign_that_compares_is_not_read_over(question: str) -> None:
    answer = ask(question, EIGHT)
    assert answer.declined
    assert any(f"“{sign}”" in noted(answer)[0] for sign in "<>≥")


def test_an_arrow_says_nothing_and_a_name_may_hold_signs() -> None:
    assert addresses(ask("segment 1 -> users", EIGHT)) == addresses(ask("segment 1 users", EIGHT))
    named = replace(EIGHT, names={0: "Sale > hunters", 1: "a<b"})
    assert addresses(ask("How many users are Sale > hunters?", named)) == [("users", ("segment:0",), "")]
    assert addresses(ask("How many users are sale hunters?", named)) == [("users", ("segment:0",), "")]
    assert addresses(ask("How many users are a<b?", named)) == [("users", ("segment:1",), "")]


@pytest.mark.parametrize(
    "question", ["Are these segments real?", "can I trust these segments", "How sure is segment 2?"]
)
def test_whether_segments_are_real_is_never_answered_from_the_question_before(question: str) -> None:
    for last in (None, ask("sessions a user of segment 1", EIGHT).reading):
        answer = ask(question, EIGHT, last)
        assert noted(answer) == [TRUST, TESTED]
        assert not answer.facts


@pytest.mark.parametrize(
    ("question", "meant"),
    [
        ("outcome rate of segmnt 1", "outcome rate of segment 1"),
        ("what is the outcme rate of segment 1", "what is the outcome rate of segment 1"),
    ],
)
def test_a_slip_is_asked_about_and_the_right_question_offered(question: str, meant: str) -> None:
    answer = ask(question, EIGHT)
    assert (answer.declined, answer.suggestions) == (True, (meant,))
    assert addresses(ask(meant, EIGHT)) == [("outcome_rate", ("segment:0",), "")]


def test_of_time_the_nearest_that_is_told_is_offered() -> None:
    answer = ask("How many users of segment 1 came back in the second week?", EIGHT)
    assert (answer.declined, answer.suggestions[0]) == (True, "How many users of Segment 1 come back?")
    assert ask("How many users came back in the second week?", EIGHT).suggestions[0] == (
        "How many users come back?"
    )


def test_who_has_the_outcome_is_named_by_it_though_its_name_means_something_else_too() -> None:
    profiles = replace(EIGHT.tables.profiles, outcome="like", chosen=("like",))
    about = replace(EIGHT, tables=replace(EIGHT.tables, profiles=profiles))
    answer = ask("Which articles do people who like read?", about)
    assert {fact.row for fact in answer.facts} == WITH
    assert {fact.measure for fact in answer.facts} == {"views:page"}


@pytest.mark.parametrize(
    "question",
    ["Why are there no stable segments?", "Why are the segments not stable?", "Are these segments real?"],
)
def test_why_there_are_no_segments_is_answered_by_the_verdict(question: str) -> None:
    answer = ask(question, replace(EIGHT, unsupported=True, verdict="No stable segments here."))
    assert (answer.declined, noted(answer)) == (False, ["No stable segments here.", HOW_SURE, TESTED])


def test_a_difference_that_is_real_is_one_that_is_compared() -> None:
    (contrast,) = ask("Is the outcome rate of segment 1 higher than of segment 2 by chance?", EIGHT).blocks
    assert isinstance(contrast, Contrast)


def test_whether_a_difference_is_real_is_said_where_that_is_asked() -> None:
    about = shop().context
    asked = "difference in sessions a user between segment 1 and segment 2"
    (contrast,) = ask(f"What is the {asked}?", about).blocks
    assert isinstance(contrast, Contrast)
    assert ask(f"Is the {asked} real?", about).blocks == (
        contrast, *notes(sentence_on_tests(about, [contrast])),
    )  # fmt: skip
    assert sentence_on_tests(about, [contrast]) == DESCRIBED


def test_a_total_is_of_all_users_whatever_was_asked_before() -> None:
    answer = ask("total revenue", EIGHT, ask("describe segment 1", EIGHT).reading)
    assert [(fact.row, fact.text) for fact in answer.facts] == [("all", "30.00")]
    assert [fact.row for fact in ask("total revenue of segment 1", EIGHT).facts] == ["segment:0"]


def test_buyers_are_named_by_what_they_did() -> None:
    answer = ask("What do buyers look at first?", EIGHT)
    assert noted(answer) == ["Converted users are the clustered ones with purchase, whatever their segment."]
    assert {fact.row for fact in answer.facts} == {"outcome:with"}
    assert answer.titles["outcome:with"].full == "Clustered users who converted"


@pytest.mark.parametrize("question", ["How do buyers differ?", "How do buyers differ from the others?"])
def test_how_buyers_differ_is_told_of_them_and_not_of_segments(question: str) -> None:
    answer = ask(question, shop().context)
    contrasts = [block for block in answer.blocks if isinstance(block, Contrast)]
    assert len(contrasts) > 1
    assert {block.first.row for block in contrasts} == WITH
    assert not any(isinstance(block, Ranking) for block in answer.blocks)


def test_a_question_may_go_on_after_one_about_buyers() -> None:
    about_buyers = ask("What do buyers look at?", EIGHT).reading
    assert [fact.row for fact in ask("revenue of segment 1", EIGHT, about_buyers).facts] == ["segment:0"]
    assert {fact.row for fact in ask("and where do they leave?", EIGHT, about_buyers).facts} == WITH
    both = ask("What do buyers see first? And what do they see last?", EIGHT)
    assert {fact.row for fact in both.facts} == WITH


def test_buying_where_it_is_no_outcome_is_said() -> None:
    answer = ask("who buys most?", without_outcome())
    assert answer.declined
    assert noted(answer) == ["Buying is not counted: no outcome is chosen."]


def test_the_two_segments_that_are_most_alike() -> None:
    about = shop().context
    (fact,) = ask("Which two segments are most alike?", about).facts
    apart = [each.value for key in about.segment_keys for each in Figures(about).nearest(key, 9)]
    assert (fact.measure, fact.value) == ("distance", min(apart))
    assert fact.value < max(apart)


def test_how_sure_a_segment_is_is_answered_where_it_was_measured() -> None:
    made = Certificate(1, 9, jaccard=0.8, low=0.7, high=0.9, halves=0.75, seeds=1.0, rival=None, moves=0.0)
    answer = ask("How sure is segment 2?", replace(EIGHT, certificates={1: made}))
    first = answer.facts[0]
    assert (first.measure, first.row, first.text) == ("jaccard", "segment:1", "80%")
    assert not ask("How sure is segment 2?", EIGHT).facts


def test_a_rule_for_each_segment_and_for_the_next_one() -> None:
    about, whole = rule_figures().context, "rule_users"
    answer = ask("Rules for each segment", about)
    assert [fact.row for fact in answer.facts if fact.measure == whole] == ["segment:0", "segment:1"]
    following = talk("How do I reach segment 1?", "and segment 2?", about=about)
    assert [fact.row for fact in following.facts] == ["segment:1"] * 3
    assert "Which segment do you mean?" in noted(ask("Give me a rule", about))[0]
    assert noted(ask("rule for buyers", EIGHT)) == [
        "Clustered users who converted is no segment. Allowed: segment:0, segment:1."
    ]


def test_a_funnel_in_words_and_what_is_asked_of_it_next() -> None:
    asked = "How many of segment 1 go from category to cart?"
    found = [(fact.item, fact.text) for fact in ask(asked, EIGHT).facts if fact.measure == "funnel_users"]
    assert found == [("Category", "3"), ("Category → /cart", "2")]
    assert talk(asked, "Where do they drop off?").facts == ask(asked, EIGHT).facts
    others = talk(asked, "and segment 2?")
    assert {fact.row for fact in others.facts if fact.measure == "funnel_users"} == {"segment:1"}
    assert {fact.item for fact in others.facts} == {"Category", "Category → /cart"}
    each = ask("funnel by segment", EIGHT).facts
    assert {fact.row for fact in each if fact.measure == "funnel_users"} == {"segment:0", "segment:1"}
    (none,) = noted(ask("how many users go from /nowhere* to /cart", EIGHT))
    assert none.startswith("Nothing here is called")


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("how many add to cart in one session", "within one session"),
        ("how many users trigger add_to_cart", "in the user's whole time"),
        ("what share of segment 1 added to cart", "in the user's whole time"),
        ("how many go from /sale to add to cart", "in the user's whole time"),
    ],
)
def test_an_event_is_a_step_and_no_page_that_has_a_word_of_its_name(question: str, said: str) -> None:
    answer = ask(question, ADDED)
    ways = {fact.item for fact in answer.facts if fact.measure == "funnel_users"}
    assert not answer.declined and said in "".join(noted(answer))
    assert ways == ({"/sale", "/sale → add_to_cart"} if "/sale" in question else {"add_to_cart"})
    each = ask("which segment adds to cart most", ADDED).facts
    assert {fact.row for fact in each} == {"segment:0", "segment:1"}
    if "trigger" in question:
        again = ask("and segment 1?", ADDED, answer.reading)
        assert {fact.item for fact in again.facts} == {"add_to_cart"}


def test_look_alikes_are_counted_of_a_segment_and_of_the_list() -> None:
    asked: list[str] = []

    def like(key: str) -> LookAlikes:
        asked.append(key)
        return LookAlikes(np.array([3]), np.array([0.9]), np.array([0]), np.array([], dtype=np.int64))

    about = replace(EIGHT, like=like)
    assert ask("how many users are like segment 1?", about).facts[0].text == "1"
    assert ask("how many users are as near to the list?", about).facts[0].row == PASTED
    assert asked == ["segment:0", PASTED]


@pytest.mark.parametrize(
    ("question", "measures"),
    [
        ("do users of segment 1 come back", {"again"}),
        ("how many users come back", {"again"}),
        ("retention of segment 2", {"again"}),
        ("does segment 1 grow", {"came"}),
        ("how did segment 1 develop", {"came"}),
        ("when do users of segment 2 come", {"when:weekday"}),
        ("on which weekday do users come", {"when:weekday"}),
        ("how many go from /sale to /cart in one session", {"funnel_users", "funnel_share", "funnel_lost"}),
    ],
)
def test_time_within_the_data_is_told(question: str, measures: set[str]) -> None:
    answer = ask(question, EIGHT)
    assert not answer.declined
    assert {fact.measure for fact in answer.facts} == measures
    assert ("within one session" in "".join(noted(answer))) is ("session" in question)


def test_a_pronoun_asks_about_time_of_the_segment_spoken_of() -> None:
    assert {fact.row for fact in talk("describe segment 2", "do they come back?").facts} >= {"segment:1"}


def test_a_pronoun_asks_about_time_of_each_segment_where_none_was_spoken_of() -> None:
    for question, same in (
        ("do they come back?", "how many users come back"),
        ("when do they come", "when do users come"),
        ("do they grow", "which segment grows"),
    ):
        answer = ask(question, EIGHT)
        assert not answer.declined
        assert answer.blocks == ask(same, EIGHT).blocks


@pytest.mark.parametrize(
    "question",
    [
        "Is this a sample?", "Are these all users?", "are these users only a sample", "Was the data sampled?",
        "is this all the data?", "how many users are in the sample",
    ],
)  # fmt: skip
def test_whether_all_users_are_counted_is_said_as_above_the_pages(question: str) -> None:
    part = "a sample of 700 of 2,800 users"
    basis = replace(EIGHT.tables.basis, narrowed=lambda: part)
    sampled = replace(EIGHT, tables=replace(EIGHT.tables, basis=basis))
    for last in (None, ask("users of segment 1", EIGHT).reading):
        assert noted(ask(question, sampled, last)) == [f"Counted on these pages: {part}."]
        assert noted(ask(question, EIGHT, last)) == [ALL_COUNTED]


def test_a_limit_holds_for_segments() -> None:
    (block,) = ask("segments with more than 2 users", EIGHT).blocks
    assert isinstance(block, Ranking)
    assert block.limit == "Users more than 2"
    assert [fact.value > 2 for fact in block.facts] == [True] * len(block.facts)
    (nobody,) = ask("segments with more than 900 users", EIGHT).blocks
    assert plain([nobody], {}) == "Users more than 900: no segment."


def test_a_chart_of_one_item_has_a_bar_a_segment() -> None:
    _, chart = ask("chart the share of users who saw /cart", EIGHT).blocks
    assert isinstance(chart, Chart)
    assert [fact.row for fact in chart.facts] == ["segment:0", "segment:1"]

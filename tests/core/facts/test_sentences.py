"""Blocks as sentences."""

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from core.facts.answer import (
    Block,
    Chart,
    Comment,
    Contrast,
    Fact,
    FigureList,
    Idea,
    Note,
    Ranking,
    Title,
    Unit,
    Verdict,
    facts_of,
)
from core.facts.fact_maker import make_fact, relation
from core.facts.items import ItemMetric
from core.facts.sentences import plain, say
from core.profiles.user_items import Family
from tests.core.facts.toy import figures
from tests.core.facts.toy_facts import BLOCKS, TITLES, fact, item


def said(*blocks: Block) -> list[str]:
    return plain(blocks, TITLES).splitlines()


def listed(*facts: Fact) -> FigureList:
    return FigureList(facts=facts)


def contrast(first: Fact, second: Fact, verdict: Verdict) -> Contrast:
    return Contrast(first=first, second=second, verdict=verdict, relation=relation(first, second))


USERS, SHARE = fact("users", 210), fact("share", 0.21)
RATE = fact("outcome_rate", 0.2571, interval=(0.203, 0.32))
OTHERS_RATE = fact("outcome_rate", 0.0221, "all")
RETURNS, OWL_RETURNS = fact("sessions_mean", 1.84), fact("sessions_mean", 1.44, "segment:1")


def test_several_figures_of_a_row_are_one_sentence_with_intervals() -> None:
    assert said(listed(USERS, SHARE, RATE)) == [
        "Sale hunters (segment 1): 210 users (21.0% of all users) and an outcome rate of 25.71% [20.3–32.0]."
    ]


def test_the_full_title_stands_once_and_each_figure_too() -> None:
    assert said(listed(RATE), listed(RATE, RETURNS)) == [
        "Sale hunters (segment 1) have an outcome rate of 25.71% [20.3–32.0].",
        "They have 1.84 sessions a user.",
    ]


def test_a_name_in_the_singular_has_its_verb_in_the_singular() -> None:
    more = contrast(OWL_RETURNS, fact("sessions_mean", 1.2, "segment:2"), Verdict.HIGHER)
    assert said(listed(fact("users", 5, "segment:1")), more) == [
        "Night owl (segment 2): 5 users.",
        "Night owl comes back more often than Segment 3: 1.44 against 1.20 (1.2×).",
    ]


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        ([fact("users", 8, "all")], "There are 8 users."),
        ([fact("users", 1, "all")], "There is 1 user."),
        ([fact("users", 1, "group:one_page")], "One-page users: 1 user."),
        ([fact("page_views", 1)], "Sale hunters (segment 1) have 1 page view."),
        ([fact("outcome_rate", 0.5, "all")], "All users have an outcome rate of 50.00%."),
        ([fact("outcome_users", 2, "all", n=8)], "2 of 8 users converted."),
    ],
)
def test_what_is_counted_agrees_with_its_number(facts: list[Fact], text: str) -> None:
    assert said(listed(*facts)) == [text]


@pytest.mark.parametrize(
    ("metric", "dimension", "value", "one", "many"),
    [
        (ItemMetric.SHARE, Family.PAGE, 0.5, "50.0% of {} saw A.", "Pages of {}, by share of users: "),
        (
            ItemMetric.LIFT, Family.PAGE, 3, "The share of {} that saw A is 3.0× that of the others.",
            "Pages that set {} apart (times the others' share of users): ",
        ),
        (
            ItemMetric.LIFT, Family.PAGE, math.inf,
            "Users that saw A are only here, in {}, and not among the others.",
            "Pages that set {} apart (times the others' share of users): ",
        ),
    ],
)  # fmt: skip
def test_one_item_is_a_sentence_and_several_are_a_list(
    metric: ItemMetric, dimension: str, value: float, one: str, many: str
) -> None:
    first, second = (item(metric, dimension, name, value) for name in "AB")
    row = "Sale hunters (segment 1)"
    assert said(listed(first)) == [one.format(row)]
    assert said(listed(first, second)) == [f"{many.format(row)}A ({first.text}), B ({first.text})."]


def test_routes_are_told_with_the_share_of_users_who_took_them() -> None:
    label = "share of users who took the route"
    first, second = (
        make_fact("route:page", label, ("segment:0",), share, Unit.SHARE, item=name, n=50)
        for name, share in (("A → B ×2+ → …", 0.4), ("A", 0.2))
    )
    row = "Sale hunters (segment 1)"
    assert said(listed(first)) == [f"40% of {row} took the route A → B ×2+ → ..."]
    assert said(listed(second)) == [f"20% of {row} took the route A."]
    assert said(listed(first, second)) == [
        f"The most common whole sessions of {row}: A → B ×2+ → ... (40%), A (20%)."
    ]


def test_steps_that_differ_are_told_by_where_they_begin_and_end() -> None:
    steps = ["(start) → A", "A → (end of session)", "A → A", "A → B"]
    facts = [make_fact("move:page", "", ("segment:0",), 0.4, Unit.SHARE, item=step, n=50) for step in steps]
    row = "40% of Sale hunters (segment 1)"
    assert [said(listed(fact)) for fact in facts] == [
        [f"{row} began a session with A."], [f"{row} who were at A ended a session there."],
        [f"{row} who were at A opened it again right away."], [f"{row} who were at A went on to B."],
    ]  # fmt: skip
    several = f"Steps of {row[7:]}, by share of the users who were there: "
    assert said(listed(*facts[2:])) == [f"{several}A → A (40%), A → B (40%)."]


def test_a_rule_is_said_once_with_all_that_is_measured_of_it() -> None:
    long = f"users who viewed /{'a' * 40}, and viewed /{'b' * 40}"
    rule = [
        make_fact(measure, "", ("segment:0",), value, unit, item=long, interval=interval, n=50)
        for measure, value, unit, interval in (
            ("rule_users", 41, Unit.COUNT, None), ("rule_precision", 0.8, Unit.SHARE, (0.7, 0.9)),
            ("rule_recall", 0.5, Unit.SHARE, (0.4, 0.6)),
        )
    ]  # fmt: skip
    first = f"A rule for Sale hunters (segment 1): {long}."
    assert said(listed(*rule)) == [
        f"{first} It describes 41 clustered users. Of those whom it describes, 80% [70–90] belong to the "
        "segment (precision). Of the segment, it finds 50% [40–60] (recall)."
    ]
    assert said(listed(rule[2])) == [f"{first} Of the segment, it finds 50% [40–60] (recall)."]


def test_where_sessions_begin_which_steps_follow_and_who_is_near() -> None:
    made = figures()
    row = {"from": "/sale", "to": "/sale", "share": 0.75, "n": 4, "users": 3}
    step = {"from": "/", "to": "/sale", "share": 0.25, "n": 4, "users": 3}
    begin, end = (made.session_end("segment:0", row, kind) for kind in ("entry", "exit"))
    lines = [said(listed(one))[0] for one in (begin, end, made.step("segment:0", step, "page"))]
    assert lines == [
        "75% of the sessions of Sale hunters (segment 1) begin with /sale.",
        "75% of the sessions of Sale hunters (segment 1) end with /sale.",
        "25% of the steps of Sale hunters (segment 1) lead from / to /sale.",
    ]
    assert said(listed(*made.nearest("segment:0", 1))) == [
        "Closest to Sale hunters (segment 1), by the distance of the centroids: Night owl (segment 2) at "
        "1.41."
    ]


def views_of_hats(value: float, row: str = "segment:0") -> Fact:
    """A figure of an older conversation."""
    return make_fact("views:theme", "page views", (row,), value, Unit.COUNT, item="Hats")


@pytest.mark.parametrize(
    ("block", "text"),
    [
        (
            contrast(RATE, OTHERS_RATE, Verdict.HIGHER),
            "Sale hunters (segment 1) convert more often than all users: 25.71% against 2.21% (12×).",
        ),
        (
            contrast(OTHERS_RATE, RATE, Verdict.LOWER),
            "All users convert less often than Sale hunters (segment 1): 2.21% against 25.71% "
            "(−23.50 percentage points).",
        ),
        (
            contrast(fact("engagement_s_median", 30), fact("engagement_s_median", 20, "all"), Verdict.HIGHER),
            "Sale hunters (segment 1) have a higher median engagement time than all users: 30 s against 20 s "
            "(1.5×).",
        ),
        (
            contrast(RATE, OTHERS_RATE, Verdict.UNSURE),
            "Outcome rate: not shown to differ between Sale hunters (segment 1) and all users, "
            "25.71% [20.3–32.0] against 2.21%.",
        ),
        (
            contrast(fact("users", 2), fact("users", 2, "segment:1"), Verdict.SAME),
            "Users: no difference between Sale hunters (segment 1) and Night owl (segment 2), 2 against 2.",
        ),
        (
            contrast(
                views_of_hats(9), views_of_hats(4, "segment:1"), Verdict.HIGHER,
            ),
            "Page views of the theme Hats: more for Sale hunters (segment 1) than for Night owl (segment 2): "
            "9 against 4 (2.2×).",
        ),
    ],
)  # fmt: skip
def test_a_contrast_says_who_and_both_values(block: Contrast, text: str) -> None:
    assert said(block) == [text]


def test_three_contrasts_are_a_list() -> None:
    blocks = [
        contrast(fact("users", n + 2), fact("users", n, "segment:1"), Verdict.HIGHER) for n in (1, 2, 3)
    ]
    assert [line.bullet for line in say(blocks, TITLES)] == [True] * 3
    assert said(*blocks)[2] == "- Sale hunters count more users than Night owl: 5 against 3 (1.7×)."


def ranking(*values: float, most: bool = True, sure: bool = True, measure: str = "outcome_rate") -> Ranking:
    facts = tuple(fact(measure, value, f"segment:{place}") for place, value in enumerate(values))
    return Ranking(facts=facts, most=most, sure=sure)


@pytest.mark.parametrize(
    ("block", "text"),
    [
        (
            ranking(0.3, 0.2, 0.1),
            "Sale hunters (segment 1) have the highest outcome rate: 30.00%. Then come Night owl (segment 2) "
            "with 20.00% and Segment 3 with 10.00%.",
        ),
        (
            ranking(0.1, 0.2, most=False, sure=False),
            "Sale hunters (segment 1) have the lowest outcome rate: 10.00%. Then come Night owl (segment 2) "
            "with 20.00%. The first two are not shown to differ.",
        ),
        (
            ranking(5, 5, 2, sure=False, measure="page_views"),
            "Sale hunters (segment 1) and Night owl (segment 2) have the most page views: 5. Then come "
            "Segment 3 with 2.",
        ),
        (ranking(5, 5, measure="users"), "Users: the same for all, 5."),
        (ranking(2.4, 2.3, measure="engagement_s_mean"), "Engagement time a user: the same for all, 2 s."),
        (
            ranking(30, 90, most=False, measure="engagement_s_mean"),
            "Sale hunters (segment 1) have the shortest engagement time a user: 30 s. Then come Night "
            "owl (segment 2) with 1 min 30 s.",
        ),
    ],
)
def test_a_ranking_says_who_is_first_and_how_sure_that_is(block: Ranking, text: str) -> None:
    assert said(block) == [text]


def test_several_rankings_are_told_by_their_ends() -> None:
    assert said(ranking(0.3, 0.1, 0.1), ranking(5, 5, measure="users")) == [
        "- Outcome rate: highest for Sale hunters (segment 1) with 30.00%, lowest for Night owl (segment 2) "
        "and Segment 3 with 10.00%.",
        "- Users: the same for all, 5.",
    ]


def test_only_rankings_of_all_rows_have_ends_and_are_the_same_for_all() -> None:
    """The first two of many are not the lowest, nor are two that are equal everybody."""
    first_two = ranking(9, 9).model_copy(update={"complete": False})
    above = ranking(0.3).model_copy(update={"reference": OTHERS_RATE})
    nobody = above.model_copy(update={"facts": ()})
    for other in (first_two, above, nobody):
        lines = said(ranking(3, 2, 1, measure="users"), other)
        assert lines[0].startswith("- Sale hunters (segment 1) have the most users: 3. Then come")
        assert "lowest" not in lines[1]
        assert "same for all" not in lines[1]


def test_both_ends_of_a_step_are_shown_however_long_their_addresses_are() -> None:
    origin, target = "/o" * 60, "/t" * 60
    step = make_fact(
        "step:page", "share of steps", ("segment:2",), 0.4, RATE.unit, item=f"{origin} → {target}"
    )
    (text,) = said(listed(step))
    assert "from /o/o" in text
    assert "to /t/t" in text


def test_a_figure_of_two_rows_says_both_and_what_it_is() -> None:
    ratio = relation(RATE, OTHERS_RATE)
    assert ratio is not None
    assert said(listed(ratio)) == ["Sale hunters (segment 1), ratio of outcome rate: all users at 12×."]


def test_what_is_beyond_all_users_and_that_nobody_is() -> None:
    above = ranking(0.3).model_copy(update={"reference": OTHERS_RATE})
    nobody = above.model_copy(update={"facts": (), "most": False})
    assert said(above) == [
        "Outcome rate for all users: 2.21%. Above that: Sale hunters (segment 1) with 30.00%."
    ]
    assert said(nobody) == ["Outcome rate for all users: 2.21%. Below that: no segment."]


def test_what_sets_a_row_apart_is_a_list_below_one_heading() -> None:
    """Each figure against that of the others; what is not shown to differ is said before it."""
    saw, others_saw = (
        item(ItemMetric.SHARE, Family.PAGE, "/cart", share, row)
        for share, row in ((0.75, "segment:0"), (0.25, "others"))
    )
    returns = fact("sessions_mean", 1.2, "others")
    apart = [contrast(saw, others_saw, Verdict.HIGHER), contrast(RETURNS, returns, Verdict.HIGHER)]
    rate = contrast(RATE, fact("outcome_rate", 0.2, "others"), Verdict.UNSURE)
    assert said(rate, *apart) == [
        "Outcome rate: not shown to differ between Sale hunters (segment 1) and the other clustered users, "
        "25.71% [20.3–32.0] against 20.00%.",
        "What sets Sale hunters apart from the other clustered users:",
        "- 75.0% saw /cart, against 25.0% (3.0×).",
        "- sessions a user: 1.84 against 1.20 (1.5×).",
    ]
    owl = contrast(OWL_RETURNS, returns, Verdict.HIGHER)
    assert said(apart[0], owl) == [
        "What sets them apart from the other clustered users:",
        "- Sale hunters (segment 1): 75.0% saw /cart, against 25.0% (3.0×).",
        "- Night owl (segment 2): sessions a user: 1.44 against 1.20 (1.2×).",
    ]


def test_moves_are_a_list() -> None:
    moves = [
        make_fact("moved", "users that changed their segment", ("all",), n, USERS.unit, item=f"{n} → 9")
        for n in (2, 3)
    ]
    assert said(listed(*moves)) == ["From where to where: 2 → 9 (2), 3 → 9 (3)."]
    assert said(listed(moves[0])) == ["2 users changed: 2 → 9."]


def test_remarks_ideas_and_charts_are_not_said_here() -> None:
    assert said(Comment(text="They love it."), Idea(text="Write to them."), Chart(facts=(USERS,))) == []


@given(BLOCKS)
def test_no_number_stands_in_the_text_that_is_not_a_facts(blocks: list[Block]) -> None:
    """Beside facts, digits stand in titles, items, the ends of an interval and what a count is of only."""
    facts = facts_of(blocks)
    for line in say(blocks, TITLES):
        bare = "\0".join(piece for piece in line.pieces if isinstance(piece, str))
        for known in {
            *(text for title in TITLES.values() for text in (title.label, title.label.lower())),
            *(one.called for one in facts if one.item),
        }:
            bare = bare.replace(known, "")
        bare = re.sub(r"\[\d+(\.\d)?–\d+(\.\d)?\]| of [\d,]+ users? (converted|did)", "", bare)
        assert re.findall(r"\d", bare) == []
        assert set(line.pieces) & set(facts) == {one for one in line.pieces if isinstance(one, Fact)}


@given(BLOCKS)
def test_every_figure_of_a_list_is_said(blocks: list[Block]) -> None:
    """Equal figures are one; those of a ranking with the same text are said by one of them."""
    pieces = {piece for line in say(blocks, TITLES) for piece in line.pieces}
    lists = [block for block in blocks if isinstance(block, FigureList)]
    assert {(one.measure, one.row, one.item, one.text) for one in facts_of(lists)} <= {
        (one.measure, one.row, one.item, one.text) for one in pieces if isinstance(one, Fact)
    }


@given(BLOCKS)
def test_blocks_come_back_from_json_as_they_were(blocks: list[Block]) -> None:
    adapter = TypeAdapter(list[Block])
    assert adapter.validate_json(adapter.dump_json(blocks)) == blocks


@given(st.sampled_from([Note, Comment, Idea]), st.text())
def test_texts_come_back_as_they_were(kind: type[Note | Comment | Idea], text: str) -> None:
    adapter: TypeAdapter[Block] = TypeAdapter(Block)
    encodable = text.encode("utf-8", "ignore").decode()
    assert adapter.validate_json(adapter.dump_json(kind(text=encodable))) == kind(text=encodable)


def test_figures_of_a_query_are_told_below_what_was_asked() -> None:
    asked = "users who saw /cart, by device, all days"
    rows = [
        make_fact("query:users:ab12", asked, ("all",), n, Unit.COUNT, item=name)
        for name, n in (("mobile", 7), ("desktop", 2))
    ]
    assert said(listed(*rows)) == ["Users who saw /cart, by device, all days:", "- mobile: 7", "- desktop: 2"]


def test_a_figure_of_an_older_conversation_is_still_said() -> None:
    old = [
        make_fact("when:weekday", "share of sessions on", ("segment:0",), share, Unit.SHARE, item=day)
        for day, share in (("Monday", 0.5), ("Sunday", 0.25))
    ]
    row = "Sale hunters (segment 1)"
    assert said(listed(old[0])) == [f"Share of sessions on Monday, of {row}: 50.0%."]
    assert said(listed(views_of_hats(7))) == [f"Page views of the theme Hats, of {row}: 7."]
    assert said(listed(*old)) == [f"Share of sessions on, of {row}: Monday (50.0%), Sunday (25.0%)."]


def test_titles_in_full_and_short() -> None:
    assert (TITLES["segment:0"].full, TITLES["segment:0"].short) == (
        "Sale hunters (segment 1)",
        "Sale hunters",
    )
    assert Title(label="All users").full == Title(label="All users").short == "All users"


def test_rows_beyond_a_limit_are_listed_and_nobody_is_said() -> None:
    beyond = Ranking(facts=(USERS,), limit="Users over 200")
    nobody = Ranking(facts=(), limit="Users over 900")
    assert said(beyond) == ["Users over 200: Sale hunters (segment 1) with 210."]
    assert said(nobody) == ["Users over 900: no segment."]
    assert said(nobody, beyond)[0] == "- Users over 900: no segment."


def test_reloads_and_ends_of_sessions_are_said_as_what_they_are() -> None:
    made = figures()
    steps = [("/sale", "/sale"), ("/sale", "(end of session)"), ("(start)", "/sale")]
    facts = [
        made.step("segment:0", {"from": one, "to": other, "share": 0.25, "n": 8, "users": 2}, "page")
        for one, other in steps
    ]
    begin = "25% of the steps of Sale hunters (segment 1) lead from"
    assert [said(listed(fact)) for fact in facts] == [
        [f"{begin} /sale to /sale again."], [f"{begin} /sale to the end of the session."],
        [f"{begin} the start of a session to /sale."],
    ]  # fmt: skip


def test_a_step_from_a_place_in_an_older_conversation_is_no_share_of_all_steps() -> None:
    old = make_fact("step:type:from", "share of steps from there", ("all",), 0.5, Unit.SHARE, item="A → B")
    assert said(listed(old)) == ["Share of steps from there A → B, of all users: 50.0%."]

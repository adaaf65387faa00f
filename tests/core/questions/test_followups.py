"""Questions that go on with the one before."""

import pytest

from core.facts.answer import FigureList, Ranking, Reading
from core.facts.items import Dimension
from core.questions.followups import reading, readings
from core.questions.grammar import parse
from core.questions.parsed import Parsed
from tests.core.facts.toy import context, figures

RATE = Reading(rows=("segment:1",), measures=("outcome_rate",), focus=("segment:1",))
RANKED = Reading(measures=("revenue",), cues=("most", "segments"), focus=("segment:0",))
MOBILE = Reading(rows=("segment:1",), items=(("device", "mobile"),), cues=("share",), focus=("segment:1",))
TOP = Reading(rows=("segment:1",), dimensions=("page",), cues=("top",), number=3, focus=("segment:1",))
BOTH = Reading(rows=("segment:0", "segment:1"), cues=("compare",), focus=("segment:0", "segment:1"))


def first(question: str, last: Reading | None) -> Parsed:
    return next(readings(parse(question, context()), last))


def all_of(question: str, last: Reading | None) -> list[Parsed]:
    return list(readings(parse(question, context()), last))


def test_the_first_question_is_read_as_it_stands() -> None:
    assert all_of("and segment 1?", None) == [parse("and segment 1?", context())]


@pytest.mark.parametrize(
    ("question", "last", "rows", "measures"),
    [
        ("and segment 1?", RATE, ["segment:0"], ["outcome_rate"]),
        ("what about sessions?", RATE, ["segment:1"], ["sessions"]),
        ("and users?", RATE, ["segment:1"], ["users"]),
        ("and overall?", RATE, ["all"], ["outcome_rate"]),
        ("and on average?", RATE, ["all"], ["outcome_rate"]),
        ("why", RATE, [], []),  # read as it stands first, then as a follow-up
        ("what is its revenue?", RATE, ["segment:1"], ["revenue"]),
        ("its revenue?", RANKED, ["segment:0"], ["revenue"]),
        ("and segment 2?", RANKED, ["segment:1"], ["revenue"]),
        ("and sessions?", RANKED, [], ["sessions"]),
        ("is it bigger than segment 1?", RATE, ["segment:1", "segment:0"], []),
        ("by revenue", BOTH, ["segment:0", "segment:1"], ["revenue"]),
        ("revenue?", RATE, ["segment:1"], ["revenue"]),
        ("show the ranking", RATE, [], ["outcome_rate"]),
        ("plot it", RATE, [], ["outcome_rate"]),
        ("tell me more", RATE, ["segment:1"], []),
        ("what about the biggest segment?", RATE, [], ["outcome_rate"]),
        ("and outcome rate of segment 1?", RANKED, ["segment:0"], ["outcome_rate"]),
        ("and which segment has the most users?", MOBILE, [], []),
    ],
)  # fmt: skip
def test_rows_and_measures(question: str, last: Reading, rows: list[str], measures: list[str]) -> None:
    meant = first(question, last)
    assert (meant.rows, meant.measures) == (rows, measures)


@pytest.mark.parametrize(
    ("question", "last", "cues"),
    [
        ("and the lowest?", RANKED, {"least", "segments"}),
        ("and segment 2?", RANKED, set()),
        ("and sessions?", RANKED, {"most", "segments"}),
        ("and desktop?", MOBILE, {"share"}),
        ("and how many are on desktop?", MOBILE, {"many"}),
        ("and themes?", TOP, {"top"}),
        ("and sessions?", TOP, set()),
        ("by revenue", BOTH, {"compare"}),
        ("as a chart", RANKED, {"chart"}),
    ],
)
def test_what_is_asked_of_them(question: str, last: Reading, cues: set[str]) -> None:
    assert first(question, last).cues == cues


def test_what_stands_alone_is_read_so_first() -> None:
    alone, changed = all_of("why", RANKED)
    assert (alone.rows, alone.measures) == ([], [])
    assert (changed.rows, changed.measures) == (["segment:0"], ["revenue"])
    assert len(all_of("top pages of segment 1 by views", TOP)) == 1
    assert len(all_of("thanks", TOP)) == 1


def test_the_best_is_no_matter_of_size() -> None:
    sized = Reading(measures=("users",), cues=("most",), focus=("segment:0",))
    assert first("and the best?", sized).measures == []
    assert first("and the best?", RANKED).measures == ["revenue"]


def test_an_answer_speaks_of_the_rows_named_or_of_the_first_of_a_ranking() -> None:
    made = figures()
    facts = [made.needed(key, "users") for key in made.context.segment_keys]
    ranking = made.ranking(facts)
    assert reading(parse("most users", context()), (ranking,)).focus == ("segment:0",)
    assert reading(parse("segment 2", context()), (FigureList(facts=tuple(facts)),)).focus == ("segment:1",)
    tied = Ranking(facts=(facts[0], facts[0].model_copy(update={"segments": ("segment:1",)})))
    assert reading(parse("most users", context()), (tied,)).focus == ()


def test_rows_beyond_a_limit_are_those_spoken_of_next() -> None:
    made = figures()
    facts = tuple(made.needed(key, "users") for key in made.context.segment_keys)
    within = reading(
        parse("segments with over 1 users", context()), (Ranking(facts=facts, limit="Users over 1"),)
    )
    assert within.focus == ("segment:0", "segment:1")
    assert first("smallest of these", within).rows == ["segment:0", "segment:1"]


def test_after_that_is_after_where_the_first_step_leads() -> None:
    step = (
        figures().needed("all", "users").model_copy(update={"measure": "step:page:from", "item": "/ → /cart"})
    )
    last = reading(parse("what comes after /", context()), (FigureList(facts=(step,)),))
    assert last.onward == (("page", "/cart"),)
    meant = first("and after that?", last)
    assert (meant.items, meant.cues) == ([(Dimension.PAGE, "/cart")], {"after"})


def test_it_is_the_item_where_segments_are_asked_for() -> None:
    seen = Reading(items=(("page", "/cart"),), cues=("many", "viewed"))
    assert first("which segment reads it the most", seen).items == [(Dimension.PAGE, "/cart")]

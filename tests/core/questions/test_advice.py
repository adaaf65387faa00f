"""What to try, with the figures that suggest it."""

from dataclasses import replace
from itertools import pairwise

import pytest

from core.facts.answer import Answer, Contrast, Note, Unit, Verdict
from core.facts.fact_maker import make_fact
from core.facts.segment_tools import NO_CAUSE, is_rate
from core.questions.advice import MEND, NOTHING, OPTIONS, SHOW, _says
from core.questions.answers import ask
from tests.core.facts.shop import shop
from tests.core.facts.toy import context


def noted(answer: Answer) -> list[str]:
    return [block.text for block in answer.blocks if isinstance(block, Note)]


@pytest.mark.parametrize("question", ["What should I do about segment 2?", "how to sell more to segment 2?"])
def test_each_option_has_its_figure(question: str) -> None:
    answer = ask(question, shop().context)
    assert [text for text in noted(answer) if text in OPTIONS] == [*OPTIONS]
    assert noted(answer)[-1] == NO_CAUSE
    (apart,) = [block for block in answer.blocks if isinstance(block, Contrast)]
    assert apart.first.row == "segment:1" and apart.verdict.is_sure and not is_rate(apart.first)
    assert {fact.measure for fact in answer.facts} >= {"rule_users", "rule_precision", "rule_recall"}


def test_the_share_is_of_the_step_where_the_most_are_lost() -> None:
    reached = [fact.value for fact in ask("funnel", shop().context).facts]
    lost = [before - after for before, after in pairwise(reached)]
    at = lost.index(max(lost))
    (fact,) = [
        fact for fact in ask("What should I do next?", shop().context).facts if "query:share" in fact.measure
    ]
    assert (fact.n, fact.value * fact.n) == (reached[at], pytest.approx(reached[at + 1]))


def test_without_a_segment_it_is_about_the_one_whose_rate_is_shown_to_be_highest() -> None:
    rates = {fact.row: fact.value for fact in ask("conversion rate by segment", shop().context).facts}
    lead = next(
        block for block in ask("how do we sell more?", shop().context).blocks if isinstance(block, Contrast)
    )
    assert (lead.first.measure, lead.first.value) == ("outcome_rate", max(rates.values()))


def test_it_is_what_was_spoken_of() -> None:
    last = ask("describe segment 3", shop().context).reading
    assert (
        ask("what should I do about it?", shop().context, last).facts
        == ask("what to do about segment 3", shop().context).facts
    )


def test_of_too_few_nothing_is_advised() -> None:
    assert noted(ask("What should I do about segment 1?", context())) == [NOTHING]


@pytest.mark.parametrize(
    "question",
    [
        "how can we increase engagement", "what should I do about buyers", "what should I do about /cart",
        "what should I do about mobile users", "what should I do about segments 1 and 2",
        "Which segment should I target?", "how do we improve retention",
    ],
)  # fmt: skip
def test_what_it_is_not_about_is_declined(question: str) -> None:
    assert ask(question, shop().context).declined


def test_without_an_outcome_no_step_is_one_to_mend() -> None:
    profiles = replace(shop().context.tables.profiles, chosen=(), outcome=None)
    told = noted(
        ask(
            "What should I do about segment 2?",
            replace(shop().context, tables=replace(shop().context.tables, profiles=profiles)),
        )
    )
    assert SHOW in told and MEND not in told


def test_what_more_of_them_look_for_by_far_goes_before_what_all_look_for() -> None:
    def higher(here: float, there: float) -> Contrast:
        first, second = (
            make_fact("share:page", "saw", ("segment:1",), value, Unit.SHARE, n=100, users=100)
            for value in (here, there)
        )
        return Contrast(first=first, second=second, verdict=Verdict.HIGHER)

    everywhere, theirs, rare = higher(0.98, 0.69), higher(0.22, 0.10), higher(0.04, 0.0)
    assert max([everywhere, rare, theirs], key=_says) is theirs
    assert max([everywhere, higher(0.5, 0.4)], key=_says) is everywhere

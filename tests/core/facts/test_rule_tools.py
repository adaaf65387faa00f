"""A segment as a rule, by eye."""

from dataclasses import replace

import numpy as np
import pytest

from core.base.errors import InputError
from core.facts.answer import FigureList, Note
from core.facts.context import Context
from core.facts.fact_maker import Figures
from core.facts.rule_tools import WHERE, segment_rule
from core.rules.beam_search import MeasuredShare, RuleFit
from core.rules.conditions import RuleField
from tests.core.facts.shop import shop_figures
from tests.core.facts.toy import NAMES, figures, partition, rule_figures
from tests.core.rules.toy import asks


def test_whom_a_rule_finds_and_how_many_of_them_are_right() -> None:
    found = segment_rule(rule_figures(), segment="segment:0")
    facts, where = found.blocks
    assert isinstance(facts, FigureList)
    assert where == Note(text=WHERE)
    rule = "users who viewed /sale"
    assert [(fact.measure, fact.item, fact.text, fact.n, fact.users) for fact in facts.facts] == [
        ("rule_users", rule, "20", 40, 20), ("rule_precision", rule, "100%", 10, 10),
        ("rule_recall", rule, "100%", 10, 10),
    ]  # fmt: skip
    assert facts.facts[1].low == pytest.approx(0.7225, abs=1e-4)  # Wilson of 10 of 10: 10 / (10 + 1.96²)
    assert found.query == "SELECT rule, users, precision, recall FROM rules WHERE key = 'segment:0'"


def test_a_rule_is_said_to_be_rough_before_its_figures() -> None:
    found = segment_rule(shop_figures(), segment="segment:2")
    first = found.blocks[0]
    assert isinstance(first, Note)
    assert first.text == "The rule for Loyal readers (segment 3) is a rough rule."
    assert min(fact.value for fact in found.facts if fact.measure != "rule_users") < 0.6


def test_why_there_is_no_rule() -> None:
    (note,) = segment_rule(figures(), segment="segment:0").blocks
    assert isinstance(note, Note)
    assert note.text.startswith("There is no rule for Sale hunters (segment 1). The segment has 3 users")


def test_only_segments_of_the_model_have_one() -> None:
    by_outcome = figures().context.tables.by_outcome
    assert by_outcome is not None
    with pytest.raises(InputError, match="Clustered users who converted is no segment"):
        segment_rule(Figures(Context(by_outcome)), segment="outcome:with")


def test_a_rule_that_no_other_user_meets_is_not_told() -> None:
    made = rule_figures().context
    tables = replace(made.tables, partition=partition(np.repeat(np.arange(2, dtype=np.int32), (21, 19))))
    fit = RuleFit(asks(RuleField.SESSIONS, number=9), 3, MeasuredShare(0, 0), MeasuredShare(0, 10), 20, 0.1)
    own = tables.basis.rules(tables.partition)
    tables.basis._rules[tables.partition.digest] = {0: replace(own[0], fits=(fit,))}
    (note,) = segment_rule(Figures(Context(tables, NAMES)), segment="segment:0").blocks
    assert isinstance(note, Note)
    assert note.text.endswith("None is shown to be much better than taking everybody.")

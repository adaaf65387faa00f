"""Findings merged into one."""

from core.facts.fact_maker import Figures, Finding, notes
from core.profiles.profile_columns import Col
from core.questions.calls import merge_findings
from tests.core.facts.toy import context


def test_a_block_that_comes_again_keeps_its_first_place() -> None:
    figures = Figures(context())
    sizes = [figures.measure(key, Col.USERS) for key in figures.context.segment_keys]
    facts = [fact for fact in sizes if fact is not None]
    most, least = figures.ranking(facts), figures.ranking(facts, most=False)
    (first, second) = notes("One.", "Two.")
    merged = merge_findings([Finding((most, first), "a"), Finding((second, least, first), "b")])
    assert merged.blocks == (most, first, second)
    assert merged.query == "a; b"

"""Figures that a real model chose are counted a second time, whatever they are of."""

from benchmarks.words.checking import is_counted
from benchmarks.words.questions import oracle_of
from benchmarks.words.real_model import false_figures
from core.facts.answer import Answer, FigureList
from core.writing.assistant import evidence
from tests.core.facts.shop import shop, shop_figures


def test_a_false_figure_of_any_kind_is_found() -> None:
    facts, oracle = evidence(shop_figures(), "segment:1"), oracle_of(shop())
    kinds = {fact.measure.partition(":")[0]: fact for fact in facts}
    assert {"users", "share", "entry", "exit", "step", "distance"} <= set(kinds)
    assert false_figures(Answer((FigureList(facts=tuple(facts)),)), oracle) == 0
    for fact in filter(is_counted, kinds.values()):
        wrong = fact.model_copy(update={"value": fact.value + 0.25})
        assert false_figures(Answer((FigureList(facts=(wrong,)),)), oracle) == 1

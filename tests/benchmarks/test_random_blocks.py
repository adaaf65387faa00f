"""Random contrasts and rankings of a small shop, held against pandas and scipy."""

import pytest

from benchmarks.words.random_blocks import draw, oracle_of, problems, run
from core.facts.answer import Contrast, Ranking, Verdict
from core.facts.fact_maker import Figures
from tests.core.facts.shop import shop

OPPOSITE = {Verdict.HIGHER: Verdict.LOWER, Verdict.LOWER: Verdict.HIGHER, Verdict.UNSURE: Verdict.HIGHER}


@pytest.mark.filterwarnings("ignore:Precision loss")  # scipy, where a column hardly varies
def test_nothing_is_wrong() -> None:
    drawn, wrong = run(shop(), 300)
    assert wrong == {}
    assert sum(drawn.values()) == 300
    assert min(drawn[f"contrast, {verdict}"] for verdict in ("higher", "lower", "unsure")) >= 10


@pytest.mark.filterwarnings("ignore:Precision loss")
def test_a_wrong_value_direction_or_order_is_noticed() -> None:
    oracle, titles = oracle_of(shop()), shop().context.titles()
    for block in draw(Figures(shop().context), 60, seed=1):
        if isinstance(block, Contrast) and block.verdict in OPPOSITE:
            turned = block.model_copy(update={"verdict": OPPOSITE[block.verdict]})
            other = block.first.model_copy(update={"value": block.first.value * 1.01 + 0.01})
            assert {"direction", "not shown to differ"} & set(problems(turned, oracle, titles))
            assert "value" in set(problems(block.model_copy(update={"first": other}), oracle, titles))
        if isinstance(block, Ranking):
            turned = block.model_copy(update={"facts": block.facts[::-1]})
            assert "order" in set(problems(turned, oracle, titles))

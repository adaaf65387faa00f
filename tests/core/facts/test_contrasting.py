"""Two figures held against each other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from core.base.errors import InputError
from core.facts.answer import Fact, Verdict
from core.facts.contrasting import decide
from core.facts.fact_maker import Figures
from core.facts.items import Dimension, ItemMetric
from core.facts.measures import MEASURES
from core.profiles.contrasts import FISHER, MANN_WHITNEY, T_TEST, compare_shares
from tests.core.facts.shop import shop_figures
from tests.core.facts.toy import context, figures

OPPOSITE = {Verdict.HIGHER: Verdict.LOWER, Verdict.LOWER: Verdict.HIGHER}


def pair(made: Figures, name: str, first: str, second: str) -> tuple[Fact, Fact]:
    return made.needed(first, name), made.needed(second, name)


def test_counts_need_no_test() -> None:
    made = figures()
    assert decide(made.context, *pair(made, "users", "segment:0", "segment:1")) == (Verdict.HIGHER, None)
    assert decide(made.context, *pair(made, "users", "segment:1", "group:one_page")) == (Verdict.SAME, None)
    carts = [made.item(key, Dimension.PAGE, "/cart", ItemMetric.USERS) for key in ("segment:1", "segment:0")]
    assert all(carts)
    assert decide(made.context, *carts) == (Verdict.LOWER, None)


@pytest.mark.parametrize(
    ("name", "test"),
    [
        ("outcome_rate", FISHER), ("engagement_none_share", FISHER), ("page_views_mean", T_TEST),
        ("pages_per_session", T_TEST), ("session_rate", T_TEST), ("revenue_per_user", T_TEST),
        ("page_views_median", MANN_WHITNEY), ("engagement_s_median", MANN_WHITNEY),
    ],
)  # fmt: skip
def test_the_test_goes_by_the_kind_of_measure(name: str, test: str) -> None:
    made = figures()
    _, tested = decide(made.context, *pair(made, name, "segment:0", "all"))
    assert tested is not None
    assert tested.test == test


def test_equal_figures_that_are_tested_are_not_surely_different() -> None:
    made = figures()
    verdict, _ = decide(made.context, *pair(made, "page_views_mean", "segment:0", "segment:1"))
    assert verdict is Verdict.UNSURE


def test_a_share_of_a_row_is_held_against_everybody_else_where_all_are_named() -> None:
    """2 of 3 saw the cart, and 1 of the 5 others; 2 of 3 come by mobile, and 2 of 5 others."""
    made = figures()
    for dimension, value, others in ((Dimension.PAGE, "/cart", (1, 5)), (Dimension.DEVICE, "mobile", (2, 5))):
        own, every = (made.item(key, dimension, value, ItemMetric.SHARE) for key in ("segment:0", "all"))
        assert own
        assert every
        for facts in ((own, every), (every, own)):
            _, tested = decide(made.context, *facts)
            assert tested is not None
            assert tested.p_value == pytest.approx(compare_shares(2, 3, *others).p_value)


def test_themes_are_told_apart_by_the_page_views_of_each_user() -> None:
    """Shoes: in 2 of 4, 1 of 2 and 3 of 3 page views of the first segment, and in none of the second."""
    made = figures()
    first, second = (
        made.item(key, Dimension.THEME, "Shoes", ItemMetric.VIEW_SHARE) for key in ("segment:0", "segment:1")
    )
    assert first
    assert second
    linear = [2 / 3 + (hits - 2 / 3 * views) / 3 for hits, views in ((2, 4), (1, 2), (3, 3))]
    verdict, tested = decide(made.context, first, second)
    assert tested is not None
    assert (verdict, tested.test) == (Verdict.UNSURE, T_TEST)
    assert tested.p_value == pytest.approx(stats.ttest_1samp(linear, 0).pvalue)  # Welch's, here the larger


def test_lifts_of_two_rows_have_no_test() -> None:
    made = figures()
    lifts = [made.item(key, Dimension.PAGE, "/", ItemMetric.LIFT) for key in ("segment:0", "segment:1")]
    with pytest.raises(InputError, match="share of users of two rows cannot be held against each other"):
        decide(context(), *lifts)


@given(
    st.sampled_from([measure.key for measure in MEASURES]),
    st.permutations(["segment:0", "segment:1", "segment:4", "group:one_page", "all"]),
)
def test_swapped_rows_turn_the_verdict_round(name: str, keys: list[str]) -> None:
    made = shop_figures()
    first, second = (made.measure(key, name) for key in keys[:2])
    if first and second:
        verdict, tested = decide(made.context, first, second)
        swapped, again = decide(made.context, second, first)
        assert swapped is OPPOSITE.get(verdict, verdict)
        assert (tested and tested.test) == (again and again.test)
        assert (tested and tested.p_value) == pytest.approx(again and again.p_value)

"""Two figures held against each other."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from core.base.errors import InputError
from core.facts.answer import MEASURES, Fact, Verdict
from core.facts.contrasting import decide
from core.facts.fact_maker import Figures
from core.facts.items import ItemMetric
from core.profiles.difference_words import in_words
from core.profiles.differences import MEASURES as MEASURES_OF_MEANS
from core.profiles.differences import Diff
from core.profiles.means import MANN_WHITNEY, T_TEST
from core.profiles.other_sessions import OTHER_SESSIONS
from core.profiles.profile_columns import Col
from core.profiles.two_shares import FISHER
from core.profiles.user_items import Family
from tests.core.facts.shop import shop_figures
from tests.core.facts.toy import context, figures

OPPOSITE = {Verdict.HIGHER: Verdict.LOWER, Verdict.LOWER: Verdict.HIGHER}


def pair(made: Figures, name: str, first: str, second: str) -> tuple[Fact, Fact]:
    return made.needed(first, name), made.needed(second, name)


def test_a_share_that_was_tested_in_other_sessions_says_so_and_is_higher_by_its_interval() -> None:
    about = figures().context
    scores = pd.DataFrame([[0.1], [-0.1]], columns=["/sale"])
    made = Figures(replace(about, tables=replace(about.tables, again={Family.PAGE: scores})))
    sale = made.item("segment:0", Family.PAGE, "/sale", ItemMetric.SHARE)
    assert sale
    block = made.contrast(sale, "all")
    assert (block.verdict, block.test) == (Verdict.HIGHER, OTHER_SESSIONS)
    assert block.p_value == block.q_value == pytest.approx(0.9203, abs=1e-4)
    assert made.contrast(sale, "segment:1").test == ""


def test_counts_need_no_test() -> None:
    made = figures()
    assert decide(made.context, *pair(made, "users", "segment:0", "segment:1")) == (Verdict.HIGHER, None)
    assert decide(made.context, *pair(made, "users", "segment:1", "group:one_page")) == (Verdict.SAME, None)


@pytest.mark.parametrize(
    ("name", "test"),
    [
        ("outcome_rate", FISHER), ("engagement_none_share", FISHER), ("session_rate", T_TEST),
        ("revenue_per_user", T_TEST), ("engagement_s_mean", MANN_WHITNEY),
        ("engagement_s_median", MANN_WHITNEY), ("page_views_mean", ""), ("pages_per_session", ""),
        ("page_views_median", ""),
    ],
)  # fmt: skip
def test_what_is_held_out_is_tested_by_its_kind_and_nothing_else_is(name: str, test: str) -> None:
    made = figures()
    _, decided = decide(made.context, *pair(made, name, "segment:0", "segment:1"))
    assert decided is not None
    assert decided.test == test
    assert (decided.p_value is None) == (not test)


def test_equal_figures_that_are_tested_are_not_shown_to_differ() -> None:
    made = figures()
    verdict, _ = decide(made.context, *pair(made, "page_views_mean", "segment:0", "segment:1"))
    assert verdict is Verdict.UNSURE


def test_a_share_is_held_against_the_other_clustered_users_where_all_are_named() -> None:
    """2 of 3 saw the cart, and 0 of the 2 others; 2 of 3 come by mobile, and 0 of the 2 others."""
    made = figures()
    for dimension, value in ((Family.PAGE, "/cart"), ("device", "mobile")):
        own = made.item("segment:0", dimension, value, ItemMetric.SHARE)
        assert own
        contrast = made.contrast(own, "all")
        assert (contrast.second.row, contrast.second.value, contrast.second.n) == ("others", 0, 2)
    assert contrast.p_value == pytest.approx(stats.fisher_exact([[2, 1], [0, 2]]).pvalue)


def test_the_share_of_all_users_is_held_against_that_of_all() -> None:
    """Other clustered users have no such share: it is a size."""
    contrast = figures().contrast(figures().needed("segment:0", "share"), "all")
    assert (contrast.second.row, contrast.verdict, contrast.test) == ("all", Verdict.LOWER, "")


@pytest.mark.parametrize("name", [*MEASURES_OF_MEANS, Col.OUTCOME_RATE])
def test_a_figure_says_what_the_table_says(name: str) -> None:
    """p, verdict and both values of each segment against the others, as in its row of the table."""
    made = shop_figures()
    table = made.context.tables.differences.set_index(["key", "item"])
    for key in made.context.segment_keys:
        row = table.loc[(key, "purchase" if name == Col.OUTCOME_RATE else name)]
        contrast = made.contrast(made.needed(key, name), "all")
        assert (contrast.first.value, contrast.second.value) == pytest.approx(
            (row["value"], row["rest_value"])
        )
        assert (contrast.p_value is None) == np.isnan(row["p_value"])
        if contrast.p_value is not None:
            assert contrast.p_value == pytest.approx(row["p_value"], abs=1e-12)


def test_lifts_of_two_rows_have_no_test() -> None:
    made = figures()
    lifts = [made.item(key, Family.PAGE, "/", ItemMetric.LIFT) for key in ("segment:0", "segment:1")]
    with pytest.raises(InputError, match="share of users of two rows cannot be held against each other"):
        decide(context(), *lifts)


@given(
    st.sampled_from([measure.key for measure in MEASURES]),
    st.permutations(["segment:0", "segment:1", "segment:4", "group:one_page"]),
)
def test_swapped_rows_turn_the_verdict_round(name: str, keys: list[str]) -> None:
    made = shop_figures()
    first, second = (made.measure(key, name) for key in keys[:2])
    if first and second:
        verdict, tested = decide(made.context, first, second)
        swapped, again = decide(made.context, second, first)
        assert swapped is OPPOSITE.get(verdict, verdict)
        assert (tested and tested.test) == (again and again.test)
        assert (tested and tested.p_value) == (again and pytest.approx(again.p_value))


def test_beside_a_share_of_few_that_of_many_has_no_more_digits_wherever_it_is_told() -> None:
    made = shop_figures()
    small = min(made.context.segment_keys, key=lambda key: made.context.row(key)[Col.USERS])
    rate = made.needed(small, Col.OUTCOME_RATE)
    others = made.contrast(rate, "all").second
    table = made.context.tables.differences
    row = table[(table[Col.KEY] == small) & (table[Diff.FAMILY] == Family.OUTCOME)].iloc[[0]]
    assert rate.n < 100 < others.n
    assert (rate.text, others.text) == (in_words(row)["here"].item(), in_words(row)["others"].item())
    assert "." not in others.text

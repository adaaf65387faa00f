"""Which pages are listed, and every number of them against pandas."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.profiles.counts import count_pages
from core.profiles.metrics import records
from core.profiles.profile_columns import Col, MetricRole, PageRanking, RowKind
from core.profiles.rows import make_rows
from core.profiles.top_pages import COLUMNS, sure_effects, top_pages
from tests.core.profiles.toy import LABELS, SALE, many, toy


def test_a_page_by_eye() -> None:
    rows = make_rows(toy(), LABELS)
    table = top_pages(count_pages(toy(), rows), rows, rows.count(), 15)
    assert tuple(table.columns) == COLUMNS
    found = table[(table[Col.KEY] == "segment:0") & (table[Col.RANKING] == PageRanking.MOST_VIEWED)]
    first = found.iloc[0]
    assert (first[Col.RANK], first[Col.PAGE], first[Col.PAGE_LOCATION]) == (1, SALE, "shop.example/sale")
    assert (first[Col.USERS], first[Col.N], first[Col.SHARE], first[Col.VIEWS]) == (3, 3, 1.0, 6)
    assert (first[Col.REST_USERS], first[Col.REST_N], first[Col.REST_SHARE]) == (0, 2, 0)
    assert first[Col.LIFT] == np.inf  # nobody of the rest saw it: "only here"
    assert records(found)[0][Col.LIFT] is None  # which JSON has no number for
    assert first[Col.DIFFERENCE] == 1.0
    assert set(table[Col.EVIDENCE]) == {MetricRole.INPUT}


def test_all_users_have_the_most_viewed_pages_and_nobody_to_compare_with() -> None:
    rows = make_rows(toy(), LABELS)
    table = top_pages(count_pages(toy(), rows), rows, rows.count(), 2)
    everybody = table[table[Col.KIND] == RowKind.ALL]
    assert everybody[Col.RANKING].tolist() == [PageRanking.MOST_VIEWED] * 2
    assert everybody[Col.VIEWS].tolist() == [8, 8]
    assert everybody[[Col.REST_SHARE, Col.LIFT, Col.REST_N]].isna().all(axis=None)


def test_a_page_without_a_title_has_none() -> None:
    rows = make_rows(toy(), LABELS)
    table = top_pages(count_pages(toy(), rows), rows, rows.count(), 15)
    assert table.loc[table[Col.PAGE] == 0, Col.PAGE_TITLE].isna().all()
    assert (table.loc[table[Col.PAGE] == SALE, Col.PAGE_TITLE] == "Title 1").all()


def test_the_score_is_the_low_end_of_the_effect() -> None:
    """400 of 1,000 against 900 of 9,000: h = 2 asin √.4 − 2 asin √.1, its error √(1/1000 + 1/9000)."""
    low = 2 * (np.arcsin(0.4**0.5) - np.arcsin(0.1**0.5)) - 1.959964 * (1 / 1000 + 1 / 9000) ** 0.5
    counts = [np.array([count]) for count in (400, 1000, 900, 9000)]
    assert sure_effects(*counts)[0] == pytest.approx(low)
    assert sure_effects(*counts[2:], *counts[:2])[0] == pytest.approx(-low)


@pytest.mark.parametrize("counts", [(5, 10, 5, 10), (3, 3, 0, 0)])
def test_few_equal_or_nobody_to_compare_with_score_nothing(counts: tuple[int, ...]) -> None:
    assert sure_effects(*(np.array([count], dtype=float) for count in counts))[0] == 0


def test_neither_a_tiny_page_nor_one_that_everybody_sees_wins() -> None:
    typical, tiny, everywhere = (
        sure_effects(*(np.array([count]) for count in counts))[0]
        for counts in ((400, 1000, 900, 9000), (5, 1000, 1, 9000), (990, 1000, 8700, 9000))
    )
    assert typical > 2 * max(tiny, everywhere)


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 1000))
def test_every_number_is_that_of_pandas(seed: int) -> None:
    data, labels, views = many(seed)
    rows = make_rows(data, labels)
    table = top_pages(count_pages(data, rows), rows, rows.count(), 9)
    sizes = views.groupby("row")["user"].nunique()
    saw = views.groupby(["row", "page"])["user"].nunique()
    often = views.groupby(["row", "page"]).size()
    segments = [key for key in sizes.index if key.startswith("segment")]
    for line in table[table[Col.KIND] != RowKind.ALL].itertuples():
        rest = [key for key in segments if key != line.key]
        assert line.users == saw.get((line.key, line.page), 0)
        assert line.views == often.get((line.key, line.page), 0)
        assert line.n == sizes[line.key]
        assert line.rest_n == sizes[rest].sum()
        assert line.rest_users == sum(saw.get((key, line.page), 0) for key in rest)
        assert line.share == pytest.approx(line.users / line.n)
        if line.rest_users:
            assert line.lift == pytest.approx(line.share / (line.rest_users / line.rest_n))


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 1000))
def test_rankings_are_in_order_and_on_their_side(seed: int) -> None:
    data, labels, _ = many(seed)
    rows = make_rows(data, labels)
    table = top_pages(count_pages(data, rows), rows, rows.count(), 4)
    for (_, ranking), listed in table.groupby([Col.KEY, Col.RANKING]):
        assert listed[Col.RANK].tolist() == list(range(1, len(listed) + 1))
        assert len(listed) <= 4
        if ranking == PageRanking.OVER:
            assert (listed[Col.DIFFERENCE] > 0).all()
            assert listed[Col.SCORE].is_monotonic_decreasing
        elif ranking == PageRanking.UNDER:
            assert (listed[Col.DIFFERENCE] < 0).all()
            assert listed[Col.SCORE].is_monotonic_increasing
        else:
            assert listed[Col.VIEWS].is_monotonic_decreasing

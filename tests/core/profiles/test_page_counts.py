"""Every page for every row."""

import numpy as np

from core.profiles.columns import Col
from core.profiles.page_counts import COLUMNS, PageCounts
from core.profiles.rows import make_rows
from core.profiles.top_pages import top_pages
from tests.core.profiles.toy import LABELS, SALE, many, toy


def test_counts_by_eye() -> None:
    table = PageCounts.of(toy(), make_rows(toy(), LABELS)).page(SALE).set_index(Col.KEY)
    assert tuple(table.reset_index()[list(COLUMNS)].columns) == COLUMNS
    assert table[Col.USERS].to_dict() == {
        "segment:0": 3, "segment:1": 0, "group:one_page": 0, "group:bot_like": 1, "all": 4,
    }  # fmt: skip
    assert table.loc["segment:0", Col.VIEWS] == 6
    assert table.loc["segment:1", [Col.REST_USERS, Col.REST_N]].tolist() == [3, 3]
    assert np.isnan(table.loc["all", Col.REST_USERS])


def test_counts_are_those_of_the_listed_pages() -> None:
    data, labels, _ = many(5)
    rows = make_rows(data, labels)
    counts = PageCounts.of(data, rows)
    for _, listed in top_pages(data, rows, rows.count(), 9).iterrows():
        own = counts.page(int(listed[Col.PAGE])).set_index(Col.KEY).loc[listed[Col.KEY]]
        assert (own[Col.USERS], own[Col.N], own[Col.VIEWS]) == tuple(listed[[Col.USERS, Col.N, Col.VIEWS]])

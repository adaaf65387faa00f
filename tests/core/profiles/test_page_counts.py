"""Every page for every row."""

import numpy as np
import pandas as pd

from core.profiles.page_counts import PageCounts
from core.profiles.profile_columns import Col
from core.profiles.rows import make_rows
from core.profiles.top_pages import top_pages
from tests.core.profiles.toy import LABELS, SALE, many, toy


def of_page(counts: PageCounts, page: int) -> pd.DataFrame:
    figures = {name: figure[:, page] for name, figure in counts.columns.items()}
    return counts.rows.head.assign(**figures).set_index(Col.KEY)


def test_counts_by_eye() -> None:
    table = of_page(PageCounts.of(toy(), make_rows(toy(), LABELS)), SALE)
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
        own = of_page(counts, int(listed[Col.PAGE])).loc[listed[Col.KEY]]
        for column in (Col.USERS, Col.N, Col.VIEWS, Col.SHARE, Col.REST_SHARE, Col.LIFT):
            assert own[column] == listed[column] or np.isnan([own[column], listed[column]]).all()

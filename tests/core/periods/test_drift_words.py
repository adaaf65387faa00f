"""What is said of a later export."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from core.periods import drift_words as words
from core.periods.drift import AFTER_VALUE, BEFORE_VALUE, FIGURE, ITEM, DriftFigure, drift
from core.periods.migration import Migration
from core.profiles.profile_columns import Col
from tests.core.periods.test_retraining import GOOD
from tests.core.periods.two_exports import two_exports

NAMES = {2: "1 · Buyers", 4: "2 · Readers"}


def row(figure: DriftFigure, item: int = 0) -> dict[str, object]:
    return {
        FIGURE: figure.value, ITEM: item, BEFORE_VALUE: 0.241, AFTER_VALUE: 0.3, Col.REST_N: 5000, Col.N: 200
    }  # fmt: skip


@pytest.mark.parametrize(
    ("figure", "item", "told"),
    [
        (DriftFigure.SEGMENT, 1, "2 · Readers: 24.1% before, 30.0% now"),
        (DriftFigure.PAGE, 0, "See /cart: 24.1% before, 30.0% now"),
        (
            DriftFigure.UNKNOWN,
            0,
            "Share of a user's views on pages the model does not know: 24.1% before, 30.0% now",
        ),
        (DriftFigure.VIEWS, 0, "Page views a user (log2): 0.24 before, 0.30 now"),
        (DriftFigure.DIRECTION, 2, "Direction 3 of the vectors: 0.24 before, 0.30 now"),
    ],
)
def test_a_figure_in_a_sentence(figure: DriftFigure, item: int, told: str) -> None:
    found = row(figure, item)
    name = words.figure_name(found, list(NAMES.values()), ["https://a.example/cart"], "https://a.example")
    assert words.told(found, name) == told


def test_the_alarm_says_what_it_can_see() -> None:
    few, many = (drift(*two_exports(1, n=n)[:2], 3, permutations=99) for n in (60, 2000))
    assert words.headline(replace(few, table=few.table.assign(p_value=1.0))).startswith("No sign")
    assert "has changed since" in words.headline(replace(few, table=few.table.assign(p_value=0.01)))
    assert few.least_seen(0.1) == pytest.approx((few.critical + 0.8416) * np.sqrt(0.09 * 2 / 60), rel=0.1)
    assert f"changes by {100 * many.least_seen(0.1):.1f} points" in words.least_line(many)
    assert few.least_seen(0.1) > 4 * many.least_seen(0.1)


def test_whether_to_train_says_each_figure_with_its_limit() -> None:
    assert words.wear_answer(GOOD) == "No need to train again"
    unknown, far = words.wear_figures(GOOD)
    assert unknown.startswith("5.0% of all page views") and unknown.endswith("Limit: 10 points more")
    assert far.startswith("6.0% of the clustered users") and far.endswith("Limit: 10%")
    worn = replace(GOOD, unknown=0.3)
    assert words.wear_answer(worn) == "Train again"
    assert "Beyond the limit: 10 points more" in words.wear_figures(worn)[0]
    assert "held against no limit" in words.wear_figures(replace(worn, enough=False))[1]


def test_who_moved_is_told_beside_who_moves_anyway() -> None:
    found = Migration(pd.DataFrame(), 249, 961, 249, 0.49, 0.54)
    assert words.migration_line(found) == (
        "49.0% of them are where they were; without any change 54.0% would be, as between two random parts "
        "of the sessions of 961 users of the training period."
    )
    assert "Too few users came twice" in words.migration_line(
        replace(found, halves=0, told=0, expected=np.nan)
    )
    some = words.migration_line(replace(found, told=240))
    assert some.startswith("49.0% of the 240 whose place tells what to expect are where they were")
    nobody = words.migration_line(replace(found, users=0))
    assert nobody.startswith("None of the ids of the first export is in the later one")

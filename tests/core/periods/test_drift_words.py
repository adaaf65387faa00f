"""What is said of a later export."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from core.periods import drift_words as words
from core.periods.drift import AFTER_VALUE, BEFORE_VALUE, FIGURE, ITEM, Drift, page_changes
from core.periods.drift import drift as held
from core.periods.migration import Migration
from core.periods.training_period import DriftFigure, TrainingPeriod
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
    assert words.figure_line(found, name) == told


def drift(n: int, shift: float = 0) -> Drift:
    before, after, _ = two_exports(1, n=n, shift=shift)
    return held(TrainingPeriod.of(before, 3), after, permutations=99)


def test_the_alarm_says_what_it_can_see() -> None:
    few, many = drift(60), drift(2000)
    assert words.headline(replace(few, table=few.table.assign(p_value=1.0))).startswith("No sign")
    assert "has changed since" in words.headline(replace(few, table=few.table.assign(p_value=0.01)))
    assert few.least_seen(0.1) == pytest.approx((few.critical + 0.8416) * np.sqrt(0.09 * 2 / 60), rel=0.1)
    assert f"shrinks by {100 * many.least_seen(0.1):.1f} points" in words.how_sure(many)
    assert few.least_seen(0.1) > 4 * many.least_seen(0.1)


def test_whether_to_train_says_each_figure_with_its_limit() -> None:
    assert words.wear_answer(GOOD) == "The model still fits these users: no need to train again"
    unknown, far = words.wear_figures(GOOD)
    assert unknown.startswith("Of a user's page views, 5.0% are on") and unknown.endswith(
        "Limit: 10 points more"
    )
    assert far.startswith("6.0% of the clustered users") and far.endswith("Limit: 10%")
    worn = replace(GOOD, unknown=0.3)
    assert words.wear_answer(worn) == "Train again"
    assert "Beyond the limit: 10 points more" in words.wear_figures(worn)[0]
    assert "held against no limit" in words.wear_figures(replace(worn, enough=False))[1]


def test_who_moved_is_told_beside_who_moves_anyway() -> None:
    found = Migration(pd.DataFrame(), 249, 961, 249, 0.49, 0.54)
    assert words.migration_line(found) == (
        "49.0% of them are where they were. Had nobody changed, about 54.0% would be, because the same "
        "person lands elsewhere with other visits: measured on two random parts of the visits of 961 users "
        "of the training period."
    )
    assert "Too few users came twice" in words.migration_line(
        replace(found, halves=0, told=0, expected=np.nan)
    )
    some = words.migration_line(replace(found, told=240))
    assert some.startswith("49.0% of the 240 whose segment tells what to expect are where they were")
    nobody = words.migration_line(replace(found, users=0))
    assert nobody.startswith("None of the ids of the first export is in the later one")


def test_what_raised_the_alarm_is_said_in_words() -> None:
    found = drift(400, shift=1.0)
    names = [f"figure {place}" for place in range(len(found.table))]
    lines = words.alarm_lines(found, names)
    told = found.table[found.table["p_value"] <= 0.05]
    first = told[told[FIGURE] != DriftFigure.DIRECTION].iloc[0]
    assert lines[0].startswith("What users do has changed")
    assert lines[1] == f"- {words.figure_line(first, names[int(first.name)])}"
    assert lines[-1].startswith("p = 0.010. Where nothing has changed, about one in 20 later exports of")
    directions = found.table.assign(**{FIGURE: DriftFigure.DIRECTION.value})
    assert words.reasons(replace(found, table=directions), names) == [
        "The mix of pages as a whole, no segment and no single page"
    ]
    assert words.reasons(drift(60), names) == []


def test_pages_that_changed_are_said_in_words() -> None:
    before, after, _ = two_exports(0, n=400)
    period = TrainingPeriod.of(before, 3)
    assert words.page_lines(page_changes(period, after).iloc[:0]) == [
        "No page is shown to be seen by a larger or smaller share of the users"
    ]
    users = {"A": 400, "B": 0}
    counted = [users.get(page, n) for page, n in zip(period.pages, period.users.tolist(), strict=True)]
    gone = replace(period, users=np.array(counted), placed=None)
    lines = words.page_lines(page_changes(gone, after))
    assert lines[0].startswith("Pages: 1 new, 0 seen more, 1 seen less, 0 gone")
    assert any(line.startswith("- New: B, fewer than 3 users before, ") for line in lines)


def test_other_lengths_are_said_with_what_to_do() -> None:
    found = replace(drift(60), days=(30, 7), alike_days=range(27, 34))
    [first, second] = words.alarm_lines(found, [""])
    assert first == "Whether users changed cannot be told: this export covers 7 days, the training 30"
    assert second.startswith("People do less in 7 days than in 30")
    assert second.endswith("Hold 27 to 33 days against it.")
    assert "People do more in 60 days" in words.how_sure(replace(found, days=(30, 60)))

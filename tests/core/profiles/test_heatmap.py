"""Heat-map: the value of the table beside a difference in standard deviations."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.base.settings import AnalyzeSettings
from core.profiles.metrics import CLIP, profile
from core.profiles.profile_columns import HEAT_MAP, Col, MetricRole
from tests.core.profiles.toy import LABELS, many, toy


def test_a_cell_by_eye() -> None:
    found = profile(toy(), LABELS, AnalyzeSettings()).heatmap.set_index([Col.KEY, Col.METRIC])
    cell = found.loc[("segment:0", Col.PAGE_VIEWS_MEAN)]
    views = np.array([4, 2, 3, 2, 4])  # of the clustered users; none is above their 99th percentile
    assert (cell[Col.VALUE], cell[Col.N], cell[Col.EVIDENCE]) == (3.0, 3, MetricRole.DERIVED)
    assert cell[Col.Z] == pytest.approx((views[:3].mean() - views[3:].mean()) / views.std())
    engagement = found.loc[("segment:1", Col.ENGAGEMENT_MEAN)]
    assert (engagement[Col.VALUE], engagement[Col.N], engagement[Col.EVIDENCE]) == (
        2.0,
        1,
        MetricRole.HELD_OUT,
    )


def test_nobody_has_a_value_gives_no_difference() -> None:
    found = profile(toy(), LABELS, AnalyzeSettings()).heatmap.set_index([Col.KEY, Col.METRIC])
    assert np.isnan(found.loc[("group:one_page", Col.ENGAGEMENT_MEAN), Col.Z])


def test_one_robot_does_not_flatten_the_picture() -> None:
    data, labels, _ = many(1, n_users=400)
    labels = np.where(labels < 0, 0, labels)
    calm = profile(data, labels, AnalyzeSettings()).heatmap
    robot = data.page_views.copy()
    robot[np.flatnonzero(labels == 1)[0]] = 1_000_000
    wild = profile(replace(data, page_views=robot), labels, AnalyzeSettings()).heatmap
    views = calm[Col.METRIC] == Col.PAGE_VIEWS_MEAN
    np.testing.assert_allclose(calm.loc[views, Col.Z], wild.loc[views, Col.Z], atol=0.15)
    assert wild.loc[views, Col.VALUE].max() > 1000  # the number itself is not touched


def test_a_metric_that_is_absent_for_everybody_is_left_out() -> None:
    data = toy()
    silent = replace(data, outcomes=replace(data.outcomes, events={}), engagement_s=np.full(8, np.nan))
    found = profile(silent, LABELS, AnalyzeSettings()).heatmap[Col.METRIC].unique().tolist()
    assert found == list(HEAT_MAP[:4])


def test_no_difference_between_users_is_zero_not_a_division() -> None:
    same = replace(toy(), sessions=np.full(8, 3))
    found = profile(same, LABELS, AnalyzeSettings()).heatmap
    cells = found[found[Col.METRIC] == Col.SESSIONS_MEAN].set_index(Col.KEY)[Col.Z]
    assert cells.drop("all").tolist() == [0] * 4
    assert np.isnan(cells["all"])  # has no others


@settings(deadline=None, max_examples=8)
@given(st.integers(0, 1000))
def test_differences_of_segments_cancel_out_and_are_cut(seed: int) -> None:
    data, labels, _ = many(seed)
    found = profile(data, labels, AnalyzeSettings())
    cells = found.heatmap[found.heatmap[Col.KIND] == "segment"].dropna(subset=[Col.Z])
    assert (cells[Col.Z].abs() <= CLIP).all()
    for _, part in cells.groupby(Col.METRIC):
        if (part[Col.Z].abs() < CLIP).all():
            size = part[Col.N].to_numpy()
            weight = size * (size.sum() - size)  # from the others, not from all
            assert (part[Col.Z].to_numpy() * weight).sum() == pytest.approx(0, abs=1e-3)


@settings(deadline=None, max_examples=8)
@given(st.integers(0, 1000))
def test_a_larger_figure_never_has_the_colour_of_a_smaller_one(seed: int) -> None:
    data, labels, _ = many(seed)
    cells = profile(data, labels, AnalyzeSettings()).heatmap
    cells = cells[cells[Col.KIND] == "segment"].dropna(subset=[Col.Z])
    for _, part in cells.groupby(Col.METRIC):
        rising = part.sort_values(Col.VALUE)
        assert (np.diff(rising[Col.Z]) > -0.02).all()  # each has others of its own

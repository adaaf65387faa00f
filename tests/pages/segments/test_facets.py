"""The page of facets: without data, of a small shop, and two facets crossed."""

from __future__ import annotations

import numpy as np
import pytest

from core.base.settings import AnalyzeSettings
from core.base.wording import ABSENT, percent
from core.profiles.facets import MIN_OUTCOMES, find_facets, learning_half
from core.profiles.outcomes import OutcomeIndex
from core.runs.artifacts import open_dataset
from core.storage.store import Store
from tests.pages.conftest import OpenApp, forget
from tests.pages.fake_jobs import texts
from tests.pages.fixtures_segments import FinishedRun

PAGE = "pages/segments/facets.py"


def test_without_data_it_says_where_to_go(open_app: OpenApp) -> None:
    app = open_app(PAGE)
    assert not app.exception
    assert "This page needs a data set" in texts(app)


def test_facets_are_shown_with_their_levels_and_what_is_left_out_with_the_reason(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    app = open_app(PAGE, data=finished_run.dataset)
    assert not app.exception
    shown = texts(app)
    assert "What they look at" in shown and "How far they get" in shown
    assert "left out" in shown
    levels = next(table.value for table in app.table if "Users" in table.value)
    assert levels["Users"].sum() > 70


def test_two_facets_are_crossed(open_app: OpenApp, finished_run: FinishedRun) -> None:
    app = open_app(PAGE, data=finished_run.dataset)
    before = app.dataframe[-1].value
    choices = app.selectbox(key="facet-across").options
    app.selectbox(key="facet-across").set_value(choices[-1]).run()
    assert not app.exception
    assert list(app.dataframe[-1].value) != list(before)


def test_outcome_rates_of_two_facets_crossed_are_of_users_held_out(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    app = open_app(PAGE, data=finished_run.dataset)
    app.button_group(key="facet-cells").set_value("purchase").run()
    assert not app.exception
    assert "Counted on half of the users" in texts(app)
    dataset = open_dataset(Store(finished_run.root), finished_run.dataset)
    found = find_facets(dataset, None, OutcomeIndex.of(dataset, None).inside(AnalyzeSettings()))
    first, second = found.in_order[:2]
    shown = app.dataframe[-1].value.iloc[:, 1:]
    expected = shown.copy()
    for row, column in np.ndindex(*shown.shape):
        both = (first.level == row) & (second.level == column) & ~learning_half(len(found.had))
        expected.iloc[row, column] = percent(found.had[both].mean()) if both.sum() >= MIN_OUTCOMES else ABSENT
    assert shown.equals(expected) and (shown != ABSENT).any(axis=None)


def test_the_segments_on_screen_are_set_beside_the_best_facet(
    open_app: OpenApp, finished_run: FinishedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = texts(open_app(PAGE, data=finished_run.dataset, k="3"))
    assert "The segments were made from pages that give purchase away" in told  # all buyers view them
    assert "Pages give purchase away" in told
    forget()
    monkeypatch.setattr(OutcomeIndex, "is_read", lambda *_: False)
    told = texts(open_app(PAGE, data=finished_run.dataset, k="3"))
    assert "What they look at predicts purchase about as well" in told
    assert r"as the segments do \(1\.00, 1\.00 to 1\.00\)" in told


def test_without_an_outcome_nothing_is_said_of_segments(open_app: OpenApp, finished_run: FinishedRun) -> None:
    told = texts(open_app(PAGE, data=finished_run.dataset, k="3", outcome="none"))
    assert "How often they come" in told
    assert "AUC" not in told and "told better" not in told and "away" not in told

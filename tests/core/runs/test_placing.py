"""Users in the segments of a frozen model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.base.progress import silent
from core.base.schema import Group, Users, View
from core.base.settings import IngestSettings
from core.labels import labelling
from core.labels.label_settings import LabelMode, LabelSettings
from core.runs import pipeline
from core.runs.frozen import FrozenModel
from core.runs.placing import KNOWN, label_new_pages, place
from core.segments.arrivals import Condition, Trait
from core.segments.one_page import OnePageSegment
from core.storage.store import Store
from tests.core.model.toys import sequences_of


def users_of(groups: list[Group], engaged_msec: float) -> pd.DataFrame:
    return pd.DataFrame({
        Users.GROUP: [group.value for group in groups], Users.SOURCE: "a", Users.DEVICE: "mobile",
        Users.ENGAGEMENT_MSEC: engaged_msec,
    })  # fmt: skip


@pytest.mark.parametrize(("engaged_msec", "held"), [(np.nan, False), (500, True)])
def test_a_file_without_engagement_makes_nobody_unengaged(
    model: Path, engaged_msec: float, held: bool
) -> None:
    rule = (Condition(field=Trait.ENGAGED, op="is", value="no"),)
    frozen = replace(FrozenModel.read(model), one_page=(OnePageSegment(name="", rule=rule, users=0),))
    users = users_of([Group.ONE_PAGE] * 2, engaged_msec)
    placed = place(frozen, users, sequences_of({"a": [0], "b": [0]}), {View.URL: ["https://a.example/"]})
    assert [group == "one_page:0" for group in placed.group] == [held] * 2


def test_page_views_on_pages_that_the_model_knows_are_counted(model: Path) -> None:
    frozen = FrozenModel.read(model)
    names = {View.URL: [min(frozen.known.pages), "https://elsewhere.example/", max(frozen.known.pages)]}
    sequences = sequences_of({"a": [0, 1, 0, 2], "b": [1, 1], "c": [2]})
    placed = place(frozen, users_of([Group.SEGMENT] * 3, 500), sequences, names)
    assert placed.known_views.tolist() == [3, 0, 1]
    assert placed.table()[KNOWN].to_pylist() == [0.75, 0, 1]


def test_no_language_model_is_asked_about_users_that_come(
    days: list[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (export := tmp_path / "day.csv").write_bytes(days[0])
    dataset = pipeline.preprocess(Store(tmp_path / "store"), [export], IngestSettings(), silent)
    asked: list[LabelMode] = []
    monkeypatch.setattr(labelling, "label_dataset", lambda _, settings, *__: asked.append(settings.mode))
    for mode in (LabelMode.LLM, LabelMode.RULES):
        (work := tmp_path / mode).mkdir()
        label_new_pages(dataset, LabelSettings(mode=mode), {}, work, work / "cache", silent)
    assert asked == [LabelMode.AUTO, LabelMode.RULES]

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.base.schema import Group, Users, View
from core.labels.label_settings import LabelMode, LabelSettings
from core.runs import frozen as frozen_model
from core.runs.frozen import FrozenModel, KnownPages
from core.runs.model_folder import LABEL_FILES
from core.segments.arrivals import Condition, Trait
from core.segments.one_page import OnePageSegment
from tests.core.model.toys import sequences_of


@pytest.mark.parametrize(("engaged_msec", "held"), [(np.nan, False), (500, True)])
def test_a_file_without_engagement_makes_nobody_unengaged(
    model: Path, engaged_msec: float, held: bool
) -> None:
    rule = (Condition(field=Trait.ENGAGED, op="is", value="no"),)
    frozen = replace(FrozenModel.read(model), one_page=(OnePageSegment(name="", rule=rule, users=0),))
    users = {
        Users.GROUP: [Group.ONE_PAGE.value] * 2, Users.SOURCE: "a", Users.DEVICE: "mobile",
        Users.ENGAGEMENT_MSEC: [engaged_msec] * 2,
    }  # fmt: skip
    names = {View.URL: ["https://a.example/"]}
    width = next(iter(frozen.means.values())).shape[-1]
    placed = frozen.place(
        pd.DataFrame(users), sequences_of({"a": [0], "b": [0]}), names,
        lambda *_: {View.URL: np.ones((2, width), dtype=np.float32)},
    )  # fmt: skip
    assert [group == "one_page:0" for group in placed.group] == [held] * 2


def test_no_language_model_is_asked_about_users_that_come(tmp_path: Path) -> None:
    for mode, kept in ((LabelMode.LLM, LabelMode.AUTO), (LabelMode.RULES, LabelMode.RULES)):
        for name, text in zip(LABEL_FILES, (LabelSettings(mode=mode).model_dump_json(), "{}"), strict=True):
            (tmp_path / name).write_text(text)
        settings, _ = frozen_model._read_labels(tmp_path)
        assert settings is not None and settings.mode is kept


def align(pages: list[str], known: set[str]) -> list[str]:
    return list(map(KnownPages(known).align, pages))


def test_what_is_ones_own_takes_the_place_the_model_knows() -> None:
    known = {"https://a.example/account/{…}/orders", "https://a.example/account/help"}
    new = [
        "https://a.example/account/jo/orders",
        "https://a.example/account/help",
        "https://a.example/account/jo",
    ]
    assert align(new, known) == [
        "https://a.example/account/{…}/orders",
        "https://a.example/account/help",
        "https://a.example/account/jo",  # no such page is known
    ]


def test_new_pages_take_the_names_the_model_knows() -> None:
    known = {"https://a.example/order/{id}", "https://a.example/item/7", "https://a.example/"}
    new = ["https://a.example/order/12", "https://a.example/item/7", "https://a.example/item/8"]
    assert align(new, known) == [
        "https://a.example/order/{id}",  # the template is known
        "https://a.example/item/7",  # the page itself is known
        "https://a.example/item/8",  # neither: stays as it is
    ]

"""Tables: headings in words, values written in one way and sorted as they are, room for figures."""

import math

import pandas as pd
import pytest
import streamlit as st
from pandas.io.formats.style import Styler

from core.base import wording
from core.profiles.differences import Diff
from core.profiles.profile_columns import Col
from pages.ui.shell import written_table
from pages.ui.shell.written_table import NARROW, headed, written


def test_figures_are_written_as_in_answers_and_keep_their_values() -> None:
    table = pd.DataFrame({
        Col.LABEL: ["a", "b", "c"], Col.OUTCOME_RATE: [0.00471, 0.1, math.nan],
        Col.SESSIONS_MEAN: [1.418, 2.0, 3.0], Col.REST_SHARE: [0.0041, 0.5, 1.0],
        Col.LIFT: [0.016, 12.3, math.inf],
    })  # fmt: skip
    made = written(table)
    assert isinstance(made, Styler)
    html = made.to_html()
    for text in ("0.47%", "10.00%", wording.ABSENT, "1.42", "0.4%", "0.016×", "12×", "only here"):
        assert f">{text}</td>" in html
    assert made.data[Col.LIFT].tolist() == table[Col.LIFT].tolist()


def test_a_table_too_large_to_be_written_here_is_written_by_the_browser(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table = pd.DataFrame({Col.USERS: [1, 2], Col.SHARE: [0.1, 0.2], Col.LABEL: ["a", "b"]})
    assert isinstance(written(table), Styler)
    monkeypatch.setattr(written_table, "MAX_WRITTEN", 5)
    st.dataframe(written(table), column_config=headed(table, {}))
    assert written(table) is table
    formats = [headed(table, {})[name].get("type_config", {}) for name in table]
    assert [one and one["format"] for one in formats] == ["localized", "percent", {}]
    assert pd.get_option("styler.render.max_elements") > written_table.MAX_WRITTEN


def test_values_of_any_table_are_written_by_their_kind() -> None:
    table = pd.DataFrame({
        Col.PAGE_LOCATION: ["https://shop.example/a", "https://shop.example/b/c"], "steps": [1_234, 5],
        Col.LOW: [0.0512, math.nan], Diff.DIFFERENCE_LOW: [-0.031, 0.0], "overlap": [0.666, 2.5],
        "later": [7.0, math.nan], "week": pd.to_datetime(["2025-11-03", "2025-11-10"]),
        "taken": pd.to_datetime(["2025-11-03 14:05", "2025-11-10 00:00"]), "differs": [True, False],
    })  # fmt: skip
    html = str(written(table).to_html())  # type: ignore[union-attr] # small enough
    for text in (
        "/a",
        "/b/c",
        "1,234",
        "5.1%",
        "-3.1%",
        "0.67",
        "7",
        "3 Nov 2025",
        "3 Nov 2025, 14:05",
        "True",
    ):
        assert f">{text}</td>" in html


def test_columns_are_called_in_words_here_or_everywhere() -> None:
    names = [Col.KEY, Col.KIND, Col.SEGMENT, Col.LABEL, Col.REST_SHARE, Col.SESSIONS_MEAN, "rest_steps", "of"]
    table = pd.DataFrame(
        [["segment:0", "segment", 0, "A name of many letters", 0.1, 1.0, 2, "x"]], columns=names
    )
    own = st.column_config.NumberColumn("Own")
    found = headed(
        table, {Col.REST_SHARE: ("Elsewhere", "Of all others"), "of": "Of what", "rest_steps": own}
    )
    assert [found[name] for name in names[:3]] == [None] * 3
    assert [found[name]["label"] for name in names[3:]] == [
        "Segment", "Elsewhere", "Sessions a user", "Own", "Of what",
    ]  # fmt: skip
    assert found[Col.REST_SHARE]["help"] == "Of all others"
    assert [found[name]["width"] for name in (Col.LABEL, "of")] == [NARROW, None]
    assert headed(table, {})["rest_steps"]["label"] == "Others' steps"
    assert headed(table, {Col.SEGMENT: "Number"})[Col.SEGMENT]["label"] == "Number"

"""Tables behind charts: figures written in one way, sorted by their values."""

import math

import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler

from core.profiles.columns import Col
from core.report import wording
from pages.ui.figure import written


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


def test_a_table_too_large_to_be_written_is_shown_as_it_is() -> None:
    table = pd.DataFrame({Col.USERS: [1, 2], Col.OUTCOME_RATE: [0.1, 0.2]})
    with pd.option_context("styler.render.max_elements", 4):
        st.dataframe(written(table))
        assert isinstance(written(table), Styler)
    with pd.option_context("styler.render.max_elements", 3):
        st.dataframe(written(table))  # Streamlit draws no larger Styler
        assert written(table) is table

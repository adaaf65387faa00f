"""Tables behind charts: figures written in one way, sorted by their values."""

import math

import pandas as pd
import pytest
import streamlit as st
from pandas.io.formats.style import Styler
from streamlit.testing.v1 import AppTest

from core.base import wording
from core.profiles.profile_columns import Col
from pages.ui.segments.figure import written


@pytest.fixture(autouse=True)
def nothing_is_drawn_yet() -> None:
    st.cache_resource.clear()


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


def drawn_twice() -> None:
    """A page with one figure; it writes down how often its chart is made."""
    from functools import partial

    import altair as alt
    import pandas as pd
    import streamlit as st

    from pages.ui.segments.figure import figure

    def chart(made: pd.DataFrame) -> alt.Chart:
        st.session_state["made"] = st.session_state.get("made", 0) + 1
        return alt.Chart(made).mark_bar().encode(x="users:Q")

    shown = pd.DataFrame({"users": [1, st.session_state.get("users", 2)]})
    drawn = pd.concat([shown.head(1)] * 100 + [shown] * 100)  # pandas writes out the first and last rows
    figure("Sizes", partial(chart, made=drawn), shown, n="3 users", key="sizes", alt_text="Two bars")


def test_what_was_drawn_before_is_drawn_again_without_being_made_again() -> None:
    app = AppTest.from_function(drawn_twice).run()
    first = app.get("vega_lite_chart")[0].proto
    for _ in range(2):
        app.run()
        assert not app.exception
        assert app.session_state["made"] == 1
        assert app.get("vega_lite_chart")[0].proto == first
        assert app.dataframe[0].value["users"].tolist() == [1, 2]


def test_another_number_is_another_drawing() -> None:
    app = AppTest.from_function(drawn_twice).run()
    app.session_state["users"] = 7
    app.run()
    assert app.session_state["made"] == 2
    assert app.dataframe[0].value["users"].tolist() == [1, 7]
    other = AppTest.from_function(drawn_twice).run()  # another session, who has not moved anything
    assert "made" not in other.session_state
    assert other.dataframe[0].value["users"].tolist() == [1, 2]

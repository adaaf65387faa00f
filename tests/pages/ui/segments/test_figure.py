"""Charts and the tables behind them: what was drawn before is not made again."""

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest


@pytest.fixture(autouse=True)
def nothing_is_drawn_yet() -> None:
    st.cache_resource.clear()


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

"""What fails on a page is a line in its place, and the rest of the page is drawn."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest


def page() -> None:
    import streamlit as st

    from core.base.errors import ArtifactError
    from pages.ui.shell.errors import shown

    with shown():
        raise ArtifactError("The model is damaged", remedy="Train again")
    with shown():
        {}["a *page*"]
    st.caption("the rest")


def test_an_error_and_a_bug_are_a_line_each_and_the_page_goes_on() -> None:
    app = AppTest.from_function(page).run()
    assert [error.value.replace("\\", "") for error in app.error] == [
        "The model is damaged. Train again.",
        "This could not be made: KeyError: 'a *page*'.",
    ]
    assert "line 10, in page" in app.exception[0].stack_trace[-1]
    assert [caption.value for caption in app.caption] == ["the rest"]

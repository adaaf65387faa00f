"""One error, two sides that show it: each names a setting as it is called there."""

import pytest

from core.base.errors import InputError, NoPageViewsLeft, control, reworded_for_frozen_model


def test_a_setting_is_named_as_where_the_error_is_shown() -> None:
    error = InputError("No page view", allowed="one", remedy=f"Choose another: {control('page_view')}")
    assert str(error) == "No page view. Allowed: one. Choose another: --page-view NAME."
    assert error.on_screen == (
        "No page view. Allowed: one. Choose another: “Which event is a page view?” on the Data page."
    )
    back = InputError(error.problem, allowed=error.allowed, remedy=error.remedy)  # as it comes from Spark
    assert (str(back), back.on_screen) == (str(error), error.on_screen)


def test_a_setting_that_nobody_can_find_is_a_bug() -> None:
    with pytest.raises(KeyError, match="page_views"):
        control("page_views")


@pytest.mark.parametrize("kind", [InputError, NoPageViewsLeft])
def test_on_a_trained_model_no_setting_is_named(kind: type[InputError]) -> None:
    remedy = f"Choose another: {control('mapping')}. A time is read as ISO 8601"
    with pytest.raises(kind) as raised, reworded_for_frozen_model():
        raise kind("No time", remedy=remedy)
    assert (
        str(raised.value)
        == raised.value.on_screen
        == (
            "No time. Rename it: the model reads the columns and events that it was trained with. "
            "A time is read as ISO 8601."
        )
    )
    same = InputError("Broken", remedy="Export it again")
    with pytest.raises(InputError) as raised, reworded_for_frozen_model():
        raise same
    assert raised.value is same

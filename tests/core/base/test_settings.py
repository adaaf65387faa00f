from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, ValidationError

from core.base.errors import SettingsError
from core.base.schema import View
from core.base.settings import (
    AnalyzeSettings,
    ClusterSettings,
    IngestSettings,
    Preset,
    Settings,
    TrainSettings,
    UrlRule,
    ViewWeights,
    size_in_bytes,
)


@pytest.mark.parametrize(
    ("model", "values", "named"),
    [
        (ClusterSettings, {"n_clusters": 1}, "n_clusters"),
        (ClusterSettings, {"n_clusters": 51}, "n_clusters"),
        (TrainSettings, {"epochs": 0}, "epochs"),
        (TrainSettings, {"hidden_dim": 30, "heads": 4}, "multiple of heads"),
        (TrainSettings, {"learning_rate": float("nan")}, "learning_rate"),
        (ViewWeights, {"url": 0, "theme": 0, "type": 0}, "above 0"),
        (ViewWeights, {"url": -0.1}, "url"),
        (UrlRule, {"pattern": "("}, "regular expression"),
        (IngestSettings, {"colour": "red"}, "colour"),
    ],
)
def test_what_is_outside_its_limits_is_refused_by_name(model: type, values: dict, named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        model.checked(**values)


class _Pair(Settings):
    themes: Annotated[tuple[str, ...], Field(min_length=2, max_length=3)]


@pytest.mark.parametrize(
    ("themes", "said"),
    [
        (("a",), "themes is not possible: at least 2 themes are needed, not 1."),
        (tuple("abcd"), "themes is not possible: at most 3 themes are possible, not 4."),
    ],
)
def test_too_few_and_too_many_are_said_in_plain_words(themes: tuple[str, ...], said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        _Pair.checked(themes=themes)
    assert str(caught.value) == said


def test_no_outcome_is_a_choice_by_its_word_and_without_templates_too() -> None:
    assert AnalyzeSettings(outcome="none").outcome == AnalyzeSettings(outcome=("none",)).outcome == ()
    assert AnalyzeSettings(outcome="buy").outcome == ("buy",)
    assert AnalyzeSettings(outcome=("none", "buy")).outcome == ("none", "buy")
    assert AnalyzeSettings().without_templates.outcome is None
    assert AnalyzeSettings(outcome=()).without_templates.outcome == ()
    assert AnalyzeSettings(outcome=("template:/:slug", "buy")).without_templates.outcome == ("buy",)


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError):
        ClusterSettings().n_clusters = 3  # type: ignore[misc]


def test_default_weights_are_the_promised_ones() -> None:
    weights = ViewWeights()
    assert [weights.of(view) for view in View] == [0.5, 0.3, 0.2, 0]
    assert weights.model_dump() == {"url": 0.5, "theme": 0.3, "type": 0.2}  # as in files of before
    assert ViewWeights.checked(**weights.model_dump()) == weights


@pytest.mark.parametrize("preset", list(Preset))
def test_a_preset_can_be_changed(preset: Preset) -> None:
    assert TrainSettings.preset(preset, epochs=2).epochs == 2


@given(st.builds(ViewWeights, url=st.floats(0.01, 1), theme=st.floats(0, 1), type=st.floats(0, 1)))
def test_settings_survive_json(weights: ViewWeights) -> None:
    assert ViewWeights.model_validate_json(weights.model_dump_json()) == weights


@pytest.mark.parametrize(
    ("text", "size"),
    [("100GB", 10**11), ("1.5 TiB", 3 * 2**39), ("2048", 2048), ("10 mb", 10**7), ("1k", 1000)],
)
def test_sizes(text: str, size: int) -> None:
    assert size_in_bytes(text) == size


@pytest.mark.parametrize("text", ["", "GB", "-5GB", "5 XB", "1,5GB"])
def test_sizes_that_are_none(text: str) -> None:
    with pytest.raises(SettingsError, match="is no size"):
        size_in_bytes(text)


def test_a_name_of_page_views_is_told_only_where_it_was_chosen() -> None:
    """So that the keys of what was made before stay what they are."""
    assert "page_view" not in IngestSettings().model_dump(mode="json")
    chosen = IngestSettings().viewing("$pageview")
    assert IngestSettings.checked(**chosen.model_dump()) == chosen
    assert IngestSettings().viewing("page_view").page_view == "page_view"

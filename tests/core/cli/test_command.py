import shlex

import pytest

from core.base.schema import View
from core.base.settings import (
    AnalyzeSettings,
    ClusterSettings,
    IngestSettings,
    OutcomeCount,
    Preset,
    TrainSettings,
    ViewWeights,
)
from core.cli.command import command_line, renumbered, settings_without_option
from core.cli.run_command import run, settings_of_options
from core.journeys.funnel import Funnel
from core.labels.label_settings import LabelMode, LabelSettings, ThemeSource, default_taxonomy
from core.runs.pipeline import RunSettings


@pytest.mark.parametrize("preset", [Preset.BAG, Preset.FAST, Preset.THOROUGH])
def test_a_preset_is_named_and_nothing_is_beyond_it(preset: Preset) -> None:
    settings = RunSettings(train=TrainSettings.preset(preset))
    assert command_line(settings).endswith(f"--preset {preset}")
    assert settings_without_option(settings) == []


def test_what_differs_from_a_preset_is_named_beside_it() -> None:
    settings = RunSettings(train=TrainSettings.preset(Preset.FAST, epochs=7, layers=2, ignore_length=True))
    assert command_line(settings).endswith("--preset fast --epochs 7")
    assert settings_without_option(settings) == ["ignore_length", "layers"]


def test_defaults_make_a_short_command() -> None:
    assert command_line(RunSettings()) == (
        "python -m core run INPUT --out OUT --clusters 6 --weights url=0.5,theme=0.3,type=0.2"
    )
    assert settings_without_option(RunSettings()) == []


def test_weights_are_those_in_effect_where_a_view_is_not_there() -> None:
    off = RunSettings(label=LabelSettings(mode=LabelMode.OFF))
    assert "--weights url=1 --labels off" in command_line(off, (View.URL,))
    two = RunSettings(weights=ViewWeights(insist=True))
    assert "--weights url=0.625,theme=0.375,insist=1" in command_line(two, (View.URL, View.THEME))


def test_a_run_from_scratch_numbers_segments_by_size() -> None:
    assert renumbered({0: 482, 1: 289, 2: 391, 3: 314, 4: 223}) == {2: 4, 3: 2, 4: 3}
    assert renumbered({0: 9, 2: 5}) == {3: 2}
    assert renumbered({0: 9, 1: 5, 2: 5}) == {}


def test_a_number_that_was_left_to_the_evidence_is_left_to_it_again() -> None:
    settings = RunSettings(cluster=ClusterSettings(auto=True, n_clusters=5))
    assert "--clusters auto" in command_line(settings)


def test_everything_that_was_set_is_named() -> None:
    settings = RunSettings(
        ingest=IngestSettings(
            user_key="user_id",
            mapping={"page_title": "My Title"},
            strip_pages=("https://a.example/thanks",),
            keep_places=("https://a.example/team/{…}",),
            mask_places=("source",),
            exclude_debug=False,
            page_view="$pageview",
        ),
        train=TrainSettings(epochs=5, seed=3),
        weights=ViewWeights(url=0.75, theme=0, type=0, activity=0.25),
        cluster=ClusterSettings(n_clusters=9, seed=3),
        analyze=AnalyzeSettings(outcome=("sign_up", "page:/thanks"), outcome_counts=OutcomeCount.FIRST),
    )
    words = shlex.split(command_line(settings))
    for pair in (
        ("--clusters", "9"), ("--weights", "url=0.75,activity=0.25"), ("--outcome", "sign_up"),
        ("--outcome-counts", "first"),
        ("--epochs", "5"), ("--seed", "3"), ("--user-key", "user_id"), ("--column", "page_title=My Title"),
        ("--strip-page", "https://a.example/thanks"), ("--mask-place", "source"),
        ("--keep-place", "https://a.example/team/{…}"), ("--page-view", "$pageview"),
    ):  # fmt: skip
        assert words[words.index(pair[0]) + 1] == pair[1]
    assert "--keep-debug" in words
    assert words[words.index("sign_up") + 1 :][:2] == ["--outcome", "page:/thanks"]
    assert "--keep-internal" not in words


def test_no_outcome_is_named_too() -> None:
    words = shlex.split(command_line(RunSettings(analyze=AnalyzeSettings(outcome=()))))
    assert words[words.index("--outcome") + 1] == "none"
    assert "--outcome" not in command_line(RunSettings())


@pytest.mark.parametrize(
    ("label", "option"),
    [
        (LabelSettings(), ""),
        (LabelSettings(themes=ThemeSource.MINED), " --taxonomy mined"),
        (LabelSettings(themes=ThemeSource.TAXONOMY), " --taxonomy shop"),
        (
            LabelSettings(
                taxonomy=default_taxonomy().model_copy(update={"types": default_taxonomy().types[:2]})
            ),
            " --taxonomy taxonomy.yaml",
        ),
    ],
)
def test_where_the_themes_come_from_is_named(label: LabelSettings, option: str) -> None:
    assert command_line(RunSettings(label=label)) == command_line(RunSettings()) + option


def test_what_the_command_line_cannot_name_is_said() -> None:
    settings = RunSettings(train=TrainSettings(layers=3), ingest=IngestSettings(session_gap_minutes=5))
    assert settings_without_option(settings) == ["layers", "session_gap_minutes"]


def test_names_that_are_asked_for_where_none_are_supported() -> None:
    assert command_line(RunSettings(named_anyway=False)).count("--keep-names-back") == 1
    assert "--keep-names-back" not in command_line(RunSettings())


def test_a_funnel_is_a_file() -> None:
    funnel = Funnel.checked(steps=({"kind": "page", "any_of": ("/cart",)},))
    assert command_line(RunSettings(funnels=(funnel,))).count("--funnel funnels.yaml") == 1
    assert "--funnel" not in command_line(RunSettings())


def test_what_was_said_of_the_columns_is_read_as_it_was_meant() -> None:
    """Also that no column holds the names of events."""
    said = IngestSettings(mapping={"event_name": "", "page_title": "My Title"}, page_view="Page Viewed")
    words = shlex.split(command_line(RunSettings(ingest=said)))
    options = run.make_context("run", words[4:]).params
    assert IngestSettings.checked(**settings_of_options(options)["ingest"]) == said

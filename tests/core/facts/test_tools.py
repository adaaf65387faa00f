"""The tools by name."""

import pytest

from core.base.errors import InputError, SettingsError
from core.facts.sentences import plain
from core.facts.tools import TOOLS, call
from tests.core.facts.test_like_tools import answering
from tests.core.facts.toy import figures, rule_figures

ASKED = {
    "list_segments": {}, "segment_profile": {"segment": "segment:0"},
    "persona_facts": {"segment": "segment:0"},
    "top_items": {"dimension": "page", "segment": "segment:0", "metric": "views"},
    "compare": {"a": "segment:0", "b": "segment:1"}, "rank_segments": {"metric": "users"},
    "metric": {"segment": "all", "metric": "users"},
    "item_share": {"segment": "all", "dimension": "device", "value": "mobile"},
    "transitions": {"segment": "segment:0"}, "nearest_segments": {"segment": "segment:0"},
    "segment_rule": {"segment": "segment:0"}, "differing_steps": {"segment": "segment:0"},
    "chart": {"metric": "outcome_rate"}, "funnel": {"segment": "all", "steps": ["/sale", "/cart"]},
    "look_alikes": {"segment": "segment:0"}, "over_time": {"about": "return"},
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(ASKED))
def test_a_tool_gives_facts_that_can_be_said_and_a_query(name: str) -> None:
    made = rule_figures() if name in ("segment_rule", "differing_steps") else figures()
    made = answering([]) if name == "look_alikes" else made
    found = call(made, name, ASKED[name])
    assert found.facts
    assert found.query
    assert found.facts[0].text in plain(found.blocks, made.context.titles())


@pytest.mark.parametrize("name", sorted(name for name, asked in ASKED.items() if "segment" in asked))
def test_a_row_that_is_not_there_is_refused(name: str) -> None:
    with pytest.raises(InputError, match=r"There is no row 'segment:9'.*segment:0"):
        call(answering([]), name, {**ASKED[name], "segment": "segment:9"})


@pytest.mark.parametrize(
    "name", ["differing_steps", "how_sure", "look_alikes", "nearest_segments", "over_time", "segment_rule"]
)
def test_some_are_about_segments_alone(name: str) -> None:
    with pytest.raises(InputError, match="One-page users is no segment"):
        call(figures(), name, {**ASKED.get(name, {}), "segment": "group:one_page"})


def test_every_tool_is_described_and_has_a_schema() -> None:
    assert set(TOOLS) == {*ASKED, "what_changed", "how_sure"}
    for tool in TOOLS.values():
        assert tool.description.endswith(".")
        assert tool.arguments.model_json_schema()["additionalProperties"] is False


def test_wrong_calls_are_refused() -> None:
    with pytest.raises(InputError, match=r"no tool 'drop'.*list_segments"):
        call(figures(), "drop", {})
    with pytest.raises(SettingsError, match="metric"):
        call(figures(), "metric", {"segment": "all", "metric": "karma"})
    with pytest.raises(SettingsError, match="mark"):
        call(figures(), "chart", {"metric": "users", "mark": "image"})
    with pytest.raises(SettingsError, match="n"):
        call(figures(), "nearest_segments", {"segment": "segment:0", "n": 10_000})

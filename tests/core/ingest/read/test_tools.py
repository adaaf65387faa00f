"""The table of tools: what tells each one, and that its names are as the header rule spells them."""

import pytest

from core.base.raw_fields import RAW_TEXT_COLUMNS
from core.ingest.read.headers import normalise_header
from core.ingest.read.tools import PAGE_VIEWS, TOOLS, AnalyticsTool, different_tools, tool_of


@pytest.mark.parametrize(
    ("names", "tool"),
    [
        ("domain_userid derived_tstamp page_url", "Snowplow"),
        ("anonymousid type timestamp context_page_url", "Segment or RudderStack"),
        ("anonymous_id timestamp context_ip url", "Segment or RudderStack"),
        ("anonymous_id timestamp context_ip type name url", ""),  # a table of one's own
        ("distinct_id event timestamp properties_$current_url properties_distinct_id", "PostHog"),
        ("idvisitor idvisit server_time url", "Matomo"),
        ("event properties_time properties_distinct_id properties_$current_url", "Mixpanel"),
        ("event_name distinct_id insert_id time properties_$current_url", "Mixpanel"),
        ("amplitude_id device_id event_type event_time", "Amplitude"),
        ("device_id event_type event_time", ""),
        ("event_name event_timestamp user_pseudo_id page_location", ""),
    ],
)
def test_a_tool_is_told_by_its_columns(names: str, tool: str) -> None:
    found = tool_of(names.split())
    assert (found.name if found else "") == tool


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_names_are_those_that_the_header_rule_gives(tool: AnalyticsTool) -> None:
    every = [*tool.columns.items(), *tool.only_here.items()]
    names = [name for _, listed in every for name in listed.split()]
    assert [normalise_header(name) for name in names] == names
    assert {field for field, _ in every} <= set(RAW_TEXT_COLUMNS)
    assert set(tool.page_views) <= set(PAGE_VIEWS)


def test_a_name_is_in_every_table_the_same_field() -> None:
    fields = [
        (name, field) for tool in TOOLS for field, listed in tool.columns.items() for name in listed.split()
    ]
    assert len({name for name, _ in fields}) == len(set(fields))


def test_files_of_several_tools_are_named_by_tool() -> None:
    assert different_tools([("a.csv", ""), ("b.csv", "")]) == []
    assert different_tools([("a.jsonl", "PostHog")]) == []
    (said,) = different_tools([("1.csv", ""), ("a.jsonl", "PostHog"), *((f"{n}.csv", "") for n in (2, 3, 4))])
    assert "(1.csv, 2.csv, 3.csv and 1 more: GA4 or a table of one's own; a.jsonl: PostHog)" in said
    assert "prepare those of each tool apart" in said

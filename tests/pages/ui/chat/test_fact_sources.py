"""Where figures come from: the chart of each, and the way to it."""

from __future__ import annotations

import re

import pytest

from core.facts.answer import Contrast, Fact, Title, Unit, Verdict
from pages.ui.chat.fact_sources import MOVES, chart_of, decision, interval, together
from pages.ui.segments.spotlight import ChartPlace
from pages.ui.shell.links import COMPARE, EXPLORE, JOURNEYS, PROFILES, RULES, USERS
from tests.pages.conftest import OpenApp
from tests.pages.fake_jobs import texts
from tests.pages.fixtures_segments import FinishedRun


def fact(
    measure: str,
    *segments: str,
    value: float = 1.0,
    ends: tuple[float | None, float | None] = (None, None),
) -> Fact:
    return Fact(
        measure=measure, label="", segments=segments or ("segment:0",), value=value, unit=Unit.NUMBER,
        text="1.0", low=ends[0], high=ends[1],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("measure", "chart"),
    [
        ("users", "sizes"),
        ("difference:share", "sizes"),
        ("outcome_rate", "outcome"),
        ("sessions_mean", "segments"),
        ("ratio:revenue", "segments"),
        ("views:page", "pages-segment-0-most_viewed"),
        ("lift:page", "pages-segment-0-over"),
        ("ratio:share:page", "pages-segment-0-most_viewed"),
        ("view_lift:theme", "labels-theme"),
        ("share:device", "shares-device"),
    ],
)
def test_the_chart_of_a_figure(measure: str, chart: str) -> None:
    found = chart_of(fact(measure))
    assert found is not None
    of_a_row = chart.startswith(("pages-", "labels-", "shares-"))
    assert (found.screen, found.chart) == (COMPARE if of_a_row else PROFILES, chart)


def test_a_page_that_is_seen_less_is_on_the_other_list() -> None:
    found = chart_of(fact("lift:page", value=0.5))
    assert found is not None
    assert found.chart == "pages-segment-0-under"


@pytest.mark.parametrize("measure", ["entry:page", "step:type:from"])
def test_what_only_the_answer_shows_has_no_chart(measure: str) -> None:
    assert chart_of(fact(measure)) is None


def test_all_users_have_no_list_of_pages_and_segments_that_moved_are_on_the_map() -> None:
    assert chart_of(fact("views:page", "all")) is None
    assert chart_of(fact("moved", "all")) == ChartPlace("The map of users", EXPLORE)


@pytest.mark.parametrize("measure", ["rule_users", "rule_precision", "rule_recall"])
def test_a_rule_is_on_the_page_rules(measure: str) -> None:
    assert chart_of(fact(measure)) == ChartPlace("Rules", RULES)


def test_look_alikes_are_on_their_page() -> None:
    assert chart_of(fact("look_alikes_in", "segment:0", "segment:1")) == ChartPlace("Look-alikes", USERS)


def test_steps_that_differ_are_on_the_page_journeys() -> None:
    assert chart_of(fact("move:page")) == chart_of(fact("ratio:move:type")) == MOVES
    assert MOVES.screen == JOURNEYS


def test_a_chart_is_linked_once_with_all_its_rows() -> None:
    charts = [chart_of(fact("view_share:theme", key)) for key in ("segment:1", "all", "segment:0")]
    assert together([*charts, None]) == [
        ChartPlace("Page themes", COMPARE, "labels-theme", ("segment:1", "segment:0"))
    ]


@pytest.mark.parametrize(
    "metric", ["users", "outcome_rate", "sessions_mean", "share:device", "share:country"]
)
def test_the_link_s_chart_is_drawn_first_and_its_segment_is_chosen(
    metric: str, open_app: OpenApp, finished_run: FinishedRun
) -> None:
    place = chart_of(fact(metric, "segment:2"))
    assert place is not None
    link = {"chart": place.chart, "of": list(place.rows)}
    app = open_app(place.screen.file, data=finished_run.dataset, k="3", **link)
    assert not app.exception
    words = texts(app)
    drawn = [title for title in CHARTS if f"**{title}**" in words]
    assert min(drawn, key=lambda title: words.index(f"**{title}**")) == place.title
    if place.screen == COMPARE:
        assert app.selectbox(key="compare-first").value == "segment:2"


CHARTS = ("How segments differ", "How segments convert", "How large they are", "Main device", "Main country")


def test_pages_are_linked_with_their_list_and_another_choice_stays(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    place = chart_of(fact("views:page", "segment:1"))
    assert place is not None
    link = {"chart": place.chart, "of": list(place.rows)}
    app = open_app(place.screen.file, data=finished_run.dataset, k="3", **link)
    words = texts(app)
    found = re.search(r"Pages of (?:2 · |Segment 2).*: most viewed", words)
    assert found
    assert found.start() < words.index("What they look at")
    app.selectbox(key="compare-first").select("segment:0").run()
    assert app.selectbox(key="compare-first").value == "segment:0"
    assert "The chart that the figure comes from" not in texts(app)


def test_an_interval_needs_both_ends() -> None:
    assert interval(fact("users", ends=(0.25, 0.5))) == "[0.25, 0.5]"
    assert interval(fact("users")) == ""


@pytest.mark.parametrize(("p_value", "written"), [(0.0004, "< 0.001"), (0.0151, "0.015"), (None, "")])
def test_a_contrast_says_by_which_test_and_how_sure(p_value: float | None, written: str) -> None:
    titles = {key: Title(label=key, name="Same") for key in ("segment:0", "all")}
    test = "" if p_value is None else "Fisher's exact test"
    block = Contrast(
        first=fact("outcome_rate"), second=fact("outcome_rate", "all"), verdict=Verdict.HIGHER, test=test,
        p_value=p_value,
    )  # fmt: skip
    row = decision(block, titles)
    assert (row["Of"], row["p"]) == ("segment:0 and all", written)
    assert row["Test"] == (test or "none")

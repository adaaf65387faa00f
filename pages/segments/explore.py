"""Segments, view Map: all users on a map, the controls of the segments, and a card a segment."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import streamlit as st

from core.base.schema import Group
from core.profiles.metrics import outside_note, records
from core.profiles.name_fitting import reason
from core.profiles.profile_columns import Col, RowKind, of_row
from core.runs.stages import LAYOUT, LEVELS
from pages.ui.chat import topic
from pages.ui.segments import (
    cards,
    certificates,
    k_view,
    map_view,
    segment_controls,
    session_segments,
    shared,
)
from pages.ui.segments.figure import SIDE
from pages.ui.segments.live_segments import LiveSegments, solve
from pages.ui.segments.shared import Sources
from pages.ui.shell import errors, job_panel
from pages.ui.shell.links import EXPLORE, PROFILES, heading, link
from pages.ui.shell.text import md_text

_ASIDE = f"group:{Group.SET_ASIDE}"
_WHY_APART = {
    f"group:{Group.ONE_PAGE}": "A single page view says nothing about behaviour, so they are not clustered.",
    f"group:{Group.BOT_LIKE}": "They look automated. They are counted and shown, and not clustered.",
    _ASIDE: "You set their segments aside: they are counted and shown, and no segment is compared with them.",
}


def page() -> None:
    """Draw the map and the segments, or what to do first."""
    heading(EXPLORE)
    made_from = session_segments.sources()
    if made_from is not None:
        for stage in (LEVELS, LAYOUT):
            job_panel.result(stage.name)  # what it made lies in the store
        _explore(made_from)


def _explore(made_from: Sources) -> None:
    now = session_segments.read(made_from)
    message = st.container(gap="small", key="message")
    with st.expander("Adjust: number, weights, outcome", icon=":material/tune:", key="steering"):
        slots = segment_controls.draw(made_from, now)
        numbers = st.container(key="numbers")
    live = solve(session_segments.settle(made_from, now))
    segment_controls.show_result(slots, live)
    with numbers:
        k_view.draw(live)
    with message:
        k_view.draw_verdict(live)
        found = shared.facets(made_from.dataset, made_from.labels, live.settings.analyze.outcome)
        st.markdown(md_text(found.sentence, 400))
        k_view.given_away(live)
    segment_controls.status_line(live)
    certificates.small_kinds(live)
    if note := outside_note(live.profiles):
        st.info(note, icon=":material/info:")
    with st.grid(2, min_column_width=SIDE, gap="medium", key="map-and-segments"):
        with st.container():
            map_view.draw(live)
        with st.container(gap="small"):
            _segments(live)


def _segments(live: LiveSegments) -> None:
    rows, suggested = live.profiles.parts, topic.context(live).suggested
    certificates.really_one(live)
    for row in records(rows[rows[Col.KIND] == RowKind.SEGMENT]):
        _card(live, row, suggested)
    for row in records(rows[rows[Col.KIND] != RowKind.SEGMENT]):
        why = _WHY_APART.get(row[Col.KEY]) or cards.second_pages(live.profiles, row[Col.KEY])
        badge = "no segment" if row[Col.KEY] == _ASIDE else "by rule"
        cards.rule_card(row[Col.LABEL], row[Col.SHARE], _facts(live, row), why, badge)
    with st.container(horizontal=True, vertical_alignment="center", key="segments-foot"):
        cards.use_all(live, suggested)
        link(PROFILES, "Read their profiles")


def _card(live: LiveSegments, row: dict[str, Any], suggested: Mapping[int, str]) -> None:
    segment: int = row[Col.SEGMENT]
    name, sure = live.current_names[segment], live.certificates.get(segment)
    mark, own = sure.mark if sure else "", name.text if name.says_something else ""
    with st.container(key=f"card-{segment}", gap="xsmall"):
        cards.swatch(segment, row[Col.SHARE], mark)
        cards.name_field(segment, own, partial(cards.rename, live), mark)
        st.markdown(f":small[{_facts(live, row)}]", help=md_text(reason(name), 400) or None)
        certificates.line(live, segment)
        if name.better is not None:
            cards.unfit(live, segment)
            return
        if suggested.get(segment, name.text) != name.text:
            cards.offer(live, segment, suggested[segment])


def _facts(live: LiveSegments, row: Mapping[str, Any]) -> str:
    """Size, outcome and activity of a segment in a line."""
    facts = [f"**{row[Col.USERS]:,}** users ({of_row(row, Col.SHARE)})"]
    if live.profiles.outcome:
        rate, low, high = (
            of_row(row, name) for name in (Col.OUTCOME_RATE, Col.OUTCOME_LOW, Col.OUTCOME_HIGH)
        )
        facts.append(f"**{rate}** {md_text(live.profiles.outcome)} [{low}–{high}]")
    if row[Col.PAGE_VIEWS_MEAN] > 1:  # those of one page have one each
        facts.append(f"{of_row(row, Col.PAGE_VIEWS_MEAN)} page views each")
    return " · ".join(facts)


with errors.shown():
    page()

"""The page Rules: a segment as a few conditions that other tools understand."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core.rules.beam_search import FoundRules, RuleFit, halves, judge
from core.rules.raw_events import LoadedExport
from pages.ui.rules import rule_view
from pages.ui.segments import cards, editing_view, k_view, segment_controls
from pages.ui.segments.live_segments import LiveSegments
from pages.ui.shell import errors, state
from pages.ui.shell.links import RULES, heading
from pages.ui.shell.text import count, md_text


def page() -> None:
    """Draw the page Rules, or what to do first."""
    heading(RULES)
    live = segment_controls.ready()
    if live is None:
        return
    k_view.remind(live)
    segment = _segment(live)
    export = rule_view.export_of(live)
    fit = _found(live, export, rule_view.rules_of(live)[segment])
    _by_hand(live, export, segment, fit)


def _segment(live: LiveSegments) -> int:
    model, keys = live.sources.model_key, {f"segment:{segment}": segment for segment in live.segments}
    preselected = [keys[key] for key in state.controls(model).segments or () if key in keys]
    first = preselected[0] if preselected else live.segments[0]
    state.display("rules_of", first)
    chosen: int = st.selectbox(
        "Segment", live.segments, live.segments.index(first), key="rules_of",
        format_func=live.names.__getitem__,
        on_change=lambda: state.set_controls(model, segments=(f"segment:{st.session_state['rules_of']}",)),
    )  # fmt: skip
    cards.swatch(chosen)
    return chosen


def _found(live: LiveSegments, export: LoadedExport, rules: FoundRules) -> RuleFit | None:
    """Draw the best rule of each length, and a chosen one in full."""
    st.subheader("The best rule of each length")
    if rules.recommended is None:
        st.info(md_text(rules.reason), icon=":material/info:")
    if rules.usual is None:
        return None
    judged = rules.fits[0].judged
    made = int((live.labels >= 0).sum()) - judged
    rule_view.listed(rules, export.features.origin)
    lengths = {fit.rule.length: fit for fit in rules.fits}
    usual = rules.usual.rule.length
    chosen = st.segmented_control(
        "Conditions", list(lengths), default=usual, key=f"length-{rules.segment}", required=True,
        help="The shortest rule that is nearly as good as the best is shown first.",
    )  # fmt: skip
    fit = lengths[chosen or usual]
    said = f"Made from {count(made, 'user')}, judged on the other {judged:,}."
    rule_view.show(live, export, fit, rules.segment, "found", said, live.plain_names[rules.segment])
    st.download_button(
        "All rules of all segments as JSON", data=lambda: rule_view.file_of(live),
        file_name="rules.json",
        mime="application/json", key="rules-json", icon=":material/download:", on_click="ignore",
        type="tertiary",
    )  # fmt: skip
    return fit


def _by_hand(live: LiveSegments, export: LoadedExport, segment: int, found: RuleFit | None) -> None:
    st.subheader("A rule of your own")
    rule = rule_view.build(live, export.features, found.rule if found else None)
    if rule is None:
        return
    features = export.features
    users = np.flatnonzero(live.labels >= 0)
    if found:  # a rule that goes on from the one above has seen the other half
        users = halves(live.labels)[1]
    fit = judge(rule, features, live.labels == segment, users)
    said = (
        f"Judged for {live.names[segment]}, on {'the same' if found else 'all'} {count(len(users), 'user')} "
        "in segments."
    )
    rule_view.show(live, export, fit, segment, "own", md_text(said))
    editing_view.offer(live, features.matches(rule), rule.words(features.origin))


with errors.shown():
    page()

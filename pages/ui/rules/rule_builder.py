"""The builder of a rule by hand: conditions are picked, and the rule is judged like any other."""

from __future__ import annotations

from typing import Final

import streamlit as st

from core.rules.conditions import (
    ATTRIBUTES,
    MEASURES,
    MOST,
    VIEWED,
    RuleClause,
    RuleCondition,
    RuleFeatures,
    RuleField,
    SegmentRule,
)
from pages.ui.segments.live_segments import LiveSegments
from pages.ui.shell import state

TITLES: Final = {
    RuleField.PAGE: "Viewed a page", RuleField.FOLDER: "Viewed a folder",
    RuleField.TEMPLATE: "Viewed a template", RuleField.TYPE: "Viewed a page type",
    RuleField.THEME: "Viewed a theme", RuleField.ENTRY: "Began a session on",
    RuleField.SOURCE: "First source", RuleField.DEVICE: "Device", RuleField.BROWSER: "Browser",
    RuleField.COUNTRY: "Country", RuleField.PAGE_VIEWS: "Page views", RuleField.SESSIONS: "Sessions",
    RuleField.LAST_DAYS: "Seen in the last days",
}  # fmt: skip
AND, OR, NOT = "and", "or", "and not"
NUMBERS: Final = {RuleField.LAST_DAYS: "Days"} | dict.fromkeys(VIEWED, "Times, at least")
"""Field → label of the number of its condition."""


def write(live: LiveSegments, features: RuleFeatures, start: SegmentRule | None) -> SegmentRule | None:
    """Draw the fields and the rule so far.

    Args:
        live: The segments.
        features: Features of the users that conditions can test.
        start: A rule to begin with.

    Returns:
        The rule; None while it has no condition.
    """
    model = live.sources.model_key
    written = state.controls(model).rule
    clauses = written.clauses if written else ()
    condition, joint = _picked(features, first=not clauses)
    full = sum(len(clause.any_of) for clause in clauses) >= MOST
    with st.container(horizontal=True):
        st.button(
            "Add condition", key="add-condition", icon=":material/add:",
            disabled=condition is None or full,
            on_click=lambda: _keep(model, _with(clauses, condition, joint)),
        )  # fmt: skip
        if start is not None:
            st.button(
                "Begin with the rule above", key="take-rule", type="tertiary", icon=":material/content_copy:",
                on_click=_keep, args=(model, start.clauses),
            )  # fmt: skip
        if clauses:
            st.button(
                "Remove the last", key="drop-condition", type="tertiary", icon=":material/undo:",
                on_click=lambda: _keep(model, _without_last(clauses)),
            )  # fmt: skip
            st.button(
                "Clear", key="clear-rule", type="tertiary", icon=":material/close:",
                on_click=_keep, args=(model, ()),
            )  # fmt: skip
    if written is None:
        st.caption("The rule has no condition yet. Pick one and add it.")
        return None
    if full:
        st.caption(f"A rule has at most {MOST} conditions: remove one to add another.")
    return written


def _keep(model: str, clauses: tuple[RuleClause, ...]) -> None:
    state.set_controls(model, rule=SegmentRule.checked(clauses=clauses) if clauses else None)


def _picked(features: RuleFeatures, *, first: bool) -> tuple[RuleCondition | None, str]:
    fields = [
        field for field in TITLES if field in features.viewed or field in MEASURES or _values(features, field)
    ]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        joint = st.selectbox(
            "Joined by", [AND, NOT] if first else [AND, OR, NOT], key="rule-joint", width=130,
            help="“or” widens the condition before it.",
        )  # fmt: skip
        field = st.selectbox("Condition", fields, key="rule-field", format_func=TITLES.__getitem__, width=220)
        value = ""
        if field not in MEASURES:
            origin = features.origin
            value = st.selectbox(
                "Value", _values(features, field), key=f"rule-value-{field}", width=340,
                format_func=lambda text: text.removeprefix(origin) or text,
            ) or ""  # fmt: skip
        number = 1
        if field not in ATTRIBUTES:
            number = st.number_input(
                NUMBERS.get(field, "At least"), 1, 1_000, 1, key=f"rule-number-{field}", width=150
            )
    if field not in MEASURES and not value:
        return None, joint
    return RuleCondition.checked(field=field, value=value, number=number), joint


def _values(features: RuleFeatures, field: RuleField) -> tuple[str, ...]:
    if field in features.viewed:
        return features.viewed[field].names
    return features.attributes[field].values if field in features.attributes else ()


def _with(
    clauses: tuple[RuleClause, ...], condition: RuleCondition | None, joint: str
) -> tuple[RuleClause, ...]:
    if condition is None:
        return clauses
    if joint == OR and clauses:
        *before, last = clauses
        return (*before, RuleClause.checked(any_of=(*last.any_of, condition), negated=last.negated))
    return (*clauses, RuleClause.checked(any_of=(condition,), negated=joint == NOT))


def _without_last(clauses: tuple[RuleClause, ...]) -> tuple[RuleClause, ...]:
    *before, last = clauses
    kept = last.any_of[:-1]
    return (*before, RuleClause(any_of=kept, negated=last.negated)) if kept else tuple(before)

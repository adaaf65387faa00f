"""The views of rules: a builder by hand, how well a rule fits, whom it finds, and its text in four languages.

``rules_of`` makes the rules of the segments on screen once for all sessions that have the same ones.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from typing import Any, Final

import numpy as np
import pandas as pd
import streamlit as st

from core.base.attributes import attribute_words
from core.base.errors import InputError
from core.base.schema import Users
from core.base.settings import IngestSettings
from core.base.wording import number, percent
from core.profiles.profile_columns import Col, RowKind
from core.rules.beam_search import FoundRules, MeasuredShare, RuleFit, recalls, rule_sentence
from core.rules.conditions import (
    MAX_CONDITIONS,
    MEASURES,
    VIEWED,
    Field,
    RuleClause,
    RuleCondition,
    RuleFeatures,
    RuleField,
    SegmentRule,
    is_attribute,
)
from core.rules.ga4 import ga4_audience, ga4_text
from core.rules.raw_events import LoadedExport
from core.rules.records import rule_records, run_sql
from core.rules.rule_sql import bigquery_sql, duckdb_sql, limits
from core.storage.store import open_artifact
from pages.ui.segments import charts
from pages.ui.segments.figure import download_csv, figure
from pages.ui.segments.live_segments import LiveSegments
from pages.ui.segments.shared import SESSIONS, basis
from pages.ui.shell import state, written_table
from pages.ui.shell.shared_cache import cached
from pages.ui.shell.text import count, md_text


@cached(lambda live: live.sources.counted, max_entries=2)
def export_of(live: LiveSegments) -> LoadedExport:
    """What rules need of a data set: the features they test and, for their SQL, its receipt and settings."""
    dataset = live.sources.dataset
    settings = IngestSettings.checked(**open_artifact(dataset.path).settings)
    return LoadedExport(basis(live.sources).rule_features, dataset.receipt, settings)


@cached(
    lambda live: (live.sources.counted, live.segmentation.partition.digest), SESSIONS,
    show_spinner="Looking for the rules …",
)  # fmt: skip
def rules_of(live: LiveSegments) -> Mapping[int, FoundRules]:
    """Segment → its best rules, made once for these segments."""
    return live.tables.basis.rules(live.segmentation.partition)


def sentences(live: LiveSegments) -> dict[int, str]:
    """Segment → the recommended rule with how well it fits, or why there is none."""
    origin = export_of(live).features.origin
    return {segment: rule_sentence(found, origin) for segment, found in rules_of(live).items()}


def records_of(live: LiveSegments) -> list[dict[str, Any]]:
    """The rules of the segments on screen, as a run's rules file has them."""
    return rule_records(rules_of(live), live.plain_names, export_of(live))


def file_of(live: LiveSegments) -> bytes:
    """The records of :func:`records_of` as JSON."""
    return json.dumps(records_of(live), indent=1, ensure_ascii=False, allow_nan=False).encode()


_PRECISION: Final = (
    "Of the users whom the rule finds, the share that belongs to the segment. Users set aside are not "
    "counted."
)
_RECALL: Final = "Of the users of the segment, the share that the rule finds."
F1: Final = (
    "The harmonic mean of precision and recall: high only where both are. Everybody is the rule that finds "
    "all users: what is no higher tells nothing."
)
_HELD_OUT: Final = "It asks for an attribute of users, such as their device: these did not make the segments."
_OF_RUN: Final = "Run it in the folder that the command under Share fills."
READ: Final = 600
"""Characters shown of the text for GA4: a theme may be hundreds of addresses."""
_EXACT: Final = "It repeats all that cleaning did, so that it returns these very users of the loaded files."
_GA4_NOTE: Final = (
    "GA4 counts from the last 30 days on, as events come in, and does not leave out what was left out here: "
    "its audience has other users."
)


def listed(rules: FoundRules, origin: str) -> None:
    """Draw the best rule of each length as a table; addresses lose their ``origin`` (scheme and host)."""
    table = pd.DataFrame(
        {
            "Conditions": [fit.rule.length for fit in rules.fits],
            "Precision": [percent(fit.precision.share, 0) for fit in rules.fits],
            "Recall": [percent(fit.recall.share, 0) for fit in rules.fits],
            "Users": [fit.users for fit in rules.fits],
            "Users who …": [fit.rule.words(origin).removeprefix("Users who ") for fit in rules.fits],
        }
    )
    written_table.draw_in_full(table, "The best rule of each length")


def show(
    live: LiveSegments, export: LoadedExport, fit: RuleFit, segment: int, key: str, judged: str,
    name: str = "",
) -> None:  # fmt: skip
    """Draw a rule with its fit, the segments it finds, and its text in four languages.

    Args:
        live: The segments.
        export: What the SQL needs to know of the files.
        fit: The rule, judged for the segment.
        segment: Segment that the rule should describe.
        key: A unique key.
        judged: Users that the rule was judged on, in words.
        name: What its audience is called; the rule in words if empty.
    """
    with st.container(border=True, key=f"rule-{key}"):
        icon = ":material/warning:" if fit.caution else ":material/check_circle:"
        st.markdown(f"{icon} **{fit.verdict}**")
        st.caption(judged)
        _figures(fit)
        _languages(fit.rule, export, key, name)
        _download(live, export, fit.rule, key)
    _whom(live, export, fit.rule, segment, key)


def _figures(fit: RuleFit) -> None:
    with st.container(horizontal=True, gap="large"):
        _share("Precision", fit.precision, _PRECISION)
        _share("Recall", fit.recall, _RECALL)
        st.metric(
            "F1", number(fit.f1, 2), f"everybody: {number(fit.f1_of_everybody, 2)}", delta_color="off",
            delta_arrow="off", help=F1, width="content",
        )  # fmt: skip
        st.metric("Users it finds", number(fit.users), help="Of all clustered users.", width="content")


def _share(title: str, measured: MeasuredShare, meaning: str) -> None:
    low, high = measured.interval
    text = percent(measured.share, n=measured.n)
    between = f"95 % interval: {percent(low, 0)} to {percent(high, 0)}" if measured.n else "nobody to count"
    beside = f"{measured.users:,} of {count(measured.n, 'user')}; {between}."
    st.metric(
        title, text, f"95 %: {100 * low:.0f}–{percent(high, 0)}" if measured.n else None, delta_color="off",
        delta_arrow="off", help=f"{meaning} {beside}", width="content",
    )  # fmt: skip


def _languages(rule: SegmentRule, export: LoadedExport, key: str, name: str) -> None:
    names = ["English", "GA4", "BigQuery", "DuckDB"] if export.is_ga4 else ["English", "DuckDB"]
    tabs = dict(zip(names, st.tabs(names, key=f"say-{key}"), strict=True))
    said = limits(rule, export)
    with tabs["English"]:
        st.code(f"{rule.words(export.features.origin)}.", language=None, wrap_lines=True)
        if rule.held_out:
            st.caption(_HELD_OUT)
    if export.is_ga4:
        with tabs["GA4"]:
            st.caption(_GA4_NOTE)
            try:
                _ga4(ga4_text(rule, export), key)
                _ga4_request(rule, export, key, name)
            except InputError as error:
                st.caption(f"Not in GA4: {md_text(str(error))}")
        with tabs["BigQuery"]:
            _said(said)
            if sql := bigquery_sql(rule, export):
                st.caption(
                    "Put the name of your own export in place of analytics_123456789, and change the days."
                )
                st.code(sql, language="sql", wrap_lines=True, height=400)
    with tabs["DuckDB"]:
        _said(said)
        raw = duckdb_sql(rule, export)
        st.caption("Run it in the folder of the files." if raw else _OF_RUN)
        st.code(raw or run_sql(rule, export.features), language="sql", wrap_lines=True, height=400)


def _ga4(text: str, key: str) -> None:
    """Draw the text for GA4 to copy, with its length; of a long text the beginning, and a file."""
    longest = max(map(len, text.splitlines()))
    st.caption(f"{count(len(text), 'character')}, at most {longest:,} in a line.")
    if len(text) <= READ:
        st.code(text, language=None, wrap_lines=True, height=300)
        return
    st.text(f"{text[:READ]}…")
    st.caption(f"These are the first {READ:,} of {len(text):,} characters; the file has all of it to copy.")
    st.download_button(
        "Download for GA4", data=text, file_name=f"ga4_{key}.txt", mime="text/plain", key=f"ga4-{key}",
        icon=":material/download:", on_click="ignore", type="tertiary",
    )  # fmt: skip


def _ga4_request(rule: SegmentRule, export: LoadedExport, key: str, name: str) -> None:
    """Offer the audience as a request of Google's Admin API, or say why there is none."""
    try:
        request = ga4_audience(rule, export, name or rule.words(export.features.origin))
    except InputError as error:
        st.caption(f"Not as JSON: {md_text(str(error))}")
        return
    st.download_button(
        "Audience as JSON of the Admin API", data=json.dumps(request, indent=1, ensure_ascii=False),
        file_name=f"ga4_audience_{key}.json", mime="application/json", key=f"ga4-json-{key}",
        icon=":material/data_object:", on_click="ignore", type="tertiary",
        help="Checked against Google's published schema (v1alpha, properties.audiences). Nothing is sent.",
    )  # fmt: skip


def _said(limits: tuple[str, ...]) -> None:
    for limit in limits or (_EXACT,):
        st.caption(md_text(limit))


def _download(live: LiveSegments, export: LoadedExport, rule: SegmentRule, key: str) -> None:
    matching = np.flatnonzero(export.features.matches(rule))
    names = live.plain_names
    table = pd.DataFrame(
        {
            Users.USER_ID: live.sources.dataset.sequences.user_id.take(matching).to_pylist(),
            "segment": [names.get(int(segment), "") for segment in live.labels[matching]],
        }
    )
    download_csv(table, f"users_of_{key}", f"{count(len(table), 'user')} as CSV")


def _whom(live: LiveSegments, export: LoadedExport, rule: SegmentRule, segment: int, key: str) -> None:
    """Draw the segments of the users whom a rule finds."""
    found = recalls(rule, export.features, live.labels)
    users = np.array([measured.users for measured in found.values()])
    if not users.sum():
        return
    table = pd.DataFrame(
        {
            Col.LABEL: [live.names[one] for one in found], Col.KIND: RowKind.SEGMENT.value, Col.USERS: users,
            Col.SHARE: users / users.sum(), Col.N: [measured.n for measured in found.values()],
        }
    ).sort_values(Col.USERS, ascending=False, kind="stable", ignore_index=True)  # fmt: skip
    figure(
        "Whom the rule finds", partial(charts.sizes, table[table[Col.USERS] > 0], live.names), table,
        n=f"All {count(int(users.sum()), 'user')} whom it finds, by segment, and the share of them. "
        "Precision above is of those alone on whom it was judged.",
        key=f"whom_{key}", alt_text=f"Segments of the users whom the rule for {live.names[segment]} finds",
        columns={Col.USERS: "Users it finds", Col.SHARE: "Share of these", Col.N: "Users of the segment"},
    )  # fmt: skip


_TITLES: Final[dict[str, str]] = {
    RuleField.PAGE: "Viewed a page", RuleField.FOLDER: "Viewed a folder",
    RuleField.TEMPLATE: "Viewed a template", RuleField.TYPE: "Viewed a page type",
    RuleField.THEME: "Viewed a theme", RuleField.ENTRY: "Began a session on",
    RuleField.PAGE_VIEWS: "Page views", RuleField.SESSIONS: "Sessions",
    RuleField.LAST_DAYS: "Seen in the last days",
}  # fmt: skip
AND, OR, NOT = "and", "or", "and not"
_NUMBERS: Final[Mapping[str, str]] = {
    RuleField.LAST_DAYS: "Days", **dict.fromkeys(VIEWED, "Times, at least"),
}  # fmt: skip
"""Field → label of the number of its condition."""


def build(live: LiveSegments, features: RuleFeatures, start: SegmentRule | None) -> SegmentRule | None:
    """Draw the fields to build a rule and the rule so far.

    Args:
        live: The segments.
        features: Features of the users that conditions can test.
        start: A rule that a button begins with; None for no button.

    Returns:
        The rule; None while it has no condition.
    """
    model = live.sources.model_key
    written = state.controls(model).rule
    clauses = written.clauses if written else ()
    condition, joint = _picked(features, first=not clauses)
    full = sum(len(clause.any_of) for clause in clauses) >= MAX_CONDITIONS
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
        st.caption(f"A rule has at most {MAX_CONDITIONS} conditions: remove one to add another.")
    return written


def _keep(model: str, clauses: tuple[RuleClause, ...]) -> None:
    state.set_controls(model, rule=SegmentRule.checked(clauses=clauses) if clauses else None)


def _picked(features: RuleFeatures, *, first: bool) -> tuple[RuleCondition | None, str]:
    fields = [
        field
        for field in (*VIEWED, *features.attributes, *MEASURES)
        if field in MEASURES or _values(features, field)
    ]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        joint = st.selectbox(
            "Joined by", [AND, NOT] if first else [AND, OR, NOT], key="rule-joint", width=130,
            help="“or” widens the condition before it.",
        )  # fmt: skip
        field = st.selectbox("Condition", fields, key="rule-field", format_func=_title, width=220)
        value = ""
        if field not in MEASURES:
            origin = features.origin
            value = st.selectbox(
                "Value", _values(features, field), key=f"rule-value-{field}", width=340,
                format_func=lambda text: text.removeprefix(origin) or text,
            ) or ""  # fmt: skip
        number = 1
        if not is_attribute(field):
            number = st.number_input(
                _NUMBERS.get(field, "At least"), 1, 1_000, 1, key=f"rule-number-{field}", width=150
            )
    if field not in MEASURES and not value:
        return None, joint
    return RuleCondition.checked(field=field, value=value, number=number), joint


def _title(field: Field) -> str:
    return _TITLES.get(field) or attribute_words(field).title


def _values(features: RuleFeatures, field: Field) -> tuple[str, ...]:
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

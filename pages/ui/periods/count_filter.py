"""The filter of users and days to count: set in one place, shown where it holds, cleared by a click."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any, Final

import numpy as np
import streamlit as st

from core.base.attributes import ATTRIBUTES, attribute_words
from core.base.settings import AnalyzeSettings
from core.base.wording import capitalised
from core.facts.context import Tables
from core.facts.filtered_tables import filtered_tables
from core.periods.calendar import covered
from core.periods.dataset_part import DatasetPart
from core.periods.filter import NAMED_AT_MOST, CountFilter, FilteredRows, apply_filter
from core.profiles.data import encode_column
from core.query.execute import users_of
from core.query.query import Period, Query, condition_of
from core.runs import pipeline
from core.storage.dataset import dimensions_of
from core.storage.day_coverage import EPOCH
from pages.ui.segments.live_segments import LiveSegments
from pages.ui.segments.shared import Sources
from pages.ui.shell import state
from pages.ui.shell.links import TRAINING
from pages.ui.shell.shared_cache import cached
from pages.ui.shell.text import count, md_text, share

_LINE: Final = 600
"""Pixels that the filter's text needs; on a phone it goes below the button."""
_OFFERED: Final = 1_000
"""Values of an attribute that can be chosen, at most: the most frequent."""
_HELP: Final = (
    "Counts anew and leaves the segments as they are: only users with these values, and only page views on "
    "these days. It holds on Profiles, Journeys and Time."
)

_ANEW: Final = (
    "Makes a data set of these users and days alone, beside this one, and goes to their model: they get "
    "segments of their own. Nothing of this data set changes."
)


def draw(live: LiveSegments) -> None:
    """Draw the filter of users and days, and how many users it leaves.

    Raises:
        SettingsError: If it leaves nobody; a way to clear it has been drawn by then.
    """
    chosen = state.controls(live.sources.model_key).counted
    with st.container(horizontal=True, vertical_alignment="center", key="count-filter"):
        with st.popover("Filter", icon=":material/filter_alt:", type="secondary"):
            _fields(live.sources, chosen)
        if not chosen.is_set:
            st.caption("Everybody and every day is counted.")
            return
        line = st.container(width=_LINE)
        if not chosen.where:  # of a later export nobody would know of whom it holds
            _own_segments(live.sources, chosen)
        st.button(
            "Clear", icon=":material/filter_alt_off:", key="clear-filter", type="tertiary",
            on_click=_keep, args=(live.sources.model_key, CountFilter()),
        )  # fmt: skip
    found = left(live).users
    users = int(found.sum())
    line.caption(
        f":material/filter_alt: **Counted: {md_text(chosen.in_words, 200)}** · {count(users, 'user')} of "
        f"{len(found):,} ({share(users, len(found))}). The segments are those of all users."
        + _without(live, found)
    )


def counted(live: LiveSegments) -> LiveSegments:
    """The segments counted for what the filter leaves; unchanged where no filter is set.

    Raises:
        SettingsError: If it leaves nobody of a segment.
        ArtifactError: If days are left out, and the data set does not say when events were done.
    """
    chosen = state.controls(live.sources.model_key).counted
    if not chosen.is_set:
        return live
    key = (live.sources.counted, live.segmentation.partition.digest, chosen)
    part, made = _counted(*key, live.settings.analyze, live)
    segmentation = replace(live.segmentation, partition=made.partition)
    sources = replace(live.sources, dataset=part)
    return replace(live, sources=sources, segmentation=segmentation, tables=made)


@st.cache_resource(max_entries=4, show_spinner="Counting what the filter leaves …")
def _counted(
    dataset: str, segments: str, chosen: CountFilter, settings: AnalyzeSettings, _live: LiveSegments
) -> tuple[DatasetPart, Tables]:
    """The part and its tables, kept for a few filters: each holds its page views."""
    part = DatasetPart.of(_live.sources.dataset, chosen, _who(chosen, _live))
    return part, filtered_tables(_live.tables, part, _live.sources.labels)


def _without(live: LiveSegments, users: np.ndarray) -> str:
    """Sentence on segments of which no user is left; empty without any."""
    there = set(live.labels[users].tolist())
    gone = [md_text(live.names[segment], 60) for segment in live.segments if segment not in there]
    if not gone:
        return ""
    more = f" and {len(gone) - NAMED_AT_MOST} more segments" if len(gone) > NAMED_AT_MOST else ""
    return f" Nobody is left of: {'; '.join(gone[:NAMED_AT_MOST])}{more}."


def _own_segments(made_from: Sources, chosen: CountFilter) -> None:
    """Draw the button that makes a data set of what is left, for a model and segments of its own."""
    if st.button("Fit anew", icon=":material/model_training:", key="fit-anew", type="tertiary", help=_ANEW):
        with st.spinner("Making a data set of what the filter leaves"):
            made = pipeline.narrow(made_from.store, made_from.dataset, chosen)
        state.select_dataset(made.key)
        st.switch_page(TRAINING.file)


@cached(lambda live: (live.sources.counted, state.controls(live.sources.model_key).counted), max_entries=8)
def left(live: LiveSegments) -> FilteredRows:
    """Which users and page views the filter leaves.

    Raises:
        SettingsError: If it leaves nobody.
    """
    data, chosen = live.sources.dataset, state.controls(live.sources.model_key).counted
    return apply_filter(chosen, data.users, data.sequences, data.receipt.clock, _who(chosen, live))


def _who(chosen: CountFilter, live: LiveSegments) -> np.ndarray | None:
    """Users of whom the filter's condition holds on its days; None where it has none."""
    if not chosen.where:
        return None
    days = {name: day for name in ("first_day", "last_day") if (day := getattr(chosen, name))}
    asked = Query(where=condition_of(chosen.where), period=Period(**days) if days else None)
    return users_of(asked, live.tables)


@st.cache_data(max_entries=8, show_spinner=False)
def _offered(dataset: str, _sources: Sources) -> tuple[date, date, dict[str, list[str]]]:
    """First and last day, and the values of each attribute, most frequent first."""
    data = _sources.dataset
    first, last = covered(data.sequences.timestamp, data.receipt.clock)
    named = (*ATTRIBUTES, *dimensions_of(data.users))
    values = {column: list(encode_column(data.users[column]).values[:_OFFERED]) for column in named}
    return EPOCH + timedelta(first), EPOCH + timedelta(last), values


def _fields(made_from: Sources, chosen: CountFilter) -> None:
    first, last, values = _offered(made_from.dataset.key, made_from)
    model = made_from.model_key
    st.caption(f"{_HELP} The export has {first} to {last}.")
    with st.grid(2, min_column_width=140):
        _day("First day", "first_day", chosen, (first, last), model)
        _day("Last day", "last_day", chosen, (first, last), model)
    for column, offered in values.items():
        current = list(chosen.values.get(column, ()))
        options = list(dict.fromkeys([*offered, *current]))
        if len(options) < 2:
            continue
        state.display(f"filter-{column}", current)
        st.multiselect(
            capitalised(attribute_words(column).name), options, current, key=f"filter-{column}",
            placeholder="Any", format_func=md_text, on_change=_changed, args=(model, column),
            select_all=False,
        )  # fmt: skip


def _day(label: str, name: str, chosen: CountFilter, days: tuple[date, date], model: str) -> None:
    current: date | None = getattr(chosen, name)
    now = None if current is None else min(max(current, days[0]), days[1])
    state.display(f"filter-{name}", now)
    st.date_input(
        label, now, *days, key=f"filter-{name}", format="YYYY-MM-DD", on_change=_changed, args=(model, name)
    )


def _changed(model: str, name: str) -> None:
    value: Any = st.session_state[f"filter-{name}"]
    if isinstance(value, list):
        _keep(model, state.controls(model).counted.with_values({name: value}))
        return
    current = state.controls(model).counted.model_dump() | {name: value}
    if current["first_day"] and current["last_day"] and current["first_day"] > current["last_day"]:
        current["first_day"] = current["last_day"] = value  # the day that was chosen last holds
    _keep(model, CountFilter.checked(**current))


def _keep(model: str, chosen: CountFilter) -> None:
    state.set_controls(model, counted=chosen)

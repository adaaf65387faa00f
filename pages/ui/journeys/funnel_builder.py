"""The builder of a funnel, with its steps as rows of widgets, and what the funnel on screen is made from.

What is being built is the session's; whenever it is a funnel, it is kept with the model and in the link. A
step without a pattern is left out until it has one. ``basis`` and the functions after it are kept by content
key for all sessions.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import streamlit as st

from core.base.errors import ArtifactError, SettingsError
from core.journeys.funnel import (
    MAX_STEPS,
    MAX_UNITS,
    SECONDS,
    SESSION,
    USER,
    Funnel,
    FunnelStep,
    StepKind,
    StepOrder,
    funnels_to_yaml,
    limit_text,
)
from core.journeys.funnel_start import usual_funnel
from core.journeys.funnel_table import FunnelWalk, walk
from core.journeys.moves import Places
from core.journeys.patterns import FunnelSite, users_who
from core.storage.dataset import EVENTS, TimedEvents
from pages.ui.segments.live_segments import LiveSegments
from pages.ui.shell import errors, state
from pages.ui.shell.shared_cache import cached
from pages.ui.shell.text import count, md_text

_OFFERED: Final = 200
"""Names of each kind that can be picked, at most: the most seen; any other can be typed."""


@dataclass(frozen=True, eq=False)
class _FunnelBasis:
    """A data set as funnels need it.

    Args:
        site: Names of pages and events that steps can match.
        events: What users did besides viewing pages; nothing where the data set does not say when.
        lacks_times: Whether it does not.
        offered: Kind of step → names that can be picked, the most seen first.
    """

    site: FunnelSite
    events: TimedEvents
    lacks_times: bool
    offered: dict[StepKind, list[str]]


def _key(live: LiveSegments) -> str:
    """Key of the data set, its labels, and whether it has times of events, which can be added later."""
    return f"{live.tables.basis.key} {(live.sources.dataset.path / EVENTS).exists()}"


@cached(_key, max_entries=2, show_spinner="Laying out pages and events …")
def _basis(live: LiveSegments) -> _FunnelBasis:
    """The basis of funnels, laid out once a data set and its labels."""
    data = live.sources.dataset
    try:
        events, lacks = data.events, False
    except ArtifactError:
        events, lacks = TimedEvents.none(), True
    site = FunnelSite.of(data, live.sources.labels, events.names)
    offered = {
        StepKind(level): list(Places.from_names(level, named, data.sequences).names[:_OFFERED])
        for level, named in site.names.items()
    }
    often = np.bincount(events.name, minlength=len(events.names))
    events_by_frequency = [events.names[place] for place in np.argsort(-often, kind="stable").tolist()]
    if events_by_frequency:
        offered[StepKind.EVENT] = events_by_frequency[:_OFFERED]
    return _FunnelBasis(site, events, lacks, offered)


@cached(
    lambda live: (_key(live), live.profiles.chosen[:1]), max_entries=8,
    show_spinner="Looking for the usual way …",
)  # fmt: skip
def _suggested(live: LiveSegments) -> Funnel:
    """The suggested funnel: the usual way to the first chosen outcome."""
    index = live.tables.basis.data.outcomes  # of a part, that of the whole
    return usual_funnel(_basis(live).site, index.whole or index, live.profiles.chosen[:1])


def followed(live: LiveSegments, funnel: Funnel) -> FunnelWalk:
    """How far each user comes in a funnel, kept for all sessions.

    Raises:
        SettingsError: If these pages have no names at the level of a step.
    """
    return _walk(live, funnel.model_copy(update={"name": ""}))


@cached(lambda live, funnel: (_key(live), funnel), max_entries=12, show_spinner="Following all users …")
def _walk(live: LiveSegments, funnel: Funnel) -> FunnelWalk:
    made = _basis(live)
    return walk(funnel, made.site.marks_of(funnel), live.sources.dataset.sequences, made.events)


@cached(lambda live, step: (_key(live), step), max_entries=512)
def _found(live: LiveSegments, step: FunnelStep) -> tuple[int, int]:
    """Number of different names that a step matches, and of users who made it.

    Raises:
        SettingsError: If these pages have no names at its level.
    """
    made = _basis(live)
    marks = made.site.marks(step)
    users = users_who(marks, live.sources.dataset.sequences, made.events)
    return made.site.different(step, marks), users


_DRAFT: Final = "funnel_draft"
_KINDS: Final = {
    StepKind.PAGE: "Page", StepKind.TEMPLATE: "Template", StepKind.THEME: "Theme", StepKind.TYPE: "Type",
    StepKind.EVENT: "Event",
}  # fmt: skip
_ORDERS: Final = {StepOrder.LOOSE: "Any later view", StepOrder.STRICT: "The next view"}
_LIMIT: Final = "limit"
_WITHIN: Final = {USER: "The user's whole time", SESSION: "One session", _LIMIT: "A time limit"}
_WIDE: Final = 620
"""Pixels that the patterns of a step need; on a narrow screen they get a line to themselves."""
_FIRST_LIMIT: Final = "30 minutes"
_LACKS: Final = (
    "This data set does not say when events were done: it was loaded by an earlier release. Load the same "
    "export again to use events as steps; the model stays."
)
_PATTERNS: Final = (
    "Pick names, or write one in which * stands for any text, such as /product/*. Any of them makes the step."
)


@dataclass(frozen=True)
class _Row:
    number: int
    kind: StepKind
    any_of: tuple[str, ...]


@dataclass(frozen=True)
class _Draft:
    """The funnel being built: its rows, complete or not, and the funnel that they make."""

    rows: tuple[_Row, ...]
    funnel: Funnel

    @classmethod
    def of(cls, funnel: Funnel) -> _Draft:
        rows = [_Row(number, step.kind, step.any_of) for number, step in enumerate(funnel.steps)]
        return cls(tuple(rows), funnel)


def draw(live: LiveSegments) -> Funnel:
    """Draw the builder, and return the funnel that it makes."""
    offered, draft = _basis(live).offered, _draft(live)
    if unread := state.of_model(live.sources.model_key).get(state.UNREAD):
        st.warning(f"The funnel of this link cannot be read, and another one is shown: {md_text(unread)}")
    with st.container(border=True, key="funnel-builder", gap="xsmall"):
        for place, row in enumerate(draft.rows):
            _row(live, draft, place, row, offered)
        _below(live, draft)
    if _basis(live).lacks_times:
        st.caption(f":material/info: {_LACKS}")
    return draft.funnel


def _draft(live: LiveSegments) -> _Draft:
    """The draft of this session; a new one where another funnel is set, by a link or elsewhere."""
    model = live.sources.model_key
    now = state.controls(model).funnel or _suggested(live)
    draft: _Draft | None = state.of_model(model).get(_DRAFT)
    if draft is None or draft.funnel != now:
        draft = _Draft.of(now)
        state.of_model(model)[_DRAFT] = draft
    return draft


def _keep(live: LiveSegments, rows: tuple[_Row, ...], **changes: Any) -> None:  # noqa: ANN401 - checked
    """Hold the rows, and keep the funnel that the complete ones make, or the last one where none is."""
    model, before = live.sources.model_key, _draft(live).funnel
    steps = tuple(FunnelStep(kind=row.kind, any_of=row.any_of) for row in rows if row.any_of)
    with errors.shown():
        made = Funnel.checked(**before.model_dump() | {"steps": steps or before.steps} | changes)
        state.of_model(model).update({_DRAFT: _Draft(rows, made), state.UNREAD: ""})
        state.set_controls(model, funnel=made)


def _row(
    live: LiveSegments, draft: _Draft, place: int, row: _Row, offered: dict[StepKind, list[str]]
) -> None:
    rows, key = draft.rows, f"funnel-{row.number}"

    def changed(new: _Row) -> None:
        _keep(live, (*rows[:place], new, *rows[place + 1 :]))

    def of_kind() -> None:
        changed(replace(row, kind=StepKind(st.session_state[f"{key}-kind"]), any_of=()))

    def of_patterns() -> None:
        typed = dict.fromkeys(text.strip() for text in st.session_state[f"{key}-any-{row.kind}"])
        changed(replace(row, any_of=tuple(text for text in typed if text)))

    kinds = list(dict.fromkeys([*offered, row.kind]))
    names = list(dict.fromkeys([*row.any_of, *offered.get(row.kind, [])]))
    with st.container(horizontal=True, vertical_alignment="bottom", key=key, gap="xsmall"):
        state.display(f"{key}-kind", row.kind)
        st.selectbox(
            f"Step {place + 1}", kinds, kinds.index(row.kind), key=f"{key}-kind", width=130,
            format_func=_KINDS.__getitem__, on_change=of_kind,
        )  # fmt: skip
        _buttons(live, rows, place, key)
        state.display(f"{key}-any-{row.kind}", list(row.any_of))
        st.multiselect(
            f"What makes step {place + 1}", names, list(row.any_of), key=f"{key}-any-{row.kind}",
            accept_new_options=True, on_change=of_patterns, placeholder="Pick, or write with *",
            help=_PATTERNS, width=_WIDE, filter_mode="contains", select_all=False,
        )  # fmt: skip
    _matches(live, row)


def _buttons(live: LiveSegments, rows: tuple[_Row, ...], place: int, key: str) -> None:
    """Draw the buttons that move a step up or down or remove it."""
    swapped = [*rows]
    if place:
        swapped[place - 1 : place + 1] = rows[place], rows[place - 1]
    later = [*rows]
    later[place : place + 2] = reversed(rows[place : place + 2])
    gone = (*rows[:place], *rows[place + 1 :])
    for name, icon, told, to, possible in (
        ("up", "arrow_upward", "Earlier", tuple(swapped), place > 0),
        ("down", "arrow_downward", "Later", tuple(later), place < len(rows) - 1),
        ("gone", "close", "Remove", gone, any(row.any_of for row in gone)),
    ):
        st.button(
            "", icon=f":material/{icon}:", key=f"{key}-{name}", help=f"{told}: step {place + 1}",
            type="tertiary", disabled=not possible, on_click=_keep, args=(live, to),
        )  # fmt: skip


def _matches(live: LiveSegments, row: _Row) -> None:
    """Draw how many names and users a step matches."""
    if not row.any_of:
        st.caption(":material/info: Without a pattern this step is left out.")
        return
    try:
        names, users = _found(live, FunnelStep(kind=row.kind, any_of=row.any_of))
    except SettingsError as error:
        st.caption(f":material/warning: {md_text(error)}")
        return
    if not names:
        st.caption(f":material/warning: No {_KINDS[row.kind].lower()} here matches. Nobody takes this step.")
        return
    what = _KINDS[row.kind].lower()
    st.caption(f"Matches {count(names, what)}, done by {count(users, 'user')}.")


def _below(live: LiveSegments, draft: _Draft) -> None:
    """Draw what is below the steps: a further step, the order, the limit, and the suggested funnel."""
    rows = draft.rows
    number = max(row.number for row in rows) + 1
    usual = rows[-1].kind
    with st.container(horizontal=True, vertical_alignment="bottom", key="funnel-below"):
        st.button(
            "Add a step", icon=":material/add:", key="funnel-add", disabled=len(rows) >= MAX_STEPS,
            on_click=_keep, args=(live, (*rows, _Row(number, usual, ()))),
            help=f"At most {MAX_STEPS}. The same step twice asks for two visits.",
        )  # fmt: skip
        _order(live, draft)
        _within(live, draft)
        st.download_button(
            "YAML", data=lambda: funnels_to_yaml([draft.funnel]), file_name="funnels.yaml", type="tertiary",
            icon=":material/download:", key="funnel-yaml", on_click="ignore", mime="application/yaml",
            help="To count the same from the command line: --funnel funnels.yaml.",
        )  # fmt: skip
        if state.controls(live.sources.model_key).funnel is not None:
            st.button(
                "Start again", icon=":material/restart_alt:", key="funnel-reset", type="tertiary",
                on_click=_reset, args=(live.sources.model_key,),
                help="Back to the usual way to the outcome.",
            )  # fmt: skip


def _reset(model: str) -> None:
    state.of_model(model).update({state.UNREAD: ""})
    state.of_model(model).pop(_DRAFT, None)
    state.set_controls(model, funnel=None)


def _order(live: LiveSegments, draft: _Draft) -> None:
    state.display("funnel-order", draft.funnel.order)
    st.selectbox(
        "The next step is", list(_ORDERS), list(_ORDERS).index(draft.funnel.order), key="funnel-order",
        format_func=_ORDERS.__getitem__, width=160,
        on_change=lambda: _keep(live, draft.rows, order=st.session_state["funnel-order"]),
        help="The next view: no other page view may come between. An event counts before the next page view.",
    )  # fmt: skip


def _within(live: LiveSegments, draft: _Draft) -> None:
    limit = draft.funnel.limit
    now = _LIMIT if limit else draft.funnel.within
    state.display("funnel-within", now)

    def chosen() -> None:
        within = st.session_state["funnel-within"]
        _keep(live, draft.rows, within=_FIRST_LIMIT if within == _LIMIT else within)

    def limited() -> None:
        unit = st.session_state["funnel-unit"]
        _keep(live, draft.rows, within=limit_text(int(st.session_state["funnel-number"]), unit))

    st.selectbox(
        "Within", list(_WITHIN), list(_WITHIN).index(now), key="funnel-within", width=200,
        format_func=_WITHIN.__getitem__, on_change=chosen,
        help="A time limit counts from the first step to the last; any first step that is in time counts.",
    )  # fmt: skip
    if limit is None:
        return
    number, unit = limit
    state.display("funnel-number", number)
    st.number_input("Number", 1, MAX_UNITS, number, key="funnel-number", width=120, on_change=limited)
    state.display("funnel-unit", unit)
    st.selectbox(
        "Unit", list(SECONDS), list(SECONDS).index(unit), key="funnel-unit", width=120, on_change=limited,
        format_func=lambda one: f"{one}s",
    )  # fmt: skip

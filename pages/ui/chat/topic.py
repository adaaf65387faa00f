"""What the chat is about: the segments on screen, laid out for questions and shared by content key."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import streamlit as st

from core.base.errors import InputError
from core.facts.answer import Answer, Title
from core.facts.context import PASTED as A_LIST
from core.facts.context import Context
from core.facts.fact_maker import Figures, Finding, with_bases
from core.ingest.sources.id_list import match_ids
from core.people.look_alikes import LookAlikes, look_alikes
from core.profiles.name_fitting import CurrentName
from core.saved import descriptions
from core.saved.controls import MAX_SEGMENTS
from core.saved.saved_work import Segmentation
from pages.ui.people.look_alikes_view import PASTED
from pages.ui.segments import session_segments, shared
from pages.ui.segments.live_segments import LiveSegments, solve
from pages.ui.segments.shared import Sources
from pages.ui.shell import state


def on_screen() -> Context | None:
    """The context of the segments on screen, or of those kept for the model; None before there are any.

    Raises:
        InputError: If there are too few users for segments.
    """
    made_from = session_segments.found_sources()
    return None if made_from is None else context(solve(session_segments.shown(made_from)))


def context(live: LiveSegments) -> Context:
    """The context that questions about segments are answered from."""
    made_from, model = live.sources, live.sources.model_key
    told = descriptions.saved_descriptions(made_from.store, model, live.tables.digest).load()
    suggested = _suggested_names(live.current_names, {segment: one.name for segment, one in told.items()})
    return Context(
        live.tables, live.own_names, session_segments.previous(made_from),
        {} if live.withheld else suggested, live.certificates, live.unsupported,
        live.verdict if live.levels else "", live.withheld, state.controls(model).funnel,
        partial(_like, made_from, live.segmentation, str(state.of_model(model).get(PASTED, ""))),
        state.controls(model).counted,
        max(2, min(MAX_SEGMENTS, shared.different(made_from, live.settings.weights) - 1)),
        made_from.vectors.weighable,
    )  # fmt: skip


def _suggested_names(current_names: Mapping[int, CurrentName], told: Mapping[int, str]) -> dict[int, str]:
    """Segment → suggested name: a language model's where no other segment has it, else the one from the data.

    Args:
        current_names: Segment → its current name.
        told: Segment → name suggested by a language model.
    """
    own = {segment: (name.better or name).text for segment, name in current_names.items()}
    taken = {name.text.casefold(): segment for segment, name in current_names.items()}
    return own | {s: name for s, name in told.items() if taken.get(name.casefold(), s) == s}


def _like(made_from: Sources, shown: Segmentation, pasted: str, key: str) -> LookAlikes:
    """Find users like those of a segment, or of the list that was pasted on the page Users.

    Raises:
        InputError: If none was pasted, or none of its users is clustered.
    """
    vectors, inside = shared.combined(made_from, shown.weights).vectors, made_from.vectors.inside
    if key != A_LIST:
        seeds = np.flatnonzero(shown.partition.labels == int(key.partition(":")[2]))
        return look_alikes(vectors, inside, seeds, hide=False)
    if not pasted.strip():
        raise InputError("There is no list", remedy="Paste ids under Users & rules, look-alikes")
    return look_alikes(vectors, inside, match_ids(pasted, made_from.dataset.sequences.user_id).users)


def told(about: Context, what: str, say: Callable[[Figures], Finding]) -> Answer:
    """Return an answer in the app's words, cached for all sessions with the same segments, however named.

    Args:
        about: The segments.
        what: Name of the answer, which is its cache key with the segments.
        say: Makes the answer, where it is not cached.
    """
    segments = f"{about.tables.digest} {about.tables.partition.digest} {about.unsupported} {about.withheld}"
    return _told(segments, what, about, say)


def titles(live: LiveSegments, about: Context) -> dict[str, Title]:
    """Row key → title of the row on screen; unlike in answers, segments may have the app's names."""
    shown = {
        f"segment:{segment}": name.text for segment, name in live.current_names.items() if name.says_something
    }
    return {key: title.model_copy(update={"name": shown.get(key, title.name)})
            for key, title in about.titles().items()}  # fmt: skip


def prepare() -> None:
    """Count what most questions need about the segments on screen; call it after the page is drawn."""
    made_from = session_segments.found_sources()
    if made_from is not None and session_segments.session(made_from).history:
        solve(session_segments.shown(made_from)).tables.warm()


@st.cache_resource(max_entries=16 * shared.SESSIONS, show_spinner=False)
def _told(segments: str, what: str, _about: Context, _say: Callable[[Figures], Finding]) -> Answer:
    found = _say(Figures(_about))
    return Answer(with_bases(found.blocks, _about), query=found.query)

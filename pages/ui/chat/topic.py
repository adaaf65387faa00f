"""What the chat is about: the segments on screen, laid out for questions and shared by content key."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import streamlit as st

from core.base.errors import InputError
from core.facts.answer import Answer, Title
from core.facts.context import PASTED as A_LIST
from core.facts.context import Context
from core.facts.fact_maker import Figures, Finding, with_bases
from core.people.id_list import match_ids
from core.people.look_alikes import LookAlikes, look_alikes
from core.saved import descriptions
from core.saved.saved_work import Segmentation
from core.segments.certificate import verdict_text
from core.segments.levels import unsupported
from core.segments.partition import Partition
from pages.ui.people.look_alikes_view import PASTED
from pages.ui.segments import background, live_segments, naming, session_segments, shared
from pages.ui.segments.live_segments import LiveSegments
from pages.ui.segments.made_from import Sources, found_sources
from pages.ui.shell import state


def context() -> Context | None:
    """The context of the segments on screen, or of those kept for the model; None before there are any."""
    made_from = found_sources()
    if made_from is None:
        return None
    shown, previous = _shown(made_from)
    analyze = live_segments.steering(made_from).analyze
    made = shared.tables(made_from, shown.weights, shown.partition, analyze)
    levels = background.levels(made_from)
    kept_back = live_segments.withheld(made_from, levels)
    held = live_segments.held_names(made_from, made, kept_back=kept_back)
    told = descriptions.kept_descriptions(made_from.store, made_from.model_key, made.digest).load()
    suggested = naming.suggested(held, {segment: one.name for segment, one in told.items()})
    names = {segment: name.text for segment, name in held.items() if name.is_given}
    sure = shared.certificates(made_from, shown.weights, shown.partition)
    offered = {} if kept_back else suggested
    funnel = state.controls(made_from.model_key).funnel
    like = partial(_like, made_from, shown, str(state.of_model(made_from.model_key).get(PASTED, "")))
    verdict = verdict_text(levels, sure) if levels else ""
    return Context(
        made, names, previous, offered, sure, unsupported(levels), verdict, kept_back, funnel, like
    )


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
        raise InputError("There is no list", remedy="Paste ids on the page Users, under look-alikes")
    return look_alikes(vectors, inside, match_ids(pasted, made_from.dataset.sequences.user_id).users)


def told(about: Context, what: str, say: Callable[[Figures], Finding]) -> Answer:
    """The app's words on segments, cached for all sessions with the same segments, whatever their names.

    Args:
        about: The segments.
        what: Cache key of the words.
        say: Says it, if it has not been said.
    """
    segments = f"{about.tables.digest} {about.tables.partition.digest} {about.unsupported} {about.withheld}"
    return _told(segments, what, about, say)


def titles(live: LiveSegments, about: Context) -> dict[str, Title]:
    """Titles of the rows on screen, with the app's names, which questions do not know."""
    shown = {f"segment:{segment}": name.text for segment, name in live.held.items() if name.says_something}
    return {key: title.model_copy(update={"name": shown.get(key, title.name)})
            for key, title in about.titles().items()}  # fmt: skip


def prepare() -> None:
    """Lay out what every question needs after the page is drawn, so that the first answer need not wait."""
    made_from = found_sources()
    if made_from is not None and session_segments.session(made_from).history:
        about = context()
        if about is not None:
            about.tables.warm()


def _shown(made_from: Sources) -> tuple[Segmentation, Partition | None]:
    """The segments on screen, made now if needed, and those before the last move.

    Raises:
        InputError: If there are too few users for segments.
    """
    history = session_segments.session(made_from).history
    if history:
        return history[0], history[0].cut or (history[1].partition if len(history) > 1 else None)
    return live_segments.solve(made_from).segmentation, None


@st.cache_resource(max_entries=16 * shared.SESSIONS, show_spinner=False)
def _told(segments: str, what: str, _about: Context, _say: Callable[[Figures], Finding]) -> Answer:
    found = _say(Figures(_about))
    return Answer(with_bases(found.blocks, _about), query=found.query)

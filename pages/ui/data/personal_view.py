"""Views of what was masked as personal, with switches, and of pages that give the outcome away.

Both offer to prepare the data set again and to fit again with the settings of the current model.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

import pandas as pd
import streamlit as st

from core.base.errors import InputError
from core.base.schema import Pages
from core.base.settings import IngestSettings
from core.ingest.clean.urls import with_templates
from core.runs import jobs
from core.runs.file_requests import RefitRequest
from core.saved import label_decisions
from core.storage.dataset import Dataset
from core.storage.receipt import Decision, PersonalPlace, Receipt
from pages.ui.data import catalog, sources
from pages.ui.data.catalog import DatasetCard
from pages.ui.data.prepare_form import PREPARE_WALL_S, start_preparing
from pages.ui.labels import label_jobs
from pages.ui.shell import job_panel, state
from pages.ui.shell.text import count, md_text

_MASKED, _BEFORE = "Masked", "Before"
_WHY = {
    Decision.FOUND: "one user each",
    Decision.KEPT: "kept by your choice",
    Decision.FORCED: "masked by your choice",
    Decision.UNDECIDED: "too few to tell",
}
_HELP = (
    "Pages and products are seen by many; what a place shows to one user each is theirs: a name in a "
    "greeting, the number of an order. Values are never shown, only their first letter."
)
_ADVICE = "Untick a place whose values are not personal; tick one that was too small to tell."
_BUSY = "Preparing; the top of this page shows how far it is."
_SITE: Final = re.compile(r"https?://[^/{}]+(?=/)")


def personal(dataset: Dataset, card: DatasetCard | None, there: tuple[str, ...]) -> None:
    """Draw the places whose values may be personal, and offer to prepare the data again with other choices.

    A place is a position in addresses, titles or labels, such as a query parameter.

    Args:
        dataset: The data set.
        card: How it was prepared; None if that is not known, and nothing can be changed.
        there: Paths of its files; empty unless all are as they were read.
    """
    places = dataset.receipt.places
    with st.container(border=True, key="personal"):
        st.subheader("Personal data", help=_HELP)
        st.caption(summary(dataset.receipt))
        if not places:
            return
        table = places_table(places)
        edited = st.data_editor(
            table, hide_index=True, key=f"places-{dataset.key}",
            disabled=True if card is None or not there else [*table.columns[1:]],
            column_config={
                _MASKED: st.column_config.CheckboxColumn(width="small"),
                _BEFORE: st.column_config.TextColumn(width="small", help="First letters of a few values"),
                "Values": st.column_config.NumberColumn(format="localized", width="small"),
                "Users": st.column_config.NumberColumn(format="localized", width="small"),
            },
        )  # fmt: skip
        if card is not None:
            _prepare_again(card, places, edited[_MASKED].tolist(), there)


def summary(facts: Receipt) -> str:
    """Sentence on what was masked."""
    masked = [place for place in facts.places if _is_masked(place)]
    values, views = sum(place.values for place in masked), sum(place.page_views for place in masked)
    kinds = sum(facts.pii_masked.values())
    if not (masked or kinds):
        return "None was found."
    looks = f"masked for what they look like: {', '.join(facts.pii_masked)}."
    if not masked:
        return f"{count(kinds, 'value')} {looks}"
    found = f"{count(values, 'value')} at {count(len(masked), 'place')} ({views:,} page views) became {{…}}"
    return f"{found}; {kinds:,} more {looks}" if kinds else f"{found}."


def _is_masked(place: PersonalPlace) -> bool:
    """Whether the values of a place are masked."""
    return place.decision in (Decision.FOUND, Decision.FORCED)


def places_table(places: Sequence[PersonalPlace]) -> pd.DataFrame:
    """Table of the places: masked or not, name, first letters, counts, why; a site all share is left out."""
    sites = Counter(match[0] for place in places if (match := _SITE.search(place.name)))
    site = next(iter(sites), "") if len(sites) == 1 else ""
    return pd.DataFrame(
        {
            _MASKED: [_is_masked(place) for place in places],
            "Place": [place.name.replace(site, "", 1) for place in places],
            _BEFORE: [" ".join(place.examples) for place in places],
            "Values": [place.values for place in places],
            "Users": [place.users for place in places],
            "Why": [_WHY[place.decision] for place in places],
        }
    )


def with_choices(
    before: IngestSettings, places: Sequence[PersonalPlace], masked: Sequence[bool]
) -> IngestSettings:
    """The settings with the changed places in ``keep_places`` or ``mask_places``.

    Args:
        before: The settings so far.
        places: All places.
        masked: For each place, in order, whether it is to be masked.
    """
    keep, mask = dict.fromkeys(before.keep_places), dict.fromkeys(before.mask_places)
    for place, wanted in zip(places, masked, strict=True):
        if wanted == _is_masked(place):
            continue
        (keep if wanted else mask).pop(place.name, None)
        if not wanted:
            keep[place.name] = None
        elif place.decision is Decision.UNDECIDED:
            mask[place.name] = None
    return before.model_copy(update={"keep_places": tuple(keep), "mask_places": tuple(mask)})


def _prepare_again(
    card: DatasetCard, places: Sequence[PersonalPlace], masked: Sequence[bool], there: tuple[str, ...]
) -> None:
    before = IngestSettings.checked(**card.settings)
    after = with_choices(before, places, masked)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Prepare again with these choices", icon=":material/replay:", key="places-again",
            disabled=after == before or not there, on_click=start_preparing, args=(there, after),
            help=None if there else sources.GONE,
        )  # fmt: skip
        busy = bool(job_panel.running(("preprocess",)))
        st.caption(_BUSY if busy else _ADVICE)


_TASK: Final = "refit"
_GIVES_AWAY: Final = (
    "Only users with the outcome see this, at the outcome or afterwards. A model that reads it knows the "
    "outcome, so that segments differ in it by how they were made: "
)


def take_result() -> None:
    """Open the data set and model that this session's job has just made; call it first on a page."""
    done = job_panel.ended(_TASK)
    if done is not None:
        state.take_model(done.result, done.subject)


def offer(dataset: Dataset, pages: Sequence[str]) -> None:
    """Draw a warning that pages (addresses) give the outcome away, with a button to leave them out."""
    pages = with_templates(pages, dataset.pages[Pages.PAGE_LOCATION])
    if not pages or job_panel.panels((_TASK,), dataset.key):
        return
    card = next((card for card in catalog.datasets(state.store()) if card.key == dataset.key), None)
    if card is None:
        return
    st.warning(_GIVES_AWAY + md_text(", ".join(pages), 1_000), icon=":material/visibility:")
    before = IngestSettings.checked(**card.settings)
    strip = tuple(dict.fromkeys((*before.strip_pages, *pages)))
    there = () if card.filtered else sources.still_there(card)  # else the filter would be lost
    st.button(
        "Leave it out and fit again" if state.model() else "Leave it out", icon=":material/backspace:",
        key="leave-out", disabled=not there, on_click=_start,
        args=(dataset.key, there, before.model_copy(update={"strip_pages": strip})),
        help="Reads the same files again without these pages, and trains with the settings of this model. "
        "They can still be the outcome." if there else
        ("Leave it out of the data set that this one was made of." if card.filtered else sources.GONE),
    )  # fmt: skip


def _start(dataset: str, names: tuple[str, ...], settings: IngestSettings) -> None:
    run = state.model()
    if run is None:
        start_preparing(names, settings)
        return
    order = label_jobs.may_ask(label_decisions.load(state.store()))
    try:
        request = RefitRequest(
            paths=tuple(sources.paths(names)), ingest=settings, label=order.settings, asked=order.asked,
            train=run.settings,
        )  # fmt: skip
    except InputError as error:
        job_panel.fail(_TASK, error)
        return
    limits = job_panel.file_limits(PREPARE_WALL_S)
    job_panel.start(_TASK, request, dataset, limits, environment=order.environment, child=jobs.ENGINES)

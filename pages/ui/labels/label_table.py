"""The tables of templates and pages with their labels, corrected in place, and who may decide on labels.

The tables are made once for each state of the labels.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final

import pandas as pd
import streamlit as st

from core.base.schema import NO_THEME, UNKNOWN, PageLabels, Pages, View
from core.labels import review
from core.labels.label_settings import LabelMode, LabelSettings, Override, Taxonomy
from core.labels.label_types import Rung
from core.labels.review import EVIDENCE, SEVERAL, Review, decided_by
from core.saved import label_decisions
from core.storage.dataset import Dataset
from core.storage.page_labels import LabelledPages
from pages.ui.chat import connection
from pages.ui.data.catalog import latest_labels
from pages.ui.labels import label_jobs
from pages.ui.shell import errors, state
from pages.ui.shell.links import SETTINGS, link
from pages.ui.shell.shared_cache import cached
from pages.ui.shell.text import md_text

RUNG_WORDS: Final = {
    Rung.FROZEN: "The training",
    Rung.OVERRIDE: "You",
    Rung.EVENTS: "GA4 events",
    Rung.MARKUP: "Page markup",
    Rung.RULES: "Rules",
    Rung.STRUCTURE: "Site structure",
    Rung.EMBEDDING: "Sentence embedding",
    Rung.NLI: "Entailment model",
    Rung.LLM: "Language model",
}
_MAX_ROWS: Final = 2_000
_SHOWN: Final = "shown"
COLUMN: Final = {PageLabels.THEME: View.THEME, PageLabels.TYPE: View.TYPE}


def words(rung: object) -> str:
    """What decided a label, in words; a text that is no rung as it is, ``Unknown`` if empty."""
    return RUNG_WORDS[Rung(str(rung))] if rung in set(Rung) else str(rung or UNKNOWN)


def templates(table: pd.DataFrame, settings: LabelSettings, key: str, *, up_to_date: bool) -> None:
    """Draw the table of templates; a change of theme or type becomes a correction of the template.

    Args:
        table: Result of :func:`by_template`; the first :data:`_MAX_ROWS` rows are drawn.
        settings: With the taxonomy and the corrections.
        key: Key of the widget.
        up_to_date: Whether the labels hold all corrections; if not, these are drawn in their place.
    """
    shown = table.head(_MAX_ROWS)
    told = [PageLabels.TEMPLATE, PageLabels.TYPE, PageLabels.THEME, Review.PAGE_VIEWS, Review.TITLES]
    frame = shown[told].assign(decided=_decided(shown), evidence=_evidence(shown))
    frame[Review.PAGES] = shown[Review.PAGES]
    if not up_to_date:
        frame = _corrected(frame, PageLabels.TEMPLATE, settings)
    _editor(frame, PageLabels.TEMPLATE, settings.taxonomy, key, several=True)
    if len(table) > _MAX_ROWS:
        st.caption(f"The first {_MAX_ROWS:,} of {len(table):,} templates.")


def pages(
    labels: pd.DataFrame, table: pd.DataFrame, settings: LabelSettings, key: str, *, up_to_date: bool
) -> None:
    """Draw the table of pages with a search; a change becomes a correction of that page alone.

    Args:
        labels: Table of the labels, a row a page.
        table: The pages of the data set, in the same order; the first :data:`_MAX_ROWS` found are drawn.
        settings: With the taxonomy and the corrections.
        key: Key of the widget.
        up_to_date: Whether the labels hold all corrections; if not, these are drawn in their place.
    """
    wanted = st.text_input("Find pages", key="find-pages", placeholder="Part of a path or title")
    frame = pd.DataFrame(
        {
            Pages.PAGE_LOCATION: table[Pages.PAGE_LOCATION],
            PageLabels.TYPE: labels[PageLabels.TYPE],
            PageLabels.THEME: labels[PageLabels.THEME],
            Review.PAGE_VIEWS: table[Pages.VIEWS],
            Review.TITLES: table[Pages.PAGE_TITLE],
            "decided": _decided(labels),
            "evidence": _evidence(labels),
        }
    )
    if wanted:
        texts = frame[Pages.PAGE_LOCATION] + " " + frame[Review.TITLES].fillna("")
        frame = frame[texts.str.contains(wanted, case=False, regex=False)]
    if len(frame) > _MAX_ROWS:
        st.caption(f"The {_MAX_ROWS:,} most viewed of {len(frame):,} pages; search for the others.")
    shown = frame.head(_MAX_ROWS).reset_index(drop=True)
    if not up_to_date:
        shown = _corrected(shown, Pages.PAGE_LOCATION, settings)
    _editor(shown, Pages.PAGE_LOCATION, settings.taxonomy, f"{key}-{wanted}", several=False)


def _corrected(frame: pd.DataFrame, target: str, settings: LabelSettings) -> pd.DataFrame:
    """The table with corrections applied at once, while labels are being decided anew."""
    values = {(one.view, one.target): one.value for one in settings.overrides}
    now = {
        column: [
            values.get((view, of), value) for of, value in zip(frame[target], frame[column], strict=True)
        ]
        for column, view in COLUMN.items()
    }
    return frame.assign(**now)


def _editor(frame: pd.DataFrame, target: str, taxonomy: Taxonomy, key: str, *, several: bool) -> None:
    shown = frame.assign(**{_SHOWN: _short(frame[target])})
    st.data_editor(
        shown[[_SHOWN, *frame.columns]],
        hide_index=True,
        key=key,
        disabled=[str(name) for name in shown.columns if name not in COLUMN],
        column_config=_columns(target, taxonomy, several=several),
        on_change=_edited,
        args=(key, frame[[target, *COLUMN]], target),
        placeholder="–",
        height=min(560, 38 + 35 * max(1, len(frame))),
    )


def _edited(key: str, frame: pd.DataFrame, target: str) -> None:
    """Turn edits of a table into corrections (a callback).

    A busy server may be told of one edit twice; then the correction is in force and its job is joined.
    """
    changes: dict[int, dict[str, Any]] = st.session_state[key]["edited_rows"]
    with errors.shown():
        label_decisions.correct(
            state.store(),
            [
                Override.checked(view=COLUMN[name], target=str(frame[target].iloc[int(row)]), value=value)
                for row, cells in changes.items()
                for name, value in cells.items()
                if value and value != SEVERAL
            ],
        )
        data = state.dataset()
        if data is not None:
            label_jobs.start(data.key, label_decisions.load(state.store(), data))


def _columns(target: str, taxonomy: Taxonomy, *, several: bool) -> dict[str, Any]:
    more = [SEVERAL] if several else []
    types = [*(one.name for one in taxonomy.types), UNKNOWN, *more]
    themes = [*(one.name for one in taxonomy.themes), NO_THEME, UNKNOWN, *more]
    return {
        target: None,
        _SHOWN: st.column_config.TextColumn("Pages like" if several else "Page", width=180),
        Review.TITLES: st.column_config.TextColumn(
            "Title" if not several else "Titles, for example", width=230
        ),
        PageLabels.TYPE: st.column_config.SelectboxColumn("Type", options=types, required=True, width=130),
        PageLabels.THEME: st.column_config.SelectboxColumn("Theme", options=themes, required=True, width=140),
        Review.PAGE_VIEWS: st.column_config.NumberColumn("Page views", format="localized", width=90),
        Review.PAGES: st.column_config.NumberColumn("Pages", format="localized", width=60),
        "decided": st.column_config.TextColumn("Decided by (type · theme)", width=190),
        "evidence": st.column_config.TextColumn("Why (type · theme)", width=420),
    }


def _decided(table: pd.DataFrame) -> list[str]:
    pairs = zip(decided_by(table, View.TYPE), decided_by(table, View.THEME), strict=True)
    return [f"{_one(of_type)} · {_one(of_theme)}" for of_type, of_theme in pairs]


def _one(rung: object) -> str:
    return "nobody" if pd.isna(rung) else words(rung)  # type: ignore[call-overload] # a text or nothing


def _evidence(table: pd.DataFrame) -> list[str]:
    pairs = zip(table[EVIDENCE[View.TYPE]], table[EVIDENCE[View.THEME]], strict=True)
    return [" · ".join(text for text in pair if isinstance(text, str) and text) for pair in pairs]


def _short(addresses: pd.Series) -> pd.Series:
    """Addresses without their host, if all have the same."""
    hosts = addresses.str.extract(r"^(\w+://[^/]*)/", expand=False)
    if hosts.isna().any() or hosts.nunique() != 1:
        return addresses
    return addresses.str.slice(len(hosts.iloc[0]))


_MODES: Final = {
    LabelMode.OFF: "Off",
    LabelMode.RULES: "Events and rules",
    LabelMode.AUTO: "+ sentence embedding",
    LabelMode.NLI: "+ entailment model",
    LabelMode.LLM: "+ language model",
}
_MEANING: Final = {
    LabelMode.OFF: "Pages get no labels.",
    LabelMode.RULES: "Your corrections, the GA4 events that fire on a page, what fetched pages say of "
    "themselves, and rules on addresses and titles. Instant, and silent where it is not sure.",
    LabelMode.AUTO: "Then a small sentence embedding (MiniLM, on this machine) compares titles with the "
    "descriptions of your themes.",
    LabelMode.NLI: "Then an entailment model decides what is left. Its weights must be on this machine or "
    "be downloaded; minutes for thousands of pages.",
    LabelMode.LLM: "Then a language model is asked about what is left: titles and paths are sent to the "
    "server of your settings.",
}


def cascade_form(dataset: Dataset, settings: LabelSettings) -> bool:
    """Draw the choice of who may decide on labels; True when the settings were changed just now."""
    mode = st.segmented_control(
        "Who may decide", list(_MODES), default=settings.mode, required=True, key="label-mode",
        format_func=lambda mode: _MODES[mode],
    )  # fmt: skip
    mode = LabelMode(mode or settings.mode)
    st.caption(_MEANING[mode])
    model = settings.nli_model
    if mode is LabelMode.NLI:
        model = st.text_input("Folder or hub id of the model", settings.nli_model, key="nli-model")
    if mode is LabelMode.LLM:
        _cost(dataset, settings)
    with errors.shown():
        different = (mode, model) != (settings.mode, settings.nli_model)
        if st.button("Use this", key="save-cascade", disabled=not different, icon=":material/check:"):
            label_decisions.change(state.store(), mode=mode, nli_model=model)
            return True
    return False


def _cost(dataset: Dataset, settings: LabelSettings) -> None:
    """Draw what would be sent, how much and to whom, before anything is sent."""
    labels = latest_labels(state.store(), dataset.key)
    if labels is None:
        st.caption("Label the pages first: then it can be said what is left to ask.")
        return
    asked = label_jobs.estimate(dataset, settings, labels)
    st.markdown(label_jobs.size(asked))
    named = connection.usable()
    if named is None:
        st.caption("No model is connected, so nobody would be asked.")
        link(SETTINGS, "Connect one")
        return
    server, price = named.settings, label_jobs.price(named.settings.model, asked)
    st.caption(
        f"To {md_text(server.host)}, model {md_text(server.model)}. Price: {price}. Before "
        "anything is sent, you are shown the words and asked."
    )


# tables are kept of six states, across data sets and sessions; each caller gets its own
_a_state = partial(cached, lambda labels, _: labels.key, max_entries=6, cache=st.cache_data)


@_a_state()
def theme_shares(labels: LabelledPages, pages: pd.DataFrame) -> dict[str, float]:
    """Theme → its share of the page views (:func:`core.labels.review.shares`), cached by the labels."""
    return review.shares(labels.table, pages, View.THEME)


@_a_state(show_spinner="Putting the pages together")
def by_template(labels: LabelledPages, pages: pd.DataFrame) -> pd.DataFrame:
    """Table of the templates (:func:`core.labels.review.by_template`), cached by the labels."""
    return review.by_template(labels.table, pages)


@_a_state()
def coverage(labels: LabelledPages, pages: pd.DataFrame) -> pd.DataFrame:
    """Table of coverage by rung (:func:`core.labels.review.coverage`), cached by the labels."""
    return review.coverage(labels.table, pages)


@_a_state()
def mosaic(labels: LabelledPages, pages: pd.DataFrame) -> pd.DataFrame:
    """Table of the mosaic (:func:`core.labels.review.mosaic`), cached by the labels."""
    return review.mosaic(labels.table, pages)

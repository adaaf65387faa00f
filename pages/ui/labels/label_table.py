"""The table of path templates: looked over from the top, corrected in place."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd
import streamlit as st

from core.base.schema import PageLabels, Pages, View
from core.desk import label_book
from core.labels.label_settings import NO_THEME, UNKNOWN, LabelSettings, Override, Taxonomy
from core.labels.label_types import Rung
from core.labels.review import EVIDENCE, SEVERAL, Review, decided_by
from pages.ui.labels import label_jobs
from pages.ui.shell import errors, state

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
MOST_ROWS: Final = 2_000
SHOWN: Final = "shown"
COLUMN: Final = {PageLabels.THEME: View.THEME, PageLabels.TYPE: View.TYPE}


def words(rung: object) -> str:
    """Who decided, in words."""
    return RUNG_WORDS[Rung(str(rung))] if rung in set(Rung) else str(rung or UNKNOWN)


def templates(table: pd.DataFrame, settings: LabelSettings, key: str, *, up_to_date: bool) -> None:
    """One row a template; a change of theme or type becomes a correction of the template."""
    shown = table.head(MOST_ROWS)
    told = [PageLabels.TEMPLATE, PageLabels.TYPE, PageLabels.THEME, Review.PAGE_VIEWS, Review.TITLES]
    frame = shown[told].assign(decided=_decided(shown), evidence=_evidence(shown))
    frame[Review.PAGES] = shown[Review.PAGES]
    if not up_to_date:
        frame = _corrected(frame, PageLabels.TEMPLATE, settings)
    _editor(frame, PageLabels.TEMPLATE, settings.taxonomy, key, several=True)
    if len(table) > MOST_ROWS:
        st.caption(f"The first {MOST_ROWS:,} of {len(table):,} templates.")


def pages(
    labels: pd.DataFrame, table: pd.DataFrame, settings: LabelSettings, key: str, *, up_to_date: bool
) -> None:
    """One row a page; a change becomes a correction of that page alone."""
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
    if len(frame) > MOST_ROWS:
        st.caption(f"The {MOST_ROWS:,} most viewed of {len(frame):,} pages; search for the others.")
    shown = frame.head(MOST_ROWS).reset_index(drop=True)
    if not up_to_date:
        shown = _corrected(shown, Pages.PAGE_LOCATION, settings)
    _editor(shown, Pages.PAGE_LOCATION, settings.taxonomy, f"{key}-{wanted}", several=False)


def _corrected(frame: pd.DataFrame, target: str, settings: LabelSettings) -> pd.DataFrame:
    """Show a correction as soon as it is made, while the labels are being decided anew."""
    values = {(one.view, one.target): one.value for one in settings.overrides}
    now = {
        column: [
            values.get((view, of), value) for of, value in zip(frame[target], frame[column], strict=True)
        ]
        for column, view in COLUMN.items()
    }
    return frame.assign(**now)


def _editor(frame: pd.DataFrame, target: str, taxonomy: Taxonomy, key: str, *, several: bool) -> None:
    shown = frame.assign(**{SHOWN: _short(frame[target])})
    st.data_editor(
        shown[[SHOWN, *frame.columns]],
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
    """Turn what was just edited into corrections (a callback).

    A busy server may be told of one edit twice; then the correction is in force and its job is joined.
    """
    changes: dict[int, dict[str, Any]] = st.session_state[key]["edited_rows"]
    with errors.shown():
        label_book.correct(
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
            label_jobs.start(data.key, label_book.load(state.store(), data))


def _columns(target: str, taxonomy: Taxonomy, *, several: bool) -> dict[str, Any]:
    more = [SEVERAL] if several else []
    types = [*(one.name for one in taxonomy.types), UNKNOWN, *more]
    themes = [*(one.name for one in taxonomy.themes), NO_THEME, UNKNOWN, *more]
    return {
        target: None,
        SHOWN: st.column_config.TextColumn("Pages like" if several else "Page", width=180),
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
    """Paths alone, where all addresses are of one host."""
    hosts = addresses.str.extract(r"^(\w+://[^/]*)/", expand=False)
    if hosts.isna().any() or hosts.nunique() != 1:
        return addresses
    return addresses.str.slice(len(hosts.iloc[0]))

"""The taxonomy as two editable tables, with import and export."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd
import streamlit as st

from core.base.errors import Beha2VecError
from core.base.schema import View
from core.data.dataset import Dataset
from core.desk import label_book
from core.labels.label_settings import LabelClass, LabelSettings, Taxonomy, default_taxonomy
from core.labels.label_yaml import (
    corrections_from_yaml,
    corrections_to_yaml,
    taxonomy_from_yaml,
    taxonomy_to_yaml,
)
from core.labels.override_classifier import check
from core.labels.sections import site_sections
from pages.ui.data.catalog import latest_labels
from pages.ui.shell import errors, state
from pages.ui.shell.text import md_text, share

NAME, FUNCTIONAL = "Name", "No theme"
DESCRIPTIONS: Final = ("This page is about …", "or about …", "or …")
NOUNS: Final = {View.THEME: "Themes", View.TYPE: "Types"}
CORRECTIONS: Final = re.compile(
    rb"""\A(?:\xef\xbb\xbf)?(?:\s*(?:\#[^\n]*|---)\n)*\s*\{?\s*["']?corrections["']?\s*:"""
)
"""How a file of corrections begins, as YAML or as JSON; a taxonomy begins with another name."""
VERSION: Final = "taxonomy_version"
"""Raised after each save, so that the tables start from what was saved."""
DRAFT: Final = "taxonomy_draft"
"""A :class:`Draft`, until it is saved."""


@dataclass(frozen=True, eq=False)
class Draft:
    """The site's sections among the themes, not saved yet.

    Args:
        dataset: Key of the data whose sections they are.
        themes: The table with them in it.
        said: What was added.
    """

    dataset: str
    themes: pd.DataFrame
    said: str


def taxonomy_form(settings: LabelSettings, dataset: Dataset) -> bool:
    """Draw the tables and the files.

    Args:
        settings: As they are now.
        dataset: Whose sections can be taken for themes.

    Returns:
        Whether the settings were changed just now.
    """
    st.caption(
        "Names, and up to three short descriptions that complete “This page is about …”. A changed name or "
        "description asks the models anew about every page that they decide: a page is compared with all "
        "themes, or all types, at once. Corrections, events and rules stay as they are."
    )
    version, draft = st.session_state.get(VERSION, 0), _draft(dataset)
    themes, types = st.tabs(list(NOUNS.values()))
    with themes:
        edited_themes = _table(settings.taxonomy, View.THEME, version, draft)
        _suggest(edited_themes, settings.taxonomy, dataset, draft)
    with types:
        st.caption("Pages of a type marked “No theme” serve a function: a cart is about nothing.")
        edited_types = _table(settings.taxonomy, View.TYPE, version, None)
    wanted = settings.taxonomy
    with errors.shown():
        wanted = Taxonomy.checked(themes=_classes(edited_themes), types=_classes(edited_types))
    with st.container(horizontal=True, key="taxonomy-actions"):
        return _actions(settings, wanted)


def _draft(dataset: Dataset) -> Draft | None:
    draft: Draft | None = st.session_state.get(DRAFT)
    return draft if draft is not None and draft.dataset == dataset.key else None


def _suggest(edited: pd.DataFrame, taxonomy: Taxonomy, dataset: Dataset, draft: Draft | None) -> None:
    """Offer the parts of the site that are seen most as themes: they are put into the table, not saved."""
    if st.button(
        "Add the sections of this site", icon=":material/account_tree:", key="suggest-themes",
        help="The folders in its addresses that are seen most, as themes to begin with.",
    ):  # fmt: skip
        _add_sections(edited, taxonomy, dataset)
    if draft is not None:
        st.caption(draft.said)
        st.button(
            "Discard what is not saved", icon=":material/undo:", key="drop-sections", type="tertiary",
            on_click=_start_over,
        )  # fmt: skip


def _add_sections(edited: pd.DataFrame, taxonomy: Taxonomy, dataset: Dataset) -> None:
    """Put them below the themes and start again, or say that there are none."""
    labels = latest_labels(state.store(), dataset.key)
    taken = [*(_text(name) for name in edited[NAME]), *(one.name for one in taxonomy.types)]
    found = site_sections(dataset.pages, None if labels is None else labels.table, taken)
    if not found:
        st.toast("The addresses of this site have no further sections that are seen much.")
        return
    rows = pd.DataFrame([[one.name, one.name.lower(), "", ""] for one in found], columns=edited.columns)
    told = ", ".join(f"{md_text(one.name, 60)} ({share(one.share, 1)})" for one in found)
    said = (
        f"Added at the end, with their share of the page views: {told}. Delete what is no theme, describe "
        "the others, and save."
    )
    st.session_state[DRAFT] = Draft(dataset.key, pd.concat([edited, rows], ignore_index=True), said)
    st.rerun()


def files_form(settings: LabelSettings) -> bool:
    """Export taxonomy and corrections, or import them; True when something was imported."""
    with st.container(horizontal=True, key="label-files"):
        _download("Export themes and types", "taxonomy.yaml", taxonomy_to_yaml(settings.taxonomy))
        _download("Export corrections", "corrections.yaml", corrections_to_yaml(settings.overrides))
    brought = st.file_uploader(
        "Import a taxonomy.yaml or corrections.yaml",
        type=["yaml", "yml"],
        key="label-file",
        max_upload_size=2,
    )
    if brought is None or st.session_state.get("label-file-seen") == brought.file_id:
        return False
    st.session_state["label-file-seen"] = brought.file_id
    try:
        _bring(brought.getvalue(), brought.name)
    except Beha2VecError as error:
        errors.show(error)
        return False
    return True


def _bring(content: bytes, name: str) -> None:
    """Tell the two kinds of file apart by what they hold.

    Raises:
        InputError: If it is neither.
        SettingsError: If a correction has a label that the taxonomy lacks.
    """
    if CORRECTIONS.match(content):
        corrections = corrections_from_yaml(content, name)
        taxonomy = label_book.load(state.store()).taxonomy
        for correction in corrections:
            check(correction, taxonomy)
        label_book.correct(state.store(), corrections)
    else:
        label_book.change(state.store(), taxonomy=taxonomy_from_yaml(content, name))
        _start_over()


def _download(label: str, name: str, text: str) -> None:
    st.download_button(
        label,
        text,
        name,
        "application/yaml",
        icon=":material/download:",
        on_click="ignore",
        key=f"get-{name}",
    )


def _actions(settings: LabelSettings, wanted: Taxonomy) -> bool:
    save = st.button(
        "Save and label again", type="primary", icon=":material/check:", key="save-taxonomy",
        disabled=wanted == settings.taxonomy,
    )  # fmt: skip
    reset = st.button(
        "Back to the default", icon=":material/restart_alt:", key="reset-taxonomy",
        disabled=settings.taxonomy == default_taxonomy(),
    )  # fmt: skip
    if save or reset:
        label_book.change(state.store(), taxonomy=default_taxonomy() if reset else wanted)
        _start_over()
    return save or reset


def _start_over() -> None:
    st.session_state[VERSION] = st.session_state.get(VERSION, 0) + 1
    st.session_state.pop(DRAFT, None)


def _table(taxonomy: Taxonomy, view: View, version: int, draft: Draft | None) -> pd.DataFrame:
    rows = [
        [one.name, *one.descriptions, *[""] * (len(DESCRIPTIONS) - len(one.descriptions)), one.functional]
        for one in taxonomy.classes(view)
    ]
    columns = [NAME, *DESCRIPTIONS, FUNCTIONAL]
    frame = pd.DataFrame(rows, columns=columns)
    if view is View.THEME:
        frame = frame.drop(columns=FUNCTIONAL) if draft is None else draft.themes
    key = f"taxonomy-{view}-{version}-{len(frame)}"  # with rows from elsewhere it starts afresh
    texts: dict[str, Any] = {name: st.column_config.TextColumn(name, max_chars=200) for name in DESCRIPTIONS}
    edited: pd.DataFrame = st.data_editor(
        frame, num_rows="dynamic", hide_index=True, key=key,
        column_config={NAME: st.column_config.TextColumn(NAME, required=True, max_chars=60), **texts},
    )  # fmt: skip
    return edited


def _classes(edited: pd.DataFrame) -> tuple[LabelClass, ...]:
    made = []
    for row in edited.to_dict("records"):
        name = _text(row[NAME])
        told = tuple(text for text in (_text(row[column]) for column in DESCRIPTIONS) if text)
        if name or told:
            made.append(
                LabelClass.checked(name=name, descriptions=told, functional=row.get(FUNCTIONAL) is True)
            )
    return tuple(made)


def _text(cell: object) -> str:
    return " ".join(cell.split()) if isinstance(cell, str) else ""

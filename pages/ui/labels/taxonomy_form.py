"""The taxonomy as two editable tables, with import and export."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import pandas as pd
import streamlit as st

from core.base.errors import Beha2VecError
from core.base.schema import View
from core.labels.label_settings import (
    NAME_CHARACTERS,
    LabelClass,
    LabelSettings,
    Taxonomy,
    ThemeSource,
    default_taxonomy,
)
from core.labels.label_yaml import (
    corrections_from_yaml,
    corrections_to_yaml,
    taxonomy_from_yaml,
    taxonomy_to_yaml,
)
from core.labels.override_classifier import check
from core.labels.theme_choice import merged
from core.saved import label_decisions
from core.storage.dataset import Dataset
from pages.ui.shell import errors, state

NAME, _FUNCTIONAL = "Name", "No theme"
SHARE, _FOLDERS, _WORDS = "Page views", "Folders", "Words"
_TOLD: Final = [SHARE, _FOLDERS, _WORDS]
"""Columns of the table of themes that types do not have."""
_SEPARATED: Final = "Separated by commas; small letters, without accents."
DESCRIPTIONS: Final = ("This page is about …", "or about …", "or …")
_NOUNS: Final = {View.THEME: "Themes", View.TYPE: "Types"}
_CORRECTIONS: Final = re.compile(
    rb"""\A(?:\xef\xbb\xbf)?(?:\s*(?:\#[^\n]*|---)\n)*\s*\{?\s*["']?corrections["']?\s*:"""
)
"""Pattern of the beginning of a file of corrections, as YAML or JSON; a taxonomy begins otherwise."""
_VERSION: Final = "taxonomy_version"
"""Session key of a counter, raised after each save so that the tables start from what was saved."""
_MERGED: Final = "merged-themes"
"""Session key of the themes to be merged when they are saved."""


def taxonomy_form(settings: LabelSettings, dataset: Dataset, shares: Mapping[str, float]) -> bool:
    """Draw the tables of themes and types.

    Args:
        settings: With the taxonomy in use.
        dataset: Its site gets what is saved.
        shares: Theme → its share of the page views.

    Returns:
        Whether the settings were changed just now.
    """
    st.caption(
        "A page has a theme by its folders (parts of the address), else by its words (of title and address): "
        "the first theme in the list that has one. Descriptions complete “This page is about …” and are what "
        "models compare a page with; a changed name or description asks them anew. Rename a theme in the "
        "table, delete its row to drop it. Saved for this site; corrections stay as they are."
    )
    version = st.session_state.get(_VERSION, 0)
    themes, types = st.tabs(list(_NOUNS.values()))
    with themes:
        edited_themes = _table(settings.taxonomy, View.THEME, version, shares)
        into = _merge(settings.taxonomy)
    with types:
        st.caption("Pages of a type marked “No theme” serve a function: a cart is about nothing.")
        edited_types = _table(settings.taxonomy, View.TYPE, version, {})
    wanted = settings.taxonomy
    with errors.shown():
        made = merged(_named(_classes(edited_themes), into))
        wanted = Taxonomy.checked(themes=made, types=_classes(edited_types))
    with st.container(horizontal=True, key="taxonomy-actions"):
        return _actions(settings, wanted, dataset)


def _merge(taxonomy: Taxonomy) -> Mapping[str, str]:
    """Draw the fields to merge themes: name of a theme → name that it becomes."""
    which, name = st.columns([3, 2])
    chosen = which.multiselect(
        "Merge themes", [one.name for one in taxonomy.themes], key=_MERGED, placeholder="Two or more",
        select_all=False,
        help="They become one theme, with the folders and words of all of them, when you save.",
    )  # fmt: skip
    called = name.text_input(
        "into one called", key="merged-name", max_chars=NAME_CHARACTERS,
        placeholder=chosen[0] if chosen else "",
    )  # fmt: skip
    return dict.fromkeys(chosen, called.strip() or chosen[0]) if len(chosen) > 1 else {}


def _named(themes: Sequence[LabelClass], into: Mapping[str, str]) -> list[LabelClass]:
    return [one.model_copy(update={"name": into.get(one.name, one.name)}) for one in themes]


def files_form(settings: LabelSettings, dataset: Dataset) -> bool:
    """Export the taxonomy in use and the corrections, or import them; True when something was imported."""
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
        _bring(brought.getvalue(), brought.name, settings.taxonomy, dataset)
    except Beha2VecError as error:
        errors.show(error)
        return False
    return True


def _bring(content: bytes, name: str, taxonomy: Taxonomy, dataset: Dataset) -> None:
    """Import a file, of corrections or of a taxonomy by its content.

    Raises:
        InputError: If it is neither.
        SettingsError: If a correction has a label that the taxonomy lacks.
    """
    if _CORRECTIONS.match(content):
        corrections = corrections_from_yaml(content, name)
        for correction in corrections:
            check(correction, taxonomy)
        label_decisions.correct(state.store(), corrections)
    else:
        brought = taxonomy_from_yaml(content, name)
        label_decisions.choose(state.store(), dataset, brought, ThemeSource.TAXONOMY)
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


def _actions(settings: LabelSettings, wanted: Taxonomy, dataset: Dataset) -> bool:
    save = st.button(
        "Save and label again", type="primary", icon=":material/check:", key="save-taxonomy",
        disabled=wanted == settings.taxonomy,
    )  # fmt: skip
    reset = st.button(
        "Back to the shop themes", icon=":material/restart_alt:", key="reset-taxonomy",
        disabled=settings.taxonomy == default_taxonomy(),
    )  # fmt: skip
    if save or reset:
        chosen = default_taxonomy() if reset else wanted
        label_decisions.choose(state.store(), dataset, chosen, ThemeSource.TAXONOMY)
        _start_over()
    return save or reset


def _start_over() -> None:
    st.session_state[_VERSION] = st.session_state.get(_VERSION, 0) + 1
    st.session_state.pop(_MERGED, None)


def _table(taxonomy: Taxonomy, view: View, version: int, shares: Mapping[str, float]) -> pd.DataFrame:
    rows = [
        [
            one.name, shares.get(one.name, 0.0), ", ".join(one.folders), ", ".join(one.words),
            *one.descriptions, *[""] * (len(DESCRIPTIONS) - len(one.descriptions)), one.functional,
        ]
        for one in taxonomy.classes(view)
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=[NAME, *_TOLD, *DESCRIPTIONS, _FUNCTIONAL])
    frame = frame.drop(columns=_FUNCTIONAL if view is View.THEME else _TOLD)
    texts: dict[str, Any] = {name: st.column_config.TextColumn(name, max_chars=200) for name in DESCRIPTIONS}
    texts |= {name: st.column_config.TextColumn(name, help=_SEPARATED) for name in (_FOLDERS, _WORDS)}
    edited: pd.DataFrame = st.data_editor(
        frame, num_rows="dynamic", hide_index=True, key=f"taxonomy-{view}-{version}", disabled=[SHARE],
        column_config={
            NAME: st.column_config.TextColumn(NAME, required=True, max_chars=NAME_CHARACTERS),
            SHARE: st.column_config.NumberColumn(SHARE, format="percent", width="small"),
            **texts,
        },
    )  # fmt: skip
    return edited


def _classes(edited: pd.DataFrame) -> tuple[LabelClass, ...]:
    made = []
    for row in edited.to_dict("records"):
        name = _text(row[NAME])
        told = tuple(text for text in (_text(row[column]) for column in DESCRIPTIONS) if text)
        folders, words = (_parts(row.get(column)) for column in (_FOLDERS, _WORDS))
        if name or told:
            made.append(
                LabelClass.checked(
                    name=name, descriptions=told, functional=row.get(_FUNCTIONAL) is True,
                    folders=folders, words=words,
                )
            )  # fmt: skip
    return tuple(made)


def _parts(cell: object) -> tuple[str, ...]:
    return tuple(part for part in map(str.strip, _text(cell).split(",")) if part)


def _text(cell: object) -> str:
    return " ".join(cell.split()) if isinstance(cell, str) else ""

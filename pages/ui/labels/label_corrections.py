"""All corrections, to be looked through and deleted; those whose label is gone come first."""

from __future__ import annotations

from typing import Final

import pandas as pd
import streamlit as st

from core.base.schema import View
from core.labels.label_settings import LabelSettings, Override, Taxonomy
from core.labels.override_classifier import names
from pages.ui.labels import label_jobs
from pages.ui.shell.text import count

KIND: Final = {View.TYPE: "Type", View.THEME: "Theme"}
IN_FORCE, STALE = "In force", "Does nothing: no such label"
TALLEST_PX: Final = 420


def stale(settings: LabelSettings) -> list[Override]:
    """Corrections to a label that the taxonomy no longer has; they do nothing."""
    return [one for one in settings.overrides if one.value not in names(settings.taxonomy, one.view)]


def corrections(settings: LabelSettings, dataset: str) -> None:
    """Draw the list, with a way to delete any of them."""
    if not settings.overrides:
        st.caption("None yet. Change a type or a theme in the table above, or import a file of corrections.")
        return
    gone = stale(settings)
    listed = [*gone, *(one for one in reversed(settings.overrides) if one not in gone)]
    st.caption("The latest first. Tick those that you want to delete; Undo brings them back.")
    chosen = st.dataframe(
        _table(listed, settings.taxonomy),
        key="corrections",
        hide_index=True,
        on_select="rerun",
        selection_mode="multi-row",
        height=min(TALLEST_PX, 38 + 35 * len(listed)),
        column_config={"Page or pages like": st.column_config.TextColumn(width="large")},
    )
    wanted = [(listed[row].view, listed[row].target) for row in chosen.selection.rows if row < len(listed)]
    with st.container(horizontal=True, key="correction-actions"):
        st.button(
            f"Delete {count(len(wanted), 'correction')}" if wanted else "Delete", icon=":material/delete:",
            key="delete-corrections", disabled=not wanted, on_click=label_jobs.remove, args=(dataset, wanted),
        )  # fmt: skip
        if gone:
            st.button(
                f"Delete {count(len(gone), 'that does', 'that do')} nothing", icon=":material/delete_sweep:",
                key="delete-stale", on_click=label_jobs.remove,
                args=(dataset, [(one.view, one.target) for one in gone]),
            )  # fmt: skip


def _table(listed: list[Override], taxonomy: Taxonomy) -> pd.DataFrame:
    known = {view: set(names(taxonomy, view)) for view in KIND}
    rows = [
        (one.value, KIND[one.view], one.target, IN_FORCE if one.value in known[one.view] else STALE)
        for one in listed
    ]
    return pd.DataFrame(rows, columns=["Your label", "Of", "Page or pages like", "State"])

"""All corrections of labels, with a way to delete them, and the offer of the site's own themes.

Corrections whose label is gone come first. The site's themes can be used, edited, or declined for the shop
themes that come with the tool.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pandas as pd
import streamlit as st

from core.base.schema import View
from core.labels.label_settings import LabelSettings, Override, Taxonomy, ThemeSource, default_taxonomy
from core.labels.override_classifier import names
from core.labels.theme_choice import NONE_FOUND, MinedTheme, ThemeChoice
from core.saved import label_decisions
from core.storage.dataset import Dataset
from pages.ui.labels import label_jobs
from pages.ui.shell import errors, state
from pages.ui.shell.text import count, md_text, share

KIND: Final = {View.TYPE: "Type", View.THEME: "Theme"}
IN_FORCE, STALE = "In force", "Does nothing: no such label"
_TALLEST_PX: Final = 420


def stale(settings: LabelSettings) -> list[Override]:
    """Corrections without effect: their label is no longer in the taxonomy."""
    return [one for one in settings.overrides if one.value not in names(settings.taxonomy, one.view)]


def corrections(settings: LabelSettings, dataset: str) -> None:
    """Draw the list of corrections, and a way to delete any and label the data set (a content key) again."""
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
        height=min(_TALLEST_PX, 38 + 35 * len(listed)),
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


_HOW: Final = (
    "Folders of the addresses and words of the titles, chosen so that people who look at a page of one go on "
    "to another of the same. A page has the first theme in the list of which it has a folder, else a word."
)
_USED: Final = (
    "They are in use, as they say better than the shop themes which pages people look at together. Another "
    "export of this site may find others: keep these, and it gets the same."
)
_CHOICES: Final = {
    True: ("Keep for later exports", "Use the shop themes"),
    False: ("Use these", "Keep the shop themes"),
}
_SHOP_THEMES: Final = "The shop themes that come with this tool are used"
_NOT_USED: Final = (
    "The shop themes that come with this tool are used: here they say as well which pages people look at "
    "together, or rules give most page views one of them."
)


def offer(dataset: Dataset, settings: LabelSettings, choice: ThemeChoice, unknown: float) -> None:
    """Draw the offer of the site's themes until the analyst has decided.

    Args:
        dataset: The cleaned export.
        settings: As the analyst left them.
        choice: What was found in this export, and what is used.
        unknown: Share of the page views that got no theme.
    """
    if settings.themes is ThemeSource.TAXONOMY or settings.taxonomy != default_taxonomy():
        return
    if not choice.own:
        shop = "None of the shop themes that come with this tool fits" if unknown == 1 else _SHOP_THEMES
        st.caption(f":material/info: {NONE_FOUND}. {shop}.")
        return
    with st.container(border=True, key="own-themes"):
        st.subheader("This site's own themes", help=_HOW)
        st.markdown(_in_words(choice.own))
        st.caption(_USED if choice.mined else _NOT_USED)
        with st.container(horizontal=True, vertical_alignment="center", key="own-themes-actions"):
            keep, other = _CHOICES[choice.mined]
            _choice(keep, ":material/check:", dataset, _mined(choice, settings.taxonomy))
            _choice(other, ":material/storefront:", dataset, default_taxonomy())
            st.caption("Rename, merge or drop them under “Edit the themes and types” below.")


def _in_words(own: Sequence[MinedTheme]) -> str:
    """The themes, the most viewed first, with the share of the page views that each covers."""
    ordered = sorted(own, key=lambda one: (-one.share, one.theme.name))
    told = " · ".join(f"**{md_text(one.theme.name, 60)}** {share(one.share, 1)}" for one in ordered)
    return f"{told}: together {share(sum(one.share for one in own), 1)} of all page views."


def _mined(choice: ThemeChoice, taxonomy: Taxonomy) -> Taxonomy:
    """The taxonomy with its themes replaced by those found in this site (``choice.own``); its types stay."""
    return taxonomy.model_copy(update={"themes": tuple(one.theme for one in choice.own)})


def look_again(dataset: Dataset, settings: LabelSettings) -> None:
    """Draw the button back to the offer, for a site whose themes were decided."""
    if settings.themes is ThemeSource.TAXONOMY or settings.taxonomy != default_taxonomy():
        st.button(
            "Look for this site's own themes", icon=":material/travel_explore:", key="mine-themes", help=_HOW,
            on_click=_choose, args=(dataset, default_taxonomy(), ThemeSource.MINED),
        )  # fmt: skip


def _choice(label: str, icon: str, dataset: Dataset, taxonomy: Taxonomy) -> None:
    key = "own-themes-no" if taxonomy == default_taxonomy() else "own-themes-yes"
    st.button(label, icon=icon, key=key, on_click=_choose, args=(dataset, taxonomy, ThemeSource.TAXONOMY))


def _choose(dataset: Dataset, taxonomy: Taxonomy, themes: ThemeSource) -> None:
    with errors.shown():
        label_decisions.choose(state.store(), dataset, taxonomy, themes)
        label_jobs.start(dataset.key, label_decisions.load(state.store(), dataset))

"""The site's own themes, offered: use them, edit them, or keep those of a shop that come with the tool."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import streamlit as st

from core.data.dataset import Dataset
from core.desk import label_book
from core.labels.label_settings import LabelSettings, Taxonomy, ThemeSource, default_taxonomy
from core.labels.theme_choice import NONE_FOUND, OwnTheme, ThemeChoice
from pages.ui.labels import label_jobs
from pages.ui.shell import errors, state
from pages.ui.shell.text import md_text, share

HOW: Final = (
    "Folders of the addresses and words of the titles, chosen so that people who look at a page of one go on "
    "to another of the same. A page has the first theme in the list of which it has a folder, else a word."
)
USED: Final = (
    "They are in use, as they say better than the shop themes which pages people look at together. Another "
    "export of this site may find others: keep these, and it gets the same."
)
CHOICES: Final = {
    True: ("Keep for later exports", "Use the shop themes"),
    False: ("Use these", "Keep the shop themes"),
}
SHOP_THEMES: Final = "The shop themes that come with this tool are used"
NOT_USED: Final = (
    "The shop themes that come with this tool are used: here they say as well which pages people look at "
    "together, or rules give most page views one of them."
)


def offer(dataset: Dataset, settings: LabelSettings, choice: ThemeChoice, unknown: float) -> None:
    """Draw the offer until the analyst has decided; afterwards the way back to it.

    Args:
        dataset: The cleaned export.
        settings: As the analyst left them.
        choice: What was found in this export, and what is used.
        unknown: Share of the page views that got no theme.
    """
    if settings.themes is ThemeSource.TAXONOMY or settings.taxonomy != default_taxonomy():
        return
    if not choice.own:
        shop = "None of the shop themes that come with this tool fits" if unknown == 1 else SHOP_THEMES
        st.caption(f":material/info: {NONE_FOUND}. {shop}.")
        return
    with st.container(border=True, key="own-themes"):
        st.subheader("This site's own themes", help=HOW)
        st.markdown(in_words(choice.own))
        st.caption(USED if choice.mined else NOT_USED)
        with st.container(horizontal=True, vertical_alignment="center", key="own-themes-actions"):
            keep, other = CHOICES[choice.mined]
            _choice(keep, ":material/check:", dataset, mined(choice, settings.taxonomy))
            _choice(other, ":material/storefront:", dataset, default_taxonomy())
            st.caption("Rename, merge or drop them under “Edit the themes and types” below.")


def in_words(own: Sequence[OwnTheme]) -> str:
    """The themes, the most viewed first, with the share of the page views that each covers."""
    ordered = sorted(own, key=lambda one: (-one.share, one.theme.name))
    told = " · ".join(f"**{md_text(one.theme.name, 60)}** {share(one.share, 1)}" for one in ordered)
    return f"{told}: together {share(sum(one.share for one in own), 1)} of all page views."


def mined(choice: ThemeChoice, taxonomy: Taxonomy) -> Taxonomy:
    """A taxonomy with the site's own themes."""
    return taxonomy.model_copy(update={"themes": tuple(one.theme for one in choice.own)})


def look_again(dataset: Dataset, settings: LabelSettings) -> None:
    """The way back to the offer, for a site whose themes were decided."""
    if settings.themes is ThemeSource.TAXONOMY or settings.taxonomy != default_taxonomy():
        st.button(
            "Look for this site's own themes", icon=":material/travel_explore:", key="mine-themes", help=HOW,
            on_click=_choose, args=(dataset, default_taxonomy(), ThemeSource.MINED),
        )  # fmt: skip


def _choice(label: str, icon: str, dataset: Dataset, taxonomy: Taxonomy) -> None:
    key = "own-themes-no" if taxonomy == default_taxonomy() else "own-themes-yes"
    st.button(label, icon=icon, key=key, on_click=_choose, args=(dataset, taxonomy, ThemeSource.TAXONOMY))


def _choose(dataset: Dataset, taxonomy: Taxonomy, themes: ThemeSource) -> None:
    with errors.shown():
        label_book.choose(state.store(), dataset, taxonomy, themes)
        label_jobs.start(dataset.key, label_book.load(state.store(), dataset))

"""The pages that a user is likely to view next, and where each suggestion comes from."""

from __future__ import annotations

from functools import partial
from typing import Final

import numpy as np
import pandas as pd
import streamlit as st

from core.profiles.profile_columns import Col
from core.recommend.candidates import Reach, Source
from core.recommend.next_pages import NO_PAGE, NextPage, how_right, why
from pages.ui.segments import following
from pages.ui.segments.figure import figure
from pages.ui.segments.live_segments import LiveSegments
from pages.ui.shell import errors, written_table
from pages.ui.shell.written_table import Columns

SHOWN: Final = 10
WHY: Final = "why"
COLUMNS: Final[Columns] = {
    Col.SCORE: st.column_config.NumberColumn(
        "Probability", format="percent", help="That the next page, of those that may come, is this one."
    ),
    WHY: st.column_config.TextColumn("Why", width="large"),
}


def draw(live: LiveSegments, user: int) -> None:
    """Draw the switch for a user's next pages, and the pages if it is on.

    Args:
        live: The segments.
        user: Index of the user.
    """
    with st.container(border=True, key="what-next"):
        asked = st.toggle(
            "What next?", key="next_pages", persist_state="session",
            help="Pages that this user is likely to view next. The first time takes some seconds, as the "
            "sources are weighed on users that the model never saw.",
        )  # fmt: skip
        if asked:
            with errors.shown():
                _suggested(live, user)


def _suggested(live: LiveSegments, user: int) -> None:
    chosen = st.segmented_control(
        "Pages that may come", list(following.REACHES), default=Reach.NEW.value, key="next_reach",
        format_func=following.REACHES.__getitem__, required=True, persist_state="session",
        help=following.LEFT_OUT,
    )  # fmt: skip
    reach = Reach(chosen)
    made = following.following(live)
    one = np.array([user])
    found = made.suggest(following.seen_pages(live).some(one), live.combined.vectors[one], SHOWN, reach)
    pages = found.of(0)
    if not pages:
        st.caption(NO_PAGE)
        return
    table = following.titled(live, _table(pages, found.sources))
    shown = [Col.PAGE_TITLE, Col.PAGE_LOCATION, Col.SCORE, WHY, *(source.value for source in found.sources)]
    figure(
        "What this user is likely to view next",
        partial(following.stacked, table, found.sources, "Probability of being the next page"),
        table[shown], n=how_right(made.heads[reach], reach), key="next_pages",
        alt_text="Suggested pages with the part of each source", columns={**COLUMNS, **_parts(found.sources)},
        help_text="A score is a blend of what each source says; the colours are the parts.", border=False,
    )  # fmt: skip
    if len(worth := following.worth(made.heads[reach])):
        with st.expander("What each source adds", icon=":material/balance:", type="compact"):
            written_table.draw(
                worth, key="next_worth", alt_text="Weight of each source, and what it adds",
                columns=following.WORTH,
            )  # fmt: skip


def _table(pages: list[NextPage], sources: tuple[Source, ...]) -> pd.DataFrame:
    return pd.DataFrame([
        {Col.PAGE_LOCATION: page.page, Col.SCORE: page.score, WHY: why(page.parts)}
        | {source.value: page.parts[source] for source in sources}
        for page in pages
    ])  # fmt: skip


def _parts(sources: tuple[Source, ...]) -> Columns:
    return {
        source.value: st.column_config.NumberColumn(source.value.capitalize(), format="percent")
        for source in sources
    }

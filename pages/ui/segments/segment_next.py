"""The next pages suggested to the users of a segment, beside the others."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

import streamlit as st

from core.differences.table import Diff
from core.profiles.profile_columns import Col, RowKind
from core.recommend.candidates import Reach, Source
from core.recommend.next_pages import FIRST, NO_PAGE, how_right, why
from pages.ui.segments import cards, charts, following
from pages.ui.segments.figure import figure
from pages.ui.segments.live_segments import LiveSegments
from pages.ui.shell import errors

WHY: Final = "why"
SUGGESTED: Final = f"Share of users with the page among their first {FIRST} suggestions"
IN_FIRST: Final = f"Users with it in their first {FIRST}"
SHOWN: Final = (
    Col.PAGE_TITLE, Col.PAGE_LOCATION, Col.USERS, Col.N, Col.SHARE, Col.LOW, Col.HIGH,
    Col.REST_SHARE, Diff.DIFFERS, WHY,
)  # fmt: skip


def draw(live: LiveSegments, row: dict[str, Any]) -> None:
    """Draw the switch for a segment's next pages, and the pages if it is on.

    Args:
        live: The segments.
        row: Its row of the segments table; of users in no segment nothing is drawn.
    """
    if row[Col.KIND] != RowKind.SEGMENT:
        return
    asked = st.toggle(
        "What next?", key=f"next-{row[Col.KEY]}-{live.sources.model_key}", persist_state="session",
        help=f"Pages that these users are likely to view next. {following.LEFT_OUT}",
    )  # fmt: skip
    if asked:
        with errors.shown():
            _listed(live, row)


def _listed(live: LiveSegments, row: dict[str, Any]) -> None:
    found = following.of_segments(live)
    found = found[found[Col.SEGMENT] == row[Col.SEGMENT]]
    if not len(found):
        st.caption(NO_PAGE)
        return
    sources = [source for source in Source if found[source.value].any()]
    said = found[[source.value for source in sources]].to_dict("records")
    told = following.titled(live, found)
    told[WHY] = [why({Source(str(name)): share for name, share in one.items()}) for one in said]
    drawn = told.assign(**{name: row[name] for name in (Col.KIND, Col.LABEL)})
    columns = {
        Col.SHARE: ("Share", SUGGESTED), Col.REST_SHARE: ("Others", "The same of the others"),
        Col.N: ("Of", "Users of the segment who were asked for."),
        Diff.DIFFERS: (
            "Differs", "The interval of the difference to the others leaves out 0. The model has read these "
            "pages, so it is a description.",
        ),
        WHY: st.column_config.Column("Why", width="large"),
    }  # fmt: skip
    right = how_right(following.following(live).heads[Reach.NEW], Reach.NEW)
    figure(
        f"What next: {cards.heading(row[Col.LABEL])}",
        partial(charts.dumbbell, drawn, "short", Col.SHARE, Col.REST_SHARE, IN_FIRST),
        told[list(SHOWN)], n=f"{found[Col.N].iloc[0]:,} users here (coloured), "
        f"{found[Col.REST_N].iloc[0]:,} others (grey). {right}",
        key=f"next-{row[Col.KEY]}".replace(":", "-"),
        alt_text=f"Next pages of {row[Col.LABEL]} beside the others", columns=columns, border=False,
    )  # fmt: skip

"""Settings of the columns behind the charts of moves."""

from __future__ import annotations

from typing import Final

import streamlit as st

from core.differences.table import Diff
from core.journeys.moves import FROM, SESSIONS, STEPS, TO
from core.journeys.step_matrix import PLACE, POSITION, REST_SESSION_SHARE, SESSION_SHARE
from core.journeys.step_table import MoveCol
from core.profiles.profile_columns import Col
from pages.ui.segments.figure import Columns

RULE: Final = (
    "Of the users who were at a place, who took the step: called different where the 95 % interval of the "
    "difference leaves out 0 and the share of the steps leans the same way. The model saw the pages, so this "
    "describes a segment and proves nothing about it."
)
AT_LEAST: Final = (
    "So many of these users take it more, or fewer of them, than at the others' share: at the end of the "
    "interval that is nearer to none."
)
FLOW_COLUMNS: Final[Columns] = {
    "column": st.column_config.NumberColumn("Column"),
    FROM: st.column_config.TextColumn("From", width="medium"),
    TO: st.column_config.TextColumn("To", width="medium"),
    SESSIONS: st.column_config.NumberColumn("Sessions", format="localized"),
    Col.SHARE: st.column_config.NumberColumn("Share of sessions", format="percent"),
    Col.USERS: st.column_config.NumberColumn("Users", format="localized"),
}
DEAD_COLUMNS: Final[Columns] = {
    "place": st.column_config.TextColumn("Place", width="medium"),
    SESSIONS: st.column_config.NumberColumn("Sessions that ended there", format="localized"),
    Col.N: st.column_config.NumberColumn("Sessions that came", format="localized"),
    Col.SHARE: st.column_config.NumberColumn("Share", format="percent"),
    Col.LOW: st.column_config.NumberColumn("Low", format="percent", help="Its 95 % interval."),
    Col.HIGH: st.column_config.NumberColumn("High", format="percent"),
    "mean": st.column_config.NumberColumn("On average", format="percent"),
}


def step_columns() -> Columns:
    """Of a table of steps."""
    number, text = st.column_config.NumberColumn, st.column_config.TextColumn
    columns: Columns = {
        FROM: text("From", width="medium"), TO: text("To", width="medium"),
        STEPS: number("Steps", format="localized"),
        MoveCol.STEP_SHARE: number("Of steps", format="percent", help="Of all steps that leave the place."),
        SESSIONS: number("Sessions", format="localized", help="With this step."),
        Col.USERS: number("Users", format="localized", help="Who took it at least once."),
        Col.N: number("Users there", format="localized", help="Who were at the place; of a start, all."),
        Col.SHARE: number("Share of users", format="percent", help="Of those who were at the place."),
        Col.LOW: number("Low", format="percent", help="95 % interval of the share of users."),
        Col.HIGH: number("High", format="percent"),
    }  # fmt: skip
    return columns | {
        MoveCol.REST_STEPS: number("Others' steps", format="localized"),
        MoveCol.REST_STEP_SHARE: number("Others, of steps", format="percent"),
        Col.REST_USERS: number("Others who took it", format="localized"),
        Col.REST_N: number("Others there", format="localized"),
        Col.REST_SHARE: number("Others' share", format="percent"),
        Col.DIFFERENCE: number("Difference", format="percent"),
        Diff.DIFFERENCE_LOW: number("Difference, low", format="percent", help="Its 95 % interval."),
        Diff.DIFFERENCE_HIGH: number("Difference, high", format="percent"),
        Diff.DIFFERS: st.column_config.CheckboxColumn("Differs", help=RULE),
        MoveCol.AT_LEAST: number("Users, at least", format="%.0f", help=AT_LEAST),
    }  # fmt: skip


def matrix_columns() -> Columns:
    """Of a step matrix."""
    number = st.column_config.NumberColumn
    return step_columns() | {
        PLACE: st.column_config.TextColumn("Place", width="medium"), POSITION: number("Page view"),
        SESSIONS: number("Sessions", format="localized"),
        SESSION_SHARE: number("Of sessions", format="percent"),
        REST_SESSION_SHARE: number("Others, of sessions", format="percent"),
        Col.USERS: number("Users", format="localized", help="With such a session."),
        Col.N: number("All users", format="localized"),
        Col.SHARE: number("Share of users", format="percent"),
    }  # fmt: skip

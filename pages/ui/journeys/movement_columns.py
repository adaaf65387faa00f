"""Settings of the columns behind the charts of moves."""

from __future__ import annotations

from typing import Final

import streamlit as st

from core.differences.table import Diff
from core.journeys.moves import SESSIONS
from core.journeys.step_matrix import POSITION, REST_SESSION_SHARE, SESSION_SHARE
from core.journeys.step_table import MoveCol
from core.profiles.profile_columns import Col
from pages.ui.shell.written_table import Columns

RULE: Final = (
    "Of the users who were at a place, who took the step: called different where the 95 % interval of the "
    "difference leaves out 0 and the share of the steps leans the same way. The model saw the pages, so this "
    "describes a segment and proves nothing about it."
)
AT_LEAST: Final = (
    "So many of these users take it more, or fewer of them, than at the others' share: at the end of the "
    "interval that is nearer to none."
)
FLOW_COLUMNS: Final[Columns] = {Col.SHARE: "Share of sessions"}
DEAD_COLUMNS: Final[Columns] = {
    SESSIONS: "Sessions that ended there", Col.N: "Sessions that came",
    "mean": st.column_config.NumberColumn("On average", format="percent"),
}  # fmt: skip
STEP_COLUMNS: Final[Columns] = {
    MoveCol.STEP_SHARE: ("Of steps", "Of all steps that leave the place."),
    SESSIONS: ("Sessions", "With this step."),
    Col.USERS: ("Users", "Who took it at least once."),
    Col.N: ("Users there", "Who were at the place; of a start, all."),
    Col.SHARE: ("Share of users", "Of those who were at the place."),
    MoveCol.REST_STEP_SHARE: "Others, of steps", Col.REST_USERS: "Others who took it",
    Col.REST_N: "Others there", Diff.DIFFERS: ("Differs", RULE),
    MoveCol.AT_LEAST: st.column_config.NumberColumn("Users, at least", format="%.0f", help=AT_LEAST),
}  # fmt: skip
MATRIX_COLUMNS: Final[Columns] = {
    **STEP_COLUMNS, POSITION: "Page view", SESSIONS: "Sessions", SESSION_SHARE: "Of sessions",
    REST_SESSION_SHARE: "Others, of sessions", Col.USERS: ("Users", "With such a session."),
    Col.N: "All users", Col.SHARE: "Share of users",
}  # fmt: skip

"""Columns of tables of sessions and of the steps within them."""

from __future__ import annotations

from typing import Final

SESSIONS: Final = "sessions"
SESSIONS_N: Final = "sessions_n"
FROM, TO, STEPS = "from", "to", "steps"

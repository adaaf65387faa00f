"""What it means that many users are in no segment."""

from __future__ import annotations

from typing import Final

from core.base.schema import Group
from core.base.wording import percent
from core.profiles.metrics import Profiles
from core.profiles.profile_columns import Col

MANY: Final = 0.5
"""Share of users outside the segments from which it is said."""
WHY: Final = {
    f"group:{Group.ONE_PAGE}": "viewed one page only, from which no behaviour can be learned",
    f"group:{Group.BOT_LIKE}": "look automated",
    f"group:{Group.SET_ASIDE}": "were set aside by hand",
}


def outside_note(profiles: Profiles) -> str:
    """Why so many users are in no segment, in two sentences; empty where most users are in one."""
    if profiles.n_users - profiles.n_clustered <= MANY * profiles.n_users:
        return ""
    shares = profiles.segments.set_index(Col.KEY)[Col.SHARE]
    why = [f"{percent(shares[key], 0)} {what}" for key, what in WHY.items() if key in shares]
    grouped = (
        " Users of one page are grouped by rule: where they landed, source and device."
        if profiles.rows.one_page
        else ""
    )
    return (
        f"The segments hold {percent(profiles.n_clustered / profiles.n_users, 0)} of the users: "
        f"{'; '.join(why)}.{grouped}"
    )

"""A funnel in sentences: who completes it, where most are lost, and how that differs."""

from __future__ import annotations

import pandas as pd

from core.base.wording import counted, percent
from core.differences.table import Diff
from core.journeys.funnel_table import DROPPED, NAME, REST_HIGH, REST_LOW
from core.profiles.profile_columns import Col


def sentences(table: pd.DataFrame, title: str, other_title: str) -> list[str]:
    """What a table of one row says, in plain text.

    Args:
        table: Shares of all users of the row, as :func:`core.journeys.funnel_table.steps_table` gives them.
        title: What the row is called.
        other_title: What the others are called; empty where there are none.
    """
    last, users = table.iloc[-1], int(table[Col.N].iloc[0])
    if not users:
        return [f"{title}: no users."]
    reach = f"{title}: {last[Col.USERS]:,} of {counted(users, 'user')} reach {last[NAME]}"
    found = [f"{reach}, {_share(last, Col.SHARE, Col.LOW, Col.HIGH, users)}."]
    if other_title and last[Col.REST_N]:
        rest = _share(last, Col.REST_SHARE, REST_LOW, REST_HIGH, int(last[Col.REST_N]))
        verdict = "That differs" if last[Diff.DIFFERS] else "No difference is shown"
        found.append(f"{other_title}: {rest}. {verdict}.")
    return found + _loss(table)


def _share(row: pd.Series, share: str, low: str, high: str, n: int) -> str:
    ends = " and ".join(percent(row[end], n=n) for end in (low, high))
    return f"{percent(row[share], n=n)} (between {ends})"


def _loss(table: pd.DataFrame) -> list[str]:
    """Where most users are lost; nothing where nobody is."""
    place = int(table[DROPPED].to_numpy().argmax())
    lost, came = int(table[DROPPED].iloc[place]), int(table[Col.USERS].iloc[place])
    if not lost:
        return []
    share = percent(lost / came, n=came)
    return [f"Most are lost after {table[NAME].iloc[place]}: {lost:,} of {came:,} ({share}) go no further."]

"""Segment membership as files that other tools import: GA4's user data, and lists of ids for ads platforms.

GA4 joins user data by stream and client id (``user_pseudo_id`` in an export), or by the site's own user id.
Nothing is sent from here: the analyst uploads the file.
"""

from __future__ import annotations

from typing import Final

import pandas as pd

from core.base.schema import Users

USER_DATA: Final = "ga4_user_data.csv"
PROPERTY: Final = "beha2vec_segment"
"""The user property of the custom dimension, at most 24 characters, with none of Google's prefixes."""
KEY_COLUMNS: Final = {"user_pseudo_id": "client_id", "user_id": "user_id"}
"""Column that identifies a user in the export → the column of an import."""
_MAX_VALUE: Final = 36
"""Most characters of a user property's value."""


def ga4_user_data(users: pd.DataFrame, user_key: str, stream: str = "") -> pd.DataFrame:
    """Rows of a user-data import of GA4: who is in which segment, without users who are in none.

    Args:
        users: As :func:`core.runs.export.users_table` makes them.
        user_key: Column of the export that identifies a user, one of :data:`KEY_COLUMNS`.
        stream: Id of the data stream of users whose stream the export does not say.

    Returns:
        ``stream_id`` and ``client_id`` (or ``user_id`` alone, by the user key), and :data:`PROPERTY`: the
        segment's number and name, cut to GA4's length. Users without a stream are left out.
    """
    members = users[users[Users.CLUSTER] >= 0]
    numbers = (members[Users.CLUSTER] + 1).astype("str")
    values = (numbers + " " + members["segment"].fillna("").astype("str")).str[:_MAX_VALUE].str.strip()
    key = KEY_COLUMNS[user_key]
    table = pd.DataFrame({key: members[Users.USER_ID], PROPERTY: values})
    if key == "client_id":
        streams = members.get(Users.STREAM_ID, pd.Series(None, members.index, dtype="str"))
        streams = streams.fillna(stream).astype("str").str.replace(r"^(\d+)\.0+$", r"\1", regex=True)
        table.insert(0, Users.STREAM_ID, streams)
        table = table[streams.str.fullmatch("[0-9]+")]
    return table.reset_index(drop=True)


def ids_by_segment(users: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Name of a list → the ids of a segment's users, the single column of an ads platform's list."""
    return {
        f"segment_{segment + 1}": users.loc[users[Users.CLUSTER] == segment, [Users.USER_ID]]
        for segment in sorted(set(users[Users.CLUSTER]))
        if segment >= 0
    }


def import_bytes(table: pd.DataFrame) -> bytes:
    """A table as the CSV that importers read: UTF-8 without a mark, ids exactly as the export has them."""
    return str(table.to_csv(index=False, lineterminator="\n")).encode()

"""Segment membership as files that other tools import: GA4's user data, and lists of ids for ads platforms.

GA4 joins user data by stream and client id (``user_pseudo_id`` in an export), or by the site's own user id.
Nothing is sent from here: the analyst uploads the file.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Final

import pandas as pd

from core.base.schema import IdKind, Users

USER_DATA: Final = "ga4_user_data.csv"
USER_DATA_OF_LOGINS: Final = "ga4_user_data_of_logins.csv"
"""The file beside it, of users who are their logins, where cookies were joined to these."""
PROPERTY: Final = "beha2vec_segment"
"""The user property of the custom dimension, at most 24 characters, with none of Google's prefixes."""
_MAX_VALUE: Final = 36
"""Most characters of a user property's value."""
_NUMBERED: Final = r"^\d+( · |$)"
"""Pattern of the number that the name of a segment begins with in the app, and in a run does not."""
_CLIENT, _LOGIN = "user_pseudo_id", "user_id"
"""Columns of a GA4 export that identify a user."""


def has_client_ids(user_key: str) -> bool:
    """Whether some users are client ids of GA4, which it takes with the id of their stream."""
    return user_key == _CLIENT or user_key.startswith(f"{_CLIENT} or ")


def user_data_files(user_key: str, columns: Container[str]) -> tuple[str, ...]:
    """Names of the files of user data that GA4 can import by the ids of users with these columns."""
    if Users.ID_KIND in columns:
        return (USER_DATA, USER_DATA_OF_LOGINS) if has_client_ids(user_key) else ()
    return (USER_DATA,) if user_key in (_CLIENT, _LOGIN) else ()


def ga4_user_data(users: pd.DataFrame, user_key: str, stream: str = "") -> dict[str, pd.DataFrame]:
    """Rows of user-data imports of GA4: who is in which segment, without users who are in none.

    Args:
        users: As :func:`core.runs.export.users_table` makes them.
        user_key: Columns of the export that identify a user, as the receipt says them.
        stream: Id of the data stream of users whose stream the export does not say.

    Returns:
        Name of a file → its rows: ``stream_id`` and ``client_id``, or ``user_id`` alone, and
        :data:`PROPERTY`: the segment's title, cut to GA4's length. Users with a client id and no
        stream are left out.
        Two files where cookies were joined to logins, as an import has ids of a single kind; none where GA4
        has no users of these ids.
    """
    members = users[users[Users.CLUSTER] >= 0]
    match user_data_files(user_key, users):
        case (one,):
            return {
                one: _with_streams(members, stream) if has_client_ids(user_key) else _rows(members, _LOGIN)
            }
        case (of_cookies, of_logins):
            is_login = members[Users.ID_KIND] == IdKind.LOGIN
            return {
                of_cookies: _with_streams(members[~is_login], stream),
                of_logins: _rows(members[is_login], _LOGIN),
            }
    return {}


def _rows(members: pd.DataFrame, key: str) -> pd.DataFrame:
    numbers = (members[Users.CLUSTER] + 1).astype("str")
    names = members["segment"].fillna("").astype("str").str.replace(_NUMBERED, "", regex=True)
    titles = (numbers + " · " + names).str[:_MAX_VALUE].str.strip(" ·")
    return pd.DataFrame({key: members[Users.USER_ID], PROPERTY: titles}).reset_index(drop=True)


def _with_streams(members: pd.DataFrame, stream: str) -> pd.DataFrame:
    streams = members.get(Users.STREAM_ID, pd.Series(None, members.index, dtype="str"))
    streams = streams.fillna(stream).astype("str").str.replace(r"^(\d+)\.0+$", r"\1", regex=True)
    known = streams.str.fullmatch("[0-9]+")
    table = _rows(members[known], "client_id")
    table.insert(0, Users.STREAM_ID, streams[known].to_numpy())
    return table


def ids_by_segment(users: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Name of a list → the ids of a segment's users, the single column of an ads platform's list.

    Where cookies were joined to logins, each kind of id is a list of its own: platforms match logins alone.
    """
    members = users[users[Users.CLUSTER] >= 0]
    names = "segment_" + (members[Users.CLUSTER] + 1).astype("str")
    if Users.ID_KIND in members:
        names = names + "_" + members[Users.ID_KIND] + "s"
    return {str(name): ids for name, ids in members[[Users.USER_ID]].groupby(names, sort=False)}


def import_bytes(table: pd.DataFrame) -> bytes:
    """A table as the CSV that importers read: UTF-8 without a mark, ids exactly as the export has them."""
    return str(table.to_csv(index=False, lineterminator="\n")).encode()

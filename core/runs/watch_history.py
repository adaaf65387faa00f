"""History of a watch as tables: taken files, refused files, and shares of segments after each look."""

from __future__ import annotations

from itertools import groupby
from typing import Final

import numpy as np
import pandas as pd

from core.profiles.profile_columns import Col
from core.profiles.two_shares import wilson
from core.runs.taken_files import TakenFile, TakenFiles

NAME: Final = "name"
AT: Final = "at"
RECORDS: Final = "records"
NEW_USERS: Final = "new_users"
_WHY: Final = "why"


def file_table(taken: TakenFiles) -> pd.DataFrame:
    """Table of the files that were taken, the latest first.

    Returns:
        ``name``, ``at`` (UTC), ``records``, ``new_users`` (of the whole look, at its last file; absent at the
        others), ``users`` and ``page_views`` of all files so far.
    """
    rows, before = [], 0
    for _, look in groupby(taken.files, lambda file: file.at):
        files = list(look)
        new = files[-1].users - before
        before = files[-1].users
        rows += [(file, new if file is files[-1] else None) for file in files]
    table = {
        NAME: [file.name for file, _ in rows],
        AT: _times([file for file, _ in rows]),
        RECORDS: [file.records for file, _ in rows],
        NEW_USERS: pd.array([new for _, new in rows], dtype="Int64"),
        Col.USERS: [file.users for file, _ in rows],
        Col.PAGE_VIEWS: [file.page_views for file, _ in rows],
    }
    return pd.DataFrame(table).iloc[::-1].reset_index(drop=True)


def refused_table(taken: TakenFiles) -> pd.DataFrame:
    """Table of the files that cannot be used, the latest first: ``name``, ``at`` (UTC), ``why``."""
    rows = [(file.name, pd.Timestamp(file.at), file.why) for file in reversed(taken.refused)]
    return pd.DataFrame(rows, columns=[NAME, AT, _WHY])


def share_table(taken: TakenFiles) -> pd.DataFrame:
    """Table of the size of each segment after each look.

    Returns:
        ``at`` (UTC), ``segment``, ``users`` of all files by then, ``n`` of them in segments, ``share`` and
        the ends of its 95 % interval (Wilson's), ``low`` and ``high``.
    """
    looks = {file.at: file for file in taken.files if file.segments}  # the last file of each look
    segments = sorted({segment for file in looks.values() for segment in file.segments})
    users = np.array([[file.segments.get(one, 0) for one in segments] for file in looks.values()])
    users = users.reshape(len(looks), len(segments))
    n = np.broadcast_to(users.sum(axis=1, keepdims=True), users.shape)
    low, high = wilson(users, n)
    return pd.DataFrame(
        {
            AT: np.repeat(_times(list(looks.values())), len(segments)),
            Col.SEGMENT: np.tile(np.array(segments, dtype=np.int64), len(looks)),
            Col.USERS: users.ravel(), Col.N: n.ravel(), Col.SHARE: (users / np.maximum(n, 1)).ravel(),
            Col.LOW: low.ravel(), Col.HIGH: high.ravel(),
        }
    )  # fmt: skip


def _times(files: list[TakenFile]) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(pd.to_datetime([file.at for file in files], utc=True))

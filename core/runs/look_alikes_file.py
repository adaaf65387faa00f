"""Look-alikes of a list of ids, from a finished run's folder into a file.

A run has no changes by hand, so nobody in it is set aside.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from core.base.errors import ArtifactError, InputError, ResourceError
from core.base.schema import Group, Users
from core.base.wording import pluralise
from core.ingest.sources.id_list import IdList, match_ids, read_file
from core.people.look_alikes import REACH, SCORE, LookAlikes, look_alikes
from core.runs.export import SEGMENT, csv_bytes
from core.storage.disk import atomic_write, make_folder
from core.storage.locks import claim_file
from core.storage.replace_files import finish_replacement

_RANK: Final = "rank"
_COLUMNS: Final = (Users.USER_ID, SEGMENT, Users.GROUP, Users.EMBEDDING)


def write_look_alikes(ids: Path, out: Path, to: Path, top: int | None = None) -> str:
    """Rank every other clustered user of a run by how much they are like those of a list.

    Args:
        ids: Text or CSV with ids.
        out: The run's folder.
        to: CSV to write: ``rank``, ``user_id``, ``score`` and ``segment``, the most like first.
        top: Users to write; as many as :attr:`core.people.look_alikes.LookAlikes.usual_reach` when None.

    Returns:
        What became of the ids and what was found, in words without any id.

    Raises:
        Beha2VecError: If the list or the run cannot be used; an existing ``to`` is untouched.
    """
    if to.is_dir():
        raise ResourceError(f"{to} is a folder", allowed="the name of a CSV file", remedy="Add a name")
    users, vectors = _read(out)
    known = match_ids(read_file(ids), users.column(Users.USER_ID).combine_chunks())
    if not len(known.users):
        raise InputError(
            f"{known.counts}: nobody of the list is in {out}",
            remedy="Ids must match exactly, with every digit and dot",
        )
    inside = users.column(Users.GROUP).to_numpy() == Group.SEGMENT.value
    found = look_alikes(vectors, inside, known.users)
    reach = min(top or found.usual_reach, len(found.users))
    listed = users.take(found.users[:reach]).select([Users.USER_ID, SEGMENT]).to_pandas()
    listed.insert(0, _RANK, np.arange(1, reach + 1))
    listed.insert(2, SCORE, found.score[:reach].round(6))
    _write(to, listed)
    return _told(known, found, reach)


def _read(out: Path) -> tuple[pa.Table, np.ndarray]:
    """Users of a run, and their combined vectors."""
    if out.is_dir():
        finish_replacement(out)
    try:
        table = pq.read_table(out / "users.parquet", columns=list(_COLUMNS))
        lists = table.column(Users.EMBEDDING).combine_chunks()
        vectors = np.asarray(lists.flatten(), dtype=np.float32).reshape(len(table), -1)
    except (OSError, pa.ArrowException, ValueError) as error:
        raise ArtifactError(
            f"{out} holds no finished run ({error.__class__.__name__})", allowed="the OUT of an earlier run"
        ) from error
    return table.select([name for name in _COLUMNS if name != Users.EMBEDDING]), vectors


def _write(to: Path, table: pd.DataFrame) -> None:
    make_folder(to.parent)
    with claim_file(to), atomic_write(to) as building:
        building.write_bytes(csv_bytes(table))


def _told(known: IdList, found: LookAlikes, reach: int) -> str:
    said = f"{known.counts}, {len(known.users) - len(found.seeds):,} of them not clustered"
    said += f". {pluralise(reach, 'look-alike')} of {len(found.users):,} other clustered users"
    if not len(found.ranks):
        return f"{said}; too few ids to hide some and look for them."
    row = found.curve(reach).set_index(REACH).loc[reach]
    return f"{said}; of hidden ids {row.found:.0%} ({row.low:.0%} to {row.high:.0%}) are found among so many."

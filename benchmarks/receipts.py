"""Whether everybody who did an event is counted and shown: users in the file against users in the tables.

    python -m benchmarks.receipts FILE…

Of every event but page views, internal and debug traffic included: its users counted with pandas, those that
the receipt counts, and those of the rows of the profiles' table of outcomes (segments drawn at random,
groups, users without a page view). Exits with 1 if any two differ.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
import pandas as pd

from benchmarks.tables import markdown
from core.base.progress import silent
from core.base.schema import OUTSIDE
from core.base.settings import AnalyzeSettings, IngestSettings
from core.profiles.data import ProfileData
from core.profiles.metrics import profile
from core.profiles.profile_columns import Col, RowKind
from core.runs import pipeline
from core.storage.dataset import is_clustered
from core.storage.store import Store

SEGMENTS = 3


@click.command(help=__doc__)
@click.argument("files", nargs=-1, type=click.Path(exists=True, path_type=Path), required=True)
def main(files: tuple[Path, ...]) -> None:
    """Print a row a file and event."""
    rows = [(file.name.split(".")[0], *row) for file in files for row in counted(file)]
    columns = ["file", "event", "users in the file", "receipt", "in segments", "in groups", "no page view"]
    print(markdown(columns, rows))
    wrong = [row for row in rows if not row[2] == row[3] == sum(row[4:])]
    sys.exit(f"{len(wrong)} of {len(rows)} differ: {wrong}" if wrong else 0)


def counted(file: Path) -> Iterator[tuple[str, int, int, int, int, int]]:
    """Rows of the printed table: an event, and its users by file, receipt, segments, groups, no page view."""
    users = _users_of_events(file)
    with tempfile.TemporaryDirectory() as folder:
        dataset = pipeline.preprocess(
            Store(Path(folder)), [file], IngestSettings(exclude_internal=False, exclude_debug=False), silent
        )
        inside, data = is_clustered(dataset.users), ProfileData.from_dataset(dataset)
        segment = np.full(len(inside), OUTSIDE, dtype=np.int32)
        segment[inside] = np.random.default_rng(0).integers(SEGMENTS, size=inside.sum())
        for event, found in dataset.receipt.outcome_users.items():
            table = profile(data, segment, AnalyzeSettings(outcome=(event,))).outcomes
            shown = table.drop_duplicates(Col.KEY).set_index(Col.KEY)
            by_kind = shown.groupby(Col.KIND)[Col.OUTCOME_USERS].sum()
            absent = int(shown.loc["group:no_page_view", Col.OUTCOME_USERS])
            groups = int(by_kind[RowKind.GROUP]) - absent
            yield event, users.get(event, 0), found.users, int(by_kind[RowKind.SEGMENT]), groups, absent


def _users_of_events(file: Path) -> dict[str, int]:
    """Event → different ids."""
    names = ["event_name", "user_pseudo_id"]
    is_json = file.name.removesuffix(".gz").endswith("json")
    table = pd.read_json(file, lines=True, dtype=False) if is_json else pd.read_csv(file, dtype=str)
    return table[names].dropna().groupby("event_name")["user_pseudo_id"].nunique().to_dict()


if __name__ == "__main__":
    main()

"""Records that were read before are placed as files are, in parts as in the whole."""

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.base.errors import NothingLeft
from core.base.progress import silent
from core.base.settings import Device, IngestSettings
from core.engines.parts import split
from core.ingest.read.read_all import read_all
from core.recommend.next_pages import NextPages
from core.runs.frozen import FrozenModel
from core.runs.score import score, score_raw
from tests.core.ingest.shop import event, raw_read

N_NEXT = 2


def plain(table: pa.Table) -> pd.DataFrame:
    return table.to_pandas().set_index("user_id").sort_index()


def test_users_are_placed_in_parts_as_in_the_whole(days: list[bytes], model: Path, tmp_path: Path) -> None:
    files = [tmp_path / f"day{number}.csv" for number in range(len(days))]
    for path, content in zip(files, days, strict=True):
        path.write_bytes(content)
    n_users = score(files, model, tmp_path / "scored.parquet", silent, Device.CPU, N_NEXT)
    whole = pq.read_table(tmp_path / "scored.parquet")

    frozen, following = FrozenModel.read(model), NextPages.load(model)
    raw = read_all(files, frozen.settings, tmp_path / "raw", silent)
    tables = []
    for number, part in enumerate(split(raw, 3, tmp_path / "parts")):
        (work := tmp_path / str(number)).mkdir()
        tables.append(score_raw(part, frozen, work, following=following, n_next=N_NEXT))
    together = pa.concat_tables(tables)
    assert together.schema == whole.schema
    assert together.num_rows == n_users
    assert min(table.num_rows for table in tables) > 0
    pd.testing.assert_frame_equal(plain(together), plain(whole))


def test_records_without_a_page_view_place_nobody(model: Path, tmp_path: Path) -> None:
    raw = raw_read(tmp_path / "raw", [[event("a", 1, name="scroll")]])
    with pytest.raises(NothingLeft, match="No page view is left of 1 records"):
        score_raw(raw, FrozenModel.read(model), tmp_path)


def test_a_model_stays_with_the_page_views_it_was_trained_on(model: Path, tmp_path: Path) -> None:
    frozen, file = FrozenModel.read(model), tmp_path / "of_another_tool.csv"
    file.write_text(
        "user_pseudo_id,event_timestamp,event_name,page_location\n1.2,1700000000,page,https://shop.example/a\n"
    )
    assert read_all([file], IngestSettings(), tmp_path / "found", silent).page_view == "page"
    with pytest.raises(NothingLeft, match=r"page \(1\)"):
        score_raw(read_all([file], frozen.settings, tmp_path / "raw", silent), frozen, tmp_path)

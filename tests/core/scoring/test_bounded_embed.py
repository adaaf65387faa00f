"""Users on a frozen model: in parts as at once, by what was decided on all of them."""

import weakref
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from core.base.errors import NoPageViewsLeft
from core.base.progress import silent
from core.base.schema import Group, Raw
from core.base.settings import Device, IngestSettings
from core.ingest.observe.bots import UNENGAGED_VIEWS
from core.ingest.read.read_all import read_all
from core.ingest.read.read_cache import ReadCache
from core.people.next_pages import NextPages
from core.runs.frozen import FrozenModel
from core.scoring import bounded_run
from core.scoring.bounded_run import embed_bounded, next_pages_warning, unknown_pages_warning
from core.scoring.bounds import A_RECORD, PROGRAM, Bounds
from core.scoring.parts import split_by_user
from core.scoring.placing import Placing
from tests.core.ingest.shop import Row, event, raw_read

PLACING = Placing(Device.CPU, n_next=2)
PLENTY = Bounds(4 * 10**9)


def in_parts(rows: int) -> Bounds:
    """A memory into which somewhat more than half of the records fit."""
    return Bounds(PROGRAM + int(0.6 * rows) * A_RECORD)


def as_csv(rows: list[Row], path: Path) -> Path:
    pd.DataFrame(rows).rename(columns={Raw.USER_KEY: "user_pseudo_id"}).to_csv(path, index=False)
    return path


def one_at_a_time(read: Callable[..., FrozenModel]) -> Callable[..., FrozenModel]:
    """Reads a model, and fails where one that was read before is still held."""
    held: list[weakref.ref[object]] = []

    def reading(folder: Path, *, next_pages: bool) -> FrozenModel:
        assert not [one for one in held if one() is not None]
        made = read(folder, next_pages=next_pages)
        held.append(weakref.ref(made))
        return made

    return reading


def test_users_are_placed_in_parts_as_at_once(
    days: list[bytes], model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [tmp_path / f"day{number}.csv" for number in range(len(days))]
    for path, content in zip(files, days, strict=True):
        path.write_bytes(content)
    some = in_parts(sum(content.count(b"\n") for content in days))
    once, parts = tmp_path / "once.parquet", tmp_path / "parts.parquet"
    with monkeypatch.context() as without:  # each file's reading is kept for nobody
        without.setattr(ReadCache, "read", lambda *_: pytest.fail("kept"))
        part, bounded = Placing.part, []
        without.setattr(
            Placing, "part", lambda *a, **more: bounded.append(more["memory"]) or part(*a, **more)
        )
        n_users = embed_bounded(files, model, once, silent, PLACING, PLENTY)
    assert bounded == [PLENTY.database]
    monkeypatch.setattr(FrozenModel, "read", one_at_a_time(FrozenModel.read))
    assert embed_bounded(files, model, parts, silent, PLACING, some) == n_users == 200
    assert pq.read_table(parts).equals(pq.read_table(once))  # to the order of the rows
    assert [path.name for path in tmp_path.glob(".*") if "scoring" in path.name] == []


@pytest.mark.parametrize("bounds", [PLENTY, in_parts(60)], ids=["at once", "in parts"])
def test_next_pages_that_fail_are_absent_and_said_and_the_users_are_placed(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bounds: Bounds
) -> None:
    def fails(*_: object) -> None:
        raise ZeroDivisionError("no weight")

    monkeypatch.setattr(NextPages, "of_many", fails)
    views = [event(f"{user}.1", 60 * at, "/p/a") for user in range(30) for at in (1, 2)]
    export, out = as_csv(views, tmp_path / "export.csv"), tmp_path / "out.parquet"
    assert embed_bounded([export], model, out, silent, PLACING, bounds) == 30
    placed = pq.read_table(out)
    assert placed["next_pages"].null_count == placed["next_scores"].null_count == 30
    assert placed["embedding"].null_count == 0
    log = tmp_path / "out.parquet.failed.log"
    assert (
        next_pages_warning(out) == f"next pages could not be made (ZeroDivisionError: no weight); see {log}"
    )
    assert "Traceback" in log.read_text()
    monkeypatch.undo()
    embed_bounded([export], model, out, silent, PLACING, bounds)
    assert (next_pages_warning(out), log.exists()) == ("", False)


@pytest.mark.parametrize(("n_new", "share"), [(1, 0.5), (3, 0.25)])
def test_that_few_pages_are_known_is_said(model: Path, tmp_path: Path, n_new: int, share: float) -> None:
    known = min(page for page in FrozenModel.read(model).known.pages if not page.endswith("/"))
    pages = [known, *(f"{known}-of-another-day-{number}" for number in "abc"[:n_new])]
    views = [event(f"{user}.1", 60 * at, page) for user in range(30) for at, page in enumerate(pages, 1)]
    export, out = as_csv(views, tmp_path / "export.csv"), tmp_path / "out.parquet"
    embed_bounded([export], model, out, silent, PLACING, PLENTY)
    assert pq.read_table(out)["known_share"].to_pylist() == [share] * 30
    assert unknown_pages_warning(out).startswith(
        f"on average {share:.0%} of a user's page views" if n_new == 3 else ""
    )
    assert bool(unknown_pages_warning(out)) == (n_new == 3)


def unevenly_engaged(folder: Path) -> list[Row]:
    """A screen that nobody looks at, among users of whom most of its own part are not engaged either."""
    ids = [f"{number}.1" for number in range(150)]
    views = [event(user, 60 * at, "/p/a") for user in ids for at in (1, 2)]
    views += [event("screen", 60 * at, "/p/a") for at in range(UNENGAGED_VIEWS)]
    both = split_by_user(raw_read(folder / "raw", [views]), 2, folder / "parts")
    ids_of = [set(pd.concat(pd.read_parquet(path) for _, path in part.parts)[Raw.USER_KEY]) for part in both]
    [beside] = [found for found in ids_of if "screen" in found]
    engaged = {user for user in ids if user not in beside or int(user[:-2]) % 3 == 0}
    msec = {user: "5" if user in engaged else "0" for user in [*ids, "screen"]}
    return [row | {Raw.ENGAGEMENT_TIME_MSEC: msec[str(row[Raw.USER_KEY])]} for row in views]


def test_what_the_others_tell_of_a_user_is_told_by_all_of_them(model: Path, tmp_path: Path) -> None:
    rows = unevenly_engaged(tmp_path)
    export, out = as_csv(rows, tmp_path / "export.csv"), tmp_path / "out.parquet"
    embed_bounded([export], model, out, silent, PLACING, in_parts(len(rows)))
    groups = pd.read_parquet(out).set_index("user_id")["group"]
    assert groups["screen"] == Group.BOT_LIKE
    assert len(groups) == 151

    frozen = FrozenModel.read(model)
    raw = read_all([export], frozen.settings, tmp_path / "read", silent)
    alone = []
    for number, part in enumerate(split_by_user(raw, 2, tmp_path / "alone")):
        (work := tmp_path / f"alone{number}").mkdir()
        table = Placing(Device.CPU).part(part, frozen, work).table.to_pandas()
        alone += table.loc[table["user_id"] == "screen", "group"].tolist()
    assert alone == [Group.SEGMENT]  # there was something to decide


@pytest.mark.parametrize("bounds", [PLENTY, in_parts(400)], ids=["at once", "in parts"])
def test_records_without_a_page_view_place_nobody_and_what_was_there_stays(
    model: Path, tmp_path: Path, bounds: Bounds
) -> None:
    export = as_csv(
        [event(f"{number}.1", 1, name="scroll") for number in range(400)], tmp_path / "export.csv"
    )
    (out := tmp_path / "out.parquet").write_text("before")
    with pytest.raises(NoPageViewsLeft, match="No page view is left of 400 records"):
        embed_bounded([export], model, out, silent, PLACING, bounds)
    assert out.read_text() == "before"
    with pytest.raises(
        NoPageViewsLeft, match="No page view is left"
    ):  # of any part, once all were decided on
        bounded_run._written(iter([]), tmp_path, out, bounds)
    assert out.read_text() == "before"


def test_a_model_stays_with_the_page_views_it_was_trained_on(model: Path, tmp_path: Path) -> None:
    export = tmp_path / "of_another_tool.csv"
    export.write_text(
        "user_pseudo_id,event_timestamp,event_name,page_location\n1.2,1700000000,page,https://shop.example/a\n"
    )
    assert read_all([export], IngestSettings(), tmp_path / "found", silent).page_view == "page"
    with pytest.raises(NoPageViewsLeft, match=r"page \(1\).* events that it was trained with") as refused:
        embed_bounded([export], model, tmp_path / "out.parquet", silent, PLACING, PLENTY)
    assert "--page-view" not in str(refused.value)

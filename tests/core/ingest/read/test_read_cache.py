"""A month that grows by a day is the month that all days together would have given."""

import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from core.base.errors import ArtifactError, InputError
from core.base.progress import silent
from core.base.settings import IngestSettings
from core.ingest.ingest import ingest
from core.ingest.read import read_cache
from core.ingest.read.read_cache import ReadCache, open_read
from core.ingest.read.read_file import FileRead
from core.ingest.sources.input_files import InputFile, resolve_inputs
from core.runs import pipeline
from core.storage.dataset import RECEIPT
from core.storage.store import Store, file_checksum
from tests.core.ingest.raw import HEADER, ROW, csv_of, write
from tests.random_cases import cases

USERS, PAGES = ("ann", "bob", "eve", "kim"), ("/", "/list", "/item?id=7", "/cart", "/orders/12345")


@pytest.fixture
def read_here(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Names of the files that are read, not taken from what was kept."""
    names: list[str] = []
    plain = read_cache.read_file

    def reading(
        source: InputFile, settings: IngestSettings, folder: Path, report: Callable[[int], None]
    ) -> FileRead:
        names.append(source.name)
        return plain(source, settings, folder, report)

    monkeypatch.setattr(read_cache, "read_file", reading)
    yield names


def random_day(rng: random.Random, day: int) -> str:
    """Some records of a day, out of order, some at the same moment, some broken."""
    rows = [
        f"page_view,{(day * 86_400 + rng.randrange(40) * 60) * 1_000_000 + 10**15},{rng.choice(USERS)},"
        f"https://x.example{rng.choice(PAGES)},T"
        for _ in range(rng.randrange(0, 30))
    ]
    broken = ["page_view,soon,ann,https://x.example/,T"] * rng.randrange(0, 3)
    return csv_of(*rows, *broken)


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.parquet")} | {
        RECEIPT: (folder / RECEIPT).read_bytes()
    }


@pytest.mark.parametrize("seed", cases(4))
def test_grown_day_by_day_is_equal_to_read_at_once(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    days = [write(tmp_path / "in" / "day00.csv", csv_of(ROW))]
    grown, settings = Store(tmp_path / "grown"), IngestSettings()
    for day in rng.sample(range(1, 5), 4):  # a late day may come in between
        days.append(write(tmp_path / "in" / f"day{day:02d}.csv", random_day(rng, day)))
        last = pipeline.preprocess(grown, days, settings, silent)
    at_once, work = tmp_path / "at_once", tmp_path / "work"
    at_once.mkdir()
    work.mkdir()
    ingest(days, settings, at_once, silent, work)
    assert files_of(grown.root / "preprocess" / last.key) == files_of(at_once)


def test_only_the_new_day_is_read(tmp_path: Path, read_here: list[str]) -> None:
    store, settings = Store(tmp_path / "store"), IngestSettings()
    days = [write(tmp_path / "in" / f"day{day}.csv", csv_of(ROW, *[ROW] * day)) for day in (1, 2)]
    pipeline.preprocess(store, days, settings, silent)
    assert read_here == ["day1.csv", "day2.csv"]
    days.insert(0, write(tmp_path / "in" / "day0.csv", csv_of(ROW)))
    pipeline.preprocess(store, days, settings, silent)
    assert read_here[2:] == ["day0.csv"]
    pipeline.preprocess(store, days, settings.model_copy(update={"session_gap_minutes": 5}), silent)
    assert len(read_here) == 3, "what is decided after reading asks for no second one"
    pipeline.preprocess(store, days, settings.model_copy(update={"mapping": {"page_title": ""}}), silent)
    assert len(read_here) == 6


def test_a_file_alone_is_not_kept(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    pipeline.preprocess(store, [write(tmp_path / "day.csv", csv_of(ROW))], IngestSettings(), silent)
    assert not (store.root / read_cache.STAGE).exists()


def test_what_was_kept_is_there_without_its_file_and_told_when_it_is_damaged(tmp_path: Path) -> None:
    path = write(tmp_path / "day.csv", csv_of(ROW, "page_view,soon"))
    store = Store(tmp_path / "store")
    (source,) = resolve_inputs([path])
    kept = ReadCache(store, IngestSettings(), {path: file_checksum(path)})
    read, key = kept.read(source, lambda _: None), kept.key(source)
    path.unlink()
    assert open_read(store, key) == read
    assert (read.rows, read.rejected.total, read.count.records) == (1, 1, 2)
    read.parts[0].path.write_bytes(b"no Parquet")
    with pytest.raises(ArtifactError, match="damaged"):
        open_read(store, key)


def test_a_file_that_is_replaced_while_it_is_read_is_not_kept_as_what_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "day.csv", csv_of(ROW))
    store, plain = Store(tmp_path / "store"), read_cache.read_file
    (source,) = resolve_inputs([path])
    kept = ReadCache(store, IngestSettings(), {path: file_checksum(path)})

    def late(
        source: InputFile, settings: IngestSettings, folder: Path, report: Callable[[int], None]
    ) -> FileRead:
        path.write_text(path.read_text().replace("page_view", "page_wiew"), encoding="utf-8")
        return plain(source, settings, folder, report)

    monkeypatch.setattr(read_cache, "read_file", late)
    with pytest.raises(InputError, match=r"day\.csv changed while it was read\. Wait until"):
        kept.read(source, lambda _: None)
    assert store.find(read_cache.STAGE, kept.key(source)) is None


def test_files_that_come_or_go_before_they_are_read_are_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = write(tmp_path / "in" / "a.csv", csv_of(ROW))
    second = write(tmp_path / "in" / "b.csv", csv_of(ROW, ROW))
    checksums = pipeline.checksums

    def and_one_goes(sources: Sequence[InputFile]) -> dict[Path, str]:
        sums = checksums(sources)
        second.unlink()
        return sums

    monkeypatch.setattr(pipeline, "checksums", and_one_goes)
    with pytest.raises(InputError, match=r"b\.csv changed while it was read"):
        pipeline.preprocess(Store(tmp_path / "store"), [first.parent], IngestSettings(), silent)


def test_what_happens_to_a_file_once_it_was_read_loses_nothing(tmp_path: Path) -> None:
    path = write(tmp_path / "day.csv", csv_of(ROW))

    def gone(stage: str, fraction: float, message: str = "", **_: float) -> None:
        if message == "Numbering users":
            path.unlink()

    dataset = pipeline.preprocess(Store(tmp_path / "store"), [path], IngestSettings(), gone)
    assert dataset.receipt.users == 1


def test_a_file_that_cannot_be_read_leaves_nothing(tmp_path: Path) -> None:
    days = [write(tmp_path / "in" / "a.csv", csv_of(ROW)), write(tmp_path / "in" / "b.csv", "x,y\n1,2\n")]
    store = Store(tmp_path / "store")
    with pytest.raises(InputError, match=r"b\.csv has no column"):
        pipeline.preprocess(store, days, IngestSettings(), silent)
    assert len(list((store.root / read_cache.STAGE).iterdir())) == 1
    write(days[1], HEADER + "\n")
    assert pipeline.preprocess(store, days, IngestSettings(), silent).receipt.page_views_used == 1

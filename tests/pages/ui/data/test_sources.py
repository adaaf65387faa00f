"""What the input folder offers, and that no name leads out of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.base.errors import InputError
from core.runs import input_paths
from core.storage.dataset import Dataset
from core.storage.store import Store
from pages.ui.data import catalog, sources
from tests.pages.fixtures_segments import FinishedRun


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "input"  # where conftest.py points the app
    (folder / "daily").mkdir(parents=True)
    for name in ("b.parquet", "a.csv.gz", "ga4_data.csv", "x.truth.csv", "notes.docx", ".up.part"):
        (folder / name).write_text("x")
    return folder


def test_the_folder_is_listed_with_ga4_data_first(folder: Path) -> None:
    assert sources.listed() == ["ga4_data.csv", "a.csv.gz", "b.parquet", "daily/"]


def test_no_folder_is_an_empty_list() -> None:
    assert sources.listed() == []


def test_names_become_paths_of_the_folder(folder: Path) -> None:
    assert sources.paths(["a.csv.gz", "daily/"]) == [folder / "a.csv.gz", folder / "daily"]


@pytest.mark.parametrize("name", ["../secret.csv", "/etc/passwd", "gone.csv"])
def test_nothing_outside_the_folder_is_opened(folder: Path, name: str) -> None:
    (folder.parent / "secret.csv").write_text("x")
    with pytest.raises(InputError, match="There is no file"):
        sources.paths([name])


def test_a_link_out_of_the_folder_is_refused(folder: Path) -> None:
    (folder.parent / "secret.csv").write_text("x")
    (folder / "link.csv").symlink_to(folder.parent / "secret.csv")
    with pytest.raises(InputError, match="There is no file"):
        sources.paths(["link.csv"])


def test_other_folders_are_read_from_where_whoever_runs_the_app_says_so(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = folder.parent / "exports"
    (other / "may").mkdir(parents=True)
    (other / "events_1.csv").write_text("x")
    name = str(other / "events_1.csv")
    with pytest.raises(InputError, match="There is no file"):
        sources.paths([name])
    monkeypatch.setenv("BEHA2VEC_SOURCES", str(other))
    assert sources.listed()[-2:] == [name, f"{other / 'may'}/"]
    assert sources.paths([name]) == [Path(name)]
    with pytest.raises(InputError, match=f"or in {other}"):
        sources.paths([f"{other}/../secret.csv"])


def test_a_pattern_stays_in_the_folder(folder: Path) -> None:
    (folder / "b.csv").write_text("x")
    assert sources.paths(["*.csv"]) == [folder / "b.csv", folder / "ga4_data.csv", folder / "x.truth.csv"]
    with pytest.raises(InputError, match="There is no file"):
        sources.paths(["../*.csv"])
    with pytest.raises(InputError, match="There is no file"):
        sources.paths(["none*.csv"])


def test_neither_a_pattern_nor_a_folder_leads_out_through_a_link(folder: Path) -> None:
    out = folder.parent / "out"
    out.mkdir()
    (out / "s.csv").write_text("x")
    (folder / "link").symlink_to(out)
    (folder / "daily" / "link.csv").symlink_to(out / "s.csv")
    for name in ("lin*/s.csv", "daily/*.csv", "daily/", "link/"):
        with pytest.raises(InputError, match="There is no file"):
            sources.paths([name])


def test_of_another_folder_a_pattern_is_a_whole_path(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = folder.parent / "exports"
    other.mkdir()
    (other / "events_1.csv").write_text("x")
    monkeypatch.setenv("BEHA2VEC_SOURCES", str(other))
    assert sources.paths([f"{other}/events_*.csv"]) == [other / "events_1.csv"]
    with pytest.raises(InputError, match="There is no file"):
        sources.paths(["events_*.csv"])


@pytest.mark.parametrize("name", ["x" * 300, "x" * 300 + "*", "a\0.csv", "a\0*"])
def test_a_name_that_no_disk_takes_is_said_in_words(folder: Path, name: str) -> None:
    with pytest.raises(InputError, match="There is no file"):
        sources.paths([name])


def test_a_folder_that_may_not_be_listed_is_left_out(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed, closed = Path.iterdir, folder.parent / "closed"
    closed.mkdir()

    def refusing(path: Path) -> Iterator[Path]:
        if path == closed:
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    monkeypatch.setattr(Path, "iterdir", refusing)
    monkeypatch.setenv("BEHA2VEC_SOURCES", f"{closed}:{folder.parent / 'gone'}")
    assert sources.listed() == ["ga4_data.csv", "a.csv.gz", "b.parquet", "daily/"]


def test_a_namesake_of_another_size_is_not_the_file_that_was_read(
    folder: Path, finished_run: FinishedRun
) -> None:
    (card,) = catalog.datasets(Store(finished_run.root))
    assert sources.still_there(card) == ()
    (folder / "toy.csv").write_text("x")  # of an older data set the receipt is all there is
    assert sources.still_there(card) == (str(folder / "toy.csv"),)
    (folder / "toy.csv").write_text("another shop")
    assert sources.still_there(card) == ()
    assert sources.still_there(None) == ()


def test_a_folder_that_was_read_elsewhere_can_be_read_again(
    folder: Path, finished_run: FinishedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = folder.parent / "exports" / "may"
    days.mkdir(parents=True)
    (days / "toy.csv").write_text("day 1")
    (folder / "toy.csv").write_text("x")  # a namesake, of the size that the receipt has
    input_paths.save_paths(Dataset(finished_run.root / "preprocess" / finished_run.dataset, ""), [days])
    (card,) = catalog.datasets(Store(finished_run.root))
    assert sources.still_there(card) == (), "its folder may not be read from any more"
    monkeypatch.setenv("BEHA2VEC_SOURCES", str(days.parent))
    assert sources.still_there(card) == (str(days / "toy.csv"),) == tuple(sources.files([f"{days}/"]))
    (days / "toy.csv").write_text("day 1 and more")
    assert sources.still_there(card) == ()

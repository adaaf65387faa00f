"""What the input folder offers, and that no name leads out of it."""

from pathlib import Path

import pytest

from core.base.errors import InputError
from pages.ui.data import sources


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

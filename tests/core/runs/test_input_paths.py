"""What a data set was read from is known afterwards, by whole paths."""

from pathlib import Path

import pytest

from core.base.progress import silent
from core.base.settings import IngestSettings
from core.ingest.sample import write_sample
from core.runs import artifacts, input_paths, tasks
from core.runs.file_requests import FilesRequest
from core.scoring.engine_child import TASKS
from core.storage.store import Store

PATHS = (("days",), ("days/*.csv",), ("days/a.csv", "days/b.csv"))


@pytest.mark.parametrize("names", PATHS)
def test_a_job_keeps_the_files_that_a_folder_or_pattern_stood_for(
    tmp_path: Path, names: tuple[str, ...]
) -> None:
    (days := tmp_path / "days").mkdir()
    for seed, name in enumerate(("a.csv", "b.csv")):
        write_sample(days / name, 40, seed, silent)
    for truth in days.glob("*.truth.csv"):
        truth.unlink()
    asked = FilesRequest(paths=tuple(tmp_path / name for name in names), settings=IngestSettings())
    store = Store(tmp_path / "cache")
    key = tasks.run("preprocess", store.root, asked.model_dump(mode="json"), silent, TASKS)["dataset"]
    folder = artifacts.open_dataset(store, key).path  # what is kept beside it is no damage
    assert input_paths.load_paths(folder) == {
        str(days / name): (days / name).stat().st_size for name in ("a.csv", "b.csv")
    }


@pytest.mark.parametrize("content", [None, "", "[]", '{"a.csv": null}'])
def test_where_nothing_can_be_read_nothing_was_kept(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / input_paths.READ_FROM).write_text(content)
    assert input_paths.load_paths(tmp_path) == {}

"""A watched folder: every file counts once, whatever happens to files and processes."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from core.base.errors import ArtifactError, InputError, ResourceError, SettingsError
from core.base.local_clock import DAY
from core.base.progress import silent
from core.base.settings import Device
from core.ingest.sources.input_files import InputFile, content_checksum, readable
from core.labels.label_settings import LabelMode, LabelSettings
from core.runs import taken_files
from core.runs.frozen import FrozenModel
from core.runs.later_stages import FAILED_LOG
from core.runs.pipeline import LABEL_CACHE
from core.runs.placing import Placement, place_dataset
from core.runs.taken_files import RECORD, WatchedFolder, read_taken
from core.runs.watch import KEPT_FOLDER, USERS, Watcher, watch
from core.scoring.bounded_run import embed_bounded
from core.scoring.bounds import Bounds
from core.scoring.placing import Placing
from core.storage.dataset import Dataset
from core.storage.locks import claim_folder
from tests.core.ingest.read.unnested import as_csv, long_rows, read_rows

Look = Callable[[], list[str]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "in"
    path.mkdir()
    return path


def put(folder: Path, name: str, content: bytes) -> Path:
    (folder / name).write_bytes(content)
    return folder / name


def watcher(folder: Path, model: Path, out: Path, settle_s: float = 0) -> Watcher:
    out.mkdir(exist_ok=True)
    return Watcher(folder, model, out, settle_s, Device.CPU)


def placed(path: Path) -> pd.DataFrame:
    return pd.read_parquet(path, columns=["user_id", "cluster", "group"]).sort_values(
        "user_id", ignore_index=True
    )


def of_one_run(folder: Path, model: Path, tmp_path: Path) -> pd.DataFrame:
    embed_bounded(
        [folder], model, tmp_path / "once.parquet", silent, Placing(Device.CPU), Bounds.told(None, None)
    )
    return placed(tmp_path / "once.parquet")


def test_files_that_come_one_by_one_end_as_one_run_over_all(
    folder: Path, model: Path, days: list[bytes], tmp_path: Path
) -> None:
    one = watcher(folder, model, tmp_path / "out")
    assert one.look(silent) == []
    said: list[str] = []
    for day in (1, 0, 3, 2):
        put(folder, f"day{day}.csv", days[day])
        said.clear()
        [line] = one.look(lambda _stage, _done, message="", **_: said.append(message))
        assert line.startswith(f"day{day}.csv is taken: ")
        assert all(f"day{day}.csv" in message for message in said)
        assert one.look(silent) == [], "taken once"
    pd.testing.assert_frame_equal(placed(tmp_path / "out" / USERS), of_one_run(folder, model, tmp_path))
    last = one.taken.files[-1]
    assert last.users == len(placed(tmp_path / "out" / USERS))
    assert sum(last.segments.values()) == (placed(tmp_path / "out" / USERS)["cluster"] >= 0).sum()


def test_days_with_a_row_a_parameter_place_users_as_those_with_a_row_an_event(
    folder: Path, model: Path, days: list[bytes], tmp_path: Path
) -> None:
    flat = tmp_path / "flat"
    flat.mkdir()
    one = watcher(folder, model, tmp_path / "out")
    for day, content in enumerate(days):
        rows = long_rows(read_rows(put(flat, f"day{day}.csv", content)))
        put(folder, f"day{day}.csv", as_csv(rows))
        assert len(one.look(silent)) == 1
    pd.testing.assert_frame_equal(placed(tmp_path / "out" / USERS), of_one_run(flat, model, tmp_path))


def test_what_was_taken_counts_although_its_file_is_gone(
    folder: Path, model: Path, days: list[bytes], tmp_path: Path
) -> None:
    put(folder, "day0.csv", days[0])
    assert len(watcher(folder, model, tmp_path / "out").look(silent)) == 1
    (folder / "day0.csv").unlink()
    put(folder, "day1.csv", days[1])
    assert len(watcher(folder, model, tmp_path / "out").look(silent)) == 1, "by another process, later"
    put(folder, "day0.csv", days[0])
    pd.testing.assert_frame_equal(placed(tmp_path / "out" / USERS), of_one_run(folder, model, tmp_path))


def test_a_copy_is_nothing_new_and_a_day_written_again_replaces_itself(
    folder: Path, model: Path, days: list[bytes], tmp_path: Path
) -> None:
    put(folder, "day0.csv", days[0])
    put(folder, "later.csv", days[0])
    one = watcher(folder, model, tmp_path / "out")
    taken, copy = one.look(silent)
    assert taken.startswith("day0.csv is taken: ")
    assert copy == "later.csv holds the same as day0.csv and is counted once"
    (folder / "later.csv").unlink()
    put(folder, "day0.csv", days[0] + days[2].split(b"\n", 1)[1])
    assert len(one.look(silent)) == 1
    assert len(one.taken.files) == 1
    assert len(list((tmp_path / "out" / KEPT_FOLDER / "read").iterdir())) == 1, "the old reading is let go"
    pd.testing.assert_frame_equal(placed(tmp_path / "out" / USERS), of_one_run(folder, model, tmp_path))


def test_the_same_day_counts_once_however_it_is_packed(
    folder: Path, model: Path, days: list[bytes], tmp_path: Path
) -> None:
    put(folder, "day0.csv", days[0])
    one = watcher(folder, model, tmp_path / "out")
    one.look(silent)
    put(folder, "day0.csv.gz", gzip.compress(days[0]))
    assert one.look(silent) == ["day0.csv.gz holds the same as day0.csv and is counted once"]
    assert one.look(silent) == [], "told once"
    with zipfile.ZipFile(folder / "week.zip", "w") as packed:
        packed.writestr("day0.csv", days[0])
        packed.writestr("day1.csv", days[1])
    taken, copy = one.look(silent)
    assert taken.startswith("week.zip is taken: ")
    assert copy == "week.zip/day0.csv holds the same as day0.csv and is counted once"
    pd.testing.assert_frame_equal(placed(tmp_path / "out" / USERS), of_one_run(folder, model, tmp_path))


def test_events_that_another_file_holds_too_are_told_as_a_run_tells_them(
    folder: Path, model: Path, days: list[bytes], tmp_path: Path
) -> None:
    put(folder, "day0.csv", days[0])
    one = watcher(folder, model, tmp_path / "out")
    assert "more than one file" not in one.look(silent)[0]
    rows = days[0].splitlines(keepends=True)[1:6]
    put(folder, "day1.csv", days[1] + b"".join(rows))
    [line] = one.look(silent)
    assert "5 events are in more than one file" in line
    put(folder, "day2.csv", days[2])
    assert "more than one file" not in one.look(silent)[0], "only what is new of it"


def test_a_file_that_cannot_be_used_is_told_once_and_bars_no_other(
    folder: Path, model: Path, days: list[bytes], tmp_path: Path
) -> None:
    put(folder, "day0.csv", days[0])
    put(folder, "day1.csv", b"these,are,other\n1,2,3\n")
    one = watcher(folder, model, tmp_path / "out")
    first, second = one.look(silent)
    assert first.startswith("day0.csv is taken")
    assert second.startswith("day1.csv is not used: day1.csv has no column")
    assert "the columns and events that it was trained with" in second
    assert "--column" not in second
    assert one.look(silent) == []
    assert [file.name for file in one.taken.refused] == ["day1.csv"]
    put(folder, "day1.csv", days[1])
    assert len(one.look(silent)) == 1
    assert not one.taken.refused
    put(folder, "day1.csv", days[1][:-40] + b'"\n')
    [line] = one.look(silent)
    assert len(one.taken.files) == 2, "what a name held counts until it holds something else that can be used"
    assert line.startswith("day1.csv is ")


def test_a_file_that_grows_is_left_alone_until_it_rests(
    folder: Path, days: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    seen = WatchedFolder(folder, settle_s=5)
    path = put(folder, "day0.csv", days[0][:1000])
    put(folder, "day1.csv.part", days[1])
    put(folder, ".day2.csv", days[1])
    assert seen.whole_files() == []
    now[0] += 4
    put(folder, "day0.csv", days[0])
    assert seen.whole_files() == []
    now[0] += 4.9
    assert seen.whole_files() == []
    now[0] += 0.2
    assert seen.whole_files() == [path]
    assert seen.unchanged(path)
    about = path.stat()
    (folder / "day0.csv.part").write_bytes(days[0][::-1])
    os.utime(folder / "day0.csv.part", ns=(about.st_atime_ns, about.st_mtime_ns))
    (folder / "day0.csv.part").replace(path)
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (about.st_size, about.st_mtime_ns)
    assert not seen.unchanged(path), "another file, although size and time are the same"


def test_a_file_that_changes_while_it_is_read_is_taken_by_a_later_look(
    folder: Path, model: Path, days: list[bytes], tmp_path: Path
) -> None:
    put(folder, "day0.csv", days[0])
    one = watcher(folder, model, tmp_path / "out")
    grown = iter([days[1]])

    def growing(stage: str, fraction: float, message: str = "", **_: float) -> None:
        if message.startswith("Reading") and (more := next(grown, b"")):
            put(folder, "day0.csv", days[0] + more.split(b"\n", 1)[1])

    assert one.look(growing) == []
    assert not one.taken.files
    assert not one.taken.refused
    assert len(one.look(silent)) == 1


def test_a_disk_that_refuses_leaves_what_was_taken(
    folder: Path, model: Path, days: list[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(folder, "day0.csv", days[0])
    one = watcher(folder, model, tmp_path / "out")
    one.look(silent)
    before = (tmp_path / "out" / RECORD).read_bytes()
    put(folder, "day1.csv", days[1])

    def full(*_: object) -> None:
        raise ResourceError("The disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(Placement, "table", full)
        with pytest.raises(ResourceError, match="disk is full"):
            one.look(silent)
    assert (tmp_path / "out" / RECORD).read_bytes() == before
    assert len(one.look(silent)) == 1
    assert [path.name for path in (tmp_path / "out").glob(".working*")] == []


def test_a_renamed_file_and_the_new_one_under_its_old_name_both_count(
    folder: Path, model: Path, days: list[bytes], tmp_path: Path
) -> None:
    path = put(folder, "export.csv", days[0])
    one = watcher(folder, model, tmp_path / "out")
    one.look(silent)
    path.rename(folder / "export.1.csv")
    put(folder, "export.csv", days[1])
    [line] = one.look(silent)
    assert line.startswith("export.csv is taken")
    assert {file.name for file in one.taken.files} == {"export.csv", "export.1.csv"}
    pd.testing.assert_frame_equal(placed(tmp_path / "out" / USERS), of_one_run(folder, model, tmp_path))


def test_a_file_that_cannot_be_opened_or_named_is_told_once_and_tried_again(
    folder: Path, model: Path, days: list[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(folder, "day0.csv", days[0])
    put(folder, "day1.csv", days[1])
    put(folder, os.fsdecode(b"day\xff.csv"), days[2])
    one, plain = watcher(folder, model, tmp_path / "out"), content_checksum

    def locked(source: InputFile) -> str:
        with readable(source.name):
            if source.name == "day1.csv":
                raise PermissionError(13, "Permission denied", source.name)
        return plain(source)

    with monkeypatch.context() as patched:
        patched.setattr(taken_files, "content_checksum", locked)
        first, *others = one.look(silent)
        assert first.startswith("day0.csv is taken")
        assert others == [
            "day1.csv cannot be read: Permission denied. It is tried again.",
            r"day\udcff.csv is not used: its name is not UTF-8. Rename it.",
        ]
        assert one.look(silent) == []
    [line] = one.look(silent)
    assert line.startswith("day1.csv is taken")


def test_a_disk_that_fails_while_a_file_is_read_does_not_refuse_it_for_good(
    folder: Path, model: Path, days: list[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(folder, "day0.csv", days[0])
    one = watcher(folder, model, tmp_path / "out")

    def failing(*_: object) -> None:
        with readable("day0.csv"):
            raise OSError(5, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr("core.runs.watch.resolve_inputs", failing)
        [line] = one.look(silent)
    assert line == "day0.csv cannot be read: Input/output error. Check the path. It is tried again."
    assert len(one.look(silent)) == 1
    assert not one.taken.refused


def test_bad_files_cost_the_good_ones_nothing(
    folder: Path, model: Path, days: list[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for day in range(3):
        put(folder, f"day{day}.csv", days[day])
    put(folder, "day1b.csv", b"these,are,other\n1,2,3\n")
    calls = []

    def counting(frozen: FrozenModel, dataset: Dataset, *others: Any) -> Placement:  # noqa: ANN401
        calls.append(1)
        return place_dataset(frozen, dataset, *others)

    monkeypatch.setattr("core.runs.watch.place_dataset", counting)
    lines = watcher(folder, model, tmp_path / "out").look(silent)
    assert [line.split(" ")[2] for line in lines] == ["taken", "taken", "taken:", "not"]
    assert len(calls) == 1


def test_another_model_places_all_users_anew(
    folder: Path, model: Path, days: list[bytes], tmp_path: Path
) -> None:
    put(folder, "day0.csv", days[0])
    out = tmp_path / "out"
    one = watcher(folder, model, out)
    one.look(silent)
    (out / RECORD).write_bytes(replace(one.taken, model="another").to_json())
    (out / USERS).write_bytes(b"in its segments")
    again = watcher(folder, model, out)
    [line] = again.look(silent)
    assert line.startswith("All users are placed on another model")
    assert again.look(silent) == []
    assert again.taken == read_taken(out)
    assert replace(again.taken, drift=None) == replace(one.taken, drift=None)
    pd.testing.assert_frame_equal(placed(out / USERS), of_one_run(folder, model, tmp_path))


def test_what_was_read_and_is_damaged_is_read_again_or_told_by_its_day(
    folder: Path, model: Path, days: list[bytes], tmp_path: Path
) -> None:
    put(folder, "day0.csv", days[0])
    one = watcher(folder, model, tmp_path / "out")
    one.look(silent)
    kept = tmp_path / "out" / KEPT_FOLDER / "read" / one.taken.files[0].reads["day0.csv"]
    next(kept.glob("*.parquet")).write_bytes(b"no Parquet")
    put(folder, "day1.csv", days[1])
    assert len(one.look(silent)) == 1
    (folder / "day0.csv").unlink()
    shutil.rmtree(kept)
    put(folder, "day2.csv", days[2])
    with pytest.raises(ArtifactError, match=r"read of day0\.csv is damaged or gone.*Put the file back"):
        one.look(silent)
    put(folder, "again.csv", days[0])
    assert len(one.look(silent)) == 1
    pd.testing.assert_frame_equal(placed(tmp_path / "out" / USERS), of_one_run(folder, model, tmp_path))


def test_labels_are_decided_once(
    folder: Path, model: Path, days: list[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    labelling = replace(FrozenModel.read(model), labelling=LabelSettings(mode=LabelMode.RULES))
    monkeypatch.setattr(FrozenModel, "read", lambda _: labelling)
    seen = []

    def label(dataset: Dataset, settings: LabelSettings, out: Path, cache: Path, *_: object) -> None:
        seen.append(cache)
        raise ResourceError("enough")

    monkeypatch.setattr("core.labels.labelling.label_dataset", label)
    put(folder, "day0.csv", days[0])
    with pytest.raises(ResourceError, match="enough"):
        watcher(folder, model, tmp_path / "out").look(silent)
    assert seen == [tmp_path / "out" / KEPT_FOLDER / LABEL_CACHE]


def test_a_folder_is_not_both_watched_and_written(folder: Path, model: Path) -> None:
    (folder.parent / "link").symlink_to(folder)
    for out in (folder, folder.parent / "link"):
        with pytest.raises(SettingsError, match="cannot be both watched and --out"):
            watch(folder, model, out, silent, print, once=True)
    assert list(folder.iterdir()) == []


def test_a_second_watcher_is_told_who_is_there(folder: Path, model: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with claim_folder(tmp_path / "out"):
        command = [sys.executable, "-m", "core", "watch", folder, "--model", model, "--out", tmp_path / "out"]
        done = subprocess.run([*map(str, command), "--once"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert f"is being written by process {os.getpid()}" in done.stderr


def test_bad_folders_are_told(folder: Path, model: Path, days: list[bytes], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nowhere is not a folder"):
        watch(folder / "nowhere", model, tmp_path / "out", silent, print, once=True)
    with pytest.raises(ArtifactError, match="is not the model folder"):
        watch(folder, folder, tmp_path / "out", silent, print, once=True)
    put(folder, "day0.csv", days[0])
    told: list[str] = []
    watch(folder, model, tmp_path / "out", silent, told.append, settle_s=0.01, once=True)
    assert len(told) == 1
    watch(folder, model, tmp_path / "out", silent, told.append, settle_s=0.01, once=True)
    assert told[1:] == ["Nothing new was there"]
    put(folder, "notes.txt", b"these,are,other\n1,2,3\n")
    with pytest.raises(InputError, match=r"1 file cannot be used: notes\.txt"):
        watch(folder, model, tmp_path / "out", silent, told.append, settle_s=0.01, once=True)
    record = (tmp_path / "out" / RECORD).read_text()
    (tmp_path / "out" / RECORD).write_text(record.replace('"read_with": "', '"read_with": "x'))
    with pytest.raises(SettingsError, match="read otherwise"):
        watch(folder, model, tmp_path / "out", silent, print, once=True)
    (tmp_path / "out" / RECORD).write_text(record[:100])
    with pytest.raises(ArtifactError, match="is damaged"):
        read_taken(tmp_path / "out")


def test_drift_waits_for_as_many_days_as_the_training_and_then_looks_at_the_latest(
    folder: Path, model: Path, days: list[bytes], tmp_path: Path
) -> None:
    whole = pd.concat(pd.read_csv(io.BytesIO(day), dtype=str, keep_default_na=False) for day in days)
    period, at = FrozenModel.read(model).training, whole["event_timestamp"].astype("int64")
    assert period is not None
    week = at < at.min() + 7 * DAY
    later = whole.assign(
        user_pseudo_id="x" + whole["user_pseudo_id"], event_timestamp=(at + period.days * DAY).astype(str)
    )
    parts = {"week.csv": whole[week], "rest.csv": whole[~week], "later.csv": later}
    one, found = watcher(folder, model, tmp_path / "out"), []
    for name, rows in parts.items():
        put(folder, name, rows.to_csv(index=False).encode())
        one.look(silent)
        assert one.taken.drift is not None
        found.append(one.taken.drift)
    assert not found[0].alarm
    assert found[0].why_not.startswith("Not yet comparable: ")
    assert f"of {period.days} days. People do less in" in found[0].why_not
    assert not any(drift.why_not for drift in found[1:])
    assert found[2].users < len(placed(tmp_path / "out" / USERS)), "of the latest days alone"
    assert "the latest" in found[2].lines[-2]
    assert "Each look asks anew" in found[2].lines[-1]


def test_where_drift_fails_users_are_placed_all_the_same(
    folder: Path, model: Path, days: list[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise KeyError("a bug")

    out = tmp_path / "out"
    one = watcher(folder, model, out)
    put(folder, "day0.csv", days[0])
    with monkeypatch.context() as broken:
        broken.setattr("core.runs.watch.watched_drift", fail)
        (line,) = one.look(silent)
    told = f"drift could not be made (KeyError: 'a bug'); see {FAILED_LOG}"
    assert line.endswith(f"so far. {told}")
    assert one.taken.drift is not None
    assert one.taken.drift.why_not == told
    assert len(placed(out / USERS))
    assert "in fail" in (out / FAILED_LOG).read_text(encoding="utf-8")
    put(folder, "day1.csv", days[1])
    one.look(silent)
    assert not (out / FAILED_LOG).exists()

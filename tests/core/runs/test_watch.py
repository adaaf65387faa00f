"""A watched folder: every file counts once, whatever happens to files and processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from core.base.errors import ArtifactError, InputError, ResourceError, SettingsError
from core.base.progress import silent
from core.base.settings import PRESETS, ClusterSettings, Device, Preset, TrainSettings
from core.labels.label_settings import LabelMode, LabelSettings
from core.runs.pipeline import RunSettings
from core.runs.run import run
from core.runs.score import score
from core.runs.taken_files import RECORD, WatchedFolder, read_taken
from core.runs.watch import KEPT, USERS, Watcher, watch
from core.sample import write_sample
from core.storage.claims import claimed

DAYS = 4
Look = Callable[[], list[str]]


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """A shop's export, cut into files of as many records each."""
    shop = tmp_path_factory.mktemp("shop") / "shop.csv"
    write_sample(shop, 200, 1, silent)
    header, *records = shop.read_bytes().splitlines(keepends=True)
    return [header + b"".join(records[day::DAYS]) for day in range(DAYS)]


@pytest.fixture(scope="module")
def model(days: list[bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model of a run over the first two files, a bag of pages."""
    folder = tmp_path_factory.mktemp("trained")
    first = [put(folder, f"day{day}.csv", days[day]) for day in range(2)]
    settings = RunSettings(
        label=LabelSettings(mode=LabelMode.OFF),
        train=TrainSettings.checked(**PRESETS[Preset.BAG]),
        cluster=ClusterSettings(n_clusters=3, auto=False),
    )
    run(folder / "out", first, settings, silent)
    return folder / "out" / "model"


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
    score([folder], model, tmp_path / "once.parquet", silent, Device.CPU)
    return placed(tmp_path / "once.parquet")


def test_files_that_come_one_by_one_end_as_one_run_over_all(
    folder: Path, model: Path, days: list[bytes], tmp_path: Path
) -> None:
    one = watcher(folder, model, tmp_path / "out")
    assert one.look(silent) == []
    for day in (1, 0, 3, 2):
        put(folder, f"day{day}.csv", days[day])
        [line] = one.look(silent)
        assert line.startswith(f"day{day}.csv is taken: ")
        assert one.look(silent) == [], "taken once"
    pd.testing.assert_frame_equal(placed(tmp_path / "out" / USERS), of_one_run(folder, model, tmp_path))
    last = one.taken.files[-1]
    assert last.users == len(placed(tmp_path / "out" / USERS))
    assert sum(last.segments.values()) == (placed(tmp_path / "out" / USERS)["cluster"] >= 0).sum()


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
    assert len(one.look(silent)) == 1
    (folder / "later.csv").unlink()
    put(folder, "day0.csv", days[0] + days[2].split(b"\n", 1)[1])
    assert len(one.look(silent)) == 1
    assert len(one.taken.files) == 1
    assert len(list((tmp_path / "out" / KEPT / "read").iterdir())) == 1, "the old reading is let go"
    pd.testing.assert_frame_equal(placed(tmp_path / "out" / USERS), of_one_run(folder, model, tmp_path))


def test_a_file_that_cannot_be_used_is_told_once_and_bars_no_other(
    folder: Path, model: Path, days: list[bytes], tmp_path: Path
) -> None:
    put(folder, "day0.csv", days[0])
    put(folder, "day1.csv", b"these,are,other\n1,2,3\n")
    one = watcher(folder, model, tmp_path / "out")
    first, second = one.look(silent)
    assert first.startswith("day0.csv is taken")
    assert second.startswith("day1.csv is not used: day1.csv has no column")
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
    put(folder, "day0.csv", days[1])
    assert not seen.unchanged(path)


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
        patched.setattr("core.runs.watch.write_scored", full)
        with pytest.raises(ResourceError, match="disk is full"):
            one.look(silent)
    assert (tmp_path / "out" / RECORD).read_bytes() == before
    assert len(one.look(silent)) == 1
    assert [path.name for path in (tmp_path / "out").glob(".working*")] == []


def test_a_second_watcher_is_told_who_is_there(folder: Path, model: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with claimed(tmp_path / "out"):
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
    record = (tmp_path / "out" / RECORD).read_text()
    (tmp_path / "out" / RECORD).write_text(record.replace('"read_with": "', '"read_with": "x'))
    with pytest.raises(SettingsError, match="reads other columns"):
        watch(folder, model, tmp_path / "out", silent, print, once=True)
    (tmp_path / "out" / RECORD).write_text(record[:100])
    with pytest.raises(ArtifactError, match="is damaged"):
        read_taken(tmp_path / "out")


def test_killed_at_any_moment_each_file_counts_once(
    folder: Path, model: Path, days: list[bytes], tmp_path: Path
) -> None:
    for day, content in enumerate(days):
        put(folder, f"day{day}.csv", content)
    out = tmp_path / "out"
    command = [sys.executable, "-m", "core", "watch", folder, "--model", model, "--out", out]
    for step in ("read", ".working.", "users.parquet"):
        child = subprocess.Popen(
            [*map(str, command), "--settle", "0", "--every", "0.1"], stderr=subprocess.DEVNULL
        )
        for _ in range(600):
            time.sleep(0.05)
            if next(out.glob(f"**/*{step}*"), None) or child.poll() is not None:
                break
        child.send_signal(signal.SIGKILL)
        child.wait()
    watch(folder, model, out, silent, print, settle_s=0.01, once=True)
    taken = read_taken(out)
    assert taken is not None
    assert sorted(file.name for file in taken.files) == [f"day{day}.csv" for day in range(DAYS)]
    pd.testing.assert_frame_equal(placed(out / USERS), of_one_run(folder, model, tmp_path))

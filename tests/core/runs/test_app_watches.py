"""Watches that the app started: real children, killed, stopped, refused and started again."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from threading import Thread

import pytest

from core.base.errors import ArtifactError, ResourceError, SettingsError
from core.base.settings import IngestSettings
from core.runs import app_watches, job_process, jobs
from core.runs.app_watches import FOLDER, LIVE, TASK, AppWatch, WatchOrder, WatchState
from core.runs.frozen import key_and_reading
from core.runs.model_folder import INGEST_SETTINGS, MODEL, SEALED, checksums, read_files
from core.runs.taken_files import RECORD, read_taken, taken_alike
from core.storage.locks import claim_folder
from core.storage.replace_files import READY
from core.storage.store import Store

PATIENCE_S = 120.0


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "cache")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "in"
    path.mkdir()
    return path


def order(folder: Path, at: str = "2026-01-01T06:10:00+00:00") -> WatchOrder:
    names = {0: "1 · Buyers", 1: "2 · Readers", 2: "3 · Others"}
    return WatchOrder(folder=folder, dataset="d", model="m", title="shop.csv", names=names, at=at)


def begin(store: Store, folder: Path, model: Path) -> AppWatch:
    app_watches.start(store, order(folder), partial(shutil.copytree, model))
    return only(store)


def only(store: Store) -> AppWatch:
    [found] = app_watches.watches(store)
    return found


def wait_for(store: Store, check: Callable[[AppWatch], object]) -> AppWatch:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if check(found := only(store)):
            return found
        time.sleep(0.1)
    raise AssertionError(f"still {found.state}: {found.job}")


def is_in(state: WatchState) -> Callable[[AppWatch], bool]:
    return lambda found: found.state is state


def has_taken(n: int) -> Callable[[AppWatch], bool]:
    return lambda found: (taken := found.taken()) is not None and len(taken.files) == n


def kill(store: Store) -> None:
    job = only(store).job
    assert job is not None
    process = job_process.live_process(store.root / "jobs" / job.id)
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)


def test_a_watch_takes_is_killed_goes_on_and_is_stopped(
    store: Store, folder: Path, model: Path, days: list[bytes]
) -> None:
    (folder / "day0.csv").write_bytes(days[0])
    assert begin(store, folder, model).state in (WatchState.STARTING, WatchState.WATCHING)
    try:
        found = wait_for(store, has_taken(1))
        wait_for(store, is_in(WatchState.WATCHING))
        assert only(store).looked is not None
        taken = only(store).taken()
        assert taken is not None
        assert taken.model == found.order.frozen == key_and_reading(model)[0]
        wait_for(store, lambda found: found.told())
        with pytest.raises(SettingsError, match="is being watched already"):
            begin(store, folder, model)
        with pytest.raises(SettingsError, match="stop it first"):
            app_watches.delete(store, found)
        kill(store)
        dead = wait_for(store, is_in(WatchState.DEAD))
        assert dead.job is not None
        assert "it was killed" in dead.job.error
        (folder / "day1.csv").write_bytes(days[1])
        app_watches.go_on(store, dead)
        wait_for(store, has_taken(2))
        found = wait_for(store, lambda found: len(found.told()) == 2)  # told once the record is in place
        assert [line.split(":")[0] for _, line in found.told()] == ["day1.csv is taken", "day0.csv is taken"]
        folder.rename(folder.with_name("away"))
        found = wait_for(store, is_in(WatchState.TROUBLE))
        assert found.job is not None
        assert "No such file or directory" in found.job.message
        folder.with_name("away").rename(folder)
        wait_for(store, is_in(WatchState.WATCHING))
    finally:
        app_watches.stop(store, only(store))
        stopped = wait_for(store, is_in(WatchState.STOPPED))
    app_watches.delete(store, stopped)
    assert app_watches.watches(store) == []
    assert len(list(folder.iterdir())) == 2, "the files are the analyst's"


def test_what_ends_a_watch_is_told(store: Store, folder: Path, model: Path) -> None:
    begin(store, folder, model)
    shutil.rmtree(only(store).place / MODEL)
    found = wait_for(store, is_in(WatchState.DEAD))
    assert found.job is not None
    assert "is not the model folder of a finished run" in found.job.error
    assert found.looked is None
    shutil.copytree(model, found.place / MODEL)
    with claim_folder(found.place / LIVE):
        app_watches.go_on(store, found)
        found = wait_for(store, is_in(WatchState.DEAD))
    assert found.job is not None
    assert f"is being written by process {os.getpid()}" in found.job.error, "the command line has it"


def ordered(store: Store, folder: Path) -> Path:
    """The place of a watch that no job does."""
    place = app_watches.place_of(store, folder)
    (place / LIVE).mkdir(parents=True)
    (place / "order.json").write_text(order(folder).model_dump_json())
    return place


def test_a_watch_whose_job_was_cleaned_away_has_ended_and_a_damaged_order_is_left_out(
    store: Store, folder: Path
) -> None:
    place = ordered(store, folder)
    assert only(store).state is WatchState.ENDED, "nobody knows whether it was stopped"
    (place / "order.json").write_text("{")
    assert app_watches.watches(store) == []


def test_a_job_that_nobody_wrote_down_is_the_watch_s(store: Store, folder: Path) -> None:
    """Whoever starts one may be killed right after, and many jobs may come before anybody looks."""
    place = ordered(store, folder)
    asked = {"task": TASK, "subject": place.name, "request": {"folder": str(folder)}, "started": time.time()}
    for name, task in (("2026-a", TASK), *((f"2027-{n}", "inspect") for n in range(60))):
        (store.root / "jobs" / name).mkdir(parents=True)
        (store.root / "jobs" / name / "request.json").write_text(json.dumps({**asked, "task": task}))
    assert only(store).state is WatchState.STARTING
    with pytest.raises(SettingsError, match="stop it first"):
        app_watches.delete(store, only(store))
    app_watches.stop(store, only(store))
    assert only(store).state is WatchState.STOPPED


def test_none_is_deleted_while_it_is_being_started(
    store: Store, folder: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ordered(store, folder)
    monkeypatch.setattr(jobs, "start", lambda *_: "a-job")
    refused: list[ResourceError] = []

    def another_session() -> None:
        try:
            app_watches.delete(store, only(store))
        except ResourceError as error:
            refused.append(error)

    def publish(building: Path) -> None:
        shutil.copytree(model, building)
        other = Thread(target=another_session)
        other.start()
        other.join()

    app_watches.start(store, order(folder), publish)
    assert len(refused) == 1
    assert (only(store).place / MODEL).is_dir()


@pytest.mark.parametrize("waits", [False, True])
def test_files_that_were_read_otherwise_refuse_the_model_and_all_stays(
    store: Store, folder: Path, model: Path, waits: bool
) -> None:
    place = ordered(store, folder)
    taken = place / LIVE / READY if waits else place / LIVE
    taken.mkdir(exist_ok=True)
    (taken / RECORD).write_bytes(taken_alike(place / LIVE, key_and_reading(model)[1]).to_json())
    if waits:
        (taken / ".order.json").write_text(json.dumps({"put": [RECORD], "remove": []}))
    before = only(store).order

    def publish(building: Path) -> None:
        shutil.copytree(model, building)
        settings = IngestSettings.model_validate_json((building / INGEST_SETTINGS).read_bytes())
        other = settings.model_copy(update={"user_key": "user_id"})
        (building / INGEST_SETTINGS).write_text(other.model_dump_json())
        (building / SEALED).write_text(json.dumps(checksums(read_files(building))))

    with pytest.raises(SettingsError, match="delete this watch"):
        app_watches.start(store, order(folder, "2027-01-01T00:00:00+00:00"), publish)
    assert only(store).order == before
    (place / LIVE / RECORD).write_text("{")
    with pytest.raises(ArtifactError, match="delete this watch"):
        app_watches.start(store, order(folder), partial(shutil.copytree, model))
    app_watches.delete(store, only(store))
    assert not list((store.root / FOLDER).iterdir())


def test_the_record_is_read_while_it_is_put_in_place(store: Store, folder: Path) -> None:
    place = ordered(store, folder)
    (place / LIVE / READY).mkdir()
    assert only(store).taken() is None
    (place / LIVE / READY / RECORD).write_bytes(b'{"read_with": "x"}')
    assert only(store).taken() == read_taken(place / LIVE / READY)
    (place / LIVE / RECORD).write_bytes(b"{")
    with pytest.raises(ArtifactError, match="damaged"):
        only(store).taken()


def test_one_folder_has_one_place_whatever_it_is_called(store: Store, folder: Path) -> None:
    (folder.parent / "link").symlink_to(folder)
    assert app_watches.place_of(store, folder.parent / "link") == app_watches.place_of(store, folder)

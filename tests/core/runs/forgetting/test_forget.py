"""The whole: users are forgotten wherever the app keeps something, and nothing is left of them."""

from __future__ import annotations

import json
import random
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
import pytest

from core.base.errors import Cancelled, InputError, ResourceError, SettingsError
from core.base.progress import silent
from core.base.settings import PRESETS, ClusterSettings, IngestSettings, Preset, TrainSettings, ViewWeights
from core.facts.answer import Answer, Note
from core.ingest.sample import write_sample
from core.labels.label_settings import LabelMode, LabelSettings
from core.profiles.names import SegmentName
from core.runs import app_watches, jobs, pipeline
from core.runs.app_watches import WatchOrder
from core.runs.forgetting.certificate import ForgetCertificate
from core.runs.forgetting.forget import forget, ids_of, preview
from core.runs.forgetting.patterns import IdPatterns
from core.runs.forgetting.places import JOBS, SearchedPlaces
from core.runs.jobs import JobView, State
from core.runs.pipeline import RunSettings
from core.runs.publish import BOUNDED
from core.runs.run import run
from core.runs.watch import watch
from core.saved import controls, conversations, saved_runs, saved_work
from core.saved.controls import Controls
from core.storage.json_cache import JsonCache
from core.storage.locks import claim_folder
from core.storage.store import Store
from tests.core.saved.test_saved_runs import a_run
from tests.core.saved.test_saved_runs import segments as some_segments

BAG = TrainSettings.checked(**PRESETS[Preset.BAG])
OFF = LabelSettings(mode=LabelMode.OFF)


@dataclass(frozen=True)
class Shop:
    """A folder in which everything has been done with an export.

    Args:
        root: The folder.
        gone: Ids to forget.
        stay: The other ids.
        model: Key of the model in the store.
        run: Key of the saved run.
    """

    root: Path
    gone: tuple[str, ...]
    stay: tuple[str, ...]
    model: str
    run: str

    @property
    def store(self) -> Store:
        return Store(self.root / "cache")

    @property
    def places(self) -> SearchedPlaces:
        outs = (self.root / "out", self.root / "live")
        return SearchedPlaces(self.root / "cache", outs, (self.root / "input", self.root / "incoming"))

    @property
    def patterns(self) -> IdPatterns:
        return ids_of("\n".join(self.gone))


def in_store(store: Store, export: Path) -> tuple[str, str]:
    """Prepared, trained, embedded; segments on screen, saved, spoken about."""
    dataset = pipeline.preprocess(store, [export], IngestSettings(), silent)
    trained = pipeline.train(store, dataset, None, BAG, silent)
    embeddings = pipeline.embed(store, dataset, None, trained, silent)
    combined = pipeline.combine(embeddings, ViewWeights())
    partition = pipeline.cluster(combined, embeddings.inside, ClusterSettings(n_clusters=3, auto=False))
    shown = replace(some_segments([0, 1]), embeddings=embeddings.artifact.key, partition=partition)
    saved_work.save_segments(store, trained.key, shown)
    saved_work.rename(store, trained.key, {1: "Gift hunters"})
    controls.save(store, trained.key, Controls(n_clusters=3))
    told = a_run(
        dataset=dataset.key, model=trained.key, embeddings=embeddings.artifact.key,
        names={1: SegmentName("Gift hunters")}, sizes=partition.sizes,
    )  # fmt: skip
    return trained.key, saved_runs.save(store, told, shown, dataset)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    root = tmp_path_factory.mktemp("shop")
    for name in ("input", "incoming"):
        (root / name).mkdir()
    export = root / "input" / "shop.csv"
    write_sample(export, 200, 1, silent)
    ids = sorted(set(pd.read_csv(export, dtype=str)["user_pseudo_id"].dropna()))
    gone = random.Random(0).sample(ids, 100)
    header, *lines = export.read_text().splitlines(keepends=True)
    half = len(lines) // 2
    (root / "incoming" / "day1.csv").write_text(header + "".join(lines[:half]))
    (root / "incoming" / "day2.csv").write_text(header + "".join(lines[half:]))
    settings = RunSettings(label=OFF, train=BAG, cluster=ClusterSettings(n_clusters=3, auto=False))
    run(root / "out", [export], settings, silent)
    watch(root / "incoming", root / "out" / "model", root / "live", silent, print, once=True, settle_s=0)
    model, saved = in_store(Store(root / "cache"), export)
    return Shop(root, tuple(gone), tuple(sorted(set(ids) - set(gone))), model, saved)


@pytest.fixture
def shop(finished: Shop, tmp_path: Path) -> Shop:
    """A copy, with ids where people and models write."""
    made = replace(finished, root=shutil.copytree(finished.root, tmp_path / "shop"))
    store, one, other = made.store, made.gone[0], made.stay[0]
    for model in (made.model, "0" * 24):  # of the data, and of other data
        about = conversations.ask(store, conversations.begin(model), f"What of {one} and {other}?")
        conversations.answer(store, about, 0, Answer((Note(text=f"{one} is there"),)), None)
    with JsonCache(store.root / "answers", 1 << 20) as cache:
        cache.put({"a": {"text": f"of {one}"}})
    (store.root / "llm_log").mkdir()
    calls = [json.dumps({"asked": text}) for text in (f"{one}?", f"{other}?")]
    (store.root / "llm_log" / "calls.jsonl").write_text("\n".join(calls) + "\n")
    (store.root / "preferences.json").write_text(json.dumps({"note": one}))
    for job, said in (("1-a", one), ("2-b", other)):
        (store.root / JOBS / job).mkdir(parents=True)
        (store.root / JOBS / job / "status.json").write_text(json.dumps({"state": "done", "rows": [[said]]}))
    kept_watch(made, "incoming", made.model, shutil.copytree(made.root / "live", tmp_path / "live"))
    kept_watch(made, "other", "0" * 24, None)
    (store.root / "checkpoints" / "unfinished").mkdir(parents=True)
    (store.root / "checkpoints" / "unfinished" / "x.safetensors").write_bytes(b"x")
    (store.root / "second_training" / "embed" / "of_an_earlier_release").mkdir(parents=True)
    (store.root / "preprocess" / ".key.1.abcd").mkdir()
    (store.root / "preprocess" / ".key.1.abcd" / "raw").write_text(one)
    (made.root / "input" / ".0123456789abcdef.part").write_text(one)
    (made.root / "out" / f"{BOUNDED}killed" / "raw").mkdir(parents=True)
    (made.root / "out" / f"{BOUNDED}killed" / "raw" / "0").write_text(one)
    (made.root / "out" / ".publishing.x").mkdir()
    (made.root / "out" / ".publishing.x" / "raw").write_text(one)
    return made


def kept_watch(shop: Shop, folder: str, model: str, live: Path | None) -> Path:
    """A watch as the app keeps it, that ended."""
    watched = shop.root / folder
    order = WatchOrder(
        folder=watched, dataset="d", model=model, title="shop.csv", names={0: "Buyers"}, at="2026-01-01"
    )
    place = app_watches.place_of(shop.store, watched)
    shutil.copytree(shop.root / "out" / "model", place / "model")
    (place / "order.json").write_text(order.model_dump_json())
    if live is not None:
        shutil.copytree(live, place / "live")
    return place


def bytes_with(root: Path, ids: tuple[str, ...]) -> list[Path]:
    """Independently of the app: files whose bytes, or text columns, hold one of the ids."""
    found = []
    for path in (path for path in root.rglob("*") if path.is_file()):
        data = path.read_bytes()
        if path.suffix == ".parquet":
            data += pd.read_parquet(path).to_csv().encode()
        if any(one.encode() in data for one in ids):
            found.append(path)
    return found


def test_nothing_is_left_of_a_hundred_users(shop: Shop) -> None:
    assert len(bytes_with(shop.root, shop.gone)) > 10
    done = forget(shop.places, shop.patterns, silent)
    assert done.is_clean, done.left
    assert (done.ids, done.found) == (100, 100)
    assert bytes_with(shop.root, shop.gone) == []
    assert done.bytes_searched >= done.bytes_on_disk > 0
    assert not any(one in done.to_json() for one in shop.gone)


def test_what_was_made_of_them_is_gone_and_all_else_stays(shop: Shop) -> None:
    store, other = shop.store, shop.stay[0]
    forget(shop.places, shop.patterns, silent)
    left = {path.parent.parent.name for path in store.root.rglob("manifest.json")}
    assert left == {"runs"}
    assert not list((store.root / "workbench").glob(f"{shop.model}*"))
    assert conversations.earlier(store, shop.model) == []
    assert list((store.root / "checkpoints").glob("*")) == []
    assert list((store.root / "second_training").glob("*")) == []
    [kept] = conversations.earlier(store, "0" * 24)
    talk = conversations.load(store, "0" * 24, kept.id)
    assert talk is not None
    assert talk.exchanges[0].question == f"What of [forgotten] and {other}?"
    calls = [json.loads(line) for line in (store.root / "llm_log" / "calls.jsonl").read_text().splitlines()]
    assert calls == [{"asked": "[forgotten]?"}, {"asked": f"{other}?"}]
    assert [path.name for path in (store.root / JOBS).glob("[!.]*")] == ["2-b"]
    assert {path.name for path in (shop.root / "out").glob("[!.]*")} == {"run.json", "stages"}


def test_a_watch_of_the_app_goes_as_a_whole_by_what_it_holds_or_by_its_model(shop: Shop) -> None:
    """Its model was trained on them; another one stays."""
    by_model = kept_watch(shop, "empty", shop.model, None)
    holds = kept_watch(shop, "held", "0" * 24, shop.root / "live")
    told = preview(shop.places, shop.patterns, silent)
    assert sum(one["what"] == "watch" for one in told.steps) == 3
    forget(shop.places, shop.patterns, silent)
    assert not by_model.exists()
    assert not holds.exists()
    [left] = app_watches.watches(shop.store)
    assert left.order.folder == shop.root / "other"


def test_a_file_that_is_no_text_goes_and_is_not_damaged(shop: Shop) -> None:
    """Marks in it would not fit its lengths and checksums."""
    path = shop.store.root / "of_the_app.parquet"
    pd.DataFrame({"user": [shop.gone[0], shop.stay[0]]}).to_parquet(path)
    assert forget(shop.places, shop.patterns, silent).is_clean
    assert not path.exists()


def test_a_saved_run_keeps_its_words_and_says_that_it_cannot_be_opened(shop: Shop) -> None:
    forget(shop.places, shop.patterns, silent)
    told = saved_runs.saved_runs(shop.store)[shop.run]
    assert (told.name, told.own_names) == ("Spring", {1: "Gift hunters"})
    assert "its data set" in saved_runs.missing_parts(shop.store, told)
    assert not list((shop.store.root / "runs" / shop.run).glob("*.npy"))
    saved_runs.rename_run(shop.store, shop.run, name="Spring, without some", note="")
    assert saved_runs.saved_runs(shop.store)[shop.run].name == "Spring, without some"


def test_the_files_give_what_is_left_and_the_watch_takes_them_again(shop: Shop) -> None:
    forget(shop.places, shop.patterns, silent)
    dataset = pipeline.preprocess(shop.store, [shop.root / "input" / "shop.csv"], IngestSettings(), silent)
    there = set(dataset.sequences.user_id.to_pylist())
    assert there <= set(shop.stay)
    assert len(there) > 50
    settings = RunSettings(label=OFF, train=BAG, cluster=ClusterSettings(n_clusters=3, auto=False))
    run(shop.root / "out", [shop.root / "input" / "shop.csv"], settings, silent)
    live = shop.root / "live"
    watch(shop.root / "incoming", shop.root / "out" / "model", live, silent, print, once=True, settle_s=0)
    assert set(pd.read_parquet(live / "users.parquet")["user_id"]) == there
    assert bytes_with(shop.root, shop.gone) == []


def test_a_preview_changes_nothing_and_names_no_id(shop: Shop) -> None:
    before = {path: path.read_bytes() for path in shop.root.rglob("*") if path.is_file()}
    told = preview(shop.places, shop.patterns, silent)
    after = {path: path.read_bytes() for path in shop.root.rglob("*") if path.is_file()}
    assert before == after
    assert {"prepared data", "trained model", "saved run", "input file"} <= {
        one["what"] for one in told.steps
    }
    assert not any(one in json.dumps(told.to_plain()) for one in shop.gone)


def test_files_are_left_alone_unless_they_are_named(shop: Shop) -> None:
    before = (shop.root / "input" / "shop.csv").read_bytes()
    done = forget(replace(shop.places, inputs=()), shop.patterns, silent)
    assert done.is_clean
    assert (shop.root / "input" / "shop.csv").read_bytes() == before


def test_what_cannot_be_written_anew_is_named_without_the_id(shop: Shop) -> None:
    one = shop.gone[0]
    (shop.root / "input" / f"letter of {one}.pdf").write_bytes(b"%PDF-1.7 " + one.encode())
    done = forget(shop.places, shop.patterns, silent)
    assert [left.file.rsplit("/", 1)[1] for left in done.left] == ["letter of [forgotten].pdf"]
    assert not done.is_clean
    assert one not in done.to_json()


def test_ids_that_nobody_has_are_counted_and_cost_nothing(shop: Shop) -> None:
    before = {path: path.read_bytes() for path in shop.store.root.glob("preprocess/[!.]*/*")}
    done = forget(shop.places, ids_of("1111111111.2222222222\n3333333333.4444444444"), silent)
    assert (done.ids, done.found, done.is_clean, dict(done.done)) == (2, 0, True, {})
    assert all(path.read_bytes() == data for path, data in before.items())


def test_a_short_id_is_found_in_columns_of_ids(tmp_path: Path) -> None:
    export = tmp_path / "a.csv"
    row = "{n},17000000000000{n},page_view,https://x.example/{p}"
    rows = [row.format(n=10 + n % 9, p=n % 5) for n in range(60)]
    export.write_text("user_pseudo_id,event_timestamp,event_name,page_location\n" + "\n".join(rows))
    store = Store(tmp_path / "cache")
    pipeline.preprocess(store, [export], IngestSettings(), silent)
    done = forget(SearchedPlaces(store.root), ids_of("12"), silent)
    assert (done.short, done.found, done.is_clean) == (1, 1, True)
    assert not list(store.root.glob("preprocess/[!.]*"))


def test_data_of_which_a_user_was_left_out_go_by_the_file_that_they_are_of(shop: Shop) -> None:
    """The file's checksum leads to every data set that was made of it."""
    [made] = (shop.store.root / "preprocess").glob("[!.]*/users.parquet")
    for path in made.parent.glob("*.parquet"):
        if path.name in ("users.parquet", "outcomes.parquet", "sequences.parquet", "rejects.parquet"):
            path.unlink()  # as if none of them had ever come so far
    forget(SearchedPlaces(shop.store.root, inputs=(shop.root / "input",)), shop.patterns, silent)
    assert not made.parent.exists()


def test_a_table_in_place_of_a_list_is_refused_before_anything_goes(shop: Shop) -> None:
    one, other = shop.gone[:2]
    for text in (f"{one},{other}", f"user_id,reason\n{one},asked", f'="{one}"', f"{one};x", f"{one}\tx"):
        with pytest.raises(InputError, match="Found nowhere"):
            preview(shop.places, ids_of(text), silent)
    with pytest.raises(InputError, match="1 line of the list"):
        forget(shop.places, ids_of(f"{one},{other}"), silent)
    assert len(bytes_with(shop.root, shop.gone)) > 10


def test_the_outcome_says_how_many_stood_somewhere_and_how_many_are_too_short(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("user_id,x\nu-123456,1\n10234,2\n")
    done = forget(SearchedPlaces(None, (), (tmp_path,)), ids_of("u-123456\n10234\nnobody-1"), silent)
    assert "1 of 3 ids found, 0 places left of 2 ids; 1 id too short to be searched in text" in done.sentence


def test_a_longer_id_of_another_is_left_with_all_that_is_theirs(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("user_id,x\nu-100001,1\nu-100001-2,2\n")
    done = forget(SearchedPlaces(None, (), (tmp_path,)), ids_of("u-100001"), silent)
    assert (done.is_clean, done.records, done.others) == (True, 1, 1)
    assert (tmp_path / "a.csv").read_text() == "user_id,x\nu-100001-2,2\n"


def test_an_export_in_windows_1252_loses_its_users(tmp_path: Path) -> None:
    text = "user_id,x\nmüller-10,1\nmüller-11,2\n"
    (tmp_path / "a.csv").write_bytes(text.encode("cp1252"))
    done = forget(SearchedPlaces(None, (), (tmp_path,)), ids_of("müller-10"), silent)
    assert (done.found, done.records, done.is_clean) == (1, 1, True)
    assert (tmp_path / "a.csv").read_bytes() == "user_id,x\nmüller-11,2\n".encode("cp1252")


def test_a_name_in_which_the_id_is_spelt_otherwise_is_not_told(tmp_path: Path) -> None:
    (tmp_path / "of anna%40example.com.csv").write_text("user_id,x\nz,1\n")
    done = forget(SearchedPlaces(None, (), (tmp_path,)), ids_of("anna@example.com"), silent)
    assert [one.file.rsplit("/", 1)[1] for one in done.left] == ["[forgotten].csv"]


@pytest.mark.parametrize("text", ["", "\n \n", "user_id\n"])
def test_a_list_without_ids_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="no id"):
        ids_of(text)


def test_a_heading_is_no_id_and_a_column_is_refused() -> None:
    assert ids_of('user_pseudo_id\n "1.2" \n\n3.4\r\n1.2').ids == {"1.2", "3.4"}
    with pytest.raises(InputError, match="column"):
        ids_of("1.2\nuser_id")


def test_places_that_are_none_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="not there"):
        forget(SearchedPlaces(tmp_path / "nowhere"), ids_of("abcdefg"), silent)
    with pytest.raises(SettingsError, match="neither a run nor a watch"):
        forget(SearchedPlaces(outs=(tmp_path,)), ids_of("abcdefg"), silent)


def test_a_first_run_that_was_killed_leaves_nobody(tmp_path: Path) -> None:
    raw = tmp_path / f"{BOUNDED}killed" / "raw" / "0"
    raw.parent.mkdir(parents=True)
    raw.write_text("abcdefg.1234567")
    assert forget(SearchedPlaces(outs=(tmp_path,)), ids_of("abcdefg.1234567"), silent).is_clean
    assert bytes_with(tmp_path, ("abcdefg.1234567",)) == []


def test_a_job_at_work_or_a_running_watch_refuses(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    from threading import Thread

    refused = []

    def meanwhile() -> None:
        with pytest.raises(ResourceError, match="being written by"):
            forget(shop.places, shop.patterns, silent)
        refused.append(True)

    with claim_folder(shop.root / "live"):
        other = Thread(target=meanwhile)
        other.start()
        other.join()
    assert refused
    monkeypatch.setattr(jobs, "active", lambda *_: [JobView("1", "train", "x", State.RUNNING)])
    with pytest.raises(ResourceError, match=r"at work on this cache \(train\)"):
        forget(shop.places, shop.patterns, silent)
    assert len(bytes_with(shop.root, shop.gone)) > 10


def test_a_job_that_began_long_ago_refuses(shop: Shop) -> None:
    """A watch works for weeks, while hundreds of jobs come and go."""
    old, *others = (shop.store.root / JOBS / f"{n:03}" for n in range(60))
    for folder in (old, *others):
        folder.mkdir()
        asked = {"task": "watch", "subject": "x", "request": {}, "started": time.time()}
        (folder / "request.json").write_text(json.dumps(asked))
        (folder / "status.json").write_text(json.dumps({"state": "starting" if folder == old else "done"}))
    with pytest.raises(ResourceError, match=r"at work on this cache \(watch\)"):
        forget(shop.places, shop.patterns, silent)


class Stopped(BaseException):
    """As a kill: nothing of ours catches it."""


@pytest.mark.parametrize("after", [1, 5, 9, 14, 20])
def test_whoever_is_stopped_half_way_goes_on(shop: Shop, after: int) -> None:
    """Whatever was made of what holds an id goes before it, so that the rest is found again."""
    left = iter(range(after))

    def stop(stage: str, *_: object, **__: object) -> None:
        if stage == "forget" and next(left, None) is None:
            raise Stopped

    with suppress(Stopped):
        forget(shop.places, shop.patterns, stop)
    done = forget(shop.places, shop.patterns, silent)
    assert done.is_clean
    assert bytes_with(shop.root, shop.gone) == []
    assert {path.parent.parent.name for path in shop.store.root.rglob("manifest.json")} == {"runs"}
    assert {path.name for path in (shop.root / "out").glob("[!.]*")} == {"run.json", "stages"}
    assert list((shop.root / "out" / "stages").glob("*/[!.]*/manifest.json")) == []


def test_a_full_disk_is_told_and_the_next_one_goes_on(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", "x")

    with monkeypatch.context() as patched:
        patched.setattr("core.storage.disk.flush", full)
        with pytest.raises(ResourceError, match="full"):
            forget(shop.places, shop.patterns, silent)
    assert forget(shop.places, shop.patterns, silent).is_clean


def test_it_can_be_cancelled(shop: Shop) -> None:
    def stop(*_: object, **__: object) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        forget(shop.places, shop.patterns, stop)
    assert len(bytes_with(shop.root, shop.gone)) > 10


def test_the_certificate_is_of_this_list_and_no_other(shop: Shop) -> None:
    import hashlib

    done: ForgetCertificate = forget(SearchedPlaces(shop.store.root), shop.patterns, silent)
    salt, text = bytes.fromhex(done.salt), "\n".join(sorted(shop.gone)).encode()
    assert hashlib.scrypt(text, salt=salt, n=1 << 14, r=8, p=1, dklen=32).hex() == done.digest
    assert hashlib.scrypt(text[1:], salt=salt, n=1 << 14, r=8, p=1, dklen=32).hex() != done.digest

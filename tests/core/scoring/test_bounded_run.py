"""A run in a bound of memory: all users are placed, counted and accounted for, and nothing half is left."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from core.base.errors import Cancelled, InputError, ResourceError, SettingsError
from core.base.progress import Progress, silent
from core.base.schema import Raw
from core.base.settings import (
    PRESETS,
    AnalyzeSettings,
    ClusterSettings,
    IngestSettings,
    Preset,
    TrainSettings,
)
from core.cli.run_command import _runner
from core.ingest.read.read_all import RawRead
from core.ingest.read.read_cache import STAGE as READ
from core.ingest.read.read_cache import ReadCache
from core.labels.label_settings import LabelMode, LabelSettings
from core.runs import artifacts, pipeline, run
from core.runs.pipeline import RunSettings
from core.runs.publish import BOUNDED
from core.runs.run import read_previous
from core.scoring import bounded_run, parts, sampled
from core.scoring.bounded_run import run_bounded
from core.scoring.bounds import Bounds
from core.scoring.placing import STAGE
from core.storage.dataset import Dataset
from core.storage.receipt import Receipt
from core.storage.store import Store, open_artifact
from tests.core.cli.calls import cli, few_shuffles, largest_file, one_line_error
from tests.core.scoring.conftest import bounds_of

SETTINGS = RunSettings(
    label=LabelSettings(mode=LabelMode.OFF),
    train=TrainSettings.checked(**PRESETS[Preset.BAG]),
    cluster=ClusterSettings(n_clusters=3, auto=False),
)


@pytest.fixture(autouse=True, scope="module")
def quick() -> Iterator[None]:
    with few_shuffles():
        yield


@pytest.fixture(scope="module")
def out(shop: Path, whole: Dataset, quick: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with a third of the memory, into a folder where another one was killed."""
    folder = tmp_path_factory.mktemp("bounded") / "out"
    (folder / f"{BOUNDED}killed" / "raw").mkdir(parents=True)
    run_bounded(folder, [shop], SETTINGS, silent, bounds_of(whole, 0.4))
    return folder


def test_every_user_is_placed_once_and_is_as_in_a_run_of_all(out: Path, whole: Dataset) -> None:
    users = pd.read_parquet(out / "users.parquet").set_index("user_id").sort_index()
    expected = whole.users.set_index("user_id").sort_index()
    assert users.index.equals(expected.index)
    for name in ("page_views", "sessions", "browser", "device", "country", "source"):
        pd.testing.assert_series_equal(users[name], expected[name], check_dtype=False)
    inside = expected["group"] == "segment"
    assert (users.loc[inside, "cluster"] >= 0).all() and set(users.loc[inside, "cluster"]) == {0, 1, 2}
    assert (users.loc[~inside, "cluster"] == -1).all()
    assert users["embedding"].map(len).nunique() == 1


def test_the_receipt_adds_up_and_says_who_was_trained_on(out: Path, whole: Dataset) -> None:
    receipt = Receipt.model_validate_json((out / "receipt.json").read_bytes())
    assert receipt.trained_users is not None and 50 < receipt.trained_users < 200
    same = set(Receipt.model_fields) - {
        "warnings",
        "trained_users",
        "engagement_share",
        "outcome_pages",
        "as_ga4",
    }
    found, expected = receipt.model_dump(include=same), whole.receipt.model_dump(include=same)
    assert found == expected | {"outcome_users": found["outcome_users"]}
    assert receipt.engagement_share == pytest.approx(whole.receipt.engagement_share)
    for name, done in whole.receipt.outcome_users.items():
        counted = receipt.outcome_users[name]
        assert counted.revenue == pytest.approx(done.revenue)
        assert counted.model_copy(update={"revenue": done.revenue}) == done
    assert receipt.warnings[0].startswith("The segments are learned from a sample of")
    assert sum("without a user id" in text for text in receipt.warnings) == 1
    record = json.loads((out / "run.json").read_text())
    assert (record["users"], record["trained_users"]) == (len(whole.users), receipt.trained_users)


def test_profiles_count_all_users(out: Path, whole: Dataset) -> None:
    profiles = json.loads((out / "profiles.json").read_text())
    users = pd.read_parquet(out / "users.parquet")
    assert profiles["n_users"] == len(whole.users)
    by_key = {row["key"]: row for row in profiles["segments"]}
    for segment, of_it in users[users["cluster"] >= 0].groupby("cluster"):
        row = by_key[f"segment:{segment}"]
        assert row["users"] == len(of_it)
        assert row["page_views_median"] == of_it["page_views"].median()
        assert row["outcome_users"] == (of_it["outcome: purchase"] > 0).sum()


def test_nothing_half_is_left_and_the_store_is_whole(out: Path) -> None:
    assert [path.name for path in out.glob(".*")] == []
    [dataset] = [path for path in (out / "stages" / "preprocess").iterdir() if path.name[0] != "."]
    assert open_artifact(dataset).stage == "preprocess"  # its receipt was not written over
    assert read_previous(out).sampled


@pytest.fixture
def copied(out: Path, tmp_path: Path) -> Path:
    return shutil.copytree(out, tmp_path / "copied")


def test_a_later_stage_draws_the_users_of_then_in_the_memory_of_now(
    copied: Path, shop: Path, whole: Dataset
) -> None:
    def bounds(memory: str, sample_users: int | None = None) -> Bounds:
        found: Any = _runner(None, [shop], copied, "cluster", memory, sample_users)
        assert isinstance(found.keywords["bounds"], Bounds)
        return found.keywords["bounds"]

    trained = read_previous(copied)
    assert bounds("7GB") == Bounds(7 * 10**9, share=trained.share)
    assert bounds("7GB", 50) == Bounds(7 * 10**9, 50, trained.share)
    before = (copied / "profiles.json").read_bytes()
    record = run_bounded(copied, [shop], SETTINGS, silent, bounds("7GB"), from_stage="cluster")
    assert record["sample_share"] == trained.share == 0.25
    assert (read_previous(copied), (copied / "profiles.json").read_bytes()) == (trained, before)


def files_of(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in out.iterdir() if path.is_file()}


def test_a_later_stage_can_be_done_again_on_a_sample_and_all_are_placed_again(
    copied: Path, shop: Path, whole: Dataset
) -> None:
    def model() -> tuple[Path, int]:
        [path] = (copied / "stages" / "train").glob("[!.]*/manifest.json")
        return path, path.stat().st_mtime_ns

    before, trained = read_previous(copied), model()
    fewer = SETTINGS.model_copy(update={"cluster": ClusterSettings(n_clusters=2, auto=False)})
    record = run_bounded(copied, [shop], fewer, silent, bounds_of(whole, 0.4), from_stage="cluster")
    assert (record["keys"], model()) == (before.keys, trained)
    assert record["trained_users"] < record["users"] == len(whole.users)
    users = pd.read_parquet(copied / "users.parquet")
    assert (len(users), set(users["cluster"])) == (len(whole.users), {-1, 0, 1})
    run_bounded(copied, [shop], fewer, silent, bounds_of(whole, 0.4), from_stage="train")
    assert model()[0] == trained[0] and model()[1] > trained[1]
    pd.testing.assert_frame_equal(pd.read_parquet(copied / "users.parquet"), users)


@pytest.mark.parametrize("stage", ["label", "analyze"])
def test_a_later_stage_is_refused_without_the_records_or_with_another_sample(
    copied: Path, shop: Path, whole: Dataset, stage: str
) -> None:
    before = files_of(copied)
    said = one_line_error(cli("run", "--out", copied, "--from-stage", stage))
    assert "their records are needed again. Name INPUT" in said
    assert said.endswith(f"“python -m core run INPUT --out {copied} --from-stage {stage}”.")
    for others in (bounds_of(whole, 0.4, 50), Bounds(10**10, share=0.5)):
        with pytest.raises(
            SettingsError, match=r"trained on other users\. Name INPUT, --seed and --sample-u"
        ):
            run_bounded(copied, [shop], SETTINGS, silent, others, from_stage=stage)
    assert files_of(copied) == before
    assert len(list((copied / "stages" / "preprocess").glob("[!.]*"))) == 1


def test_all_stages_of_a_sample_can_be_done_again_in_the_bound_and_without(
    copied: Path, shop: Path, whole: Dataset
) -> None:
    before = files_of(copied)
    run_bounded(copied, [shop], SETTINGS, silent, bounds_of(whole, 0.4), from_stage="preprocess")
    for name in ("users.parquet", "receipt.json", "profiles.json"):
        assert files_of(copied)[name] == before[name], name
    run.run(copied, [shop], SETTINGS, silent, from_stage="preprocess")
    assert Receipt.model_validate_json((copied / "receipt.json").read_bytes()).trained_users is None
    assert "trained_users" not in json.loads((copied / "run.json").read_text())


def test_a_later_stage_can_be_done_alone_where_all_fitted(shop: Path, whole: Dataset, tmp_path: Path) -> None:
    bounds = bounds_of(whole, 2)
    assert not bounds.surely_holds([shop])  # so it went the way of parts, and all were one
    before = run_bounded(tmp_path, [shop], SETTINGS, silent, bounds)
    assert run.run(tmp_path, [], SETTINGS, silent, from_stage="cluster") == before
    said = one_line_error(cli("run", "--out", tmp_path, "--from-stage", "cluster", "--sample-users", 9))
    assert "works on this machine, on all that" in said


def test_a_run_that_is_stopped_while_it_places_leaves_what_was_there(
    out: Path, shop: Path, whole: Dataset
) -> None:
    said = []

    def stop(stage: str, fraction: float, message: str = "", **_: float) -> None:
        if stage == STAGE:
            said.append(message)
            if fraction:
                raise Cancelled

    before = {path.name: path.read_bytes() for path in out.iterdir() if path.is_file()}
    with pytest.raises(Cancelled):
        run_bounded(out, [shop], SETTINGS, stop, bounds_of(whole, 0.4))
    assert said[0] == "Placing all users"
    assert re.fullmatch(rf"\d+ of {len(whole.users)} users placed", said[1])
    assert {path.name: path.read_bytes() for path in out.iterdir() if path.is_file()} == before
    assert not list(out.glob(f"{BOUNDED}*"))


def test_a_sample_of_more_users_than_there_are_is_all_of_them(
    shop: Path, whole: Dataset, tmp_path: Path
) -> None:
    record = run_bounded(tmp_path / "a", [shop], SETTINGS, silent, bounds_of(whole, 2, 200_000))
    assert record["users"] == whole.receipt.users
    assert "trained_users" not in record


def test_what_cannot_fit_is_told(shop: Path, whole: Dataset, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="A sample of 290 users has about"):
        run_bounded(tmp_path / "a", [shop], SETTINGS, silent, bounds_of(whole, 0.4, 290))
    one = tmp_path / "one.csv"  # a user who sent nearly everything
    text = shop.read_text().splitlines(keepends=True)
    users = {line.split(",")[3] for line in text[1:]}
    one.write_text("".join([text[0], *(line.replace(line.split(",")[3], max(users)) for line in text[1:])]))
    with pytest.raises(ResourceError, match="few users sent most of them"):
        run_bounded(tmp_path / "b", [one], SETTINGS, silent, bounds_of(whole, 0.4))
    assert [path.name for path in (tmp_path / "b").iterdir()] == ["stages"] or not list(
        (tmp_path / "b").glob(f"{BOUNDED}*")
    )


def test_where_all_fit_the_data_set_is_that_of_any_run(shop: Path, whole: Dataset, tmp_path: Path) -> None:
    (work := tmp_path / "work").mkdir()
    raw = sampled.read_all([shop], SETTINGS.ingest, work / "raw", silent)
    enough = bounds_of(whole, 2)
    assert sampled.share_drawn(raw, enough, work) is None
    files = pipeline.fingerprints([shop])
    known = SETTINGS.ingest.model_copy(update={"known_pages": frozenset({"/a"})})
    keys = set()
    for number, settings in enumerate((SETTINGS.ingest, known)):
        store, other = Store(tmp_path / f"a{number}"), Store(tmp_path / f"b{number}")
        made = sampled.store_dataset(store, raw, settings, files, work, silent, enough)
        assert made.key == pipeline.preprocess(other, [shop], settings, silent).key
        keys.add(made.key)
    assert len(keys) == 2


def test_a_file_that_changes_while_it_is_read_is_refused(
    shop: Path, whole: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = tmp_path / "export.csv"
    export.write_bytes(shop.read_bytes())
    read_all = sampled.read_all

    def change_and_read(
        paths: Sequence[Path], how: IngestSettings, place: Path, progress: Progress, kept: ReadCache
    ) -> RawRead:
        export.write_bytes(shop.read_bytes()[:-1] + b"\r")
        return read_all(paths, how, place, progress, kept)

    monkeypatch.setattr(sampled, "read_all", change_and_read)
    with pytest.raises(InputError, match=r"export\.csv changed while it was read"):
        run_bounded(tmp_path / "out", [export], SETTINGS, silent, bounds_of(whole, 0.4))


def once_read(do: Callable[[], object]) -> Progress:
    """Progress that does something the first time that a part of a file was read."""
    left = [do]

    def report(stage: str, fraction: float, message: str = "", **_: float) -> None:
        if message.startswith("Reading") and left:
            left.pop()()

    return report


def state(out: Path) -> dict[str, bytes]:
    """Results and what is half done; locks and whole stages of the store may stay."""
    names = {path: path.relative_to(out).as_posix() for path in out.rglob("*") if path.name != ".lock"}
    seen = {path: name for path, name in names.items() if not name.startswith("stages/") or "/." in name}
    return {name: path.read_bytes() if path.is_file() else b"" for path, name in seen.items()}


@pytest.mark.parametrize("share", [1_000, 2, 0.4], ids=["small", "at once", "in parts"])
@pytest.mark.parametrize("what", ["grows", "goes"])
def test_a_file_that_grows_or_goes_while_it_is_read(
    shop: Path, out: Path, whole: Dataset, tmp_path: Path, share: float, what: str
) -> None:
    export = tmp_path / "export.csv"
    export.write_bytes(shop.read_bytes())

    def happen() -> None:
        if what == "goes":
            export.unlink()
        else:
            export.write_bytes(shop.read_bytes() * 2)

    before = state(out)
    told = {"grows": r"export\.csv changed while it was read", "goes": r"export\.csv .*No such file|exist"}
    settings = SETTINGS.model_copy(update={"ingest": IngestSettings(exclude_debug=False)})
    with pytest.raises(InputError, match=told[what]):
        run_bounded(out, [export], settings, once_read(happen), bounds_of(whole, share))
    assert state(out) == before


@pytest.mark.parametrize("size", [2_000, 60_000, 200_000])
def test_a_disk_that_takes_no_more_leaves_what_was_there(
    shop: Path, out: Path, whole: Dataset, size: int
) -> None:
    before = state(out)
    settings = SETTINGS.model_copy(update={"ingest": IngestSettings(exclude_internal=False)})
    with largest_file(size), pytest.raises(ResourceError):
        run_bounded(out, [shop], settings, silent, bounds_of(whole, 0.4))
    assert state(out) == before


def test_a_sample_of_nobody_is_told_as_one(shop: Path, whole: Dataset, tmp_path: Path) -> None:
    train = SETTINGS.train
    for seed in range(9):  # of some seeds one user of three hundred is none
        settings = SETTINGS.model_copy(update={"train": train.model_copy(update={"seed": seed})})
        (work := tmp_path / str(seed)).mkdir()
        raw = sampled.read_all([shop], settings.ingest, work / "raw", silent)
        bounds = bounds_of(whole, 0.4, 1)
        share = sampled.share_drawn(raw, bounds, work)
        assert share is not None
        if not parts.sample_of(raw, work / "one", share=share, seed=seed).rows:
            with pytest.raises(SettingsError, match=r"Nobody is in the sample .* draw more users"):
                run_bounded(tmp_path / "out", [shop], settings, silent, bounds)
            return
    pytest.fail("somebody was drawn every time")


def test_a_whole_data_set_of_before_is_taken_only_where_it_fits(
    shop: Path, whole: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_there(out: Path, share: float) -> bool:
        return bounded_run._is_there(out / "stages", [shop], SETTINGS.ingest, bounds_of(whole, share))

    assert not is_there(tmp_path, 2)
    pipeline.preprocess(Store(tmp_path / "stages"), [shop], SETTINGS.ingest, silent)
    assert is_there(tmp_path, 2) and not is_there(tmp_path, 0.4)
    monkeypatch.setattr(artifacts, "_is_of_before", lambda _: True)
    assert not is_there(tmp_path, 2)


def test_what_a_killed_run_left_goes_with_the_next_one_that_needs_no_parts(
    shop: Path, whole: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / f"{BOUNDED}killed" / "raw").mkdir(parents=True)
    monkeypatch.setattr(run, "_run", lambda *_: {})
    assert run_bounded(tmp_path, [shop], SETTINGS, silent, bounds_of(whole, 1_000)) == {}
    assert not list(tmp_path.glob(f"{BOUNDED}*"))


def test_a_new_file_is_read_and_those_of_before_are_not(shop: Path, tmp_path: Path) -> None:
    header, *lines = shop.read_text().splitlines(keepends=True)
    for number in range(3):
        (tmp_path / f"{number}.csv").write_text(header + "".join(lines[number::3]))
    store, files = Store(tmp_path / "stages"), [tmp_path / f"{number}.csv" for number in range(3)]
    (work := tmp_path / "work").mkdir()
    sampled.read_local(store, files[:2], SETTINGS.ingest, work, silent)
    before = {path: path.stat().st_mtime_ns for path in (store.root / READ).iterdir()}
    raw, of_files = sampled.read_local(store, files, SETTINGS.ingest, work, silent)
    after = {path: path.stat().st_mtime_ns for path in (store.root / READ).iterdir()}
    assert len(before) == 2 and len(after) == 3 and before.items() <= after.items()
    assert (raw.rows, len(of_files)) == (len(lines), 3)


def test_an_outcome_may_be_a_page_that_nobody_of_a_part_saw(
    shop: Path, whole: Dataset, tmp_path: Path
) -> None:
    bounds = bounds_of(whole, 0.25)  # five parts
    raw = sampled.read_all([shop], SETTINGS.ingest, tmp_path / "raw", silent)
    drawn, _ = sampled.draw_sample(raw, {}, sampled.share_drawn(raw, bounds, tmp_path), bounds, 0, tmp_path)
    assert drawn is not None
    ids = {one for _, path in drawn.parts for one in pd.read_parquet(path)[Raw.USER_KEY]}
    seen = whole.sequences
    views = pd.DataFrame({"user": seen.user, "page": seen.page}).drop_duplicates()
    views["drawn"] = whole.users["user_id"].isin(ids).to_numpy()[views["user"]]
    of_page = views.groupby("page")["drawn"].agg(["size", "sum"])
    rare = of_page.index[(of_page["size"] <= 4) & (of_page["sum"] > 0)][0]
    outcome = f"page:{whole.pages['page_location'][rare]}"
    asked = SETTINGS.model_copy(update={"analyze": AnalyzeSettings(outcome=(outcome,))})
    run_bounded(tmp_path / "out", [shop], asked, silent, bounds)
    users = pd.read_parquet(tmp_path / "out" / "users.parquet")
    assert (users[f"outcome: {outcome}"] > 0).sum() == of_page["size"][rare]

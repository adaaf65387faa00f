"""Runs and scoring on a real cluster, held against one machine."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from benchmarks.loopback_cluster import Cluster, loopback_cluster
from core.base.errors import InputError, ResourceError
from core.base.progress import silent
from core.base.settings import PRESETS, ClusterSettings, Device, Preset, TrainSettings
from core.ingest.sources.input_files import InputFile
from core.labels.label_settings import LabelMode, LabelSettings
from core.runs.later_stages import FAILED_LOG
from core.runs.pipeline import RunSettings
from core.runs.publish import FUNNELS, RUN, WRITTEN
from core.runs.user_data import USER_DATA, USER_DATA_OF_LOGINS
from core.scoring.bounded_run import embed_bounded, run_bounded
from core.scoring.bounds import Bounds
from core.scoring.on_spark import embed_on_spark, run_on_spark
from core.scoring.placing import Placing
from core.scoring.spark import distribute, session
from tests.core.cli.calls import few_shuffles
from tests.core.scoring.conftest import bounds_of, need_spark

pytestmark = pytest.mark.timeout(1800)  # processes that start and end on a machine that may be busy
CLOSE = 1e-5
SETTINGS = RunSettings(
    label=LabelSettings(mode=LabelMode.RULES),
    train=TrainSettings.checked(**PRESETS[Preset.BAG]),
    cluster=ClusterSettings(n_clusters=3, auto=False),
)


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Executors take minutes to start where the machine does much else."""
    monkeypatch.setattr(session, "WORKERS_S", 600.0)
    monkeypatch.setattr(session, "_LOOK_S", 0.02)  # a look between two tasks, however short they are


@pytest.fixture
def files(days: list[bytes], tmp_path: Path) -> list[Path]:
    found = [tmp_path / f"day{number}.csv" for number in range(len(days))]
    for path, content in zip(found, days, strict=True):
        path.write_bytes(content)
    return found


def require_same(left: Path, right: Path) -> None:
    """Require equal users in two files, vectors up to how batches are padded."""
    one, other = (pq.read_table(path).sort_by("user_id") for path in (left, right))
    assert one.schema.equals(other.schema)
    vectors = [np.stack(table["embedding"].to_pylist()) for table in (one, other)]
    np.testing.assert_allclose(vectors[0], vectors[1], atol=CLOSE)
    near = [name for name in one.column_names if "distance" in name or name == "membership"]
    for name in near:
        np.testing.assert_allclose(one[name].to_numpy(), other[name].to_numpy(), atol=1e-3)
    rest = [name for name in one.column_names if name not in (*near, "embedding")]
    assert one.select(rest).to_pylist() == other.select(rest).to_pylist()


class KilledWorker:
    """A progress that kills a worker once, when the first of several tasks is done."""

    def __init__(self, kill: Callable[[], None]) -> None:
        self.kill, self.killed_at = kill, (0.0, 0.0)

    def __call__(self, stage: str, fraction: float, message: str = "", **figures: float) -> None:
        done, tasks = figures.get("tasks_done", 0), figures.get("tasks", 0)
        if stage == "place" and 0 < done < tasks and not self.killed_at[0]:
            self.killed_at = done, tasks
            self.kill()


def test_users_are_placed_as_on_one_machine(
    cluster: Cluster, files: list[Path], model: Path, tmp_path: Path
) -> None:
    placing, one, other = (
        Placing(Device.CPU, n_next=2),
        tmp_path / "one.parquet",
        tmp_path / "cluster.parquet",
    )
    bounds = Bounds.told(None, None)
    n_users = embed_bounded(files, model, one, silent, placing, bounds)
    assert embed_on_spark(files, model, other, silent, placing, bounds, cluster.url) == n_users
    require_same(one, other)
    assert pq.read_table(one)["user_id"].equals(pq.read_table(other)["user_id"])


def records_of(files: list[Path]) -> int:
    return sum(len(path.read_bytes().splitlines()) - 1 for path in files)


def test_a_run_of_a_sample_is_the_one_in_a_bound_of_memory_also_where_a_worker_is_killed(
    cluster: Cluster, files: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bounds = bounds_of(records_of(files), 0.3)
    # as many parts both ways: the order of rows and of what is added up are then the same as well
    monkeypatch.setattr(distribute, "parts_for", lambda *_: bounds.n_parts(records_of(files)))
    one, other = tmp_path / "one", tmp_path / "cluster"
    with few_shuffles():
        record = run_bounded(one, files, SETTINGS, silent, bounds)
        cluster.start_workers(1)
        second = cluster.workers[-1]
        progress = KilledWorker(lambda: cluster.kill(second))
        assert run_on_spark(other, files, SETTINGS, progress, cluster.url, bounds) == record
    assert progress.killed_at[0], "no stage was at work, so nothing was killed in one"
    assert 20 < record["trained_users"] < 100 < record["users"]
    there = {path.name for path in other.iterdir()}
    assert there == WRITTEN - {FUNNELS, FAILED_LOG, USER_DATA, USER_DATA_OF_LOGINS} | {RUN, "stages"}
    require_same(one / "users.parquet", other / "users.parquet")
    for name in ("receipt.json", "profiles.json", "clusters.json"):
        assert (one / name).read_text() == (other / name).read_text(), name


def test_what_was_there_stays_where_an_executor_does_not_see_a_file(
    cluster: Cluster, files: list[Path], model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def elsewhere(source: InputFile) -> InputFile:
        return replace(source, path=Path("/not/there") / source.path.name)

    monkeypatch.setattr(distribute, "_anywhere", elsewhere)
    (out := tmp_path / "out.parquet").write_text("of before")
    with pytest.raises(InputError, match=r"cannot read /not/there/day0.csv"):
        embed_on_spark(files, model, out, silent, Placing(Device.CPU), Bounds.told(None, None), cluster.url)
    assert out.read_text() == "of before"
    assert not [path for path in tmp_path.iterdir() if "scoring" in path.name]


def test_a_master_without_workers_is_not_waited_for_for_ever(
    files: list[Path], model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    need_spark()
    monkeypatch.setattr(session, "WORKERS_S", 1.0)
    with loopback_cluster(workers=0) as alone, pytest.raises(ResourceError, match="No worker of spark://"):
        out, placing = tmp_path / "out.parquet", Placing(Device.CPU)
        embed_on_spark(files, model, out, silent, placing, Bounds.told(None, None), alone.url)

"""What an executor makes of a part and what becomes of it here, in this process: no Spark is at work."""

import io
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest

from core.base.progress import silent
from core.base.settings import Device, IngestSettings
from core.ingest.decisions import decide
from core.ingest.ingest import transform
from core.scoring.parts import split_by_user
from core.scoring.placing import PlacedPart, Placing
from core.scoring.spark import placing, session
from core.scoring.spark.placing import PlacementStep
from core.storage.dataset import Dataset
from tests.core.ingest.crowd import crowd
from tests.core.ingest.shop import raw_read
from tests.core.ingest.test_decisions import told

N_PARTS = 2


def test_a_part_is_placed_elsewhere_by_what_was_decided_on_all(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    serializers = pytest.importorskip("pyspark.serializers")
    raw = raw_read(tmp_path / "raw", [crowd(30)])
    (whole := tmp_path / "whole").mkdir()
    transform(raw, IngestSettings(), whole, silent, tmp_path)
    (here := tmp_path / "here").mkdir()
    decided = decide(raw, IngestSettings(), here, silent)
    travels = serializers.CloudPickleSerializer()
    step = PlacementStep("model", "decided", Placing(Device.CPU, decided=decided))
    step = travels.loads(travels.dumps(step))
    shutil.move(here, tmp_path / "decided")
    monkeypatch.setattr(placing, "shipped_folder", {"model": model, "decided": tmp_path / "decided"}.get)
    found = {}
    for number, part in enumerate(split_by_user(raw, N_PARTS, tmp_path / "parts")):
        (work := tmp_path / f"work{number}").mkdir()
        [(_, _, data)] = step(part, work)
        shutil.rmtree(work)
        zipfile.ZipFile(io.BytesIO(data)).extractall(tmp_path / f"back{number}")
        placed = PlacedPart.read(tmp_path / f"back{number}")
        found |= told(placed.dataset)
        assert len(placed.dataset.users) == len(placed.vectors) == len(placed.clusters) == len(placed.codes)
        np.testing.assert_array_equal(
            placed.clusters >= 0, (placed.dataset.users["group"] == "segment").to_numpy()
        )
    assert found == told(Dataset(whole, ""))


def test_parts_lie_where_spark_clears_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPARK_EXECUTOR_DIRS", raising=False)
    monkeypatch.setenv("SPARK_LOCAL_DIRS", "/tmp/blockmgr-1,/tmp/blockmgr-2")
    assert session.scratch() == Path("/tmp/blockmgr-1")
    monkeypatch.setenv("SPARK_EXECUTOR_DIRS", "/disks/executor-1:/disks/executor-2")
    assert session.scratch() == Path("/disks/executor-1")

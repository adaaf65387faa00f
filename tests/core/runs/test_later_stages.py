"""A stage after the segments that fails takes nothing with it but its own files, and is said."""

from __future__ import annotations

import errno
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from core.base.errors import ArtifactError, Cancelled, ResourceError
from core.runs.later_stages import FAILED_LOG, LaterStages
from core.runs.publish import JOURNEYS, REPORT, RUN, WRITTEN
from tests.core.cli.calls import cli, few_shuffles, quick_run

STAGES = {
    "levels": "core.segments.level_search.measure_levels",
    "one-page segments": "core.runs.pipeline.one_page_segments",
    "differences": "core.profiles.differences.differences",
    "names": "core.profiles.name_fitting.current_names",
    "certificates": "core.segments.certificate.certify",
    "next pages": "core.people.next_pages.next_pages_of_segments",
    "facets": "core.profiles.facets.find_facets",
    "journeys": "core.journeys.step_table.journeys",
    "time": "core.periods.over_time.periods",
    "rules": "core.rules.beam_search.find_rules",
    "funnels": "core.runs.publish.count_funnels",
    "moving the report": "core.runs.report.living.LivingMaker.make",
    "report": "core.runs.report.write_report",
}
"""Stage → a function that it calls."""
LINE = "KeyError: 'a bug'"


def failing(error: Exception) -> Callable[..., None]:
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


def test_what_fails_leaves_a_line_its_traceback_and_no_file(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()

    def half() -> int:
        (tmp_path / "model" / "half.json").write_text("[")
        raise ArtifactError("The model\nis damaged", remedy="Run it again")

    later = LaterStages(tmp_path)
    assert later.attempt("rules", lambda: (tmp_path / "whole").write_text("1"), 0) == 1
    assert later.attempt("time", half, 7) == 7
    assert later.failed == {"time": "The model is damaged. Run it again."}
    assert {path.name for path in tmp_path.rglob("*")} == {"model", "whole", FAILED_LOG}
    assert "in half" in (tmp_path / FAILED_LOG).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (Cancelled(), Cancelled),
        (ResourceError("The disk is full"), ResourceError),
        (OSError(errno.ENOSPC, "No space left on device", "report.html"), ResourceError),
        (MemoryError(), MemoryError),
    ],
)
def test_a_stop_and_a_full_disk_end_the_run(
    error: Exception, kind: type[BaseException], tmp_path: Path
) -> None:
    with pytest.raises(kind):
        LaterStages(tmp_path).attempt("report", failing(error), None)


def test_segments_are_published_whatever_fails_after_them(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    shutil.copytree(quick_run(tmp_path_factory) / "out", out)
    shutil.rmtree(out / "stages" / "choose_k")
    users = pq.read_table(out / "users.parquet")
    for function in STAGES.values():
        monkeypatch.setattr(function, failing(KeyError("a bug")))
    done = cli("run", "--out", out, "--from-stage", "combine")
    assert done.returncode == 0, done.stderr
    failed = json.loads((out / RUN).read_bytes())["failed"]
    assert failed == dict.fromkeys(STAGES, LINE)
    for stage in STAGES:
        assert f"warning: {stage} could not be made ({LINE}); see {FAILED_LOG}." in done.stderr
    assert (out / FAILED_LOG).read_text(encoding="utf-8").count("Traceback") == len(STAGES)
    assert {path.name for path in out.glob("[!.]*")} & WRITTEN == {
        "receipt.json", "sequences.parquet", "users.parquet", "model", "embeddings.parquet",
        "clusters.json", "profiles.json", FAILED_LOG,
    }  # fmt: skip
    again = pq.read_table(out / "users.parquet")
    assert not [name for name in again.column_names if name.startswith("facet:")]
    same = ["user_id", "cluster", "embedding"]  # the same three segments, without names
    assert again.select(same).equals(users.select(same))

    monkeypatch.undo()
    for stage in ("facets", "next pages"):
        monkeypatch.setattr(STAGES[stage], failing(KeyError("a bug")))
    with few_shuffles():
        done = cli("run", "--out", out, "--from-stage", "combine")
    assert json.loads((out / RUN).read_bytes())["failed"] == {"facets": LINE, "next pages": LINE}
    assert pq.read_table(out / "differences.parquet").num_rows
    assert f"next pages ({LINE})" in (out / REPORT).read_text(encoding="utf-8").replace("&#39;", "'")
    assert (out / JOURNEYS).exists()
    assert not list(out.glob("**/model/next_pages*"))
    assert (out / FAILED_LOG).read_text(encoding="utf-8").count("Traceback") == 2

"""What is tried: each scenario is a command into a folder, over what an earlier one left there."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from benchmarks.faults import interpose
from core.base.progress import silent
from core.base.settings import ClusterSettings, Device, IngestSettings, Preset, TrainSettings
from core.runs.pipeline import RunSettings
from core.runs.run import read_previous, run
from core.scoring.bounded_run import embed_bounded
from core.scoring.bounds import Bounds
from core.scoring.placing import Placing
from core.storage.replace_files import READY, finish_replacement, replace_files_atomic
from core.storage.store import Store

USERS: Final = 60
"""Users of the demo shop."""
SKIPPED: Final = ("stages", "report.html", "training.json", "receipt.json")
"""Names that are not compared byte for byte: the store, and what holds times."""


def _always(out: Path) -> bool:
    return True


def _has_run(out: Path) -> bool:
    return (out / "run.json").exists()


@dataclass(frozen=True)
class Scenario:
    """A command that writes into a folder, over what an earlier one left; each function takes the folder.

    Args:
        before: Makes what an earlier command leaves.
        command: The command that is disturbed, and then run again.
        recover: What the next look at the folder does.
        is_whole: Whether the folder says that there are results.
    """

    before: Callable[[Path], object]
    command: Callable[[Path], object]
    recover: Callable[[Path], object]
    is_whole: Callable[[Path], object] = _always

    def results(self, out: Path) -> dict[str, str]:
        """File → digest, of what somebody would open; empty where the folder says that there is nothing."""
        return digests(out) if self.is_whole(out) else {}


def whole_run(export: Path) -> Scenario:
    """A run over an earlier one with other settings: no stage's result can be taken over."""
    return Scenario(
        before=lambda out: run(out, [export], settings(3, keep_debug=False), silent),
        command=lambda out: run(out, [export], settings(4, keep_debug=True), silent),
        recover=read_previous,  # as ``--from-stage`` does
        is_whole=_has_run,
    )


def embed(export: Path) -> Scenario:
    """New users into the segments of a run, over an earlier table of that name."""

    def before(out: Path) -> None:
        run(out / "model_run", [export], settings(3, keep_debug=False), silent)
        (out / "embed.parquet").write_bytes(b"earlier")

    def command(out: Path) -> None:
        placing, bounds = Placing(Device.CPU), Bounds.told(None, None)
        embed_bounded([export], out / "model_run" / "model", out / "embed.parquet", silent, placing, bounds)

    return Scenario(before, command, recover=_always)


def one_artifact(export: Path) -> Scenario:
    """An artifact of the store in place of an earlier one, after a sweep of the store."""

    def write(text: str, out: Path) -> None:
        store = Store(out)
        store.sweep()
        with store.write("train", "key", {}, {}) as folder:
            (folder / "weights").mkdir()
            for name in ("report", "weights/url"):
                (folder / name).write_text(text)

    return Scenario(
        before=partial(write, "old"),
        command=partial(write, "new"),
        recover=lambda out: Store(out).sweep(),
        is_whole=lambda out: Store(out).find("train", "key"),
    )


def one_set(export: Path) -> Scenario:
    """A set of files in place of an earlier one; the new one has no labels."""
    return Scenario(
        partial(_publish, "old"), partial(_publish, "new"), recover=finish_replacement, is_whole=_has_run
    )


def recovery(export: Path) -> Scenario:
    """Going on where a killed process had a new set ready and an old one in place."""

    def before(out: Path) -> None:
        """Kill a publishing, each time one operation later, until its set is ready."""
        _publish("old", out)
        at = 0
        while not (out / READY).exists():
            at += 1
            if os.fork() == 0:
                interpose.arm(out, interpose.How.KILL, at, None, out.with_name("told"))
                _publish("new", out)
                os._exit(0)
            os.wait()

    return Scenario(before, command=finish_replacement, recover=finish_replacement, is_whole=_has_run)


def _publish(text: str, out: Path) -> None:
    with replace_files_atomic(out, "run.json", optional=["labels"]) as folder:
        (folder / "model").mkdir()
        for name in ("run.json", "users", "model/url", *(["labels"] if text == "old" else [])):
            (folder / name).write_text(text)


def settings(n_clusters: int, *, keep_debug: bool) -> RunSettings:
    """Settings of a run; with other arguments every stage makes something else."""
    return RunSettings(
        ingest=IngestSettings(exclude_debug=not keep_debug),
        train=TrainSettings.preset(Preset.FAST, epochs=1, device=Device.CPU),
        cluster=ClusterSettings(n_clusters=n_clusters),
    )


def digests(folder: Path) -> dict[str, str]:
    """File → digest of its bytes, hidden files and those of :data:`SKIPPED` left out."""
    found = {}
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if path.is_file() and not any(part in SKIPPED or part.startswith(".") for part in parts):
            found["/".join(parts)] = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    return found


def leftovers(folder: Path) -> list[str]:
    """Hidden files that a command should have cleared away; the locks of a store and a cache stay."""
    hidden = [path.relative_to(folder).as_posix() for path in folder.rglob(".*")]
    return [name for name in hidden if name != ".lock" and not name.endswith("stages/.lock")]


SCENARIOS: Final[dict[str, Callable[[Path], Scenario]]] = {
    "store": one_artifact,
    "swap": one_set,
    "recovery": recovery,
    "embed": embed,
    "run": whole_run,
}
"""Name → function that makes the scenario of an export; the first three take seconds, the others hours."""

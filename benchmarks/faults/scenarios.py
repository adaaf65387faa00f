"""What is tried: each scenario is a command into a folder, over what an earlier one left there."""

from __future__ import annotations

import hashlib
import os
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Final

from benchmarks.faults import doors
from core.base.progress import silent
from core.base.settings import ClusterSettings, Device, IngestSettings, Preset, TrainSettings
from core.runs.pipeline import RunSettings
from core.runs.run import read_previous, run
from core.runs.score import score
from core.sample import write_sample
from core.storage.replace_files import READY, finish, replacing
from core.storage.store import Store

USERS: Final = 60
SKIPPED: Final = ("stages", "report.html", "training.json", "receipt.json")
"""Not compared byte for byte: the store, and what holds times."""


class Scenario(ABC):
    """A command into a folder.

    Args:
        export: A GA4 export.
    """

    def __init__(self, export: Path) -> None:
        self.export = export

    @abstractmethod
    def before(self, out: Path) -> None:
        """What an earlier command leaves."""

    @abstractmethod
    def command(self, out: Path) -> None:
        """What is disturbed, and done again."""

    @abstractmethod
    def recover(self, out: Path) -> None:
        """The next look at the folder."""

    def results(self, out: Path) -> dict[str, str]:
        """File → digest, of what somebody would open; empty where the folder says that there is nothing."""
        return digests(out)


class Run(Scenario):
    """A whole run over an earlier one with other settings: no stage's result can be taken over."""

    def before(self, out: Path) -> None:
        """Three segments."""
        run(out, [self.export], settings(3, keep_debug=False), silent)

    def command(self, out: Path) -> None:
        """Four segments of other data."""
        run(out, [self.export], settings(4, keep_debug=True), silent)

    def recover(self, out: Path) -> None:
        """As ``--from-stage`` looks at it."""
        read_previous(out)

    def results(self, out: Path) -> dict[str, str]:
        """Nothing without ``run.json``: it says that the set is whole."""
        return digests(out) if (out / "run.json").exists() else {}


class Embed(Scenario):
    """New users into the segments of a run, over an earlier table of that name."""

    def before(self, out: Path) -> None:
        """A model, and a table of an earlier export."""
        run(out / "model_run", [self.export], settings(3, keep_debug=False), silent)
        (out / "embed.parquet").write_bytes(b"earlier")

    def command(self, out: Path) -> None:
        """The table."""
        score([self.export], out / "model_run" / "model", out / "embed.parquet", silent, Device.CPU)

    def recover(self, out: Path) -> None:
        """There is nothing to do."""


class OneArtifact(Scenario):
    """An artifact of the store in place of an earlier one."""

    def before(self, out: Path) -> None:
        """The earlier one."""
        _write(Store(out), "old")

    def command(self, out: Path) -> None:
        """The new one; as every command does, after a sweep."""
        Store(out).sweep()
        _write(Store(out), "new")

    def recover(self, out: Path) -> None:
        """What a killed process left."""
        Store(out).sweep()

    def results(self, out: Path) -> dict[str, str]:
        """Nothing where the store says that it is not whole."""
        return digests(out) if Store(out).find("train", "key") else {}


class OneSet(Scenario):
    """A set of files in place of an earlier one."""

    def before(self, out: Path) -> None:
        """The earlier one."""
        _publish(out, "old")

    def command(self, out: Path) -> None:
        """The new one, which has no labels."""
        _publish(out, "new")

    def recover(self, out: Path) -> None:
        """What a killed process left."""
        finish(out)

    def results(self, out: Path) -> dict[str, str]:
        """Nothing without the last file."""
        return digests(out) if (out / "run.json").exists() else {}


class Recovery(OneSet):
    """Going on where a killed process had a new set ready and an old one in place."""

    def before(self, out: Path) -> None:
        """Kill a publishing, each time one operation later, until its set is ready."""
        _publish(out, "old")
        at = 0
        while not (out / READY).exists():
            at += 1
            _published_until(out, at)

    def command(self, out: Path) -> None:
        """What the next process does first."""
        finish(out)


def _published_until(out: Path, at: int) -> None:
    if os.fork() == 0:
        doors.arm(out, doors.How.KILL, at, None, out.with_name("told"))
        _publish(out, "new")
        os._exit(0)
    os.wait()


def _write(store: Store, text: str) -> None:
    with store.write("train", "key", {}, {}) as folder:
        (folder / "weights").mkdir()
        for name in ("report", "weights/url"):
            (folder / name).write_text(text)


def _publish(out: Path, text: str) -> None:
    with replacing(out, "run.json", optional=["labels"]) as folder:
        (folder / "model").mkdir()
        for name in ("run.json", "users", "model/url", *(["labels"] if text == "old" else [])):
            (folder / name).write_text(text)


def settings(n_clusters: int, *, keep_debug: bool) -> RunSettings:
    """Settings that differ in every stage."""
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


def export(folder: Path) -> Path:
    """A small shop's export."""
    path = folder / "shop.csv"
    write_sample(path, USERS, 1, silent)
    return path


SCENARIOS: Final = {"store": OneArtifact, "swap": OneSet, "recovery": Recovery, "embed": Embed, "run": Run}
"""The first three take seconds as a whole, the others hours."""

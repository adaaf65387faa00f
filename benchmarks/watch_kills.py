"""A folder whose watch is killed again and again: what counts in the end, beside one look at everything.

    python -m benchmarks.watch_kills --work DIR [--kills 200] [--files 50] [--users 600] [--seed 0]

Days of the demo shop arrive while watches run and are killed (SIGKILL) at random moments: files that are
there at once, that grow slowly, that rotate (``export.csv`` → ``export.7.csv``), that come half and then
whole, and that are moved away once they were taken. A third of the kills is aimed at what a watch is doing
(reading, working, publishing), each tenth watch is a fresh ``python -m core watch`` that may be killed while
it loads; the others are forked from this process, which has everything loaded. Each fifth time two start.

Then one goes on to the end, and its files are held against those of one ``--once`` over all files, byte by
byte. Exits with 1 if they differ, if a file is missing or counts twice, or if anything was left behind.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Final

import click
import numpy as np
import pyarrow.parquet as pq

from benchmarks.tables import markdown
from core.base.errors import Beha2VecError
from core.base.progress import silent
from core.ingest.sample import write_sample
from core.labels import rule_file
from core.runs.taken_files import RECORD, TakenFiles, read_taken

SAME: Final = ("users.parquet", "sequences.parquet", "receipt.json")
OPTIONS: Final = ("--every", "0.1", "--settle", "0.3", "--device", "cpu")
SPAN_S: Final = 4.0
"""A watch is killed within so many seconds, at first: after one that had taken nothing new there is a little
more time, after one that had there is less, so that about a quarter come to an end of their work."""
MORE, LESS = 1.2, 0.7
SHORTEST_S, LONGEST_S = 1.0, 60.0
LOADING_S: Final = 5.0
"""Seconds more for a fresh process, which loads for so long."""
PATIENCE: Final = 3
"""How many times as long a watch may live until it does what is aimed at."""
STEP_S: Final = 0.005
AIMS: Final = {"reading": ".kept/read/.*", "working": ".working.*", "publishing": ".publishing.*",
               "putting in place": ".ready"}  # fmt: skip
"""What a watch is doing → pattern of what lies in its folder then."""
WAYS: Final = {"_at_once": 1, "_slowly": 3, "_rotated": 2, "_half_first": 2, "_moved_away": 2}
"""Method by which a file arrives → in how many steps."""
FAULT: Final = 70
"""Exit status of a watch that ended by a fault of the program."""


@click.command(help=__doc__)
@click.option("--work", type=click.Path(path_type=Path), required=True)
@click.option("--kills", default=200)
@click.option("--files", default=50)
@click.option("--users", default=600)
@click.option("--seed", default=0)
def main(work: Path, kills: int, files: int, users: int, seed: int) -> None:
    """Make days and a model, kill, compare, print."""
    work.mkdir(parents=True)
    days = days_of_shop(work / "shop.csv", users, files)
    trial = Trial(work, _model(work, days[: max(2, files // 5)]), np.random.default_rng(seed))
    begun = time.monotonic()
    trial.disturb(days, kills)
    rows = [("killed while", "times"), *sorted(trial.killed.items())]
    print(markdown(rows[0], rows[1:]))
    print(f"{sum(trial.killed.values())} kills in {time.monotonic() - begun:.0f} s; {trial.refused} second "
          f"watches were refused; {trial.looks} looks had taken something")  # fmt: skip
    faults = [*trial.faults, *trial.compare(files)]
    print("\n".join(faults) or f"{files} files: each counted once, and every byte as of one look at all")
    sys.exit(1 if faults else 0)


def days_of_shop(path: Path, users: int, n: int) -> list[bytes]:
    """Bytes of ``n`` CSV files: a demo shop, cut by time."""
    write_sample(path, users, 1, silent)
    header, *records = path.read_bytes().splitlines(keepends=True)
    at = header.decode().strip().split(",").index("event_timestamp")
    records.sort(key=lambda record: record.split(b",")[at])
    return [header + b"".join(part) for part in np.array_split(np.array(records, dtype=object), n)]


def _model(work: Path, days: list[bytes]) -> Path:
    (work / "trained.csv").write_bytes(days[0] + b"".join(day.split(b"\n", 1)[1] for day in days[1:]))
    command = ["run", str(work / "trained.csv"), "--out", str(work / "run"), "--preset", "bag",
               "--labels", "rules", "--clusters", "4", "--seed", "1"]  # fmt: skip
    subprocess.run([sys.executable, "-m", "core", *command], check=True, capture_output=True)
    return work / "run" / "model"


@dataclass
class Trial:
    """Watches of one folder, and what became of them.

    Args:
        work: An empty folder for everything.
        model: The model folder that the watches use.
        rng: Draws when files come and watches are killed.
        killed: What a watch was doing → how often one was killed then.
        refused: Second watches that were refused.
        looks: How often something new had been taken.
        span: Seconds within which a watch is killed.
        faults: What was wrong, in words.
    """

    work: Path
    model: Path
    rng: np.random.Generator
    killed: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    looks: int = 0
    span: float = SPAN_S
    _steps: int = 0
    _seen: TakenFiles | None = None
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.folder, self.out, self.aside = (self.work / name for name in ("in", "out", "aside"))
        for path in (self.folder, self.out, self.aside):
            path.mkdir()

    def disturb(self, days: list[bytes], kills: int) -> None:
        """Let files (bytes each) arrive, spread over so many watches that are killed."""
        _load(self.folder.parent, self.model)
        ways = [list(WAYS)[int(self.rng.integers(len(WAYS)))] for _ in days]
        arriving = self._arriving(days, ways)
        due = np.sort(self.rng.uniform(0, 0.97 * kills, sum(WAYS[way] for way in ways)))
        while (done := sum(self.killed.values())) < kills:
            steps = int((due <= done).sum())
            self._one_watch(arriving, steps, aim=done % 3 == 2, fresh=done % 10 == 9, two=done % 5 == 4)
            self._check()
        for _ in arriving:
            pass

    def _one_watch(self, arriving: Iterator[None], due: int, *, aim: bool, fresh: bool, two: bool) -> None:
        pids = [self._start(fresh=fresh) for _ in range(1 + two)]
        span = PATIENCE * self.span if aim else self.rng.uniform(0, self.span + LOADING_S * fresh)
        until, begun = time.monotonic() + span, time.time()
        what = str(self.rng.choice(list(AIMS)))
        while time.monotonic() < until:
            if self._steps < due:
                next(arriving, None)
                self._steps += 1
            if aim and what in self._doing(begun):
                time.sleep(self.rng.uniform(0, 0.01))
                break
            time.sleep(STEP_S)
        self._end(pids, begun)

    def _start(self, *, fresh: bool) -> int:
        command = ["watch", str(self.folder), "--model", str(self.model), "--out", str(self.out), *OPTIONS]
        log = os.open(self.work / "log.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        try:
            if fresh:
                return subprocess.Popen([sys.executable, "-m", "core", *command], stdout=log, stderr=log).pid
            if pid := os.fork():
                return pid
            os.dup2(log, 1)
            os.dup2(log, 2)
            _watch(command)
        finally:
            os.close(log)
        raise AssertionError

    def _doing(self, begun: float) -> list[str]:
        """What a watch that began then is doing, by what lies in its folder and did not before."""
        found = []
        for name, left in AIMS.items():
            with suppress(FileNotFoundError):  # gone again
                found += [name for path in self.out.glob(left) if path.stat().st_mtime > begun][:1]
        return found

    def _end(self, pids: list[int], begun: float) -> None:
        """Kill all at this moment; one that had ended by itself had a reason."""
        doing = self._doing(begun)
        statuses = []
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for pid in pids:
            statuses.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        self.killed[doing[-1] if doing else "between or loading"] += 1
        self.refused += statuses.count(2)
        if (len(pids) == 1 and statuses[0] != -signal.SIGKILL) or FAULT in statuses:
            self.faults.append(f"A watch ended by itself with {statuses}: see log.txt")

    def _check(self) -> None:
        """What a reader sees between two processes is whole."""
        try:
            taken = read_taken(self.out)
        except Beha2VecError as error:
            self.faults.append(str(error))
            return
        if taken is None or not taken.files or (self.out / ".ready").exists():
            return
        self.span = float(np.clip(self.span * (MORE if taken == self._seen else LESS), SHORTEST_S, LONGEST_S))
        self.looks += taken != self._seen
        self._seen = taken
        rows = pq.read_metadata(self.out / "users.parquet").num_rows
        if rows != taken.files[-1].users:
            self.faults.append(f"{rows} users in users.parquet, {taken.files[-1].users} in {RECORD}")

    def _arriving(self, days: list[bytes], ways: list[str]) -> Iterator[None]:
        """A step of a file a time."""
        for day, (content, way) in enumerate(zip(days, ways, strict=True)):
            yield from getattr(self, way)(f"day{day}.csv", day, content)

    def _at_once(self, name: str, _: int, content: bytes) -> Iterator[None]:
        (self.folder / f".{name}.part").write_bytes(content)
        (self.folder / f".{name}.part").rename(self.folder / name)
        yield

    def _slowly(self, name: str, _: int, content: bytes) -> Iterator[None]:
        """Steps are now and then further apart than a file has to rest: then a part is taken first."""
        third = len(content) // 3
        with (self.folder / name).open("wb") as file:
            for start in (0, third, 2 * third):
                file.write(content[start : start + third if start < 2 * third else None])
                file.flush()
                yield

    def _rotated(self, _: str, day: int, content: bytes) -> Iterator[None]:
        current = self.folder / "export.csv"
        if current.exists():
            current.rename(self.folder / f"export.{day}.csv")
        yield
        current.write_bytes(content)
        yield

    def _half_first(self, name: str, _: int, content: bytes) -> Iterator[None]:
        (self.folder / name).write_bytes(content[: content.index(b"\n", len(content) // 2) + 1])
        yield
        (self.folder / name).write_bytes(content)
        yield

    def _moved_away(self, name: str, day: int, content: bytes) -> Iterator[None]:
        """Taken files may go; one that was not taken yet stays."""
        yield from self._at_once(name, day, content)
        taken = read_taken(self.out)
        if taken and name in {file.name for file in taken.files}:
            (self.folder / name).rename(self.aside / name)
        yield

    def compare(self, files: int) -> Iterator[str]:
        """Let a last watch finish, and list what differs from one look at all files."""
        _once(self.folder, self.model, self.out)
        for path in self.aside.iterdir():
            shutil.copy2(path, self.folder / path.name)
        _once(self.folder, self.model, self.work / "fresh")
        taken = read_taken(self.out)
        names = sorted(file.name for file in taken.files) if taken else []
        if names != sorted(path.name for path in self.folder.iterdir()) or len(names) != files:
            yield f"{len(names)} of {files} files count: {names}"
        for name in SAME:
            if (self.out / name).read_bytes() != (self.work / "fresh" / name).read_bytes():
                yield f"{name} is not as of one look"
        left = [str(path) for what in AIMS.values() for path in self.out.glob(what)]
        if left:
            yield f"Left behind: {left}"


def _load(work: Path, model: Path) -> None:
    """Load here what a look loads, so that forked watches begin at once; nothing with threads is started."""
    (work / "loading").mkdir()
    shutil.copy2(work / "trained.csv", work / "loading")
    code = (
        "import sys\nfrom pathlib import Path\nfrom core.base.progress import silent\n"
        "from core.runs.watch import watch\nfolder, model, out = map(Path, sys.argv[1:])\n"
        "watch(folder, model, out, silent, lambda line: None, settle_s=0, once=True)\n"
        "print(*sys.modules)"
    )
    command = [sys.executable, "-c", code, str(work / "loading"), str(model), str(work / "loaded")]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    for name in done.stdout.split():
        with suppress(Exception):
            import_module(name)
    rule_file.default_rules()


def _watch(command: list[str]) -> None:
    """The life of a forked process: the command, and nothing of this program after it."""
    from core.cli.cli import app

    try:
        app(command, standalone_mode=False)
    except Beha2VecError as error:
        print(error, flush=True)
        os._exit(2)
    except BaseException:
        import traceback

        traceback.print_exc()
    os._exit(FAULT)


def _once(folder: Path, model: Path, out: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "core",
        "watch",
        folder,
        "--model",
        model,
        "--out",
        out,
        *OPTIONS,
        "--once",
    ]
    done = subprocess.run(list(map(str, command)), check=False, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"The last look failed: {done.stderr}")


if __name__ == "__main__":
    main()

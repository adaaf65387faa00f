"""Where the disk refuses, or somebody else is there: one line, nothing lost, the next command works."""

import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.core.cli.calls import QUICK, ROOT, cli, largest_file, one_line_error, quick_run
from tests.core.storage.test_claims import another_process_in


@pytest.fixture
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return quick_run(tmp_path_factory) / "out"


@pytest.fixture
def shop(made: Path) -> Path:
    return made.with_name("shop.csv")


@pytest.fixture
def out(made: Path, tmp_path: Path) -> Path:
    return shutil.copytree(made, tmp_path / "out")


def published(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in out.iterdir() if path.is_file() and path.name != ".lock"}


@pytest.mark.parametrize("start", [("--from-stage", "cluster"), ("--from-stage", "preprocess", *QUICK[2:])])
def test_the_second_run_is_refused_with_the_number_of_the_first(
    out: Path, shop: Path, start: tuple[str, ...]
) -> None:
    before = published(out)
    inputs = [shop] if "preprocess" in start else []
    with another_process_in(out) as first:
        line = one_line_error(cli("run", *inputs, "--out", out, *start, "--clusters", 4))
    assert f"{out} is being written by process {first.pid}" in line
    assert published(out) == before
    done = cli("run", *inputs, "--out", out, *start, "--clusters", 4)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", ["embed", "sample"])
def test_the_second_writer_of_a_file_is_refused(made: Path, shop: Path, tmp_path: Path, command: str) -> None:
    target = tmp_path / ("made.csv" if command == "sample" else "made.parquet")
    words = {"embed": ("embed", shop, "--model", made / "model"), "sample": ("sample", "--users", 20)}[
        command
    ]
    code = (
        "import sys; from pathlib import Path; from core.storage.locks import claim_file\n"
        "with claim_file(Path(sys.argv[1])): print(flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(target)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as first:
        assert first.stdout is not None
        first.stdout.readline()
        line = one_line_error(cli(*words, "--out", target))
        first.kill()
    assert f"being written by process {first.pid}" in line
    assert cli(*words, "--out", target).returncode == 0
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_limit_of_file_sizes_is_one_line(out: Path, shop: Path) -> None:
    before = published(out)
    again = ("run", shop, "--out", out, *QUICK[2:], "--clusters", 4, "--keep-debug")
    for size in (0, 3_000, 20_000):
        with largest_file(size):
            refused = cli(*again)
        one_line_error(refused)
        assert published(out) == before, size
    done = cli(*again)  # over whatever the three have left
    assert done.returncode == 0, done.stderr


def test_a_limit_of_file_sizes_is_one_line_for_new_users_too(made: Path, shop: Path, tmp_path: Path) -> None:
    target = tmp_path / "embed.parquet"
    target.write_bytes(b"earlier")
    words = ("embed", shop, "--model", made / "model", "--out", target)
    for size in (100, 20_000):
        with largest_file(size):
            one_line_error(cli(*words))
        assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [(target.name, b"earlier")]
    assert cli(*words).returncode == 0


def test_a_folder_on_a_read_only_disk_is_one_line(out: Path, shop: Path) -> None:
    mounted = ["unshare", "-rm", "sh", "-c", 'mount -o bind,ro "$0" "$0" && exec "$@"', str(out)]
    if subprocess.run([*mounted, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no mounts for this user")
    for words in ([str(shop), *map(str, QUICK)], ["--from-stage", "cluster", "--clusters", "4"]):
        done = subprocess.run(
            [*mounted, sys.executable, "-m", "core", "run", "--out", str(out), *words],
            cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 2
        assert done.stderr.count("\n") == 1, done.stderr
        assert "Read-only" in done.stderr


def test_a_folder_that_vanishes_while_a_run_goes_on_is_one_line_and_stays_away(
    shop: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    words = ("run", str(shop), "--out", str(out), "--labels", "off", "--preset", "fast")
    command = [sys.executable, "-m", "core", *words]
    running = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    while not list(out.glob("stages/train/.*")) and running.poll() is None:
        time.sleep(0.02)
    while out.exists():
        shutil.rmtree(out, ignore_errors=True)
    _, said = running.communicate(timeout=120)
    assert running.returncode == 2, said
    assert [line for line in said.splitlines() if line.startswith("error: ")] == [said.splitlines()[-1]]
    assert "removed" in said.splitlines()[-1]
    assert not (out / "run.json").exists()
    assert cli("run", shop, "--out", out, *QUICK).returncode == 0


@pytest.mark.parametrize("command", [("run", "{shop}", "--out"), ("sample", "--users", "50", "--out")])
def test_a_place_that_cannot_hold_folders_is_one_line(command: tuple[str, ...], shop: Path) -> None:
    asked = [word.format(shop=shop) for word in command]
    assert "cannot be made" in one_line_error(cli(*asked, "/proc/nowhere/out.csv"))

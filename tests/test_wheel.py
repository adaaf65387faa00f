"""The wheel, installed outside the repository: one name, all data files, the program and the app."""

import json
import os
import re
import socket
import subprocess
import sys
import sysconfig
import time
import urllib.request
import venv
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from core.base.places import VERSION

ROOT = Path(__file__).resolve().parent.parent
START_S = 120
TELLS = ("users.parquet", "clusters.json", "profiles.json", "report.html")
CHILDREN = """
import sys, time
from pathlib import Path
import beha2vec
sys.path.insert(0, beha2vec.__path__[0])
import pyarrow as pa
from core.labels.fetching.extract import Extractor
from core.labels.fetching.limits import FetchLimits
from core.runs import jobs
from core.runs.tasks import DemoRequest
from core.sql.sandbox import run_sql

root = Path("cache").resolve()
job = jobs.start(root, "demo", DemoRequest(users=20, seed=0, input_dir=root), "demo")
while jobs.view(root, job).active:
    time.sleep(0.2)
document = Extractor(FetchLimits()).extract(b"<meta property='og:type' content='product'>")
counted = run_sql("SELECT sum(users) AS n FROM segments", {"segments": pa.table({"users": [1, 2]})})
print(jobs.view(root, job).state, document.og_type, *counted.table["n"].to_pylist())
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def programs(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of programs of an environment with the wheel; its other packages are those of the tests."""
    place = tmp_path_factory.mktemp("installed") / "venv"
    venv.create(place, symlinks=True)
    python = place / "bin" / "python"
    pip = [
        sys.executable,
        "-m",
        "pip",
        "--quiet",
        "--python",
        str(python),
        "install",
        "--no-deps",
        "--no-index",
    ]
    subprocess.run([*pip, str(wheel)], check=True)
    purelib = subprocess.check_output(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    )
    (Path(purelib.decode().strip()) / "others.pth").write_text(sysconfig.get_path("purelib"))
    return place / "bin"


@pytest.fixture
def elsewhere(tmp_path: Path) -> dict[str, str]:
    """Environment of a user who has another package ``core`` on the path."""
    decoy = tmp_path / "theirs" / "core"
    decoy.mkdir(parents=True)
    (decoy / "__init__.py").write_text("raise RuntimeError('not this one')")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("BEHA2VEC", "XDG"))}
    return {**kept, "HOME": str(tmp_path / "home"), "PYTHONPATH": str(decoy.parent)}


def call(program: Path, *args: object, environment: Mapping[str, str], cwd: Path) -> tuple[int, str, str]:
    command = [str(program), *map(str, args)]
    done = subprocess.run(command, env=environment, cwd=cwd, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def test_the_wheel_has_one_name_and_every_file_of_the_app(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    info = f"beha2vec-{VERSION}.dist-info"
    assert {name.split("/")[0] for name in names} == {"beha2vec", info}
    parts = ["app.py", "core", "pages", ".streamlit"]
    files = [path for part in parts for path in [ROOT / part, *(ROOT / part).rglob("*")] if path.is_file()]
    wanted = {
        f"beha2vec/{path.relative_to(ROOT)}"
        for path in files
        if "__pycache__" not in path.parts and path.name != "secrets.toml"
    }
    own = {f"beha2vec/{name}" for name in ("__init__.py", "__main__.py", "estimator.py", "py.typed")}
    assert {name for name in names if not name.startswith(info)} == wanted | own


def test_the_program_runs_the_stages_from_any_folder(
    programs: Path, elsewhere: dict[str, str], tmp_path: Path
) -> None:
    program = programs / "beha2vec"

    def run(*args: object) -> tuple[int, str, str]:
        return call(program, *args, environment=elsewhere, cwd=tmp_path)

    assert run("--version") == (0, f"beha2vec, version {VERSION}\n", "")
    assert run("run", "--help")[1].startswith("Usage: beha2vec run ")
    quick = ("--clusters", 3, "--preset", "bag", "--labels", "off")
    for step in (
        ("sample", "--users", 200, "--out", "shop.csv"),
        ("run", "shop.csv", "--out", "out", *quick),
        ("run", "--out", "out", "--from-stage", "analyze"),
    ):
        status, _, said = run(*step)
        assert status == 0, said
    assert [name for name in TELLS if not (tmp_path / "out" / name).is_file()] == []
    status, text, said = run("ask", "how many users are there", "--out", "out", "--json")
    assert (status, json.loads(text)["declined"]) == (0, None), said
    assert run("ask", "x", "--out", "none")[2].endswith("“beha2vec run INPUT --out OUT” wrote, whole.\n")


def test_child_processes_find_the_installed_modules(
    programs: Path, elsewhere: dict[str, str], tmp_path: Path
) -> None:
    status, text, said = call(programs / "python", "-c", CHILDREN, environment=elsewhere, cwd=tmp_path)
    assert status == 0, said
    assert text == "done product 3\n"


@contextmanager
def serving(command: list[str], environment: Mapping[str, str], cwd: Path, port: int) -> Iterator[str]:
    """The address of an app that answers."""
    address = f"http://127.0.0.1:{port}"
    with (cwd / "app.log").open("w") as log:
        server = subprocess.Popen(command, env=environment, cwd=cwd, stdout=log, stderr=log)
    try:
        until = time.monotonic() + START_S
        while time.monotonic() < until and server.poll() is None:
            try:
                with urllib.request.urlopen(f"{address}/_stcore/health", timeout=5) as health:
                    assert health.read() == b"ok"
                break
            except OSError:
                time.sleep(0.2)
        else:
            pytest.fail((cwd / "app.log").read_text())
        yield address
    finally:
        server.terminate()
        server.wait(30)


def test_the_program_opens_the_app_with_data_in_the_users_folder(
    programs: Path, elsewhere: dict[str, str], tmp_path: Path
) -> None:
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(programs / "beha2vec"), "--port", str(port)]
    with serving(command, elsewhere, tmp_path, port) as address:
        with urllib.request.urlopen(address) as page:
            assert "default-src 'none'" in page.headers["Content-Security-Policy"]  # our server, our settings
        again = call(programs / "beha2vec", "--port", port, environment=elsewhere, cwd=tmp_path)
    assert again[0] == 2
    assert again[2].startswith(f"error: Port {port} cannot be used: ")
    folder = "Library/Application Support" if sys.platform == "darwin" else ".local/share"
    assert (tmp_path / "home" / folder / "beha2vec").is_dir()


def test_a_data_folder_that_cannot_be_used_is_one_line(
    programs: Path, elsewhere: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    told = call(programs / "beha2vec", "--data", "file/data", environment=elsewhere, cwd=tmp_path)
    assert told[0] == 2
    assert re.fullmatch(r"error: \S*/file/data cannot be used: [^\n]+\n", told[2])

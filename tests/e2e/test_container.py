"""The Dockerfile's steps in bare Debian roots, and the app there as compose.yaml starts it.

For where no image can be had: `make container-test`, which keeps the roots in build/container to look at.
"""

import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml
from dockerfile_parse import DockerfileParser
from playwright.sync_api import expect

from tests.e2e.conftest import UP_S, OpenPage

pytestmark = [pytest.mark.release, pytest.mark.timeout(1800)]

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "build" / "container"
STOP_S = 10  # what docker stop waits before it kills
TOOLS = ("debootstrap", "unshare", "nsenter", "apt-get")
CERTIFICATES = "/run/certificates.crt"
PIP = {name: value for name, value in os.environ.items() if name in {"PIP_INDEX_URL", "PIP_DEFAULT_TIMEOUT"}}
SYSTEM = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}


@dataclass
class Stage:
    """A stage of the Dockerfile: its root, and what its instructions say of what runs there.

    Args:
        root: What is ``/`` there.
        environment: Variables that ENV sets.
        said: The last value of each instruction.
    """

    root: Path
    environment: dict[str, str] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)

    @property
    def cwd(self) -> str:
        return self.said.get("WORKDIR", "/")

    def run(self, step: str) -> None:
        """Run one RUN step, with the way to packages that this machine has."""
        script = 'mount -t proc proc proc; exec chroot . sh -ec "$0"'
        inside = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-ec", script]
        variables = SYSTEM | PIP | self.environment
        done = subprocess.run([*inside, f"cd {self.cwd}; {step}"], env=variables, cwd=self.root, check=False)
        assert done.returncode == 0, f"RUN {step}"

    def copy(self, words: list[str], stages: dict[str, "Stage"]) -> None:
        """Do a COPY step: of another stage, or of the files that git knows and .dockerignore lets in."""
        *sources, target = [word for word in words if not word.startswith("--")]
        if words[0].startswith("--from="):
            origin = stages[words[0].removeprefix("--from=")].root / sources[0][1:]
            subprocess.run(["cp", "-al", origin, self.root / target[1:]], check=True)
            return
        let_in = re.findall("^!(.+)", (ROOT / ".dockerignore").read_text(), re.M)
        listed = ["git", "ls-files", "-co", "--exclude-standard", "--", *let_in]
        for path in subprocess.check_output(listed, cwd=ROOT, text=True).splitlines():
            if sources == ["."] or path in sources:
                to = self.root / self.cwd[1:] / target / path
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / path, to)


def base_image(name: str) -> Path:
    """Make what ``debian:CODENAME-slim`` is, with this machine's way to packages."""
    codename = name.removeprefix("debian:").removesuffix("-slim")
    of = ["$(REPO_URI)", "Created-By: Packages", f"Codename: {codename}"]
    mirrors = subprocess.check_output(["apt-get", "indextargets", "--format", *of], text=True).split()
    if not mirrors:
        pytest.skip(f"apt has no mirror of {codename}, which the Dockerfile begins with, on this machine")
    root = FOLDER / codename
    make = ["debootstrap", "--variant=minbase", codename, str(root), mirrors[0]]
    subprocess.run(make, check=True, stdout=subprocess.DEVNULL)
    shutil.copytree("/etc/apt/apt.conf.d", root / "etc/apt/apt.conf.d", dirs_exist_ok=True)
    shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
    if certificates := os.environ.get("PIP_CERT"):
        shutil.copy(certificates, root / CERTIFICATES[1:])
        PIP["PIP_CERT"] = CERTIFICATES
    return root


@pytest.fixture(scope="module")
def image() -> Stage:
    """The last stage, after all steps."""
    lacking = [tool for tool in TOOLS if not shutil.which(tool)]
    if os.geteuid() or lacking:
        pytest.skip(f"needs root, and a Debian with {', '.join(lacking or TOOLS)}")
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    bases: dict[str, Path] = {}
    stages: dict[str, Stage] = {}
    with (ROOT / "Dockerfile").open("rb") as file:
        steps = [(step["instruction"], step["value"]) for step in DockerfileParser(fileobj=file).structure]
    for instruction, value in steps:
        if instruction == "COMMENT":
            continue
        match instruction:
            case "FROM":
                start, _, name = value.partition(" AS ")
                if start not in bases:
                    bases[start] = base_image(start)
                stage = stages[name or "last"] = Stage(FOLDER / f"stage{len(stages)}")
                subprocess.run(["cp", "-a", bases[start], stage.root], check=True)
            case "RUN":
                stage.run(value)
            case "COPY":
                stage.copy(value.split(), stages)
            case "ENV":
                stage.environment |= dict(pair.split("=", 1) for pair in shlex.split(value))
            case "WORKDIR":
                (stage.root / value[1:]).mkdir(parents=True, exist_ok=True)
        stage.said[instruction] = value
    return stage


@dataclass(frozen=True)
class Container:
    """A running app.

    Args:
        image: What it was started from.
        process: What started it.
    """

    image: Stage
    process: subprocess.Popen[bytes]

    @property
    def first(self) -> int:
        """Process 1 of the container, as the machine numbers it; 0 where there is none yet."""
        return int(Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text() or 0)

    def execute(self, *command: str) -> subprocess.CompletedProcess[bytes]:
        """Run a command beside the app, as ``docker exec`` does."""
        user, _, group = self.image.said["USER"].partition(":")
        enter = ["nsenter", f"--target={self.first}", "--mount", "--pid", "--root", "--wd"]
        enter += [f"--setuid={user}", f"--setgid={group}", *command]
        return subprocess.run(enter, env=self.image.environment, check=False, capture_output=True)


@pytest.fixture(scope="module")
def container(image: Stage) -> Iterator[Container]:
    """The program as compose.yaml starts it, when its health check passes."""
    service = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]["beha2vec"]
    assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
    assert service["security_opt"] == ["no-new-privileges:true"]
    user, _, group = image.said["USER"].partition(":")
    volumes = [volume.partition(":")[2][1:] for volume in service["volumes"]]
    script = "; ".join(
        (
            "mount --bind . .",
            'cd "$PWD"',
            "mount -t proc proc proc",
            *(f"mount -t tmpfs -o mode=1777 tmpfs {folder[1:]}" for folder in service["tmpfs"]),
            "mount --rbind /dev dev",
            *(f"mount --bind {folder} {folder}" for folder in volumes),
            "mount -o remount,bind,ro .",
            f"exec /usr/sbin/chroot . setpriv --reuid={user} --regid={group} --clear-groups"
            ' --no-new-privs --inh-caps=-all --bounding-set=-all env "$@"',
        )
    )
    start = [f"--chdir={image.cwd}", *json.loads(image.said["ENTRYPOINT"])]
    with closing(socket.socket()) as free:  # another program there would answer for this one
        free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        free.bind(("127.0.0.1", int(image.said["EXPOSE"])))
    unshare = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-ec", script, "sh", *start]
    process = subprocess.Popen(
        unshare, env=SYSTEM | image.environment, cwd=image.root, start_new_session=True
    )
    try:
        check = json.loads(image.said["HEALTHCHECK"].partition("CMD ")[2])
        until = time.monotonic() + UP_S
        container = Container(image, process)
        while not container.first or container.execute(*check).returncode:
            assert process.poll() is None, "the app ended"
            assert time.monotonic() < until, "the app does not answer"
            time.sleep(1)
        yield container
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # a change of user outlives the death of its parent
        process.wait()


def test_the_first_page_opens(container: Container, new_page: OpenPage) -> None:
    address = f"http://127.0.0.1:{container.image.said['EXPOSE']}"
    with urllib.request.urlopen(address) as answer:
        assert answer.status == 200
    expect(new_page(address).get_by_text("Try the demo shop")).to_be_visible()


def test_stages_run_beside_the_app_and_write_to_the_volume_alone(container: Container) -> None:
    for command in (
        "beha2vec sample --users 200 --out shop.csv",
        "beha2vec run shop.csv --out out --clusters 3 --preset fast",
    ):
        done = container.execute(*command.split())
        assert done.returncode == 0, done.stderr.decode()
    assert (container.image.root / "data/out/report.html").is_file()
    assert b"Read-only file system" in container.execute("touch", "/var/tmp/x").stderr
    assert b"CapEff:\t0000000000000000" in Path(f"/proc/{container.first}/status").read_bytes()


def test_the_app_stops_when_it_is_asked_to(container: Container) -> None:
    os.kill(container.first, signal.SIGTERM)  # as process 1 it must ask for the signal to get it
    container.process.wait(STOP_S)

"""The wheel in an empty environment of each Python it is for, with what pip brings: `make wheel-test`."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from core.base.places import VERSION
from tests.e2e.conftest import OpenPage, free_port
from tests.test_wheel import call, elsewhere, serving, wheel

__all__ = ["elsewhere", "wheel"]  # fixtures
pytestmark = [pytest.mark.release, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module", params=["3.11", "3.12", "3.13"])
def programs(
    request: pytest.FixtureRequest, wheel: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """Folder of programs of an environment that pip installed the wheel into."""
    python = f"python{request.param}"
    if not shutil.which(python) or subprocess.run([python, "-c", ""], check=False).returncode:
        pytest.skip(
            f"no {python} on this machine; with pyenv, PYENV_VERSION=3.11.7:3.12.1:3.13.0 names several"
        )
    place = tmp_path_factory.mktemp("installed")
    subprocess.run([python, "-m", "venv", place], check=True)
    subprocess.run([place / "bin" / "pip", "--quiet", "install", wheel], check=True)
    yield place / "bin"
    shutil.rmtree(place)  # gigabytes


def test_the_first_page_opens(
    programs: Path, elsewhere: dict[str, str], tmp_path: Path, new_page: OpenPage
) -> None:
    port = free_port()
    with serving([str(programs / "beha2vec"), "--port", str(port)], elsewhere, tmp_path, port) as address:
        expect(new_page(address).get_by_text("Try the demo shop")).to_be_visible()


def test_an_export_is_run(programs: Path, elsewhere: dict[str, str], tmp_path: Path) -> None:
    for step, said in (
        ("--version", f"beha2vec, version {VERSION}\n"),
        ("sample --users 200 --out shop.csv", ""),
        ("run shop.csv --out out --clusters 3 --preset fast", ""),
    ):
        status, text, errors = call(programs / "beha2vec", *step.split(), environment=elsewhere, cwd=tmp_path)
        assert (status, text.startswith(said)) == (0, True), errors
    assert (tmp_path / "out" / "report.html").is_file()

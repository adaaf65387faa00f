"""The memory of a machine and of a container, with files of the kernel that are made up.

A test may not limit its own process.
"""

from pathlib import Path
from types import SimpleNamespace

import pytest

from core.base import memory

GIB = 2**30
V2 = ("memory.max", "memory.current", "")
V1 = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_")


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine of 16 GiB, of which 8 are free, and an empty folder for what the kernel tells."""
    whole = SimpleNamespace(total=16 * GIB, available=8 * GIB)
    monkeypatch.setattr(memory.psutil, "virtual_memory", lambda: whole)
    monkeypatch.setattr(memory, "GROUPS", tmp_path / "groups")
    monkeypatch.setattr(memory, "OWN", tmp_path / "own")
    return tmp_path


def limit(folder: Path, names: tuple[str, str, str], most: object, taken: int, pages: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / names[0]).write_text(f"{most}\n")
    (folder / names[1]).write_text(f"{taken}\n")
    half = pages // 2
    (folder / "memory.stat").write_text(
        f"anon 1\n{names[2]}active_file {half}\n{names[2]}inactive_file {pages - half}\n"
    )


def told() -> tuple[float, float]:
    return memory.total_memory() / GIB, memory.free_memory() / GIB


def test_without_control_groups_it_is_the_machines(machine: Path) -> None:
    assert told() == (16, 8)
    (machine / "own").write_text("0::/\n")  # nothing in the folder
    assert told() == (16, 8)


@pytest.mark.parametrize(
    ("own", "folder", "names"),
    [
        ("0::/", "", V2),  # in a container
        ("0::/system.slice/app.service", "system.slice/app.service", V2),  # a service
        ("0::/system.slice/app.service", "system.slice", V2),  # what the service is in
        ("5:cpu:/\n4:memory:/docker/abc\n0::/", "memory", V1),  # a container that does not see its path
        ("4:hugetlb,memory:/docker/abc", "memory/docker/abc", V1),
    ],
)
def test_a_limit_counts_and_pages_of_files_do_not(
    machine: Path, own: str, folder: str, names: tuple[str, str, str]
) -> None:
    (machine / "own").write_text(own + "\n")
    limit(machine / "groups" / folder, names, 4 * GIB, 3 * GIB, GIB)
    assert told() == (4, 2)
    limit(machine / "groups" / folder, names, 4 * GIB, 5 * GIB, 0)  # it is being taken back
    assert told() == (4, 0)


@pytest.mark.parametrize("most", ["max", 9223372036854771712])
def test_no_limit_is_none(machine: Path, most: object) -> None:
    names = V2 if most == "max" else V1
    (machine / "own").write_text("0::/\n" if most == "max" else "4:memory:/\n")
    limit(machine / "groups" / ("" if most == "max" else "memory"), names, most, 3 * GIB, GIB)
    assert told() == (16, 8)

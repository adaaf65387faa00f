"""What is installed is what was looked at: the lock beside the ranges, with a hash for every file."""

import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
PIN = re.compile(
    r"^([\w.\-]+)==(\S+)((?: ;[^\\\n]*)?) *\\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", re.M
)


def ranges(text: str) -> list[Requirement]:
    """The requirements of a file, without comments."""
    lines = (line.split(" #")[0].strip() for line in text.splitlines())
    return [Requirement(line) for line in lines if line and not line.startswith(("#", "-r"))]


def pins(lock: str) -> dict[str, str]:
    """Package → version, for every package with a hash at least."""
    return {canonicalize_name(name): version for name, version, _, _ in PIN.findall(lock)}


def out_of_step(text: str, lock: str) -> list[str]:
    """Requirements that the lock does not pin within their range."""
    found = pins(lock)
    return [
        str(wanted)
        for wanted in ranges(text)
        if found.get(canonicalize_name(wanted.name), "") not in wanted.specifier
    ]


@pytest.fixture(scope="module")
def lock() -> str:
    return (ROOT / "requirements.lock").read_text()


def test_every_range_is_pinned(lock: str) -> None:
    assert out_of_step((ROOT / "requirements.txt").read_text(), lock) == []


def test_every_line_of_the_lock_is_a_pin_with_its_hashes(lock: str) -> None:
    assert PIN.sub("", lock) == ""


def test_licences_are_of_the_pinned_versions(lock: str) -> None:
    rows = re.findall(r"^\| ([\w.\-]+) +\| (\S+)", (ROOT / "docs" / "licences.md").read_text(), re.M)
    listed = {canonicalize_name(name): version for name, version in rows[1:]}
    assert {
        name: version for name, version in pins(lock).items() if listed.get(name, version) != version
    } == {}
    assert len(listed) > 100


@pytest.mark.parametrize("lock", ["", "toy==2.0 \\\n    --hash=sha256:" + "0" * 64 + "\n", "toy==1.5\n"])
def test_a_missing_pin_a_pin_out_of_range_and_one_without_hash_are_noticed(lock: str) -> None:
    assert out_of_step("toy>=1,<2  # a toy", lock) == ["toy<2,>=1"]

"""Rejects: all counted, the first ones kept, and memory that does not grow with them."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from core.base.schema import Raw
from core.ingest.read.part_files import KEPT, Reject, Rejected
from tests.core.ingest.raw import HEADER, ROW, read_paths, write
from tests.core.ingest.shop import event, made_of, raw_read

MANY = 150_000
EVENT = (
    '{"event_name":"page_view","event_timestamp":1611210000000000,"user_pseudo_id":"u","page_location":"/"}'
)
BROKEN = {"events.csv": (f"{HEADER}\n", f"{ROW}\n", "x\n"), "events.ndjson": ("", f"{EVENT}\n", "x\n")}
CHILD = """
import resource, sys
from pathlib import Path
from core.ingest.read.read_all import read_all
from core.base.progress import silent
from core.base.settings import IngestSettings

peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
read_all([Path(sys.argv[1])], IngestSettings(), Path(sys.argv[3]), silent)
before = peak()
raw = read_all([Path(sys.argv[2])], IngestSettings(), Path(sys.argv[3]), silent)
print(raw.files[0].rejected, raw.rejects.num_rows, (peak() - before) >> 10)
"""


def numbered(*lines: int, room: int = KEPT) -> Rejected:
    found = Rejected(room)
    for line in lines:
        found.add(Reject(line, "even" if line % 2 == 0 else "odd"))
    return found


def test_all_are_counted_and_the_first_are_kept_whatever_the_order_they_come_in() -> None:
    found = numbered(2, 5, 8, room=3)
    found.join(numbered(1, 3, 10))
    assert [reject.line for reject in found.kept] == [1, 2, 3]
    assert (found.total, found.reasons) == (6, {"even": 3, "odd": 3})


@pytest.mark.parametrize("name", BROKEN)
def test_rejects_beyond_those_kept_need_no_memory(tmp_path: Path, name: str) -> None:
    header, good, bad = BROKEN[name]
    few, many = (
        write(tmp_path / str(count) / name, header + good + bad * count + good * (MANY - count) + good)
        for count in (KEPT, MANY)
    )
    args = [sys.executable, "-c", CHILD, str(few), str(many), str(tmp_path / "raw")]
    done = subprocess.run(args, capture_output=True, text=True)
    assert not done.stderr
    rejected, kept, megabytes = map(int, done.stdout.split())
    assert (rejected, kept) == (MANY, KEPT)
    assert megabytes <= 30


def test_the_files_of_a_run_share_the_room(tmp_path: Path) -> None:
    files = [
        write(tmp_path / f"{name}.csv", f"{HEADER}\n{ROW}\n" + f"{name}\n" * (KEPT - 1)) for name in "abc"
    ]
    read = read_paths(files, tmp_path)
    assert [file.rejected for file in read.raw.files] == [KEPT - 1] * 3
    assert Counter(reject["file"] for reject in read.rejects) == {"a.csv": KEPT - 1, "b.csv": 1}
    assert read.raw.reasons == {"1 fields instead of 5": 3 * (KEPT - 1)}


def test_the_receipt_says_how_many_are_kept(tmp_path: Path) -> None:
    wrong = {**event("u", 0), Raw.EVENT_TIMESTAMP: "x"}
    raw = raw_read(tmp_path / "raw", [[event("u", 0), *[wrong] * (KEPT + 5)]])
    dataset = made_of(tmp_path, raw)
    assert dataset.receipt.rejected == dataset.receipt.rejects_by_reason["Not a time"] == KEPT + 5
    assert dataset.rejects["line"].tolist() == list(range(3, KEPT + 3))
    assert any("the first 10,000 of 10,005 kept" in text for text in dataset.receipt.warnings)

"""One store, two writers and a reader: threads of one process, and processes."""

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from core.base.errors import ResourceError
from core.storage.store import Store

ROOT = Path(__file__).resolve().parents[3]
WRITES = 100
"""Of each of two writers."""
WRITER = """
import sys
from pathlib import Path
from core.storage.store import Store

store, name, writes = Store(Path(sys.argv[1])), sys.argv[2], int(sys.argv[3])
for number in range(writes):
    with store.write("train", "k", {"by": name}, {}) as folder:
        for part in ("a", "b"):
            (folder / part).write_text(f"{name} {number}")
"""


def write_often(store: Store, name: str) -> None:
    for number in range(WRITES):
        with store.write("train", "k", {"by": name}, {}) as folder:
            for part in ("a", "b"):
                (folder / part).write_text(f"{name} {number}")


def read_while(store: Store, goes_on: Callable[[], bool]) -> list[bool]:
    """Whether each look found the artifact; one is always there, whole."""
    found = []
    while goes_on() or not found:
        found.append(store.find("train", "k") is not None)
    return found


def is_left_whole(store: Store) -> bool:
    with store.undisturbed():
        made = store.find("train", "k")
        assert made is not None
        return (made.path / "a").read_text() == (made.path / "b").read_text()


def names(store: Store) -> list[str]:
    return sorted(path.name for path in (store.root / "train").iterdir())


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "cache")
    with store.write("train", "k", {}, {}) as folder:
        (folder / "a").write_text("first")
    return store


def test_two_threads_write_one_key_and_a_third_reads_it(store: Store) -> None:
    with ThreadPoolExecutor(3) as pool:
        writers = [pool.submit(write_often, store, name) for name in ("one", "two")]
        reader = pool.submit(read_while, store, lambda: not all(writer.done() for writer in writers))
        errors = [error for writer in writers if (error := writer.exception())]
        found = reader.result()
    assert errors == []
    assert found.count(False) == 0
    assert is_left_whole(store)
    assert names(store) == ["k"]


def test_two_processes_write_one_key_and_a_third_reads_it(store: Store) -> None:
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(store.root), name, str(WRITES)],
            cwd=ROOT, stderr=subprocess.PIPE, text=True,
        )
        for name in ("one", "two")
    ]  # fmt: skip
    found = read_while(store, lambda: any(writer.poll() is None for writer in writers))
    assert [(writer.communicate()[1], writer.returncode) for writer in writers] == [("", 0)] * 2
    assert found.count(False) == 0
    assert is_left_whole(store)
    assert names(store) == ["k"]


def test_a_turn_is_taken_by_one_thread_and_may_be_taken_again(store: Store) -> None:
    counter = store.root / "counter"
    counter.write_text("0")

    def count() -> None:
        for _ in range(50):
            with store.in_turn(), store.in_turn():
                counter.write_text(str(int(counter.read_text()) + 1))

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counter.read_text() == "200"


def test_a_sweep_leaves_another_threads_writing_alone(store: Store) -> None:
    with store.write("train", "other", {}, {}) as folder:
        (folder / "a").write_text("x")
        sweeper = threading.Thread(target=store.sweep)
        sweeper.start()
        sweeper.join()
    assert store.find("train", "other") is not None


def test_a_sweep_is_not_fooled_by_a_number_that_another_process_has_now(store: Store) -> None:
    left = store.root / "train" / f".k.{os.getpid()}.0123abcd"
    left.mkdir()
    store.sweep()
    assert names(store) == ["k"]


@pytest.mark.parametrize("name", [".k.999999999.old", ".k.999999999.0123abcd.old"])
def test_a_sweep_puts_back_what_was_to_be_replaced(store: Store, name: str) -> None:
    (store.root / "train" / "k").rename(store.root / "train" / name)
    store.sweep()
    assert store.find("train", "k") is not None
    assert names(store) == ["k"]


def test_a_folder_that_is_being_removed_is_said_in_one_line(store: Store) -> None:
    with pytest.raises(ResourceError, match="removed"), store.write("train", "k", {}, {}) as folder:
        shutil.rmtree(folder)  # the lock beside it is not gone yet


def test_a_folder_that_vanished_is_not_made_again(store: Store) -> None:
    with pytest.raises(ResourceError, match="removed"), store.write("train", "new", {}, {}) as folder:
        (folder / "a").write_text("x")
        subprocess.run(["rm", "-rf", str(store.root)], check=True)
    assert store.find("train", "new") is None
    with store.write("train", "new", {}, {}) as folder:  # a cache that was emptied is begun anew
        (folder / "a").write_text("x")
    assert store.find("train", "new") is not None

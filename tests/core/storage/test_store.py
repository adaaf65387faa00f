import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.base.errors import ArtifactError, ResourceError
from core.storage.disk import disk_errors, write_text_atomic
from core.storage.store import MANIFEST, Store, content_key, open_artifact


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "cache")


def fill(store: Store, key: str = "k", text: str = "hello") -> Path:
    with store.write("train", key, {"epochs": 3}, {"preprocess": "p"}) as folder:
        (folder / "sub").mkdir()
        (folder / "sub" / "a.txt").write_text(text)
    return store.root / "train" / key


def test_what_was_written_is_found_with_its_settings(store: Store) -> None:
    fill(store)
    artifact = store.find("train", "k")
    assert artifact is not None
    assert artifact.settings == {"epochs": 3}
    assert artifact.inputs == {"preprocess": "p"}
    assert (artifact.path / "sub" / "a.txt").read_text() == "hello"


def test_absent_is_none(store: Store) -> None:
    assert store.find("train", "nothing") is None


def test_an_exception_leaves_nothing_new_and_the_old_untouched(store: Store) -> None:
    fill(store, text="old")
    with pytest.raises(RuntimeError, match="halfway"), store.write("train", "k", {}, {}) as folder:
        (folder / "a.txt").write_text("new")
        raise RuntimeError("halfway")
    found = store.find("train", "k")
    assert found is not None
    assert (found.path / "sub" / "a.txt").read_text() == "old"
    assert [path.name for path in (store.root / "train").iterdir()] == ["k"]


def test_writing_again_replaces(store: Store) -> None:
    fill(store, text="old")
    path = fill(store, text="new")
    assert (path / "sub" / "a.txt").read_text() == "new"


@pytest.mark.parametrize("damage", ["change", "remove", "manifest", "version"])
def test_a_damaged_artifact_counts_as_absent_until_it_is_made_again(store: Store, damage: str) -> None:
    path = fill(store)
    if damage == "change":
        (path / "sub" / "a.txt").write_text("hellO")
    elif damage == "remove":
        (path / "sub" / "a.txt").unlink()
    elif damage == "version":
        manifest = json.loads((path / MANIFEST).read_text())
        (path / MANIFEST).write_text(json.dumps(manifest | {"format": 1}))
    else:
        (path / MANIFEST).write_text("{")
    with pytest.raises(ArtifactError):
        open_artifact(path)
    assert store.find("train", "k") is None
    assert path.exists()  # a reader removes nothing: it may have met a writer
    assert fill(store) == path
    assert store.find("train", "k") is not None


def test_a_killed_writer_leaves_no_artifact_and_is_swept(store: Store) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path; from core.storage.store import Store\n"
        "with Store(Path(sys.argv[1])).write('train', 'k', {}, {}) as folder:\n"
        "    (folder / 'a').write_text('x'); os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(store.root)], check=False)
    assert done.returncode == -9
    assert store.find("train", "k") is None
    assert len(list((store.root / "train").iterdir())) == 2  # what was half made, and its lock
    store.sweep()
    assert list((store.root / "train").iterdir()) == []


def test_sweep_leaves_a_living_writer_alone(store: Store) -> None:
    with store.write("train", "k", {}, {}) as folder:
        (folder / "a").write_text("x")
        store.sweep()
    assert store.find("train", "k") is not None


def test_the_key_depends_on_everything_and_not_on_order() -> None:
    key = content_key("train", {"a": 1, "b": 2}, {"x": "1"})
    assert key == content_key("train", {"b": 2, "a": 1}, {"x": "1"})
    others = [
        content_key("embed", {"a": 1, "b": 2}, {"x": "1"}),
        content_key("train", {"a": 1, "b": 3}, {"x": "1"}),
        content_key("train", {"a": 1, "b": 2}, {"x": "2"}),
    ]
    assert len({key, *others}) == 4


def test_a_full_disk_is_a_resource_error() -> None:
    with pytest.raises(ResourceError, match="disk is full"), disk_errors():
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "users.parquet")


def test_a_real_full_disk_leaves_the_old_file(tmp_path: Path) -> None:
    """/dev/full refuses every write as a full disk does; the rename must not happen."""
    target = tmp_path / "status.json"
    write_text_atomic(target, json.dumps({"ok": True}))
    with (
        pytest.raises(ResourceError, match="disk is full"),
        disk_errors(),
        Path("/dev/full").open("w") as file,
    ):
        file.write("x")
        file.flush()
    assert json.loads(target.read_text()) == {"ok": True}
    assert [path.name for path in tmp_path.iterdir()] == ["status.json"]


def test_a_read_error_is_no_proof_of_damage(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    path = fill(store)

    def unreadable(_: Path) -> str:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr("core.storage.store.file_checksum", unreadable)
    with pytest.raises(OSError, match="Input/output"):
        store.find("train", "k")
    assert path.exists()


def test_a_kill_between_the_two_renames_loses_nothing(store: Store) -> None:
    fill(store, text="old")
    code = (
        "import os, signal, sys; from pathlib import Path; import core.storage.store as s\n"
        "real = os.replace\n"
        "def replace(a, b):\n"
        "    if Path(b).name == 'k': os.kill(os.getpid(), signal.SIGKILL)\n"
        "    real(a, b)\n"
        "os.replace = replace\n"
        "with s.Store(Path(sys.argv[1])).write('train', 'k', {}, {}) as folder:\n"
        "    (folder / 'a').write_text('new')\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(store.root)], check=False)
    assert done.returncode == -9
    assert store.find("train", "k") is None
    store.sweep()
    found = store.find("train", "k")
    assert found is not None
    assert (found.path / "sub" / "a.txt").read_text() == "old"
    assert [path.name for path in (store.root / "train").iterdir()] == ["k"]


def test_files_are_readable_as_the_umask_says(tmp_path: Path) -> None:
    path = tmp_path / "receipt.json"
    write_text_atomic(path, "{}")
    other = tmp_path / "plain"
    other.write_text("{}")
    assert path.stat().st_mode == other.stat().st_mode

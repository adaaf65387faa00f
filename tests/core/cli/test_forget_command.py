"""``python -m core forget``: what it says, and with which status it ends."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from core.base.errors import SettingsError
from core.cli.forget_command import searched_places

ID = "1234567890.1612345678"


def forget(place: Path, *words: str, ids: str = ID) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "core", "forget", "-", "--cache", str(place / "cache")]
    certificate = ["--certificate", str(place / "forgotten.json")]
    return subprocess.run([*command, *certificate, *words], input=ids, capture_output=True, text=True)


def test_what_is_left_is_named_without_the_id_and_the_status_is_2(tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "preferences.json").write_text(json.dumps({"of": ID}))
    (tmp_path / "input").mkdir()
    (tmp_path / "input" / f"{ID}.pdf").write_bytes(b"%PDF")
    done = forget(tmp_path, "--input", str(tmp_path / "input"))
    assert done.returncode == 2
    assert "ids may still stand in 1 file" in done.stderr
    assert "[forgotten].pdf" in done.stderr
    assert ID not in done.stderr + done.stdout + (tmp_path / "forgotten.json").read_text()
    assert json.loads((tmp_path / "cache" / "preferences.json").read_bytes()) == {"of": "[forgotten]"}


def test_nothing_is_left_and_the_status_is_0(tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    done = forget(tmp_path, ids=f"user_id\n{ID}\n12\n")
    assert done.returncode == 0, done.stderr
    assert "0 places left of 1 id; 1 id too short" in done.stdout
    assert "1 id is too short" in done.stdout


def test_no_ids_are_one_line(tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    done = forget(tmp_path, ids="\n")
    assert done.returncode == 2
    assert done.stderr.strip().splitlines()[-1].startswith("error: There is no id in the list")


def test_the_apps_cache_is_usual(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEHA2VEC_CACHE", str(tmp_path))
    assert searched_places(None, (), ()).store == tmp_path
    monkeypatch.setenv("BEHA2VEC_CACHE", str(tmp_path / "none"))
    with pytest.raises(SettingsError, match="nothing to search"):
        searched_places(None, (), ())

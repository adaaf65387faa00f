"""What goes between a page and its job: ids there, a certificate back.

What a job is asked with stays in its folder, so the ids are no part of it: they lie in a file that only its
owner can read, until the job has.
"""

from __future__ import annotations

import secrets
from contextlib import suppress
from pathlib import Path
from typing import Final

from core.base.errors import InputError
from core.runs.forgetting.certificate import Forgotten
from core.storage.disk import PRIVATE, disk_errors, write_text_atomic
from core.storage.store import Store

FOLDER: Final = "to_forget"
CERTIFICATES: Final = "forgotten"
"""Folder of the store for the certificates."""


def hand_in(store: Store, text: str) -> Path:
    """Leave a list where the job finds it.

    Raises:
        ResourceError: If the disk is full.
    """
    path = store.root.resolve() / FOLDER / f"{secrets.token_hex(8)}.txt"
    write_text_atomic(path, text, PRIVATE)
    return path


def take(path: Path) -> str:
    """Read a list, and remove it.

    Raises:
        InputError: If it is not there any more.
    """
    with disk_errors():
        try:
            return path.read_text(encoding="utf-8")
        except FileNotFoundError as error:
            raise InputError("The list of ids is gone", remedy="Give it again") from error
        finally:
            path.unlink(missing_ok=True)


def clear_away(store: Store) -> None:
    """Remove lists that no job has taken: none is at work."""
    for path in (store.root / FOLDER).glob("*"):
        with suppress(FileNotFoundError):
            path.unlink()


def keep(store: Store, certificate: Forgotten) -> None:
    """Keep a certificate, to be shown later.

    Raises:
        ResourceError: If the disk is full.
    """
    name = certificate.at.replace(":", "").replace("+0000", "")
    write_text_atomic(store.root / CERTIFICATES / f"{name}.json", certificate.to_json())


def kept(store: Store) -> list[Path]:
    """All certificates, the latest first."""
    return sorted((store.root / CERTIFICATES).glob("[!.]*.json"), reverse=True)

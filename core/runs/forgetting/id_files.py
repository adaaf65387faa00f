"""Files between a page and its job of forgetting: lists of ids for the job, certificates for the page.

What a job is asked with stays in its folder, so the ids are no part of it: they lie in a file that only its
owner can read, until the job has.
"""

from __future__ import annotations

import secrets
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from core.base.errors import InputError
from core.runs import jobs
from core.runs.forgetting.certificate import ForgetCertificate
from core.storage.disk import PRIVATE, disk_errors, write_text_atomic
from core.storage.store import Store

FOLDER: Final = "to_forget"
_CERTIFICATES: Final = "forgotten"
"""Folder of the store for the certificates."""
_GRACE_S: Final = 60.0
"""Seconds that a list may wait for its job to start."""


def write_ids(store: Store, text: str) -> Path:
    """Write a list of ids where the job reads it.

    Raises:
        ResourceError: If the disk is full.
    """
    path = store.root.resolve() / FOLDER / f"{secrets.token_hex(8)}.txt"
    write_text_atomic(path, text, PRIVATE)
    return path


def read_ids(path: Path) -> str:
    """Read a list of ids, and remove its file.

    Raises:
        InputError: If the file is gone.
    """
    with disk_errors():
        try:
            return path.read_text(encoding="utf-8")
        except FileNotFoundError as error:
            raise InputError("The list of ids is gone", remedy="Give it again") from error
        finally:
            path.unlink(missing_ok=True)


def clear_away(store: Store, own: Path | None) -> None:
    """Remove lists of ids whose job was cancelled or died.

    Args:
        store: Where they lie.
        own: The list of a job that has ended.
    """
    lists = set((store.root.resolve() / FOLDER).glob("*"))
    if not lists:
        return
    asked = (jobs.request_of(store.root, job.id) for job in jobs.active(store.root))
    waiting = {Path(str(one["ids"])) for one in asked if "ids" in one}
    for path in lists - waiting:
        with suppress(FileNotFoundError):
            if path == own or time.time() - path.stat().st_mtime > _GRACE_S:
                path.unlink()


def save_certificate(store: Store, certificate: ForgetCertificate) -> None:
    """Keep a certificate, to be shown later.

    Raises:
        ResourceError: If the disk is full.
    """
    name = certificate.at.replace(":", "").replace("+0000", "")
    write_text_atomic(store.root / _CERTIFICATES / f"{name}.json", certificate.to_json())


def certificates(store: Store) -> list[Path]:
    """Paths of all certificates, the latest first."""
    return sorted((store.root / _CERTIFICATES).glob("[!.]*.json"), reverse=True)

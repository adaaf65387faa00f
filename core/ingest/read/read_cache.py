"""Cache the reads of input files, so that a new day is added to a month without reading the month again.

The read of a file depends only on its bytes and on how they are read, so it is stored by content key; all
that depends on other files (numbers, names, order, bots) is decided anew each time. So a data set that grew
is the same as one made of all files at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter

from core.base.settings import IngestSettings
from core.ingest.read.read_file import FileRead, read_file
from core.ingest.sources.input_files import InputFile, changed, readable
from core.storage.store import Store, content_key, file_checksum, open_artifact

STAGE: Final = "read"
_ABOUT: Final = "read.json"
_VERSION: Final = 9
"""Version of the readers: increased when they read a file differently than before."""

_FILE_READ: Final = TypeAdapter(FileRead)
_FILE: Final = "file"


class ReadCache:
    """Reads of files in a store, by the content of the files.

    Args:
        store: The store.
        settings: The analyst's mapping and user key.
        checksums: File on disk → SHA-256 of its bytes, for all files of the run.
    """

    def __init__(self, store: Store, settings: IngestSettings, checksums: Mapping[Path, str]) -> None:
        self._store, self._settings, self._checksums = store, settings, checksums

    def key(self, source: InputFile) -> str:
        """Return the content key of a file's read: its bytes, its place in a zip, and how it is read."""
        return content_key(STAGE, reading(self._settings), self._made_of(source))

    def read(self, source: InputFile, report: Callable[[int], None]) -> FileRead:
        """Read a file, or return its earlier read.

        Args:
            source: The file.
            report: Called with the number of bytes read so far.

        Raises:
            InputError: If the file cannot be used as a whole, or changed meanwhile.
            ResourceError: If the disk is full.
            Cancelled: If ``report`` says so.
        """
        made_of, how = self._made_of(source), reading(self._settings)
        key = content_key(STAGE, how, made_of)
        if self._store.find(STAGE, key) is None:
            with self._store.write(STAGE, key, how, made_of) as building:
                read = read_file(source, self._settings, building, report)
                self.refuse_another(source)
                (building / _ABOUT).write_bytes(_FILE_READ.dump_json(read))
        return replace(_read_in(self._store.root / STAGE / key), source=source)

    def refuse_another(self, source: InputFile) -> None:
        """Check that a file was not changed while it was read.

        Raises:
            InputError: If its checksum changed, or it is gone.
        """
        with readable(source.name):
            now = file_checksum(source.path)
        if now != self._checksums[source.path]:
            raise changed(source.name)

    def refuse_others(self, sources: Sequence[InputFile]) -> None:
        """Check that no file was added or removed while checksums were computed.

        Raises:
            InputError: If a file was.
        """
        if others := {source.path for source in sources} ^ self._checksums.keys():
            raise changed(min(others).name)

    def _made_of(self, source: InputFile) -> dict[str, str]:
        return {_FILE: self._checksums[source.path], "member": source.member}


def reading(settings: IngestSettings) -> dict[str, Any]:
    """Return the settings that decide how a file is read; all others apply later."""
    return {
        "version": _VERSION,
        **settings.model_dump(mode="json", include={"mapping", "user_key", "dimensions", "join_logins"}),
    }


def open_read(store: Store, key: str) -> FileRead:
    """Open the stored read of a file; the file may be gone.

    Raises:
        ArtifactError: If the read is not in the store, or damaged.
    """
    return _read_in(open_artifact(store.root / STAGE / key).path)


def _read_in(folder: Path) -> FileRead:
    read = _FILE_READ.validate_json((folder / _ABOUT).read_bytes())
    return replace(read, parts=tuple(replace(part, path=folder / part.path.name) for part in read.parts))

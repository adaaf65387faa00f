"""Files that were read before: a new day is added to a month without reading the month again.

What a file holds is a function of its bytes and of how they are read, so it is kept by their content; what
depends on the other files (numbers, names, order, who is a bot) is decided anew each time. A data set that
grew is therefore the one that all files together would have given.
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
ABOUT: Final = "read.json"
_VERSION: Final = 6
"""Raised when the readers read something otherwise than before."""

_ABOUT: Final = TypeAdapter(FileRead)
_FILE: Final = "file"


class KeptReads:
    """What was read of files, by their content, in a store.

    Args:
        store: Where it is kept.
        settings: The analyst's mapping and user key.
        checksums: File on disk → SHA-256 of its bytes, of all that will be asked for.
    """

    def __init__(self, store: Store, settings: IngestSettings, checksums: Mapping[Path, str]) -> None:
        self._store, self._settings, self._checksums = store, settings, checksums

    def key(self, source: InputFile) -> str:
        """Name what a file holds: its bytes, its place in a zip, and how it is read."""
        return content_key(STAGE, reading(self._settings), self._made_of(source))

    def read(self, source: InputFile, report: Callable[[int], None]) -> FileRead:
        """Read a file, or take what was read of it before.

        Args:
            source: The file.
            report: Told the bytes read so far.

        Raises:
            InputError: If the file cannot be used as a whole, or is another one by now.
            ResourceError: If the disk is full.
            Cancelled: If ``report`` says so.
        """
        made_of, how = self._made_of(source), reading(self._settings)
        key = content_key(STAGE, how, made_of)
        if self._store.find(STAGE, key) is None:
            with self._store.write(STAGE, key, how, made_of) as building:
                read = read_file(source, self._settings, building, report)
                self.refuse_another(source)
                (building / ABOUT).write_bytes(_ABOUT.dump_json(read))
        return replace(_read_in(self._store.root / STAGE / key), source=source)

    def refuse_another(self, source: InputFile) -> None:
        """What was put in a file's place while it was read must not be taken for what it was.

        Raises:
            InputError: If it has another one now, or is gone.
        """
        with readable(source.name):
            now = file_checksum(source.path)
        if now != self._checksums[source.path]:
            raise changed(source.name)

    def refuse_others(self, sources: Sequence[InputFile]) -> None:
        """Files that came or went while checksums were taken are not those that were asked for.

        Raises:
            InputError: If one did.
        """
        if others := {source.path for source in sources} ^ self._checksums.keys():
            raise changed(min(others).name)

    def _made_of(self, source: InputFile) -> dict[str, str]:
        return {_FILE: self._checksums[source.path], "member": source.member}


def reading(settings: IngestSettings) -> dict[str, Any]:
    """What decides how a file is read; all else of the settings is decided afterwards."""
    return {"version": _VERSION, **settings.model_dump(mode="json", include={"mapping", "user_key"})}


def open_read(store: Store, key: str) -> FileRead:
    """Take what was read of a file, which need not be there any more.

    Raises:
        ArtifactError: If it is not in the store, or damaged.
    """
    return _read_in(open_artifact(store.root / STAGE / key).path)


def _read_in(folder: Path) -> FileRead:
    read = _ABOUT.validate_json((folder / ABOUT).read_bytes())
    return replace(read, parts=tuple(replace(part, path=folder / part.path.name) for part in read.parts))

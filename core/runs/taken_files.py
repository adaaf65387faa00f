"""Which files of a watched folder were taken: one record on disk, which decides what counts.

Files are known by content, however packed. A name with other content than before (a day that was written
again) takes the place of what it held; the same content under another name is nothing new, and a file that
was renamed is followed, so that its old name may hold another day. The record comes last, with what was made
of the files, so that a file counts once wherever a process was killed.
"""

from __future__ import annotations

import gzip
import hashlib
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter, ValidationError

from core.base.errors import ArtifactError, InputError, SettingsError
from core.base.settings import IngestSettings
from core.ingest.sources.input_files import SUFFIXES, content_checksum, natural, tables_in
from core.storage.store import content_key, file_checksum

RECORD: Final = "watch.json"
ANEW: Final = "Choose another --out, or delete this watch: then every file of the folder is taken again"
"""Remedy where the record of taken files cannot be used."""


@dataclass(frozen=True)
class TakenFile:
    """A file whose events count.

    Args:
        name: Within the watched folder.
        checksum: SHA-256 of its content, unpacked (:meth:`WatchedFolder.checksum`).
        at: When it was taken, UTC, ISO 8601.
        reads: Table (a zip has several) → key of the records that were read of it.
        contents: SHA-256 of the content of each table of a zip that has several, by the same names.
        records: How many were read of it.
        users: Number of users of all files, once this one was taken.
        page_views: Number of page views of all files, once this one was taken.
        segments: Segment → its users of all files then; empty where another model placed them.
    """

    name: str
    checksum: str
    at: str
    reads: Mapping[str, str]
    records: int = 0
    users: int = 0
    page_views: int = 0
    segments: Mapping[int, int] = field(default_factory=dict)
    contents: Mapping[str, str] = field(default_factory=dict)

    def called(self, name: str) -> TakenFile:
        """A copy under another name, its tables renamed likewise."""
        reads, contents = (
            {name + read.removeprefix(self.name): value for read, value in of.items()}
            for of in (self.reads, self.contents)
        )
        return replace(self, name=name, reads=reads, contents=contents)


@dataclass(frozen=True)
class RefusedFile:
    """A file that cannot be used; it is looked at again when its content changes.

    Args:
        name: Within the watched folder.
        checksum: SHA-256 of its bytes.
        at: Time of the refusal, UTC, ISO 8601.
        why: Reason in words.
    """

    name: str
    checksum: str
    at: str
    why: str


@dataclass(frozen=True)
class WatchedDrift:
    """Users of the latest days compared with those of the training (:mod:`core.periods.drift`).

    Args:
        at: Time of the comparison, UTC, ISO 8601.
        users: Number of users of the latest days.
        alarm: Whether they are not those of the training any more.
        p_value: How often users without change would look as different.
        measure: The figure that is farthest from what it was, in words.
        standard_errors: Distance of that figure from what it was, in standard errors.
        threshold: Standard errors from which on a figure raises the alarm.
        unknown: Mean share of a user's page views on pages that the model does not know.
        unknown_before: That share of the users of the training.
        new_pages: Pages shown to be new.
        gone_pages: Pages shown to be gone.
        train_again: Whether the model is worn.
        lines: All of it in words, the answer first.
        why_not: Why nothing can be said, where nothing can.
    """

    at: str
    users: int
    alarm: bool = False
    p_value: float = 1.0
    measure: str = ""
    standard_errors: float = 0.0
    threshold: float = 0.0
    unknown: float = 0.0
    unknown_before: float = 0.0
    new_pages: int = 0
    gone_pages: int = 0
    train_again: bool = False
    lines: tuple[str, ...] = ()
    why_not: str = ""


@dataclass(frozen=True)
class TakenFiles:
    """Record of a watched folder: taken and refused files.

    Args:
        read_with: Digest of the ingest settings that they were read with.
        files: Taken files, one a name, in the order in which they came.
        refused: Refused files, one a name; what was taken under that name before still counts.
        model: Key of the model whose segments the users are in.
        drift: Comparison of the latest users with those of the training; None before any was placed.
    """

    read_with: str
    files: tuple[TakenFile, ...] = ()
    refused: tuple[RefusedFile, ...] = ()
    model: str = ""
    drift: WatchedDrift | None = None

    @property
    def in_order(self) -> list[TakenFile]:
        """The taken files sorted by name, as a run over the whole folder reads them."""
        return sorted(self.files, key=lambda file: natural(Path(file.name)))

    @property
    def repeats(self) -> dict[str, str]:
        """Table with the same content as an earlier one → that earlier table, which alone is counted."""
        first: dict[str, str] = {}
        tables = [
            (name, file.contents.get(name, file.checksum)) for file in self.in_order for name in file.reads
        ]
        return {name: first[content] for name, content in tables if first.setdefault(content, name) != name}

    def knows(self, name: str, checksum: str) -> bool:
        """Whether this content was taken under any name, or refused under this one."""
        return any(file.checksum == checksum for file in self.files) or any(
            (file.name, file.checksum) == (name, checksum) for file in self.refused
        )

    def take(self, come: Iterable[TakenFile]) -> TakenFiles:
        """A copy with these files added; each replaces what was taken or refused under its name."""
        new = tuple(come)
        names = {file.name for file in new}
        return replace(
            self,
            files=(*(file for file in self.files if file.name not in names), *new),
            refused=tuple(file for file in self.refused if file.name not in names),
        )

    def placed_on(self, model: str) -> TakenFiles:
        """A copy for a model (key); counts by segment on another model are removed, except the latest."""
        if self.model in ("", model) or not self.files:
            return replace(self, model=model)
        *earlier, last = self.files
        return replace(self, model=model, files=(*(replace(file, segments={}) for file in earlier), last))

    def follow(self, there: Mapping[str, str]) -> TakenFiles:
        """A copy in which renamed files (``export.csv`` → ``export.1.csv``) have their new names.

        Files that left the folder still count; where another file has their name, a checksum is added to it.

        Args:
            there: Name → checksum of every file in the folder.
        """
        lies = dict(zip(there.values(), there, strict=True))
        names = [
            file.name if there.get(file.name) == file.checksum else lies.get(file.checksum, file.name)
            for file in self.files
        ]
        uses = Counter(names)
        files = (
            file.called(name)
            if uses[name] == 1 or there.get(name) == file.checksum
            else file.called(f"{name} {file.checksum[:8]}")
            for file, name in zip(self.files, names, strict=True)
        )
        return replace(self, files=tuple(files))

    def refuse(self, file: RefusedFile) -> TakenFiles:
        """A copy with a file that cannot be used."""
        others = (other for other in self.refused if other.name != file.name)
        return replace(self, refused=(*others, file))

    def to_json(self) -> bytes:
        """The record as the bytes of ``watch.json``."""
        return _RECORD.dump_json(self, indent=1)


_RECORD: Final = TypeAdapter(TakenFiles)


def read_taken(out: Path) -> TakenFiles | None:
    """Read the record of a watch; None where nothing was taken.

    Raises:
        ArtifactError: If the record is damaged.
    """
    try:
        return _RECORD.validate_json((out / RECORD).read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError as error:
        raise ArtifactError(
            f"{out / RECORD} is damaged, so which files were taken is not known",
            remedy=ANEW,
        ) from error


def taken_alike(out: Path, settings: IngestSettings) -> TakenFiles:
    """Read the record of a watch, and refuse it where its files were read with other settings.

    Raises:
        ArtifactError: If the record is damaged.
        SettingsError: If it is of files that were read otherwise.
    """
    from core.ingest.read.read_cache import reading  # here, as all readers come with it

    read_with = content_key("watch", reading(settings), {})
    taken = read_taken(out) or TakenFiles(read_with)
    if taken.read_with != read_with:
        raise SettingsError(
            f"The files in {out / RECORD} were read otherwise than this model reads them: other columns, or "
            "another version of this program",
            remedy=ANEW,
        )
    return taken


class WatchedFolder:
    """A folder in which files appear, seen again and again.

    Args:
        path: The folder.
        settle_s: How long a file must have stayed as it is to count as whole.
    """

    def __init__(self, path: Path, settle_s: float) -> None:
        self.path, self._settle_s = path, settle_s
        self._seen: dict[Path, _Seen] = {}

    def whole_files(self) -> list[Path]:
        """Files that are not being written any more, in the order of their names.

        Raises:
            InputError: If the folder cannot be looked at right now.
        """
        now, seen = time.monotonic(), {}
        try:
            for path in self.path.iterdir():
                if not path.name.startswith(".") and path.suffix.lower() in SUFFIXES and path.is_file():
                    with suppress(FileNotFoundError):  # gone again
                        fresh = _Seen(_state(path), now)
                        before = self._seen.get(path, fresh)
                        seen[path] = before if before.state == fresh.state else fresh
        except OSError as error:
            raise InputError(
                f"{self.path} cannot be read: {error.strerror}", remedy="Check the path"
            ) from error
        self._seen = seen
        return sorted(
            (path for path, state in seen.items() if now - state.since >= self._settle_s), key=natural
        )

    def contents(self, path: Path) -> Mapping[str, str]:
        """SHA-256 of each table of a file that was seen, unpacked; computed once while it stays as it is."""
        seen = self._seen[path]
        seen.contents = seen.contents or _contents(path)
        return seen.contents

    def checksum(self, path: Path) -> str:
        """SHA-256 of a file's table, or of the checksums of all its tables."""
        first, *others = self.contents(path).values()
        return hashlib.sha256(" ".join([first, *others]).encode()).hexdigest() if others else first

    def unchanged(self, path: Path) -> bool:
        """Whether a file is still what it was when it was seen."""
        with suppress(FileNotFoundError):
            return self._seen[path].state == _state(path)
        return False

    def holding(self, checksum: str) -> Path | None:
        """A file seen at the last look, complete or not, with this checksum; None if there is none."""
        for path in self._seen:
            with suppress(OSError):
                if self.checksum(path) == checksum:
                    return path
        return None


@dataclass
class _Seen:
    """State of a file, the time since which it is so, and the checksums of its tables."""

    state: tuple[int, ...]
    since: float
    contents: Mapping[str, str] = field(default_factory=dict)


def _contents(path: Path) -> dict[str, str]:
    """Table → SHA-256 of its content; of a file that cannot be read as one, of its bytes.

    Raises:
        OSError: If the disk gives no bytes.
    """
    try:
        return {source.name: content_checksum(source) for source in tables_in(path, path.name)}
    except InputError as error:
        if may_pass(error) and error.__cause__:
            raise error.__cause__ from None
        return {path.name: file_checksum(path)}


def may_pass(error: InputError) -> bool:
    """Whether an error may go away by itself, as those of a disk or permissions; damaged bytes do not."""
    cause = error.__cause__
    return isinstance(cause, OSError) and not isinstance(cause, gzip.BadGzipFile)


def _state(path: Path) -> tuple[int, ...]:
    """Size, times and inode of a file: a copy may keep the first two of what it replaces (``cp -p``)."""
    about = path.stat()
    return about.st_size, about.st_mtime_ns, about.st_ino, about.st_ctime_ns

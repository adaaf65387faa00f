"""Certificate of forgotten users: what was searched and what is left, without naming any of them."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from core.base.wording import pluralise
from core.runs.forgetting.patterns import FORGOTTEN, IdPatterns
from core.runs.forgetting.search import SearchedFile

_FORMAT: Final = 1
_SEARCHED_AS: Final = (
    "whole tokens: the id with no letter, digit or _ beside it",
    "UTF-8, UTF-16 and Windows-1252; as it is, percent-encoded, and escaped as in JSON, HTML and CSV",
    "gzip, zip, zlib and .npz unpacked; columns of Parquet; rows of SQLite; arrays of whole numbers",
    "names of files and folders",
)


@dataclass(frozen=True)
class LeftoverFile:
    """A file that still contains an id, or could not be searched completely.

    Args:
        file: Its path, without ids.
        places: Number of places where an id stands.
        why: What could not be read; empty if everything was.
    """

    file: str
    places: int
    why: str


@dataclass(frozen=True)
class ForgetCertificate:
    """Certificate that users were forgotten: what was searched, removed and left.

    Args:
        at: When the search ended, UTC, ISO 8601.
        ids: Number of different ids in the list.
        found: Number of ids that stood anywhere before.
        others: Number of longer ids, of other users, that contain one of them: they are left.
        short: Number of ids too short to be told from other words and numbers; they were looked for
            as whole values of columns of ids only.
        salt: Salt of the digest, hex.
        digest: scrypt over salt and list: whoever has the list can show that it is the one, and nobody
            can try out ids.
        done: What became of which files, in words → their number.
        records: Number of records that were left out of input files.
        places: Folders and files that were searched.
        files: Number of files that were searched.
        bytes_on_disk: Size of these files.
        bytes_searched: That, and what they unpack to.
        left: Files that still contain an id, or could not be searched completely.
    """

    at: str
    ids: int
    found: int
    others: int
    short: int
    salt: str
    digest: str
    done: Mapping[str, int]
    records: int
    places: tuple[str, ...]
    files: int
    bytes_on_disk: int
    bytes_searched: int
    left: tuple[LeftoverFile, ...]

    @property
    def is_clean(self) -> bool:
        """Whether no file may still hold an id."""
        return not self.left

    @property
    def sentence(self) -> str:
        """The outcome in a line."""
        searched = f"{pluralise(self.files, 'file')}, {self.bytes_searched:,} bytes searched"
        if self.is_clean:
            short = f"; {pluralise(self.short, 'id')} too short to be searched in text" if self.short else ""
            left = f"0 places left of {pluralise(self.ids - self.short, 'id')}{short}"
            return f"{searched}: {self.found:,} of {pluralise(self.ids, 'id')} found, {left}"
        return f"{searched}: ids may still stand in {pluralise(len(self.left), 'file')}"

    def to_json(self) -> str:
        """The certificate as the JSON that is kept."""
        facts: dict[str, Any] = {"format": _FORMAT, **asdict(self), "searched_as": _SEARCHED_AS}
        return json.dumps(facts, indent=1, ensure_ascii=False)


def certify(
    patterns: IdPatterns,
    found: int,
    done: Mapping[str, int],
    records: int,
    places: tuple[Path, ...],
    looked: Mapping[Path, SearchedFile],
) -> ForgetCertificate:
    """Make the certificate of a search, without the ids.

    Args:
        patterns: The ids.
        found: Number of ids that stood anywhere before.
        done: What became of which files, in words → their number.
        records: Number of records that were left out of input files.
        places: Folders and files that were searched.
        looked: Every file there → what was found in it.
    """
    salt = secrets.token_bytes(16)
    text = "\n".join(sorted(patterns.ids)).encode()
    bad = [(path, one) for path, one in looked.items() if one.hits or one.unread]
    return ForgetCertificate(
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        ids=len(patterns.ids),
        found=found,
        others=len(patterns.others),
        short=len(patterns.short),
        salt=salt.hex(),
        digest=hashlib.scrypt(text, salt=salt, n=1 << 14, r=8, p=1, dklen=32).hex(),
        done=dict(done),
        records=records,
        places=tuple(mask_ids(place, patterns) for place in places),
        files=len(looked),
        bytes_on_disk=sum(one.size for one in looked.values()),
        bytes_searched=sum(one.searched for one in looked.values()),
        left=tuple(LeftoverFile(mask_ids(path, patterns), one.hits, one.unread) for path, one in bad),
    )


def mask_ids(text: object, patterns: IdPatterns) -> str:
    """Mask ids in a text or path; a name that spells an id in another way keeps only its file ending."""
    return "/".join(_black(part, patterns) for part in str(text).split("/"))


def _black(part: str, patterns: IdPatterns) -> str:
    data = patterns.without(part.encode("utf-8", "replace"))
    ending = Path(part).suffix.encode("utf-8", "replace")
    if patterns.holds(data):
        data = FORGOTTEN.encode() + (b"" if patterns.holds(ending) else ending)
    return data.decode("utf-8", "replace")

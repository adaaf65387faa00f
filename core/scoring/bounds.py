"""Bounds of memory: how many records fit at once, and so how many parts a run has."""

from __future__ import annotations

import math
import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from core.base.errors import ResourceError, SettingsError
from core.base.memory import free_memory, total_memory
from core.base.settings import size_in_bytes
from core.ingest.sources.input_files import Packing, resolve_inputs

PROGRAM: Final = 800 * 2**20
"""Bytes of a process that has loaded everything it needs and the least of a database (measured)."""
A_RECORD: Final = 400
"""Bytes for each record that is worked on, from the raw table to the report (measured, docs/method.md)."""
MEMORY: Final = "BEHA2VEC_MEMORY"
"""Environment variable for the memory that a job that reads files may take."""
_SHARE: Final = 0.5
"""Share of the free memory that a run takes by default, and of all memory that reading takes in the app."""
_FILL: Final = 0.9
"""Share of what fits at once that a part is meant to hold: by chance some become larger than others."""
_OVERFULL: Final = 1.5
"""Multiple of what fits at once from which on a part is too large: one user may have sent most records."""
FEWEST: Final = 100_000
"""Records of a part below which parts cost more than they save."""
LEAST: Final = PROGRAM + FEWEST * A_RECORD
_A_WRITTEN_RECORD: Final = 20
"""Bytes that a record has in a file at least, to tell without reading whether files surely fit."""
_UNPACKED: Final = 10
"""Multiple of its size that a packed input is taken to unpack to, by :meth:`Bounds.surely_holds`."""


@dataclass(frozen=True)
class Bounds:
    """Memory that a run may take, and how many users it may train on.

    Args:
        memory: Bytes.
        sample_users: Users to train on; as many as the memory allows when None.
        share: Share of the users that an earlier run drew, to draw the same again.
    """

    memory: int
    sample_users: int | None = None
    share: float | None = None

    @classmethod
    def told(cls, memory: str | None, sample_users: int | None) -> Bounds:
        """Make bounds from the options ``--memory`` and ``--sample-users``.

        Args:
            memory: A size such as ``8GB``; half of the memory that is free now when None.
            sample_users: Users to train on; as many as the memory allows when None.

        Raises:
            SettingsError: If it is no size or too small, or the sample has no user.
        """
        if sample_users is not None and sample_users < 1:
            raise SettingsError(f"A sample of {sample_users} users is not possible", allowed="at least 1")
        free = int(free_memory() * _SHARE)
        size = free if memory is None else size_in_bytes(memory)
        if size < LEAST and memory is not None:
            raise SettingsError(
                f"--memory {memory} is less than a part of the users needs",
                allowed=f"at least {math.ceil(LEAST / 10**6 / 50) * 50} MB",
                remedy="A number alone is bytes: add GB or MB" if memory.strip().isdecimal() else "",
            )
        return cls(max(size, LEAST), sample_users)

    @classmethod
    def of_app(cls) -> Bounds:
        """Make bounds for the app: :data:`MEMORY`, or half of all memory, however much is free now.

        Raises:
            SettingsError: If it is no size, or less than a part of the users needs.
        """
        memory = os.environ.get(MEMORY) or f"{max(LEAST, int(total_memory() * _SHARE))}"
        try:
            return cls.told(memory, None)
        except SettingsError as error:
            said = f"{MEMORY}: {error.problem.removeprefix('--memory ')}"
            raise SettingsError(said, allowed=error.allowed, remedy=error.remedy) from error

    @property
    def at_once(self) -> int:
        """Number of records that fit at once."""
        return (self.memory - PROGRAM) // A_RECORD

    @property
    def database(self) -> int:
        """Bytes for the database, beside what else is in memory."""
        return max(self.memory - PROGRAM, PROGRAM // 2) // 2

    def n_parts(self, records: int) -> int:
        """Number of parts to deal so many records out to."""
        return 1 if records <= self.at_once else math.ceil(records / (_FILL * self.at_once))

    def require_even(self, sizes: Collection[int]) -> None:
        """Refuse parts of which one has far more records than fit, where the others do not.

        Args:
            sizes: Records of each part.

        Raises:
            ResourceError: If one has.
        """
        if max(sizes) > _OVERFULL * max(self.at_once, sum(sizes) / len(sizes)):
            raise ResourceError(
                f"One part of the users has {max(sizes):,} records, and {self.at_once:,} fit into memory: "
                "few users sent most of them",
                remedy="Allow more memory, or choose another user key",
            )

    def sample_share(self, records: int) -> float:
        """Share of the users to draw so that their records fit at once: 1, 1/2, 1/4, ….

        In such steps who is drawn hardly depends on how much memory happens to be free.
        """
        if self.n_parts(records) == 1:
            return 1.0
        return float(2.0 ** math.floor(math.log2(_FILL * self.at_once / records)))

    def surely_holds(self, inputs: Sequence[Path]) -> bool:
        """Whether files fit at once, by their size alone.

        Raises:
            InputError: If a path leads nowhere.
        """
        plain = sum(
            source.bytes
            * (1 if source.packing is Packing.PLAIN and not _is_packed(source.path) else _UNPACKED)
            for source in resolve_inputs(inputs)
        )
        return plain / _A_WRITTEN_RECORD <= self.at_once


def _is_packed(path: Path) -> bool:
    return path.suffix.casefold() == ".parquet"

"""What executors make of a part of the users: where each one belongs."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Final

import pyarrow.parquet as pq

from core.base.errors import NothingLeft
from core.base.progress import silent
from core.base.settings import Device
from core.engines.everybody import Placing
from core.engines.spark.dealing import Made
from core.engines.spark.session import shipped
from core.ingest.read.read_all import RawRead
from core.recommend.next_pages import NextPages
from core.runs.frozen import FrozenModel
from core.runs.score import score_raw

PLACED: Final = "placed"
"""The kind of the pieces."""


@dataclass(frozen=True)
class ScoredUsers:
    """Puts users into the segments of a model, in the columns of :func:`core.runs.score.score`.

    Args:
        model: Name of the shipped folder.
        device: Where the network runs.
        n_next: Next pages a user.
    """

    model: str
    device: Device
    n_next: int = 0

    def __call__(self, raw: RawRead, work: Path) -> Iterator[Made]:
        """One table; none without a page view."""
        following = NextPages.load(shipped(self.model)) if self.n_next else None
        frozen, sink = _frozen(shipped(self.model)), io.BytesIO()
        with suppress(NothingLeft):
            pq.write_table(score_raw(raw, frozen, work, silent, self.device, following, self.n_next), sink)
            yield PLACED, -1, sink.getvalue()


@dataclass(frozen=True, eq=False)
class RunUsers:
    """Puts users into the segments of a run.

    Args:
        model: Name of the shipped folder.
        decided: Name of the shipped folder with the files of what was decided on all users.
        placing: What is done with a part.
    """

    model: str
    decided: str
    placing: Placing

    def __call__(self, raw: RawRead, work: Path) -> Iterator[Made]:
        """A zip of what :meth:`core.engines.everybody.PlacedPart.save` leaves; none without a page view."""
        placing = replace(self.placing, decided=self.placing.decided.moved(shipped(self.decided)))
        with suppress(NothingLeft):  # users without a page view are in no segment, as in any run
            part = placing.part(raw, _frozen(shipped(self.model)), work)
            sink = io.BytesIO()
            with zipfile.ZipFile(sink, "w") as archive:
                for path in part.save(work):
                    archive.write(path, path.relative_to(work))
            yield PLACED, -1, sink.getvalue()


@lru_cache(maxsize=1)
def _frozen(folder: Path) -> FrozenModel:
    """The model, once a process, which works on many parts; no language model is asked from an executor."""
    return FrozenModel.read(folder).asking_nobody()

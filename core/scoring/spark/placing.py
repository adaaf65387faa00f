"""Place a part of the users on an executor."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Final

from core.base.errors import NoPageViewsLeft
from core.ingest.read.read_all import RawRead
from core.runs.frozen import FrozenModel
from core.scoring.placing import Placing
from core.scoring.spark.distribute import MadePart
from core.scoring.spark.session import shipped_folder

PLACED: Final = "placed"
"""Kind of the pieces that are made of parts."""
_read_once = lru_cache(maxsize=1)(FrozenModel.read)
"""Reads the model once for each process, which works on many parts."""


@dataclass(frozen=True, eq=False)
class PlacementStep:
    """Step that puts the users of a part into the segments of a model.

    Args:
        model: Name under which the model's folder was sent to the executors.
        decided: Name under which the folder with the files of ``placing.decided`` was sent.
        placing: Options, with the decisions made on all users.
    """

    model: str
    decided: str
    placing: Placing

    def __call__(self, raw: RawRead, work: Path) -> Iterator[MadePart]:
        """Yield a zip of what :meth:`core.scoring.placing.PlacedPart.save` leaves; none of no page view."""
        assert self.placing.decided  # by whoever has dealt the users out
        decided = self.placing.decided.moved(shipped_folder(self.decided))
        frozen = _read_once(shipped_folder(self.model), next_pages=self.placing.n_next > 0)
        with suppress(NoPageViewsLeft):  # users without a page view are in no segment, as in any run
            part = replace(self.placing, decided=decided).part(raw, frozen, work)
            sink = io.BytesIO()
            with zipfile.ZipFile(sink, "w") as archive:
                for path in part.save(work):
                    archive.write(path, path.relative_to(work))
            yield PLACED, -1, sink.getvalue()

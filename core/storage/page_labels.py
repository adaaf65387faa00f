"""The labels of pages, opened for reading: the theme, type and path template of each page."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from core.base.errors import ArtifactError
from core.base.schema import PageLabels, Pages, View

LABELS = "labels.parquet"

COLUMN_OF = {View.THEME: PageLabels.THEME, View.TYPE: PageLabels.TYPE}
_SCORES = (PageLabels.THEME_SCORE, PageLabels.THEME_MARGIN, PageLabels.TYPE_SCORE, PageLabels.TYPE_MARGIN)

SCHEMA = pa.schema(
    [
        pa.field(PageLabels.PAGE, pa.int32(), nullable=False),
        *(
            pa.field(name, pa.float64() if name in _SCORES else pa.string())
            for name in (
                PageLabels.TEMPLATE,
                PageLabels.THEME,
                PageLabels.THEME_RUNG,
                PageLabels.THEME_SCORE,
                PageLabels.THEME_MARGIN,
                PageLabels.THEME_EVIDENCE,
                PageLabels.TYPE,
                PageLabels.TYPE_RUNG,
                PageLabels.TYPE_SCORE,
                PageLabels.TYPE_MARGIN,
                PageLabels.TYPE_EVIDENCE,
            )
        ),
    ]
)
"""``labels.parquet``: one row a page, in the order of ``pages.parquet``."""


@dataclass(frozen=True)
class LabelledPages:
    """The labels of one data set, opened for reading.

    Args:
        path: The folder of the artifact.
        key: The content key of the stage that made it.
    """

    path: Path
    key: str

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row a page (:class:`core.base.schema.PageLabels`), in page order; must not be edited.

        Raises:
            ArtifactError: If the file is missing or has other columns.
        """
        try:
            table = pq.read_table(self.path / LABELS)
        except (OSError, pa.ArrowException) as error:
            raise ArtifactError(f"{self.path} holds no labels", remedy="Label the pages again") from error
        if table.schema.names != SCHEMA.names:
            raise ArtifactError(
                f"The labels have columns {table.schema.names}", remedy="Label the pages again"
            )
        frame: pd.DataFrame = table.to_pandas()
        return frame

    @cached_property
    def digest(self) -> str:
        """Hash of what a model reads: equal for equal themes and types, however they were decided."""
        return self._named(COLUMN_OF.values())

    @cached_property
    def counted(self) -> str:
        """Hash of what is counted: themes, types and templates."""
        return self._named([*COLUMN_OF.values(), PageLabels.TEMPLATE])

    def _named(self, columns: Iterable[str]) -> str:
        digest = hashlib.blake2b(digest_size=16)
        for column in columns:
            digest.update("\n".join([column, *self.table[column].astype(str), ""]).encode())
        return digest.hexdigest()

    def of(self, view: View) -> list[str]:
        """Return the theme or type of each page, by page index; KeyError for another view."""
        names: list[str] = self.table[COLUMN_OF[view]].tolist()
        return names


def counts_key(dataset: str, labels: LabelledPages | None) -> str:
    """Return a key for counts of a data set: its content key, with the hash of its labels (if any)."""
    return f"{dataset}:{labels.counted}" if labels else dataset


def page_names(pages: pd.DataFrame, labels: LabelledPages | None) -> dict[View, list[str]]:
    """Return the name of each page in each view: its URL and, if labelled, its theme and type."""
    urls: list[str] = pages[Pages.PAGE_LOCATION].tolist()
    return {View.URL: urls} | ({view: labels.of(view) for view in COLUMN_OF} if labels else {})

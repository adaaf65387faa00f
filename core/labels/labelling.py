"""The label stage: pages and their events in; a theme and a type a page out, with who decided and why."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, ValidationError

from core.base.errors import ArtifactError
from core.base.progress import Progress, SubProgress
from core.base.schema import PageLabels, View
from core.data.page_labels import LABELS, SCHEMA
from core.labels.deciding import decide_themes, decide_types
from core.labels.label_cache import Labels
from core.labels.label_settings import UNKNOWN, LabelMode, LabelSettings
from core.labels.label_types import Document, Label, Rung
from core.labels.ladder import STAGE, build
from core.labels.pages import LabelPages, read_pages
from core.labels.rule_classifier import literal_segments
from core.llm import CallLog
from core.storage.disk import disk_errors

SUMMARY: Final = "summary.json"
_KEPT: Final = "the label with which the model was trained"


class LabelSummary(BaseModel):
    """What became of an export's pages."""

    model_config = ConfigDict(frozen=True)

    mode: LabelMode
    pages: int
    templates: int
    page_views: int
    notes: tuple[str, ...]
    """What was left out, and why."""


def label(
    pages: pd.DataFrame,
    page_events: pd.DataFrame,
    settings: LabelSettings,
    out_dir: Path,
    progress: Progress,
    cache: Labels,
    documents: Mapping[int, Document] = MappingProxyType({}),
    frozen: Mapping[str, tuple[str, str]] = MappingProxyType({}),
    log: CallLog | None = None,
    user_ids: Collection[str] = (),
) -> LabelSummary:
    """Label every page and write ``labels.parquet`` and ``summary.json``.

    Args:
        pages: :class:`core.base.schema.Pages`, in page order.
        page_events: :class:`core.base.schema.PageEvents`; may be empty.
        settings: Mode, taxonomy, corrections.
        out_dir: An existing folder.
        progress: Told after every batch, 1 only when all is written; may raise Cancelled.
        cache: Where models' decisions are kept.
        documents: Page index → what the fetched page says of itself.
        frozen: Page → theme and type that it keeps, whatever would be decided now.
        log: Gets every call to a language model.
        user_ids: All ids of the data set; a language model gets none of them.

    Raises:
        ResourceError: If a model that was asked for cannot be used, or the disk is full.
    """
    watched = _Watched(progress)
    watched(STAGE, 0.0, "path templates")
    table = read_pages(pages, page_events, documents, literal_segments())
    ladder = build(
        settings, cache, templates=set(table.templates), beat=watched.again, log=log, user_ids=user_ids
    )
    types = decide_types(table, settings.taxonomy, ladder, SubProgress(watched, 0.05, 0.5))
    themes = decide_themes(table, types, settings.taxonomy, ladder, SubProgress(watched, 0.5, 0.99))
    decided = {
        View.THEME: _kept(themes, [frozen[url][0] if url in frozen else None for url in table.urls]),
        View.TYPE: _kept(types, [frozen[url][1] if url in frozen else None for url in table.urls]),
    }
    summary = LabelSummary(
        mode=settings.mode,
        pages=len(table),
        templates=len(set(table.templates)),
        page_views=int(table.views.sum()),
        notes=ladder.notes,
    )
    with disk_errors():
        pq.write_table(_table(table, decided), out_dir / LABELS)
        (out_dir / SUMMARY).write_text(summary.model_dump_json(indent=1), encoding="utf-8")
    watched(STAGE, 1.0, f"{len(table):,} pages")
    return summary


class _Watched:
    """A progress that can say again how far it is, where a question takes longer than its patience."""

    def __init__(self, progress: Progress) -> None:
        self._progress, self._last = progress, (STAGE, 0.0, "")

    def __call__(self, stage: str, fraction: float, message: str = "", **figures: float) -> None:
        self._last = (stage, fraction, message)
        self._progress(stage, fraction, message, **figures)

    def again(self) -> None:
        self._progress(*self._last)


def read_summary(folder: Path) -> LabelSummary:
    """Read what :func:`label` wrote.

    Raises:
        ArtifactError: If it is missing or damaged.
    """
    try:
        return LabelSummary.model_validate_json((folder / SUMMARY).read_bytes())
    except (OSError, ValidationError) as error:
        raise ArtifactError(f"{folder} holds no summary of labels", remedy="Label the pages again") from error


def _kept(labels: Sequence[Label | None], before: Sequence[str | None]) -> list[Label | None]:
    """Labels as they were decided; of pages that the training knew, those from before."""
    return [one if old is None else _of_training(old) for one, old in zip(labels, before, strict=True)]


def _of_training(value: str) -> Label | None:
    return None if value == UNKNOWN else Label(value, Rung.FROZEN, evidence=_KEPT)


def _table(pages: LabelPages, decided: Mapping[View, Sequence[Label | None]]) -> pa.Table:
    columns: dict[str, Sequence[object]] = {
        PageLabels.PAGE: range(len(pages)),
        PageLabels.TEMPLATE: pages.templates,
    }
    for view, names in _COLUMNS.items():
        rows = [
            (one.value, one.rung.value, one.score, one.margin, one.evidence)
            if one
            else (UNKNOWN, None, None, None, None)
            for one in decided[view]
        ]
        columns |= (
            dict(zip(names, zip(*rows, strict=True), strict=True)) if rows else dict.fromkeys(names, ())
        )
    return pa.table(
        {name: pa.array(list(columns[name]), SCHEMA.field(name).type) for name in SCHEMA.names}, SCHEMA
    )


_COLUMNS: Final = {
    View.THEME: (
        PageLabels.THEME, PageLabels.THEME_RUNG, PageLabels.THEME_SCORE, PageLabels.THEME_MARGIN,
        PageLabels.THEME_EVIDENCE,
    ),
    View.TYPE: (
        PageLabels.TYPE, PageLabels.TYPE_RUNG, PageLabels.TYPE_SCORE, PageLabels.TYPE_MARGIN,
        PageLabels.TYPE_EVIDENCE,
    ),
}  # fmt: skip

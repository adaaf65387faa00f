"""The label stage: pages and their events in; a theme and a type a page out, with who decided and why."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, ValidationError

from core.errors import ArtifactError
from core.labels.cache import Labels
from core.labels.contract import Document, Label, Rung
from core.labels.deciding import decide_themes, decide_types
from core.labels.ladder import STAGE, build
from core.labels.pages import LabelPages, read_pages
from core.labels.rules import literal_segments
from core.labels.settings import UNKNOWN, LabelMode, LabelSettings
from core.page_labels import LABELS, SCHEMA
from core.progress import Progress
from core.schema import PageLabels, View
from core.store import disk_errors

SUMMARY: Final = "summary.json"
_KEPT: Final = "the label with which the model was trained"


class Count(BaseModel):
    """How much of an export."""

    model_config = ConfigDict(frozen=True)

    templates: int
    """With at least one such page."""
    pages: int
    page_views: int


class LabelSummary(BaseModel):
    """What became of an export's pages."""

    model_config = ConfigDict(frozen=True)

    mode: LabelMode
    pages: int
    templates: int
    page_views: int
    by_rung: dict[View, dict[str, Count]]
    """View → rung, or :data:`core.labels.settings.UNKNOWN` where nothing decided → how much."""
    by_label: dict[View, dict[str, Count]]
    """View → label, Unknown included → how much; most page views first."""
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
) -> LabelSummary:
    """Label every page and write ``labels.parquet`` and ``summary.json``.

    Args:
        pages: :class:`core.schema.Pages`, in page order.
        page_events: :class:`core.schema.PageEvents`; may be empty.
        settings: Mode, taxonomy, corrections.
        out_dir: An existing folder.
        progress: Told after every batch.
        cache: Where models' decisions are kept.
        documents: Page index → what the fetched page says of itself.
        frozen: Page → theme and type that it keeps, whatever would be decided now.

    Raises:
        SettingsError: If a correction names a label that the taxonomy does not have.
        ResourceError: If a model that was asked for cannot be used, or the disk is full.
    """
    ladder = build(settings, cache)
    progress(STAGE, 0.0, "path templates")
    table = read_pages(pages, page_events, documents, literal_segments())
    types = decide_types(table, settings.taxonomy, ladder, progress)
    themes = decide_themes(table, types, settings.taxonomy, ladder, progress)
    decided = {
        View.THEME: _kept(themes, [frozen[url][0] if url in frozen else None for url in table.urls]),
        View.TYPE: _kept(types, [frozen[url][1] if url in frozen else None for url in table.urls]),
    }
    summary = _summarise(settings.mode, table, decided, ladder.notes)
    with disk_errors():
        pq.write_table(_table(table, decided), out_dir / LABELS)
        (out_dir / SUMMARY).write_text(summary.model_dump_json(indent=1), encoding="utf-8")
    return summary


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


def _summarise(
    mode: LabelMode, pages: LabelPages, decided: Mapping[View, Sequence[Label | None]], notes: Sequence[str]
) -> LabelSummary:
    return LabelSummary(
        mode=mode,
        pages=len(pages),
        templates=len(set(pages.templates)),
        page_views=int(pages.views.sum()),
        by_rung={
            view: _counts(pages, [one.rung.value if one else UNKNOWN for one in rows])
            for view, rows in decided.items()
        },
        by_label={
            view: _counts(pages, [one.value if one else UNKNOWN for one in rows])
            for view, rows in decided.items()
        },
        notes=tuple(notes),
    )


def _counts(pages: LabelPages, names: Sequence[str]) -> dict[str, Count]:
    """Count pages by a name each has; the most viewed first."""
    views: Counter[str] = Counter()
    templates: dict[str, set[str]] = defaultdict(set)
    for name, template, count in zip(names, pages.templates, pages.views.tolist(), strict=True):
        views[name] += count
        templates[name].add(template)
    n_pages = Counter(names)
    order = sorted(views, key=lambda name: (-views[name], name))
    return {
        name: Count(templates=len(templates[name]), pages=n_pages[name], page_views=views[name])
        for name in order
    }

"""What earlier runs left in the cache: small cards read from manifests, without opening the tables."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import streamlit as st

from core.base.errors import SettingsError
from core.base.settings import Encoder, IngestSettings
from core.data.dataset import RECEIPT
from core.data.page_labels import LabelledPages
from core.data.receipt import Receipt
from core.storage.store import FORMAT, MANIFEST, Store
from pages.ui.shell.text import count

TRAINING_REPORT = "training.json"


@dataclass(frozen=True)
class DatasetCard:
    """One data set of the cache, in a line.

    Args:
        key: The content key.
        title: Where it came from: the file's name.
        users: Users with at least one page view.
        page_views: Page views used.
        made: When it was prepared.
        files: The names of its files.
        settings: The ingest settings that made it.
    """

    key: str
    title: str
    users: int
    page_views: int
    made: datetime
    files: tuple[str, ...]
    settings: Mapping[str, Any]

    @property
    def line(self) -> str:
        """Title and size."""
        return f"{self.title} · {count(self.users, 'user')} · {count(self.page_views, 'page view')}"

    @property
    def choices(self) -> str:
        """How it was read otherwise than is usual; tells two preparations of a file apart."""
        try:
            usual, mine = IngestSettings(), IngestSettings.checked(**self.settings)
        except SettingsError:  # of another version
            return ""
        said = {
            f"by {mine.user_key}": mine.user_key != usual.user_key,
            f"{count(len(mine.strip_pages), 'page')} left out": bool(mine.strip_pages),
            f"{count(len(mine.keep_places), 'place')} kept": bool(mine.keep_places),
            f"{count(len(mine.mask_places), 'place')} masked by choice": bool(mine.mask_places),
        }
        named = {"user_key", "strip_pages", "keep_places", "mask_places"}
        other = mine.model_dump(exclude=named) != usual.model_dump(exclude=named)
        return ", ".join([*(text for text, true in said.items() if true), *(["other settings"] * other)])


@dataclass(frozen=True)
class ModelCard:
    """One trained model of the cache.

    Args:
        key: The content key.
        settings: The training settings that made it.
        report: What training measured (``training.json``).
        made: When it was finished.
    """

    key: str
    settings: Mapping[str, Any]
    report: Mapping[str, Any]
    made: datetime

    @property
    def line(self) -> str:
        """When and how it was trained."""
        when = f"{self.made:%d %b %Y %H:%M}"
        if self.settings.get("encoder") == Encoder.BAG:
            return f"{when} · bag of pages"
        epochs, size = count(self.settings["epochs"], "epoch"), self.settings["embedding_dim"]
        return f"{when} · {epochs} · {size} numbers a user"


def datasets(store: Store) -> list[DatasetCard]:
    """Every prepared data set, newest first."""
    found = (_dataset(str(path), _written(path)) for path in _manifests(store, "preprocess"))
    return sorted((card for card in found if card), key=lambda card: card.made, reverse=True)


def models(store: Store, dataset: str) -> list[ModelCard]:
    """Every model that was trained on a data set, newest first."""
    found = (_model(str(path), _written(path)) for path in _manifests(store, "train"))
    mine = [card for of, card in filter(None, found) if of == dataset]
    return sorted(mine, key=lambda card: card.made, reverse=True)


def embeddings(store: Store, dataset: str, model: str) -> list[str]:
    """Keys of the vectors that a model made of a data set, one a state of its labels, newest first."""
    newest = sorted(_manifests(store, "embed"), key=_written, reverse=True)
    inputs = ((path.parent.name, _inputs(path)) for path in newest)
    return [key for key, of in inputs if (of.get("preprocess"), of.get("train")) == (dataset, model)]


def labels_of(store: Store, dataset: str, embeddings: str) -> LabelledPages | None:
    """The labels that some vectors were made by; None where they were made without, or are gone."""
    digest = _inputs(store.root / "embed" / embeddings / MANIFEST).get("labels")
    if digest is None:
        return None
    found = (
        LabelledPages(path.parent, path.parent.name)
        for path in _manifests(store, "label")
        if _inputs(path).get("preprocess") == dataset
    )
    return next((labels for labels in found if labels.digest == digest), None)


def latest_labels(store: Store, dataset: str) -> LabelledPages | None:
    """The newest labels of a data set, whatever settings made them."""
    newest = sorted(_manifests(store, "label"), key=_written, reverse=True)
    found = (path.parent for path in newest if _inputs(path).get("preprocess") == dataset)
    folder = next(found, None)
    return None if folder is None else LabelledPages(folder, folder.name)


def _written(manifest: Path) -> float:
    """When it was written; 0 if another session is replacing it at this moment."""
    try:
        return manifest.stat().st_mtime
    except OSError:
        return 0.0


def _inputs(manifest: Path) -> Mapping[str, str]:
    try:
        inputs: Mapping[str, str] = json.loads(manifest.read_text(encoding="utf-8"))["inputs"]
    except (OSError, ValueError, KeyError):
        return {}
    return inputs


def title_of(receipt: Receipt) -> str:
    """A data set's name: its file, or its first file and how many more."""
    name, more = receipt.files[0].name, len(receipt.files) - 1
    if more == 0 and name.startswith("demo_shop_"):
        return "Demo shop"
    return f"{name} and {more} more" if more else name


def _manifests(store: Store, stage: str) -> list[Path]:
    """Manifests of a stage that this version can read."""
    found = (store.root / stage).glob(f"[!.]*/{MANIFEST}")
    return [path for path in found if _format(str(path), _written(path)) == FORMAT]


@st.cache_data(max_entries=1024, show_spinner=False)
def _format(manifest: str, mtime: float) -> int | None:
    try:
        made = json.loads(Path(manifest).read_text(encoding="utf-8")).get("format")
    except (OSError, ValueError, AttributeError):
        return None
    return made if isinstance(made, int) else None


@st.cache_data(max_entries=256, show_spinner=False)
def _dataset(manifest: str, mtime: float) -> DatasetCard | None:
    folder = Path(manifest).parent
    try:
        receipt = Receipt.model_validate_json((folder / RECEIPT).read_bytes())
        settings = json.loads(Path(manifest).read_text(encoding="utf-8"))["settings"]
    except (OSError, ValueError, KeyError):  # damaged: the store rebuilds it when somebody opens it
        return None
    return DatasetCard(
        folder.name, title_of(receipt), receipt.users, receipt.page_views_used,
        datetime.fromtimestamp(mtime, UTC).astimezone(), tuple(file.name for file in receipt.files), settings,
    )  # fmt: skip


@st.cache_data(max_entries=256, show_spinner=False)
def _model(manifest: str, mtime: float) -> tuple[str, ModelCard] | None:
    folder = Path(manifest).parent
    try:
        facts = json.loads(Path(manifest).read_text(encoding="utf-8"))
        report = json.loads((folder / TRAINING_REPORT).read_text(encoding="utf-8"))
        made = datetime.fromtimestamp(mtime, UTC).astimezone()
        return facts["inputs"]["preprocess"], ModelCard(folder.name, facts["settings"], report, made)
    except (OSError, ValueError, KeyError):
        return None

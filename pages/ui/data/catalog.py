"""What earlier runs left in the cache, as small cards read from manifests without opening the tables."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import streamlit as st

from core.base.errors import SettingsError
from core.base.settings import Encoder, IngestSettings
from core.runs.pipeline import NARROWED
from core.storage.dataset import RECEIPT
from core.storage.page_labels import LabelledPages
from core.storage.receipt import Receipt
from core.storage.store import FORMAT, MANIFEST, Manifest, Store
from pages.ui.shell.text import count

_TRAINING_REPORT = "training.json"


@dataclass(frozen=True)
class DatasetCard:
    """A data set of the cache.

    Args:
        key: The content key.
        title: Where it came from: the file's name.
        users: Users with at least one page view.
        page_views: Page views used.
        made: When it was prepared.
        files: Name → size in bytes of its files, as the receipt has them.
        settings: The ingest settings that made it, as plain data.
        filtered: Whether a filter left it of another data set.
    """

    key: str
    title: str
    users: int
    page_views: int
    made: datetime
    files: Mapping[str, int]
    settings: Mapping[str, Any]
    filtered: bool

    @property
    def line(self) -> str:
        """Title, size and time of preparation in a line."""
        size = f"{count(self.users, 'user')} · {count(self.page_views, 'page view')}"
        return f"{self.title} · {size} · {self.made:%d %b %Y %H:%M}"

    @property
    def choices(self) -> str:
        """The settings that differ from the defaults, in words."""
        try:
            usual, mine = IngestSettings(), IngestSettings.checked(**self.settings)
        except SettingsError:  # of another version
            return ""
        said = {
            f"by {mine.user_key}": mine.user_key != usual.user_key,
            "logins joined": mine.join_logins,
            f"{count(len(mine.strip_pages), 'page')} left out": bool(mine.strip_pages),
            f"{count(len(mine.keep_places), 'place')} kept": bool(mine.keep_places),
            f"{count(len(mine.mask_places), 'place')} masked by choice": bool(mine.mask_places),
        }
        named = {"user_key", "join_logins", "strip_pages", "keep_places", "mask_places"}
        other = mine.model_dump(exclude=named) != usual.model_dump(exclude=named)
        return ", ".join([*(text for text, true in said.items() if true), *(["other settings"] * other)])


@dataclass(frozen=True)
class ModelCard:
    """A trained model of the cache.

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
        """Time and settings of the training in a line."""
        when = f"{self.made:%d %b %Y %H:%M}"
        if self.settings.get("encoder") == Encoder.BAG:
            return f"{when} · bag of pages"
        epochs, width = count(self.report["epochs"], "epoch"), self.settings["hidden_dim"]
        return f"{when} · {epochs} · width {width}"


def datasets(store: Store) -> list[DatasetCard]:
    """Every prepared data set, newest first."""
    return [card for found in _finished(store, "preprocess") if (card := _dataset(*found))]


def models(store: Store, dataset: str) -> list[ModelCard]:
    """Every model that was trained on a data set, newest first."""
    return [card for found in _finished(store, "train", preprocess=dataset) if (card := _model(*found))]


def embeddings(store: Store, dataset: str, model: str) -> list[str]:
    """Content keys of the vectors that a model made of a data set, newest first: one for each labelling."""
    return [made.key for _, _, made in _finished(store, "embed", preprocess=dataset, train=model)]


def labels_of(store: Store, dataset: str, embeddings: str) -> LabelledPages | None:
    """The labels that vectors (a content key) were made by; None where there were none, or they are gone."""
    vectors = store.root / "embed" / embeddings
    made = _manifest(str(vectors), written(vectors))
    digest = made.inputs.get("labels") if made else None
    return next((labels for labels in _labels(store, dataset) if labels.digest == digest), None)


def latest_labels(store: Store, dataset: str) -> LabelledPages | None:
    """The newest labels of a data set, whatever settings made them."""
    return next(_labels(store, dataset), None)


def _labels(store: Store, dataset: str) -> Iterator[LabelledPages]:
    for folder, _, made in _finished(store, "label", preprocess=dataset):
        yield LabelledPages(Path(folder), made.key)


def made(folder: Path) -> datetime:
    """The time at which an artifact of the store was finished."""
    return _time(written(folder))


def title_of(receipt: Receipt) -> str:
    """A data set's name: its file, or the first file and how many more, and the filter that narrowed them."""
    name, more = receipt.files[0].name, len(receipt.files) - 1
    if more == 0 and name.startswith("demo_shop_"):
        name = "Demo shop"
    called = f"{name} and {more} more" if more else name
    return f"{called}: {receipt.narrowed}" if receipt.narrowed else called


def _finished(store: Store, stage: str, **inputs: str) -> list[tuple[str, float, Manifest]]:
    """Folders of a stage with these inputs that this version can read, newest first, with their manifests."""
    folders = [path.parent for path in (store.root / stage).glob(f"[!.]*/{MANIFEST}")]
    newest = sorted(((str(folder), written(folder)) for folder in folders), key=lambda one: -one[1])
    known = [(folder, when, made) for folder, when in newest if (made := _manifest(folder, when))]
    return [found for found in known if inputs.items() <= found[2].inputs.items()]


def written(folder: Path) -> float:
    """Modification time of an artifact; 0 if it is not finished, or is being replaced."""
    try:
        return (folder / MANIFEST).stat().st_mtime
    except OSError:
        return 0.0


@st.cache_resource(max_entries=1024, show_spinner=False)
def _manifest(folder: str, written: float) -> Manifest | None:
    try:
        made = Manifest.model_validate_json((Path(folder) / MANIFEST).read_bytes())
    except (OSError, ValueError):
        return None
    return made if made.format == FORMAT else None


@st.cache_data(max_entries=256, show_spinner=False)
def _dataset(folder: str, written: float, _made: Manifest) -> DatasetCard | None:
    try:
        receipt = Receipt.model_validate_json((Path(folder) / RECEIPT).read_bytes())
    except (OSError, ValueError):  # damaged: the store rebuilds it when somebody opens it
        return None
    return DatasetCard(
        _made.key, title_of(receipt), receipt.users, receipt.page_views_used, _time(written),
        {file.name: file.bytes for file in receipt.files}, _made.settings,
        NARROWED in _made.inputs,
    )  # fmt: skip


@st.cache_data(max_entries=256, show_spinner=False)
def _model(folder: str, written: float, _made: Manifest) -> ModelCard | None:
    try:
        report = json.loads((Path(folder) / _TRAINING_REPORT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return ModelCard(_made.key, _made.settings, report, _time(written))


def _time(written: float) -> datetime:
    return datetime.fromtimestamp(written, UTC).astimezone()

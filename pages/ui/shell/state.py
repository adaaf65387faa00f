"""What the analyst is working on: one data set and one model, by key, in the session and in the link.

Only keys are kept: ``?data=<key>&model=<key>`` opens the same work in another tab or after F5. What the
keys stand for is opened once and shared by all sessions; nobody may edit it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import streamlit as st

from core.base.errors import ArtifactError, SettingsError
from core.base.settings import TrainSettings
from core.data.dataset import Dataset
from core.desk import saved_work
from core.runs import pipeline
from core.storage.store import Store
from pages.ui.data import catalog
from pages.ui.shell.links import DATA, TRAINING, button
from pages.ui.shell.text import md_text

PROJECT: Final = Path(__file__).resolve().parents[3]
OPEN_AT_ONCE: Final = 4
"""Data sets and models kept open; an older one is opened again when somebody asks for it."""

_KEYS: Final = {"data": "current_dataset", "model": "current_model"}
"""Query parameter → session state key."""


@dataclass(frozen=True)
class ModelRun:
    """A trained model and what it made of the data set.

    Args:
        key: Content key of the ``train`` artifact.
        path: Its folder.
        embeddings: Content key of the ``embed`` artifact of this data set and model.
        settings: The training settings that made it.
        report: What training measured (``training.json``).
    """

    key: str
    path: Path
    embeddings: str
    settings: TrainSettings
    report: Mapping[str, Any]


def store() -> Store:
    """The artifacts: ``cache/`` of the project, or where ``BEHA2VEC_CACHE`` points."""
    return Store(Path(os.environ.get("BEHA2VEC_CACHE") or PROJECT / "cache"))


def input_dir() -> Path:
    """Where input files lie: ``input/`` of the project, or where ``BEHA2VEC_INPUT`` points."""
    return Path(os.environ.get("BEHA2VEC_INPUT") or PROJECT / "input")


def config_dir() -> Path:
    """Where ``config.env`` and ``.streamlit/secrets.toml`` lie: the project, or ``BEHA2VEC_CONFIG``."""
    return Path(os.environ.get("BEHA2VEC_CONFIG") or PROJECT)


def dataset() -> Dataset | None:
    """The current data set; None when none is chosen or the chosen one is gone."""
    key = _current("data")
    if not key:
        return None
    try:
        return _open_dataset(str(store().root), key)
    except ArtifactError:
        return None


def model() -> ModelRun | None:
    """The current model, trained on the current data set; None when there is none."""
    data = dataset()
    if data is None:
        return None
    key = _current("model")
    if not key:
        key = _latest_model(data.key)
        st.session_state[_KEYS["model"]] = key
    if not key:
        return None
    try:
        return _open_model(str(store().root), data.key, key, saved_work.chosen_vectors(store(), key))
    except (ArtifactError, SettingsError):  # gone, or made by a release with other settings
        return None


def embeddings() -> pipeline.Embeddings | None:
    """What the current model made of the users of the current data set."""
    data, run = dataset(), model()
    if data is None or run is None:
        return None
    try:
        return _open_embeddings(str(store().root), run.embeddings, data)
    except ArtifactError:
        return None


def select_dataset(key: str) -> None:
    """Make a data set the current one, with the latest model that was trained on it."""
    _choose("data", key)
    _choose("model", _latest_model(key))


def select_model(key: str) -> None:
    """Make a model the current one."""
    _choose("model", key)


def sync_link() -> None:
    """Write the current keys into the address; the navigation drops them on every page switch."""
    for name in _KEYS:
        key = _current(name)
        if key and st.query_params.get(name) != key:
            st.query_params[name] = key


def need(*, dataset: bool = True, model: bool = True) -> bool:
    """Check that a page has what it works on, and say what to do next when it has not.

    Args:
        dataset: The page needs a data set.
        model: The page needs a trained model (and so a data set).

    Returns:
        True when everything is there; False after an empty state was drawn: the page should stop.
    """
    if (dataset or model) and not _has_dataset():
        _no_dataset()
        return False
    if model and not _has_embeddings():
        _no_model()
        return False
    return True


def _has_dataset() -> bool:
    return dataset() is not None


def _has_embeddings() -> bool:
    return embeddings() is not None


def _no_dataset() -> None:
    with st.container(border=True, key="need_dataset"):
        gone = " The one in this link is no longer in the cache." if _current("data") else ""
        st.subheader("No data yet", icon=":material/database:")
        st.write(f"This page needs a data set.{gone} Load an export or try the demo shop first.")
        button(DATA, "Go to Data")
        _offer_latest()


def _offer_latest() -> None:
    cards = catalog.datasets(store())
    if cards:
        st.caption("or go on with the latest one in the cache")
        st.button(
            f"Open {md_text(cards[0].line)}", icon=":material/history:", key="open_latest",
            on_click=select_dataset, args=(cards[0].key,),
        )  # fmt: skip


def _no_model() -> None:
    with st.container(border=True, key="need_model"):
        st.subheader("No model yet", icon=":material/model_training:")
        st.write("This page needs a trained model. Training takes a few minutes and runs in the background.")
        button(TRAINING, "Go to Training")


def _current(name: str) -> str:
    """The chosen key: the session's, or the link's in a new session."""
    kept = _KEYS[name]
    if kept not in st.session_state:
        st.session_state[kept] = _hex_only(st.query_params.get(name, ""))
    return str(st.session_state[kept])


def _hex_only(text: str) -> str:
    """A key from a link becomes part of a path: letters and digits only."""
    return text if text.isalnum() else ""


def _choose(name: str, key: str) -> None:
    st.session_state[_KEYS[name]] = key
    if key:
        st.query_params[name] = key
    elif name in st.query_params:
        del st.query_params[name]


def _latest_model(dataset_key: str) -> str:
    cards = catalog.models(store(), dataset_key)
    return cards[0].key if cards else ""


def _there(opened: Dataset | ModelRun) -> bool:
    return opened.path.is_dir()  # somebody may have emptied the cache meanwhile


@st.cache_resource(max_entries=OPEN_AT_ONCE, show_spinner=False, validate=_there)
def _open_dataset(root: str, key: str) -> Dataset:
    return pipeline.open_dataset(Store(Path(root)), key)


@st.cache_resource(max_entries=OPEN_AT_ONCE, show_spinner=False, validate=_there)
def _open_model(root: str, dataset_key: str, key: str, vectors: str) -> ModelRun:
    artifact = Store(Path(root)).find("train", key)
    if artifact is None or artifact.inputs["preprocess"] != dataset_key:
        raise ArtifactError(f"There is no model {key!r} of this data set", remedy="Train one")
    cards = {card.key: card for card in catalog.models(Store(Path(root)), dataset_key)}
    made = catalog.embeddings(Store(Path(root)), dataset_key, key)
    if not made:
        raise ArtifactError(f"The vectors of model {key!r} are missing", remedy="Train again")
    embed_key = vectors if vectors in made else made[0]
    settings = TrainSettings.checked(**artifact.settings)
    return ModelRun(key, artifact.path, embed_key, settings, cards[key].report)


@st.cache_resource(
    max_entries=OPEN_AT_ONCE, show_spinner=False, validate=lambda opened: opened.artifact.path.is_dir()
)
def _open_embeddings(root: str, key: str, _dataset: Dataset) -> pipeline.Embeddings:
    return pipeline.open_embeddings(Store(Path(root)), _dataset, key)

"""What the analyst is working on: one data set and one model, with what was set for them.

``?data=<key>&model=<key>&k=8&url=70…`` opens the same work in another browser or after F5. What the keys
stand for is opened once and shared by all sessions; nobody may edit it. What a session did with a model
belongs to that model: it is there again on the way back, and never shown for another one.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import streamlit as st

from core.base.errors import ArtifactError, SettingsError
from core.base.places import cache_folder, data_folder
from core.base.settings import TrainSettings
from core.runs import artifacts
from core.saved import controls as kept_controls
from core.saved import saved_work
from core.saved.controls import LINKED, Controls
from core.storage.dataset import Dataset
from core.storage.store import Store
from pages.ui.data import catalog
from pages.ui.shell import errors
from pages.ui.shell.links import DATA, FACETS, TRAINING, button, link
from pages.ui.shell.text import md_text

_OPEN_AT_ONCE: Final = 4
"""Number of data sets and models kept open; older ones are opened again when needed."""

DATASET: Final = "current_dataset"
MODELS: Final = "current_models"
"""Session key: data set → the model that was chosen for it."""
OF_MODEL: Final = "of_model"
"""Session key: model → what this session set and did with it."""
_LINK: Final = "link"
"""Session key: parameters of the address when the session began."""
_CONTROLS: Final = "controls"
START: Final = "start"
"""Key of :func:`of_model`: the number of segments that a session began with, where none is chosen."""
_SHOWN: Final = "shown"
"""Key of :func:`of_model`: parameter of a link → values on screen that nobody has chosen."""
UNREAD: Final = "unread_funnel"
"""Key of :func:`of_model`: why the funnel of the link could not be read."""


@dataclass(frozen=True)
class ModelRun:
    """A trained model and its vectors of the data set.

    Args:
        key: Content key of the ``train`` artifact.
        path: Folder of the artifact.
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
    """The store of artifacts: see :func:`core.base.places.cache_folder`."""
    return Store(cache_folder())


def input_dir() -> Path:
    """Folder of input files: ``input/`` of the app's data, or where ``BEHA2VEC_INPUT`` points."""
    return Path(os.environ.get("BEHA2VEC_INPUT") or data_folder() / "input")


def source_dirs() -> tuple[Path, ...]:
    """Other folders of this machine that files may be read from: ``BEHA2VEC_SOURCES``, none by default."""
    return tuple(
        Path(one).resolve() for one in os.environ.get("BEHA2VEC_SOURCES", "").split(os.pathsep) if one
    )


def config_dir() -> Path:
    """Folder of ``config.env`` and ``.streamlit/secrets.toml``: the app's data, or ``BEHA2VEC_CONFIG``."""
    return Path(os.environ.get("BEHA2VEC_CONFIG") or data_folder())


def dataset() -> Dataset | None:
    """The current data set; None when none is chosen or the chosen one is gone."""
    key = _dataset_key()
    if not key:
        return None
    try:
        return _open_dataset(str(store().root), key)
    except ArtifactError:
        return None


def model() -> ModelRun | None:
    """The current model, trained on the current data set; None when there is none."""
    data = dataset()
    return None if data is None else _model_of(data)


def opened() -> tuple[Dataset, ModelRun, artifacts.Embeddings] | None:
    """The current data set, its model and the vectors of its users; None where one of them is missing."""
    data = dataset()
    run = None if data is None else _model_of(data)
    if data is None or run is None:
        return None
    try:
        return data, run, _open_embeddings(str(store().root), run.embeddings, data)
    except ArtifactError:
        return None


def _model_of(data: Dataset) -> ModelRun | None:
    key = _model_key(data.key)
    if not key:
        return None
    try:
        return _open_model(str(store().root), data.key, key, saved_work.chosen_vectors(store(), key))
    except (ArtifactError, SettingsError):  # gone, or made by a release with other settings
        return None


def select_dataset(key: str) -> None:
    """Make a data set the current one, with the model that was chosen last, or the latest."""
    st.session_state[DATASET] = key
    sync_link()


def select_model(key: str) -> None:
    """Make a model of the current data set the current one."""
    _chosen_models()[_dataset_key()] = key
    sync_link()


def take_model(made: Mapping[str, Any], begun_on: str, then: str = "") -> None:
    """Choose the model of a finished training for its data set, and open it unless another was opened.

    Args:
        made: The result of the job: keys of its data set, model and vectors.
        begun_on: The data set on screen when it was started.
        then: File of the view to go to; empty to stay.
    """
    _chosen_models()[made["dataset"]] = made["model"]
    with errors.shown():
        saved_work.choose_vectors(store(), made["model"], made["embeddings"])
    if _dataset_key() in ("", begun_on):
        select_dataset(made["dataset"])
        if then:
            st.switch_page(then)
    st.rerun()  # what was drawn above this is of the model before


def of_model(key: str) -> dict[str, Any]:
    """State of a model (a content key) in this session: name → value; callers change it in place."""
    models: dict[str, dict[str, Any]] = st.session_state.setdefault(OF_MODEL, {})
    return models.setdefault(key, {})


def controls(key: str) -> Controls:
    """Controls of a model: set in this session, else by its link, else as they were left last."""
    state_of_key = of_model(key)
    if _CONTROLS not in state_of_key:
        said, (data, names) = _link(), (_dataset_key(), (key, ""))
        ours = _first(said, "data") == data and _first(said, "model") in names
        others = (card.key for card in catalog.models(store(), data) if card.key != key)
        state_of_key[_CONTROLS] = kept_controls.load(store(), key, others).linked(said if ours else {})
        state_of_key[UNREAD] = kept_controls.unread_funnel(said) if ours else ""
    found: Controls = state_of_key[_CONTROLS]
    return found


def set_controls(key: str, **changes: Any) -> None:  # noqa: ANN401 - checked by the settings
    """Change some controls of a model and keep all.

    Whoever moves weights has looked at a number of segments and goes on with it, also in the next session.
    """
    start = of_model(key).get(START)
    if "weights" in changes and start is not None and controls(key).n_clusters is None:
        changes.setdefault("n_clusters", start)
    changed = hold_controls(key, **changes)
    with errors.shown():  # on screen they hold; only a new session would not know them
        kept_controls.save(store(), key, changed)


def hold_controls(key: str, **changes: Any) -> Controls:  # noqa: ANN401 - checked by the settings
    """Change some controls of a model for this session alone."""
    changed = Controls.checked(**controls(key).model_dump() | changes)
    of_model(key)[_CONTROLS] = changed
    return changed


def display(key: str, value: Any) -> None:  # noqa: ANN401 - whatever the widget holds
    """Make a widget that is about to be drawn show a value, whatever it showed for other data.

    The widget needs the value as its default, too: on another page it is another widget of the same key.
    """
    if st.session_state.get(key) != value:
        st.session_state[key] = value


def put_in_link(key: str, **shown: list[str]) -> None:
    """Put into the address what a model shows without anybody's choice: parameter → values."""
    of_model(key).setdefault(_SHOWN, {}).update(shown)
    sync_link()


def linked(name: str) -> str:
    """Value of a parameter of the address when the session began; empty without it."""
    return _first(_link(), name)


def sync_link() -> None:
    """Write the current work into the address, as the navigation drops it on every page switch."""
    _link()
    data = _dataset_key()
    model = _model_key(data) if data else ""
    shown = _shown(model) if model else {}
    wanted = {name: shown.get(name, []) for name in LINKED}
    wanted |= {"data": [data] * bool(data), "model": [model] * bool(model)}
    for name, values in wanted.items():
        if values and st.query_params.get_all(name) != values:
            st.query_params[name] = values
        elif not values and name in st.query_params:
            del st.query_params[name]


def _shown(model: str) -> dict[str, list[str]]:
    """Parameters of the address for a model: what is set, and what is on screen by default."""
    said, start = controls(model).link(), of_model(model).get(START)
    on_screen = of_model(model).get(_SHOWN, {}) | ({} if start is None else {"k": [str(start)]})
    return {name: said.get(name) or on_screen.get(name, []) for name in LINKED}


def say_gone() -> None:
    """Draw a warning where the data set or model of the address is gone."""
    key, data = _dataset_key(), dataset()
    if key and data is None:
        st.warning(
            "The data set of this address is no longer in the cache: it was deleted, or the link is from "
            "another machine. Open another one, or load the export again.",
            icon=":material/link_off:",
        )
    elif data is not None and _model_key(data.key) and model() is None:
        st.warning(
            "The model of this address is no longer in the cache, or another version of the app made it. "
            "Choose another one under Data, Model, or train again.",
            icon=":material/link_off:",
        )


def need(*, model: bool = True) -> bool:
    """Check that a page has what it works on, and say what to do next when it has not.

    Args:
        model: The page needs a trained model beside the data set.

    Returns:
        True when everything is there; False after an empty state was drawn: the page should stop.
    """
    if dataset() is None:
        _no_dataset()
        return False
    if model and opened() is None:
        _no_model()
        return False
    return True


def _no_dataset() -> None:
    with st.container(border=True, key="need_dataset"):
        st.subheader("No data yet", icon=":material/database:")
        st.write("This page needs a data set. Load an export or try the demo shop first.")
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
        button(TRAINING, "Train a model")
        link(FACETS, "How your users differ needs no model")


def _link() -> Mapping[str, list[str]]:
    names = ("data", "model", *LINKED)
    said: Mapping[str, list[str]] = st.session_state.setdefault(
        _LINK, {name: st.query_params.get_all(name) for name in names}
    )
    return said


def _first(said: Mapping[str, list[str]], name: str) -> str:
    """First alphanumeric value of a parameter, safe in a path; empty without one."""
    return next((text for text in said[name] if text.isalnum()), "")


def _dataset_key() -> str:
    """Key of the current data set: the session's, or the link's in a new session."""
    return str(st.session_state.setdefault(DATASET, _first(_link(), "data")))


def _chosen_models() -> dict[str, str]:
    said = _link()
    linked = {_first(said, "data"): _first(said, "model")}
    models: dict[str, str] = st.session_state.setdefault(MODELS, linked)
    return models


def _model_key(dataset: str) -> str:
    """The model that was chosen for a data set, else the latest; empty where there is none."""
    models = _chosen_models()
    models[dataset] = models.get(dataset) or _latest_model(dataset)
    return models[dataset]


def _latest_model(dataset_key: str) -> str:
    cards = catalog.models(store(), dataset_key)
    return cards[0].key if cards else ""


def _there(opened: Dataset | ModelRun) -> bool:
    return opened.path.is_dir()  # somebody may have emptied the cache meanwhile


@st.cache_resource(max_entries=_OPEN_AT_ONCE, show_spinner=False, validate=_there)
def _open_dataset(root: str, key: str) -> Dataset:
    return artifacts.open_dataset(Store(Path(root)), key)


@st.cache_resource(max_entries=_OPEN_AT_ONCE, show_spinner=False, validate=_there)
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
    max_entries=_OPEN_AT_ONCE, show_spinner=False, validate=lambda opened: opened.artifact.path.is_dir()
)
def _open_embeddings(root: str, key: str, _dataset: Dataset) -> artifacts.Embeddings:
    return artifacts.open_embeddings(Store(Path(root)), _dataset, key)

"""What sessions share: made anew where its sources have changed, and found once its job has run."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import streamlit as st

from core.base.progress import silent
from core.base.schema import TEMPLATE_OUTCOME, PageLabels
from core.base.settings import Settings, ViewWeights
from core.runs import artifacts, tasks
from core.runs.stages import LAYOUT, LEVELS
from core.segments import level_search
from core.storage.dataset import Dataset
from core.storage.page_labels import LABELS, SCHEMA, LabelledPages
from core.storage.store import Store, content_key
from pages.ui.segments import map_view, session_segments, shared
from pages.ui.segments.session_segments import found_sources
from pages.ui.segments.shared import Sources
from pages.ui.shell import job_panel, state
from tests.core.segments.made_levels import supported
from tests.pages.fixtures_segments import FinishedRun

WEIGHTS = ViewWeights(url=1, theme=0, type=0)


def label(store: Store, data: Dataset, template: str) -> LabelledPages:
    """Labels of all pages, equal but for their template."""
    made_of = {"template": template}, {"preprocess": data.key}
    key, n = content_key("label", *made_of), len(data.pages)
    said = {PageLabels.TEMPLATE: template, PageLabels.THEME: "Tents", PageLabels.TYPE: "Product"}
    columns = {name: [said.get(name)] * n for name in SCHEMA.names} | {PageLabels.PAGE: list(range(n))}
    with store.write("label", key, *made_of) as folder:
        pq.write_table(pa.table(columns, schema=SCHEMA), folder / LABELS)
    return LabelledPages(store.root / "label" / key, key)


def opened(run: FinishedRun) -> Sources:
    st.session_state.clear()  # outside of a server it is one for the whole process
    st.session_state[state.DATASET] = run.dataset
    return sources()


def sources() -> Sources:
    found = found_sources()
    assert found is not None
    return found


def test_other_templates_are_counted_anew_by_the_same_vectors(finished_run: FinishedRun) -> None:
    st.session_state.clear()  # outside of a server it is one for the whole process
    st.session_state[state.DATASET] = finished_run.dataset
    store = Store(finished_run.root)
    data = artifacts.open_dataset(store, finished_run.dataset)
    first = label(store, data, "/old/:slug")
    inputs = {"preprocess": data.key, "train": finished_run.model, "labels": first.digest}
    url = artifacts.open_embeddings(store, data, finished_run.embeddings).views["url"]
    with store.write("embed", content_key("embed", {}, inputs), {}, inputs) as folder:
        np.save(folder / "url.npy", url, allow_pickle=False)
    before = sources()
    assert f"{TEMPLATE_OUTCOME}/old/:slug" in shared.outcomes(before)
    second = label(store, data, "/new/:slug")
    assert (second.digest, second.counted == first.counted) == (first.digest, False)
    after = sources()
    assert after.embeddings == before.embeddings
    assert set(shared.basis(after).names[PageLabels.TEMPLATE]) == {"/new/:slug"}
    assert f"{TEMPLATE_OUTCOME}/new/:slug" in shared.outcomes(after)


def done(task: str, made_from: Sources, monkeypatch: pytest.MonkeyPatch) -> None:
    """Do at once what the page's button would start."""
    asked: list[Settings] = []
    monkeypatch.setattr(job_panel, "start", lambda _task, request, _subject: asked.append(request))
    if task == LEVELS.name:
        session_segments.compare(made_from)
    else:
        map_view._start_drawing(made_from, WEIGHTS)
    tasks.run(task, made_from.store.root, asked[0].model_dump(mode="json"), silent)


def test_the_numbers_are_found_after_the_job(
    finished_run: FinishedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    made_from = opened(finished_run)
    measured = supported(3)
    monkeypatch.setattr(level_search, "measure_levels", lambda *_: measured)
    assert shared.levels(made_from) is None
    done(LEVELS.name, made_from, monkeypatch)
    assert shared.levels(made_from) == measured


def test_the_map_is_found_after_the_job(finished_run: FinishedRun, monkeypatch: pytest.MonkeyPatch) -> None:
    made_from = opened(finished_run)
    assert shared.neighbour_map(made_from, WEIGHTS) is None
    done(LAYOUT.name, made_from, monkeypatch)
    layout = shared.neighbour_map(made_from, WEIGHTS)
    assert layout is not None
    assert layout.xy.shape == (len(made_from.vectors.inside), 2)
    assert np.isfinite(layout.xy).all()

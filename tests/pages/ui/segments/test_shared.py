"""What sessions share is made anew where what it is made of has changed."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import streamlit as st

from core.base.schema import TEMPLATE_OUTCOME, PageLabels
from core.data.dataset import Dataset
from core.data.page_labels import LABELS, SCHEMA, LabelledPages
from core.runs import pipeline
from core.storage.store import Store, content_key
from pages.ui.segments import outcome_choice, shared
from pages.ui.segments.made_from import Sources, found_sources
from pages.ui.shell import state
from tests.pages.fixtures_segments import FinishedRun


def label(store: Store, data: Dataset, template: str) -> LabelledPages:
    """Labels of all pages, equal but for their template."""
    made_of = {"template": template}, {"preprocess": data.key}
    key, n = content_key("label", *made_of), len(data.pages)
    said = {PageLabels.TEMPLATE: template, PageLabels.THEME: "Tents", PageLabels.TYPE: "Product"}
    columns = {name: [said.get(name)] * n for name in SCHEMA.names} | {PageLabels.PAGE: list(range(n))}
    with store.write("label", key, *made_of) as folder:
        pq.write_table(pa.table(columns, schema=SCHEMA), folder / LABELS)
    return LabelledPages(store.root / "label" / key, key)


def sources() -> Sources:
    found = found_sources()
    assert found is not None
    return found


def test_other_templates_are_counted_anew_by_the_same_vectors(finished_run: FinishedRun) -> None:
    st.session_state.clear()  # outside of a server it is one for the whole process
    st.session_state[state.DATASET] = finished_run.dataset
    store = Store(finished_run.root)
    data = pipeline.open_dataset(store, finished_run.dataset)
    first = label(store, data, "/old/:slug")
    inputs = {"preprocess": data.key, "train": finished_run.model, "labels": first.digest}
    url = pipeline.open_embeddings(store, data, finished_run.embeddings).views["url"]
    with store.write("embed", content_key("embed", {}, inputs), {}, inputs) as folder:
        np.save(folder / "url.npy", url, allow_pickle=False)
    before = sources()
    assert f"{TEMPLATE_OUTCOME}/old/:slug" in outcome_choice.outcomes(before)
    second = label(store, data, "/new/:slug")
    assert (second.digest, second.counted == first.counted) == (first.digest, False)
    after = sources()
    assert after.embeddings == before.embeddings
    assert set(shared.basis(after).names[PageLabels.TEMPLATE]) == {"/new/:slug"}
    assert f"{TEMPLATE_OUTCOME}/new/:slug" in outcome_choice.outcomes(after)

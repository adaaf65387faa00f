"""Segments that keep number, colour and name in a training on a later export, as a table."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
import streamlit as st

from core.base.settings import ViewWeights
from core.periods.migration import (
    ALIKE,
    EARLIER,
    EARLIER_USERS,
    KEPT,
    LATER,
    OVERLAP,
    PAGES_ALIKE,
    SAME,
    SameSegments,
    same_segments,
)
from core.profiles.profile_columns import Col
from core.runs import pipeline
from core.saved import saved_work
from core.saved.saved_work import Segmentation
from core.segments.identity import RECOVERED
from pages.ui.data import catalog
from pages.ui.data.catalog import DatasetCard
from pages.ui.periods.drift_data import Compared
from pages.ui.segments import session_segments
from pages.ui.segments.figure import download_csv
from pages.ui.segments.live_segments import LiveSegments
from pages.ui.shell import errors, state, written_table
from pages.ui.shell.text import count
from pages.ui.shell.written_table import Columns

HOW: Final = (
    "This model and the other one cut the same users, those of the later export. Overlap is users in both by "
    "users in either (Jaccard index). Pages alike: the correlation of how many more of its users than of all "
    f"see each page, then and now. A segment is the same one where its pages are alike from {ALIKE} on and "
    "its overlap is above the limit, at least .5 and more than 95 of 100 draws by lot would share. All "
    "others are new or gone. Nobody has to be in both exports."
)
OTHERS: Final = "The two were read in other ways, so that they hold other users: nothing can be matched."


def draw(live: LiveSegments, card: DatasetCard, found: Compared) -> None:
    """Match these segments with those of a model of the later export, if there is one."""
    models = {model.key: model for model in catalog.models(live.sources.store, card.key)}
    with st.container(border=True, key="same-segments", gap="small"):
        st.markdown("**The same segments after another training**", help=HOW)
        if not models:
            st.caption("Once a model is trained on the later export, its segments can be matched with these.")
            return
        chosen = st.selectbox(
            "Model of the later export", list(models), key="later-model",
            format_func=lambda key: models[key].line, persist_state="session",
        )  # fmt: skip
        with errors.shown():
            _matched(live, card, chosen, found)


def _matched(live: LiveSegments, card: DatasetCard, model: str, found: Compared) -> None:
    later = _later_segments(live, card, model, len(found.periods.after.place))
    if later is None:
        st.caption(OTHERS)
        return
    same = _same(live.segmentation.partition.digest, later.partition.digest, live, later, found)
    table, names = same.table.copy(), live.names
    table[EARLIER] = table[EARLIER].map(names)
    kept = int(table[SAME].sum())
    new, gone = (int(table[column].notna().sum()) - kept for column in (LATER, EARLIER))
    st.caption(
        f"{count(kept, 'segment')} the same (overlap above {same.least:.2f}), {new} new, {gone} gone. A name "
        f"that was given goes along from an overlap of {RECOVERED:.2f} on."
    )
    for column in (LATER, KEPT):
        table[column] = table[column] + 1  # numbers as they are shown
    table.insert(0, "so", _so(table))
    shown = table[["so", EARLIER, EARLIER_USERS, LATER, Col.USERS, KEPT, OVERLAP, PAGES_ALIKE]]
    written_table.draw(
        shown, key="table-same", alt_text="Segments of the two models and how much they overlap",
        columns=COLUMNS,
    )  # fmt: skip
    with st.container(horizontal=True):
        st.button(
            "Keep numbers, colours and names there", key="keep-identity", icon=":material/palette:",
            on_click=_keep, args=(live, model, later, same), disabled=not kept,
            help="What is on screen of the other model takes the numbers of the same segments here, and with "
            "them their colours; given names go along.",
        )  # fmt: skip
        download_csv(shown, "same_segments")


def _so(table: pd.DataFrame) -> np.ndarray:
    """Outcome of each match in words: a pair that is not the same is one segment gone and one new."""
    alone = [table[SAME], table[LATER].isna(), table[EARLIER].isna()]
    found: np.ndarray = np.select(alone, ["same", "gone", "new"], "gone, and a new one")
    return found


COLUMNS: Final[Columns] = {
    EARLIER: "Segment here", EARLIER_USERS: "Later users in it", LATER: "Number there",
    Col.USERS: "Users there", KEPT: "Number from now on",
}  # fmt: skip


def _later_segments(live: LiveSegments, card: DatasetCard, model: str, n_users: int) -> Segmentation | None:
    """Segments of a model of the later export: those last on screen, or as many as here."""
    store = live.sources.store
    dataset = pipeline.open_dataset(store, card.key)
    if len(dataset.users) != n_users:
        return None
    kept = saved_work.recall(store, model, n_users)
    if kept is not None:
        return kept
    made = catalog.embeddings(store, card.key, model)
    chosen = saved_work.chosen_vectors(store, model)
    key = chosen if chosen in made else made[0]
    embeddings, weights = pipeline.open_embeddings(store, dataset, key), ViewWeights()
    combined = pipeline.combine(embeddings, weights)
    return Segmentation(
        key, weights, pipeline.cluster(combined, embeddings.inside, live.segmentation.partition.settings)
    )


@st.cache_resource(max_entries=4, show_spinner=False)
def _same(here: str, there: str, _live: LiveSegments, _later: Segmentation, _found: Compared) -> SameSegments:
    both = _found.periods
    return same_segments(both.before, both.after, _live.segmentation.partition, _later.partition)


def _keep(live: LiveSegments, model: str, later: Segmentation, same: SameSegments) -> None:
    store = live.sources.store
    kept = Segmentation(later.embeddings, later.weights, same.partition, continues=same.quality)
    with errors.shown():
        saved_work.keep(store, model, kept)
        saved_work.take_over(store, model, live.sources.model_key, same.quality)
        state.of_model(model).pop(session_segments.KEY, None)

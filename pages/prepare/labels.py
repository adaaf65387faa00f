"""Labels: what pages are about and for, who decided it, and the analyst's corrections."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core import pipeline
from core.dataset import Dataset
from core.labels import review
from core.labels.labelling import LabelSummary, read_summary
from core.labels.review import Review
from core.labels.settings import LabelMode, LabelSettings, Override
from core.page_labels import LabelledPages
from core.schema import View
from pages.ui import errors, job_panel, label_book, label_charts, label_jobs, label_table, state
from pages.ui.catalog import latest_labels
from pages.ui.figure import figure
from pages.ui.label_ladder import ladder_form
from pages.ui.links import TRAINING, button
from pages.ui.taxonomy_form import files_form, taxonomy_form
from pages.ui.text import count, md_text, share

WHAT = (
    "A theme says what a page is about, a type what it is for. They make segments readable, and become two "
    "more views of every user beside the pages themselves."
)
WORDS = {View.THEME.value: "Themes", View.TYPE.value: "Types"}


def main() -> None:
    """Draw the page: how it stands, the table to look over, and the words that labels are made of."""
    label_jobs.take_result()
    st.title("Labels")
    st.write(WHAT)
    if not state.need(model=False):
        return
    dataset = state.dataset()
    if dataset is not None:
        _page(dataset)


def _page(dataset: Dataset) -> None:
    settings = label_book.load()
    labels = pipeline.find_labels(state.store(), dataset, settings)
    running = job_panel.panels(label_jobs.TASKS, dataset.key)
    if settings.mode is LabelMode.OFF:
        st.info("Labelling is off: the model learns from pages alone.", icon=":material/label_off:")
    elif labels is None and not running:
        _offer(dataset, settings)
    shown = labels or latest_labels(state.store(), dataset.key)
    if shown is not None and settings.mode is not LabelMode.OFF:
        _labelled(dataset, shown, settings)
    _behind(dataset, settings)


def _offer(dataset: Dataset, settings: LabelSettings) -> None:
    with st.container(border=True, key="offer-labels"):
        st.subheader("Label the pages")
        st.write(
            f"{count(len(dataset.pages), 'page')} get a theme and a type: by the GA4 events that fire on "
            "them, by rules on addresses and titles, and by a small language model that runs on this "
            "machine. Nothing is fetched and nothing leaves it."
        )
        st.button(
            "Label the pages", type="primary", icon=":material/label:", key="start-labels",
            on_click=label_jobs.start, args=(dataset.key, settings),
        )  # fmt: skip


def _labelled(dataset: Dataset, labels: LabelledPages, settings: LabelSettings) -> None:
    with errors.shown():
        table, pages = labels.table, dataset.pages
        summary = read_summary(labels.path)
        _notes(summary)
        with st.container(horizontal=True, key="after-labels"):
            if state.model() is None:
                button(TRAINING, "Next: train a model")
            _undo(dataset, settings)
        covered, blocks = st.columns([4, 5], gap="medium")
        with covered:
            _coverage(table, pages)
        with blocks:
            _mosaic(table, pages)
        _tables(labels, pages, settings)


def _notes(summary: LabelSummary) -> None:
    for note in summary.notes:
        st.caption(f":material/info: {md_text(note)}")


def _undo(dataset: Dataset, settings: LabelSettings) -> None:
    """The latest correction, and the way back."""
    if settings.overrides:
        last: Override = settings.overrides[-1]
        st.button(
            f"Undo: {md_text(last.value, 40)}", icon=":material/undo:", key="undo-label",
            on_click=label_jobs.undo, args=(dataset.key,),
            help=f"{md_text(last.target, 120)} got {md_text(last.value, 60)} by you. "
            f"{count(len(settings.overrides), 'correction')} in all.",
        )  # fmt: skip


def _coverage(table: pd.DataFrame, pages: pd.DataFrame) -> None:
    covered = review.coverage(table, pages)
    shown = covered.assign(
        **{
            Review.VIEW: covered[Review.VIEW].map(WORDS),
            Review.RUNG: covered[Review.RUNG].map(label_table.words),
        }
    )
    figure(
        "Who decided",
        label_charts.coverage(shown),
        shown,
        n=f"{int(pages['views'].sum()):,} page views · unknown: {_unknown(covered)}",
        key="label-coverage",
        alt_text="Share of the page views whose theme and type each rung of the ladder decided",
        help_text="The first that decides wins: you, events, markup, rules, then models. What nobody decides "
        "stays Unknown and is counted.",
    )


def _unknown(covered: pd.DataFrame) -> str:
    rows = covered[covered[Review.RUNG] == label_table.UNKNOWN].set_index(Review.VIEW)[Review.SHARE]
    return ", ".join(f"{share(rows.get(view, 0.0), 1)} of {noun.lower()}" for view, noun in WORDS.items())


def _mosaic(table: pd.DataFrame, pages: pd.DataFrame) -> None:
    blocks = review.mosaic(table, pages)
    figure(
        "Themes and types",
        label_charts.mosaic(blocks),
        blocks,
        n="Area is page views: themes side by side, types within each",
        key="label-mosaic",
        alt_text="Page views by theme and, within it, by type",
    )


def _tables(labels: LabelledPages, pages: pd.DataFrame, settings: LabelSettings) -> None:
    st.subheader("Look them over", help="What deserves a look comes first: much viewed, and not sure.")
    st.caption(
        "Change a type or a theme in the table: it becomes your correction, wins over everything, and holds "
        "for the next export too."
    )
    alike, single = st.tabs(["Pages alike", "Single pages"])
    key = f"{labels.key}-{len(settings.overrides)}"
    with alike:
        label_table.templates(review.by_template(labels.table, pages), settings, f"templates-{key}")
    with single:
        label_table.pages(labels.table, pages, settings, f"pages-{key}")


def _behind(dataset: Dataset, settings: LabelSettings) -> None:
    changed = False
    with st.expander("How far to go", icon=":material/stairs:", key="ladder"):
        changed |= ladder_form(dataset, settings)
    with st.expander("Themes and types", icon=":material/category:", key="taxonomy"):
        changed |= taxonomy_form(settings)
    with st.expander("Take along or bring", icon=":material/import_export:", key="label-exchange"):
        changed |= files_form(settings)
    if changed:
        label_jobs.start(dataset.key, label_book.load())
        st.rerun()


main()

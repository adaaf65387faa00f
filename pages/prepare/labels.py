"""The page Labels: what pages are about and for, who decided it, and the analyst's corrections."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from core.base.schema import UNKNOWN, Pages, View
from core.labels.label_settings import LabelMode, LabelSettings
from core.labels.labelling import LabelSummary, in_use, read_summary
from core.labels.review import Review
from core.runs import pipeline
from core.saved import controls, label_decisions
from core.storage.dataset import Dataset
from core.storage.page_labels import LabelledPages
from pages.ui.data.catalog import latest_labels
from pages.ui.labels import label_charts, label_corrections, label_jobs, label_table
from pages.ui.labels.label_corrections import corrections, stale
from pages.ui.labels.label_jobs import consent
from pages.ui.labels.label_table import cascade_form
from pages.ui.labels.taxonomy_form import files_form, taxonomy_form
from pages.ui.segments.figure import SIDE, figure
from pages.ui.shell import errors, job_panel, state
from pages.ui.shell.links import LABELS, TRAINING, button, heading
from pages.ui.shell.text import count, md_text, share

_SURE = "by the GA4 events that fire on them and by rules on addresses and titles"
_STAYS = "Nothing is fetched and nothing leaves this machine."
_HOW = {
    LabelMode.RULES: f"{_SURE}. {_STAYS}",
    LabelMode.AUTO: f"{_SURE}, and by a small sentence embedding that runs on this machine. {_STAYS}",
    LabelMode.NLI: f"{_SURE}, a sentence embedding, and an entailment model that runs on this machine.",
    LabelMode.LLM: f"{_SURE}, and a sentence embedding. What these leave open is asked of the language model "
    "of your settings, which is sent titles and paths: “Methods that may decide” says how many, and what "
    "it costs.",
}
_MOSTLY = 0.5  # of the page views: where more are Unknown, the view says little
_WORDS = {View.THEME.value: "Themes", View.TYPE.value: "Types"}


def main() -> None:
    """Draw the page: the state of the labels, the tables to look over, and the taxonomy."""
    label_jobs.take_result()
    heading(LABELS)
    if not state.need(model=False):
        return
    dataset = state.dataset()
    if dataset is not None:
        _page(dataset)


def _page(dataset: Dataset) -> None:
    settings = label_decisions.load(state.store(), dataset)
    labels = pipeline.find_labels(state.store(), dataset, settings, label_jobs.identity(settings))
    may, with_model = label_jobs.may_ask(settings).settings, labels is not None
    if labels is None and may.mode is not settings.mode:  # the model may not be asked, or not yet
        labels = pipeline.find_labels(state.store(), dataset, may)
    shown = labels or latest_labels(state.store(), dataset.key)
    running = job_panel.panels(label_jobs.TASKS, dataset.key)
    if settings.mode is LabelMode.OFF:
        st.info("Labelling is off: the model learns from pages alone.", icon=":material/label_off:")
    elif labels is None and not running:
        _offer(dataset, may, again=shown is not None)
    elif labels is not None and not (with_model or running):
        label_jobs.card(dataset, settings, labels)
    if shown is not None and settings.mode is not LabelMode.OFF:
        _labelled(dataset, shown, settings, up_to_date=labels is not None)
    _behind(dataset, settings, shown)


def _offer(dataset: Dataset, settings: LabelSettings, *, again: bool) -> None:
    verb = "Label the pages again" if again else "Label the pages"
    with st.container(border=True, key="offer-labels"):
        st.subheader(verb)
        if again:
            st.write("The labels below were made with other settings or by an earlier version of this tool.")
        st.write(f"{count(len(dataset.pages), 'page')} get a theme and a type: {_HOW[settings.mode]}")
        st.button(
            verb, type="primary", icon=":material/label:", key="start-labels",
            on_click=label_jobs.start, args=(dataset.key, settings),
        )  # fmt: skip


def _labelled(dataset: Dataset, labels: LabelledPages, settings: LabelSettings, *, up_to_date: bool) -> None:
    with errors.shown():
        pages = dataset.pages
        summary = read_summary(labels.path)
        _notes(summary)
        if summary.choice is not None and up_to_date:
            label_corrections.offer(dataset, settings, summary.choice, summary.unknown[View.THEME])
        if state.model() is None:
            button(TRAINING, "Next: find the segments")
        _little_known(label_table.coverage(labels, pages))
        with st.grid(2, min_column_width=SIDE, gap="medium", key="labels-drawn"):
            _coverage(labels, pages)
            _mosaic(labels, pages)
        _tables(dataset, labels, in_use(settings, summary), up_to_date=up_to_date)


def _notes(summary: LabelSummary) -> None:
    for note in summary.notes:
        st.caption(f":material/info: {md_text(note)}")


def _undo(dataset: Dataset) -> None:
    """Draw the latest edit of corrections, with an undo."""
    if edit := label_decisions.latest(state.store()):
        first, more = md_text(edit[0].after or "deletion", 40), len(edit) - 1
        told = [f"{md_text(one.target, 120)}: {md_text(one.after or 'deleted', 60)}" for one in edit[:5]]
        st.button(
            f"Undo: {first} and {more:,} more" if more else f"Undo: {first}",
            icon=":material/undo:", key="undo-label", on_click=label_jobs.undo, args=(dataset.key,),
            help="  \n".join(told),
        )  # fmt: skip


def _coverage(labels: LabelledPages, pages: pd.DataFrame) -> None:
    covered = label_table.coverage(labels, pages)
    shown = covered.assign(
        **{
            Review.VIEW: covered[Review.VIEW].map(_WORDS),
            Review.RUNG: covered[Review.RUNG].map(label_table.words),
        }
    )
    figure(
        "Who decided",
        partial(label_charts.coverage, shown),
        shown,
        n=f"Of {int(pages[Pages.VIEWS].sum()):,} page views, **Unknown** are {_unknown(covered)}",
        key="label-coverage",
        alt_text="Share of the page views whose theme and type each classifier decided",
        help_text="The first that decides wins: you, events, markup, rules, then models. Pages that serve a "
        "function, such as the cart, have no theme: their type says so. What nobody decides stays Unknown "
        "and is counted.",
    )


def _little_known(covered: pd.DataFrame) -> None:
    """Draw a note where most of a view is unknown, with a button to leave the view out of the segments."""
    run = state.model()
    for view, part in _unknown_shares(covered).items():
        if part <= _MOSTLY:
            continue
        noun = _WORDS[view].lower()
        if part == 1:
            st.warning(
                f"**No page has a {noun[:-1]}.** Models leave {noun} out until some pages have one: correct "
                "the most viewed pages below.",
                icon=":material/help:",
            )
            continue
        st.warning(
            f"**{share(part, 1)} of the page views have no {noun[:-1]}.** Segments that count {noun} would "
            "tell users apart mostly by what nobody knows: correct the most viewed pages below, or leave "
            f"the {noun} out.",
            icon=":material/help:",
        )
        if run is not None and state.controls(run.key).weights.of(View(view)) > 0:
            st.button(
                f"Do not count {noun} in segments", key=f"leave-out-{view}", icon=":material/exposure_zero:",
                on_click=_leave_out, args=(run.key, View(view)),
                help="Sets their weight on Segments to 0 % for this model; you can move it back there.",
            )  # fmt: skip


def _leave_out(model: str, view: View) -> None:
    now = state.controls(model).weights
    state.set_controls(model, weights=controls.reweighted(now, tuple(View), view, 0))


def _unknown_shares(covered: pd.DataFrame) -> dict[str, float]:
    rows = covered[covered[Review.RUNG] == UNKNOWN]
    return dict(zip(rows[Review.VIEW], rows[Review.SHARE], strict=True))


def _unknown(covered: pd.DataFrame) -> str:
    shares = _unknown_shares(covered)
    return " and ".join(
        f"**{share(shares.get(view, 0.0), 1)}** of {noun.lower()}" for view, noun in _WORDS.items()
    )


def _mosaic(labels: LabelledPages, pages: pd.DataFrame) -> None:
    blocks = label_table.mosaic(labels, pages)
    figure(
        "Themes and types",
        partial(label_charts.mosaic, blocks),
        blocks,
        n="Area is page views: a row a theme, types within it",
        key="label-mosaic",
        alt_text="Page views by theme and, within it, by type",
    )


def _tables(dataset: Dataset, labels: LabelledPages, settings: LabelSettings, *, up_to_date: bool) -> None:
    st.subheader("Look them over", help="What deserves a look comes first: much viewed, and not sure.")
    st.caption(
        "Change a type or a theme in the table: it becomes your correction, wins over everything, and holds "
        "for the next export too. Where it says (several), the pages of a row differ: a choice there is for "
        "all of them, one under “Single pages” for one."
    )
    _undo(dataset)
    alike, single = st.tabs(["Pages alike", "Single pages"])
    key = f"{labels.key}-{label_decisions.version(state.store())}"
    with alike:
        by_template = label_table.by_template(labels, dataset.pages)
        label_table.templates(by_template, settings, f"templates-{key}", up_to_date=up_to_date)
    with single:
        label_table.pages(labels.table, dataset.pages, settings, f"pages-{key}", up_to_date=up_to_date)


def _behind(dataset: Dataset, chosen: LabelSettings, labels: LabelledPages | None) -> None:
    changed = False
    settings, shares = chosen, {}
    if labels is not None:
        settings = in_use(chosen, read_summary(labels.path))
        shares = label_table.theme_shares(labels, dataset.pages)
    gone = len(stale(settings))
    if gone:
        st.warning(
            f"{count(gone, 'correction')} of yours {'does' if gone == 1 else 'do'} nothing: the taxonomy no "
            "longer has the label. Delete them below, or add the label again.",
            icon=":material/label_off:",
        )
    with st.expander("Your corrections", icon=":material/edit_note:", key="all-corrections"):
        corrections(settings, dataset.key)
    with st.expander("Methods that may decide", icon=":material/stairs:", key="cascade"):
        changed |= cascade_form(dataset, chosen)
    with st.expander(
        "Read the pages themselves, from the web", icon=":material/cloud_download:", key="fetching"
    ):
        consent(dataset, chosen)
    with st.expander("Edit the themes and types", icon=":material/category:", key="taxonomy"):
        changed |= taxonomy_form(settings, dataset, shares)
        label_corrections.look_again(dataset, chosen)
    with st.expander(
        "Export or import themes, types and corrections",
        icon=":material/import_export:",
        key="label-exchange",
    ):
        changed |= files_form(settings, dataset)
    if changed:
        label_jobs.start(dataset.key, label_decisions.load(state.store(), dataset))
        st.rerun()


main()

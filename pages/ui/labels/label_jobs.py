"""Jobs that label pages, with the consent to ask a language model and to fetch pages, and what follows.

After labelling, users are placed anew by the labels as they are. Before a model is asked, the page shows how
much would be sent, at what price, in which words; consent holds for a session. Fetching pages needs consent
for each run, by host.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import humanize
import pandas as pd
import streamlit as st

from core.base.schema import Pages
from core.labels.fetching.fetch_outcomes import FetchOutcome
from core.labels.label_settings import LabelMode, LabelSettings
from core.labels.labelling import llm_cost
from core.labels.llm_classifier import MIN_USERS, Estimate
from core.labels.pages import host_of
from core.llm import LlmSettings
from core.llm.chat_types import price_of
from core.runs import jobs, pipeline
from core.runs.jobs import JobView
from core.runs.tasks import LabelRequest
from core.saved import label_decisions, preferences, saved_work
from core.storage.dataset import Dataset
from core.storage.page_labels import LabelledPages
from pages.ui.chat import connection
from pages.ui.shell import errors, job_panel, state, written_table
from pages.ui.shell.text import count, md_text


def card(dataset: Dataset, settings: LabelSettings, labels: LabelledPages) -> None:
    """Draw the question whether a model may label the rest; nothing where that is decided or nothing is left.

    Args:
        dataset: The cleaned export.
        settings: With the taxonomy.
        labels: As they are without the model.
    """
    server = _named(settings)
    if server is None or connection.given(server):
        return
    if connection.given(server) is False:
        st.caption(
            ":material/cloud_off: You chose to stay offline in this session: no language model is asked."
        )
        return
    with errors.shown():
        asked = estimate(dataset, settings, labels)
        if not asked.calls:
            return
        with st.container(border=True, key="label-consent"):
            st.subheader(f"Ask {md_text(server.model, 60)}?", icon=":material/outbox:")
            st.markdown(f"{size(asked)} The first question to **{md_text(server.host, 80)}**, word for word:")
            st.code(asked.first, language=None, wrap_lines=True, height=connection.TEXT_HEIGHT_PX)
            st.caption(
                f"The others are like it, about other pages. Price of all: {price(server.model, asked)}. "
                "With each goes the form of its answer. Every request is written down under Settings, where "
                "you can take this back."
            )
            connection.decision_buttons(
                lambda: _agree(server, dataset, settings), lambda: connection.decide(server, False), "labels"
            )


def size(asked: Estimate) -> str:
    """Sentence on how much would be sent, and what it is about."""
    return (
        f"**{count(asked.calls, 'question')}**, {asked.characters:,} characters out, about {asked.tokens:,} "
        "tokens in all. Your descriptions are sent, and paths and titles of pages, of those that at least "
        f"{MIN_USERS} users saw; no user and no figure is."
    )


def price(model: str, asked: Estimate) -> str:
    """The price of all questions and their answers, in words."""
    amount = price_of(model, asked.sent, asked.received, preferences.load(state.store()).prices)
    if amount is None:
        return "not in the price table"
    return f"about {amount:,.2f} US dollars" if amount >= 0.01 else "less than a cent"


def estimate(dataset: Dataset, settings: LabelSettings, labels: LabelledPages) -> Estimate:
    """Estimate of what is left to ask, for themes and types together."""
    return _estimate(dataset, settings, labels, labels.key, settings.taxonomy.model_dump_json())


@st.cache_data(max_entries=16, show_spinner="Counting what is left to ask")
def _estimate(
    _dataset: Dataset, _settings: LabelSettings, _labels: LabelledPages, key: str, taxonomy: str
) -> Estimate:
    parts = llm_cost(_dataset, _settings, _labels)
    return Estimate(
        calls=sum(part.calls for part in parts),
        sent=sum(part.sent for part in parts),
        received=sum(part.received for part in parts),
        characters=sum(part.characters for part in parts),
        first=next((part.first for part in parts if part.first), ""),
    )


def _agree(server: LlmSettings, dataset: Dataset, settings: LabelSettings) -> None:
    connection.decide(server, True)
    start(dataset.key, settings)


_MAX_HOSTS: Final = 50
_READ: Final = (FetchOutcome.FETCHED, FetchOutcome.CACHED)
_WORDS: Final = {
    FetchOutcome.FETCHED: "Read now",
    FetchOutcome.CACHED: "Read before, kept",
    FetchOutcome.REFUSED: "Not asked for: personal, or another host",
    FetchOutcome.ADDRESS: "Not asked for: not a public address",
    FetchOutcome.ROBOTS: "Not asked for: robots.txt forbids it",
    FetchOutcome.TIMEOUT: "Too slow",
    FetchOutcome.UNREACHABLE: "Not reachable",
    FetchOutcome.STATUS: "The server answered with an error",
    FetchOutcome.BUSY: "The server asked to wait",
    FetchOutcome.REDIRECTS: "Led elsewhere too often",
    FetchOutcome.NOT_HTML: "Not a web page",
    FetchOutcome.TOO_LARGE: "Too large",
    FetchOutcome.BROKEN: "Broken off",
    FetchOutcome.UNREADABLE: "Not readable",
    FetchOutcome.GAVE_UP: "Host left alone after failures",
    FetchOutcome.LEFT_OUT: "Left out: over the limit of a run",
}


def consent(dataset: Dataset, settings: LabelSettings) -> None:
    """Draw the hosts that may be fetched from, a button that starts labelling with them, the last fetch."""
    st.caption(
        "Off unless you agree, each time. The most viewed pages of the hosts you choose are read from the "
        "web: slowly, keeping to robots.txt, without logging in, at most 200. What they say of themselves "
        "(product, article, breadcrumbs) is kept for 30 days and decides before the rules do."
    )
    hosts = _hosts(dataset)
    agreed = st.multiselect(
        "I agree to fetch pages from", hosts, key="fetch-hosts", placeholder="No host", select_all=False
    )
    st.button(
        f"Fetch from {md_text(', '.join(agreed))}" if agreed else "Fetch", key="fetch", disabled=not agreed,
        icon=":material/cloud_download:", on_click=start, args=(dataset.key, settings, agreed),
    )  # fmt: skip
    last = _last_fetch(dataset.key)
    if last is not None:
        _report(last)


def _report(job: JobView) -> None:
    """Draw how many pages were read, and why the others were not."""
    table = pd.DataFrame(job.result["fetched"])
    read, asked = int(table.loc[table["outcome"].isin(_READ), "pages"].sum()), int(table["pages"].sum())
    when = humanize.naturaltime(pd.Timestamp.now().timestamp() - job.started)
    st.markdown(f"{read:,} of {count(asked, 'page')} could be read ({when}).")
    written_table.draw(
        table.assign(outcome=[_WORDS[FetchOutcome(one)] for one in table["outcome"]]),
        key="fetch-report", alt_text="What became of the pages",
        columns={"outcome": "What became of them", "example": "For example", "reason": "Because"},
    )  # fmt: skip


def _hosts(dataset: Dataset) -> list[str]:
    """The hosts of the export, most viewed first."""
    found = map(host_of, dataset.pages[Pages.PAGE_LOCATION])
    return list(dict.fromkeys(filter(None, found)))[:_MAX_HOSTS]


_LABEL: Final = "label"
TASKS: Final = (_LABEL,)
_ASKING: Final = (_LABEL, "train")
"""Tasks that label pages, and may ask a language model."""


def start(dataset: str, settings: LabelSettings, fetch_hosts: Sequence[str] = ()) -> None:
    """Start the job that labels a data set and, with a trained model, makes its users' vectors anew.

    Only the last settings count: a job with others is stopped, and the hosts that it was to fetch pages from
    are fetched by this one. Where labelling is off, running jobs are stopped and none starts.

    Args:
        dataset: Content key of the data set.
        settings: The analyst's.
        fetch_hosts: Hosts that the analyst has agreed to fetch pages from.
    """
    running = [job for job in job_panel.running(TASKS, dataset) if not job.stopping]
    if settings.mode is LabelMode.OFF:
        for job in running:
            jobs.cancel(state.store().root, job.id)
        return
    agreed = [host for job in running for host in job_panel.request_of(job)["fetch_hosts"]]
    hosts = list(dict.fromkeys([*agreed, *fetch_hosts]))
    order = may_ask(settings, fetching=bool(hosts))
    run = state.model()
    request = LabelRequest(
        dataset=dataset, label=order.settings, asked=order.asked, fetch_hosts=tuple(hosts),
        model=run.key if run else "",
    )  # fmt: skip
    job_panel.start(_LABEL, request, dataset, replace=True, environment=order.environment)


@dataclass(frozen=True)
class Order:
    """Settings by which a job may label.

    Args:
        settings: The analyst's, without the language model where it must not be asked.
        server: The model that is asked, if any.
    """

    settings: LabelSettings
    server: LlmSettings | None

    @property
    def asked(self) -> str:
        """Identity of the model that is asked, without its key; empty for none."""
        return self.server.identity if self.server else ""

    @property
    def environment(self) -> dict[str, str] | None:
        """Environment variables of the job's process."""
        return self.server.as_environment() if self.server else None


def may_ask(settings: LabelSettings, *, fetching: bool = False) -> Order:
    """Settings for a job now: a language model is asked only by a session that has agreed to it.

    Args:
        settings: The analyst's.
        fetching: Whether it reads pages first. If not, no consent is needed where these settings have already
            labelled the pages, as nothing is left to ask.
    """
    server = _named(settings)
    if server is not None and (connection.given(server) or (not fetching and _labelled(settings))):
        return Order(settings, server)
    if settings.mode is LabelMode.LLM:
        return Order(settings.model_copy(update={"mode": LabelMode.AUTO}), None)
    return Order(settings, None)


def _labelled(settings: LabelSettings) -> bool:
    """Whether the labels exist already, so that no model would be asked."""
    dataset = state.dataset()
    if dataset is None:
        return False
    return pipeline.find_labels(state.store(), dataset, settings, identity(settings)) is not None


def stop_asking() -> None:
    """Stop every job that asks a language model."""
    for job in job_panel.running(_ASKING):
        if job_panel.request_of(job).get("asked"):
            jobs.cancel(state.store().root, job.id)


def _named(settings: LabelSettings) -> LlmSettings | None:
    """The language model of the Settings page, if these label settings use one and it can be asked."""
    found = connection.usable() if settings.mode is LabelMode.LLM else None
    return None if found is None else found.settings


def identity(settings: LabelSettings) -> str:
    """Identity under which a model's decisions are kept; empty if none is used."""
    server = _named(settings)
    return "" if server is None else server.identity


def undo(dataset: str) -> None:
    """Undo the latest edit of corrections, and label the data set (a content key) again (a callback)."""
    with errors.shown():
        if label_decisions.undo(state.store()):
            start(dataset, label_decisions.load(state.store(), state.dataset()))


def remove(dataset: str, targets: Sequence[label_decisions.Target]) -> None:
    """Delete corrections, and label the data set (a content key) again (a callback)."""
    with errors.shown():
        if label_decisions.remove(state.store(), targets):
            start(dataset, label_decisions.load(state.store(), state.dataset()))


def take_result() -> None:
    """Use the vectors that this session's labelling job has just made."""
    made = job_panel.result(_LABEL)
    if made and made.get("embeddings"):
        with errors.shown():
            saved_work.choose_vectors(state.store(), made["model"], made["embeddings"])


def _last_fetch(dataset: str) -> JobView | None:
    """The last job of a data set that fetched pages; ``fetched`` of its result lists the outcomes."""
    found = jobs.recent(state.store().root)
    mine = (job for job in found if (job.task, job.subject) == (_LABEL, dataset))
    return next((job for job in mine if job.result.get("fetched")), None)

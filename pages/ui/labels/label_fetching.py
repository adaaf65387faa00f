"""The consent to fetch pages, for one run and by host, and what became of the pages that were fetched."""

from __future__ import annotations

from typing import Final

import humanize
import pandas as pd
import streamlit as st

from core.base.schema import Pages
from core.data.dataset import Dataset
from core.labels.fetching.fetch_outcomes import FetchOutcome
from core.labels.label_settings import LabelSettings
from core.labels.pages import host_of
from core.runs.jobs import JobView
from pages.ui.labels import label_jobs
from pages.ui.shell import written_table
from pages.ui.shell.text import count, md_text

MOST_HOSTS: Final = 50
READ: Final = (FetchOutcome.FETCHED, FetchOutcome.CACHED)
WORDS: Final = {
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
    """Draw the consent for one run, naming the hosts."""
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
        icon=":material/cloud_download:", on_click=label_jobs.start, args=(dataset.key, settings, agreed),
    )  # fmt: skip
    last = label_jobs.last_fetch(dataset.key)
    if last is not None:
        _report(last)


def _report(job: JobView) -> None:
    """How many pages were read, and why the others were not."""
    table = pd.DataFrame(job.result["fetched"])
    read, asked = int(table.loc[table["outcome"].isin(READ), "pages"].sum()), int(table["pages"].sum())
    when = humanize.naturaltime(pd.Timestamp.now().timestamp() - job.started)
    st.markdown(f"{read:,} of {count(asked, 'page')} could be read ({when}).")
    written_table.draw(
        table.assign(outcome=[WORDS[FetchOutcome(one)] for one in table["outcome"]]),
        key="fetch-report", alt_text="What became of the pages",
        columns={"outcome": "What became of them", "example": "For example", "reason": "Because"},
    )  # fmt: skip


def _hosts(dataset: Dataset) -> list[str]:
    """The hosts of the export, most viewed first."""
    found = map(host_of, dataset.pages[Pages.PAGE_LOCATION])
    return list(dict.fromkeys(filter(None, found)))[:MOST_HOSTS]

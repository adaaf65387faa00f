"""The form for days of GA4's export in BigQuery: chosen, estimated, then read into the input folder."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Final

import streamlit as st

from core.base.errors import SettingsError
from core.base.settings import IngestSettings
from core.ingest.read.headers import DEFAULT_USER_KEY, SIGNED_IN_KEY
from core.runs import jobs
from core.scoring import bigquery
from core.scoring.bigquery_request import (
    ESTIMATE,
    MAX_BYTES,
    MIN_BYTES,
    PRICE_NOTE,
    PRICE_PER_TIB,
    READ,
    BigQueryEstimate,
    BigQueryRequest,
    DaysRequest,
    money,
    most_allowed,
    require_possible,
)
from pages.ui.data import sources
from pages.ui.shell import errors, job_panel, state
from pages.ui.shell.text import count, md_text

_WHAT: Final = (
    "GA4's daily tables, read with this machine's Google credentials: only queries leave it. What they cost "
    "is said first."
)
_SAMPLE: Final = "A share of the users, drawn by id, each with all events. BigQuery bills all the same."
_TOO_MUCH: Final = "That is more than may be billed. Choose fewer days, or raise the limit."
_EXAMPLE: Final = "your-project.analytics_123456789.events_*"
_SETTLED: Final = timedelta(days=4)
"""Age from which the table of a day is final: GA4 may change it for three days."""
_DAYS: Final = 28
GB: Final = 10**9
_OPEN, _ESTIMATE = "bigquery_open", "bigquery_estimate"


def offered() -> bool:
    """Whether BigQuery can be used: the extra is installed and billing is allowed."""
    if not bigquery.installed():
        return False
    try:
        most = most_allowed()
    except SettingsError:  # the form says it, and estimates nothing
        return True
    return most is None or most >= MIN_BYTES


def offer() -> None:
    """Draw the form, where BigQuery can be used."""
    if not offered():
        return
    _take_results()
    with st.container(border=True, key="way-bigquery"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.subheader("Read from BigQuery", icon=":material/cloud_download:", width="content")
            at_work = bool(job_panel.running((ESTIMATE, READ)))
            if not (st.session_state.get(_OPEN) or at_work):
                st.button("Choose days", icon=":material/date_range:", key="bigquery_open_it", on_click=_open)
        st.caption(_WHAT)
        if st.session_state.get(_OPEN) or at_work:
            _form()


def _open() -> None:
    st.session_state[_OPEN] = True


def _take_results() -> None:
    """Take the result of an estimate, or of a reading: then look inside its folder."""
    done = job_panel.ended(ESTIMATE)
    if done is not None:
        st.session_state[_ESTIMATE] = BigQueryEstimate.checked(**done.result["estimate"])
    done = job_panel.ended(READ)
    if done is not None:
        st.session_state.pop(_ESTIMATE, None)
        st.session_state[_OPEN] = False
        sources.choose((f"{done.result['folder']}/",))
        st.rerun()


def _form() -> None:
    with errors.shown():
        asked = _asked()
        ready = bool(asked.table)
        if st.button("Estimate", icon=":material/receipt_long:", key="bigquery_ask", disabled=not ready,
                     help="Free: BigQuery says what it would bill, and reads nothing."):  # fmt: skip
            require_possible(asked)
            st.session_state.pop(_ESTIMATE, None)
            job_panel.forget_failure(READ)
            job_panel.start(ESTIMATE, asked, asked.table, child=jobs.ENGINES)
            st.rerun()
        if not job_panel.panels((ESTIMATE, READ)):
            _estimate(asked)


def _asked() -> BigQueryRequest:
    """Draw the fields and return the request that they make."""
    latest = datetime.now(UTC).date() - _SETTLED
    table = st.text_input("Tables", key="bigquery_table", placeholder=_EXAMPLE, help="A star for the day.")
    with st.grid(3, min_column_width=180, key="bigquery-days"):
        first = st.date_input("First day", latest - timedelta(days=_DAYS - 1), key="bigquery_first")
        last = st.date_input(
            "Last day", latest, key="bigquery_last",
            help="GA4 may change the table of a day for three days more.",
        )  # fmt: skip
        share = st.number_input(
            "Users to read, in %", 0.1, 100.0, 100.0, format="%g", key="bigquery_share",
            help=_SAMPLE,
        )  # fmt: skip
    with st.grid(4, min_column_width=160, key="bigquery-costs"):
        key = st.selectbox("Who is a user", (DEFAULT_USER_KEY, SIGNED_IN_KEY), key="bigquery_key")
        pays = st.text_input("Project that pays", key="bigquery_pays", placeholder="That of the tables")
        cap = most_allowed()
        most = st.number_input(
            "Most to be billed, in GB", MIN_BYTES / GB, cap and cap / GB,
            min(MAX_BYTES, cap or MAX_BYTES) / GB, format="%g", key="bigquery_most",
        )  # fmt: skip
        price = st.number_input(
            "Price of a TiB, in $", 0.0, value=PRICE_PER_TIB, format="%g", key="bigquery_price",
            help=f"{PRICE_NOTE[0].upper()}{PRICE_NOTE[1:]}.",
        )  # fmt: skip
    return BigQueryRequest.checked(
        table=table.strip(), first=_day(first), last=_day(last), user_share=share / 100,
        user_key=key or IngestSettings().user_key, billing_project=pays.strip(), max_bytes=round(most * GB),
        price_per_tib=price,
    )  # fmt: skip


def _day(picked: object) -> date:
    return picked if isinstance(picked, date) else datetime.now(UTC).date()


def _estimate(asked: BigQueryRequest) -> None:
    """Draw the estimate and the button that reads, only for the request as it is now."""
    told = st.session_state.get(_ESTIMATE)
    if not isinstance(told, BigQueryEstimate):
        return
    if told.request != asked:
        st.caption("What is chosen has changed since the estimate: estimate again.")
        return
    st.markdown("\n".join(f"- {md_text(line)}" for line in told.sentences()))
    if told.too_much:
        st.warning(_TOO_MUCH, icon=":material/block:")
    days = count(len(told.tables), "day")
    label = f"Take the {days} that are here"
    if told.to_read:
        label = f"Read {days} for {md_text(money(told.dollars))}"
    if st.button(
        label, type="primary", icon=":material/download:", key="bigquery_read", disabled=told.too_much
    ):
        request = DaysRequest(estimate=told, input_dir=state.input_dir().resolve())
        job_panel.start(READ, request, asked.table, child=jobs.ENGINES)
        st.rerun()

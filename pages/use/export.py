"""The page Export: the segments as files, made when they are asked for."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

import numpy as np
import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.base.schema import IdKind, Users
from core.cli.command import command_line, renumbered, settings_without_option
from core.rules.raw_events import is_of_ga4
from core.runs.export import IdStyle
from core.runs.user_data import PROPERTY, USER_DATA, has_client_ids, user_data_files
from core.storage.dataset import is_clustered
from pages.ui.segments import cards, downloads, segment_controls
from pages.ui.segments.live_segments import LiveSegments
from pages.ui.shell import errors, state
from pages.ui.shell.links import EXPORT, heading
from pages.ui.shell.text import count, md_text

_MIME: Final = {
    "csv": "text/csv",
    "parquet": "application/vnd.apache.parquet",
    "json": "application/json",
    "zip": "application/zip",
    "html": "text/html",
}
_PREVIEW_ROWS: Final = 5


def page() -> None:
    """Draw the page Export, or what to do first."""
    heading(EXPORT)
    live = segment_controls.ready()
    if live is None:
        return
    cards.unfits(live)
    with st.grid(2, min_column_width=360, key="exports"):
        _report(live)
        _users(live)
        _profiles(live)
        _vectors_and_evidence(live)
        _elsewhere(live)
    _preview(live)
    _command(live)


def _report(live: LiveSegments) -> None:
    what = "One page with everything, to read and to pass on. No ids in it."
    with _card("report", "Report", ":material/article:", what):
        opens = "Opens in any browser, without a server."
        _button("HTML", "report.html", lambda: downloads.report_html(live), opens)


def _users(live: LiveSegments) -> None:
    what = "Every user: segment, membership, distance to it and to the next one, activity, outcome, origin."
    with _card("users", "Users", ":material/group:", what):
        _button(
            "CSV", "users.csv", lambda: downloads.users_csv(live), "Ids exactly as in the file, in quotes."
        )
        _button(
            "CSV for spreadsheets", "users_for_spreadsheets.csv",
            lambda: downloads.users_csv(live, IdStyle.EXCEL),
            "Ids written so that a double click in a spreadsheet does not turn them into numbers.",
        )  # fmt: skip
        _button("Parquet", "users.parquet", lambda: downloads.users_parquet(live), "Ids are text.")


def _profiles(live: LiveSegments) -> None:
    with _card("profiles", "Profiles", ":material/leaderboard:", "Every table behind the Profiles page."):
        _button("JSON", "profiles.json", lambda: downloads.profiles_json(live), "All tables in one file.")
        _button("CSV, zipped", "profiles.zip", lambda: downloads.profiles_zip(live), "One CSV a table.")


def _vectors_and_evidence(live: LiveSegments) -> None:
    what = "The vectors of every user, every record accounted for, and how the segments were made."
    with _card("behind", "What is behind it", ":material/receipt_long:", what):
        views = ", ".join(live.sources.vectors.views)
        _button(
            "Embeddings", "embeddings.parquet", lambda: downloads.embeddings_parquet(live),
            f"{count(len(live.labels), 'user')}, one list of numbers a view: {views}.",
        )  # fmt: skip
        _button(
            "Receipt", "receipt.json", lambda: downloads.receipt_json(live), "What was read and left out."
        )
        _button(
            "Segments", "clusters.json", lambda: downloads.clusters_json(live), "Weights, sizes and names."
        )
        _button(
            "Journeys", "journeys.json", lambda: downloads.journeys_json(live),
            "Steps, entries, exits and loops of each segment, beside the others.",
        )  # fmt: skip


def _elsewhere(live: LiveSegments) -> None:
    receipt, users = live.sources.dataset.receipt, live.sources.dataset.users
    user_key, audiences = receipt.user_key, is_of_ga4(receipt)
    names = user_data_files(user_key, users)
    if not names and not audiences:
        return
    said = []
    if names:
        said.append(f"Register the user property {PROPERTY} in GA4, then Admin › Data import › User data.")
        said.append("Import both files: nobody is in both." if len(names) > 1 else "")
    said.append("Each segment's rule is an audience of GA4." if audiences else "")
    said.append("Lists of ids are for ads platforms." if names else "")
    what = " ".join([*filter(None, said), "Nothing is sent."])
    clients, missing = _client_ids(users) if names and has_client_ids(user_key) else (0, 0)
    logins = live.sources.n_clustered - clients
    if missing:
        what += (
            f" {missing:,} of {count(clients, 'user')} in segments have no stream id in "
            "this export, and GA4 takes user data with it alone: type it."
        )
    with _card("elsewhere", "Back into GA4 and ads", ":material/upload:", what):
        if audiences:
            _button(
                "GA4 audiences", "ga4_audiences.json", lambda: downloads.ga4_audiences(live),
                "Requests of Google's Admin API (v1alpha, properties.audiences), checked against its schema. "
                "A segment without a rule that holds has none: its text, or ga4_refused, says why.",
            )  # fmt: skip
        stream = ""
        if missing:
            stream = st.text_input(
                "Stream id", key="stream-id", placeholder="digits",
                help="For users whose stream the export does not say; in GA4 under Admin › Data streams.",
            ).strip()  # fmt: skip
        for name in names:
            by_client = name == USER_DATA and has_client_ids(user_key)
            if by_client and not clients:
                continue
            of_these = f", {count(clients, 'cookie') if by_client else count(logins, 'login')}"
            _button(
                f"GA4 user data{of_these if len(names) > 1 else ''}", name,
                partial(downloads.ga4_user_data, live, name, stream),
                "By client id and stream id; users without a stream id are left out."
                if by_client else "By the site's own user id.",
                disabled=by_client and missing == clients and not stream.isdecimal(),
            )  # fmt: skip
        if names:
            known = (
                ""
                if user_key == "user_id"
                else " Ads platforms cannot match cookies; logins are in lists of their own."
            )
            _button(
                "Lists of ids", "ids_by_segment.zip", lambda: downloads.user_ids(live),
                f"One CSV a segment, of one column, for ads platforms or your own tags.{known}",
            )  # fmt: skip


def _client_ids(users: pd.DataFrame) -> tuple[int, int]:
    """Number of users in segments who are client ids, and of those whose data stream is not known."""
    clients = is_clustered(users)
    if Users.ID_KIND in users:
        clients = clients & np.asarray(users[Users.ID_KIND] == IdKind.COOKIE)
    known = (
        np.asarray(users[Users.STREAM_ID].notna()) if Users.STREAM_ID in users else np.zeros(len(users), bool)
    )
    return int(clients.sum()), int((clients & ~known).sum())


def _card(key: str, title: str, icon: str, what: str) -> DeltaGenerator:
    box = st.container(border=True, height="stretch", key=f"export-{key}")
    with box:
        st.markdown(f"**{icon} {title}**")
        st.caption(what)
    return box.container(horizontal=True, vertical_alignment="bottom")


def _button(
    label: str, file_name: str, make: Callable[[], bytes], help_text: str, *, disabled: bool = False
) -> None:
    st.download_button(
        label, data=make, file_name=file_name, mime=_MIME[file_name.rpartition(".")[2]], help=help_text,
        icon=":material/download:", on_click="ignore", key=f"get-{file_name}", disabled=disabled,
    )  # fmt: skip


def _preview(live: LiveSegments) -> None:
    st.subheader("What the users file looks like")
    table = downloads.users(live, _PREVIEW_ROWS)
    st.dataframe(
        table, hide_index=True, key="preview", placeholder="", alt="The first rows of the users file"
    )
    st.caption(
        f"The first {len(table)} of {count(len(live.labels), 'row')}. The column cluster counts from 0, so "
        "that Segment 1 is cluster 0; −1 is in no segment, and group says why."
    )


def _command(live: LiveSegments) -> None:
    st.subheader("The same from the command line")
    settings = downloads.run_settings(live)
    st.caption("INPUT is your file, OUT a folder for the results. Run it in the folder of this tool.")
    st.code(command_line(settings, live.sources.vectors.weighable), language="shell", wrap_lines=True)
    if (dataset := state.dataset()) is not None and (part := dataset.receipt.narrowed):
        st.caption(f"It begins with all that is in the files, where this page counts {md_text(part)}.")
    if unnamed := settings_without_option(settings):
        st.caption(f"The command line has no option for what you set here: {', '.join(unnamed)}.")
    if live.segmentation.cut is not None:
        st.caption(
            "What you changed by hand is in the files above, not in this command, and not in the address of "
            "this page: another browser finds it on this server only."
        )
    if live.segmentation.partition.warm:
        st.caption(
            "The segments on screen are a quick fit, which goes on from the first segments of this model. "
            "Press Full re-fit on Segments to have what the command gives."
        )
    elif live.segmentation.cut is None:
        _other_numbers(live)


def _other_numbers(live: LiveSegments) -> None:
    """Draw which segments the command line gives another number."""
    there = renumbered(live.segmentation.partition.sizes)
    if there:
        numbers = " · ".join(f"{here} is {number} there" for here, number in there.items())
        st.caption(
            "Segments keep their number here while you move sliders; the command numbers the same ones by "
            f"size, the largest first: {numbers}."
        )


with errors.shown():
    page()

"""Export: the segments as files, made when they are asked for."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

import pandas as pd
import streamlit as st

from core import export
from core.export import IdStyle
from core.publish import clusters_summary
from pages.ui import bench_view, errors, workbench
from pages.ui.text import count
from pages.ui.workbench import Bench

MIME: Final = {
    "csv": "text/csv",
    "parquet": "application/vnd.apache.parquet",
    "json": "application/json",
    "zip": "application/zip",
    "html": "text/html",
}
PREVIEW_ROWS: Final = 5


def page() -> None:
    """Draw the page, or what to do first."""
    st.title("Export")
    bench = bench_view.ready()
    if bench is None:
        return
    with st.grid(2, min_column_width=360, key="exports"):
        _users(bench)
        _profiles(bench)
        _vectors(bench)
        _evidence(bench)
    _preview(bench)
    _command(bench)


def _users(bench: Bench) -> None:
    with _card("Users", ":material/group:", "Every user with segment, group, activity and origin."):
        _button(
            "CSV",
            "users.csv",
            lambda: export.csv_bytes(_table(bench)),
            "Ids exactly as in the file, in quotes.",
        )
        _button(
            "CSV for spreadsheets", "users_for_spreadsheets.csv",
            lambda: export.csv_bytes(_table(bench), IdStyle.EXCEL),
            "Ids written so that a double click in a spreadsheet does not turn them into numbers.",
        )  # fmt: skip
        _button("Parquet", "users.parquet", lambda: export.parquet_bytes(_table(bench)), "Ids are text.")


def _profiles(bench: Bench) -> None:
    profiles = bench.profiles
    with _card("Profiles", ":material/leaderboard:", "Every table behind the Profiles page."):
        _button("JSON", "profiles.json", lambda: profiles.to_json().encode(), "All tables in one file.")
        tables = {
            "segments": profiles.segments, "top_pages": profiles.top_pages, "shares": profiles.shares,
            "heatmap": profiles.heatmap, "fields": profiles.fields,
        }  # fmt: skip
        _button("CSV, zipped", "profiles.zip", lambda: export.tables_zip(tables), "One CSV a table.")


def _vectors(bench: Bench) -> None:
    sources = bench.sources
    with _card(
        "Embeddings", ":material/scatter_plot:", "The vectors of every user, one list of numbers a view."
    ):
        _button(
            "Parquet", "embeddings.parquet",
            lambda: export.parquet_bytes(
                export.embeddings_table(sources.dataset.sequences.user_id, sources.views)
            ),
            f"{count(len(bench.labels), 'user')} × {', '.join(sources.views)}",
        )  # fmt: skip


def _evidence(bench: Bench) -> None:
    with _card(
        "How it was made", ":material/receipt_long:", "What was read and left out, and every setting."
    ):
        receipt = bench.sources.dataset.receipt
        _button(
            "Receipt", "receipt.json", lambda: receipt.model_dump_json(indent=1).encode(),
            "Every record of the input accounted for.",
        )  # fmt: skip
        _button(
            "Segments", "clusters.json",
            lambda: json.dumps(_made(bench), indent=1, ensure_ascii=False).encode(),
            "Weights, number of segments, sizes and names.",
        )  # fmt: skip


def _card(title: str, icon: str, what: str) -> st.delta_generator.DeltaGenerator:
    box = st.container(border=True, height="stretch", key=f"export-{title.split()[0].lower()}")
    with box:
        st.markdown(f"**{icon} {title}**")
        st.caption(what)
    return box.container(horizontal=True)


def _button(label: str, file_name: str, make: Callable[[], bytes], help_text: str) -> None:
    st.download_button(
        label, data=make, file_name=file_name, mime=MIME[file_name.rpartition(".")[2]], help=help_text,
        icon=":material/download:", on_click="ignore", key=f"get-{file_name}",
    )  # fmt: skip


def _made(bench: Bench) -> dict[str, Any]:
    return clusters_summary(workbench.published(bench))


def _table(bench: Bench) -> pd.DataFrame:
    return export.users_table(bench.sources.dataset.users, bench.labels, bench.names)


def _preview(bench: Bench) -> None:
    st.subheader("What the users file looks like")
    head = bench.sources.dataset.users.head(PREVIEW_ROWS)
    table = export.users_table(head, bench.labels[: len(head)], bench.names)
    st.dataframe(table, hide_index=True, key="preview", alt="The first rows of the users file")
    st.caption(
        f"The first {len(table)} of {count(len(bench.labels), 'row')}. Cluster −1 is outside clustering."
    )


def _command(bench: Bench) -> None:
    st.subheader("The same from the command line")
    weights = ",".join(f"{view}={share:g}" for view, share in bench.steering.weights.model_dump().items())
    outcome = f" --outcome {bench.profiles.outcome}" if bench.profiles.outcome else ""
    st.code(
        f"python -m core run INPUT --out OUT --clusters {len(bench.segments)} --weights {weights}{outcome}",
        language="shell", wrap_lines=True,
    )  # fmt: skip
    if bench.fit.partition.warm:
        st.caption(
            "The segments on screen are a warm fit, which follows the way you moved the sliders. Press Full "
            "re-fit on Explore to have what the command gives."
        )


with errors.shown():
    page()

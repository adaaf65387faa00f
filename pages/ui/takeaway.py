"""The files an analyst takes away, made from what is on screen when they are asked for."""

from __future__ import annotations

import json

import pandas as pd

from core import report
from core.profiles.names import default_names
from core.runs import export
from core.runs.export import IdStyle
from core.runs.publish import Segments, clustering_facts, clusters_summary, versions
from core.storage.store import open_artifact
from pages.ui import background, workbench
from pages.ui.workbench import Bench


def users(bench: Bench) -> pd.DataFrame:
    """One row a user: id, segment, group, activity, origin."""
    return export.users_table(bench.sources.dataset.users, bench.labels, bench.names)


def users_csv(bench: Bench, ids: IdStyle = IdStyle.EXACT) -> bytes:
    """:func:`users` as CSV."""
    return export.csv_bytes(users(bench), ids)


def users_parquet(bench: Bench) -> bytes:
    """:func:`users` as Parquet."""
    return export.parquet_bytes(users(bench))


def embeddings_parquet(bench: Bench) -> bytes:
    """The vectors of every user, one list a view."""
    ids = bench.sources.dataset.sequences.user_id
    return export.parquet_bytes(export.embeddings_table(ids, bench.sources.views))


def profiles_json(bench: Bench) -> bytes:
    """Every profile table in one file."""
    return bench.profiles.to_json().encode()


def profiles_zip(bench: Bench) -> bytes:
    """One CSV a profile table."""
    made = bench.profiles
    return export.tables_zip(
        {
            "segments": made.segments,
            "top_pages": made.top_pages,
            "shares": made.shares,
            "heatmap": made.heatmap,
            "fields": made.fields,
        }
    )


def receipt_json(bench: Bench) -> bytes:
    """Every record of the input accounted for."""
    return bench.sources.dataset.receipt.model_dump_json(indent=1).encode()


def clusters_json(bench: Bench) -> bytes:
    """Weights, sizes and names of the segments."""
    made = Segments(bench.combined, bench.fit.partition, bench.profiles, names(bench))
    return json.dumps(clusters_summary(made), indent=1, ensure_ascii=False).encode()


def report_html(bench: Bench) -> bytes:
    """The whole report as one file that opens without a server."""
    source = report.Source(
        dataset=bench.sources.dataset,
        profiles=bench.profiles,
        partition=bench.fit.partition,
        vectors=bench.combined.vectors,
        names=names(bench),
        settings=settings(bench),
        versions=versions(),
        facts=clustering_facts(bench.combined, bench.fit.partition),
        layout=background.neighbour_map(bench.sources, bench.steering.weights)
        or workbench.pca_map(bench, bench.steering.weights),
    )
    return report.render(report.compose(source)).encode()


def names(bench: Bench) -> dict[int, str]:
    """The analyst's name of each segment, or a working name where there is none."""
    return default_names(bench.profiles) | {s: n for s, n in bench.own_names.items() if s in bench.segments}


def settings(bench: Bench) -> dict[str, dict[str, object]]:
    """Part of a run → the settings that were used."""
    dataset = open_artifact(bench.sources.dataset.path)
    model = open_artifact(bench.sources.model)
    return {
        "ingest": dict(dataset.settings),
        "train": dict(model.settings),
        "weights": bench.steering.weights.model_dump(mode="json"),
        "cluster": bench.steering.cluster.model_dump(mode="json"),
        "analyze": bench.steering.analyze.model_dump(mode="json"),
    }

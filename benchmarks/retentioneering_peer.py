"""What Retentioneering 5 takes for the same export, as a program of its own.

    PYTHON benchmarks/retentioneering_peer.py EXPORT.csv

with the PYTHON of a virtual environment that has retentioneering. Prints seconds as JSON: reading, event
stream and ``urls_to_events``; then its clustering with the default search for the number of clusters.
"""

from __future__ import annotations

import json
import os
import sys
import time

os.environ["RETENTIONEERING_NO_TRACK"] = (
    "1"  # before its import: it reports each call to its makers otherwise
)

import pandas as pd
import retentioneering

BRANCHES = 20
"""First directories that become a node of their own; all below one are one event."""


def main() -> None:
    """Measure both parts."""
    began = time.perf_counter()
    columns = ["event_name", "user_pseudo_id", "event_timestamp", "page_location"]
    table = pd.read_csv(sys.argv[1], usecols=columns, dtype=str)
    views = table[(table["event_name"] == "page_view") & table["user_pseudo_id"].notna()].copy()
    views["event_timestamp"] = pd.to_datetime(views["event_timestamp"].astype("int64"), unit="us")
    schema = {
        "path_cols": ["user_pseudo_id"], "event_col": "page_location", "timestamp_col": "event_timestamp",
    }  # fmt: skip
    first = views["page_location"].str.extract(r"^https?://[^/]+/([^/?#]+)")[0]
    nodes = [
        {"path": f"/{name}", "aggregate_children": True} for name in first.value_counts().head(BRANCHES).index
    ]
    stream = retentioneering.Eventstream(views, schema=schema).urls_to_events("page_location", nodes)
    read = time.perf_counter()
    stream.cluster_analysis_data(features=[{"metric": "event_count_bulk"}])
    print(json.dumps({"events_s": read - began, "clusters_s": time.perf_counter() - read}))


if __name__ == "__main__":
    main()

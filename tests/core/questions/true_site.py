"""A made site of some users of every kind, and what is true of it, counted from the raw rows with pandas."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from core.base.progress import silent
from core.base.schema import OUTSIDE, Group, Users
from core.base.settings import AnalyzeSettings, ClusterSettings, IngestSettings
from core.facts.context import Basis, Context, Tables
from core.ingest.ingest import ingest
from core.profiles.data import ProfileData
from core.profiles.metrics import profile
from core.segments.partition import Partition
from core.storage.dataset import Dataset

SEGMENTS, START = 3, 1_761_955_200_000_000
SITES = {
    "shop": ("purchase", ["/", "/cart", "/sale", "/tents", "/boots", "/blog"]),
    "news": ("sign_up", ["/", "/politics", "/sport", "/weather", "/subscribe"]),
}
"""Site → its outcome, and its pages."""
PLANS = ("pro yearly", "free trial", None)
"""Values of a dimension that the analyst chose, user by user."""


@dataclass(frozen=True)
class Site:
    """A site.

    Args:
        rows: The export, a row an event, with the segment of each user: 0 and up, or −1.
        outcome: Event that is the outcome.
        context: What questions are asked about.
    """

    rows: pd.DataFrame
    outcome: str
    context: Context

    def users(self, told: str) -> set[str]:
        """Users of whom something holds: ``2`` (in segment 2), ``all``, ``buy``, ``mobile``, ``/cart``.

        Several, parted by a blank, hold together; a ``!`` before one denies it. All have a page view.
        """
        views = self.rows[self.rows["event_name"] == "page_view"]
        found = set(views["user_pseudo_id"])
        for one in told.split():
            name = one.removeprefix("!")
            if name == "all":
                which = views
            elif name == "one":
                which = views[views["segment"] == OUTSIDE]
            elif name == "buy":
                which = self.rows[self.rows["event_name"] == self.outcome]
            elif name.isdecimal():
                which = views[views["segment"] == int(name) - 1]
            else:
                which = views[
                    (views["page_location"] == f"https://site.example{name}")
                    | (views["device_category"] == name)
                ]
            found = found - {*which["user_pseudo_id"]} if "!" in one else found & {*which["user_pseudo_id"]}
        return found


@cache
def site(name: str) -> Site:
    """The shop or the news site, made once a process; it must not be changed."""
    outcome, pages = SITES[name]
    rows = pd.DataFrame(_events(random.Random(name), outcome, pages))
    with tempfile.TemporaryDirectory() as made:
        export, data, work = (Path(made) / one for one in ("export.csv", "data", "work"))
        data.mkdir()
        work.mkdir()
        rows.to_csv(export, index=False)
        ingest([export], IngestSettings(dimensions=("plan_type",)), data, silent, work)
        dataset = Dataset(data, name)
        users = dataset.users
        counted = ProfileData.from_dataset(dataset)
        events = dataset.events  # read while the files are there
        basis = Basis.from_tables(name, counted, dataset.pages, dataset.sequences, {})
        basis = replace(basis, events=lambda: events)
    inside = (users[Users.GROUP] == Group.SEGMENT).to_numpy()
    labels = np.where(inside, np.arange(len(users)) % 7 % SEGMENTS, OUTSIDE).astype(
        np.int32
    )  # of 3, 2 and 2 parts
    partition = Partition(
        labels, np.eye(SEGMENTS, dtype=np.float32), np.arange(SEGMENTS, dtype=np.int32), 0.0, 1, False,
        ClusterSettings(n_clusters=SEGMENTS),
    )  # fmt: skip
    settings = AnalyzeSettings(outcome=(outcome,))
    segment = dict(zip(users[Users.USER_ID], labels.tolist(), strict=True))
    rows = rows.assign(segment=rows["user_pseudo_id"].map(segment).fillna(OUTSIDE).astype(int))
    return Site(rows, outcome, Context(Tables(basis, profile(counted, labels, settings), partition)))


def _events(chance: random.Random, outcome: str, pages: Sequence[str]) -> list[dict[str, object]]:
    """Of ten users five see several pages, two one, and three none; of each kind some have the outcome."""
    found: list[dict[str, object]] = []
    for user in range(400):
        views = chance.randint(2, 7) if user % 10 < 5 else int(user % 10 < 7)
        device = chance.choice(["mobile", "desktop", "mobile", "tablet"])
        names = ["page_view"] * views or ["scroll"]
        names += [outcome] if chance.random() < (0.3 if device == "desktop" else 0.12) else []
        for step, event in enumerate(names):
            found.append({
                "event_name": event, "event_timestamp": START + user * 10_000_000 + step * 1_000_000,
                "user_pseudo_id": f"u{user}.1", "ga_session_id": 1000 + user,
                "page_location": f"https://site.example{chance.choice(pages)}", "device_category": device,
                "purchase_revenue": 10 * (1 + user % 3) if event == "purchase" else None,
                "transaction_id": f"t{user}" if event == "purchase" else None,
                "plan_type": PLANS[user % 3],
            })  # fmt: skip
    return found

"""The whole transform against a second one, written with plain loops from the rules in words."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from core.base.schema import Raw
from core.storage.dataset import Dataset
from tests.core.ingest.shop import SITE, START, Row, made_of, paths_of, raw_read, sessions_of

GAP = 30 * 60 * 1_000_000
PAGES = {
    "/A/?gclid=1": "/a",
    "/a": "/a",
    "/a/index.html": "/a",
    "/b?q=x&utm_source=y": "/b?q=x",
    "/b?v=1": "/b",
    "/c#top": "/c",
}
BATCH = (Raw.BATCH_PAGE_ID, Raw.BATCH_ORDERING_ID, Raw.BATCH_EVENT_INDEX)


def pick(rng: np.random.Generator, values: list[Any]) -> Any:  # noqa: ANN401
    return values[rng.integers(len(values))]


def random_rows(rng: np.random.Generator, count: int) -> list[Row]:
    """Records full of ties, gaps, missing values and duplicates."""
    rows = []
    for _ in range(count):
        time = START * 1_000_000 + int(rng.integers(0, 40)) * 5 * 60 * 1_000_000
        name = pick(rng, ["page_view", "page_view", "page_view", "scroll", "purchase", "session_start", None])
        row: Row = {
            Raw.USER_KEY: pick(rng, ["u1", "u2", "u3", "U3", "10.20", "10.2", None, "", "(not set)", "null"]),
            Raw.EVENT_TIMESTAMP: pick(
                rng,
                [str(time), str(time // 1000), str(time), "soon", None]
                if rng.random() < 0.1
                else [str(time)],
            ),
            Raw.EVENT_NAME: name,
            Raw.PAGE_LOCATION: None if rng.random() < 0.05 else SITE + pick(rng, list(PAGES)),
            Raw.GA_SESSION_ID: pick(rng, ["1", "2", None]),
            Raw.ENGAGEMENT_TIME_MSEC: pick(rng, ["5", "7.0", None, "", "x"]),
            Raw.DEVICE_BROWSER: pick(rng, ["Chrome", "Safari", "<Other>", None]),
            Raw.GEO_COUNTRY: pick(rng, ["Spain", "Italy", "(not set)"]),
            Raw.TRAFFIC_TYPE: "internal" if rng.random() < 0.05 else None,
            Raw.DEBUG_MODE: "1" if rng.random() < 0.05 else None,
            Raw.TRANSACTION_ID: pick(rng, ["T1", "T2", "(not set)", None]),
            Raw.PURCHASE_REVENUE: pick(rng, ["1.5", "2", None]),
            Raw.CURRENCY: ("EUR", " usd", "(not set)", None)[len(rows) % 4],
        }
        if rng.random() < 0.5:
            row |= {column: str(rng.integers(0, 3)) for column in BATCH}
        rows.append(row)
    return rows


class Reference:
    """What should come out."""

    def __init__(self, files: list[list[Row]]) -> None:
        self.steps: Counter[str] = Counter()
        self.events: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for number, rows in enumerate(files):
            for line, row in enumerate(rows):
                self._take(row, number, line)
        for events in self.events.values():
            events.sort(key=lambda event: event["order"])
        for events in self.events.values():
            self._cut_sessions(events)
        of_all = sorted(self.events, key=str.encode)
        self.users = [user for user in of_all if any(e["view"] for e in self.events[user])]
        self.others = [user for user in of_all if user not in self.users]

    def _take(self, row: Row, file: int, line: int) -> None:
        time, view = self._time(row[Raw.EVENT_TIMESTAMP]), row[Raw.EVENT_NAME] == "page_view"
        if time is None or (view and row[Raw.PAGE_LOCATION] is None):
            self.steps["rejected"] += 1
            return
        if not view:
            self.steps["not_page_view"] += 1
        for step, leaves in (
            ("internal", row[Raw.TRAFFIC_TYPE] == "internal"),
            ("debug", row[Raw.DEBUG_MODE] == "1"),
            ("no_id_not_said", row[Raw.USER_KEY] in (None, "", "(not set)", "null")),
        ):
            if leaves:
                self.steps[step] += view
                return
        batch = [row.get(column) for column in BATCH]
        order = (time, *(float("inf") if value is None else float(value) for value in batch), file, line)
        self.events[str(row[Raw.USER_KEY])].append({**row, "time": time, "view": view, "order": order})

    @staticmethod
    def _time(text: str | None) -> int | None:
        if text is None or not text.isdigit():
            return None
        return int(text) * (1000 if len(text) == 13 else 1)

    @staticmethod
    def _cut_sessions(events: list[dict[str, Any]]) -> None:
        last, number = -GAP - 1, 0
        for event in events:
            key: tuple[str, Any] = ("id", event[Raw.GA_SESSION_ID])
            if event[Raw.GA_SESSION_ID] is None:
                number += event["time"] - last > GAP
                last, key = event["time"], ("gap", number)
            event["session"] = key

    def views(self, user: str) -> list[dict[str, Any]]:
        return [event for event in self.events[user] if event["view"]]

    def paths(self) -> dict[str, list[str]]:
        return {
            u: [PAGES[e[Raw.PAGE_LOCATION].removeprefix(SITE)] for e in self.views(u)] for u in self.users
        }

    def sessions(self) -> dict[str, list[int]]:
        found = {}
        for user in self.users:
            seen: list[Any] = []
            found[user] = []
            for event in self.views(user):
                seen += [event["session"]] if event["session"] not in seen else []
                found[user].append(len(seen) - 1)
        return found

    def engagement(self) -> list[int | None]:
        found = []
        for user in self.users:
            values = [
                {"5": 5, "7.0": 7}[e[Raw.ENGAGEMENT_TIME_MSEC]]
                for e in self.events[user]
                if e[Raw.ENGAGEMENT_TIME_MSEC] in ("5", "7.0")
            ]
            found.append(sum(values) if values else None)
        return found

    def label(self, column: str) -> list[str | None]:
        found = []
        for user in self.users:
            counts = Counter(
                e[column] for e in self.events[user] if e[column] not in (None, "<Other>", "(not set)")
            )
            found.append(min(counts, key=lambda value: (-counts[value], value)) if counts else None)
        return found

    def again(self) -> list[dict[str, Any]]:
        """Purchases of a transaction that somebody has made before."""
        found, bought = [], set()
        everything = [
            (user in self.others, event["order"], event)
            for user in self.events
            for event in self.events[user]
        ]
        for *_, event in sorted(everything, key=lambda item: item[:2]):
            transaction = event[Raw.TRANSACTION_ID]
            if event[Raw.EVENT_NAME] == "purchase" and transaction in ("T1", "T2"):
                found += [event] if transaction in bought else []
                bought.add(transaction)
        return found

    def done(self) -> list[tuple[Any, ...]]:
        """User, event, time, session and page views before it, of every event of the users."""
        found, again = [], self.again()
        for row, user in enumerate(self.users):
            seen = list(dict.fromkeys(event["session"] for event in self.views(user)))
            alone: list[Any] = []
            views = 0
            for event in self.events[user]:
                views += event["view"]
                name, session = event[Raw.EVENT_NAME], event["session"]
                if event["view"] or name is None or any(event is other for other in again):
                    continue
                if session not in seen and session not in alone:
                    alone.append(session)
                found.append((row, name, event["time"], (*seen, session).index(session), views, session))
        return found

    def outcomes(self) -> list[tuple[Any, ...]]:
        found, again = [], self.again()
        rows = iter(range(len(self.events)))
        for user in [*self.users, *self.others]:
            groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
            for event in self.events[user]:
                name = event[Raw.EVENT_NAME]
                if name not in (None, "page_view") and not any(event is other for other in again):
                    groups[name].append(event)
            row = next(rows) if groups or user in self.users else -1
            for name, events in sorted(groups.items()):
                first = min(e["time"] for e in events)
                counts = (len(events), len({e["session"] for e in events}))
                for total, currency in money(events):
                    found.append((row, name, *counts, first, total, currency))
                    counts = (0, 0)  # what is not money counts once
        return found


def money(events: list[dict[str, Any]]) -> list[tuple[float | None, str | None]]:
    sums: dict[str | None, float] = defaultdict(float)
    for e in events:
        if e[Raw.PURCHASE_REVENUE]:
            currency = {"EUR": "EUR", " usd": "USD"}.get(e[Raw.CURRENCY] or "")
            sums[currency] += float(e[Raw.PURCHASE_REVENUE])
    known = sorted((currency, total) for currency, total in sums.items() if currency)
    unnamed: list[tuple[float | None, str | None]] = [(sums[None], None)] if None in sums else []
    return [*((total, currency) for currency, total in known), *unnamed] or [(None, None)]


def plain(values: pd.Series[Any]) -> list[Any]:
    return [None if pd.isna(value) else value for value in values]


def check(dataset: Dataset, expected: Reference) -> None:
    users = dataset.users
    assert users["user_id"].tolist() == expected.users
    assert paths_of(dataset) == expected.paths()
    assert sessions_of(dataset) == expected.sessions()
    assert users["sessions"].tolist() == [numbers[-1] + 1 for numbers in expected.sessions().values()]
    assert plain(users["engagement_msec"]) == expected.engagement()
    assert plain(users["browser"]) == expected.label(Raw.DEVICE_BROWSER)
    assert plain(users["country"]) == expected.label(Raw.GEO_COUNTRY)
    assert dataset.outcomes["refunds"].isna().all()  # nothing was given back
    outcomes = dataset.outcomes.drop(columns=["refunds", "items"]).itertuples(index=False)
    assert [
        tuple(None if pd.isna(value) else value for value in row) for row in outcomes
    ] == expected.outcomes()
    done = dataset.events
    columns = (done.user, np.array(done.names)[done.name], done.timestamp, done.session, done.after)
    found = list(zip(*(column.tolist() for column in columns), strict=True))
    check_done(found, expected.done(), users["sessions"].tolist())
    told = dataset.receipt.outcome_users
    for name, found in dataset.outcomes.groupby("event_name"):
        inside = found.loc[found["user"] < len(users), "user"].nunique()
        assert told[str(name)].users == found["user"].nunique() == inside + told[str(name)].without_page_view
    for step in dataset.receipt.waterfall:
        assert step.records == expected.steps[step.name], step.name


def check_done(found: list[tuple[Any, ...]], wanted: list[tuple[Any, ...]], sessions: list[int]) -> None:
    """Sessions without a page view are numbered after the others, in any order: one number each."""
    assert [row[:3] + row[4:] for row in found] == [(*row[:3], row[4]) for row in wanted]
    pairs = {(row[0], row[3], other[5]) for row, other in zip(found, wanted, strict=True)}
    assert len(pairs) == len({pair[:2] for pair in pairs}) == len({(user, key) for user, _, key in pairs})
    for (user, _, _, session, _), other in zip(found, wanted, strict=True):
        assert session == other[3] if other[3] < sessions[user] else session >= sessions[user]


@pytest.mark.parametrize("seed", range(6))
def test_both_agree_on_random_data(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    files = [random_rows(rng, int(rng.integers(40, 160))) for _ in range(2)]
    raw = raw_read(tmp_path / "raw", files, parts=3)
    check(made_of(tmp_path, raw, threads=1 + seed % 2), Reference(files))

"""A made shop with all that makes counting hard, as raw rows and as the tables that queries are asked of.

Sessions overlap and cross midnight, clocks change (Berlin, end of October), events come before the first and
after the last page view, in sessions of their own and from users without a page view; purchases repeat, are
refunded, and some have no revenue; devices, countries and sources are missing of some.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from core.base.progress import silent
from core.base.schema import OUTSIDE, Group, Raw, Users
from core.base.settings import AnalyzeSettings, ClusterSettings, IngestSettings, UrlSettings
from core.facts.context import Basis, Tables
from core.ingest.ingest import ingest
from core.profiles.data import ProfileData
from core.profiles.metrics import profile
from core.segments.partition import Partition
from core.storage.dataset import Dataset
from core.storage.page_labels import LabelledPages

ZONE: Final = ZoneInfo("Europe/Berlin")
FIRST, DAYS = date(2025, 10, 15), 30
SEGMENTS: Final = 3
PAGES: Final = {  # path → template, theme, type
    "/": ("/", "No theme", "Homepage"),
    "/sale": ("/sale", "No theme", "Category"),
    "/shoes/alpine": ("/shoes/:slug", "Shoes", "Product"),
    "/shoes/trail": ("/shoes/:slug", "Shoes", "Product"),
    "/hats/felt": ("/hats/:slug", "Hats", "Product"),
    "/hats/straw": ("/hats/:slug", "Hats", "Product"),
    "/blog/knots": ("/blog/:slug", "Hiking", "Article"),
    "/blog/rain": ("/blog/:slug", "Hiking", "Article"),
    "/cart": ("/cart", "No theme", "Cart & checkout"),
    "/thanks": ("/thanks", "No theme", "Cart & checkout"),
}
ORIGIN: Final = "https://shop.example"
SOURCES: Final = (("google", "organic"), ("google", "cpc"), ("news", "email"), ("(direct)", "(none)"), None)

CHANNELS: Final = ("Organic Search", "Email", None, "Direct", "Email", "Paid Search", "Referral")

_ITEMS: Final = {"purchase": (1, 3, None, 12), "add_to_cart": (1, 1, 2, None)}
"""Event → items that one of it says, by its place."""


@dataclass(frozen=True)
class MadeSite:
    """Raw rows with the segment of each user (0 and up, or −1), and the tables made of them."""

    rows: pd.DataFrame
    tables: Tables


@cache
def made_site(n_users: int = 330, seed: int = 7) -> MadeSite:
    """The shop, made once a process; it must not be changed."""
    rows = pd.DataFrame(_rows(random.Random(seed), n_users))
    with tempfile.TemporaryDirectory() as made:
        export, data, work = (Path(made) / one for one in ("export.csv", "data", "work"))
        data.mkdir()
        work.mkdir()
        rows.to_csv(export, index=False)
        ingest([export], IngestSettings(), data, silent, work)
        dataset = Dataset(data, f"made {n_users} {seed}")
        labelled = LabelledPages(Path(made), "labels")
        paths = [location.removeprefix("shop.example") or "/" for location in _locations(dataset)]
        columns = zip(*(PAGES[path] for path in paths), strict=True)
        named = {
            name: list(values) for name, values in zip(("template", "theme", "type"), columns, strict=True)
        }
        vars(labelled)["table"] = pd.DataFrame({"page": range(len(paths)), **named})
        counted = ProfileData.from_dataset(dataset, labelled)
        events, channels, _ = (
            dataset.events,
            dataset.session_channels,
            dataset.receipt,
        )  # while files are there
        basis = Basis.from_dataset(dataset, labelled, counted)
        basis = replace(basis, events=lambda: events, urls=UrlSettings, session_channels=lambda: channels)
    users = dataset.users
    inside = (users[Users.GROUP] == Group.SEGMENT).to_numpy()
    labels = np.where(inside, np.arange(len(users)) % 7 % SEGMENTS, OUTSIDE).astype(np.int32)
    partition = Partition(
        labels,
        np.eye(SEGMENTS, dtype=np.float32),
        np.arange(SEGMENTS, dtype=np.int32),
        0.0,
        1,
        False,
        ClusterSettings(n_clusters=SEGMENTS),
    )
    segment = dict(zip(users[Users.USER_ID], labels.tolist(), strict=True))
    rows = rows.assign(segment=rows["user_pseudo_id"].map(segment).fillna(OUTSIDE).astype(int))
    settings = AnalyzeSettings(outcome=("purchase",))
    return MadeSite(rows, Tables(basis, profile(counted, labels, settings), partition))


def _locations(dataset: Dataset) -> list[str]:
    locations: list[str] = dataset.pages["page_location"].str.removeprefix("https://").tolist()
    return locations


def _rows(chance: random.Random, n_users: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for number in range(n_users):
        found += _user(chance, number)
    chance.shuffle(found)
    return found


def _user(chance: random.Random, number: int) -> list[dict[str, Any]]:
    """The rows of a user: of ten one has no page view; the first two of them come at the ends of days."""
    source = chance.choice(SOURCES)
    always = {
        "user_pseudo_id": f"{number:04d}.5",
        "device_category": chance.choice(["mobile", "mobile", "desktop", "tablet", None]),
        "browser": chance.choice(["Chrome", "Safari", "Firefox", None]),
        "country": chance.choice(["Germany", "Austria", "Poland", "Germany", None]),
        "traffic_source_source": source[0] if source else None,
        "traffic_source_medium": source[1] if source else None,
    }
    made: list[dict[str, Any]] = []
    for visit, begin in enumerate(_begins(chance, number)):
        session, moment = f"{1000 * number + visit}", begin
        for event in _visit(chance, number):
            made.append(_event(chance, always, session, moment, event, len(made)))
            moment += timedelta(seconds=chance.choice([0, 5, 20, 90, 400, 1500]))
    if chance.random() < 0.12:  # a reloaded confirmation page
        bought = [row for row in made if row["event_name"] == "purchase" and row["transaction_id"]]
        made += [row | {"event_timestamp": row["event_timestamp"] + 40_000_000} for row in bought[:1]]
    made += _refunds(chance, made)
    return made


def _begins(chance: random.Random, number: int) -> Iterator[datetime]:
    if number < 2:  # so that the time zone is known
        for day in range(DAYS):
            yield _local(day, time(0, 1) if number == 0 else time(23, 57))
        return
    previous: datetime | None = None
    for _ in range(chance.choice([1, 1, 1, 2, 3, 6])):
        if previous is not None and chance.random() < 0.25:  # overlaps the last one
            previous += timedelta(minutes=chance.choice([1, 2, 10]))
        else:
            hour = chance.choice([0, 7, 9, 12, 12, 18, 20, 23])
            previous = _local(chance.randrange(DAYS - 1), time(hour, chance.randrange(60)))
        yield previous


def _local(day: int, at: time) -> datetime:
    return datetime.combine(FIRST + timedelta(day), at, ZONE).astimezone(ZoneInfo("UTC"))


def _visit(chance: random.Random, number: int) -> list[str]:
    """Events of a visit: paths are page views."""
    if number < 2:
        return ["/"]
    own = chance.sample(["scroll", "add_to_cart", "search", "purchase"], chance.randint(0, 2))
    if number % 10 == 9:
        return [*own, "session_start"]
    if chance.random() < 0.1:  # a session without a page view
        return own
    pages = chance.choices(
        list(PAGES), weights=[6, 4, 3, 2, 2, 1, 3, 1, 4, 2], k=chance.choice([1, 1, 2, 3, 5, 9])
    )
    events = pages
    for event in own:
        events = [*events]
        events.insert(chance.randint(0, len(events)), event)
    return events


def _event(
    chance: random.Random, always: dict[str, Any], session: str, moment: datetime, event: str, place: int
) -> dict[str, Any]:
    is_view, is_bought = event.startswith("/"), event == "purchase"
    return always | {
        "event_name": "page_view" if is_view else event,
        "event_timestamp": round(moment.timestamp() * 1e6) + place,  # in the order in which they are made
        "event_date": f"{moment.astimezone(ZONE):%Y%m%d}",
        "ga_session_id": session,
        Raw.SESSION_CHANNEL: CHANNELS[int(session) % len(CHANNELS)],
        "page_location": ORIGIN + (event if is_view else "/"),
        "engagement_time_msec": chance.choice([None, None, 0, 1500, 20_000]),
        "purchase_revenue": chance.choice([None, 10.25, 20.5, 99.0]) if is_bought else None,
        "currency": "EUR" if is_bought else None,
        "refund_value": None,
        "total_item_quantity": _ITEMS[event][place % 4] if event in _ITEMS else None,
        "transaction_id": f"t{session}.{place}" if is_bought and chance.random() < 0.9 else None,
    }


def _refunds(chance: random.Random, made: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for row in made:
        is_known = row["transaction_id"] and row["purchase_revenue"]
        if row["event_name"] == "purchase" and is_known and chance.random() < 0.2:
            later = row["event_timestamp"] + 3_600_000_000
            back = row["purchase_revenue"] * chance.choice([0.5, 1])
            yield row | {
                "event_name": "refund",
                "event_timestamp": later,
                "purchase_revenue": None,
                "refund_value": back,
                "event_date": f"{datetime.fromtimestamp(later // 10**6, ZONE):%Y%m%d}",
                "engagement_time_msec": None,
            }
            return

"""Eight users whose profile can be counted by eye, and a way to make many at random."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from core.base.local_clock import LocalClock
from core.base.schema import Group, Outcomes, Pages, Users
from core.profiles.data import ProfileData
from core.storage.dataset import OUTCOMES, PAGES, SEQUENCES, USERS, Dataset
from core.storage.sequences import SCHEMA, UserSequences

HOME, SALE, BLOG, CART = range(4)
LOCATIONS = ("shop.example/", "shop.example/sale", "shop.example/blog", "shop.example/cart")
SESSIONS_OF: list[list[list[int]]] = [  # pages of each session of each user
    [[HOME, SALE], [SALE, CART]],
    [[SALE, CART]],
    [[SALE, SALE, SALE]],
    [[HOME, BLOG]],
    [[BLOG, BLOG], [BLOG, BLOG]],
    [[HOME]],
    [[BLOG]],
    [[HOME, SALE, BLOG, CART, HOME, SALE, BLOG, CART]],
]
LABELS = np.array([0, 0, 0, 1, 1, -1, -1, -1], dtype=np.int32)
GROUPS = [Group.SEGMENT] * 5 + [Group.ONE_PAGE] * 2 + [Group.BOT_LIKE]
MINUTE_US = 60_000_000


def tables(
    visits: list[list[list[int]]], groups: list[Group], n_pages: int
) -> tuple[pd.DataFrame, pd.DataFrame, UserSequences]:
    """Users (attributes still empty), pages and sequences: a minute between views, a day between sessions."""
    flat = [[(number, page) for number, visit in enumerate(user) for page in visit] for user in visits]
    lengths = [len(user) for user in flat]
    sequences = UserSequences(
        user_id=pa.array([f"{number:06d}.5" for number in range(len(flat))]),
        offsets=np.cumsum([0, *lengths]),
        page=np.array([page for user in flat for _, page in user], dtype=np.int32),
        timestamp=np.array(
            [s * 1440 * MINUTE_US + i * MINUTE_US for user in flat for i, (s, _) in enumerate(user)]
        ),
        session=np.array([number for user in flat for number, _ in user], dtype=np.int32),
    )
    users = pd.DataFrame(
        {
            Users.USER_ID: sequences.user_id.to_pylist(),
            Users.GROUP: [group.value for group in groups],
            Users.PAGE_VIEWS: np.array(lengths, dtype=np.int32),
            Users.SESSIONS: np.array([len(user) for user in visits], dtype=np.int32),
            Users.ENGAGEMENT_MSEC: pd.array([pd.NA] * len(flat), dtype="Int64"),
        }
    ).assign(
        **{
            name: pd.array([None] * len(flat), dtype="str")
            for name in ("browser", "device", "country", "source")
        }
    )
    pages = pd.DataFrame(
        {
            Pages.PAGE: np.arange(n_pages, dtype=np.int32),
            Pages.PAGE_LOCATION: [*LOCATIONS, *(f"shop.example/p/{page}" for page in range(4, n_pages))][
                :n_pages
            ],
            Pages.PAGE_TITLE: [None, *(f"Title {page}" for page in range(1, n_pages))],
            Pages.VIEWS: np.bincount(sequences.page, minlength=n_pages),
            Pages.USERS: 0,
        }
    )
    return users, pages, sequences


def outcomes(rows: list[tuple[int, str, int, int, float | None]]) -> pd.DataFrame:
    """Rows of user, event name, events, sessions, revenue."""
    names = [Outcomes.USER, Outcomes.EVENT_NAME, Outcomes.EVENTS, Outcomes.SESSIONS, Outcomes.REVENUE]
    made = pd.DataFrame(rows, columns=names).astype({Outcomes.EVENT_NAME: "str", Outcomes.REVENUE: "float64"})
    empty = {Outcomes.FIRST_TS: 0, Outcomes.CURRENCY: pd.array([None] * len(made), dtype="str")}
    return made.assign(**empty).astype({Outcomes.USER: "int32"})


def toy_tables() -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, UserSequences]:
    """Users, pages, outcomes and sequences of the eight."""
    users, pages, sequences = tables(SESSIONS_OF, GROUPS, len(LOCATIONS))
    users = users.assign(
        engagement_msec=pd.array([4000, None, 1000, 2000, None, None, None, 0], dtype="Int64"),
        browser=["Chrome", "Chrome", "Safari", "Safari", "Firefox", None, "Chrome", "Chrome"],
        device=["mobile", "mobile", "desktop", "desktop", "desktop", "mobile", "mobile", "desktop"],
        source=["a / b", "a / b", None, "c / d", "c / d", "a / b", "c / d", None],
    )
    conversions = outcomes(
        [
            (0, "purchase", 2, 1, 30.0),
            (3, "purchase", 1, 1, None),
            (0, "add_to_cart", 3, 2, None),
            (1, "add_to_cart", 1, 1, None),
        ]
    )
    return users, pages, conversions, sequences


@cache
def toy() -> ProfileData:
    """The eight, laid out once a process; must not be changed."""
    return ProfileData.from_tables(*toy_tables())


def toy_dataset(folder: Path) -> Dataset:
    """The eight as files of a data set."""
    users, pages, conversions, sequences = toy_tables()
    for frame, name in ((users, USERS), (pages, PAGES), (conversions, OUTCOMES)):
        pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), folder / name)
    lists = [
        pa.ListArray.from_arrays(pa.array(sequences.offsets, pa.int32()), pa.array(values))
        for values in (sequences.page, sequences.timestamp, sequences.session)
    ]
    pq.write_table(pa.table([sequences.user_id, *lists], schema=SCHEMA), folder / SEQUENCES)
    dataset = Dataset(folder, "toy")
    vars(dataset)["receipt"] = SimpleNamespace(
        no_user_id={}, narrowed="", clock=LocalClock(), time_zone="UTC", rounded_times=False
    )
    return dataset


def many(seed: int, n_users: int = 80, n_pages: int = 9) -> tuple[ProfileData, np.ndarray, pd.DataFrame]:
    """Random users, their labels, and the same as one plain frame with a row a page view for references."""
    random = np.random.default_rng(seed)
    visits = [
        [random.integers(0, n_pages, random.integers(1, 5)).tolist() for _ in range(random.integers(1, 4))]
        for _ in range(n_users)
    ]
    labels = random.integers(-1, 4, n_users).astype(np.int32)
    outside = random.choice(np.array([Group.ONE_PAGE, Group.BOT_LIKE]), n_users)
    groups = [Group.SEGMENT if label >= 0 else Group(outside[user]) for user, label in enumerate(labels)]
    users, pages, sequences = tables(visits, groups, n_pages)
    users = users.assign(
        engagement_msec=pd.array(
            [None if random.random() < 0.4 else int(random.integers(0, 90_000)) for _ in range(n_users)],
            dtype="Int64",
        ),
        browser=pd.array(random.choice(np.array(["Chrome", "Safari", None]), n_users), dtype="str"),
        country=pd.array([f"Country {place}" for place in random.zipf(1.6, n_users) % 40], dtype="str"),
    )
    buyers = np.flatnonzero(random.random(n_users) < 0.3)
    conversions = outcomes(
        [(user, "purchase", 1, 1, float(random.integers(1, 50))) for user in buyers.tolist()]
    )
    frame = pd.DataFrame({"user": sequences.user, "page": sequences.page})
    row = [f"segment:{label}" if label >= 0 else f"group:{groups[user]}" for user, label in enumerate(labels)]
    frame = frame.assign(row=np.array(row)[frame["user"]], bought=np.isin(frame["user"], buyers))
    frame["engagement"] = users["engagement_msec"].to_numpy(dtype=float, na_value=np.nan)[frame["user"]]
    frame["sessions"] = users["sessions"].to_numpy()[frame["user"]]
    return ProfileData.from_tables(users, pages, conversions, sequences), labels, frame

"""The walks of a site's users as a GA4 export, and the truth beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple
from zlib import crc32

import numpy as np
import pandas as pd

from benchmarks.sites.plan import Page, read_plan

DEFAULTS: Final = dict(
    outcome=0, engaged=0.75, dwell=1, hours_later=0, revenue=1, themes={}, order=(), turns=False, strays=0.7
)
UNLIKED: Final = 0.25  # weight of a group or theme that a kind of users does not care for
NEAR: Final = 5.0  # factor on a page for each word that it shares with the page before
RELOADS, SLASHES, REFERRED_AGAIN = 0.05, 0.03, 0.6
HOURS: Final = (1, 1, 0, 0, 0, 1, 2, 4, 6, 7, 7, 7, 8, 7, 6, 6, 7, 8, 9, 10, 11, 10, 7, 3)
Row = dict[str, object]


class SiteFiles(NamedTuple):
    """An export (``csv``), and the truth: ``pages`` (path, type, theme), ``users`` (user_pseudo_id, kind).

    ``twins`` names two kinds that only their ``order`` tells apart and two that only their ``tempo``
    does; empty where a site has none.
    """

    csv: Path
    pages: Path
    users: Path
    twins: dict[str, list[str]]


class View(NamedTuple):
    """One page view: the page, what happens on it and how long it lasts."""

    location: str
    title: str
    events: list[tuple[str, timedelta, str]]  # name, time since the view began, engagement (ms)
    lasts: timedelta
    engaged: str  # ms since the last event, reported by the next one


class Session(NamedTuple):
    """One session: when and how it began and ended, and its views."""

    at: datetime
    first: bool
    came: bool  # from elsewhere, not by typing the address
    views: list[View]
    ended: bool  # the browser told that the user left


def write_site(name: str, folder: Path, users: int = 4000, seed: int = 1, null: bool = False) -> SiteFiles:
    """Write one of ``DEV`` and ``HELD`` into ``folder/name``: the same arguments, the same bytes.

    ``null`` writes its null twin, in which nobody is of any kind: the same users come at the same hours for
    as many views, but every view is anybody's.
    """
    rngs = [np.random.default_rng([seed, crc32(name.encode()), user]) for user in range(users)]
    pages, site = read_plan(name)
    made = [_User(pages, site, rng) for rng in rngs]
    sessions = [user.sessions() for user in made]
    if null:
        sessions = _anybody(sessions, np.random.default_rng([seed, crc32(name.encode())]))
    events = pd.DataFrame([row for user, own in zip(made, sessions, strict=True) for row in user.rows(own)])
    truth = pd.DataFrame([page for group in pages.values() for page in group])[["path", "type", "theme"]]
    kinds = pd.DataFrame(
        [{"user_pseudo_id": user.id, "kind": "nobody" if null else user.kind_name} for user in made]
    )
    csv, pages_csv, users_csv = (folder / name / f"{stem}.csv" for stem in (name, "pages", "users"))
    files = SiteFiles(csv, pages_csv, users_csv, {} if null else site.get("twins", {}))
    files.csv.parent.mkdir(parents=True, exist_ok=True)
    events.sort_values("event_timestamp", kind="stable").to_csv(files.csv, index=False)
    truth.drop_duplicates("path").to_csv(files.pages, index=False)
    kinds.to_csv(files.users, index=False)
    return files


def _anybody(sessions: list[list[Session]], rng: np.random.Generator) -> list[list[Session]]:
    """The views of all users, shuffled: page, events and time spent on it stay together, nothing else."""
    views = [view for own in sessions for session in own for view in session.views]
    drawn = (views[at] for at in rng.permutation(len(views)))
    return [[one._replace(views=[next(drawn) for _ in one.views]) for one in own] for own in sessions]


def in_order(walk: list[Page], kind: Mapping[str, Any], rng: np.random.Generator) -> list[Page]:
    """Sort pages by the ``order`` of their groups, once or in ``turns``; pages of other groups are anywhere.

    A page is moved from its place by a standard deviation of ``strays`` places.
    """
    order, met, places = kind["order"], Counter[str](), list[float]()
    for page in walk:
        place = order.index(page.group) if page.group in order else rng.random() * len(order)
        places.append(place + met[page.group] * len(order) * kind["turns"])
        met[page.group] += 1
    strayed = np.add(places, kind["strays"] * rng.normal(size=len(walk)))
    return [walk[at] for at in np.argsort(strayed, kind="stable")]


class _User:
    """One user: who they are, and everything they do."""

    def __init__(self, pages: dict[str, list[Page]], site: dict[str, Any], rng: np.random.Generator) -> None:
        self.pages, self.site, self.rng, kinds = pages, site, rng, site["kinds"]
        self.kind_name = self._draw({name: kind["share"] for name, kind in kinds.items()})
        self.kind: dict[str, Any] = site | DEFAULTS | kinds[self.kind_name]
        self.start = datetime.fromisoformat(site["start"]).replace(tzinfo=UTC)
        self.start += timedelta(int(rng.integers(site["days"])), hours=-site["utc_offset"])
        self.id = f"{rng.integers(10**6, 10**9)}.{rng.integers(10**9, 10**10)}"
        device, source = self._draw(self.kind["devices"]), self._draw(self.kind["sources"])
        self.referrer = site["referrers"].get(source, "")
        self.tracking = site["tracking"].get(source, "").format(id=rng.bytes(16).hex())
        self.who: Row = {
            "user_pseudo_id": self.id,
            "device_category": device,
            "device_browser": self._draw(site["browsers"][device]),
            "geo_country": self._draw(self.kind["countries"]),
            "traffic_source_source": source.split(" / ")[0],
            "traffic_source_medium": source.split(" / ")[1],
        }
        currency = site.get("currency", {})
        self.sale: Row = {
            "transaction_id": f"T-{rng.integers(10**7, 10**8)}",
            "purchase_revenue": f"{self.kind['revenue'] * rng.lognormal(0, 0.4):.2f}",
            "currency": currency.get(self.who["geo_country"], currency.get("otherwise")),
        }

    def sessions(self) -> list[Session]:
        """What the user does; nothing where the browser of a buyer sent nothing."""
        if not self.kind["pages"]:
            return []
        rng, hours = self.rng, np.roll(HOURS, self.kind["hours_later"])
        sessions = 1 + (rng.poisson(self.kind["sessions"] - 1) if self.kind["pages"] > 1 else 0)
        goal_at = rng.integers(sessions) if rng.random() < self.kind["outcome"] else -1
        made, day = list[Session](), self.start
        for session in range(sessions):
            at = day + timedelta(hours=self._at(hours) + float(rng.random()))
            made.append(self._session(at, session == 0, self._walk(session == goal_at)))
            day += timedelta(days=1 + int(rng.exponential(4)))
        return made

    def rows(self, sessions: list[Session]) -> list[Row]:
        """Every event of the user, in order; a sale alone where there is no session."""
        if sessions:
            return [row for session in sessions for row in self._rows(session)]
        at = self.start + timedelta(hours=float(self.rng.uniform(8, 20)))
        return [self._event("purchase", at)]

    def _walk(self, to_goal: bool) -> list[Page]:
        """The pages of one session, along the site's links, weighed by what the kind likes."""
        kind, links = self.kind, self.site["links"]
        walk = [self._page(self._draw(kind["land"]), None)]
        for _ in range(self.rng.geometric(1 / (kind["pages"] - 1)) if kind["pages"] > 1 else 0):
            onward = links["everywhere"] | links.get(walk[-1].group, {})
            liked = {group: weight * kind["likes"].get(group, UNLIKED) for group, weight in onward.items()}
            walk.append(self._page(self._draw(liked), walk[-1]))
        walk = in_order(walk, kind, self.rng) if kind["order"] else walk
        if to_goal:
            walk += [self._page(group, walk[-1]) for group in self.site["goal"]]
            walk += walk[-1:] * (self.rng.random() < RELOADS)
        return walk

    def _page(self, group: str, before: Page | None) -> Page:
        pages, themes, words = self.pages[group], self.kind["themes"], before.words if before else set()
        near = [NEAR ** len(page.words & words) * (page is not before or 0.01) for page in pages]
        likes = [page.popularity * themes.get(page.theme, UNLIKED) for page in pages]
        return pages[self._at(np.multiply(near, likes))]

    def _session(self, at: datetime, first: bool, walk: list[Page]) -> Session:
        came = first or self.rng.random() < REFERRED_AGAIN
        views = [self._view(walk, step) for step in range(len(walk))]
        ended = "user_engagement" in self.site["auto"] and self.rng.random() < self.kind["engaged"]
        return Session(at, first, came, views, ended)

    def _view(self, walk: list[Page], step: int) -> View:
        """One page of a walk, and the time it takes: a scroll comes after half of it."""
        location, lasts, events = self._location(walk[step]), timedelta(), list[tuple[str, timedelta, str]]()
        for name in ["page_view", *self._fired(walk, step)]:
            spent, engaged = self._dwell(0.5) if name == "scroll" else (timedelta(), "")
            lasts += spent
            events.append((name, lasts, engaged))
        spent, engaged = self._dwell(1)
        return View(location, walk[step].title, events, lasts + spent, engaged)

    def _rows(self, session: Session) -> list[Row]:
        """The events of one session: engagement time goes with whichever event comes next."""
        at, engaged, rows = session.at, "", list[Row]()
        seen: Row = {"ga_session_id": f"{int(at.timestamp())}", "page_location": self.referrer * session.came}
        auto = [name for name in ("first_visit", "session_start") if name in self.site["auto"]]
        opening = [(name, timedelta(), "") for name in auto[not session.first :]]
        for step, view in enumerate(session.views):
            mark = "?" if "?" not in view.location else "&"
            tracking = mark + self.tracking if self.tracking and session.came and step == 0 else ""
            seen |= {
                "page_referrer": seen["page_location"],
                "page_location": view.location + tracking,
                "page_title": view.title,
            }
            for name, after, spent in [*opening, *view.events]:
                row = self._event(name, at + after)
                rows.append(row | seen | {"engagement_time_msec": spent or engaged})
                engaged = ""
            at, engaged, opening = at + view.lasts, view.engaged, []
        if session.ended:
            rows.append(self._event("user_engagement", at) | seen | {"engagement_time_msec": engaged})
        return rows

    def _fired(self, walk: list[Page], step: int) -> list[str]:
        """What happens on a page, and what the step to the next one is called."""
        here, onward = walk[step].group, walk[min(step + 1, len(walk) - 1)].group
        chances = self.site["events"].get(here, {}).items()
        names = [name for name, chance in chances if self.rng.random() < chance]
        return names + [name for group, name in self.site["onward"].items() if group == onward != here]

    def _location(self, page: Page) -> str:
        slash = "?" not in page.location and page.path != "/" and self.rng.random() < SLASHES
        return page.location + "/" * slash

    def _dwell(self, share: float) -> tuple[timedelta, str]:
        seconds = share * min(self.rng.lognormal(2.6, 0.9), 900) * self.kind["dwell"]
        return timedelta(seconds=seconds), str(int(seconds * 900))

    def _event(self, name: str, at: datetime) -> Row:
        day = f"{at + timedelta(hours=self.site['utc_offset']):%Y%m%d}"
        when = {"event_date": day, "event_timestamp": int(at.timestamp() * 1e6)}
        return {"event_name": name} | when | self.who | (self.sale if name == "purchase" else {})

    def _draw(self, weights: Mapping[str, float]) -> str:
        return list(weights)[self._at(list(weights.values()))]

    def _at(self, weights: Sequence[float] | np.ndarray) -> int:
        ends = np.cumsum(weights)
        return int(np.searchsorted(ends, self.rng.random() * ends[-1], side="right"))

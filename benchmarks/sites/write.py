"""The walks of a site's users as a GA4 export, and the truth beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple
from zlib import crc32

import numpy as np
import pandas as pd

from benchmarks.sites.plan import Page, read_plan

DEFAULTS: Final = {"outcome": 0, "engaged": 0.75, "dwell": 1, "hours_later": 0, "revenue": 1, "themes": {}}
UNLIKED: Final = 0.25  # weight of a group or theme that a kind of users does not care for
NEAR: Final = 5.0  # factor on a page for each word that it shares with the page before
RELOADS, SLASHES, REFERRED_AGAIN = 0.05, 0.03, 0.6
HOURS: Final = (1, 1, 0, 0, 0, 1, 2, 4, 6, 7, 7, 7, 8, 7, 6, 6, 7, 8, 9, 10, 11, 10, 7, 3)
Row = dict[str, object]


class SiteFiles(NamedTuple):
    """An export (``csv``), and the truth: ``pages`` (path, type, theme), ``users`` (user_pseudo_id, kind)."""

    csv: Path
    pages: Path
    users: Path


def write_site(name: str, folder: Path, users: int = 4000, seed: int = 1) -> SiteFiles:
    """Write one of ``DEV`` and ``HELD`` into ``folder/name``: the same arguments, the same bytes."""
    rngs = [np.random.default_rng([seed, crc32(name.encode()), user]) for user in range(users)]
    pages, site = read_plan(name)
    made = [_User(pages, site, rng) for rng in rngs]
    events = pd.DataFrame([row for user in made for row in user.rows()])
    truth = pd.DataFrame([page for group in pages.values() for page in group])[["path", "type", "theme"]]
    kinds = pd.DataFrame([{"user_pseudo_id": user.id, "kind": user.kind_name} for user in made])
    files = SiteFiles(*(folder / name / f"{stem}.csv" for stem in (name, "pages", "users")))
    files.csv.parent.mkdir(parents=True, exist_ok=True)
    events.sort_values("event_timestamp", kind="stable").to_csv(files.csv, index=False)
    truth.drop_duplicates("path").to_csv(files.pages, index=False)
    kinds.to_csv(files.users, index=False)
    return files


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

    def rows(self) -> list[Row]:
        """Every event of the user, in order; sales only where the browser of a buyer sent nothing."""
        rng, hours = self.rng, np.roll(HOURS, self.kind["hours_later"])
        if not self.kind["pages"]:
            return [self._event("purchase", self.start + timedelta(hours=float(rng.uniform(8, 20))))]
        sessions = 1 + (rng.poisson(self.kind["sessions"] - 1) if self.kind["pages"] > 1 else 0)
        goal_at = rng.integers(sessions) if rng.random() < self.kind["outcome"] else -1
        rows, day = list[Row](), self.start
        for session in range(sessions):
            at = day + timedelta(hours=self._at(hours) + float(rng.random()))
            rows += self._session(at, session == 0, self._walk(session == goal_at))
            day += timedelta(days=1 + int(rng.exponential(4)))
        return rows

    def _walk(self, to_goal: bool) -> list[Page]:
        """The pages of one session, along the site's links, weighed by what the kind likes."""
        kind, links = self.kind, self.site["links"]
        walk = [self._page(self._draw(kind["land"]), None)]
        for _ in range(self.rng.geometric(1 / (kind["pages"] - 1)) if kind["pages"] > 1 else 0):
            onward = links["everywhere"] | links.get(walk[-1].group, {})
            liked = {group: weight * kind["likes"].get(group, UNLIKED) for group, weight in onward.items()}
            walk.append(self._page(self._draw(liked), walk[-1]))
        if to_goal:
            walk += [self._page(group, walk[-1]) for group in self.site["goal"]]
            walk += walk[-1:] * (self.rng.random() < RELOADS)
        return walk

    def _page(self, group: str, before: Page | None) -> Page:
        pages, themes, words = self.pages[group], self.kind["themes"], before.words if before else set()
        near = [NEAR ** len(page.words & words) * (page is not before or 0.01) for page in pages]
        likes = [page.popularity * themes.get(page.theme, UNLIKED) for page in pages]
        return pages[self._at(np.multiply(near, likes))]

    def _session(self, at: datetime, first: bool, walk: list[Page]) -> list[Row]:
        """The events of one session: engagement time goes with whichever event comes next."""
        rng, auto, rows, engaged = self.rng, self.site["auto"], list[Row](), ""
        came = first or rng.random() < REFERRED_AGAIN
        seen: Row = {"ga_session_id": str(int(at.timestamp())), "page_location": self.referrer * came}
        for step, page in enumerate(walk):
            location = self._location(page, self.tracking if came and step == 0 else "")
            seen |= {
                "page_referrer": seen["page_location"],
                "page_location": location,
                "page_title": page.title,
            }
            opening = [name for name in ("first_visit", "session_start") if name in auto and step == 0]
            for name in [*opening[not first :], "page_view", *self._fired(walk, step)]:
                if name == "scroll":
                    at, engaged = self._dwell(at, 0.5)
                rows.append(self._event(name, at) | seen | {"engagement_time_msec": engaged})
                engaged = ""
            at, engaged = self._dwell(at, 1)
        if "user_engagement" in auto and rng.random() < self.kind["engaged"]:
            rows.append(self._event("user_engagement", at) | seen | {"engagement_time_msec": engaged})
        return rows

    def _fired(self, walk: list[Page], step: int) -> list[str]:
        """What happens on a page, and what the step to the next one is called."""
        here, onward = walk[step].group, walk[min(step + 1, len(walk) - 1)].group
        chances = self.site["events"].get(here, {}).items()
        names = [name for name, chance in chances if self.rng.random() < chance]
        return names + [name for group, name in self.site["onward"].items() if group == onward != here]

    def _location(self, page: Page, tracking: str) -> str:
        mark = "&" if "?" in page.location else "?"
        slash = mark == "?" and page.path != "/" and self.rng.random() < SLASHES
        return page.location + "/" * slash + (mark + tracking if tracking else "")

    def _dwell(self, at: datetime, share: float) -> tuple[datetime, str]:
        seconds = share * min(self.rng.lognormal(2.6, 0.9), 900) * self.kind["dwell"]
        return at + timedelta(seconds=seconds), str(int(seconds * 900))

    def _event(self, name: str, at: datetime) -> Row:
        day = f"{at + timedelta(hours=self.site['utc_offset']):%Y%m%d}"
        when = {"event_date": day, "event_timestamp": int(at.timestamp() * 1e6)}
        return {"event_name": name} | when | self.who | (self.sale if name == "purchase" else {})

    def _draw(self, weights: Mapping[str, float]) -> str:
        return list(weights)[self._at(list(weights.values()))]

    def _at(self, weights: Sequence[float] | np.ndarray) -> int:
        ends = np.cumsum(weights)
        return int(np.searchsorted(ends, self.rng.random() * ends[-1], side="right"))

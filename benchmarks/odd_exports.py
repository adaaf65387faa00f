"""Exports that are odd in one way each, run whole with every choice of labels, outcome and training.

    python -m benchmarks.odd_exports --work DIR [--only NAME]

Each run is to end with its files, or with one line that says what is wrong. Prints how each ended; exits with
1 where one was a traceback, or where a stage after the segments failed (``failed`` of ``run.json``).
"""

from __future__ import annotations

import json
import random
import shutil
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import redirect_stderr
from io import StringIO
from itertools import product
from pathlib import Path
from typing import Final, TypeAlias

import click
import pandas as pd

from core.base.errors import Beha2VecError
from core.cli.cli import app
from core.labels.label_settings import LabelMode

Event: TypeAlias = dict[str, str]
DAY, MINUTE, START = 86_400_000_000, 60_000_000, 1_761_955_200_000_000
SITE: Final = "https://shop.example/"
OUTCOMES: Final = ((), ("none",), ("purchase",), ("page:/p1",), ("page:/p1", "purchase"), ("missing",))
TRAINING: Final = (("--preset", "bag"), ("--preset", "fast", "--epochs", "1", "--device", "cpu"))
BESIDE: Final = (
    ("--clusters", "2"), ("--clusters", "50"), ("--sample-users", "20"), ("--name-anyway",),
    ("--taxonomy", "shop"),
    ("--weights", "theme=1,url=0"), ("--user-key", "user_id"), ("--strip-page", f"{SITE}p1"),
)  # fmt: skip
OPTIONS: Final = [
    (*training, "--labels", labels, *(word for one in outcomes for word in ("--outcome", one)))
    for training, labels, outcomes in product(TRAINING, map(str, LabelMode), OUTCOMES)
] + [(*TRAINING[0], "--labels", "rules", *more) for more in BESIDE]
"""Options of each run; every export is run with all of them."""


def walk(users: Iterable[Sequence[str]], session: int = 99) -> list[Event]:
    """Page views of users (an iterable of their pages), each on one of 14 days.

    A new session begins after every ``session`` of a user's views.
    """
    return [
        {"event_timestamp": str(START + user % 14 * DAY + view * MINUTE), "event_name": "page_view",
         "user_pseudo_id": f"u{user}", "ga_session_id": str(1000 * user + view // session),
         "page_location": SITE + page, "page_title": f"Page {page}"}
        for user, pages in enumerate(users) for view, page in enumerate(pages)
    ]  # fmt: skip


def drawn(users: int, views: int, pages: int, least: int = 2) -> list[list[str]]:
    """Draw the pages of so many users, ``least`` to ``views`` each; the first pages are the most popular."""
    rng = random.Random(0)
    own = [rng.randint(least, views) for _ in range(users)]
    return [[f"p{int(pages * rng.random() ** 2)}" for _ in range(count)] for count in own]


def changed(events: list[Event], change: Callable[[int, Event], Event]) -> list[Event]:
    """Events with the fields that ``change(place, event)`` returns in place of their own."""
    return [event | change(place, event) for place, event in enumerate(events)]


def without(events: list[Event], field: str) -> list[Event]:
    """Events of an export that lacks a column."""
    return [{name: value for name, value in event.items() if name != field} for event in events]


def called(to: Callable[[str], str]) -> list[Event]:
    """The plain users on pages of other addresses: ``to`` changes each."""
    return changed(PLAIN, lambda _, event: {"page_location": to(event["page_location"])})


def bought(events: list[Event], one_in: int = 9, revenue: str = "10") -> list[Event]:
    """Events, and a purchase at every ``one_in``-th of them."""
    return events + changed(events[::one_in], lambda *_: {
        "event_name": "purchase", "transaction_id": "t", "purchase_revenue": revenue, "currency": "EUR"
    })  # fmt: skip


PLAIN: Final = walk(drawn(60, 8, 12))
ODD: Final[dict[str, list[Event]]] = {
    "plain": bought(PLAIN),
    "pages seen once": walk([f"p{u}-{v}" for v in range(9)] for u in range(90)),
    "pages seen once, after a few": walk(
        [f"p{u % 5}", f"p{u % 3}", *(f"p{u}-{v}" for v in range(9))] for u in range(600)),
    "pages seen about once": walk(
        random.Random(u).choices([f"p{page}" for page in range(4000)], k=12) for u in range(800)),
    "pages seen by two": walk([f"p{u // 2}-{v}" for v in range(6)] for u in range(100)),
    "slugs seen once": walk(
        [f"p{u % 2}", *(f"product/{u * 9 + v}-blue-shoe" for v in range(9))] for u in range(100)),
    "two users of four views": walk([["p1", "p1", "p1", "p2"], ["p2", "p2", "p3", "p3"]]),
    "two users alike": walk([["p1", "p2"] * 2] * 2),
    "three users of 1,000 views": walk(drawn(3, 1000, 40, 1000)),
    "one user": walk([["p1", "p2", "p3"]]),
    "one view": walk([["p1"]]),
    "seven pages": walk(drawn(300, 6, 7)),
    "two pages": walk(drawn(100, 6, 2)),
    "one page": walk([["p1"] * 4] * 30),
    "one-page users": walk([f"p{u % 5}"] for u in range(80)),
    "two users and 80 of one page": walk([["p1", "p2"] * 2, ["p3"] * 4, *([f"p{u % 5}"] for u in range(80))]),
    "all alike": walk([["p1", "p2", "p3"]] * 100),
    "all alike but for one": walk([["p1", "p2", "p3"]] * 100 + [["p4"] * 5]),
    "a user a page": walk([f"p{u}"] * 4 for u in range(100)),
    "a session a view": walk(drawn(80, 6, 9), session=1),
    "no sessions": without(PLAIN, "ga_session_id"),
    "no titles": without(PLAIN, "page_title"),
    "no event names": without(PLAIN, "event_name"),
    "one day": changed(PLAIN, lambda place, _: {"event_timestamp": str(START + place * MINUTE)}),
    "one time": changed(PLAIN, lambda *_: {"event_timestamp": str(START)}),
    "years apart": changed(PLAIN, lambda place, _: {"event_timestamp": str(START - place * 9 * DAY)}),
    "purchases without page views": PLAIN + changed(without(bought(PLAIN)[-40:], "page_location"),
                                                    lambda place, _: {"user_pseudo_id": f"b{place}"}),
    "everybody buys": bought(PLAIN, 1),
    "one buyer": bought(PLAIN, len(PLAIN), "1e9"),
    "revenue that is no number": bought(PLAIN, 9, "a lot"),
    "devices and places": changed(bought(PLAIN), lambda place, _: {
        "device_category": ("mobile", "desktop", "")[place % 3], "geo_country": "France" * (place % 2),
        "traffic_source_source": "news", "traffic_source_medium": "email"}),
    "a device a view": changed(PLAIN, lambda place, _: {"device_category": f"kind {place}"}),
    "app screens": changed(PLAIN, lambda *_: {"event_name": "screen_view"}),
    "names of screens": called(lambda page: f"Screen{page[-2:]}"),
    "paths of 4,000 characters": called(lambda page: page + "/deep" * 800),
    "paths of other scripts": called(lambda page: f"{SITE}商品/привет-{page[-2:]}/عربي?q=ö"),
    "addresses that are none": called(lambda page: f"%%%{page[-1]}::\\"),
    "the start page alone": called(lambda _: SITE),
    "queries alone": called(lambda page: f"{SITE}?id={page[-2:]}"),
    "a host a user": changed(PLAIN, lambda _, event: {
        "page_location": f"https://{event['user_pseudo_id']}.example/{event['page_location'][-2:]}"}),
    "functional pages": walk(["cart", "checkout", "login", "account", "search"][u % 4 :] for u in range(60)),
    "ids of other signs": changed(PLAIN, lambda _, event: {"user_pseudo_id": f"ü={event['user_pseudo_id']}"}),
    "everything twice": PLAIN + PLAIN,
}  # fmt: skip
"""Name of an odd export → its events."""


def ending(export: Path, out: Path, words: Sequence[str]) -> tuple[str, str]:
    """Run the command line on an export: ``done``, ``failed stage``, ``refused`` or ``traceback``; why."""
    try:
        with redirect_stderr(StringIO()):
            app(["run", str(export), "--out", str(out), *words], standalone_mode=False)
    except (Beha2VecError, click.ClickException) as error:
        return "refused", str(error)
    except Exception:
        return "traceback", traceback.format_exc()
    failed = json.loads((out / "run.json").read_bytes()).get("failed")
    return ("failed stage", f"{failed}") if failed else ("done", "")


@click.command(help=__doc__)
@click.option("--work", type=click.Path(path_type=Path), required=True)
@click.option("--only", type=click.Choice(list(ODD)), help="One of the exports.")
def main(work: Path, only: str | None) -> None:
    """Run all of them."""
    counts: Counter[str] = Counter()
    (out := work / "out").mkdir(parents=True, exist_ok=True)
    for name, words in product([only] if only else ODD, OPTIONS):
        if words == OPTIONS[0]:
            shutil.rmtree(out, ignore_errors=True)
            pd.DataFrame(ODD[name]).to_csv(work / "export.csv", index=False)
        how, said = ending(work / "export.csv", out, words)
        counts[how] += 1
        click.echo(f"{how}: {name}, {' '.join(words)} {said}")
    click.echo(dict(counts))
    sys.exit(bool(counts["traceback"] + counts["failed stage"]))


if __name__ == "__main__":
    main()

"""New pages are labelled together, each as if it were alone."""

from __future__ import annotations

import pandas as pd
import pytest

from core.base.progress import silent
from core.base.schema import UNKNOWN, PageEvents, Pages, View
from core.labels import cascade, new_pages
from core.labels.cascade import decide_themes, decide_types, sure_rungs
from core.labels.label_settings import LabelSettings, Override
from core.labels.new_pages import NewPages
from core.labels.pages import read_pages
from core.labels.rule_classifier import literal_segments

SITE = "https://a.example"
SETTINGS = LabelSettings(
    overrides=(Override(view=View.TYPE, target=f"{SITE}/odd/:id", value="Article"),),
)
CALLED: list[tuple[str, str | None]] = [
    (f"{SITE}/", None),
    (f"{SITE}/cart", "Your cart | Shop"),
    (f"{SITE}/odd/7", "Anything | Shop"),
    (f"{SITE}/odd/8", "Anything else | Shop"),
    (f"{SITE}/blog/how-to-camp", "How to camp | Shop"),
    (f"{SITE}/shop/tents", "Tents"),
    (f"{SITE}/shop/tents", "Running shoes"),
    *((f"{SITE}/shop/tents/made-name-{number}", "Tent | Shop") for number in range(20)),
    (f"{SITE}/login", None),
    ("/x", " "),
]


def by_the_whole_cascade(page: str, title: str | None) -> tuple[str, str]:
    """A page as an export of its own."""
    frame = {Pages.PAGE_LOCATION: [page], Pages.PAGE_TITLE: [title], Pages.VIEWS: [1], Pages.USERS: [1]}
    no_events = pd.DataFrame(columns=[PageEvents.PAGE, PageEvents.EVENT_NAME, PageEvents.EVENTS])
    alone = read_pages(pd.DataFrame(frame), no_events, literal=literal_segments())
    rungs = sure_rungs(SETTINGS)
    types = decide_types(alone, SETTINGS.taxonomy, rungs, silent)
    themes = decide_themes(alone, types, SETTINGS.taxonomy, rungs, silent)
    [theme], [kind] = ([one.value if one else UNKNOWN for one in found] for found in (themes, types))
    return theme, kind


def test_together_they_are_what_each_is_alone() -> None:
    wanted = [by_the_whole_cascade(*one) for one in CALLED]
    assert len(set(wanted)) > 4  # else the test says nothing
    labels = NewPages(SETTINGS)
    assert labels.label(CALLED) == wanted
    assert labels.label(CALLED[::-1]) == wanted[::-1]
    assert labels.label([]) == []


def test_the_cascade_is_asked_once_however_many_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    climbed: list[int] = []
    decide = cascade.decide
    monkeypatch.setattr(
        cascade,
        "decide",
        lambda *args: climbed.append(len(args[1])) or decide(*args),  # type: ignore[func-returns-value]
    )
    labels = NewPages(SETTINGS)
    labels.label(CALLED)
    assert len(climbed) == 2
    labels.label(CALLED)
    assert climbed[2:] == [0, 0]


def test_no_more_is_remembered_than_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(new_pages, "MAX_CACHED", 5)
    labels, fresh = NewPages(SETTINGS), NewPages(SETTINGS)
    assert labels.label(CALLED) == fresh.label(CALLED)
    assert labels.label([("/y", "long " * 100_000)]) == labels.label([("/y", "long " * 100)])
    assert len(labels._kept) <= 5
    assert max(len(title) for _, title in labels._kept) <= 300

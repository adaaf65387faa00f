"""The pages of the app and their views with file, title, icon and address, and links to them.

A page of the navigation has a view or more, each with an address of its own; the first is what the page opens
with, and buttons below the title lead to the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import streamlit as st
from streamlit.errors import StreamlitAPIException


@dataclass(frozen=True)
class Screen:
    """A view of a page.

    Args:
        file: Path below the project folder.
        title: Its name, in the browser's tab and on the button that leads to it.
        icon: A Material icon (bundled with Streamlit).
        url_path: Last part of the address; the default page answers at ``/``.
        help: What the page is for, in one sentence.
        default: Whether it answers at ``/``.
    """

    file: str
    title: str
    icon: str
    url_path: str
    help: str
    default: bool = False


DATA: Final = Screen(
    "pages/prepare/data.py", "What was read", ":material/database:", "data",
    "Load an export, check what was read, and see every row accounted for.", default=True,
)  # fmt: skip
LABELS: Final = Screen(
    "pages/prepare/labels.py", "Labels", ":material/label:", "labels",
    "What each page is about (theme) and for (type): two more views of every user beside the pages.",
)  # fmt: skip
TRAINING: Final = Screen(
    "pages/prepare/training.py", "Model", ":material/model_training:", "training",
    "A small transformer learns a vector for every user from the order of their page views.",
)  # fmt: skip
FACETS: Final = Screen(
    "pages/segments/facets.py", "How users differ", ":material/diversity_3:", "facets",
    "How far users get, what they look at, how often and when they come, and what of it lasts.",
)  # fmt: skip
EXPLORE: Final = Screen(
    "pages/segments/explore.py", "Map", ":material/bubble_chart:", "explore",
    "See all users on a map and steer the segments: weights, number, lasso.",
)  # fmt: skip
PROFILES: Final = Screen(
    "pages/segments/profiles.py", "All segments", ":material/leaderboard:", "profiles",
    "All segments side by side: size, activity, outcome.",
)  # fmt: skip
COMPARE: Final = Screen(
    "pages/segments/compare.py", "One or two", ":material/compare_arrows:", "compare",
    "A segment beside all others, or two side by side: figures, pages, and what differs in words.",
)  # fmt: skip
JOURNEYS: Final = Screen(
    "pages/segments/journeys.py", "Journeys", ":material/route:", "journeys",
    "How users move: steps, ways, funnels and the time until the outcome, beside those of others.",
)  # fmt: skip
TIME: Final = Screen(
    "pages/segments/time.py", "Time", ":material/date_range:", "time",
    "How segments go over days and weeks, who comes back, when they come, and whether it still holds.",
)  # fmt: skip
TRUST: Final = Screen(
    "pages/segments/trust.py", "Trust", ":material/verified:", "trust",
    "Can you trust these segments, and does order matter?",
)  # fmt: skip
USERS: Final = Screen(
    "pages/use/users.py", "Users", ":material/person_search:", "users",
    "Single users: typical ones, those that fit a search, look-alikes, and why one is where they are.",
)  # fmt: skip
RULES: Final = Screen(
    "pages/use/rules.py", "Rules", ":material/rule:", "rules",
    "Each segment as a short rule to paste into GA4 or SQL, with how well it fits.",
)  # fmt: skip
EXPORT: Final = Screen(
    "pages/use/export.py", "Files", ":material/ios_share:", "export",
    "Take the segments with you: users, profiles, figures.",
)  # fmt: skip
RUNS: Final = Screen(
    "pages/use/runs.py", "Saved runs", ":material/inventory_2:", "runs",
    "Segmentations that you saved by name: open them again, compare two, share a link.",
)  # fmt: skip
WATCH: Final = Screen(
    "pages/use/watch.py", "Watched folders", ":material/visibility:", "watch",
    "New files in a folder, day after day: taken once, and put into your segments.",
)  # fmt: skip
SETTINGS: Final = Screen(
    "pages/use/settings.py", "Settings", ":material/settings:", "settings",
    "The language model, what may be sent and spent, and every call.",
)  # fmt: skip
SQL: Final = Screen(
    "pages/use/sql.py", "SQL", ":material/terminal:", "sql",
    "One SELECT over the tables behind the profiles.",
)  # fmt: skip

LOAD: Final = "load"
"""Query parameter of the data page that opens the ways to load other data."""

PAGES: Final[dict[str, tuple[Screen, ...]]] = {
    "Data": (DATA, LABELS, TRAINING),
    "Segments": (EXPLORE, FACETS, TRUST),
    "Profiles": (PROFILES, COMPARE),
    "Journeys": (JOURNEYS,),
    "Time": (TIME,),
    "Users & rules": (USERS, RULES),
    "Share": (EXPORT, RUNS, WATCH),
    "Settings": (SETTINGS,),
    "SQL": (SQL,),
}
"""Page → its views."""
_BELOW: Final = (SETTINGS, SQL)
"""Views that are not in the navigation: a link below it leads to the settings, and they lead to SQL."""


def navigate() -> st.Page:
    """Draw the navigation, in which the page of the current view is marked; return the view to run."""
    shown = st.navigation(_as_pages(), position="hidden")
    return st.navigation(_as_pages(shown.url_path), position="sidebar", expanded=True)


def _as_pages(current: str = "") -> list[st.Page]:
    """All views for Streamlit: of each page the current view, or the first, is visible, under its name."""
    return [
        _as_page(screen, name, screens[0].icon, is_marked=screen is _marked(screens, current))
        for name, screens in PAGES.items()
        for screen in screens
    ]


def _marked(screens: tuple[Screen, ...], current: str) -> Screen:
    return next((screen for screen in screens if screen.url_path == current), screens[0])


def _as_page(screen: Screen, name: str, icon: str, *, is_marked: bool) -> st.Page:
    visible = is_marked and screen not in _BELOW
    return st.Page(
        screen.file, title=name if visible else screen.title, icon=icon, url_path=screen.url_path,
        help=screen.help, default=screen.default, visibility="visible" if visible else "hidden",
    )  # fmt: skip


def heading(screen: Screen) -> None:
    """Draw the title of a view's page, buttons to its other views, and what the view is for."""
    name, screens = next((name, screens) for name, screens in PAGES.items() if screen in screens)
    st.title(name)
    if len(screens) > 1:
        titles = [one.title for one in screens]
        chosen = st.segmented_control(
            "View", titles, default=screen.title, required=True, key=f"views-{screen.url_path}",
            label_visibility="collapsed",
        )  # fmt: skip
        if chosen != screen.title:
            st.switch_page(screens[titles.index(chosen)].file)
    st.caption(screen.help)


def link(screen: Screen, label: str, asked: Mapping[str, str | list[str]] | None = None) -> None:
    """Draw a link to a page, with query parameters; words only where the page runs alone (a test)."""
    try:
        st.page_link(screen.file, label=label, icon=screen.icon, query_params=asked)
    except StreamlitAPIException:
        st.caption(f"{screen.title}: {label}")


def button(screen: Screen, label: str) -> None:
    """Draw a main button that leads to another page."""
    if st.button(label, type="primary", icon=screen.icon, key=f"go-{screen.url_path}"):
        st.switch_page(screen.file)

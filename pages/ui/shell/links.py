"""The pages of the app with file, title, icon and address, and links to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import streamlit as st
from streamlit.errors import StreamlitAPIException


@dataclass(frozen=True)
class Screen:
    """A page of the navigation.

    Args:
        file: Path below the project folder.
        title: What the navigation shows.
        icon: A Material icon (bundled with Streamlit).
        url_path: Last part of the address; the default page answers at ``/``.
        help: What the page is for, in one sentence.
        default: Whether it is the page of ``/``.
    """

    file: str
    title: str
    icon: str
    url_path: str
    help: str
    default: bool = False

    def page(self) -> st.Page:
        """The page as an object of Streamlit's navigation."""
        return st.Page(
            self.file, title=self.title, icon=self.icon, url_path=self.url_path, help=self.help,
            default=self.default,
        )  # fmt: skip


DATA: Final = Screen(
    "pages/prepare/data.py", "Data", ":material/database:", "data",
    "Load an export, check what was read, and see every row accounted for.", default=True,
)  # fmt: skip
LABELS: Final = Screen(
    "pages/prepare/labels.py", "Labels", ":material/label:", "labels",
    "See and correct what each page is about and for.",
)  # fmt: skip
TRAINING: Final = Screen(
    "pages/prepare/training.py", "Training", ":material/model_training:", "training",
    "Learn a vector for every user from the order of their page views.",
)  # fmt: skip
FACETS: Final = Screen(
    "pages/segments/facets.py", "How users differ", ":material/diversity_3:", "facets",
    "How far users get, what they look at, how often and when they come, and whether they keep to it.",
)  # fmt: skip
EXPLORE: Final = Screen(
    "pages/segments/explore.py", "Explore", ":material/bubble_chart:", "explore",
    "See all users on a map and steer the segments: weights, number, lasso.",
)  # fmt: skip
PROFILES: Final = Screen(
    "pages/segments/profiles.py", "Profiles", ":material/leaderboard:", "profiles",
    "What sets each segment apart: size, pages, sessions, sources, outcome.",
)  # fmt: skip
COMPARE: Final = Screen(
    "pages/segments/compare.py", "Compare", ":material/compare_arrows:", "compare",
    "Segments in words: what differs and what is not shown to, each number counted from your data.",
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
    "pages/use/export.py", "Export", ":material/ios_share:", "export",
    "Take the segments with you: users, profiles, figures.",
)  # fmt: skip
RUNS: Final = Screen(
    "pages/use/runs.py", "Runs", ":material/inventory_2:", "runs",
    "Segmentations that you saved by name: open them again, compare two, share a link.",
)  # fmt: skip
WATCH: Final = Screen(
    "pages/use/watch.py", "Watch", ":material/visibility:", "watch",
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

SECTIONS: Final[dict[str, tuple[Screen, ...]]] = {
    "Prepare": (DATA, LABELS, TRAINING),
    "Segments": (FACETS, EXPLORE, PROFILES, COMPARE, JOURNEYS, TIME, TRUST),
    "Use": (USERS, RULES, RUNS, WATCH, EXPORT, SETTINGS),
}


def sections(*, expert: bool) -> dict[str, tuple[Screen, ...]]:
    """The navigation: section → its pages; experts also have SQL."""
    return {**SECTIONS, "Use": (*SECTIONS["Use"], SQL)} if expert else SECTIONS


def heading(screen: Screen) -> None:
    """Draw the title of a page and what the page is for."""
    st.title(screen.title)
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

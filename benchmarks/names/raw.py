"""What the users of each segment saw and have, counted with pandas from the tables alone."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import numpy as np
import pandas as pd

Z_95: Final = 1.96
ACTIVITY: Final[dict[str, Callable[[pd.DataFrame], Any]]] = {
    "returning": lambda users: users["sessions"] >= 2,
    "one visit": lambda users: users["sessions"] == 1,
    "many pages": lambda users: users["page_views"] > users["page_views"].quantile(0.75),
    "few pages": lambda users: users["page_views"] <= users["page_views"].quantile(0.25),
    "deep visits": lambda users: _depth(users) > _depth(users).quantile(0.75),
    "brief visits": lambda users: _depth(users) <= _depth(users).quantile(0.25),
    "engaged": lambda users: users["engagement_msec"] > users["engagement_msec"].quantile(0.75),
    "hurried": lambda users: users["engagement_msec"] < users["engagement_msec"].quantile(0.25),
}
"""Words for a habit → function of the table of users that says who has it."""
AVERAGES: Final[dict[tuple[str, str], Callable[[pd.DataFrame], Any]]] = {
    ("returning", "one visit"): lambda users: users["sessions"],
    ("many pages", "few pages"): lambda users: users["page_views"],
    ("deep visits", "brief visits"): lambda users: _depth(users),
    ("engaged", "hurried"): lambda users: users["engagement_msec"],
}
"""Words for more and for less of something → function of the table of users that gives how much each has."""
EVENT_WORDS: Final = {"purchase": "buyers", "sign_up": "new members", "generate_lead": "enquirers"}
"""Recommended event of GA4 → what people are called who did it."""
_WORD: Final = re.compile(r"[^\W_]+")


def _depth(users: pd.DataFrame) -> pd.Series:
    return users["page_views"] / users["sessions"]


def words(text: str) -> frozenset[str]:
    """Different words of a text, without case and accents, plurals as singulars."""
    folded = unicodedata.normalize("NFKD", unquote(text).casefold())
    bare = "".join(letter for letter in folded if not unicodedata.combining(letter))
    return frozenset(_singular(word) for word in _WORD.findall(unicodedata.normalize("NFC", bare)))


def _singular(word: str) -> str:
    singular = word if word.endswith("ss") or len(word) <= 3 else word.removesuffix("s")
    return singular.removesuffix("e")


def items(
    users: pd.DataFrame, sequences: pd.DataFrame, pages: pd.DataFrame, outcomes: pd.DataFrame,
    labels: pd.DataFrame | None,
) -> pd.DataFrame:  # fmt: skip
    """A row for each user and each text that they saw or have: ``user`` (index), ``family``, ``text``."""
    seen = sequences["page"].explode().reset_index().set_axis(["user", "page"], axis=1).drop_duplicates()
    seen["page"] = seen["page"].astype(np.int64)
    found = [
        seen.assign(text=seen["page"].map(pd.Series(texts)), family=family).explode("text")
        for family, texts in _page_texts(pages, labels).items()
    ]
    found.append(_of_users(users["source"].dropna(), "source"))
    event = outcomes["event_name"].map(lambda name: f"{name} {EVENT_WORDS.get(name, '')}")
    found.append(pd.DataFrame({"user": outcomes["user"], "text": event, "family": "outcome"}))
    found += [
        _of_users(pd.Series(text, users.index[holds(users).fillna(False).astype(bool)]), "activity")
        for text, holds in ACTIVITY.items()
    ]
    table = pd.concat(found)[["user", "family", "text"]].dropna().drop_duplicates()
    return table[~table["text"].isin(["Unknown", "No theme", ""])]


def _page_texts(pages: pd.DataFrame, labels: pd.DataFrame | None) -> dict[str, list[list[str]]]:
    where = [unquote(urlsplit(url).path or url) for url in pages["page_location"]]
    asked = [unquote(urlsplit(url).query) for url in pages["page_location"]]
    titled = [
        f"{path} {query} {title}".replace("  ", " ")
        for path, query, title in zip(where, asked, pages["page_title"].fillna(""), strict=True)
    ]
    texts = {
        "page": [[text] for text in titled],
        "folder": [_folders(path) for path in where],
        "word": [sorted(words(text)) for text in titled],
    }
    of_labels = (
        {} if labels is None else {name: [[text] for text in labels[name]] for name in ("theme", "type")}
    )
    return texts | of_labels


def _of_users(values: pd.Series, family: str) -> pd.DataFrame:
    return pd.DataFrame({"user": values.index, "text": values.to_numpy(), "family": family})


def _folders(path: str) -> list[str]:
    parts = [part for part in path.split("/") if part][:-1]
    return ["/".join(parts[: depth + 1]) for depth in range(len(parts))]


def over_represented(table: pd.DataFrame, segment: pd.Series) -> pd.DataFrame:
    """A row a segment and item: its ``users``, their ``share``, the others' (``rest``), ``lift`` and ``low``.

    The interval is that of Katz et al. (1978) for the logarithm of a ratio of two shares, with half a user
    added to each count.

    Args:
        table: Result of :func:`items`.
        segment: User index → segment, of the clustered users.
    """
    known = table[table["user"].isin(segment.index)]
    number = known["user"].map(segment).rename("segment")
    counts = known.groupby(["family", "text", number]).size().unstack(fill_value=0)
    found = counts.stack().rename("users").reset_index()
    n = found["segment"].map(segment.value_counts())
    a, m = found["users"], len(segment) - n
    b = found.groupby(["family", "text"])["users"].transform("sum") - a
    spread = np.sqrt(1 / (a + 0.5) - 1 / (n + 0.5) + 1 / (b + 0.5) - 1 / (m + 0.5))
    lift = ((a + 0.5) / (n + 0.5)) / ((b + 0.5) / (m + 0.5))
    return found.assign(share=a / n, rest=b / m, lift=lift, low=lift * np.exp(-Z_95 * spread))


def averages(users: pd.DataFrame, segment: pd.Series) -> pd.DataFrame:
    """A row a segment and habit: ``segment``, ``family``, ``text``, ``share`` (1), ``lift`` and ``low``.

    The interval is of the logarithm of a ratio of two means (delta method).
    """
    rows = []
    for texts, of in AVERAGES.items():
        values = of(users).reindex(segment.index).astype(float)
        for number in segment.unique():
            own, rest = values[segment == number].dropna(), values[segment != number].dropna()
            ratio = own.mean() / rest.mean() if len(own) and len(rest) else np.nan
            spread = np.hypot(*(part.sem() / part.mean() for part in (own, rest)))
            text, times = (texts[0], ratio) if ratio >= 1 else (texts[1], 1 / ratio)
            rows.append((number, "average", text, 1.0, times, times * np.exp(-Z_95 * spread)))
    return pd.DataFrame(rows, columns=["segment", "family", "text", "share", "lift", "low"])


def evidence_list(found: pd.DataFrame, segment: int, count: int = 10) -> Counter[str]:
    """Words of the items that set a segment apart most, with the number of those items that have each.

    Items of a tenth of its users at least, by Cohen's h (1988) of the two shares; items that as many users
    have, here and elsewhere, are one.
    """
    own = found[(found["segment"] == segment) & (found["share"] >= 0.1) & (found["low"] > 1)]
    h = 2 * (np.arcsin(np.sqrt(own["share"])) - np.arcsin(np.sqrt(own["rest"])))
    alike = own.assign(h=h).groupby(["h", "users", "rest"])["text"].agg(" ".join).sort_index(ascending=False)
    return Counter(word for text in alike.head(count) for word in words(text))

"""How users arrive: the first page and what it is, source, device, and whether they engaged."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from itertools import groupby
from typing import Final, Literal

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict

from core.base.schema import Users, View
from core.base.wording import common_origin, short_address
from core.data.sequences import UserSequences

ENGAGED_S: Final = 10
"""Seconds of engagement from which GA4 calls a session engaged."""
YES, NO = "yes", "no"

_PATH: Final = re.compile(r"^(?:[a-z][a-z0-9+.-]*://)?[^/]*(/[^/?#]+)", re.IGNORECASE)


class Trait(StrEnum):
    """What a rule may ask of a user; a narrower trait of the landing page stands before a wider one."""

    PAGE = "landing_page"
    FOLDER = "landing_folder"
    TYPE = "landing_type"
    THEME = "landing_theme"
    SOURCE = "source"
    DEVICE = "device"
    ENGAGED = "engaged"


LANDING: Final = (Trait.PAGE, Trait.FOLDER, Trait.TYPE, Trait.THEME)
"""Traits of the landing page."""


class Condition(BaseModel):
    """One part of a rule, as data, so that a new user can be held against it.

    Args:
        field: What is looked at.
        op: Whether it has to be the value, or anything else, absent included.
        value: The value.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    field: Trait
    op: Literal["is", "is not"]
    value: str

    def holds(self, arrivals: pd.DataFrame) -> np.ndarray:
        """Of which users it is true: bool of shape (n_users,)."""
        same: np.ndarray = (arrivals[self.field] == self.value).to_numpy(dtype=bool)
        return same if self.op == "is" else ~same


def arrivals(
    users: pd.DataFrame, sequences: UserSequences, names: Mapping[View, Sequence[str]], unnamed: Sequence[str]
) -> pd.DataFrame:
    """How each user arrived.

    Args:
        users: Columns of :class:`core.base.schema.Users`, one row a user.
        sequences: Their page views.
        names: What each view calls each page, by page index; ``View.URL`` at least.
        unnamed: Themes and types that say nothing of a page.

    Returns:
        One row a user, a categorical column a :class:`Trait`, absent where it is not known. ``engaged`` is
        absent for everybody where the file has no engagement times; else it is ``yes`` from 10 seconds on.
    """
    landing = sequences.page[sequences.offsets[:-1]]
    pages = pd.DataFrame(
        {
            Trait.PAGE: list(names[View.URL]),
            Trait.FOLDER: [folder(address) for address in names[View.URL]],
            Trait.TYPE: _known(names.get(View.TYPE), unnamed, len(names[View.URL])),
            Trait.THEME: _known(names.get(View.THEME), unnamed, len(names[View.URL])),
        },
        dtype="category",
    )
    made: pd.DataFrame = pages.iloc[landing].reset_index(drop=True)
    for trait, column in ((Trait.SOURCE, Users.SOURCE), (Trait.DEVICE, Users.DEVICE)):
        made[trait] = pd.Categorical(users[column])
    sent = users[Users.ENGAGEMENT_MSEC]
    seconds = pd.to_numeric(sent).to_numpy(dtype=np.float64, na_value=np.nan) / 1000
    engaged = np.where(seconds >= ENGAGED_S, YES, NO) if sent.notna().any() else [None] * len(users)
    made[Trait.ENGAGED] = pd.Categorical(engaged, categories=[NO, YES])
    return made


def folder(address: str) -> str | None:
    """The first folder of an address, ``/blog``, whatever the host; None where there is none."""
    found = _PATH.match(address)
    return found.group(1) if found else None


def simplified(rule: Sequence[Condition]) -> tuple[Condition, ...]:
    """The same rule without conditions that follow from others; what a user is stands before what not.

    A page has one folder, type and theme: a rule that names the page needs no word on those.
    """
    named = {condition.field for condition in rule if condition.op == "is"}
    kept = [
        condition
        for condition in rule
        if (condition.op == "is" or condition.field not in named)
        and not (Trait.PAGE in named and condition.field in LANDING[1:])
    ]
    order = list(Trait)
    return tuple(sorted(kept, key=lambda condition: (condition.op, order.index(condition.field))))


def rule_name(rule: Sequence[Condition], addresses: Sequence[str]) -> str:
    """A rule in words: ``Land on /blog, from google / organic, mobile``.

    Args:
        rule: Its conditions, :func:`simplified`.
        addresses: Of all pages: what they share is left out.
    """
    origin = common_origin(addresses)
    landing = [condition for condition in rule if condition.field in LANDING]
    texts = [_landing(landing, origin)] if landing else []
    others = [condition for condition in rule if condition.field not in LANDING]
    for _, alike in groupby(others, lambda condition: (condition.op, condition.field)):
        first, *more = alike  # more than one only of what they are not
        texts.append(" or ".join([phrase(first), *(condition.value for condition in more)]))
    text = ", ".join(texts)
    return text[:1].upper() + text[1:]


def phrase(condition: Condition, origin: str = "") -> str:
    """A condition in words: ``from google / organic``, ``not mobile``."""
    value = condition.value
    words = {
        Trait.PAGE: f"on {short_address(value, origin)}", Trait.FOLDER: f"in {value}/…",
        Trait.TYPE: f"on {value} pages", Trait.THEME: f"on pages about {value}",
        Trait.SOURCE: f"from {value}", Trait.DEVICE: value, Trait.ENGAGED: "engaged",
    }[condition.field]  # fmt: skip
    return words if condition.op == "is" else f"not {words}"


def _landing(rule: Sequence[Condition], origin: str) -> str:
    """Where they land; what is left out of a folder, type or theme is only said to be left out."""
    here = [phrase(condition, origin) for condition in rule if condition.op == "is"]
    if not here:
        there = [phrase(condition, origin).removeprefix("not ") for condition in rule]
        return f"land elsewhere than {' or '.join(there)}"
    return f"land {'elsewhere ' if len(here) < len(rule) else ''}{' and '.join(here)}"


def _known(labels: Sequence[str] | None, unnamed: Sequence[str], n_pages: int) -> list[str | None]:
    return [None if label in unnamed else label for label in labels] if labels else [None] * n_pages

"""How users arrive (landing page, source, device, engagement), and conditions on it for rules."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from itertools import groupby
from typing import Final, Literal, TypeAlias

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict

from core.base.schema import Users, View
from core.base.wording import capitalised, common_origin, short_address
from core.storage.dataset import UserColumns
from core.storage.sequences import UserSequences

_ENGAGED_S: Final = 10
"""Seconds of engagement from which GA4 calls a session engaged."""
YES, _NO = "yes", "no"

_PATH: Final = re.compile(r"^(?:[a-z][a-z0-9+.-]*://)?[^/]*(/[^/?#]+)", re.IGNORECASE)


class Trait(StrEnum):
    """Trait of an arrival that a rule may ask for; narrower traits of the landing page before wider ones."""

    PAGE = "landing_page"
    FOLDER = "landing_folder"
    TYPE = "landing_type"
    THEME = "landing_theme"
    SOURCE = "source"
    DEVICE = "device"
    ENGAGED = "engaged"


LANDING: Final = (Trait.PAGE, Trait.FOLDER, Trait.TYPE, Trait.THEME)
"""Traits of the landing page, narrowest first."""


class Condition(BaseModel):
    """A condition of a rule, as data, so that new users can be checked by it.

    Args:
        field: Trait that is compared.
        op: Whether it has to be the value, or anything else, absent included.
        value: The value: an address, a folder, a type, …; ``yes`` or ``no`` for engagement.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    field: Trait
    op: Literal["is", "is not"]
    value: str

    def holds(self, arrivals: Arrivals) -> np.ndarray:
        """Which users fulfil the condition: bool of shape (n_users,)."""
        same = np.asarray(arrivals[self.field] == self.value, dtype=bool)
        return same if self.op == "is" else ~same


Arrivals: TypeAlias = pd.DataFrame | Mapping[Trait, np.ndarray]
"""How each user arrived, from :func:`arrivals` or :func:`traits`."""


def traits(
    users: UserColumns, sequences: UserSequences, names: Mapping[View, Sequence[str]], unnamed: Sequence[str]
) -> dict[Trait, np.ndarray]:
    """Read how each user arrived, which does not depend on other users.

    Args:
        users: A row a user; source, device and engagement are read.
        sequences: Page views of the users.
        names: URL, theme and type of each page index by view; ``View.URL`` at least.
        unnamed: Themes and types that say nothing of a page.

    Returns:
        An object array of shape (n_users,) a trait, None or NaN where it is not known. ``engaged`` is ``yes``
        from 10 seconds on; what was not sent counts as none.
    """
    landing, place = np.unique(sequences.page[sequences.offsets[:-1]], return_inverse=True)
    called = {view: [of_page[page] for page in landing.tolist()] for view, of_page in names.items()}
    nothing = [None] * len(landing)
    pages = {
        Trait.PAGE: called[View.URL],
        Trait.FOLDER: [folder(address) for address in called[View.URL]],
        Trait.TYPE: [None if label in unnamed else label for label in called.get(View.TYPE, nothing)],
        Trait.THEME: [None if label in unnamed else label for label in called.get(View.THEME, nothing)],
    }
    engaged = np.asarray(users[Users.ENGAGEMENT_MSEC], dtype=np.float64) >= 1000 * _ENGAGED_S
    return {
        **{trait: np.array(values, dtype=object)[place] for trait, values in pages.items()},
        Trait.SOURCE: np.asarray(users[Users.SOURCE], dtype=object),
        Trait.DEVICE: np.asarray(users[Users.DEVICE], dtype=object),
        Trait.ENGAGED: np.where(engaged, YES, _NO).astype(object),
    }


def arrivals(
    users: pd.DataFrame, sequences: UserSequences, names: Mapping[View, Sequence[str]], unnamed: Sequence[str]
) -> pd.DataFrame:
    """Table of how all users of a file arrived; see :func:`traits` for the arguments.

    Returns:
        A row a user, a categorical column a :class:`Trait`, absent where it is not known; the categories of
        the landing page are all pages. ``engaged`` is absent for everybody where the file has no engagement
        times.
    """
    made = pd.DataFrame(traits(users, sequences, names, unnamed), dtype="category")
    made[Trait.PAGE] = made[Trait.PAGE].cat.set_categories(list(names[View.URL]))
    if users[Users.ENGAGEMENT_MSEC].isna().all():
        made[Trait.ENGAGED] = pd.Categorical([None] * len(users), categories=[_NO, YES])
    return made


def folder(address: str) -> str | None:
    """The first folder of an address, ``/blog``, whatever the host; None where there is none."""
    found = _PATH.match(address)
    return found.group(1) if found else None


def simplified(rule: Sequence[Condition]) -> tuple[Condition, ...]:
    """Leave out conditions of a rule that follow from others, and put "is" before "is not".

    A page has a single folder, type and theme: a rule that names the page needs no condition on those.
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
    """Write a rule in words: ``Land on /blog, from google / organic, mobile``.

    Args:
        rule: Its conditions, :func:`simplified`.
        addresses: Addresses of all pages, whose common origin is left out.
    """
    origin = common_origin(addresses)
    landing = [condition for condition in rule if condition.field in LANDING]
    texts = [_landing(landing, origin)] if landing else []
    others = [condition for condition in rule if condition.field not in LANDING]
    for _, alike in groupby(others, lambda condition: (condition.op, condition.field)):
        first, *more = alike  # several only with "is not"
        texts.append(" or ".join([_phrase(first), *(condition.value for condition in more)]))
    return capitalised(", ".join(texts))


def _phrase(condition: Condition, origin: str = "") -> str:
    """Write a condition in words: ``from google / organic``, ``not mobile``."""
    value = condition.value
    page = short_address(value, origin)
    words = {
        Trait.PAGE: f"on {'the homepage' if page == '/' else page}", Trait.FOLDER: f"in {value}/…",
        Trait.TYPE: f"on {value} pages", Trait.THEME: f"on pages about {value}",
        Trait.SOURCE: f"from {value}", Trait.DEVICE: value, Trait.ENGAGED: "engaged",
    }[condition.field]  # fmt: skip
    return words if condition.op == "is" else f"not {words}"


def _landing(rule: Sequence[Condition], origin: str) -> str:
    """Write where users land; pages that are left out are named only if nothing else is."""
    here = [_phrase(condition, origin) for condition in rule if condition.op == "is"]
    if not here:
        there = [_phrase(condition, origin).removeprefix("not ") for condition in rule]
        return f"land elsewhere than {' or '.join(there)}"
    return f"land {'elsewhere ' if len(here) < len(rule) else ''}{' and '.join(here)}"

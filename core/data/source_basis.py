"""What users' sources were taken from: counted, and said beside every figure of sources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import pandas as pd

from core.base.schema import SourceBasis, Users
from core.base.wording import counted

NO_SOURCE: Final = "none"
"""What stands for the basis of users without a source."""
_CALLED: Final = {
    SourceBasis.FIRST_TOUCH: "the user's first touch",
    SourceBasis.SESSION: "the last click of the first session that has one",
    SourceBasis.COLLECTED: "what came with the first event that has one",
}


def count_bases(bases: pd.Series) -> dict[str, int]:
    """Basis → users; those without a source as :data:`NO_SOURCE`.

    Args:
        bases: What the source of each user was taken from, absent where there is none.
    """
    counts = bases.value_counts()
    found = {basis.value: int(counts.get(basis.value, 0)) for basis in SourceBasis}
    found[NO_SOURCE] = int(bases.isna().sum())
    return {name: users for name, users in found.items() if users}


def basis_of(users: pd.DataFrame) -> dict[str, int]:
    """Of a table of users; empty of a data set of an earlier release, which does not say it."""
    return count_bases(users[Users.SOURCE_BASIS]) if Users.SOURCE_BASIS in users else {}


def describe_bases(counts: Mapping[str, int]) -> str:
    """One sentence; empty where nobody has a source, or it is not known what it was taken from."""
    parts = [
        f"{_CALLED[basis]} ({counted(counts[basis], 'user')})" for basis in SourceBasis if counts.get(basis)
    ]
    if not parts:
        return ""
    none = f"; {counts[NO_SOURCE]:,} without one" if counts.get(NO_SOURCE) else ""
    return f"A source is {', else '.join(parts)}{none}."

"""The one-page segments of a data set as data: rules that a new user can be held against."""

from __future__ import annotations

import string
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

import numpy as np
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from core.base.errors import ArtifactError
from core.base.schema import Group
from core.one_page.arrivals import Arrivals, Condition, Trait

OTHER: Final = "Other one-page users"


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SecondPage(_Data):
    """Where users who landed alike and went on went first.

    Args:
        page: The address.
        users: How many of them.
        n: Users of two page views or more who landed alike.
    """

    page: str
    users: int
    n: int

    @property
    def share(self) -> float:
        """Of those who landed alike and went on, 0 to 1."""
        return self.users / self.n


class OnePageSegment(_Data):
    """A segment by rule, also of a file in which earlier versions wrote more.

    Args:
        name: The rule in words: it is true of these users by construction.
        rule: All of it has to hold; nothing in it where it is all others.
        users: How many.
        second_pages: What a second page would be, the most frequent first.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    rule: tuple[Condition, ...]
    users: int
    second_pages: tuple[SecondPage, ...] = ()


class TreeCheck(_Data):
    """How well rules tell apart users that they were not made from.

    Args:
        auc: Area under the ROC curve, mean over folds.
        low: Lower end of its 95 % interval (Hanley and McNeil 1982), corrected for choosing the depth.
        high: Upper end.
    """

    auc: float
    low: float
    high: float

    @property
    def useful(self) -> bool:
        """Whether they do better than a coin."""
        return self.low > 0.5


@dataclass(frozen=True, eq=False)
class OnePageSegments:
    """Who is in which.

    Args:
        codes: int8 of shape (n_users,), place in ``segments``; −1 for users who are not one-page users, and
            for everybody where there are too few for segments.
        segments: The largest first, all others last.
        check: How well a tree tells who of them engaged, where one could be grown; it made the segments if it
            is useful.
    """

    codes: np.ndarray
    segments: tuple[OnePageSegment, ...]
    check: TreeCheck | None = None

    @property
    def keys(self) -> tuple[str, ...]:
        """What each is called in data: ``one_page:0``."""
        return tuple(f"{Group.ONE_PAGE}:{place}" for place in range(len(self.segments)))

    @property
    def labels(self) -> tuple[str, ...]:
        """What each is called: ``One-page A: Land on /blog``."""
        return tuple(
            segment.name if segment.name == OTHER else f"One-page {letter}: {segment.name}"
            for letter, segment in zip(string.ascii_uppercase, self.segments, strict=False)
        )

    @property
    def made_by(self) -> str:
        """How they were made, in a sentence for analysts."""
        check = self.check
        if check and check.useful:
            return (
                "The rules tell one-page users with engagement of 10 s or more from those without: right in "
                f"{check.auc:.0%} of pairs that they were not made from (cross-validated AUC, 95 % interval "
                f"{check.low:.2f} to {check.high:.2f}; a coin has 0.50)."
            )
        why = "No rule tells who of them engaged better than a coin, so these" if check else "These"
        return f"{why} are the largest groups by landing page."


def assign(arrivals: Arrivals, segments: Sequence[OnePageSegment]) -> np.ndarray:
    """The first segment whose rule holds: int8 of shape (n_users,), −1 where none does.

    Args:
        arrivals: How users arrived.
        segments: In their order.
    """
    n_users = len(arrivals[Trait.PAGE])
    codes = np.full(n_users, -1, dtype=np.int8)
    for place, segment in enumerate(segments):
        holds = np.ones(n_users, dtype=bool)
        for condition in segment.rule:
            holds &= condition.holds(arrivals)
        codes[holds & (codes < 0)] = place
    return codes


_SEGMENTS: Final = TypeAdapter(tuple[OnePageSegment, ...])


def write_rules(path: Path, segments: Sequence[OnePageSegment]) -> None:
    """Keep the segments with a model."""
    path.write_bytes(_SEGMENTS.dump_json(tuple(segments), indent=1))


def read_rules(path: Traversable) -> tuple[OnePageSegment, ...]:
    """Read the segments of a model; none where it was made without.

    Raises:
        ArtifactError: If the file is damaged.
    """
    try:
        return _SEGMENTS.validate_json(path.read_bytes()) if path.is_file() else ()
    except (OSError, ValidationError) as error:
        raise ArtifactError(f"The one-page segments in {path} are damaged", remedy="Run it again") from error

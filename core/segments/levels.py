"""Numbers of segments that users support, and what is said of them; ``level_search.py`` finds them.

There are *segments* where kinds of users predict half of somebody's page views from the other half better
than everybody alike and than any continuum do, *none* where nothing does so better than everybody alike, and
a *gradient* otherwise.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, ValidationError

from core.base.errors import ArtifactError
from core.segments.visit_tokens import Aspect

FEWEST_USERS: Final = 120
"""Two kinds of thirty users in each half of them."""
MOST_DESCRIBED: Final = 6
"""Groups that users are shown in at most where they support no number of segments: a description."""
SHOWN: Final = 0.5
"""Jaccard index of a small kind and a segment from which the segment shows it."""
NOT_COMPARED: Final = (
    "Whether there are segments at all, and how many, is not known yet: users have not been compared. "
    "Names and segments describe these very users."
)


class Structure(StrEnum):
    """What users are."""

    SEGMENTS = "segments"
    GRADIENT = "gradient"
    NONE = "none"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class SegmentLevel(_Part):
    """A number of segments that users support.

    Args:
        k: The number.
        error_rate: One-sided tail of its gain over one kind fewer, by the standard error over users; not
            corrected for the choice among numbers.
        agreement: Adjusted Rand index of all users as two halves of them would group them.
        shares: Of the users in each kind, largest first.
    """

    k: int
    error_rate: float
    agreement: float
    shares: tuple[float, ...]


class AspectStructure(_Part):
    """What users are by one aspect of what they do.

    Args:
        verdict: Kinds, a gradient, or nothing beyond everybody alike.
        k: Number of kinds; None where there are none.
    """

    verdict: Structure
    k: int | None = None


class SmallKind(_Part):
    """Few users who do something else than all others, beside the levels.

    Args:
        users: Their rows in the data set, ascending.
        share: Of the clustered users.
        agreement: Jaccard index of the users whom two halves of those compared would put in it.
        gain: Nats by which it predicts half of the page views of its users better, on average.
    """

    users: tuple[int, ...]
    share: float
    agreement: float
    gain: float


class SegmentLevels(_Part):
    """Numbers of segments that users support, coarsest first, or none.

    Args:
        users: Users that were compared.
        verdict: By pages, order and tempo together.
        levels: Ascending; empty unless there are segments.
        aspects: Each aspect by itself.
        described_k: Groups that users are shown in: the suggestion; else up to :data:`MOST_DESCRIBED` that
            halves of the users make alike.
        gains: How much better 1, 2, … kinds, crossed with a trait where that predicts better, predict the
            other half of somebody's page views than everybody alike does, in nats a user.
        gradient_gain: How much better the best continuum does so.
        small_kinds: Kinds of few users, whatever the verdict; some may be among those of a level.
    """

    users: int
    verdict: Structure
    levels: tuple[SegmentLevel, ...] = ()
    described_k: int = 2
    aspects: dict[Aspect, AspectStructure] = {}
    gains: tuple[float, ...] = ()
    gradient_gain: float = 0.0
    small_kinds: tuple[SmallKind, ...] = ()

    def not_shown(self, labels: np.ndarray) -> list[SmallKind]:
        """The small kinds that are not a segment already.

        Args:
            labels: int of shape (n_users,), the segment of each user of the data set; below 0 in none.
        """
        sizes = np.bincount(labels[labels >= 0])

        def nearest(users: tuple[int, ...]) -> float:
            theirs = labels[list(users)]
            both = np.bincount(theirs[theirs >= 0], minlength=len(sizes))
            return float((both / (len(users) + sizes - both)).max(initial=0.0))

        return [kind for kind in self.small_kinds if nearest(kind.users) < SHOWN]

    @property
    def suggested_k(self) -> int | None:
        """The finest level; None where there is none."""
        return self.levels[-1].k if self.levels else None

    def of(self, k: int) -> SegmentLevel | None:
        """The level of a number of segments."""
        return next((level for level in self.levels if level.k == k), None)

    def table(self) -> pd.DataFrame:
        """A row a number of kinds: ``k``, ``gain``, ``supported``, and ``agreement``, ``error_rate``."""
        rows: list[dict[str, Any]] = []
        for k, gain in enumerate(self.gains, start=1):
            level = self.of(k)
            sure = {"agreement": level.agreement, "error_rate": level.error_rate} if level else {}
            rows.append({"k": k, "gain": gain, "supported": level is not None, **sure})
        return pd.DataFrame(rows, columns=["k", "gain", "supported", "agreement", "error_rate"])

    @property
    def by_aspect(self) -> str:
        """What users are by each aspect alone, in words."""
        words = {Structure.GRADIENT: "a gradient", Structure.NONE: "nothing that lasts"}
        parts = [
            f"{aspect} {words.get(one.verdict, f'{one.k} kinds')}" for aspect, one in self.aspects.items()
        ]
        return f"Each by itself: {', '.join(parts)}."

    @property
    def sentence(self) -> str:
        """What users are, in words that an analyst can repeat."""
        if not self.gains:
            return (
                f"Too few users to tell whether there are segments: {self.users:,} have two page views "
                f"or more, and {FEWEST_USERS} are needed."
            )
        if self.verdict is Structure.NONE:
            return (
                "No stable segments here. One half of somebody's page views tells nothing about the other "
                f"half that is not true of everybody ({self.users:,} users compared)."
            )
        if self.verdict is Structure.GRADIENT:
            if max(self.gains) > self.gradient_gain:
                return (
                    "A gradient so far, no kinds that hold. Kinds predict half of the page views best, "
                    f"but other users would lead to other kinds. More than these {self.users:,} users, or a "
                    "longer export, may tell which."
                )
            return (
                "A gradient: no separate kinds can be shown. Users differ in what they do, but a mix of a "
                "few interests predicts half of somebody's page views as well as a kind does. Borders of "
                "segments could lie elsewhere."
            )
        coarser = [str(level.k) for level in self.levels[:-1]]
        also = f" Coarser levels: {' and '.join(coarser)}." if coarser else ""
        return (
            f"These users support {self.suggested_k} segments. The kind of user predicts the other half of "
            f"somebody's page views better than a place on any scale or a mix of interests does.{also}"
        )

    def to_json(self) -> str:
        """Return this as JSON."""
        return self.model_dump_json(indent=1)

    @classmethod
    def from_json(cls, text: str | bytes) -> SegmentLevels:
        """Read what :meth:`to_json` wrote.

        Raises:
            ArtifactError: If it is something else.
        """
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise ArtifactError(
                "The levels cannot be read", remedy="Compare numbers of segments again"
            ) from error


def unsupported(levels: SegmentLevels | None) -> bool:
    """Whether users were compared, and support no number of segments."""
    return levels is not None and levels.suggested_k is None


def withheld(levels: SegmentLevels | None, *, named_anyway: bool) -> bool:
    """Whether segments are called by their numbers: in the app, the report, the files and the chat.

    Args:
        levels: Numbers of segments that users support; None where none were compared.
        named_anyway: Whether they have names where none is supported, as a description.
    """
    return not named_anyway and unsupported(levels)

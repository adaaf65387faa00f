"""Numbers of segments that users support, as data and in words; ``level_search.py`` finds them.

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

MIN_USERS: Final = 120
"""Users needed to compare: two kinds of thirty users in each half of them."""
MAX_DESCRIBED: Final = 6
"""Most groups that users are described by where they support no number of segments."""
_SHOWN: Final = 0.5
"""Jaccard index with a segment from which on a small kind counts as shown by it."""
NOT_COMPARED: Final = (
    "Whether there are segments at all, and how many, is not known yet: users have not been compared. "
    "Names and segments describe these very users."
)


class Structure(StrEnum):
    """Whether users are of kinds, of a gradient, or alike."""

    SEGMENTS = "segments"
    GRADIENT = "gradient"
    NONE = "none"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class SegmentLevel(_Part):
    """A number of segments that users support.

    Args:
        k: The number of segments.
        error_rate: One-sided tail of its gain over one kind fewer, by the standard error over users; not
            corrected for the choice among numbers.
        agreement: Adjusted Rand index of all users as two halves of them would group them.
        shares: Share of the users in each kind, largest first.
    """

    k: int
    error_rate: float
    agreement: float
    shares: tuple[float, ...]


class AspectStructure(_Part):
    """Verdict on users by a single aspect of what they do.

    Args:
        verdict: Kinds, a gradient, or all alike.
        k: Number of kinds; None where there are none.
    """

    verdict: Structure
    k: int | None = None


class SmallKind(_Part):
    """A kind of few users who differ from all others, beside the levels.

    Args:
        users: Indices of its users in the data set, ascending.
        share: Share of the clustered users.
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
        users: Number of users that were compared.
        verdict: Verdict by pages, order and tempo together.
        levels: Supported numbers, ascending; empty unless there are segments.
        aspects: Verdict by each aspect alone.
        described_k: Groups that users are described by: the suggestion; 2 where nothing beats everybody
            alike; for a gradient the most that halves of the users agree on, else those they agree on most,
            up to the number of kinds that predicts best and :data:`MAX_DESCRIBED`.
        gains: How much better 1, 2, … kinds, crossed with a trait where that predicts better, predict the
            other half of somebody's page views than everybody alike does, in nats a user.
        gradient_gain: How much better the best continuum predicts, likewise.
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
        """Small kinds whose users no segment shows: their Jaccard index with each is below :data:`_SHOWN`.

        Args:
            labels: int of shape (n_users,), the segment of each user of the data set; below 0 in none.
        """
        sizes = np.bincount(labels[labels >= 0])

        def nearest(users: tuple[int, ...]) -> float:
            theirs = labels[list(users)]
            both = np.bincount(theirs[theirs >= 0], minlength=len(sizes))
            return float((both / (len(users) + sizes - both)).max(initial=0.0))

        return [kind for kind in self.small_kinds if nearest(kind.users) < _SHOWN]

    @property
    def suggested_k(self) -> int | None:
        """Number of segments of the finest level; None where there is none."""
        return self.levels[-1].k if self.levels else None

    def of(self, k: int) -> SegmentLevel | None:
        """The level with this number of segments; None if it is not supported."""
        return next((level for level in self.levels if level.k == k), None)

    def evidence(self, level: SegmentLevel) -> dict[str, float]:
        """By how much a level predicts half of somebody's page views better than others, in nats a user."""
        gain = self.gains[level.k - 1]
        others = {"everybody": 0.0, "one_fewer": self.gains[level.k - 2], "gradient": self.gradient_gain}
        return {f"over_{other}": gain - theirs for other, theirs in others.items()}

    def table(self) -> pd.DataFrame:
        """Table with a row for each number of kinds that was compared, from 1 on.

        Columns ``k``, ``gain`` (see ``gains``), ``supported``, and, NaN unless supported, ``agreement`` and
        ``error_rate`` of its :class:`SegmentLevel`.
        """
        rows: list[dict[str, Any]] = []
        for k, gain in enumerate(self.gains, start=1):
            level = self.of(k)
            sure = {"agreement": level.agreement, "error_rate": level.error_rate} if level else {}
            rows.append({"k": k, "gain": gain, "supported": level is not None, **sure})
        return pd.DataFrame(rows, columns=["k", "gain", "supported", "agreement", "error_rate"])

    @property
    def by_aspect(self) -> str:
        """The verdict by each aspect alone, in words."""
        words = {Structure.GRADIENT: "users differ by degree", Structure.NONE: "nothing that lasts"}
        parts = [
            f"{aspect}: {words.get(one.verdict, f'{one.k} segments')}" for aspect, one in self.aspects.items()
        ]
        return f"Measured on one aspect alone: {'; '.join(parts)}."

    @property
    def sentence(self) -> str:
        """The verdict in words that an analyst can repeat."""
        if not self.gains:
            return (
                f"Too few users to tell whether there are segments: {self.users:,} have two page views "
                f"or more, and {MIN_USERS} are needed."
            )
        if self.verdict is Structure.NONE:
            return (
                "No stable segments here. What somebody viewed on one half of their page views tells nothing "
                f"about the other half beyond what everybody views ({self.users:,} users compared)."
            )
        if self.verdict is Structure.GRADIENT:
            if max(self.gains) > self.gradient_gain:
                return (
                    "No stable segments so far: users differ by degree. Segments predict half of "
                    "somebody's page views best, but other users would lead to other segments. More than "
                    f"these {self.users:,} users, or a longer export, may tell which."
                )
            return (
                "No separate segments: users differ by degree. A mix of a few interests predicts half of "
                "somebody's page views as well as a segment does "
                f"({self.users:,} users compared). Borders of segments could lie elsewhere."
            )
        coarser = [str(level.k) for level in self.levels[:-1]]
        also = f" Coarser levels: {' and '.join(coarser)}." if coarser else ""
        return (
            f"These users support {self.suggested_k} segments. The kind of user predicts the other half of "
            f"somebody's page views better than a place on any scale or a mix of interests does.{also}"
        )

    def to_json(self) -> str:
        """Write the levels as JSON text."""
        return self.model_dump_json()

    @classmethod
    def from_json(cls, text: str | bytes) -> SegmentLevels:
        """Read levels that :meth:`to_json` wrote.

        Raises:
            ArtifactError: If the text holds no levels.
        """
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise ArtifactError(
                "The levels cannot be read", remedy="Compare numbers of segments again"
            ) from error


def unsupported(levels: SegmentLevels | None) -> bool:
    """Whether users were compared and support no number of segments."""
    return levels is not None and levels.suggested_k is None


def withheld(levels: SegmentLevels | None, *, named_anyway: bool) -> bool:
    """Whether names are withheld, so that the app, the report, the files and the chat show numbers.

    Args:
        levels: Numbers of segments that users support; None where none were compared.
        named_anyway: Whether to show names, as a description, where no number is supported.
    """
    return not named_anyway and unsupported(levels)

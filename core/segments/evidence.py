"""How many segments the users support, or none: figures a number K, each beside what chance would give.

K-Means always returns K groups. What says whether they are there is another half of the users: each half
learns which pages go together and cuts the users by it, and the halves agree or not. How much of that any
users would show is measured on shuffled ones, whose pages were dealt anew (``core/trust/shuffled.py``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Final

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, ValidationError

from core.base.errors import ArtifactError
from core.base.wording import sentence as capital

LEAST: Final = 0.6
"""Adjusted Rand index of two halves below which there is no pattern (as Hennig 2007 for Jaccard)."""
FIRM: Final = 0.75
"""From which on halves are said to agree nearly."""
NEAR: Final = 0.05
"""A number of segments that leads over chance by less than this below the best one's lead is a near tie."""
MOST_TIMES: Final = 10
"""How many times as many users an extrapolation may ask for."""
NOT_COMPARED: Final = (
    "Whether there are segments at all, and how many, is not known yet: no number of them has been held "
    "against chance. Names and segments describe these very users."
)
MOST_DESCRIBED: Final = 6
"""Groups that users are shown in at most where they support no number of segments: a description."""
NEARLY_ONE: Final = 0.999
"""Agreement from which on more is none: Fisher's z of 1 has no end."""
TINY: Final = 1e-3
"""Least standard deviation of chance: draws that happen to agree make no band of width 0."""


class KMeasure(StrEnum):
    """What is measured of K segments."""

    SPLIT_HALF = "split_half"
    """Adjusted Rand index of all users as two halves would cut them, each by page vectors of its own."""
    SAME_VECTORS = "same_vectors"
    """The same with the vectors on screen for both halves: K-Means alone learns from a half."""
    SEEDS = "seeds"
    """Adjusted Rand index of K-Means from two seeds, on the vectors on screen."""
    SILHOUETTE = "silhouette"
    """How far apart the segments lie, −1 to 1."""
    DAVIES_BOULDIN = "davies_bouldin"
    """How wide segments are beside their distances (Davies, Bouldin 1979); lower is better."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Beside(_Part):
    """A figure beside chance.

    Args:
        value: Mean over repeats.
        spread: Standard deviation over repeats; 0 where there is one.
        null: Mean over shuffled users.
        null_low: The lowest that any draw of them showed.
        null_high: The highest.
    """

    value: float
    spread: float
    null: float
    null_low: float
    null_high: float

    @property
    def lead(self) -> float:
        """How far above chance."""
        return self.value - self.null


class KRow(_Part):
    """What is known of one number of segments.

    Args:
        k: Number of segments.
        figures: One a measure.
        supported: Whether halves agree beyond chance, see :func:`highest`, and by :data:`LEAST` or more.
    """

    k: int
    figures: dict[KMeasure, Beside]
    supported: bool

    @property
    def halves(self) -> Beside:
        """What the suggestion goes by."""
        return self.figures[KMeasure.SPLIT_HALF]


class KEvidence(_Part):
    """Numbers of segments, and which one the users support.

    Args:
        rows: One a K, ascending; empty where there are too few users to compare any.
        users: Users that halves were made of.
        draws: Times that users were shuffled; for the figures of the vectors on screen at most ten of them.
        suggested_k: The largest supported K whose lead over chance is within the noise of the best; None
            where no K is supported.
        near: Supported numbers whose lead is within :data:`NEAR` of the best, ascending.
        needed_users: About how many users would be needed where none is supported; None where that cannot
            be told.
    """

    rows: tuple[KRow, ...]
    users: int
    draws: int
    suggested_k: int | None = None
    near: tuple[int, ...] = ()
    needed_users: int | None = None

    @property
    def verdict(self) -> str:
        """Whether there are "segments", or "none"."""
        return "none" if self.suggested_k is None else "segments"

    @property
    def best(self) -> KRow | None:
        """Of the supported ones the K that leads most over chance.

        Where none is supported, leads are noise: of those beyond chance, if any, it is the K whose halves
        agree best.
        """
        supported = [row for row in self.rows if row.supported]
        if supported:
            return max(supported, key=lambda row: row.halves.lead)
        return _agreeing_best(self.rows)

    @property
    def usable_k(self) -> int:
        """The suggestion; else the number up to :data:`MOST_DESCRIBED` whose halves agree best, or 2."""
        best = _agreeing_best([row for row in self.rows if row.k <= MOST_DESCRIBED])
        return self.suggested_k or (best.k if best else 2)

    def of(self, k: int) -> KRow | None:
        """The row of a number of segments."""
        return next((row for row in self.rows if row.k == k), None)

    def table(self) -> pd.DataFrame:
        """A row a K, flat: ``k``, ``supported``, and of each measure its value, spread and null band."""
        return pd.DataFrame(self.records())

    def records(self) -> list[dict[str, Any]]:
        """The same as plain data: ``split_half``, ``split_half_null``, ``split_half_null_low`` and so on."""
        found = []
        for row in self.rows:
            flat: dict[str, Any] = {"k": row.k, "supported": row.supported}
            for measure, figure in row.figures.items():
                flat[measure.value] = figure.value
                rest = figure.model_dump(exclude={"value"}).items()
                flat |= {f"{measure.value}_{name}": value for name, value in rest}
            found.append(flat)
        return found

    @property
    def sentence(self) -> str:
        """The verdict in words that an analyst can repeat."""
        best = self.best
        if best is None:
            return (
                f"Too few users to tell whether there are segments: {self.users:,} that differ can be "
                "clustered, and 60 are needed for two segments of two halves."
            )
        row = self.of(self.suggested_k) if self.suggested_k else best
        assert row is not None  # for the type checker: the suggestion is one of the rows
        seen = f"agreement {row.halves.value:.2f}, by chance {row.halves.null:.2f}; 1 is the same"
        if self.suggested_k:
            others = [k for k in self.near if k != self.suggested_k]
            ties = f" Nearly as good: {', '.join(map(str, others))}." if others else ""
            way = "nearly the same way" if row.halves.value >= FIRM else "a similar way"
            return (
                f"These users support {row.k} segments: another half of the {self.users:,} compared, "
                f"learning from its own visits alone, would cut all of them in {way} ({seen}).{ties}"
            )
        return f"{self._why_none(row, seen)} {self._power}"

    def _why_none(self, row: KRow, seen: str) -> str:
        others = f"another half of the {self.users:,} users compared would"
        if row.halves.value >= LEAST:
            alike = "users with shuffled pages stand out as much at one number or another"
            why = f"{others} cut them much alike, but {alike}"
        elif row.halves.value > row.halves.null_high:
            why = f"some pages go together more often than by chance, but there {others} be cut otherwise"
        else:
            why = f"nothing goes beyond what users with shuffled pages show: {others} be cut otherwise"
        return f"No stable segments here. {capital(why)} (at best {row.k} segments: {seen})."

    @property
    def _power(self) -> str:
        if self.needed_users is None:
            return "Whether more users would change that cannot be told from these."
        return f"If agreement keeps growing with users as it does, about {self.needed_users:,} are needed."

    def to_json(self) -> str:
        """As text."""
        return self.model_dump_json(indent=1)

    @classmethod
    def from_json(cls, text: str | bytes) -> KEvidence:
        """Read what :meth:`to_json` wrote.

        Raises:
            ArtifactError: If it is something else.
        """
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise ArtifactError("The evidence cannot be read", remedy="Compare numbers again") from error


def _agreeing_best(rows: Sequence[KRow]) -> KRow | None:
    """The K whose halves agree best, of those beyond chance, if any."""
    beyond = [row for row in rows if row.halves.value > row.halves.null_high]
    return max(beyond or rows, key=lambda row: row.halves.value, default=None)


def unsupported(evidence: KEvidence | None) -> bool:
    """Whether numbers were compared, and these users support none of them."""
    return evidence is not None and evidence.suggested_k is None


def withheld(evidence: KEvidence | None, *, named_anyway: bool) -> bool:
    """Whether segments are called by their numbers: in the app, the report, the files and the chat.

    Args:
        evidence: Numbers of segments beside chance; None where none were compared.
        named_anyway: Whether they have names where none is supported, as a description.
    """
    return not named_anyway and unsupported(evidence)


def judge(
    ks: Sequence[int],
    found: Mapping[KMeasure, np.ndarray],
    chance: Mapping[KMeasure, np.ndarray],
    users: int,
    needed_users: int | None = None,
) -> KEvidence:
    """Hold figures against chance, and suggest a number of segments.

    Args:
        ks: Numbers of segments, ascending.
        found: float of shape (repeats, n_ks) a measure.
        chance: float of shape (draws, n_ks) for the same measures, of shuffled users; at least three draws.
        users: Users that halves were made of.
        needed_users: See :class:`KEvidence`.
    """
    beside = {measure: _beside(found[measure], chance[measure]) for measure in found}
    halves = found[KMeasure.SPLIT_HALF].mean(axis=0)
    supported = (halves >= LEAST) & (halves > highest(chance[KMeasure.SPLIT_HALF]))
    rows = [
        KRow(k=k, figures={measure: column[place] for measure, column in beside.items()}, supported=held)
        for place, (k, held) in enumerate(zip(ks, supported.tolist(), strict=True))
    ]
    suggested, near = _suggest([row for row in rows if row.supported])
    return KEvidence(
        rows=tuple(rows), users=users, draws=len(chance[KMeasure.SPLIT_HALF]), suggested_k=suggested,
        near=near, needed_users=None if suggested else needed_users,
    )  # fmt: skip


def _suggest(supported: Sequence[KRow]) -> tuple[int | None, tuple[int, ...]]:
    """The largest K within one standard deviation of the best one (as Breiman et al. 1984 prune trees)."""
    if not supported:
        return None, ()
    best = max(supported, key=lambda row: row.halves.lead).halves
    within = [row.k for row in supported if row.halves.lead >= best.lead - best.spread]
    near = [row.k for row in supported if row.halves.lead >= best.lead - NEAR]
    return max(within), tuple(sorted({*near, max(within)}))


def _beside(found: np.ndarray, chance: np.ndarray) -> list[Beside]:
    """Of figures (repeats, n_ks) and their null (draws, n_ks), one a K."""
    spread = found.std(axis=0, ddof=1) if len(found) > 1 else np.zeros(found.shape[1])
    columns = (found.mean(axis=0), spread, chance.mean(axis=0), chance.min(axis=0), chance.max(axis=0))
    names = tuple(Beside.model_fields)
    return [Beside(**dict(zip(names, map(float, row), strict=True))) for row in zip(*columns, strict=True)]


def highest(chance: np.ndarray) -> np.ndarray:
    """What no draw of chance passes at any K, in standard deviations of that K, on Fisher's z scale.

    Each draw is held against the others, as the real users are held against all (maxT: Westfall, Young
    1993); with 20 draws, users without any structure pass in 1 of 21 cases, over all K together. On that
    scale a K at which chance varies much does not ask for more than 1 of another.

    Args:
        chance: float of shape (draws, n_ks), at least three draws.

    Returns:
        float of shape (n_ks,).
    """
    furthest, z = 0.0, np.arctanh(np.clip(chance, -NEARLY_ONE, NEARLY_ONE))
    for draw in range(len(z)):
        others = np.delete(z, draw, axis=0)
        furthest = max(furthest, float(((z[draw] - others.mean(axis=0)) / _spread(others)).max()))
    passed = np.tanh(z.mean(axis=0) + furthest * _spread(z))
    found: np.ndarray = np.maximum(passed, chance.max(axis=0))
    return found


def _spread(chance: np.ndarray) -> np.ndarray:
    spread: np.ndarray = np.maximum(chance.std(axis=0, ddof=1), TINY)
    return spread


def users_needed(users: int, now: float, at_half: float, noise: float) -> int | None:
    """Users at which halves would agree by :data:`LEAST`, if agreement grows by as much with each doubling.

    Args:
        users: Users that there are.
        now: Agreement of their halves.
        at_half: The same with half as many users.
        noise: Standard deviation of either.

    Returns:
        None where agreement does not grow beyond the noise, or so slowly that nothing can be told.
    """
    growth = now - at_half
    if growth <= 2 * noise or now >= LEAST:
        return None
    times = 2 ** min((LEAST - now) / growth, 64)
    return None if times > MOST_TIMES else int(round(users * times, -2 if users > 1000 else -1))

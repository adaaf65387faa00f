"""Claims that a segment's name may make: rows of the table of differences that meet a stated rule."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

import numpy as np
import pandas as pd
from scipy.stats import norm

from core.base.schema import Users
from core.labels.words import roots
from core.profiles.differences import Diff
from core.profiles.name_words import HABITS, SUBJECTS, SiteWords, item_phrase
from core.profiles.profile_columns import Col, RowKind
from core.profiles.user_items import Family


class CandidateStrength(IntEnum):
    """Strength of a claim, the strongest first; "surely 3 times" is by the low end of an interval."""

    MOSTLY = 1
    """The section that half of the segment's users saw mostly, surely three times the others' share."""
    SEEN = 2
    """A page, folder, theme or word that half or more saw, or a section mostly, surely 1.5 times.

    Also sections that a quarter or more each, and half or more together, saw mostly, surely three times.
    """
    DONE = 3
    """A level of a facet, a type, a source, a device or an outcome of half or more, surely 1.5 times."""
    HABIT = 4
    """A mean that is surely 1.5 times the others', or less by that, and not by a few users alone."""
    SLIGHTLY = 5
    """Anything of the strengths above, surely 1.2 times."""
    PARTLY = 6
    """As the first three, for a quarter of the users: a second claim only, which distinguishes two names."""


_SEEN: Final = (Family.PAGE, Family.FOLDER, Family.THEME, Family.WORD)
_DONE: Final = (Family.RHYTHM, Family.LEVEL, Family.TYPE, Users.SOURCE, Users.DEVICE, Family.OUTCOME)
_HALF: Final = 0.5
"""Least share of the segment's users for a claim that begins a name."""
SURE_LIFT: Final = 3.0
"""Low end of a ratio from which on claims are ranked by the share of users alone."""
RULES: Final = (
    (CandidateStrength.MOSTLY, (Family.INTEREST,), _HALF, SURE_LIFT),
    (CandidateStrength.SEEN, (Family.INTEREST, *_SEEN), _HALF, 1.5),
    (CandidateStrength.DONE, _DONE, _HALF, 1.5),
    (CandidateStrength.HABIT, (Family.MEASURE,), _HALF, 1.5),
    (CandidateStrength.SLIGHTLY, (Family.INTEREST, *_SEEN, *_DONE, Family.MEASURE), _HALF, 1.2),
    (CandidateStrength.PARTLY, (Family.INTEREST, *_SEEN, *_DONE), 0.25, 1.5),
)
"""Rules: strength, families, least share of the segment's users, least low end of the ratio to others'."""
SHARE_TOLERANCE: Final = 0.1
"""Largest relative difference of two items' users, here and among the others, for them to be the same."""
_CARRIED: Final = 0.1
"""Least share of the segment's users who saw a page with a word for the word to count as theirs."""


@dataclass(frozen=True)
class NameEvidence:
    """The row of the table of differences that a part of a name rests on.

    Args:
        family: Kind of the item (:class:`core.profiles.user_items.Family`).
        item: The item, as in the table.
        share: Share of the segment's users; None for a mean.
        lift: The segment's value over the other clustered users'; None where theirs is 0.
        low: The end of the lift's 95 % interval that is nearer to 1.
    """

    family: str
    item: str
    share: float | None
    lift: float | None
    low: float


@dataclass(frozen=True)
class NameCandidate:
    """A statement about a segment that its name can make.

    Args:
        evidence: The row it rests on.
        text: The words.
        step: Its strength.
        score: Ranks claims of one step, the higher first.
        users: Users with the item, here and among the others; (0, 0) for a mean.
        place: Breaks ties of the score, the lower first.
    """

    evidence: NameEvidence
    text: str
    step: CandidateStrength
    score: float
    users: tuple[int, int]
    place: int

    @property
    def order(self) -> tuple[int, int, float, int, str]:
        """Sort key: by step, then what users look at, words, what users are, codes, means; then by score."""
        family = self.evidence.family
        if family == Family.MEASURE:
            kind = 4
        elif family in SUBJECTS:
            kind = 3 if any(map(str.isdigit, self.text)) else int(family == Family.WORD)
        else:
            kind = 2
        return self.step, kind, -self.score, self.place, self.text

    def is_same_as(self, other: NameCandidate) -> bool:
        """Whether nearly the same users, here and elsewhere, have both items; never for two interests."""
        apart = self.evidence.family == other.evidence.family == Family.INTEREST
        both = zip(self.users, other.users, strict=True)
        return not apart and all(abs(a - b) <= SHARE_TOLERANCE * max(a, b) for a, b in both)


def nameable_rows(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of the table of differences that may name a segment, with columns ``step``, ``sure``, ``less``.

    ``sure`` is the factor by which the segment's value surely exceeds the others'. For a mean also a lower
    value counts (``less``), with the inverse factor. A few users can raise a mean; so by the same factor more
    of the segment than of the others must lie on that side of their common median, computed from the effect
    size as for two normal distributions.
    """
    nameable = (table[Diff.FAMILY] != Family.MEASURE) | table[Diff.ITEM].isin(list(HABITS))
    rows = table[(table[Col.KIND] == RowKind.SEGMENT) & nameable]
    ratio, low, high = (rows[name].to_numpy() for name in (Diff.RATIO, Diff.RATIO_LOW, Diff.RATIO_HIGH))
    measure = (rows[Diff.FAMILY] == Family.MEASURE).to_numpy()
    less = measure & (ratio < 1)
    effect = rows[Diff.EFFECT].to_numpy(dtype=np.float64)
    above = norm.cdf(np.where(less, -effect, effect) / 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        sure = np.where(less, 1 / high, low)
        sure = np.where(measure, np.minimum(sure, above / (1 - above)), sure)
    step = np.zeros(len(rows), dtype=np.int64)
    for number, families, share, least in reversed(RULES):
        met = measure | (rows[Col.VALUE].to_numpy() >= share)
        met &= rows[Diff.FAMILY].isin(families).to_numpy() & (sure >= least)
        step[met] = number
    part = (rows[Diff.FAMILY] == Family.INTEREST) & (step == CandidateStrength.PARTLY) & (sure >= SURE_LIFT)
    together = rows[Col.VALUE].where(part).groupby(rows[Col.SEGMENT]).transform("sum") >= _HALF
    step[part & together] = CandidateStrength.SEEN
    return rows.assign(step=step, sure=sure, less=less)[step > 0]


def name_candidates(table: pd.DataFrame, site: SiteWords) -> dict[int, list[NameCandidate]]:
    """Segment → the claims that its name may make, the strongest first.

    Args:
        table: From :func:`core.profiles.differences.differences`.
        site: How the site writes its words.
    """
    segments = table.loc[table[Col.KIND] == RowKind.SEGMENT, Col.SEGMENT].unique()
    found: dict[int, list[NameCandidate]] = {int(segment): [] for segment in sorted(segments)}
    carried = {segment: _carried(table, segment) for segment in found}
    for row in nameable_rows(table).to_dict("records"):
        claim, segment = _claim(row, site), int(row[Col.SEGMENT])
        if claim.text and (row[Diff.FAMILY] != Family.THEME or _is_theirs(claim, site, carried[segment])):
            found[segment].append(claim)
    return {segment: sorted(_whole(own), key=lambda claim: claim.order) for segment, own in found.items()}


def _whole(own: Sequence[NameCandidate]) -> Iterator[NameCandidate]:
    """Claims without words that are part of a page's words where the same users saw it: ``spring sale``."""
    pages = [claim for claim in own if claim.evidence.family == Family.PAGE]
    for claim in own:
        words = roots([claim.text])
        if claim.evidence.family != Family.WORD or not any(
            words < roots([page.text]) and claim.is_same_as(page) for page in pages
        ):
            yield claim


def _carried(table: pd.DataFrame, segment: int) -> frozenset[str]:
    """Words on pages that at least :data:`_CARRIED` of the segment's users saw."""
    words = (table[Col.SEGMENT] == segment) & (table[Diff.FAMILY] == Family.WORD)
    return roots(table.loc[words & (table[Col.VALUE] >= _CARRIED), Diff.ITEM])


def _is_theirs(theme: NameCandidate, site: SiteWords, carried: frozenset[str]) -> bool:
    """Whether a theme has several pages, and its words are on pages that the segment's users saw."""
    return site.theme_pages.get(theme.evidence.item, 0) > 1 and roots([theme.text]) <= carried


def _claim(row: dict[Any, Any], site: SiteWords) -> NameCandidate:
    family, item, less = str(row[Diff.FAMILY]), str(row[Diff.ITEM]), bool(row["less"])
    is_mean = family == Family.MEASURE
    share = None if is_mean else float(row[Col.VALUE])
    low = float(row[Diff.RATIO_HIGH if less else Diff.RATIO_LOW])
    score = (1.0 if share is None else share) * math.log2(min(row["sure"], SURE_LIFT))
    users = (0, 0) if is_mean else (int(row[Col.USERS]), int(row[Col.REST_USERS]))
    lift = float(row[Diff.RATIO])
    evidence = NameEvidence(family, item, share, lift if math.isfinite(lift) else None, low)
    text = item_phrase(family, item, site, less=less)
    return NameCandidate(evidence, text, CandidateStrength(row["step"]), score, users, site.place(item))

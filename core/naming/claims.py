"""What may be said of a segment in its name: rows of the table of differences that meet a stated rule."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

import numpy as np
import pandas as pd
from scipy.stats import norm

from core.differences.table import Diff
from core.differences.user_items import Family
from core.labels.words import roots
from core.naming.words import HABITS, SUBJECTS, SiteWords, said
from core.profiles.profile_columns import Col, RowKind


class Step(IntEnum):
    """How much sets a segment apart; a name starts from the first step that anything meets."""

    MOSTLY = 1
    """The section that half of the segment's users saw mostly, surely three times the others' share."""
    SEEN = 2
    """A page, folder, theme or word that half or more saw, or a section mostly, surely 1.5 times.

    Also sections that a quarter or more each, and half or more together, saw mostly, surely three times.
    """
    DONE = 3
    """A level of a facet, a type, a source, a device or an outcome of half or more, surely 1.5 times."""
    HABIT = 4
    """What they do on average, surely 1.5 times the others', and not by a few users alone."""
    SLIGHTLY = 5
    """Any of these, surely 1.2 times."""
    PARTLY = 6
    """As the first three, for a quarter: it begins no name, and tells two segments apart."""


SEEN: Final = (Family.PAGE, Family.FOLDER, Family.THEME, Family.WORD)
DONE: Final = (Family.RHYTHM, Family.LEVEL, Family.TYPE, Family.SOURCE, Family.DEVICE, Family.OUTCOME)
HALF: Final = 0.5
"""Share of the segment's users from which on something may begin a name."""
SURE: Final = 3.0
"""Low end from which on only the share counts: more users say more than a rarer thing."""
RULES: Final = (
    (Step.MOSTLY, (Family.INTEREST,), HALF, SURE),
    (Step.SEEN, (Family.INTEREST, *SEEN), HALF, 1.5),
    (Step.DONE, DONE, HALF, 1.5),
    (Step.HABIT, (Family.MEASURE,), HALF, 1.5),
    (Step.SLIGHTLY, (Family.INTEREST, *SEEN, *DONE, Family.MEASURE), HALF, 1.2),
    (Step.PARTLY, (Family.INTEREST, *SEEN, *DONE), 0.25, 1.5),
)
"""Step, families, least share of the segment's users, least ratio to the others' share at its low end."""
ALIKE: Final = 0.1
"""Two items whose users here and among the others differ by no more than this part are one thing."""
_CARRIED: Final = 0.1
"""Share of the segment's users from which on pages with a word count as theirs."""


@dataclass(frozen=True)
class NameEvidence:
    """What a word of a name rests on.

    Args:
        family: What kind of thing it is (:class:`core.differences.user_items.Family`).
        item: The thing.
        share: Of the segment's users; None for what they do on average.
        lift: The segment's value over the other clustered users'; None where these have nothing of it.
        low: The end of its 95 % interval that is nearer to 1.
    """

    family: str
    item: str
    share: float | None
    lift: float | None
    low: float


@dataclass(frozen=True)
class Claim:
    """Something that a name can say.

    Args:
        evidence: What it rests on.
        text: The words.
        step: How much it says.
        score: Of two at one step the higher one goes first.
        users: Who they are, as counts here and among the others: the same things have the same counts.
        place: Of two with the same score the lower one goes first.
    """

    evidence: NameEvidence
    text: str
    step: Step
    score: float
    users: tuple[int, int]
    place: int

    @property
    def order(self) -> tuple[int, int, float, int, str]:
        """Sorts claims: what they look at, a word, what they are, a page by its code, how much they do."""
        family = self.evidence.family
        if family == Family.MEASURE:
            kind = 4
        elif family in SUBJECTS:
            kind = 3 if any(map(str.isdigit, self.text)) else int(family == Family.WORD)
        else:
            kind = 2
        return self.step, kind, -self.score, self.place, self.text

    def is_same_as(self, other: Claim) -> bool:
        """Whether nearly the same users did both, here and among the others; of two interests nobody did."""
        apart = self.evidence.family == other.evidence.family == Family.INTEREST
        both = zip(self.users, other.users, strict=True)
        return not apart and all(abs(a - b) <= ALIKE * max(a, b) for a, b in both)


def meets(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of the table of differences that may name a segment, with the ``step`` that each of them meets.

    Of a mean it also counts that a segment has ``less``; ``sure`` is then how much less, as a factor. A few
    users can make a mean: by the same ratio more of the segment than of the others must lie on that side of
    the median of both, which of two normal distributions follows from how far they are apart.
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
    part = (rows[Diff.FAMILY] == Family.INTEREST) & (step == Step.PARTLY) & (sure >= SURE)
    together = rows[Col.VALUE].where(part).groupby(rows[Col.SEGMENT]).transform("sum") >= HALF
    step[part & together] = Step.SEEN
    return rows.assign(step=step, sure=sure, less=less)[step > 0]


def claims(table: pd.DataFrame, site: SiteWords) -> dict[int, list[Claim]]:
    """Segment → what its name may say, what says most first.

    Args:
        table: The table of differences.
        site: How the site writes its words.
    """
    segments = table.loc[table[Col.KIND] == RowKind.SEGMENT, Col.SEGMENT].unique()
    found: dict[int, list[Claim]] = {int(segment): [] for segment in sorted(segments)}
    carried = {segment: _carried(table, segment) for segment in found}
    for row in meets(table).to_dict("records"):
        claim, segment = _claim(row, site), int(row[Col.SEGMENT])
        if claim.text and (row[Diff.FAMILY] != Family.THEME or _is_theirs(claim, site, carried[segment])):
            found[segment].append(claim)
    return {segment: sorted(_whole(own), key=lambda claim: claim.order) for segment, own in found.items()}


def _whole(own: Sequence[Claim]) -> Iterator[Claim]:
    """Leave out a word that a page says with others, where that page is what they saw: ``spring sale``."""
    pages = [claim for claim in own if claim.evidence.family == Family.PAGE]
    for claim in own:
        words = roots([claim.text])
        if claim.evidence.family != Family.WORD or not any(
            words < roots([page.text]) and claim.is_same_as(page) for page in pages
        ):
            yield claim


def _carried(table: pd.DataFrame, segment: int) -> frozenset[str]:
    """Words on the pages that the segment's users saw."""
    words = (table[Col.SEGMENT] == segment) & (table[Diff.FAMILY] == Family.WORD)
    return roots(table.loc[words & (table[Col.VALUE] >= _CARRIED), Diff.ITEM])


def _is_theirs(theme: Claim, site: SiteWords, carried: frozenset[str]) -> bool:
    """Whether a theme has several pages, and pages that the segment's users saw have its words."""
    return site.theme_pages.get(theme.evidence.item, 0) > 1 and roots([theme.text]) <= carried


def _claim(row: dict[Any, Any], site: SiteWords) -> Claim:
    family, item, less = str(row[Diff.FAMILY]), str(row[Diff.ITEM]), bool(row["less"])
    is_mean = family == Family.MEASURE
    share = None if is_mean else float(row[Col.VALUE])
    low = float(row[Diff.RATIO_HIGH if less else Diff.RATIO_LOW])
    score = (1.0 if share is None else share) * math.log2(min(row["sure"], SURE))
    users = (0, 0) if is_mean else (int(row[Col.USERS]), int(row[Col.REST_USERS]))
    lift = float(row[Diff.RATIO])
    evidence = NameEvidence(family, item, share, lift if math.isfinite(lift) else None, low)
    text = said(family, item, site, less=less)
    return Claim(evidence, text, Step(row["step"]), score, users, site.place(item))

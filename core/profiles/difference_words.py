"""Write the table of differences in words: values with units, differences with their intervals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np
import pandas as pd
from pandas.api.typing import NAType

from core.base import wording
from core.base.attributes import attribute_words
from core.profiles import profile_columns
from core.profiles.differences import Diff
from core.profiles.other_sessions import OTHER_SESSIONS
from core.profiles.profile_columns import FIELDS, Col
from core.profiles.user_items import Family

_WHAT: Final[Mapping[str, str]] = {
    Family.OUTCOME: "did {}", Family.PAGE: "saw {}", Family.FOLDER: "saw a page in {}",
    Family.WORD: "saw a page about “{}”", Family.TEMPLATE: "saw a page like {}",
    Family.THEME: "saw the theme {}", Family.TYPE: "saw the page type {}",
    Family.ENTRY: "began a session with {}", Family.EXIT: "ended a session with {}",
    Family.HOUR: "first came at {} UTC",
    Family.WEEKDAY: "first came on a {} (UTC)", Family.INTEREST: "mostly saw {}",
    Family.STAGE: "got as far as {}", Family.RHYTHM: "{}", Family.LEVEL: "{}",
}  # fmt: skip
"""Family → what a share of the users did with an item; measures have labels in ``FIELDS``."""
_FAMILIES: Final[Mapping[str, str]] = {
    Family.MEASURE: "Activity", Family.OUTCOME: "Outcome", Family.PAGE: "Pages", Family.FOLDER: "Folders",
    Family.WORD: "Words", Family.TEMPLATE: "Templates", Family.THEME: "Themes", Family.TYPE: "Page types",
    Family.ENTRY: "First pages", Family.EXIT: "Last pages",
    Family.HOUR: "Hours", Family.WEEKDAY: "Days of the week", Family.INTEREST: "Interests",
    Family.STAGE: "Stages", Family.RHYTHM: "Rhythms", Family.LEVEL: "Facets",
}  # fmt: skip


def family_titles(families: Iterable[str]) -> dict[str, str]:
    """Family or attribute → its title, of those given, in the order in which they are listed."""
    given = set(families)
    return {family: title for family, title in _FAMILIES.items() if family in given} | {
        name: wording.capitalised(attribute_words(name).plural) for name in sorted(given - {*_FAMILIES})
    }


_MADE: Final = "by construction"
"""Note on a difference that was not tested, since the rows were made from it."""
_OTHER_SESSIONS_NOTE: Final = {
    True: "also in their other sessions",
    False: "not shown in their other sessions",
}
"""Whether it differs → note on a difference that was tested in other sessions."""
USERS: Final = "Users: "
"""Begins the text of a share of users."""
_WORDED: Final = ("what", "here", "others", "difference", "ratio")
"""Names of the columns of :func:`in_words`."""
_LABELS: Final = {field.field: field.label for field in FIELDS}


def in_words(table: pd.DataFrame) -> pd.DataFrame:
    """Write each row of the table of differences as text.

    Args:
        table: Rows of :func:`core.profiles.differences.differences`.

    Returns:
        Rows and index of the table, columns ``what`` is compared, its value ``here`` and among the
        ``others`` with units, the ``difference`` and the ``ratio``. A difference has its interval, or the
        note that it is by construction or (not) shown in other sessions; one that is not shown has the least
        difference that would have been seen.
    """
    columns = (
        Diff.FAMILY, Diff.ITEM, Col.VALUE, Diff.REST_VALUE, Col.DIFFERENCE, Diff.DIFFERENCE_LOW,
        Diff.DIFFERENCE_HIGH, Diff.RATIO, Diff.DIFFERS, Diff.DETECTABLE, Col.N, Col.REST_N, Diff.TEST,
    )  # fmt: skip
    records = zip(*(table[column].tolist() for column in columns), strict=True)
    return pd.DataFrame([_row(*record) for record in records], columns=list(_WORDED), index=table.index)


def _row(
    family: str, item: str, value: float, rest: float, apart: float, low: float, high: float, ratio: float,
    differs: bool | NAType, detectable: float, n: int, rest_n: int, test: str,
) -> tuple[str, str, str, str, str]:  # fmt: skip
    is_measure = family == Family.MEASURE
    what = _LABELS[item] if is_measure else f"{USERS}{_what(family, item)}"
    least = min(n, rest_n)
    times = wording.lift(ratio)
    if isinstance(differs, NAType) or test == OTHER_SESSIONS:
        why = _MADE if isinstance(differs, NAType) else _OTHER_SESSIONS_NOTE[differs]
        said = wording.ABSENT if np.isnan(apart) else f"{_apart(item, apart, is_measure, least)}, {why}"
    elif differs:
        ends = " to ".join(
            _apart(item, end, is_measure, least).removesuffix(" points") for end in (low, high)
        )
        said = f"{_apart(item, apart, is_measure, least)} [{ends}]"
    else:
        said, times = "not shown to differ", wording.ABSENT
        if abs(apart) < detectable < np.inf:  # a larger observed difference would contradict the text
            said += f"; {_apart(item, detectable, is_measure, least).removeprefix('+')} would have been seen"
    return what, _value(item, value, is_measure, n), _value(item, rest, is_measure, least), said, times


def _what(family: str, item: str) -> str:
    if family in _WHAT:
        return _WHAT[family].format(item)
    return f"{attribute_words(family).having.removeprefix('who ')} {item}"


def _value(item: str, value: float, is_measure: bool, n: int) -> str:
    if np.isnan(value):
        return wording.ABSENT
    return profile_columns.figure(item, value, n) if is_measure else wording.percent(value, 1, n)


def _apart(item: str, value: float, is_measure: bool, n: int) -> str:
    """A difference with its sign; of shares in percentage points."""
    sign = "+" if value >= 0 else "−"
    if not is_measure or profile_columns.is_share(item):
        return f"{sign}{abs(value) * 100:.{wording.share_digits(n, 1)}f} points"
    return sign + profile_columns.figure(item, abs(value))

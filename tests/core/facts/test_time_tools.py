"""When users come, whose share grows and who comes again, beside the tables of the page Time and by eye."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.base.local_clock import DAY, HOUR
from core.facts.answer import Contrast, Note, Verdict
from core.facts.context import OTHERS, Context, Tables
from core.facts.fact_maker import Figures, Finding
from core.facts.sentences import plain
from core.facts.time_tools import LARGEST_CHANGE_NOTE, ONE_HOUR, STEADY, over_the_data
from core.periods.calendar import PeriodUnit, calendar_of
from core.periods.over_time import AGE, PART, PERIOD, VALUE, PeriodMeasure, curve, over_time
from core.profiles.profile_columns import Col
from tests.core.facts.shop import shop
from tests.core.facts.toy import context

TUESDAY = 16_861
"""1 March 2016."""


def about(what: str, segment: str = "all", of: Context | None = None) -> tuple[Figures, Finding]:
    made = Figures(of or shop().context)
    return made, over_the_data(made, about=what, segment=segment)


def test_who_comes_again_is_as_the_page_counts_it() -> None:
    made, found = about("return", "segment:1")
    basis, rows = made.context.tables.basis, made.context.tables.rows
    table = curve(basis.activity(None), rows)
    row = table[(table[AGE] == 1) & (table[Col.KEY] == "segment:1")].iloc[0]
    fact = found.facts[0]
    assert (fact.value, fact.n, fact.users) == (row[VALUE], row[Col.N], row[PART])
    assert (fact.low, fact.high) == pytest.approx((row[Col.LOW], row[Col.HIGH]))
    (against,) = (block for block in found.blocks if isinstance(block, Contrast))
    assert against.second.segments == (OTHERS,)
    assert (against.verdict is Verdict.UNSURE) is not row["differs"]
    _, each = about("return")
    assert [one.row for one in each.facts] == list(made.context.segment_keys)


def test_when_they_come_adds_up_the_hours_of_the_page() -> None:
    made, found = about("hours", "segment:0")
    own = made.context.tables.rows.members(0)
    sequences = made.context.tables.basis.sequences
    begins = sequences.timestamp[sequences.session_starts][own[sequences.user[sequences.session_starts]]]
    hours = [int(one) for one in (begins % DAY) // HOUR]
    most = max(set(hours), key=lambda one: (hours.count(one), -one))
    fact = next(one for one in found.facts if one.measure == "when:hour")
    assert fact.item == f"{most}:00"
    assert fact.value == pytest.approx(hours.count(most) / len(hours))
    users = sequences.user[sequences.session_starts][own[sequences.user[sequences.session_starts]]]
    assert fact.users == len({int(u) for u, hour in zip(users, hours, strict=True) if hour == most})
    assert len(found.facts) == 6
    said = plain(found.blocks, made.context.titles())
    assert "begin most often on: " in said and "begin most often in the hour from: " in said
    _, each = about("hours")
    assert len(each.facts) == 2 * len(made.context.segment_keys)


def test_days_alone_have_no_hours() -> None:
    _, found = about("hours", "segment:0", context())
    assert {fact.measure for fact in found.facts} == {"when:weekday"}
    assert ONE_HOUR in [block.text for block in found.blocks if isinstance(block, Note)]


def growing(first: int, last: int) -> Context:
    """A shop whose first segment has so many of 40 users on the first day, and of 40 others on the last."""
    made = shop().context
    tables = made.tables
    one, two = ((tables.rows.place == row).nonzero()[0].tolist() for row in (0, 1))
    assert min(len(one), len(two)) >= 80
    kept = dict.fromkeys([*one[:first], *two[: 40 - first]], 0)
    kept |= dict.fromkeys([*one[80 - last : 80], *two[40 + last : 80]], 3)
    sequences = tables.basis.sequences
    timestamp = sequences.timestamp.copy()
    for user in range(sequences.n_users):
        at = slice(sequences.offsets[user], sequences.offsets[user + 1])
        timestamp[at] = (TUESDAY + kept.get(user, 1)) * DAY + 12 * HOUR
    basis = replace(
        tables.basis, sequences=replace(sequences, timestamp=timestamp),
        calendar=lambda _: calendar_of(timestamp, PeriodUnit.DAY),
    )  # fmt: skip
    return replace(made, tables=Tables(basis, tables.profiles, tables.partition))


def test_a_share_that_grows_is_told_with_both_ends_and_of_the_others_nothing() -> None:
    of = growing(8, 32)
    made, found = about("growth", of=of)
    assert {fact.row for fact in found.facts} == {"segment:0", "segment:1"}
    table = over_time(of.tables.basis.activity(None), of.tables.rows, PeriodMeasure.SHARE)
    own = table[table[Col.KEY] == "segment:0"].sort_values(PERIOD)
    first, last = found.facts[:2]
    assert (first.value, last.value) == (own[VALUE].iloc[0], own[VALUE].iloc[-1])
    assert (first.value, last.value) == pytest.approx((0.2, 0.8))
    said = plain(found.blocks, made.context.titles())
    assert "on 1 Mar 2016" in said and "on 4 Mar 2016" in said
    assert f"larger at the end: {made.context.title('segment:0')}" in said
    assert f"smaller at the end: {made.context.title('segment:1')}" in said


def test_a_share_that_stays_is_not_told_to_grow() -> None:
    made, found = about("growth", of=growing(20, 20))
    assert not found.facts
    assert STEADY.format("day") in plain(found.blocks, made.context.titles())
    made, found = about("growth", of=growing(20, 23))  # no whole story, but what there is
    assert [fact.row for fact in found.facts] in (["segment:0"] * 2, ["segment:1"] * 2)
    assert [fact.value for fact in found.facts] in ([0.5, 23 / 40], [0.5, 17 / 40])
    said = plain(found.blocks, made.context.titles())
    assert STEADY.format("day") in said and LARGEST_CHANGE_NOTE in said
    made, found = about("growth", "segment:0", growing(20, 20))
    assert len(found.facts) == 2
    assert "not shown to differ" in plain(found.blocks, made.context.titles())

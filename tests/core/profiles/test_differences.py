"""The table of differences: by eye on eight users, against scipy, and where nothing differs."""

import os
import subprocess
import sys
import tracemalloc
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import sparse, stats

from core.base.schema import Group
from core.base.settings import AnalyzeSettings
from core.facts.fact_maker import Figures
from core.profiles.data import GROUPS, EncodedColumn, ProfileData
from core.profiles.difference_words import in_words
from core.profiles.differences import (
    COLUMNS,
    OF_OUTCOME,
    Diff,
    differences,
    is_apart,
    pair_differences,
    top_differences,
)
from core.profiles.means import ComparedGroups, UserValues, compare_means, decide_shares, decide_values
from core.profiles.metrics import profile
from core.profiles.outcomes import OutcomeRecord
from core.profiles.profile_columns import Col, MetricRole, RowKind
from core.profiles.rows import make_rows
from core.profiles.user_items import Family, UserItems, _tells
from tests.core.facts.shop import shop
from tests.core.profiles.test_rows import one_page
from tests.core.profiles.toy import LABELS, outcomes, tables, toy, toy_tables

PURCHASE = toy().outcomes.inside(AnalyzeSettings())


def toy_items() -> UserItems:
    _, pages, _, sequences = toy_tables()
    way = np.array(["searchers"] * 4 + [""] * 4, dtype=object)
    rhythm = np.array([""] * 3 + ["weekend visitors"] * 3 + ["any"] * 2, dtype=object)
    themes = {"theme": ["No theme", "Shoes", "Hats", "No theme"]}
    cart = np.array(["a cart"] * 5 + [""] * 3, dtype=object)
    levels = {Family.LEVEL: [way], Family.RHYTHM: [rhythm], Family.STAGE: [cart]}
    return UserItems.from_tables(toy(), pages, sequences, themes, levels)


def test_items_of_the_eight_by_eye() -> None:
    families = toy_items().families
    assert dict(zip(families[Family.PAGE].names, families[Family.PAGE].has.sum(axis=0), strict=True)) == {
        "/sale": 4, "/": 4, "/blog": 4, "/cart": 3,
    }  # fmt: skip
    assert set(families[Family.THEME].names) == {"Shoes", "Hats"}
    items = {family: families[family] for family in (Family.LEVEL, Family.RHYTHM, Family.STAGE)}
    assert [made.names for made in items.values()] == [("searchers",), ("weekend visitors",), ("a cart",)]
    assert [made.has.sum() for made in items.values()] == [4, 3, 5]
    assert families["source"].known.tolist() == [True, True, False, True, True, True, True, False]


def test_what_no_model_saw_is_tested_and_the_way_to_an_outcome_never() -> None:
    """Of the levels of facets only hours are hidden from a model, unless pages tell them."""
    items, rows = toy_items(), make_rows(toy(), LABELS)
    by_outcome = replace(rows, called=(("outcome:with", "Converted"), ("outcome:without", "Others")))
    given = replace(items, given_away=frozenset({Family.RHYTHM}))
    family = (Family.INTEREST, Family.LEVEL, Family.STAGE, Family.RHYTHM)
    derived, held_out, rule = MetricRole.DERIVED, MetricRole.HELD_OUT, MetricRole.RULE
    assert [items.role_of(one, rows) for one in family] == [derived, derived, derived, held_out]
    assert [given.role_of(one, rows) for one in family] == [derived] * 4
    assert [items.role_of(one, by_outcome) for one in family] == [held_out, held_out, rule, held_out]


@pytest.mark.parametrize("at_once", [1, 99, 1 << 16])
@pytest.mark.parametrize(("dated", "role"), [(True, MetricRole.DERIVED), (False, MetricRole.HELD_OUT)])
def test_a_weekday_that_pages_tell_is_no_finding(
    dated: bool, role: MetricRole, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """350 users see an article twice: that of their weekday, or any."""
    monkeypatch.setattr("core.profiles.user_items.PAGES_AT_ONCE", at_once)
    rng = np.random.default_rng(0)
    day, any_day = rng.integers(0, 7, (2, 350))
    visits = [[[article, article]] for article in (day if dated else any_day).tolist()]
    users, pages, views = tables(visits, [Group.SEGMENT] * 350, 7)
    views = replace(views, timestamp=views.timestamp + np.repeat(day, 2) * 86_400_000_000)
    data = ProfileData.from_tables(users, pages, outcomes([]), views)
    items = UserItems.from_tables(data, pages, views)
    assert (Family.RHYTHM in items.given_away) == dated
    table = differences(data, make_rows(data, (day < 3).astype(np.int32)), items)
    told = table[table[Diff.FAMILY] == Family.WEEKDAY]
    assert set(told[Diff.ROLE]) == {role.value}
    assert told[Diff.P_VALUE].isna().all() == dated


def test_hours_are_held_against_pages_a_part_at_a_time() -> None:
    """400,000 pages by 24 hours would be 77 MB."""
    user, page = np.repeat(np.arange(20_000), 20), np.tile(np.arange(20), 20_000)
    seen = sparse.csr_array((np.ones(len(user), np.int32), (user, page)))
    hours = EncodedColumn(np.arange(20_000) % 24, tuple(map(str, range(24))))
    tracemalloc.start()
    assert _tells(seen, hours) < 0
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 60 << 20


def test_the_cart_of_the_first_segment_by_eye() -> None:
    """2 of the 3 saw it, and none of the 2 other clustered users; the model saw it, so nothing is tested."""
    table = differences(toy(), make_rows(toy(), LABELS), toy_items(), PURCHASE)
    assert tuple(table.columns) == COLUMNS
    row = table.set_index([Col.KEY, Diff.FAMILY, Diff.ITEM]).loc[("segment:0", "page", "/cart")]
    assert row[[Col.USERS, Col.N, Col.REST_USERS, Col.REST_N]].tolist() == [2, 3, 0, 2]
    assert (row[Diff.ROLE], row[Diff.TEST]) == ("input", "")
    assert row[[Diff.Q_VALUE, Diff.DIFFERS, Diff.RANK]].isna().all()


def test_users_of_whom_too_few_share_anything_differ_by_their_measures_alone() -> None:
    table = differences(toy(), make_rows(toy(), LABELS), UserItems({}))
    assert set(table[Diff.FAMILY]) == {Family.MEASURE}
    assert tuple(table.columns) == COLUMNS


def test_a_pair_is_the_table_of_two_rows() -> None:
    rows = make_rows(toy(), LABELS)
    pair = pair_differences(toy(), rows, ("segment:0", "segment:1"), toy_items(), PURCHASE)
    whole = differences(toy(), make_rows(toy(), LABELS), toy_items(), PURCHASE)
    whole = whole[whole[Col.KEY].isin(["segment:0", "segment:1"])].reset_index(drop=True)
    compared = [name for name in COLUMNS if name not in (Diff.Q_VALUE, Diff.RANK)]
    assert pair[compared].equals(whole[compared])  # there are but two segments


def test_means_are_compared_as_scipy_does() -> None:
    rng = np.random.default_rng(0)
    place, values = rng.integers(0, 2, 300), rng.geometric(0.2, 300).astype(float)
    found = compare_means(UserValues(values, np.ones(300)), ComparedGroups(place, 2, 2))
    one, other = values[place == 0], values[place == 1]
    ends = stats.ttest_ind(one, other, equal_var=False).confidence_interval()
    assert found.difference_low[0] == pytest.approx(ends.low)
    assert found.difference_high[0] == pytest.approx(ends.high)
    p = stats.mannwhitneyu(one, other, method="asymptotic").pvalue
    leans = stats.mannwhitneyu(one, other).statistic / len(one) / len(other) - 0.5
    assert found.p_value[0] == pytest.approx(p if leans * (one.mean() - other.mean()) >= 0 else 1)


def test_where_nothing_differs_little_is_called_different() -> None:
    """Segments drawn at random over what is held out: q is below 5 % in less than 5 % of 20 draws' rows."""
    tables = shop().context.tables
    data, items = tables.basis.data, tables.basis.items
    bought = data.outcomes.inside(AnalyzeSettings())
    inside, found = data.group == GROUPS.index(Group.SEGMENT), []
    for seed in range(20):
        labels = np.where(inside, np.random.default_rng(seed).integers(0, 4, data.n_users), -1)
        table = differences(data, make_rows(data, labels), items, bought)
        tested = table[(table[Col.KIND] == "segment") & table[Diff.P_VALUE].notna()]
        assert set(tested[Diff.ROLE]) == {MetricRole.HELD_OUT.value}
        found += (tested[Diff.Q_VALUE] < 0.05).tolist()
        untested = table[table[Diff.P_VALUE].isna() & (table[Diff.ROLE] != MetricRole.HELD_OUT)]
        assert len(untested) > len(tested)  # pages, that made segments of another draw
        assert untested[Diff.DIFFERS].isna().all() and untested[Diff.RANK].isna().all()
    assert np.mean(found) < 0.05


def test_what_is_large_leads_and_filler_does_not_rank() -> None:
    table = shop().context.tables.differences
    lead = top_differences(table, "segment:0")
    assert 0 < len(lead) <= 3
    assert lead[Diff.FAMILY].is_unique
    input_rows = lead[lead[Diff.ROLE] == MetricRole.INPUT]
    assert (
        len(input_rows) and in_words(input_rows)["difference"].str.endswith("points, by construction").all()
    )
    ranked = table[table[Diff.RANK].notna()]
    assert ranked[Diff.DIFFERS].all()
    assert ranked[Diff.EFFECT_LOW].min() >= 0.1
    said = in_words(table[~table[Diff.DIFFERS]])["difference"]
    assert said.str.startswith("not shown to differ").all()


def test_a_large_difference_is_shown_and_one_of_six_buyers_is_not() -> None:
    """5.75 % of 1,252 against 2.93 % of 1,673; six of 114 against forty of 940."""
    assert decide_shares(72, 1_252, 49, 1_673, MetricRole.HELD_OUT).differs
    small = decide_shares(6, 114, 40, 940, MetricRole.HELD_OUT)
    assert not small.differs
    assert small.detectable > 6 / 114 - 40 / 940


def measures(conversions: OutcomeRecord) -> pd.DataFrame:
    table = differences(toy(), make_rows(toy(), LABELS), toy_items(), {"outcome": conversions})
    own = table[(table[Col.KEY] == "segment:0") & (table[Diff.FAMILY] == Family.MEASURE)]
    return own.set_index(Diff.ITEM)


@pytest.mark.parametrize("money", [{}, {"EUR": [30.0, np.nan], "USD": [np.nan, 9.0]}])
def test_revenue_that_is_absent_is_not_0(money: dict[str, list[float]]) -> None:
    """Nobody paid, or in two currencies, which are not added up: there is nothing to compare."""
    paid = {currency: np.array(values) for currency, values in money.items()}
    bought = OutcomeRecord(np.array([0, 3]), np.ones(2), np.zeros(2, np.int64), paid)
    found = measures(bought)
    assert "revenue_per_user" not in found.index
    assert "session_rate" in found.index
    assert "revenue_per_user" in measures(PURCHASE["purchase"]).index


def test_sessions_that_are_not_known_are_not_compared() -> None:
    either = OutcomeRecord(np.array([0, 3]), np.full(2, np.nan), np.zeros(2, np.int64), {})
    assert "session_rate" not in measures(either).index


def test_the_session_rate_of_a_page_that_the_model_saw_is_no_finding() -> None:
    saw = toy().outcomes.inside(AnalyzeSettings(outcome=("page:/cart",)))
    table = differences(toy(), make_rows(toy(), LABELS), toy_items(), saw)
    of_outcome = table[table[Diff.ITEM].isin(["page:/cart", "session_rate"])]
    assert set(of_outcome[Diff.ROLE]) == {MetricRole.INPUT.value}
    assert of_outcome[Diff.P_VALUE].isna().all()


def test_an_outcome_that_a_page_gives_away_is_no_finding() -> None:
    """The model of the eight read no thanks page; once a page gives the purchase away, it knew."""
    data = replace(toy(), outcomes=replace(toy().outcomes))  # what is written into it stays here
    had = data.outcomes.inside(AnalyzeSettings())
    told = differences(data, make_rows(data, LABELS), toy_items(), had).set_index(Diff.ITEM)
    assert set(told.loc["purchase", Diff.ROLE]) == {MetricRole.HELD_OUT}
    data.outcomes._leaks[("purchase",)] = ("shop.example/thanks",)  # eight users are too few to find it
    table = differences(data, make_rows(data, LABELS), toy_items(), had)
    of_outcome = table[table[Diff.ITEM].isin(["purchase", "session_rate", "revenue_per_user"])]
    assert set(of_outcome[Diff.ROLE]) == {MetricRole.INPUT}
    assert of_outcome[Diff.P_VALUE].isna().all()


def test_the_table_is_the_same_in_every_process() -> None:
    """Words of a page came as a set, in the order of hashes that are drawn anew by each process."""
    code = (
        "from tests.core.facts.shop import shop\n"
        "from core.profiles.user_items import Family\n"
        "print(shop().context.tables.basis.items.families[Family.WORD].names)"
    )
    said = [
        subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert said[0] == said[1]
    assert len(said[0]) > 20


def test_engagement_that_the_export_never_sent_is_not_compared() -> None:
    silent = replace(toy(), engagement_s=np.full(toy().n_users, np.nan))
    table = differences(silent, make_rows(silent, LABELS), toy_items(), PURCHASE)
    assert not table[Diff.ITEM].str.startswith("engagement").any()


def test_where_all_users_are_the_same_no_least_difference_is_told() -> None:
    """It was 0.0, as if any difference would have been seen; the spread of more users is not known."""
    found = compare_means(UserValues(np.full(40, 3.0), np.ones(40)), ComparedGroups(np.arange(40) % 2, 2, 2))
    assert np.isnan(found.detectable).all()
    assert found.difference_low.tolist() == [0, 0]


def test_what_ranks_call_different_is_not_where_the_interval_of_the_means_holds_0() -> None:
    """36 of 40 stay a little longer than all of 40 others; one who stays very long widens the interval."""
    seconds = np.concatenate([np.tile([11.0, 12.0], 18), [0.1] * 3, [400.0], np.tile([9.0, 10.0], 20)])
    sides = ComparedGroups(np.repeat([0, 1], 40), 2, 2)
    found = compare_means(UserValues(seconds, np.ones(80)), sides)
    assert found.p_value[0] < 0.05
    assert found.difference_low[0] < 0 < found.difference_high[0]
    assert not decide_values(UserValues(seconds, np.ones(80)), sides, MetricRole.HELD_OUT).differs


def test_a_tested_row_differs_only_where_its_interval_leaves_out_0() -> None:
    table = shop().context.tables.differences
    shown = table[table[Diff.DIFFERS]]
    assert ((shown[Diff.DIFFERENCE_LOW] > 0) | (shown[Diff.DIFFERENCE_HIGH] < 0)).all()
    assert (shown.loc[shown[Diff.ROLE] == MetricRole.HELD_OUT, Diff.Q_VALUE] < 0.05).all()


def test_outcomes_are_corrected_among_themselves() -> None:
    """What nobody asked for must not hide what was: the q of the outcome is that of its own tests."""
    table = differences(toy(), make_rows(toy(), LABELS), toy_items(), PURCHASE)
    own = table[(table[Col.KIND] == "segment") & (table[Diff.FAMILY] == Family.OUTCOME)]
    assert len(own) == 2
    assert own[Diff.Q_VALUE].tolist() == pytest.approx(stats.false_discovery_control(own[Diff.P_VALUE]))


def test_what_made_a_segment_by_rule_is_no_finding_and_its_outcome_is_one() -> None:
    """Users of one page are told apart by source, device, engagement: that they differ there says nothing."""
    table = differences(toy(), make_rows(toy(), LABELS, one_page([5], [6])), toy_items(), PURCHASE)
    by_rule = table[table[Col.KIND] == RowKind.ONE_PAGE]
    of_outcome = by_rule[Diff.FAMILY].eq(Family.OUTCOME) | by_rule[Diff.ITEM].isin(OF_OUTCOME)
    made = by_rule[Diff.FAMILY].isin([Family.MEASURE, "source", "device"]) & ~of_outcome
    assert set(by_rule[made][Diff.ROLE]) == {"rule"} and by_rule[made][Diff.P_VALUE].isna().all()
    assert set(by_rule[of_outcome][Diff.ROLE]) == {"held out"}


def test_what_made_the_rows_of_the_outcome_is_no_finding() -> None:
    """That buyers purchase, and what follows from it, is not tested, does not rank and takes no place."""
    by_outcome = shop().context.tables.by_outcome
    assert by_outcome is not None
    for table in (by_outcome.differences, by_outcome.pair("outcome:with", "outcome:without")):
        own = table[table[Col.KIND] == RowKind.SEGMENT]
        echo = own[Diff.FAMILY].eq(Family.OUTCOME) | own[Diff.ITEM].isin(["session_rate", "revenue_per_user"])
        assert echo.sum() == 6
        assert set(own[echo][Diff.ROLE]) == {"rule"}
        assert own[echo][Diff.P_VALUE].isna().all() and own[echo][Diff.RANK].isna().all()
        assert Family.OUTCOME not in set(top_differences(table, "outcome:with")[Diff.FAMILY])
        paying = own[(own[Diff.FAMILY] == Family.PAGE) & (own[Diff.ITEM] == "/checkout/payment")]
        assert set(paying[Diff.ROLE]) == {"held out"} and paying[Diff.DIFFERS].all()  # no model made them
    revenue = Figures(replace(shop().context, tables=by_outcome)).needed("outcome:with", "revenue_per_user")
    assert Figures(replace(shop().context, tables=by_outcome)).contrast(revenue, "outcome:without").test == ""


def test_a_page_that_is_the_outcome_does_not_lead_what_sets_its_viewers_apart() -> None:
    tables = shop().context.tables
    data, page = tables.basis.data, tables.basis.pages[1]
    saw = profile(data, tables.partition.labels, AnalyzeSettings(outcome=(f"page:{page}",)))
    by_outcome = replace(tables, profiles=saw).by_outcome
    assert by_outcome is not None
    own = by_outcome.differences.set_index([Col.KEY, Diff.FAMILY, Diff.ITEM]).loc[
        "outcome:with", "page", page
    ]
    assert (own[Col.VALUE], own[Diff.REST_VALUE]) == (1, 0)
    assert pd.isna(own[Diff.RANK])
    lead = top_differences(by_outcome.differences, "outcome:with", 99)
    assert (Family.PAGE, page) not in set(zip(lead[Diff.FAMILY], lead[Diff.ITEM], strict=True))


def test_what_nobody_else_did_is_only_here() -> None:
    table = shop().context.tables.differences
    alone = table[is_apart(table) & np.isinf(table[Diff.RATIO])]
    assert len(alone)
    assert set(in_words(alone)["ratio"]) == {"only here"}


def test_the_least_difference_is_left_out_where_what_was_seen_is_no_less() -> None:
    table = shop().context.tables.differences
    large = table[~table[Diff.DIFFERS] & (table[Col.DIFFERENCE].abs() >= table[Diff.DETECTABLE])]
    assert len(large) and set(in_words(large)["difference"]) == {"not shown to differ"}

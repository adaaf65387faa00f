"""The eight users, by hand; and a stranger who knows everything that was told and the size of each row."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.base.settings import AnalyzeSettings, OutcomeCount
from core.facts.context import UNSEEN, Context, Tables
from core.facts.fact_maker import Figures
from core.facts.items import ItemMetric
from core.facts.like_tools import look_alikes
from core.facts.move_tools import differing_steps
from core.facts.rule_tools import segment_rule
from core.profiles.metrics import profile
from core.profiles.profile_columns import Col
from core.profiles.user_items import Family
from core.writing.payload import AffectedUsers, affected_users, gives_away, is_few, is_total, withheld_cells
from tests.core.facts.shop import shop, shop_figures
from tests.core.facts.test_like_tools import answering
from tests.core.facts.toy import basis, figures, partition, rule_figures, two_currencies, without_outcome
from tests.core.profiles.toy import LABELS, toy

ROWS = st.lists(
    st.integers(1, 12).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), min_size=1, max_size=4
)


@given(rows=ROWS, fewest=st.integers(1, 5))
def test_who_knows_what_is_told_cannot_tell_a_hidden_part(rows: list[tuple[int, int]], fewest: int) -> None:
    """Of each row n users are known; how many of them do something is told, or the total of all rows is.

    A count that is hidden is one of few users or of all but few. The stranger tries every way to fill in the
    hidden ones that agrees with the total; that these are together few must never follow.
    """
    parts = [AffectedUsers(doing, n - doing) for doing, n in rows]
    hidden = [(doing, n) for (doing, n), part in zip(rows, parts, strict=True) if part.is_few(fewest)]
    if not hidden or gives_away(parts, fewest):
        return
    left = sum(doing for doing, _ in hidden)
    assert fewest <= left <= sum(n for _, n in hidden) - fewest
    ways = [way for way in product(*(range(n + 1) for _, n in hidden)) if sum(way) == left]
    assert all(len({way[place] for way in ways}) > 1 for place in range(len(hidden)))


@pytest.mark.parametrize(
    ("parts", "gives"),
    [
        ([AffectedUsers(30, 40), AffectedUsers(50, 60)], False),
        ([AffectedUsers(30, 40), AffectedUsers(3, 60)], True),  # all less the other is 3
        ([AffectedUsers(387, 4), AffectedUsers(50, 60)], True),  # all less the other leaves out 4
        ([AffectedUsers(30, 40), AffectedUsers(3, 60), AffectedUsers(4, 60)], True),  # together 7
        ([AffectedUsers(30, 40), AffectedUsers(12, 60), AffectedUsers(15, 60)], False),
        ([AffectedUsers(30, 40), AffectedUsers(60, 12), AffectedUsers(60, 3)], True),
        ([AffectedUsers(30), AffectedUsers(12), AffectedUsers(15)], False),
        ([AffectedUsers(30), AffectedUsers(0)], True),
        ([], False),
    ],
)
def test_totals(parts: list[AffectedUsers], gives: bool) -> None:
    assert gives_away(parts, 20) is gives


def test_whom_a_figure_tells_about() -> None:
    made = figures()
    rate, users, share = (made.needed("segment:0", name) for name in (Col.OUTCOME_RATE, Col.USERS, Col.SHARE))
    assert affected_users(made, users) == affected_users(made, share) == AffectedUsers(3)
    converted = int(made.context.row("segment:0")[Col.OUTCOME_USERS])
    assert affected_users(made, rate) == AffectedUsers(converted, 3 - converted)
    assert affected_users(made, made.needed("all", Col.USERS)) == AffectedUsers(8)
    page = made.context.tables.basis.pages[0]
    shares = [made.item(key, Family.PAGE, page, ItemMetric.SHARE) for key in made.context.keys]
    for fact in filter(None, shares):
        inside = round(fact.value * fact.n)
        assert affected_users(made, fact) == AffectedUsers(inside, fact.n - inside)


def test_a_rule_tells_about_those_it_finds_and_those_it_does_not() -> None:
    made = rule_figures()
    users, precision, recall = segment_rule(made, segment="segment:0").facts
    assert [affected_users(made, fact) for fact in (users, precision, recall)] == [
        AffectedUsers(20, 20), AffectedUsers(10, 0), AffectedUsers(10, 0)
    ]  # fmt: skip
    assert [is_total(made, fact, 1) for fact in (users, precision, recall)] == [True, False, False]


def test_a_step_tells_about_those_who_took_it_and_those_who_only_were_there() -> None:
    made = rule_figures()
    first = differing_steps(made, segment="segment:0", by="page", n=5).facts[0]
    assert affected_users(made, first) == AffectedUsers(0, 20)


def test_where_look_alikes_are_stays_here_but_not_how_many_there_are() -> None:
    found = look_alikes(answering([]), segment="segment:0").facts
    assert [affected_users(answering([]), fact) for fact in found] == [
        AffectedUsers(6, 15),
        AffectedUsers(0),
        AffectedUsers(0),
    ]


def test_a_figure_of_before_that_the_data_no_longer_have_is_of_nobody() -> None:
    gone = figures().needed("segment:0", Col.OUTCOME_RATE)
    assert is_few(Figures(without_outcome()), gone, 1)


def test_nobody_and_everybody_are_few() -> None:
    assert AffectedUsers(0, 40).is_few(1)
    assert AffectedUsers(40, 0).is_few(1)
    assert not AffectedUsers(40).is_few(1)


def test_all_users_are_withheld_where_one_row_is_and_so_is_every_share_of_them() -> None:
    made, context = shop_figures(), shop().context
    smallest, second = sorted(int(context.row(key)[Col.USERS]) for key in context.keys)[:2]
    every, share = made.needed("all", Col.USERS), made.needed("segment:0", Col.SHARE)
    clustered, own = made.needed("segment:0", Col.SHARE_CLUSTERED), made.needed("segment:0", Col.USERS)
    for fewest, hidden in ((smallest, False), (smallest + 1, smallest < second)):
        assert [is_total(made, fact, fewest) for fact in (every, share)] == [hidden, hidden]
        assert not is_total(made, own, fewest)
    assert is_total(
        made, clustered, 1 + min(int(context.row(key)[Col.USERS]) for key in context.segment_keys)
    )


def test_a_lift_is_withheld_where_it_gives_the_others_away() -> None:
    made, context, told = shop_figures(), shop().context, set()
    for page, fewest in product(context.tables.basis.pages[:12], range(1, 10)):
        lift = made.item("segment:0", Family.PAGE, page, ItemMetric.LIFT)
        parts = [made.item(key, Family.PAGE, page, ItemMetric.SHARE) for key in context.segment_keys]
        if lift and sum(is_few(made, fact, fewest) for fact in parts if fact) == 1:
            assert is_total(made, lift, fewest)
            told.add(page)
    assert len(told) > 3


WHOLES = {"segment:0": 239, "segment:1": 300, "all": 539}
DEVICES = {
    ("segment:0", "mobile"): 130, ("segment:0", "desktop"): 101, ("segment:0", "tablet"): 8,
    ("segment:1", "mobile"): 150, ("segment:1", "desktop"): 100, ("segment:1", "tablet"): 50,
    ("all", "mobile"): 280, ("all", "desktop"): 201, ("all", "tablet"): 58,
}  # fmt: skip


def test_what_is_left_of_a_row_is_withheld_with_the_next_smallest() -> None:
    assert withheld_cells(DEVICES, WHOLES, 20) == {
        ("segment:0", "tablet"), ("segment:0", "desktop"), ("all", "tablet"), ("all", "desktop")
    }  # fmt: skip
    assert withheld_cells(DEVICES, WHOLES, 8) == set()


@given(
    rows=st.lists(st.lists(st.integers(0, 9), min_size=4, max_size=4), min_size=2, max_size=4),
    fewest=st.integers(1, 5),
)
def test_no_cell_of_few_users_follows_from_what_is_shown(rows: list[list[int]], fewest: int) -> None:
    """Every row, every value and the rows' users are sums that the stranger knows or can write down.

    The last number of a row are users without a value.
    """
    table = [*rows, [sum(column) for column in zip(*rows, strict=True)]]
    names = [*(f"segment:{row}" for row in range(len(rows))), "all"]
    cells = {
        (name, at): n
        for name, row in zip(names, table, strict=True)
        for at, n in zip("abc", row, strict=False)
    }
    wholes = {name: sum(row) for name, row in zip(names, table, strict=True)}
    hidden = withheld_cells(cells, wholes, fewest)
    rest = {(name, ""): row[-1] for name, row in zip(names, table, strict=True) if row[-1]}
    few = {cell for cell, n in (cells | rest).items() if AffectedUsers(n, wholes[cell[0]] - n).is_few(fewest)}
    assert few <= hidden
    if cells.keys() <= hidden:
        return
    ordered = sorted(hidden)
    sums = [[float(row == name) for row, _ in ordered] for name in names]
    sums += [[(-1.0 if row == "all" else 1.0) * (at == one) for row, at in ordered] for one in ("", *"abc")]
    matrix = np.array(sums)
    ways = np.linalg.svd(matrix)[2][np.linalg.matrix_rank(matrix) :] if ordered else ()
    assert all(any(abs(way[ordered.index(cell)]) > 1e-9 for way in ways) for cell in few)
    for name in names:
        own = [cell for cell in hidden if cell[0] == name]
        assert not own or sum((cells | rest).get(cell, 0) for cell in own) >= min(fewest, wholes[name])


def test_what_would_give_a_device_away_has_no_value() -> None:
    made, context = shop_figures(), shop().context
    withheld, shown = [], []
    for key, device in product(context.keys, context.tables.attributes["device"]):
        fact = made.item(key, "device", device, ItemMetric.SHARE)
        if fact and not is_few(made, fact, 20):
            (withheld if is_total(made, fact, 20) else shown).append(fact)
    assert withheld
    assert shown
    lift = made.item("segment:0", "device", "tablet", ItemMetric.LIFT)
    assert lift is None or is_total(made, lift, 20)


def test_money_of_a_currency_and_of_users_in_no_row_stays_here() -> None:
    made = Figures(two_currencies())
    users = made.needed("all", "outcome_users")
    apart = [*made.each("all", "revenue"), users.model_copy(update={"segments": (UNSEEN,)})]
    assert [fact.text for fact in apart[:2]] == ["30.00 GBP", "20.00 EUR"]
    assert all(is_few(made, fact, 1) for fact in apart)


def test_an_outcome_that_gives_another_one_away_is_withheld() -> None:
    """Of one segment of five, three have any outcome; by their first one, two of these are the cart's."""
    labels = np.where(LABELS >= 0, 0, -1).astype(np.int32)
    asked = AnalyzeSettings(outcome=("add_to_cart", "purchase"), outcome_counts=OutcomeCount.FIRST)
    tables = Tables(basis(), profile(toy(), labels, asked), partition(labels))
    made = Figures(Context(tables))
    whole = made.needed("segment:0", Col.OUTCOME_USERS)
    cart, bought = (
        made.item("segment:0", Family.OUTCOME, name, ItemMetric.SHARE) for name in tables.profiles.chosen
    )
    assert cart and bought
    assert (whole.value, cart.text, bought.users) == (3, "40%", 1)
    assert [is_few(made, fact, 2) for fact in (whole, cart, bought)] == [False, False, True]
    assert (is_total(made, whole, 2), is_total(made, cart, 2)) == (False, True)

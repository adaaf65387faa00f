"""Answers to queries of five users whose figures can be counted by eye."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats

from core.base.errors import ArtifactError, InputError
from core.query.conditions import People
from core.query.execute import Result, execute
from core.query.layout import layout_of as query_data
from core.query.query import Quantity, Query
from core.storage.dataset import TimedEvents
from tests.core.query.five_users import VISITORS, Visitor, five_users, tables_of
from tests.core.query.made_site import made_site


def did(*names: str, **more: object) -> dict[str, Any]:
    """Who saw a page (``/cart``) or did an event; several one after the other."""
    steps = [{"kind": "page" if name.startswith("/") else "event", "any_of": [name]} for name in names]
    return {"kind": "did", "steps": steps, **more}


def is_(dimension: str, *values: str) -> dict[str, Any]:
    return {"kind": "is", "dimension": dimension, "any_of": list(values)}


def has(count: str, **limits: float) -> dict[str, Any]:
    return {"kind": "has", "count": count, "range": limits}


def came(**period: object) -> dict[str, Any]:
    return {"kind": "came", "period": period}


BUY, ADD, CART = did("purchase"), did("add"), did("/cart")
SECOND = {"first_day": "2025-09-02", "last_day": "2025-09-02"}
"""A day on which ann, dan and eve came; eve's visit ends on the next one."""


def asked(**parts: object) -> Result:
    return execute(Query.checked(**parts), five_users())


def rows(**parts: object) -> dict[str, float]:
    """The rows of an answer in their order: name → value, to four digits."""
    return {row.name: round(row.value, 4) for row in asked(**parts).rows}


@pytest.mark.parametrize(
    ("measure", "of", "value", "n", "users"),
    [
        ("users", None, 5, 5, 5), ("share", BUY, 0.4, 5, 5), ("share", None, 1, 5, 5),
        ("sessions", None, 8, 5, 5), ("sessions_per_user", None, 1.6, 5, 5),
        ("session_rate", BUY, 0.25, 8, 5),
        ("views", None, 16, 5, 5), ("views", CART, 3, 5, 3), ("views_per_user", None, 3.2, 5, 5),
        ("views_per_user", CART, 0.6, 5, 5), ("views_per_session", None, 2, 8, 5),
        ("pages_per_user", None, 2.6, 5, 5), ("events", BUY, 2, 5, 2), ("events", CART, 3, 5, 3),
        ("events_per_user", ADD, 0.4, 5, 5), ("engagement", None, 30, 3, 3), ("revenue", None, 40, 5, 2),
        ("net_revenue", None, 30, 5, 1), ("revenue_per_user", None, 8, 5, 5), ("order_value", None, 20, 2, 2),
        ("refunds", None, 10, 5, 1), ("refund_share", None, 0.25, 40, 2),
        ("net_order_value", None, 15, 2, 2), ("net_revenue_per_user", None, 6, 5, 5),
        ("time_to", BUY, (240 + 604_920) / 2, 2, 2),
        ("views", CART | {"at": "exit"}, 3, 5, 3), ("views", CART | {"at": "entry"}, 0, 5, 0),
        ("session_rate", did("/sale", at="entry"), 0.125, 8, 5),
        ("time_to", did("/sale", at="exit"), (60 + 604_860) / 2, 2, 2),
    ],
)  # fmt: skip
def test_each_measure(measure: str, of: object, value: float, n: int, users: int) -> None:
    (row,) = asked(measure=measure, of=of).rows
    assert (row.name, row.value, row.n, row.users) == ("", value, n, users)


@pytest.mark.parametrize(
    ("by", "users", "views"),
    [
        ("segment", {"segment:0": 2, "segment:1": 2}, {"segment:0": 8, "segment:1": 6}),
        ("device", {"desktop": 3, "mobile": 2}, {"desktop": 8, "mobile": 8}),
        ("browser", {"Chrome": 5}, {"Chrome": 16}),
        ("source", {"google / organic": 2, "news / email": 2}, {"google / organic": 8, "news / email": 6}),
        ("visitor", {"came once": 2, "came again": 3}, {"came once": 4, "came again": 12}),
        ("n_sessions", {"1": 2, "2": 3}, {"1": 4, "2": 12}),
        ("page", {"/": 5, "/sale": 3, "/cart": 3, "/blog/knots": 2},
         {"/": 6, "/sale": 4, "/cart": 3, "/blog/knots": 3}),
        ("folder", {"/": 5, "/blog/": 2}, {"/": 13, "/blog/": 3}),
        ("template", {"/": 5, "/sale": 3, "/cart": 3, "/blog/:slug": 2},
         {"/": 6, "/sale": 4, "/cart": 3, "/blog/:slug": 3}),
        ("theme", {"No theme": 5, "Deals": 3, "Hiking": 2}, {"No theme": 9, "Deals": 4, "Hiking": 3}),
        ("type", {"Homepage": 5, "Category": 3, "Cart & checkout": 3, "Article": 2},
         {"Homepage": 6, "Category": 4, "Cart & checkout": 3, "Article": 3}),
        ("entry", {"/": 5, "/sale": 1, "/blog/knots": 1}, {"/": 12, "/sale": 2, "/blog/knots": 2}),
        ("exit", {"/cart": 3, "/sale": 2, "/blog/knots": 2, "/": 1},
         {"/cart": 7, "/sale": 4, "/blog/knots": 4, "/": 1}),
        ("day", {"2025-09-01": 3, "2025-09-02": 3, "2025-09-03": 1, "2025-09-08": 1, "2025-09-09": 1},
         {"2025-09-01": 7, "2025-09-02": 4, "2025-09-03": 1, "2025-09-08": 2, "2025-09-09": 2}),
        ("week", {"2025-09-01": 5, "2025-09-08": 2}, {"2025-09-01": 12, "2025-09-08": 4}),
        ("month", {"2025-09": 5}, {"2025-09": 16}),
        ("weekday", {"Monday": 3, "Tuesday": 3, "Wednesday": 1}, {"Monday": 9, "Tuesday": 6, "Wednesday": 1}),
        ("hour", {"00:00": 1, "09:00": 2, "10:00": 2, "22:00": 1, "23:00": 1},
         {"00:00": 1, "09:00": 6, "10:00": 6, "22:00": 2, "23:00": 1}),
    ],
)  # fmt: skip
def test_each_dimension(by: str, users: dict[str, float], views: dict[str, float]) -> None:
    for measure, expected in (("users", users), ("views", views)):
        found = rows(measure=measure, by=by)
        assert found == expected
        assert list(found) == list(expected)


def test_what_comes_before_and_after_a_page() -> None:
    assert rows(by="next", measure="views", of=did("/")) == {
        "/sale": 3,
        "/cart": 1,
        "/blog/knots": 1,
        "(end of the session)": 1,
    }
    assert rows(by="next", measure="users", of=did("/"), where=did("add")) == {
        "/sale": 2,
        "(end of the session)": 1,
    }
    assert rows(by="previous", measure="share", of=CART) == {"/sale": 0.6667, "/": 0.3333}
    assert rows(by="previous", of=did("/sale")) == {"/": 3, "(start of the session)": 1}
    assert rows(by="next", of=did("/sale", at="entry")) == {"/cart": 1}


def test_the_end_of_a_session_takes_no_page_s_place() -> None:
    names = list(rows(by="next", measure="views", of=did("/"), limit=1))
    assert names[-1] == "(end of the session)" and len(names) == 2


def test_events_have_no_next_page() -> None:
    with pytest.raises(InputError, match="between pages"):
        asked(by="next", of=BUY)


def test_events_by_name() -> None:
    assert rows(by="event", measure="events") == {"add": 2, "purchase": 2}
    assert rows(by="event", measure="events", of=ADD) == {"add": 2}
    assert rows(by="event", measure="users", where=is_("device", "mobile")) == {"add": 1, "purchase": 1}
    assert rows(by="event", measure="share") == {"add": 0.4, "purchase": 0.4}
    assert rows(by="event", measure="share", of=did("add", "/cart")) == {"add": 0.5, "purchase": 0.5}


@pytest.mark.parametrize(
    ("where", "who"),
    [
        (BUY, "ann dan"), (CART, "ann bob eve"), (did("/*"), "ann bob cat dan eve"),
        (did("PURCHASE"), "ann dan"),
        (did("/sale", times={"at_least": 2}), "bob"), (did("/", times={"at_most": 1}), "bob cat dan eve"),
        (did("add", times={"below": 1}), "bob cat eve"), (did("/sale", at="entry"), "bob"),
        (did("/sale", at="exit"), "bob dan"), (did("add", "purchase"), "ann dan"),
        (did("add", "purchase", within="session"), "ann"),
        (did("add", "purchase", within="2 minutes"), "ann"),
        (did("add", "purchase", within="1 minute"), ""), (did("purchase", "add"), ""),
        (did("/sale", "/cart"), "ann bob"), (did("/sale", "/cart", order="strict"), "ann bob"),
        (did("/", "/cart", order="strict"), "eve"), (did("/", "/cart", within="session"), "ann eve"),
        ({"kind": "did", "steps": [{"kind": "theme", "any_of": ["hiking"]}]}, "cat dan"),
        ({"kind": "did", "steps": [{"kind": "type", "any_of": ["Article", "Cart*"]}]}, "ann bob cat dan eve"),
        ({"kind": "did", "steps": [{"kind": "template", "any_of": ["/blog/:slug"]}]}, "cat dan"),
        (is_("segment", "segment:0"), "ann bob"),
        (is_("segment", "segment:0", "segment:1"), "ann bob cat dan"),
        (is_("device", "Mobile"), "ann bob"), (is_("source", "google*"), "ann bob"),
        (is_("visitor", "came once"), "cat eve"), (is_("n_sessions", "2"), "ann bob dan"),
        (has("views", above=3), "ann bob dan"), (has("sessions", at_least=2), "ann bob dan"),
        (has("days", at_least=2), "ann bob dan eve"), (has("pages", at_most=2), "cat eve"),
        (has("engagement", below=30), "bob dan"),
        (came(first_day="2025-09-03"), "bob dan eve"), (came(weekdays=[3]), "eve"),
        (came(hours=[0, 22]), "bob eve"),
        (came(last_day="2025-09-01", hours=[10]), "cat"),
        ({"kind": "all", "of": [CART, is_("device", "mobile")]}, "ann bob"),
        ({"kind": "any", "of": [BUY, CART]}, "ann bob dan eve"),
        ({"kind": "not", "of": BUY}, "bob cat eve"),
        ({"kind": "all", "of": [ADD, {"kind": "not", "of": CART}]}, "dan"),
        ({"kind": "not", "of": {"kind": "any", "of": [BUY, {"kind": "not", "of": CART}]}}, "bob eve"),
    ],
)  # fmt: skip
def test_each_condition(where: dict[str, Any], who: str) -> None:
    assert holds(where) == who
    assert asked(where=where).users == len(who.split())


def holds(where: dict[str, Any]) -> str:
    """Names of those of whom a condition holds."""
    condition, data = Query.checked(where=where).where, query_data(five_users().basis)
    assert condition is not None
    inside = People(data, five_users()).holds(condition)
    return " ".join(name for name, is_in in zip(VISITORS, inside.tolist(), strict=True) if is_in)


def test_a_period_leaves_page_views_events_and_users() -> None:
    found = asked(period=SECOND)
    assert (found.base, found.users, found.rows[0].value) == (3, 3, 3)
    assert rows(measure="views", period=SECOND) == {"": 4}
    assert rows(measure="events", of=ADD, period=SECOND) == {"": 1}
    assert rows(measure="share", of=ADD, period=SECOND) == {"": 0.3333}
    assert rows(by="visitor", period=SECOND) == {"came once": 3}
    assert rows(measure="time_to", of=BUY, period={"first_day": "2025-09-09"}) == {"": 120}
    assert asked(where=did("/", "/sale"), period={"first_day": "2025-09-08"}).users == 1  # dan, not bob
    assert asked(where=came(first_day="2025-09-08"), period=SECOND).users == 1  # dan came on both
    with pytest.raises(InputError, match="Nobody viewed a page then"):
        asked(period={"first_day": "2026-01-01"})


def test_page_views_outside_a_period_are_still_between_others() -> None:
    tables = tables_of(VISITORS | {"gus": Visitor(["3 09:59 / /cart", "4 09:00 /sale"], "mobile", None, 0)})
    hour = {"first_day": "2025-09-03", "hours": [9]}
    loose, strict = did("/", "/sale"), did("/", "/sale", order="strict")
    assert execute(Query.checked(where=loose, period=hour), tables).users == 1
    assert execute(Query.checked(where=strict, period=hour), tables).users == 0


def test_users_who_did_it_and_do_not_count_are_said() -> None:
    assert asked(where=BUY).unseen == 1  # the sixth
    assert asked(where=did("purch*")).unseen == 1
    assert asked(where=ADD).unseen == 0
    assert asked(where=BUY, period=SECOND).unseen == 0
    assert asked(where=BUY, period={"hours": [9, 12]}).unseen == 1
    night = tables_of(VISITORS | {"gus": Visitor(["3 23:59 / +add +purchase"], "mobile", None, 0)})
    late = Query.checked(where=BUY, period={"first_day": "2025-09-04", "last_day": "2025-09-09"})
    assert execute(late, night).unseen == 1  # gus, who bought after midnight and viewed no page then


def test_what_is_not_in_the_data_is_named_with_what_is_near() -> None:
    for where, said in (
        (did("purchased"), "purchase"), (did("/carts"), "/cart"), (is_("device", "mobil"), "mobile"),
        (is_("segment", "segment:9"), "segment:0, segment:1"), (is_("country", "Spain"), "device"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=said):
            asked(where=where)


def test_by_time_a_step_is_taken_in_the_row() -> None:
    by_day = {"2025-09-01": 0.3333, "2025-09-02": 0, "2025-09-03": 0, "2025-09-08": 0, "2025-09-09": 1}
    assert rows(measure="share", of=BUY, by="day") == by_day
    without = {"kind": "not", "of": BUY}
    assert rows(measure="share", of=without, by="day") == {
        day: round(1 - share, 4) for day, share in by_day.items()
    }
    assert (
        rows(measure="share", of=did("add", "purchase"), by="day")["2025-09-02"] == 0.6667
    )  # ann and dan, some day
    assert rows(measure="events", of=BUY, by="weekday") == {"Monday": 1, "Tuesday": 1, "Wednesday": 0}


def test_an_event_without_a_page_view_that_day_counts_by_day() -> None:
    night = tables_of({"gus": Visitor(["3 23:59 / +add", "4 09:00 /"], "mobile", None, 0)} | VISITORS)
    late = tables_of({"gus": Visitor(["3 23:58 / /sale +add", "5 09:00 /"], "mobile", None, 0)} | VISITORS)
    query = Query.checked(measure="events", of=ADD, by="day")
    assert {row.name: row.value for row in execute(query, night).rows}["2025-09-04"] == 1
    assert {row.name: (row.value, row.n) for row in execute(query, late).rows}["2025-09-04"] == (1, 1)


def test_by_time_a_session_is_where_it_begins() -> None:
    sessions = rows(measure="sessions", by="day")
    assert sessions == {"2025-09-01": 3, "2025-09-02": 3, "2025-09-03": 0, "2025-09-08": 1, "2025-09-09": 1}
    assert sum(sessions.values()) == rows(measure="sessions")[""]


def test_different_pages_are_those_of_the_row() -> None:
    assert rows(measure="pages_per_user", by="day")["2025-09-02"] == 1
    assert rows(measure="pages_per_user", by="folder") == {"/": 2.2, "/blog/": 1}
    assert rows(measure="pages_per_user", by="page", order="least") == dict.fromkeys(
        ("/", "/sale", "/cart", "/blog/knots"), 1
    )


def test_a_row_without_the_outcome_is_a_row_of_0() -> None:
    assert rows(measure="events", of=CART, by="segment") == {"segment:0": 2, "segment:1": 0}
    assert rows(measure="revenue", by="visitor") == {"came once": 0, "came again": 40}
    assert rows(measure="events", of=CART, by="segment", keep={"at_most": 0}) == {"segment:1": 0}


def test_rows_are_kept_ordered_and_limited() -> None:
    assert list(rows(by="page", order="least")) == ["/blog/knots", "/sale", "/cart", "/"]
    assert list(rows(by="day", order="most", limit=2)) == ["2025-09-01", "2025-09-02"]
    found = asked(by="page", limit=1)
    assert ([row.name for row in found.rows], found.more) == (["/"], 3)
    assert rows(by="page", keep={"at_least": 3, "below": 5}) == {"/sale": 3, "/cart": 3}
    assert rows(by="weekday", keep={"above": 1}) == {"Monday": 3, "Tuesday": 3}


def test_rows_of_few_are_left_out_of_an_order_and_counted() -> None:
    crowd = {f"c{number}": Visitor(["1 09:00 / /sale"], "tablet", "direct", 0) for number in range(20)}
    tables = tables_of(VISITORS | crowd)
    found = execute(Query.checked(measure="share", of=BUY, by="device"), tables)
    assert ([row.name for row in found.rows], found.few) == (["tablet"], 2)
    assert execute(Query.checked(measure="users", by="device"), tables).few == 0
    natural = execute(Query.checked(measure="share", of=BUY, by="segment"), tables)
    assert ([row.name for row in natural.rows], natural.few) == (["segment:0", "segment:1"], 0)


def test_funnel_and_retention() -> None:
    assert rows(measure="funnel", of=did("/", "/cart", "purchase")) == {"/": 5, "/cart": 3, "purchase": 1}
    assert rows(measure="funnel", of=did("/", "/cart"), where=is_("device", "mobile")) == {"/": 2, "/cart": 2}
    again = rows(measure="retention", by="day")
    assert again["day 1 after the first"] == 0.4  # ann, and eve after midnight
    assert again["day 7 after the first"] == 0.4  # bob and dan
    assert again["day 8 after the first"] == 0  # of the three who came on the first day
    assert [*rows(measure="retention", by="day", limit=1)] == ["day 1 after the first"]
    with pytest.raises(InputError, match="two whole weeks"):
        asked(measure="retention")


def test_lift_is_over_all_others() -> None:
    assert rows(measure="lift", of=BUY, by="device") == {"mobile": 1.5, "desktop": 0.6667}
    assert rows(measure="lift", of=BUY, where=is_("device", "mobile")) == {"": 1.5}
    assert math.isnan(asked(measure="lift", of=BUY).rows[0].value)  # there are no others
    assert "/" not in rows(measure="lift", of=CART, by="page")  # all saw it
    (row,) = asked(measure="lift", of=CART, where=CART).rows  # no other has it
    assert all(map(math.isnan, (row.value, row.low, row.high)))


def test_money_in_several_currencies_is_not_added_up() -> None:
    pounds = Visitor(["1 09:00 / +purchase"], "mobile", None, 0, None, 50.0, None, "GBP")
    tables = tables_of(VISITORS | {"gus": pounds})
    found = execute(Query.checked(measure="revenue"), tables)
    assert {row.name: (row.value, row.currency) for row in found.rows} == {
        "EUR": (40, "EUR"),
        "GBP": (50, "GBP"),
    }
    by_device = execute(Query.checked(measure="revenue", by="device", limit=1), tables)
    assert [(row.name, row.value, row.currency) for row in by_device.rows] == [
        ("mobile", 30, "EUR"), ("mobile", 50, "GBP")
    ]  # fmt: skip
    assert by_device.more == 2
    with pytest.raises(InputError, match="purchases are not counted by currency"):
        execute(Query.checked(measure="order_value"), tables)
    (row,) = asked(measure="revenue").rows
    assert row.currency == "EUR"


def test_money_and_items_of_a_row_of_time_or_a_period_are_those_paid_then() -> None:
    assert rows(measure="revenue", by="day") == {
        "2025-09-01": 30, "2025-09-02": 0, "2025-09-03": 0, "2025-09-08": 0, "2025-09-09": 10,
    }  # fmt: skip
    assert rows(measure="items", by="hour", keep={"above": 0}) == {"09:00": 2, "10:00": 2}
    assert rows(measure="order_value", by="weekday") == {"Monday": 30, "Tuesday": 10}
    first = {"last_day": "2025-09-02"}
    assert rows(measure="revenue", period=first) == {"": 30}
    assert rows(measure="revenue_per_user", by="segment", period=first) == {"segment:0": 15, "segment:1": 0}
    assert rows(measure="items_per_purchase", period=first, by="device") == {"mobile": 2}


def test_a_data_set_of_an_earlier_release_does_not_say_when_was_paid() -> None:
    known = five_users()
    before = replace(known.basis.events(), paid=None)
    tables = replace(known, basis=replace(known.basis, key="before", events=lambda: before))
    assert [row.value for row in execute(Query.checked(measure="revenue"), tables).rows] == [40]
    for measure in ("revenue", "items_per_purchase"):
        with pytest.raises(InputError, match=r"does not say when was paid.*Load the export again"):
            execute(Query.checked(measure=measure, by="day"), tables)


def test_users_of_a_condition_are_compared_with_others() -> None:
    found = asked(measure="share", of=BUY, where=is_("device", "mobile"), compare="others")
    assert [(row.value, row.n) for row in found.rows] == [(0.5, 2), (pytest.approx(1 / 3), 3)]
    found = asked(measure="views_per_user", where=is_("device", "mobile"), compare=is_("source", "news*"))
    assert [row.value for row in found.rows] == [4, 3]
    with pytest.raises(InputError, match="no users"):
        asked(where=is_("device", "*"), compare="others")


def test_a_data_set_without_times_of_events_answers_what_is_about_page_views() -> None:
    def unknown() -> TimedEvents:
        raise ArtifactError("No times of events")

    whole = tables_of(VISITORS)
    tables = replace(whole, basis=replace(whole.basis, events=unknown))
    for parts in (
        {"measure": "sessions"},
        {"by": "day"},
        {"period": SECOND},
        {"measure": "views", "of": CART},
    ):
        expected = [(row.name, row.value) for row in asked(**parts).rows]
        assert [(row.name, row.value) for row in execute(Query.checked(**parts), tables).rows] == expected
    (bought,) = execute(Query.checked(where=BUY), tables).rows
    assert bought.value == asked(where=BUY).rows[0].value
    with pytest.raises(InputError, match="Load the export again"):
        execute(Query.checked(where=BUY, period=SECOND), tables)


def test_nobody_left_is_said() -> None:
    nobody = did("purchase", "add")
    assert rows(where=nobody) == {"": 0}
    assert math.isnan(rows(measure="views_per_user", where=nobody)[""])
    assert rows(by="page", where=nobody) == {}
    with pytest.raises(InputError, match="Nobody is left"):
        asked(measure="retention", by="day", where=nobody)


# intervals


def test_a_share_has_wilsons_interval() -> None:
    (row,) = asked(measure="share", of=BUY).rows
    low, high = stats.binomtest(2, 5).proportion_ci(method="wilson")
    assert (row.low, row.high) == (pytest.approx(low), pytest.approx(high))


def test_a_mean_has_the_interval_of_its_users() -> None:
    (row,) = asked(measure="views_per_user").rows
    views = np.array([4, 4, 2, 4, 2])
    reach = 1.959964 * views.std(ddof=1) / math.sqrt(len(views))
    assert (row.low, row.high) == (pytest.approx(views.mean() - reach), pytest.approx(views.mean() + reach))


def test_a_value_by_purchase_has_the_interval_of_those_who_purchased() -> None:
    (row,) = asked(measure="order_value").rows
    assert (row.low, row.high) == (pytest.approx(20 - 1.959964 * 10), pytest.approx(20 + 1.959964 * 10))
    (alone,) = asked(measure="order_value", where=is_("device", "mobile")).rows
    assert math.isnan(alone.high)  # a single buyer does not vary


def test_shares_of_the_same_users_are_compared_as_such() -> None:
    """Whether more users are on mobile than on desktop: the two shares move against each other."""
    tables = made_site().tables
    found = execute(
        Query.checked(measure="share", where=is_("device", "mobile"), compare=is_("device", "desktop")),
        tables,
    )
    assert found.comparison is not None
    p, q = found.comparison.first.value, found.comparison.second.value
    reach = 1.959964 * math.sqrt((p + q - (p - q) ** 2) / found.base)
    assert found.comparison.low == pytest.approx(p - q - reach, abs=0.01)
    assert found.comparison.high == pytest.approx(p - q + reach, abs=0.01)


def test_a_part_is_compared_with_the_rest_of_the_whole() -> None:
    """Buyers are among all users: they are compared with those who did not buy."""
    tables = made_site().tables
    nested = execute(
        Query.checked(measure="views_per_user", where=BUY, compare=has("views", above=0)), tables
    )
    apart = execute(Query.checked(measure="views_per_user", where=BUY, compare="others"), tables)
    assert nested.comparison is not None
    assert apart.comparison is not None
    assert (nested.comparison.low, nested.comparison.high) == (apart.comparison.low, apart.comparison.high)
    assert nested.rows[1].value != apart.rows[1].value


def test_an_interval_that_is_cut_off_at_0_does_not_shorten_a_difference() -> None:
    crowd = {f"c{number}": Visitor(["1 09:00 /"], "tablet", None, 0) for number in range(30)}
    tables = tables_of(VISITORS | crowd)
    found = execute(
        Query.checked(measure="events_per_user", of=BUY, where=is_("segment", "segment:0"), compare="others"),
        tables,
    )
    assert found.comparison is not None
    first, second = found.comparison.first, found.comparison.second
    reach = math.hypot(first.high - first.value, second.high - second.value)
    assert first.low == 0
    assert found.comparison.high - (first.value - second.value) == pytest.approx(reach)


def test_every_measure_has_an_answer() -> None:
    about = {
        Quantity.FUNNEL: did("/", "/cart"), Quantity.LIFT: BUY, Quantity.TIME_TO: BUY,
        Quantity.SESSION_RATE: BUY, Quantity.EVENTS: BUY, Quantity.EVENTS_PER_USER: BUY,
    }  # fmt: skip
    for measure in Quantity:
        by = {"by": "day"} if measure is Quantity.RETENTION else {}
        found = asked(measure=measure, of=about.get(measure), where=is_("device", "mobile"), **by)
        assert found.rows, measure

"""What is set for a model: within what data allow, in a link, on disk; weights that always add up."""

from __future__ import annotations

import json
import os
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.base.schema import LEARNED_VIEWS, View
from core.base.settings import OutcomeCount, ViewWeights
from core.journeys.funnel import FunnelStep, StepKind
from core.journeys.moves import Level
from core.periods.filter import CountFilter
from core.query.query import Did, Not
from core.rules.conditions import SegmentRule
from core.saved import controls
from core.saved.controls import Controls, effective, filter_of, percentages, reweighted, unread_funnel
from core.storage.store import Store

ALL = tuple(View)
SHARES = st.floats(0, 1).map(lambda share: round(share, 3))
WEIGHTS = st.tuples(SHARES, SHARES, SHARES, SHARES).filter(any)
PRESENT = st.sets(st.sampled_from(LEARNED_VIEWS), min_size=1).map(
    lambda views: [*(view for view in LEARNED_VIEWS if view in views), View.ACTIVITY]
)


def weights(parts: tuple[float, ...]) -> ViewWeights:
    return ViewWeights.checked(**dict(zip(View, parts, strict=True)))


@pytest.mark.parametrize(
    ("wanted", "different", "k"), [(9, 6, 5), (6, 1_000, 6), (99, 1_000, 24), (6, 3, 2), (6, 1, 2)]
)
def test_the_number_of_segments_stays_within_what_the_data_allow(wanted: int, different: int, k: int) -> None:
    assert Controls(n_clusters=wanted).n_within(different) == k


def test_a_number_that_nobody_chose_starts_where_it_is_said_to_and_is_in_no_link() -> None:
    assert Controls().n_within(1_000, start=8) == 8
    assert Controls().n_within(4, start=8) == 3
    assert Controls(n_clusters=5).n_within(1_000, start=8) == 5
    assert Controls().link()["k"] == []


@given(WEIGHTS, PRESENT)
def test_percentages_add_up_and_are_nearest_to_the_ratio(
    parts: tuple[float, ...], present: list[View]
) -> None:
    shown = percentages(weights(parts), present)
    assert sum(shown.values()) == 100
    total = sum(weights(parts).of(view) for view in present)
    if total:
        assert all(abs(shown[view] - 100 * weights(parts).of(view) / total) < 1.001 for view in present)


@given(WEIGHTS, PRESENT, st.data())
def test_a_move_sets_what_was_moved_and_the_others_share_the_rest(
    parts: tuple[float, ...], present: list[View], data: st.DataObject
) -> None:
    view, percent = data.draw(st.sampled_from(present)), data.draw(st.integers(0, 100))
    shown = percentages(reweighted(weights(parts), present, view, percent), present)
    assert sum(shown.values()) == 100
    assert shown[view] == percent


def test_who_insists_goes_on_doing_so() -> None:
    insisting = ViewWeights(url=0.2, theme=0.8, type=0, insist=True)
    assert effective(insisting, ALL).insist
    assert reweighted(insisting, ALL, View.URL, 50).insist
    held = Controls(weights=insisting)
    assert Controls().linked(held.link()).weights == effective(insisting, ALL)
    assert not held.linked(Controls().link()).weights.insist


def test_all_weights_at_zero_cannot_be_reached() -> None:
    alone = reweighted(ViewWeights(), ALL, View.URL, 100)
    assert percentages(alone, ALL) == {View.URL: 100, View.THEME: 0, View.TYPE: 0, View.ACTIVITY: 0}
    back = reweighted(alone, ALL, View.URL, 0)  # the others share as they do by default
    assert percentages(back, ALL) == {View.URL: 0, View.THEME: 60, View.TYPE: 40, View.ACTIVITY: 0}
    bag = [View.URL, View.ACTIVITY]  # a bag of pages has one view, and activity counts nothing by default
    assert percentages(reweighted(ViewWeights(), bag, View.URL, 80), bag) == {View.URL: 80, View.ACTIVITY: 20}


def test_weights_that_differ_only_in_what_is_not_there_are_the_same() -> None:
    assert effective(ViewWeights(url=1, theme=0, type=0.9), [View.URL]) == ViewWeights()
    assert effective(ViewWeights(url=0.25, theme=0.15, type=0.1), ALL) == ViewWeights()
    assert effective(ViewWeights(url=0, theme=0, type=1), [View.URL, View.THEME]) == ViewWeights()


@given(WEIGHTS, st.integers(2, 50), st.lists(st.text(min_size=1), unique=True, max_size=3))
def test_a_link_sets_the_same(parts: tuple[float, ...], k: int, rows: list[str]) -> None:
    mine = Controls(
        n_clusters=k, weights=effective(weights(parts), ALL), outcomes=("page:/thanks",),
        segments=tuple(rows) or None,
    )  # fmt: skip
    found = Controls().linked(mine.link())
    assert found.model_copy(update={"weights": effective(found.weights, ALL)}) == mine


def test_the_kind_of_groups_of_an_earlier_release_is_ignored(tmp_path: Path) -> None:
    before = {"algorithm": "hdbscan", "min_cluster_size": 0.05}
    link = {"k": ["4"], "algorithm": ["hdbscan"], "smallest": ["0.05"]}
    assert Controls().linked(link) == Controls.checked(n_clusters=4, **before) == Controls(n_clusters=4)
    store = Store(tmp_path)
    controls.save(store, "m", Controls(n_clusters=4))
    (file,) = tmp_path.rglob("m.controls.json")
    file.write_text(json.dumps({"n_clusters": 4, **before}))
    assert controls.load(store, "m") == Controls(n_clusters=4)


@pytest.mark.parametrize("outcomes", [None, (), ("purchase",), ("purchase", "none")])
@pytest.mark.parametrize("counts", list(OutcomeCount))
def test_a_link_tells_no_outcome_from_none_chosen(
    outcomes: tuple[str, ...] | None, counts: OutcomeCount
) -> None:
    mine = Controls(outcomes=outcomes, outcome_counts=counts)
    assert Controls().linked(mine.link()) == mine


@pytest.mark.parametrize(
    "link",
    [
        {"k": ["many"]},
        {"k": ["1"]},
        {"counts": ["twice"]},
        {"url": ["0"], "theme": ["0"]},
        {"url": ["nan"]},
        {"url": ["-3"]},
        {},
    ],
)
def test_what_is_not_possible_in_a_link_counts_as_not_said(link: dict[str, list[str]]) -> None:
    before = Controls(n_clusters=8, weights=ViewWeights(url=1, theme=0, type=0))
    assert before.linked(link) == before


def test_they_are_kept_a_model(tmp_path: Path) -> None:
    store, mine = Store(tmp_path), Controls(n_clusters=9, outcomes=("sign_up",))
    controls.save(store, "a", mine)
    assert controls.load(store, "a") == mine
    assert controls.load(store, "b") == Controls()


def test_outcome_and_funnel_go_on_with_another_model_of_the_data_set(tmp_path: Path) -> None:
    store, funnel = Store(tmp_path), Controls().linked({"funnel": ["user;loose;page:/cart"]}).funnel
    mine = Controls(n_clusters=9, outcomes=("like",), outcome_counts=OutcomeCount.FIRST, funnel=funnel)
    for model, kept in (("a", Controls(outcomes=("follow",))), ("b", mine), ("c", Controls(n_clusters=3))):
        controls.save(store, model, kept)
    for seconds, model in enumerate("acb"):
        os.utime(tmp_path / "workbench" / f"{model}.controls.json", (seconds, seconds))
    carried = Controls(outcomes=("like",), outcome_counts=OutcomeCount.FIRST, funnel=funnel)
    assert controls.load(store, "new", ("a", "b", "never set")) == carried
    assert controls.load(store, "new", ("a",)) == Controls(outcomes=("follow",))
    assert controls.load(store, "c", ("a", "b")) == Controls(n_clusters=3)
    assert controls.load(store, "new") == Controls()


def test_a_damaged_file_is_set_aside(tmp_path: Path) -> None:
    controls.save(Store(tmp_path), "a", Controls(n_clusters=9))
    (tmp_path / "workbench" / "a.controls.json").write_text('{"n_clusters": 1}')
    assert controls.load(Store(tmp_path), "a") == Controls()
    assert list((tmp_path / "workbench").glob("a.controls.broken-*.json"))


def test_the_level_of_journeys_is_in_the_link_and_one_that_is_none_is_not_taken() -> None:
    held = Controls(level=Level.THEME)
    assert held.link()["level"] == ["theme"]
    assert Controls().linked(held.link()).level is Level.THEME
    assert Controls().linked({"level": ["folder"]}).level is None


def test_a_filter_of_a_condition_goes_into_a_link_which_cannot_say_other_words_for_it() -> None:
    bought = Did(steps=(FunnelStep(kind=StepKind.EVENT, any_of=("purchase",)),))
    held = Controls(counted=filter_of(Not(of=bought), CountFilter(device=("mobile",))))
    assert held.counted.in_words == "users who did not do purchase; device mobile"
    assert Controls().linked(held.link()) == held
    assert Controls().linked(held.link() | {"who": ["everybody"]}) == held
    for where in (
        "nonsense",
        "{}",
        "null",
        '{"kind": "is", "dimension": "segment", "any_of": ["segment:0"]}',
    ):
        assert Controls().linked({"where": [where], "device": ["mobile"]}) == Controls()


def test_what_is_counted_goes_into_a_link_and_nonsense_there_counts_as_not_said() -> None:
    held = Controls(counted=CountFilter(first_day=date(2016, 3, 1), country=("Italy", "France")))
    assert held.link()["country"] == ["Italy", "France"]
    assert Controls().linked(held.link()) == Controls().linked({}).model_copy(
        update={"counted": held.counted}
    )
    assert Controls().linked({"from": ["2016-03-02"], "to": ["2016-03-01"]}) == Controls()


def test_what_is_counted_is_not_kept_for_a_session_whose_link_does_not_say_it(tmp_path: Path) -> None:
    controls.save(Store(tmp_path), "m", Controls(counted=CountFilter(device=("mobile",)), n_clusters=4))
    assert controls.load(Store(tmp_path), "m") == Controls(n_clusters=4)


RULE = SegmentRule.checked(
    clauses=[
        {"any_of": [{"field": "page", "value": "/a?b=c&d"}, {"field": "page_views", "number": 3}]},
        {"any_of": [{"field": "device", "value": "mobile"}], "negated": True},
    ]
)


def test_a_rule_of_ones_own_is_in_the_link_and_kept(tmp_path: Path) -> None:
    assert Controls().linked(Controls(rule=RULE).link()).rule == RULE
    assert Controls(rule=RULE).linked({"rule": ["{not a rule"]}).rule == RULE
    controls.save(Store(tmp_path), "m", Controls(rule=RULE))
    assert controls.load(Store(tmp_path), "m").rule == RULE


def test_the_user_looked_at_is_in_the_link_and_not_kept_for_the_next_session(tmp_path: Path) -> None:
    assert Controls(user=7).link()["user"] == ["7"]
    assert Controls().linked({"user": ["7"]}).user == 7
    assert Controls().linked({"user": ["-1"]}).user is None
    controls.save(Store(tmp_path), "m", Controls(user=7, n_clusters=4))
    assert controls.load(Store(tmp_path), "m") == Controls(n_clusters=4)


def test_a_funnel_of_a_link_that_cannot_be_read_says_why() -> None:
    assert unread_funnel({}) == unread_funnel({"funnel": ["user;loose;page:/cart"]}) == ""
    assert "'moon'" in unread_funnel({"funnel": ["user;loose;moon:/cart"]})

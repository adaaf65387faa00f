"""Segments beside a facet: of 400 users every other one has the outcome."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.base.settings import ClusterSettings
from core.profiles.facet_definitions import FacetKind, FacetLevel
from core.profiles.facets import Facet, Facets, ShareInterval
from core.profiles.outcome_prediction import OutcomePrediction, predict_outcome, prediction_change
from core.segments.edits import Regroup
from core.segments.partition import Partition

USERS = np.arange(400)
HAD = USERS % 2
OTHER = USERS // 2 % 2
"""As many of either kind have the outcome."""
KNOWN = ShareInterval(0.5, 0.4, 0.6, 200)
"""What a facet's card says of all users; there is none where it is made of the outcome."""


def facets(
    had: np.ndarray = HAD, known: ShareInterval | None = KNOWN, *, away: bool = False, **levels: np.ndarray
) -> Facets:
    names = (FacetLevel("Few", "with few"), FacetLevel("Many", "with many"))
    made = {
        FacetKind(kind): Facet(FacetKind(kind), names, level.astype(np.int8), None, (None, None), known)
        for kind, level in levels.items()
    }
    return Facets(made, {}, had.astype(bool), "purchase" if had.any() else "", away)


def segments(label: np.ndarray) -> Partition:
    middles, ids = np.eye(2, dtype=np.float32), np.array([0, 1], np.int32)
    return Partition(label.astype(np.int32), middles, ids, 0.5, 3, False, ClusterSettings(n_clusters=2))


def beside(found: Facets, label: np.ndarray) -> OutcomePrediction:
    told = predict_outcome(found, segments(label))
    assert told is not None
    return told


def test_a_facet_that_tells_the_outcome_stands_before_segments_that_do_not() -> None:
    told = beside(facets(loyalty=HAD, depth=OTHER), OTHER)
    assert (told.kind, told.facet.value) == (FacetKind.LOYALTY, 1)
    assert told.segments.low < 0.5 < told.segments.high
    assert told.segments.users == told.facet.users == 200
    assert told.sentence.startswith(
        "How often they come predicts purchase better (AUC 1.00, 1.00 to 1.00) than the segments do"
    )
    assert told.to_dict()["best_facet"]["kind"] == "loyalty"


def test_segments_that_tell_the_outcome_stand_before_a_facet_that_does_not() -> None:
    told = beside(facets(loyalty=OTHER), HAD)
    assert told.segments.value == 1
    assert "The segments predict purchase better (1.00, 1.00 to 1.00) than any facet does" in told.sentence


@pytest.mark.parametrize(
    ("both", "said"), [(HAD, "about as well"), (OTHER, "Neither the segments")], ids=["both", "neither"]
)
def test_what_cannot_be_told_apart_is_said(both: np.ndarray, said: str) -> None:
    assert said in beside(facets(loyalty=both), both).sentence


def test_where_pages_give_the_outcome_away_segments_can_be_worse_than_a_facet_but_not_better() -> None:
    told = beside(facets(away=True, loyalty=OTHER), HAD).sentence
    assert told.startswith("The segments were made from pages that give purchase away")
    assert "although these were made from pages" in beside(facets(away=True, loyalty=HAD), OTHER).sentence


def test_only_clustered_users_are_judged_and_who_has_no_level_is_one_of_them() -> None:
    one_page = np.where(USERS < 100, -1, OTHER)
    no_interest = np.where(HAD == 1, 0, -1)  # nobody without the outcome has an interest
    told = beside(facets(interest=no_interest), one_page)
    assert told.facet.value == 1
    assert told.facet.users == told.segments.users < 200


def test_two_cuts_are_held_against_each_other_on_the_users_held_out() -> None:
    now, then, change = segments(OTHER), segments(HAD), "activity at 30 %"
    said = prediction_change(facets(), now, then, change)
    assert said.startswith("How well segments tell purchase: AUC 0.")
    assert "1.00 with activity at 30 % (1.00 to 1.00); 0.5 is chance. Counted on 200 clustered" in said
    assert "give purchase away" in prediction_change(facets(away=True), now, then, change)
    assert "Too few" in prediction_change(facets((USERS < 12) * HAD), now, then, change)


def test_nothing_is_said_without_an_outcome_a_facet_or_segments_by_clustering() -> None:
    made = segments(OTHER)
    few = (USERS < 12) * HAD
    for found in (facets(0 * HAD, loyalty=HAD), facets(few, loyalty=HAD), facets(known=None, stage=HAD)):
        assert predict_outcome(found, made) is None
    by_hand = replace(segments(HAD), edits=(Regroup(parts=(0, 1), why="How far they get", users=400),))
    assert predict_outcome(facets(loyalty=OTHER), by_hand) is None

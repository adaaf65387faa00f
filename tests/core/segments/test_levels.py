from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.evidence import ADDRESSES, KINDS, planted
from benchmarks.levels import Line, made
from core.base.errors import ArtifactError, Cancelled
from core.saved.controls import MAX_SEGMENTS
from core.segments.level_search import measure_levels
from core.segments.levels import (
    MAX_DESCRIBED,
    MIN_USERS,
    SegmentLevels,
    SmallKind,
    Structure,
    unsupported,
    withheld,
)
from core.segments.user_priors import MAX_KINDS
from core.segments.visit_tokens import Aspect
from core.storage.sequences import UserSequences
from tests.core.segments.made_levels import TOO_FEW, supported

USERS = planted(400, 0)
EVERYBODY = np.arange(400)


def crowd(users: int) -> UserSequences:
    """Users who all do the same, each in two sessions."""
    planned = planted(users, 0)
    place = np.arange(planned.n_views) - np.repeat(planned.offsets[:-1], planned.lengths)
    session = (2 * place // np.repeat(planned.lengths, planned.lengths)).astype(np.int32)
    return replace(planned, session=session, page=np.random.default_rng(1).permutation(planned.page))


@pytest.fixture(scope="module")
def found() -> SegmentLevels:
    return measure_levels(USERS, EVERYBODY, ADDRESSES, {})


def test_planted_kinds_are_a_level(found: SegmentLevels) -> None:
    assert (found.verdict, found.suggested_k, found.users) == (Structure.SEGMENTS, KINDS, 400)
    level = found.of(KINDS)
    assert level is not None and level.agreement > 0.8 and level.error_rate < 0.01
    assert level.shares == pytest.approx([0.25] * KINDS, abs=0.06)
    assert found.aspects[Aspect.PAGES].verdict is not Structure.NONE
    assert Aspect.ACTIVITY not in found.aspects  # everybody has one session, which is no half of anything
    assert found.aspects[Aspect.TEMPO].verdict is Structure.NONE  # a page view a second
    assert max(found.gains) > found.gradient_gain


def test_pages_dealt_anew_are_of_no_kind_not_even_a_small_one() -> None:
    found = measure_levels(crowd(1200), np.arange(1200), ADDRESSES, {})
    assert (found.verdict, found.described_k, found.small_kinds) == (Structure.NONE, 2, ())


def test_more_users_are_compared_where_kinds_lead_but_few_users_do_not_tell_which(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Five kinds of 900 users, of whom 200 are compared at first: kinds lead, and halves make others."""
    site = made(Line((5,)), 900, 0)
    monkeypatch.setattr("core.segments.level_search.USERS", 200)
    monkeypatch.setattr("core.segments.level_search.MORE_USERS", 200)
    few = measure_levels(site.sequences, np.arange(900), site.urls, {})
    assert (few.suggested_k, few.users) == (None, 200) and "More than these 200 users" in few.sentence
    monkeypatch.setattr("core.segments.level_search.MORE_USERS", 800)
    more = measure_levels(site.sequences, np.arange(900), site.urls, {})
    assert (more.suggested_k, more.users, more.aspects) == (5, 800, few.aspects)


def test_a_mix_of_two_poles_is_a_gradient() -> None:
    """Everybody is at home in both of two parts of the site, to any degree."""
    rng = np.random.default_rng(2)
    share = np.repeat(rng.uniform(size=400), USERS.lengths)
    page = (USERS.page % 15 + 15 * (rng.random(USERS.n_views) < share)).astype(np.int32)
    assert measure_levels(replace(USERS, page=page), EVERYBODY, ADDRESSES, {}).verdict is Structure.GRADIENT


@pytest.mark.parametrize("seed", range(3))
def test_kinds_of_much_variety_are_described_but_not_claimed(seed: int) -> None:
    """Within such a kind users differ half as much as kinds do."""
    site = made(Line((7,), variety=1.0), 500, seed)
    spread = measure_levels(site.sequences, np.arange(500), site.urls, {})
    assert (spread.verdict, spread.suggested_k) == (Structure.GRADIENT, None)
    assert 2 <= spread.described_k <= MAX_DESCRIBED and spread.gradient_gain > max(spread.gains)


def test_a_gradient_is_described_by_six_groups_at_most() -> None:
    """Nine kinds of much variety, of which seven predict best and are those that halves agree on most."""
    site = made(Line((9,), variety=1.2, pages=2), 480, 0)
    spread = measure_levels(site.sequences, np.arange(480), site.urls, {})
    assert (spread.verdict, spread.described_k) == (Structure.GRADIENT, MAX_DESCRIBED)


def test_kinds_of_kinds_are_a_coarser_level() -> None:
    """Two parts of the site; within each, two kinds of users who view every other page."""
    rng = np.random.default_rng(3)
    users = planted(1200, 1)
    kind = np.repeat(rng.integers(0, 4, 1200), users.lengths)
    away = rng.random(users.n_views) < 0.15
    part = np.where(away, rng.integers(0, 2, users.n_views), kind // 2)
    odd = np.where(rng.random(users.n_views) < 0.15, rng.integers(0, 2, users.n_views), kind % 2)
    page = (30 * part + 2 * rng.integers(0, 15, users.n_views) + odd).astype(np.int32)
    found = measure_levels(replace(users, page=page), np.arange(1200), ADDRESSES, {})
    assert [level.k for level in found.levels] == [2, 4]


def test_a_small_kind_in_a_crowd_is_found_and_all_its_users(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every 30th of 1,800 users views the last five pages; two thirds of them are compared."""
    users, small = crowd(1800), np.arange(0, 1800, 30)
    page = np.where(np.isin(users.user, small), 55 + users.page % 5, users.page).astype(np.int32)
    users = replace(users, page=page)
    monkeypatch.setattr("core.segments.level_search.USERS", 1200)
    (kind,) = measure_levels(users, np.arange(1800), ADDRESSES, {}).small_kinds
    assert len(np.intersect1d(kind.users, small)) > 0.8 * len(np.union1d(kind.users, small))
    assert kind.share == len(kind.users) / 1800
    assert kind.agreement > 0.7 and kind.gain > 1.0
    in_one_session = replace(users, session=np.zeros_like(users.session))
    assert measure_levels(in_one_session, np.arange(1800), ADDRESSES, {}).small_kinds == ()


def test_a_small_kind_is_not_said_beside_a_segment_that_shows_it() -> None:
    kind = SmallKind(users=(0, 1, 2, 3), share=0.4, agreement=0.8, gain=2.0)
    levels = supported(2).model_copy(update={"small_kinds": (kind,)})
    assert levels.not_shown(np.array([0, 0, 1, 1, 0, 0, 1, 1, -1, -1])) == [kind]
    assert levels.not_shown(np.array([0, 0, 0, -1, 0, 1, 1, 1, 1, -1])) == []


def test_users_who_come_again_at_their_own_even_pace_are_of_no_kind() -> None:
    """But those who come daily, weekly and monthly are."""
    even, kinds = (
        measure_levels(site.sequences, np.arange(600), site.urls, {}).aspects[Aspect.RETURNS]
        for site in (made(Line(null="crowd"), 600, 0), made(Line((3,), by=Aspect.RETURNS), 600, 0))
    )
    assert (even.verdict, even.k) == (Structure.GRADIENT, None)
    assert (kinds.verdict, kinds.k) == (Structure.SEGMENTS, 3)


def test_labels_are_judged_by_themselves() -> None:
    themes = [str(page // 15) for page in range(60)]
    found = measure_levels(USERS, np.arange(200), ADDRESSES, {"theme": themes})
    assert Aspect.LABELS in found.aspects


def test_few_users_are_not_compared() -> None:
    few = measure_levels(USERS, np.arange(MIN_USERS - 1), ADDRESSES, {})
    assert (few.verdict, few.suggested_k, few.gains) == (Structure.NONE, None, ())
    assert few.sentence.startswith("Too few users") and "119 have" in few.sentence


def test_it_can_be_stopped() -> None:
    def stop(stage: str, share: float, message: str) -> None:
        raise Cancelled(stage)

    with pytest.raises(Cancelled):
        measure_levels(USERS, np.arange(150), ADDRESSES, {}, stop)


def test_what_is_found_is_said() -> None:
    assert supported(2, 4).sentence == (
        "These users support 4 segments. The kind of user predicts the other half of somebody's page views "
        "better than a place on any scale or a mix of interests does. Coarser levels: 2."
    )
    assert "Coarser" not in supported(4).sentence
    assert supported().sentence.startswith("No separate segments: users differ by degree.")
    assert "as a segment does (73 users compared)." in supported().sentence
    unlike = supported().model_copy(update={"gradient_gain": 0.7})  # kinds lead, and halves make others
    assert unlike.sentence.startswith("No stable segments so far: users differ by degree.")
    assert "More than these 73 users" in unlike.sentence
    assert (
        supported().by_aspect
        == "Measured on one aspect alone: pages: 3 segments; tempo: users differ by degree; "
        "activity: nothing that lasts."
    )


def test_the_finest_level_is_suggested_and_every_number_has_a_row() -> None:
    levels = supported(2, 4)
    assert (levels.suggested_k, levels.described_k) == (4, 4)
    table = levels.table()
    assert table["k"].tolist() == [1, 2, 3, 4, 5]
    assert table.loc[table["supported"], "k"].tolist() == [2, 4]
    assert table["agreement"].notna().tolist() == [False, True, False, True, False]


def test_every_level_can_be_chosen_and_has_its_evidence() -> None:
    assert MAX_SEGMENTS >= MAX_KINDS
    levels = supported(2, 4)
    assert [levels.evidence(level) for level in levels.levels] == [
        {"over_everybody": 0.4, "over_one_fewer": 0.4, "over_gradient": pytest.approx(-0.1)},
        {"over_everybody": 1.1, "over_one_fewer": pytest.approx(0.2), "over_gradient": pytest.approx(0.6)},
    ]


def test_names_are_withheld_only_where_users_were_compared_and_nobody_wants_them() -> None:
    assert [unsupported(levels) for levels in (None, supported(3), supported(), TOO_FEW)] == [
        False,
        False,
        True,
        True,
    ]
    assert withheld(supported(), named_anyway=False)
    assert not withheld(supported(), named_anyway=True)
    assert not withheld(None, named_anyway=False)


def test_levels_are_kept_as_text() -> None:
    assert SegmentLevels.from_json(supported(2, 4).to_json()) == supported(2, 4)
    with pytest.raises(ArtifactError, match="levels cannot be read"):
        SegmentLevels.from_json("{}")

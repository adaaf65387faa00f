"""Why a user is where they are: a shop of two kinds, of which one user is a mixture."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.base.errors import ArtifactError, InputError
from core.base.schema import OUTSIDE, SET_ASIDE, View
from core.base.settings import ClusterSettings, Encoder, ViewWeights
from core.model import bag
from core.model.embedding import embed
from core.model.training import train
from core.people.occlusion import (
    DISTANCE,
    EFFECT,
    KIND,
    LATEST,
    NEXT_DISTANCE,
    PART,
    PLACED,
    VIEWS,
    FrozenSegments,
    PartKind,
    reasons,
)  # fmt: skip
from core.segments.clustering import fit
from core.segments.combination import combine, mix_like
from core.segments.editing import from_users
from core.segments.partition import Partition
from core.storage.sequences import UserSequences
from tests.core.model.toys import SHOP_URLS, TINY, pages_of, sequences_of, shop

SHOES, BOOK, OTHER_BOOK = [0, 1, 2], 8, 9
MIXED, PLAIN, ONE_PAGE = 60, 61, 62
"""Users that follow those of the shop."""


def _users() -> UserSequences:
    of_shop = shop(60)
    users = {
        f"u{user:04d}": of_shop.page[of_shop.offsets[user] : of_shop.offsets[user + 1]].tolist()
        for user in range(60)
    }
    users |= {"v0": [*SHOES, *SHOES, BOOK, OTHER_BOOK], "v1": [*SHOES, *SHOES], "v2": [0, 0, 0]}
    return sequences_of(users, sessions={"v0": [0, 0, 0, 0, 0, 0, 1, 1], "v2": [0, 0, 0]})


World = tuple[UserSequences, FrozenSegments]


def _world(folder: Path, encoder: Encoder) -> World:
    sequences = _users()
    if encoder is Encoder.BAG:
        bag.train(sequences, SHOP_URLS, TINY, folder)
    else:
        train(sequences, pages_of(SHOP_URLS), TINY, folder)
    combined = combine(embed(folder, sequences, pages_of(SHOP_URLS)), ViewWeights())
    inside = np.ones(sequences.n_users, dtype=bool)
    partition = fit(combined.vectors, inside, ClusterSettings(n_clusters=2))
    return sequences, FrozenSegments(embed, folder, pages_of(SHOP_URLS), combined, partition)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> World:
    """With a bag of pages, which finds shoes and books without luck."""
    return _world(tmp_path_factory.mktemp("bag"), Encoder.BAG)


@pytest.fixture(scope="module", params=Encoder)
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> World:
    return _world(tmp_path_factory.mktemp("model"), request.param)


def test_what_holds_and_what_pulls_away_is_told_apart(plain: World) -> None:
    found = reasons(MIXED, *plain)
    shoes, books = plain[1].partition.labels[:2]
    assert (found.own, found.following) == (shoes, books)
    pages = found.of(PartKind.PAGE).set_index(PART)[EFFECT]
    assert set(pages.index) == {*SHOES, BOOK, OTHER_BOOK}
    assert pages[[BOOK, OTHER_BOOK]].max() < 0 < pages[SHOES].min()
    sessions = found.of(PartKind.SESSION).set_index(PART)
    assert sessions.loc[1, EFFECT] < 0 < sessions.loc[0, EFFECT]
    assert sessions[VIEWS].to_dict() == {0: 6, 1: 2}
    assert sessions.loc[0, PLACED] == books  # without the session with shoes


def test_with_everything_the_user_is_where_all_users_are(world: World) -> None:
    _, frozen = world
    found = reasons(MIXED, *world)
    apart = np.linalg.norm(frozen.combined.vectors[MIXED] - frozen.partition.centroids, axis=1)
    assert found.distance == pytest.approx(apart[found.own], abs=1e-5)
    assert found.next_distance == pytest.approx(apart[found.following], abs=1e-5)
    assert found.lead == found.next_distance - found.distance


def test_every_part_is_what_embedding_the_shortened_user_alone_gives(world: World) -> None:
    frozen = world[1]
    found = reasons(MIXED, *world)
    pages, sessions = [*SHOES, *SHOES, BOOK, OTHER_BOOK], [0, 0, 0, 0, 0, 0, 1, 1]
    for row in found.parts.itertuples():
        of_view = pages if row.kind == PartKind.PAGE else sessions
        kept = [view for view, part in enumerate(of_view) if part != row.part]
        alone = sequences_of(
            {"x": [pages[view] for view in kept]}, {"x": [10.0 * view for view in kept]},
            {"x": [sessions[view] for view in kept]},
        )  # fmt: skip
        views = embed(frozen.model, alone, pages_of(SHOP_URLS))
        vector = mix_like(views, frozen.combined.weights, frozen.combined.means)[0]
        apart = np.linalg.norm(vector - frozen.partition.centroids, axis=1)
        assert row.distance == pytest.approx(apart[found.own], abs=1e-4)
        assert row.next_distance == pytest.approx(apart[found.following], abs=1e-4)
        lead = row.next_distance - row.distance
        assert row.effect == pytest.approx(found.lead - lead, abs=1e-6)
        assert row.placed == frozen.partition.ids[apart.argmin()]
        assert row.views == len(of_view) - len(kept)


def test_one_session_is_the_whole_user_and_is_not_left_out(world: World) -> None:
    found = reasons(PLAIN, *world)
    assert set(found.parts[KIND]) == {PartKind.PAGE}
    assert found.of(PartKind.SESSION).empty


def test_a_user_of_one_page_has_nothing_to_leave_out(world: World) -> None:
    with pytest.raises(InputError, match="a single page in one session"):
        reasons(ONE_PAGE, *world)


def placed(world: World, label: int) -> FrozenSegments:
    _, frozen = world
    labels = frozen.partition.labels.copy()
    labels[MIXED] = label
    made = frozen.partition
    partition = Partition(labels, made.centroids, made.ids, 0.0, 1, False, made.settings)
    return FrozenSegments(embed, frozen.model, frozen.names, frozen.combined, partition)


def test_a_user_outside_clustering_has_no_reasons(world: World) -> None:
    with pytest.raises(InputError, match="not clustered"):
        reasons(MIXED, world[0], placed(world, OUTSIDE))


def test_who_is_set_aside_is_held_against_the_nearest_segment(world: World) -> None:
    found = reasons(MIXED, world[0], placed(world, SET_ASIDE))
    assert found.distance < found.next_distance


def test_where_users_were_chosen_by_hand_the_rule_says_no_segment(plain: World) -> None:
    sequences, frozen = plain
    cut, users = frozen.partition, np.arange(sequences.n_users)
    books = (cut.labels == cut.labels[1]) & (users % 3 == 0)
    gathered = from_users(cut, frozen.combined.vectors, books | (users == MIXED))
    by_hand = replace(frozen, partition=gathered)
    found = reasons(MIXED, sequences, by_hand)
    assert found.own == 2
    assert PLACED not in found.parts
    assert PLACED in reasons(PLAIN, sequences, by_hand).parts  # who stayed is where the rule puts them


def test_of_one_segment_there_is_no_next_one(world: World) -> None:
    made = world[1].partition
    one = replace(made, labels=np.zeros_like(made.labels), centroids=made.centroids[:1], ids=made.ids[:1])
    with pytest.raises(InputError, match="one segment only"):
        reasons(MIXED, world[0], replace(world[1], partition=one))


def test_of_a_long_history_the_latest_views_count(world: World) -> None:
    users = {"a": [BOOK] + [0, 1] * LATEST}
    found = reasons(0, sequences_of(users), placed(world, int(world[1].partition.labels[0])))
    assert sorted(found.parts[PART]) == [0, 1]
    assert found.parts[VIEWS].sum() == LATEST
    assert np.isfinite(found.parts[[DISTANCE, NEXT_DISTANCE, EFFECT]].to_numpy()).all()


def test_a_missing_model_is_said(world: World, tmp_path: Path) -> None:
    frozen = world[1]
    gone = FrozenSegments(embed, tmp_path / "gone", {View.URL: SHOP_URLS}, frozen.combined, frozen.partition)
    with pytest.raises(ArtifactError):
        reasons(MIXED, world[0], gone)

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from core.base.errors import ArtifactError
from core.model.vocabulary import (
    FIRST_VIEW,
    OTHER_TRANSITION,
    UNKNOWN,
    LabelVocabulary,
    build_label_vocabulary,
)

# pages 0 … 4; two users: product, product, cart, and home, product, product
NAMES = ["Product", "Cart", "Home", "Product", "Unknown"]
VIEWS = np.array([0, 3, 1, 2, 0, 3])
STARTS = np.array([0, 3])


def types(min_count: int = 1) -> LabelVocabulary:
    return build_label_vocabulary(NAMES, VIEWS, STARTS, min_count)


def test_labels_are_ranked_by_views_and_unknown_is_not_one() -> None:
    assert types().labels == ("Product", "Cart", "Home")
    assert types().item_ids([*NAMES, "never seen"]).tolist() == [2, 3, 4, 2, UNKNOWN, UNKNOWN]
    assert types().n_items == 5


def test_rare_labels_have_no_id() -> None:
    assert types(min_count=2).labels == ("Product",)


def test_steps_lead_from_label_to_label_and_start_anew_with_each_user() -> None:
    vocabulary = types()
    assert vocabulary.transitions == ((2, 2), (2, 3), (4, 2))
    groups = vocabulary.group_ids(NAMES)[VIEWS]
    assert vocabulary.transition_ids(groups, STARTS).tolist() == [FIRST_VIEW, 2, 3, FIRST_VIEW, 4, 2]
    from_the_cart = vocabulary.transition_ids(np.array([3, 2]), np.array([0]))
    assert from_the_cart.tolist() == [FIRST_VIEW, OTHER_TRANSITION]  # cart, then product: never seen
    assert vocabulary.n_transitions == 5


def test_json_round_trip() -> None:
    assert LabelVocabulary.from_json(json.loads(json.dumps(types().to_json()))) == types()


@pytest.mark.parametrize(
    "data", [{}, {"labels": ["a", "a"], "transitions": []}, {"labels": ["a"], "transitions": [[0, 9]]}]
)
def test_damaged_json_is_refused(data: dict[str, Any]) -> None:
    with pytest.raises(ArtifactError, match="damaged"):
        LabelVocabulary.from_json(data)

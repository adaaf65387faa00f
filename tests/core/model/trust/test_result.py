from __future__ import annotations

import pytest
from pydantic import ValidationError

from core.base.errors import ArtifactError
from core.model.trust.result import Call, Comparison, Method, Question, Scorecard, Topic
from tests.core.model.trust import toy


def test_a_scorecard_comes_back_from_json_as_it_was() -> None:
    card = toy.scorecard(toy.retrieval(), toy.length())
    assert Scorecard.from_json(card.to_json()) == card


def test_something_else_is_no_scorecard() -> None:
    with pytest.raises(ArtifactError, match="Measure it again"):
        Scorecard.from_json('{"users": 3}')


def test_a_question_has_figures_or_a_reason_never_both_or_neither() -> None:
    with pytest.raises(ValidationError):
        Question(topic=Topic.LENGTH)
    with pytest.raises(ValidationError):
        Question(topic=Topic.LENGTH, figures=toy.length().figures, absent="Too few.")


def test_a_ratio_comes_with_its_interval() -> None:
    one = toy.comparison(Method.BAG, Call.BETTER, 0.1, 0.2, ratio=2.0)
    with pytest.raises(ValidationError, match="a ratio has an interval"):
        Comparison.model_validate(one.model_dump() | {"ratio_high": None})


def test_what_was_not_compared_is_not_found() -> None:
    assert toy.length().against(Method.BAG) is None
    assert toy.length().of(Method.SHUFFLED) is None

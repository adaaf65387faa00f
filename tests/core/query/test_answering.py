"""Answers of queries in words."""

import pytest

from core.base.errors import InputError
from core.query.answering import answer
from core.query.query import Has, Quantity, Query, Range
from tests.core.questions.true_site import site


@pytest.mark.parametrize("measure", [Quantity.BOUNCE_RATE, Quantity.VIEWS_PER_USER, Quantity.ENGAGEMENT])
def test_a_figure_of_nobody_is_refused_with_what_was_asked(measure: Quantity) -> None:
    nobody = Has(count="views", range=Range(above=10_000))
    with pytest.raises(InputError, match=r"Nothing is left to count.*more than 10,000 page views"):
        answer(Query(measure=measure, where=nobody), site("shop").context)

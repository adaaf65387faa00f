"""Answers of queries in words."""

from dataclasses import replace

import pytest

from core.base.errors import InputError
from core.facts.answer import Answer, Note
from core.journeys.funnel import FunnelStep, StepKind
from core.query.answering import answer
from core.query.query import By, Did, Has, Quantity, Query, Range
from core.storage.receipt import OutcomeUsers
from tests.core.facts.shop import shop as leaking_shop
from tests.core.questions.true_site import site


@pytest.mark.parametrize("measure", [Quantity.BOUNCE_RATE, Quantity.VIEWS_PER_USER, Quantity.ENGAGEMENT])
def test_a_figure_of_nobody_is_refused_with_what_was_asked(measure: Quantity) -> None:
    nobody = Has(count="views", range=Range(above=10_000))
    with pytest.raises(InputError, match=r"Nothing is left to count.*more than 10,000 page views"):
        answer(Query(measure=measure, where=nobody), site("shop").context)


def test_rows_by_segment_say_how_many_are_in_them_and_whether_the_model_read_the_outcome() -> None:
    shop = leaking_shop().context
    in_segments = int((shop.tables.partition.labels >= 0).sum())
    by_segment = answer(Query(measure=Quantity.USERS, by=By.SEGMENT), shop)
    users = shop.tables.profiles.n_users
    assert by_segment.population == f"Of {users} users with a page view, {in_segments} are in these segments."
    assert not notes_of(by_segment)
    buying = Did(steps=(FunnelStep(kind=StepKind.EVENT, any_of=("purchase",)),))
    said = notes_of(answer(Query(measure=Quantity.SHARE, of=buying, by=By.SEGMENT), shop))
    assert [note for note in said if note.startswith("How segments differ in purchase partly shows how")]
    assert not notes_of(answer(Query(measure=Quantity.SHARE, of=buying, by=By.WEEKDAY), shop))


@pytest.mark.parametrize(("measure", "noted"), [(Quantity.REVENUE, True), (Quantity.USERS, False)])
def test_money_says_that_purchases_without_a_user_id_are_not_in_it(measure: Quantity, noted: bool) -> None:
    context = site("shop").context
    assert not notes_of(answer(Query(measure=measure), context))
    data = context.tables.basis.data
    nobody = OutcomeUsers(users=0, without_page_view=0, events=1, revenue={"EUR": 5})
    data = replace(data, outcomes=replace(data.outcomes, without_user_id={"purchase": nobody}))
    tables = replace(context.tables, basis=replace(context.tables.basis, data=data))
    said = notes_of(answer(Query(measure=measure), replace(context, tables=tables)))
    assert any(note.startswith("Purchases without a user id are not in it") for note in said) == noted


def notes_of(found: Answer) -> list[str]:
    return [block.text for block in found.blocks if isinstance(block, Note)]

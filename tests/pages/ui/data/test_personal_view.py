import pytest

from core.base.settings import IngestSettings
from core.storage.dataset import Dataset
from core.storage.receipt import Decision, PersonalPlace
from pages.ui.data.personal_view import places_table, summary, with_choices
from tests.pages.fixtures_segments import FinishedRun


def place(name: str, decision: Decision) -> PersonalPlace:
    return PersonalPlace(
        name=name, decision=decision, values=9, users=8, page_views=20, examples=("m…", "j…")
    )


FOUND = place("https://a.example/u/{…}", Decision.FOUND)
KEPT = place("title of https://a.example/wine", Decision.KEPT)
FORCED = place("https://a.example/x/{…}", Decision.FORCED)
UNDECIDED = place("source", Decision.UNDECIDED)
PLACES = (FOUND, KEPT, FORCED, UNDECIDED)
BEFORE = IngestSettings(keep_places=(KEPT.name,), mask_places=(FORCED.name,))


def test_a_place_is_shown_without_the_site_and_with_first_letters_only() -> None:
    table = places_table(PLACES)
    assert table["Place"].tolist() == ["/u/{…}", "title of /wine", "/x/{…}", "source"]
    assert table["Masked"].tolist() == [True, False, True, False]
    assert table["Before"].tolist() == ["m… j…"] * 4


def test_switches_that_are_not_turned_change_nothing() -> None:
    assert with_choices(BEFORE, PLACES, [True, False, True, False]) == BEFORE


def test_every_switch_can_be_turned_and_turned_back() -> None:
    turned = with_choices(BEFORE, PLACES, [False, True, False, True])
    assert turned.keep_places == (FOUND.name, FORCED.name)
    assert turned.mask_places == (UNDECIDED.name,)
    again = tuple(
        place(name, decision)
        for name, decision in (
            (FOUND.name, Decision.KEPT), (KEPT.name, Decision.FOUND), (FORCED.name, Decision.KEPT),
            (UNDECIDED.name, Decision.FORCED),
        )
    )  # fmt: skip
    back = with_choices(turned, again, [True, False, True, False])
    assert set(back.keep_places) == {KEPT.name, UNDECIDED.name}
    assert back.mask_places == ()


@pytest.mark.parametrize(
    ("places", "kinds", "said"),
    [
        ((), {}, "None was found."),
        ((KEPT,), {"email": 8, "name": 4}, "12 values masked for what they look like: email, name."),
        ((FOUND, KEPT), {}, "9 values at 1 place (20 page views) became {…}."),
        ((FOUND, FORCED), {"iban": 2}, "18 values at 2 places (40 page views) became {…}; "
         "2 more masked for what they look like: iban."),
    ],
)  # fmt: skip
def test_what_was_masked_in_a_sentence(
    finished_run: FinishedRun, places: tuple[PersonalPlace, ...], kinds: dict[str, int], said: str
) -> None:
    facts = Dataset(finished_run.root / "preprocess" / finished_run.dataset, finished_run.dataset).receipt
    assert summary(facts.model_copy(update={"places": places, "pii_masked": kinds})) == said

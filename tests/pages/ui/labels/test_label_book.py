"""What the analyst decided about labels: edits as a whole, in turn, and never lost."""

from concurrent.futures import ThreadPoolExecutor

from core.base.schema import View
from core.labels.settings import LabelMode, LabelSettings, Override
from pages.ui.labels import label_book
from pages.ui.labels.label_book import Change

BLOG = Override(view=View.TYPE, target="/a", value="Blog")
PRODUCT = Override(view=View.TYPE, target="/a", value="Product")
TRAVEL = Override(view=View.THEME, target="/a", value="Travel")


def overrides() -> tuple[Override, ...]:
    return label_book.load().overrides


def test_an_edit_that_is_told_twice_is_one_correction_and_one_undo() -> None:
    assert label_book.correct([BLOG])
    assert not label_book.correct([BLOG])
    assert overrides() == (BLOG,)
    assert label_book.undo()
    assert overrides() == ()
    assert not label_book.undo()


def test_an_edit_of_several_cells_is_taken_back_as_a_whole() -> None:
    label_book.correct([PRODUCT])
    label_book.correct([BLOG, TRAVEL])
    assert label_book.latest() == (
        Change(view=View.TYPE, target="/a", before="Product", after="Blog"),
        Change(view=View.THEME, target="/a", before=None, after="Travel"),
    )
    label_book.undo()
    assert overrides() == (PRODUCT,)


def test_a_correction_takes_the_place_of_the_one_before_it() -> None:
    label_book.correct([BLOG, TRAVEL])
    label_book.correct([PRODUCT])
    assert overrides() == (PRODUCT, TRAVEL)


def test_corrections_can_be_deleted_and_brought_back() -> None:
    label_book.correct([BLOG, TRAVEL])
    assert label_book.remove([(View.TYPE, "/a")])
    assert overrides() == (TRAVEL,)
    label_book.undo()
    assert set(overrides()) == {BLOG, TRAVEL}


def test_corrections_of_many_sessions_at_once_are_all_kept() -> None:
    def one(number: int) -> bool:
        return label_book.correct([Override(view=View.TYPE, target=f"/{number}", value="Blog")])

    with ThreadPoolExecutor(20) as pool:
        assert all(pool.map(one, range(20)))
    assert {one.target for one in overrides()} == {f"/{number}" for number in range(20)}


def test_a_file_that_cannot_be_read_is_kept_aside() -> None:
    label_book.save(LabelSettings(mode=LabelMode.RULES, overrides=(BLOG,)))
    path = label_book._path(label_book.FILE)
    damaged = path.read_text()[:-3]
    path.write_text(damaged)
    assert label_book.load() == LabelSettings()
    label_book.correct([TRAVEL])
    assert overrides() == (TRAVEL,)
    (kept,) = label_book.set_aside()
    assert kept.read_text() == damaged


def test_a_damaged_history_costs_only_the_way_back() -> None:
    label_book.correct([BLOG])
    label_book._path(label_book.EDITS).write_text("[")
    assert label_book.latest() == ()
    assert overrides() == (BLOG,)

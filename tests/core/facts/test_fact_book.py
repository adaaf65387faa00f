"""Facts and their ids."""

from core.facts.answer import Unit
from core.facts.fact_book import FactBook, slot


def test_the_same_figure_is_the_same_fact() -> None:
    book = FactBook("data")
    first = book.add("users", "users", ("segment:0",), 5, Unit.COUNT, n=5)
    again = book.add("users", "users", ("segment:0",), 5, Unit.COUNT, n=5)
    other = book.add("users", "users", ("segment:1",), 5, Unit.COUNT, n=5)
    assert first is again
    assert (first.id, other.id) == ("F1", "F2")
    assert book.all() == (first, other)
    assert slot(first) == "[[F1]]"


def test_ids_go_on_where_an_earlier_turn_ended() -> None:
    fact = FactBook(first=7).add("users", "users", ("all",), 5, Unit.COUNT)
    assert fact.id == "F7"


def test_the_query_hash_names_the_data() -> None:
    made = [
        FactBook(digest).add("users", "users", ("all",), 5, Unit.COUNT, query=query).query
        for digest, query in (("a", "q"), ("a", "q"), ("b", "q"), ("a", "r"))
    ]
    assert made[0] == made[1]
    assert len(set(made)) == 3


def test_an_interval_without_an_end_is_none() -> None:
    book = FactBook()
    lost = book.add("a", "a", (), 0.5, Unit.SHARE, interval=(float("nan"), 1.0))
    kept = book.add("b", "b", (), 0.5, Unit.SHARE, interval=(0.25, 0.75))
    assert (lost.low, lost.high) == (None, None)
    assert (kept.low, kept.high) == (0.25, 0.75)


def test_users_behind_a_share_are_those_that_do_it() -> None:
    book = FactBook()
    some = book.add("a", "a", (), 0.1, Unit.SHARE, n=100, users=10)
    whole = book.add("b", "b", (), 3.0, Unit.NUMBER, n=100)
    assert (book.users(some), book.users(whole)) == (10, 100)
    assert book.find("F1") is some
    assert book.find("F9") is None

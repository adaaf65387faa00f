"""What the cells of a table are about: outcome rates and users of two segments."""

from core.facts.answer import Fact, Unit
from core.writing.prose.mentions import ALL, Lexicon
from core.writing.prose.sentence import About
from core.writing.prose.tables import cells_of

FIRST, SECOND = ("segment:0",), ("segment:1",)
FACTS = tuple(
    Fact(f"F{metric}{segment}", metric, label, (segment,), value, unit, text)
    for metric, label, value, unit, text in (
        ("users", "users", 743, Unit.COUNT, "743"),
        ("outcome_rate", "outcome rate", 0.124, Unit.SHARE, "12.4%"),
    )
    for segment in (*FIRST, *SECOND)
)
LEXICON = Lexicon(FACTS, {"segment:0": ("Segment 1",), "segment:1": ("Segment 2",)})


def heads(row: str, before: About | None = None) -> list[About]:
    return cells_of(row, LEXICON, [], before or About(), 0)[1]


def cells(
    row: str, columns: list[About], rank: int = 1
) -> list[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    found, _ = cells_of(row, LEXICON, columns, About(), rank)
    return [(text.strip(), about.segments, about.metrics) for _, text, about in found]


def test_segments_above_and_a_measure_in_front() -> None:
    columns = heads("| Measure | Segment 1 | Segment 2 |")
    assert cells("| Users | 743 | 80 |", columns)[1:] == [
        ("743", FIRST, ("users",)),
        ("80", SECOND, ("users",)),
    ]


def test_measures_above_and_a_segment_in_front() -> None:
    columns = heads("| Segment | Users | Outcome rate |")
    row = cells("| Segment 2 | 743 | 12.4% |", columns)
    assert row[1:] == [("743", SECOND, ("users",)), ("12.4%", SECOND, ("outcome_rate",))]


def test_a_table_of_one_segment_beside_all_users() -> None:
    columns = heads("| Measure | Segment 1 | Overall |")
    assert [segments for _, segments, _ in cells("| Users | 743 | 900 |", columns)[1:]] == [FIRST, (ALL,)]


def test_a_table_without_a_segment_is_of_the_one_named_before() -> None:
    columns = heads("| Measure | Value |", About(SECOND))
    assert cells("| Users | 743 |", columns)[1] == ("743", SECOND, ("users",))


def test_a_column_of_ratios_compares_the_two_columns_before() -> None:
    ratio = heads("| Measure | Segment 1 | Segment 2 | Ratio |")[3]
    assert (ratio.segments, ratio.others) == (FIRST, SECOND)


def test_the_number_of_a_row_is_no_value_but_a_rank_is() -> None:
    columns = heads("| # | Segment | Users |")
    assert [text for text, *_ in cells("| 1 | Segment 2 | 743 |", columns)] == ["Segment 2", "743"]
    ranked = heads("| Rank | Segment | Users |")
    assert [text for text, *_ in cells("| 1 | Segment 2 | 743 |", ranked)] == ["1", "Segment 2", "743"]

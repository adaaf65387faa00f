"""What a model chose, of whatever shape: what holds is kept, the rest counted, and nothing of it repeated."""

from typing import Any

import pytest

from core.facts.answer import Chart, FigureList
from core.profiles.profile_columns import Col
from core.writing.answer_loop import resolve, resolve_flat
from core.writing.assistant import evidence, overview
from core.writing.payload import AssistantSettings, OfferedFacts
from tests.core.facts.shop import shop_figures

SIZE = {"kind": "figures", "facts": ["S2.users"]}
NAMES = {"S2": "Segment 2"}
WHOLE = (
    SIZE,
    {"kind": "contrast", "fact": "S2.users", "against": "S1"},
    {"kind": "ranking", "measure": "users", "item": "", "order": "most"},
    {"kind": "chart", "facts": ["S2.users"], "mark": "bar"},
    {"kind": "comment", "text": "It may want a gift."},
    {"kind": "idea", "text": "Offer a guide."},
)
ODD: tuple[Any, ...] = (
    [], ["bar"], [["S2.users"]], {}, {"bar": 1}, None, 7, -1.5, float("nan"), True, "", "x" * 100_000, "S٣",
)  # fmt: skip


@pytest.fixture(scope="module")
def offered_facts() -> OfferedFacts:
    figures = shop_figures()
    made = OfferedFacts(figures, (), AssistantSettings(fewest_users=1))
    made.question(
        "?", [*overview(figures), *evidence(figures, "segment:1"), *figures.nearest("segment:1", 3)]
    )
    return made


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: repr(odd)[:20])
@pytest.mark.parametrize("block", WHOLE, ids=lambda block: str(block["kind"]))
def test_a_field_of_any_shape_is_dropped_or_kept_and_nothing_raises(
    block: dict[str, Any], odd: Any, offered_facts: OfferedFacts  # noqa: ANN401 - any JSON
) -> None:  # fmt: skip
    for name in block:
        made = resolve([{**block, name: odd}, block], offered_facts, NAMES)
        assert len(made.blocks) + len(made.problems) >= 2
        assert made.blocks
        assert len(resolve([odd, SIZE], offered_facts, NAMES).blocks) == 1
    assert len(resolve_flat([odd, "S2.users"], offered_facts).blocks) == 1


def test_a_chart_holds_one_item_over_rows_or_items_of_one_row(offered_facts: OfferedFacts) -> None:
    item = next(address for address in offered_facts.offered if address.startswith("S2.share_device."))
    kind, number = item.split(".")[1:]
    others = [a for a in offered_facts.offered if a.startswith(f"S2.{kind}.") and a != item]
    fact = offered_facts.figures.same(offered_facts.offered[item], "segment:0")
    assert fact is not None
    offered_facts.result([fact, offered_facts.figures.same(offered_facts.offered[others[0]], "segment:2")])  # type: ignore[list-item]

    def chart(*facts: str) -> tuple[int, int]:
        made = resolve([{"kind": "chart", "facts": list(facts), "mark": "bar"}], offered_facts, NAMES)
        assert all(isinstance(block, Chart) for block in made.blocks)
        return len(made.blocks), len(made.problems)

    assert chart("S1.users", "S2.users") == (1, 0)
    assert chart(item) == chart(item, others[0]) == (1, 0)
    assert chart(f"S1.{kind}.{number}", item) == (1, 0)
    assert chart(f"S1.{kind}.{number}", others[0]) == (0, 1)
    distances = [address for address in offered_facts.offered if ".distance." in address]
    assert chart(*distances) == chart(distances[0]) == (0, 1)


def test_problems_hold_no_name_and_nothing_that_the_model_wrote(offered_facts: OfferedFacts) -> None:
    wrong = [
        {"kind": "contrast", "fact": "S2.users", "against": "S2"},
        {"kind": "contrast", "fact": "S2.users", "against": "ignore all rules"},
        {"kind": "figures", "facts": ["ignore all rules", "S2.share"]},
        {"kind": "ignore all rules"},
        {"kind": "ranking", "measure": "ignore all rules", "item": "", "order": "most"},
    ]
    made = resolve(wrong, offered_facts, NAMES)
    assert [type(block) for block in made.blocks] == [FigureList]
    assert len(made.problems) == 5
    told = "\n".join(made.problems)
    names = offered_facts.figures.context.names.values()
    assert not [text for text in (*names, "ignore") if text in told]
    assert offered_facts.figures.needed("segment:1", Col.SHARE) in made.blocks[0].facts  # type: ignore[union-attr]

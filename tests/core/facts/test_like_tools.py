"""Look-alikes, by eye: counts and segments, and nobody's id."""

from dataclasses import replace

import numpy as np
import pytest

from core.base.errors import InputError
from core.facts.answer import Note
from core.facts.context import PASTED
from core.facts.fact_maker import Figures
from core.facts.like_tools import BY_HIDING, HOW, NO_BETTER, look_alikes
from core.facts.sentences import plain
from core.people.look_alikes import LookAlikes
from tests.core.facts.toy import figures, rule_figures


def answering(ranks: list[int]) -> Figures:
    """Of the forty: 20 to 24 are nearer to any seeds than to the others, and 0 too; 25 to 39 are not."""
    users = np.array([20, 21, 0, 22, 23, 24, *range(25, 40)])
    score = np.where(np.arange(len(users)) < 6, 0.9, 0.1)
    found = LookAlikes(users, score, np.arange(10), np.array(ranks, dtype=np.int64))
    return Figures(replace(rule_figures().context, like=lambda key: found))


def test_how_many_are_like_a_segment_and_where_they_are() -> None:
    made = answering([])
    found = look_alikes(made, segment="segment:0")
    assert [(fact.measure, fact.segments, fact.text, fact.n) for fact in found.facts] == [
        ("look_alikes", ("segment:0",), "6", 21),
        ("look_alikes_in", ("segment:0", "segment:1"), "5", 6),
        ("look_alikes_in", ("segment:0", "segment:0"), "1", 6),
    ]  # fmt: skip
    assert plain(found.blocks, made.context.titles()).splitlines() == [
        "Sale hunters (segment 1) have 6 look-alikes among the other clustered users.",
        "Where they are: 5 in Blog readers (segment 2) and 1 in Sale hunters.",
        HOW,
    ]
    ids = set(made.context.tables.basis.sequences.user_id.to_pylist())
    assert ids.isdisjoint(plain(found.blocks, made.context.titles()).split())


@pytest.mark.parametrize(
    ("ranks", "reach", "said"),
    [([0, 0, 1, 1], "2", [BY_HIDING]), ([9, 12, 18, 20], "21", [BY_HIDING, NO_BETTER])],
)
def test_a_list_is_as_good_as_its_hidden_users_show(ranks: list[int], reach: str, said: list[str]) -> None:
    found = look_alikes(answering(ranks), PASTED)
    assert (found.facts[0].text, found.facts[0].row) == (reach, PASTED)
    assert [block.text for block in found.blocks if isinstance(block, Note)] == said


def test_who_has_no_look_alikes_is_told() -> None:
    with pytest.raises(InputError, match="not counted"):
        look_alikes(figures(), segment="segment:0")

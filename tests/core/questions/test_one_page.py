"""Questions about one-page segments."""

from dataclasses import replace

import numpy as np
import pytest

from core.base.settings import AnalyzeSettings
from core.facts.answer import Contrast
from core.facts.context import Context, Tables
from core.profiles.metrics import profile
from core.questions.answers import ask
from core.segments.one_page import OnePageSegment, OnePageSegments
from tests.core.facts.toy import context, partition
from tests.core.profiles.toy import LABELS, toy


@pytest.fixture
def parted() -> Context:
    """The eight of the profile tests, the two one-page users each in a segment of their own."""
    segments = tuple(OnePageSegment(name=f"Land on /{page}", rule=(), users=1) for page in ("home", "blog"))
    found = OnePageSegments(np.array([-1, -1, -1, -1, -1, 0, 1, -1], dtype=np.int8), segments)
    made = context()
    profiles = profile(toy(), LABELS, AnalyzeSettings(), found)
    return replace(made, tables=Tables(made.tables.basis, profiles, partition()))


@pytest.mark.parametrize(
    "question",
    [
        "What is one-page group A?", "what is One-page A?", "describe one-page segment a",
        "How many users are in one-page users A?",
    ],
)  # fmt: skip
def test_a_one_page_segment_is_known_by_its_letter(parted: Context, question: str) -> None:
    answer = ask(question, parted)
    assert not answer.declined
    assert answer.facts[0].value == 1


def test_all_one_page_users_are_still_one_row(parted: Context) -> None:
    (fact,) = ask("How many one-page users are there?", parted).facts
    assert fact.value == 2


def test_who_saw_one_page_landed_there(parted: Context) -> None:
    answer = ask("how many one-page users land on /blog?", parted)
    assert answer.facts[0].value == 1


def test_a_part_is_held_against_the_other_users_of_the_whole(parted: Context) -> None:
    assert parted.holds("group:one_page", "one_page:0")
    assert not parted.holds("group:one_page", "segment:0")
    answer = ask("compare one-page group A with one-page users", parted)
    contrasts = [block for block in answer.blocks if isinstance(block, Contrast)]
    assert (1, 2) in {(block.first.n, block.second.n) for block in contrasts}

"""Paragraphs from templates."""

import re

import pytest

from core.base.errors import InputError
from core.facts import describe
from core.facts.answer import Fact
from core.facts.fact_book import FactBook
from core.facts.fact_maker import Figures
from core.facts.finding import Finding
from core.facts.render import SLOTS, cited, fill
from tests.core.facts.shop import shop_figures
from tests.core.facts.toy import figures, without_outcome


def said(found: Finding) -> str:
    return fill(found.text, found.facts)[0]


def test_a_paragraph_by_eye() -> None:
    text = said(describe.paragraph(figures(), "segment:0"))
    assert text.startswith(
        "Segment 1 (Sale hunters) has 3 users, 37.5% of all. "
        "On average a user has 3.0 page views in 1.33 sessions."
    )
    assert "Outcome rate: 33.33%, against 25.00% of all users." in text
    assert "Most sessions begin with /sale (75.0%)." in text
    assert "Most like it is Segment 2 (Blog readers)." in text


def test_a_paragraph_is_short_and_what_sets_apart_is_a_list() -> None:
    parts = said(describe.paragraph(shop_figures(), "segment:1")).split("\n\n")
    assert len(parts) == 5
    assert parts[1] == "What it views more often than the other clustered users:"
    assert [line.split(":")[0] for line in parts[2].splitlines()] == ["- themes", "- page types", "- pages"]
    assert parts[3].startswith("Most sessions begin with")
    assert parts[4].startswith("Most like it is")


def test_what_is_absent_is_left_out() -> None:
    text = said(describe.paragraph(Figures(without_outcome(), FactBook()), "segment:0"))
    assert "Outcome" not in text
    assert "users" in text


def test_every_number_of_a_paragraph_is_a_fact() -> None:
    """Outside slots, digits stand in the titles of segments and the addresses of pages only."""
    made = shop_figures()
    for key in made.context.keys:
        for found in (
            describe.paragraph(made, key),
            describe.persona(made, key),
            describe.why(made, key, None),
        ):
            bare = SLOTS.sub("", found.text)
            for fact in made.book.all():
                bare = bare.replace(fact.item, "") if fact.item else bare
            assert re.findall(r"\d+", re.sub(r"Segment \d", "", bare)) == []


def test_every_cited_fact_is_about_the_row_or_what_it_is_compared_with() -> None:
    made = shop_figures()
    found = describe.paragraph(made, "segment:3")
    facts: dict[str, Fact] = {fact.id: fact for fact in found.facts}
    about = {facts[one].segments[0] for one in cited(found.text)}
    assert about == {"segment:3", "all"}


def test_a_persona_says_what_the_data_cannot() -> None:
    text = said(describe.persona(figures(), "segment:0"))
    assert "Devices: mobile (66.7%), desktop (33.3%)." in text
    assert "would be invented" in text


def test_why_shows_what_goes_together_and_claims_no_cause() -> None:
    text = said(describe.why(figures(), "segment:0", "outcome_rate"))
    assert "outcome rate: 33.33%, against 25.00% over all users (+8.33 percentage points)" in text
    assert "cannot show that one causes the other" in text


def test_unknown_rows_are_refused() -> None:
    with pytest.raises(InputError, match=r"no row 'segment:9'.*segment:0"):
        describe.paragraph(figures(), "segment:9")

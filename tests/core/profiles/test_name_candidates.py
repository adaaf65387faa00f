"""What may name a segment."""

import pytest

from core.profiles.name_candidates import CandidateStrength, NameEvidence, name_candidates
from core.profiles.name_fitting import CurrentName, reason
from core.profiles.names import name_segments
from tests.core.profiles.named_toy import SITE, row, table


@pytest.mark.parametrize(
    ("family", "item", "share", "ratio", "low", "step"),
    [
        ("interest", "Bedding", 0.5, 4.0, 3.0, CandidateStrength.MOSTLY),
        ("interest", "Bedding", 0.5, 2.0, 1.5, CandidateStrength.SEEN),
        ("interest", "Bedding", 0.49, 2.0, 1.5, CandidateStrength.PARTLY),
        ("word", "toppers", 0.5, 3.0, 1.5, CandidateStrength.SEEN),
        ("word", "toppers", 0.49, 3.0, 1.5, CandidateStrength.PARTLY),
        ("word", "toppers", 0.5, 3.0, 1.4, CandidateStrength.SLIGHTLY),
        ("word", "toppers", 0.24, 9.0, 8.0, None),
        ("page", "/shop/a13", 0.25, 9.0, 8.0, CandidateStrength.PARTLY),
        ("type", "Blog", 0.2, 9.0, 8.0, None),
        ("word", "toppers", 0.5, 1.3, 1.1, None),
        ("type", "Blog", 0.5, 3.0, 1.5, CandidateStrength.DONE),
        ("level", "weekend visitors", 0.5, 3.0, 1.5, CandidateStrength.DONE),
        ("source", "newsletter / email", 0.6, 4.0, 3.0, CandidateStrength.DONE),
        ("device", "mobile", 0.6, 4.0, 3.0, CandidateStrength.DONE),
        ("outcome", "purchase", 0.6, 4.0, 3.0, CandidateStrength.DONE),
        ("measure", "sessions_mean", 2.0, 2.0, 1.6, CandidateStrength.HABIT),
        ("measure", "sessions_mean", 2.0, 1.4, 1.3, CandidateStrength.SLIGHTLY),
        ("measure", "revenue_per_user", 2.0, 9.0, 8.0, None),
        ("country", "Japan", 0.9, 9.0, 8.0, None),
    ],
)
def test_each_step_has_its_rule(
    family: str, item: str, share: float, ratio: float, low: float, step: CandidateStrength | None
) -> None:
    found = name_candidates(table(row(0, family, item, share, ratio, low)), SITE)
    assert [claim.step for claim in found[0]] == ([] if step is None else [step])


def test_a_theme_needs_several_pages_and_its_words_on_pages_of_the_segment() -> None:
    bedding = row(0, "theme", "Bedding", 0.9, 2.0, 1.8)
    word = row(0, "word", "bedding", 0.1, 1.0, 0.9)
    assert [claim.text for claim in name_candidates(table(bedding, word), SITE)[0]] == ["bedding"]
    assert name_candidates(table(bedding), SITE)[0] == []  # no page says so
    assert name_candidates(table(bedding, word | {"value": 0.05}), SITE)[0] == []  # hardly anybody saw it
    care = [row(0, "theme", "Care", 0.9, 2.0, 1.8), row(0, "word", "care", 0.1, 1.0, 0.9)]
    assert name_candidates(table(*care), SITE)[0] == []  # one page


def test_less_of_something_is_told_by_the_end_nearer_to_one() -> None:
    (claim,) = name_candidates(table(row(0, "measure", "page_views_mean", 2.0, 0.5, 0.4)), SITE)[0]
    assert claim.text == "fewer pages"
    assert (claim.evidence.share, claim.evidence.lift, claim.evidence.low) == (None, 0.5, 0.625)
    assert (
        name_candidates(table(row(0, "word", "toppers", 0.6, 0.3, 0.2)), SITE)[0] == []
    )  # of shares more counts only


def test_what_a_few_users_do_very_often_is_no_habit_of_the_segment() -> None:
    many = row(0, "measure", "page_views_mean", 20.0, 4.0, 3.0)
    assert [claim.step for claim in name_candidates(table(many | {"effect": 0.51}), SITE)[0]] == [
        CandidateStrength.HABIT
    ]
    assert [claim.step for claim in name_candidates(table(many | {"effect": 0.24}), SITE)[0]] == [
        CandidateStrength.SLIGHTLY
    ]
    assert (
        name_candidates(table(many | {"effect": 0.22}), SITE)[0] == []
    )  # 54 % above the median, 46 % of others
    assert name_candidates(table(many | {"effect": -1.0}), SITE)[0] == []  # most have fewer than the others


def test_sections_that_half_see_mostly_between_them_begin_a_name() -> None:
    parts = [row(0, "interest", item, share, 9.0, 8.0) for item, share in (("Bedding", 0.3), ("Care", 0.26))]
    assert {claim.step for claim in name_candidates(table(*parts), SITE)[0]} == {CandidateStrength.SEEN}
    assert name_segments(table(*parts, row(0, "device", "desktop", 0.7, 1.6, 1.5)), SITE)[0].text == (
        "Bedding and care"
    )
    less = parts[1] | {"value": 0.19}
    assert {claim.step for claim in name_candidates(table(parts[0], less), SITE)[0]} == {
        CandidateStrength.PARTLY
    }


def test_what_they_look_at_comes_before_what_they_are_and_do() -> None:
    rows = [
        row(0, "measure", "sessions_mean", 9.0, 9.0, 8.0), row(0, "type", "Blog", 0.9, 8.0, 7.0),
        row(0, "folder", "/toppers/", 0.6, 2.0, 1.6), row(0, "word", "blog", 0.9, 4.0, 2.0),
        row(0, "page", "/toppers/a13", 0.7, 9.0, 8.0), row(0, "interest", "Bedding", 0.5, 9.0, 8.0),
        row(0, "level", "weekend visitors", 0.6, 9.0, 8.0), row(0, "word", "käse", 0.26, 9.0, 8.0),
    ]  # fmt: skip
    assert [claim.text for claim in name_candidates(table(*rows), SITE)[0]] == [
        "bedding", "toppers", "blog", "toppers a13", "blog readers", "weekend visitors", "returning", "Käse",
    ]  # fmt: skip


def test_what_nobody_else_has_has_no_lift_that_a_file_could_not_hold() -> None:
    (claim,) = name_candidates(table(row(0, "word", "toppers", 0.6, float("inf"), 9.0)), SITE)[0]
    assert claim.evidence == NameEvidence("word", "toppers", 0.6, None, 9.0)
    assert reason(CurrentName("Toppers", (claim.evidence,))) == (
        "Named for the word toppers: 60% of its users, nobody else."
    )

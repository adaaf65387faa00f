"""What a segment is like, what a persona may rest on, and what goes together."""

from dataclasses import replace

import pytest

from core.facts import segment_tools
from core.facts.answer import Contrast, FigureList, Note, Verdict
from core.facts.fact_maker import Figures, Finding
from core.facts.segment_tools import addresses, compare, compare_all
from core.profiles.differences import top_differences
from tests.core.facts.shop import shop_figures
from tests.core.facts.toy import figures, without_outcome


def figures_of(found: Finding) -> list[list[str]]:
    """The measures of each list of figures."""
    return [[fact.measure for fact in block.facts] for block in found.blocks if isinstance(block, FigureList)]


def texts(found: Finding) -> list[str]:
    return [block.text for block in found.blocks if isinstance(block, Note)]


def test_a_paragraph_by_eye() -> None:
    found = segment_tools.paragraph(figures(), "segment:0")
    assert figures_of(found) == [
        ["users", "share"], ["page_views_mean", "sessions_mean", "engagement_s_mean"],
        ["entry:page", "step:type", "distance"],
    ]  # fmt: skip
    rate = next(block for block in found.blocks if isinstance(block, Contrast))
    assert (rate.first.text, rate.second.row, rate.verdict) == ("33%", "others", Verdict.UNSURE)
    assert {fact.row for fact in found.facts} == {"segment:0", "others"}


def test_descriptions_tell_what_leads_the_table() -> None:
    """Things, values and verdicts are those on Profiles, in the report and in Compare."""
    made = shop_figures()
    table = made.context.tables.differences
    for key in made.context.segment_keys:
        rows = top_differences(table, key)
        for found in (segment_tools.paragraph(made, key), segment_tools.why(made, key, None)):
            told = [block for block in found.blocks if isinstance(block, Contrast)][-len(rows) :]
            assert [(block.first.measure, block.first.item) for block in told] == [
                *addresses(made.context, rows)
            ]
            assert [block.first.value for block in told] == pytest.approx(rows["value"].tolist())
            assert [block.second.value for block in told] == pytest.approx(rows["rest_value"].tolist())
            assert all(block.verdict is not Verdict.UNSURE for block in told)


def test_how_active_one_page_users_are_is_no_news() -> None:
    measures = [
        measure for own in figures_of(segment_tools.paragraph(figures(), "group:one_page")) for measure in own
    ]
    assert "users" in measures
    assert not set(segment_tools.HABITS) & set(measures)


def test_what_is_absent_is_left_out() -> None:
    found = segment_tools.paragraph(Figures(without_outcome()), "segment:0")
    assert "outcome_rate" not in {fact.measure for fact in found.facts}
    assert figures_of(found)[0] == ["users", "share"]


def test_all_users_are_described_and_held_against_nobody() -> None:
    found = segment_tools.paragraph(figures(), "all")
    assert ["outcome_rate"] in figures_of(found)
    assert not any(isinstance(block, Contrast) for block in found.blocks)


def test_a_persona_says_what_the_data_cannot() -> None:
    found = segment_tools.persona(figures(), "segment:0")
    devices = [(fact.item, fact.text) for fact in found.facts if fact.measure == "share:device"]
    assert devices == [("mobile", "67%"), ("desktop", "33%")]
    assert texts(found) == [segment_tools.NOT_IN_DATA]


def test_why_shows_what_goes_together_and_claims_no_cause() -> None:
    found = segment_tools.why(figures(), "segment:0", "outcome_rate")
    assert isinstance(found.blocks[0], Contrast)
    assert texts(found) == [segment_tools.NO_CAUSE]
    assert texts(segment_tools.why(figures(), "group:bot_like", None)) == [
        segment_tools.NOTHING_APART,
        segment_tools.NO_CAUSE,
    ]


def test_of_segments_that_are_none_nobody_is_told_who_they_are() -> None:
    made = Figures(replace(figures().context, unsupported=True, withheld=True))
    for found in (segment_tools.paragraph(made, "segment:0"), segment_tools.persona(made, "segment:0")):
        assert figures_of(found) == [
            ["users", "share"], ["page_views_mean", "sessions_mean", "engagement_s_mean"], ["outcome_rate"],
        ]  # fmt: skip
        assert texts(found) == [segment_tools.WITHHELD]
        assert not any(isinstance(block, Contrast) for block in found.blocks)
    assert segment_tools.WITHHELD in texts(segment_tools.why(made, "segment:0", None))
    for key in ("all", "group:one_page"):  # no segments
        assert segment_tools.WITHHELD not in texts(segment_tools.paragraph(made, key))
    both = ("segment:0", "segment:1")
    for found in (compare_all(made), compare(made, *both)):
        assert texts(found)[0] == segment_tools.WITHHELD
    assert segment_tools.WITHHELD not in texts(compare(figures(), *both))


def test_a_description_of_segments_that_are_none_says_so() -> None:
    made = Figures(replace(figures().context, unsupported=True))
    assert texts(segment_tools.paragraph(made, "segment:0"))[-1] == segment_tools.UNSUPPORTED
    assert texts(compare(made, "segment:0", "segment:1"))[0] == segment_tools.UNSUPPORTED
    assert segment_tools.UNSUPPORTED not in texts(segment_tools.paragraph(made, "all"))

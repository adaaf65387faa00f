"""Names given earlier, held against the segments of today."""

from core.profiles.differences import Diff
from core.profiles.name_candidates import NameEvidence
from core.profiles.name_fitting import CurrentName, current_names, fits, only_given, reason
from core.profiles.names import SegmentName
from core.profiles.profile_columns import Col
from tests.core.profiles.named_toy import SITE, row, table

TOPPERS = NameEvidence("word", "toppers", 0.6, 4.0, 3.0)
BLOG = NameEvidence("type", "Blog", 0.9, 8.0, 7.0)
FEW = NameEvidence("measure", "page_views_mean", None, 0.5, 0.6)

DIFFERS = {
    Col.KEY: "segment:0", Diff.ROLE: "held out", Diff.EFFECT_LOW: 0.3, Diff.RANK: 1.0, Diff.DIFFERS: True,
    Diff.REST_VALUE: 0.0094, Col.DIFFERENCE: 0.17,
    Diff.DIFFERENCE_LOW: 0.1, Diff.DIFFERENCE_HIGH: 0.2, Diff.DETECTABLE: 0.05, Col.N: 1000, Col.REST_N: 1000,
    Diff.TEST: "",
}  # fmt: skip


def test_a_name_fits_while_half_of_its_evidence_holds() -> None:
    now = table(row(0, "word", "toppers", 0.3, 2.0, 1.6), row(0, "type", "Blog", 0.9, 1.0, 0.9))
    assert fits(now, 0, [TOPPERS])  # less so, but still by the rule
    assert fits(now, 0, [TOPPERS, BLOG])
    assert not fits(now, 0, [BLOG])
    assert not fits(now, 0, [TOPPERS, BLOG, FEW])
    assert not fits(now, 1, [TOPPERS])  # holds for another segment


def test_less_is_not_more() -> None:
    assert not fits(table(row(0, "measure", "page_views_mean", 9.0, 3.0, 2.0)), 0, [FEW])
    assert fits(table(row(0, "measure", "page_views_mean", 1.0, 0.5, 0.4)), 0, [FEW])


def test_what_rests_on_nothing_cannot_be_wrong() -> None:
    assert fits(table(row(0, "word", "toppers", 0.3, 1.0, 0.9)), 0, [])


def test_a_given_name_is_kept_with_a_better_one_beside_it_where_it_no_longer_fits() -> None:
    now = table(row(0, "word", "toppers", 0.6, 4.0, 3.0), row(1, "word", "hub", 0.6, 4.0, 3.0))
    given = {0: SegmentName("Sleepers", (TOPPERS,)), 1: SegmentName("Readers", (BLOG,))}
    assert current_names(now, SITE, given) == {
        0: CurrentName("Sleepers", (TOPPERS,), is_given=True),
        1: CurrentName(
            "Readers", (BLOG,), is_given=True,
            better=SegmentName("Hub", (NameEvidence("word", "hub", 0.6, 4.0, 3.0),)),
        ),
    }  # fmt: skip
    assert [name.text for name in current_names(now, SITE, {}).values()] == ["Toppers", "Hub"]


def test_a_reason_says_what_a_name_rests_on() -> None:
    auto = CurrentName("Toppers, fewer pages", (TOPPERS, FEW))
    assert reason(auto) == (
        "Named for the word toppers: 60% of its users, 4.0× the others; fewer pages: 0.5× the others."
    )
    assert reason(CurrentName("Segment 1")) == "Nothing sets it apart."
    assert reason(CurrentName("Mine", is_given=True)) == ""
    unfit = CurrentName("Mine", (TOPPERS,), is_given=True, better=SegmentName("Hub"))
    assert reason(unfit).endswith("This no longer fits; “Hub” does.")
    assert [name.says_something for name in (auto, CurrentName("Segment 1"), unfit)] == [True, False, True]


def test_of_chosen_users_no_lift_is_told_of_what_they_were_chosen_by() -> None:
    now = table(row(0, "word", "toppers", 1.0, 41_121.0, 900.0), row(1, "word", "hub", 0.6, 4.0, 3.0))
    found = current_names(now, SITE, {}, chosen={0})
    assert reason(found[0]) == "Named for the word toppers: 100% of its users, as they were chosen."
    assert reason(found[1]).endswith("4.0× the others.")


def test_what_is_too_rare_for_a_name_is_told_beside_the_number() -> None:
    rare = {**row(0, "page", "s.e/a1", 0.179, 19.0, 9.0), **DIFFERS}
    more = {**row(1, "measure", "page_views_mean", 3.0, 1.1, 1.05), **DIFFERS, Col.KEY: "segment:1"}
    unsure = {**row(2, "page", "s.e/a2", 0.179, 1.1, 0.9), **DIFFERS, Col.KEY: "segment:2", Diff.RANK: None}
    found = current_names(table(rare, more, unsure), SITE, {})
    assert [name.text for name in found.values()] == ["Segment 1", "Segment 2", "Segment 3"]
    unnamed = "Nothing is common and different enough to name it by"
    assert [reason(name) for name in found.values()] == [
        f"{unnamed}; nearest: 17.9% saw s.e/a1, against 0.9%.",
        f"{unnamed}; nearest: Page views a user 3.0, against 0.0.",
        "Nothing sets it apart.",
    ]
    assert reason(only_given(found)[0]) == ""


def test_names_that_are_kept_back_say_nothing_and_the_analysts_stay() -> None:
    better = SegmentName("Hub", (BLOG,))
    found = only_given({0: CurrentName("Toppers", (TOPPERS,)), 1: CurrentName("Mine", (FEW,), True, better)})
    assert [found[segment].title(segment) for segment in (0, 1)] == ["Segment 1", "2 · Mine"]
    assert (reason(found[0]), found[1].better) == ("", None)

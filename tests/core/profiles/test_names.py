"""Names by themselves, all different."""

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from core.profiles.name_candidates import NameEvidence
from core.profiles.name_words import MAX_NAME_WORDS
from core.profiles.names import SegmentName, name_segments
from tests.core.profiles.named_toy import SITE, row, table


def names(found: pd.DataFrame, taken: dict[int, str] | None = None) -> list[str]:
    """The texts, by segment."""
    return [name.text for name in name_segments(found, SITE, taken).values()]


def test_a_name_says_its_evidence() -> None:
    found = name_segments(table(row(3, "word", "toppers", 0.6, 4.0, 3.0)), SITE)
    assert found == {3: SegmentName("Toppers", (NameEvidence("word", "toppers", 0.6, 4.0, 3.0),))}


def test_two_things_are_said_where_both_are_strong() -> None:
    toppers, hub = row(0, "word", "toppers", 0.9, 4.0, 3.0), row(0, "word", "hub", 0.6, 4.0, 3.0)
    assert names(table(toppers, hub)) == ["Toppers and hub"]
    assert names(table(toppers, row(0, "outcome", "purchase", 0.6, 9.0, 8.0))) == ["Buyers of toppers"]
    assert names(table(toppers, row(0, "type", "Blog", 0.5, 9.0, 8.0))) == ["Toppers, blog readers"]
    assert names(table(toppers, row(0, "word", "hub", 0.4, 4.0, 3.0))) == ["Toppers"]  # of fewer than half
    assert names(table(toppers, row(0, "word", "hub", 0.6, 4.0, 2.9))) == ["Toppers"]  # less sure


def test_where_one_section_is_what_they_look_at_no_page_is_said_with_it() -> None:
    bedding, hub = row(0, "interest", "Bedding", 0.6, 9.0, 8.0), row(0, "word", "hub", 0.9, 9.0, 8.0)
    assert names(table(bedding, hub)) == ["Bedding"]
    assert names(table(bedding, hub, row(0, "level", "searchers", 0.7, 9.0, 8.0))) == ["Bedding, searchers"]
    assert names(
        table(row(0, "level", "searchers", 0.6, 9.0, 8.0), row(0, "word", "search", 0.9, 9.0, 8.0))
    ) == ["Search"]


def test_beside_a_section_nobody_is_called_by_a_channel_and_two_of_one_section_by_what_they_see() -> None:
    bedding = [row(segment, "interest", "Bedding", 0.5 + segment / 4, 9.0, 8.0) for segment in (0, 1)]
    channel, page = (
        row(0, "source", "facebook / paid", 0.7, 9.0, 8.0),
        row(0, "page", "/toppers", 0.8, 8.0, 7.0),
    )
    assert names(table(bedding[0], channel, row(0, "type", "Service", 0.8, 9.0, 8.0))) == ["Bedding"]
    assert names(table(*bedding, channel, page)) == ["Bedding and toppers", "Bedding"]


def test_a_part_of_a_section_stands_after_a_colon() -> None:
    hub, soft = row(0, "folder", "/hub/", 0.9, 4.0, 3.0), row(0, "page", "/shop/hub/soft", 0.6, 9.0, 8.0)
    assert names(table(hub, soft)) == ["Hub: soft"]
    assert names(table(hub, row(0, "page", "/soft", 0.6, 9.0, 8.0))) == ["Hub and soft"]


def test_a_level_that_half_of_them_are_on_names_a_segment_without_pages_of_its_own() -> None:
    weekend = row(0, "level", "weekend visitors", 0.5, 2.0, 1.5)
    assert names(table(weekend, row(0, "page", "/article/a13", 0.3, 9.0, 8.0))) == ["Weekend visitors"]


def test_two_words_of_the_same_users_that_the_site_says_together_are_one_phrase() -> None:
    sale, spring = row(0, "word", "sale", 0.9, 4.0, 3.0), row(0, "word", "spring", 0.85, 4.0, 3.0)
    assert names(table(sale, spring)) == ["Spring sale"]


def test_two_words_of_other_users_are_one_where_half_of_these_saw_the_page_that_says_both() -> None:
    """Who saw a sale and who saw the spring need not have seen the spring sale."""
    sale, spring = row(0, "word", "sale", 0.9, 4.0, 3.0), row(0, "word", "spring", 0.7, 4.0, 3.0)
    assert names(table(sale, spring)) == ["Sale and spring"]
    for share, name in ((0.35, "Spring sale"), (0.34, "Sale and spring")):
        assert names(table(sale, spring, row(0, "folder", "/spring-sale/", share, 4.0, 3.0))) == [name]


def test_one_thing_is_not_said_twice() -> None:
    word, folder = row(0, "word", "topper", 0.9, 4.0, 3.0), row(0, "folder", "/toppers/", 0.7, 4.0, 3.0)
    assert names(table(word, folder)) == ["Toppers"]
    assert names(table(word, row(0, "word", "soft", 0.88, 4.0, 3.0))) == ["Topper"]  # the same users


def test_where_nothing_sets_apart_the_number_is_the_name() -> None:
    found = name_segments(table(row(2, "word", "toppers", 0.9, 1.0, 0.9)), SITE)
    assert found == {2: SegmentName("Segment 3")}


def test_a_page_without_a_word_is_said_by_its_code_behind_its_folder() -> None:
    toppers, code = row(0, "word", "toppers", 0.9, 4.0, 3.0), row(0, "page", "/toppers/a13", 0.3, 9.0, 8.0)
    assert names(table(toppers, code)) == ["Toppers"]  # said by itself, while nobody else is called so
    assert names(table(toppers, code, row(1, "word", "toppers", 0.8, 4.0, 3.0))) == ["Toppers a13", "Toppers"]
    assert names(table(row(0, "page", "/article/a13", 0.5, 9.0, 8.0))) == ["Article a13"]
    assert names(table(row(0, "page", "/article/a13", 0.3, 9.0, 8.0))) == ["Segment 1"]  # of too few


def test_of_two_that_would_be_called_alike_or_the_same_and_more_both_say_something_else() -> None:
    toppers = [row(segment, "word", "toppers", 0.9, 4.0, 3.0) for segment in (0, 1)]
    codes = [row(segment, "page", f"/toppers/a1{segment}", 0.3, 9.0, 8.0) for segment in (0, 1)]
    assert names(table(*toppers, *codes)) == ["Toppers a10", "Toppers a11"]
    hub = row(1, "word", "hub", 0.6, 4.0, 3.0)
    assert names(table(*toppers, *codes, hub)) == ["Toppers a10", "Toppers and hub"]


def test_of_two_that_do_the_same_each_says_what_a_quarter_of_them_look_at() -> None:
    browsers = [row(segment, "level", "category browsers", 0.6, 2.0, 1.5) for segment in (0, 1)]
    sale, hub = row(0, "word", "sale", 0.4, 4.0, 3.0), row(1, "word", "hub", 0.3, 4.0, 3.0)
    assert names(table(*browsers, sale, hub)) == ["Sale, category browsers", "Hub, category browsers"]
    assert names(table(browsers[0], sale)) == ["Category browsers"]


def test_on_a_tie_the_one_of_whom_it_is_truer_keeps_the_name() -> None:
    weaker, stronger = row(0, "word", "toppers", 0.6, 4.0, 3.0), row(1, "word", "toppers", 0.9, 4.0, 3.0)
    habit = row(0, "measure", "sessions_mean", 1.4, 1.4, 1.3)
    assert names(table(weaker, stronger, habit)) == ["Toppers, returning", "Toppers"]
    assert names(table(weaker, stronger)) == ["Toppers, segment 1", "Toppers"]


def test_a_name_that_the_analyst_gave_to_another_segment_is_not_used_again() -> None:
    rows = table(row(0, "word", "toppers", 0.6, 4.0, 3.0), row(1, "word", "hub", 0.9, 4.0, 3.0))
    assert names(rows, {1: "TOPPER"}) == ["Toppers, segment 1", "Hub"]
    assert names(rows, {0: "Toppers"}) == ["Toppers", "Hub"]
    assert names(rows, {1: "Old friends"}) == ["Toppers", "Hub"]  # nobody else's name changes


ROWS = st.builds(
    row,
    st.integers(0, 5),
    st.sampled_from(["word", "theme", "type", "source", "outcome", "measure", "interest", "level"]),
    st.sampled_from(
        ["toppers", "hub", "Bedding", "Blog", "a / b", "purchase", "sessions_mean", "page_views_mean"]
    ),
    st.floats(0.2, 1),
    st.floats(0.3, 9),
    st.floats(0.2, 9),
)


@given(st.lists(ROWS, min_size=1, max_size=25))
def test_names_are_short_and_all_different(rows: list[dict[str, object]]) -> None:
    found = names(table(*rows))
    assert len({name.casefold() for name in found}) == len(found)
    assert all(1 <= len(name.split()) <= MAX_NAME_WORDS for name in found)


def test_a_section_that_others_see_too_is_told_by_the_part_that_sets_them_apart() -> None:
    hub = [row(0, "interest", "Bedding", 0.6, 9.0, 8.0), row(0, "folder", "/bedding/", 1.0, 2.9, 2.8)]
    part = row(0, "folder", "/bedding/hub/", 0.95, 5.0, 4.7)
    assert names(table(*hub, part)) == ["Bedding: hub"]
    assert names(table(*hub, part | {"users": 55, "value": 0.55})) == ["Bedding"]  # few see it
    assert names(table(hub[0], hub[1] | {"ratio_low": 3.0}, part)) == ["Bedding"]  # the section tells enough


def test_a_page_that_fewer_than_half_saw_stands_for_no_section() -> None:
    hub, soft = row(0, "folder", "/hub/", 0.9, 4.0, 3.0), row(0, "page", "/shop/hub/soft", 0.49, 9.0, 8.0)
    sale = row(1, "folder", "/hub/", 0.9, 4.0, 3.0)
    assert "Hub: soft" not in names(table(hub, soft, sale))

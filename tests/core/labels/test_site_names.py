import pytest

from core.labels.site_names import strip_site_name

SHOP = ["Boots | Fell & Co", "Tents | Fell & Co", "Mugs - Cups | Fell & Co"]


def stripped(*titles: str) -> list[str]:
    return strip_site_name(titles, ["a"] * len(titles))


def test_what_many_titles_end_in_is_left_out() -> None:
    assert stripped(*SHOP) == ["Boots", "Tents", "Mugs - Cups"]


def test_what_many_titles_begin_with_is_left_out_too() -> None:
    assert stripped("Fell: Boots", "Fell · Boots", "Fell · Tents", "Fell · Mugs")[1:] == [
        "Boots",
        "Tents",
        "Mugs",
    ]


@pytest.mark.parametrize("mark", [" | ", "|", " - ", " – ", " — ", " : ", " · "])
def test_all_the_usual_separators(mark: str) -> None:
    assert stripped(*(f"{name}{mark}Fell" for name in ("Boots", "Tents", "Mugs"))) == [
        "Boots",
        "Tents",
        "Mugs",
    ]


def test_the_name_alone_says_nothing() -> None:
    assert stripped(*SHOP, "Fell & Co")[-1] == ""


def test_the_start_page_has_it_in_front() -> None:
    assert stripped(*SHOP, "Fell & Co | Outdoor gear")[-1] == "Outdoor gear"


def test_a_hyphen_within_a_word_separates_nothing() -> None:
    titles = ("T-shirt", "T-bone", "T-square")
    assert stripped(*titles) == list(titles)


def test_two_titles_do_not_make_a_site() -> None:
    assert stripped("Boots | Fell", "Tents | Fell") == ["Boots | Fell", "Tents | Fell"]


def test_hosts_have_names_of_their_own() -> None:
    titles = [*SHOP, "Jobs | Fell & Co"]
    assert strip_site_name(titles, ["a", "a", "a", "b"])[-1] == "Jobs | Fell & Co"

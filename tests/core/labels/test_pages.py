import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from core.labels.label_types import Document
from core.labels.pages import (
    EXAMPLES,
    clean_title,
    group,
    host_of,
    page_steps,
    read_pages,
    strip_site_name,
    theme_subjects,
)
from core.labels.texts import TITLE_CHARACTERS
from core.storage.sequences import UserSequences

COLUMNS = ["page", "page_location", "page_title", "views", "users"]
NO_EVENTS = pd.DataFrame({"page": [], "event_name": [], "events": []})


def frame(*rows: tuple[str, str | None, int]) -> pd.DataFrame:
    """Pages by address, title and views, each view by another user."""
    return pd.DataFrame([(number, *row, row[2]) for number, row in enumerate(rows)], columns=COLUMNS)


SHOP = frame(
    *((f"https://a.example/p/{name}", "Shirt", 10 - at) for at, name in enumerate("abcdefg")),
    ("https://a.example/cart", None, 100),
)


@pytest.mark.parametrize(
    ("title", "clean"),
    [
        ("  Red \n\t shoe\u00a0 ", "Red shoe"),
        ("R\u200bed \u202eshoe\u202c\ufeff", "Red shoe"),
        ("Ｒｅｄ ｓｈｏｅ", "Red shoe"),
        ("a\x00b", "a b"),
        ("Куртка", "Куртка"),
        (None, ""),
        (float("nan"), ""),
    ],
)
def test_titles_are_cleaned(title: object, clean: str) -> None:
    assert clean_title(title) == clean


def test_a_title_of_two_megabytes_is_cut() -> None:
    assert clean_title("shoe " * 400_000) == ("shoe " * 400)[:TITLE_CHARACTERS].strip()


def test_hosts() -> None:
    urls = ("https://a.example:8080/x", "https://a.example?q=1", "/x", "about:blank")
    assert [host_of(url) for url in urls] == ["a.example:8080", "a.example", "", ""]


def test_a_template_is_one_subject_of_types() -> None:
    pages = read_pages(SHOP, NO_EVENTS)
    found = group(pages, pages.templates)
    assert [(one.template, one.views) for one in found.subjects] == [
        ("https://a.example/cart", 100),
        ("https://a.example/p/:slug", 49),
    ]
    assert found.of_page.tolist() == [1] * 7 + [0]
    assert found.subjects[1].urls == tuple(f"https://a.example/p/{name}" for name in "abcde")
    assert len(found.subjects[1].urls) == EXAMPLES
    assert found.subjects[1].titles == ("Shirt",)
    assert found.subjects[0].titles == ()


def test_a_title_within_a_template_is_one_subject_of_themes() -> None:
    pages = frame(
        *((f"https://a.example/p/{name}", "Shirt", 1) for name in "abcdef"),
        ("https://a.example/p/g", "Shoe", 1),
        ("https://a.example/p/h", None, 1),
        ("https://a.example/p/i", "", 1),
    )
    found = theme_subjects(read_pages(pages, NO_EVENTS))
    assert len(found.subjects) == 4
    assert len(set(found.of_page[:6])) == 1
    assert len(set(found.of_page[6:])) == 3


def test_only_wanted_pages_are_grouped() -> None:
    wanted = np.array([True] * 7 + [False])
    found = theme_subjects(read_pages(SHOP, NO_EVENTS), wanted)
    assert found.of_page.tolist() == [0] * 7 + [-1]


def test_events_and_documents_go_to_their_subject() -> None:
    events = pd.DataFrame(
        {"page": [0, 1, 7], "event_name": ["view_item", "view_item", "view_cart"], "events": [3, 4, 9]}
    )
    document = Document(og_type="product")
    pages = read_pages(SHOP, events, {1: document})
    found = group(pages, pages.templates)
    assert dict(found.subjects[1].events) == {"view_item": 7}
    assert dict(found.subjects[0].events) == {"view_cart": 9}
    assert found.subjects[1].documents == (document,)


def test_no_pages_are_no_subjects() -> None:
    pages = read_pages(frame(), NO_EVENTS)
    assert group(pages, pages.templates).subjects == ()
    assert len(pages) == 0


def test_users_of_pages_add_up_and_those_of_a_title_are_of_its_most_seen_page() -> None:
    rows = [("https://a.example/p/a", "Shirt", 9), ("https://a.example/p/b", "Shirt", 4),
            ("https://a.example/p/c", "Hat", 2), ("https://a.example/p/d", None, 1)]  # fmt: skip
    pages = read_pages(frame(*rows), NO_EVENTS)
    (one,) = group(pages, ["all"] * 4).subjects
    assert (one.users, one.titles, one.title_users) == (16, ("Shirt", "Hat"), (9, 2))


TITLES = ["Boots | Fell & Co", "Tents | Fell & Co", "Mugs - Cups | Fell & Co"]


def stripped(*titles: str) -> list[str]:
    return strip_site_name(titles, ["a"] * len(titles))


def test_what_many_titles_end_in_is_left_out() -> None:
    assert stripped(*TITLES) == ["Boots", "Tents", "Mugs - Cups"]


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
    assert stripped(*TITLES, "Fell & Co")[-1] == ""


def test_the_start_page_has_it_in_front() -> None:
    assert stripped(*TITLES, "Fell & Co | Outdoor gear")[-1] == "Outdoor gear"


def test_a_hyphen_within_a_word_separates_nothing() -> None:
    titles = ("T-shirt", "T-bone", "T-square")
    assert stripped(*titles) == list(titles)


def test_two_titles_do_not_make_a_site() -> None:
    assert stripped("Boots | Fell", "Tents | Fell") == ["Boots | Fell", "Tents | Fell"]


def test_hosts_have_names_of_their_own() -> None:
    titles = [*TITLES, "Jobs | Fell & Co"]
    assert strip_site_name(titles, ["a", "a", "a", "b"])[-1] == "Jobs | Fell & Co"


def test_steps_stay_within_a_session_and_reloads_are_none() -> None:
    sequences = UserSequences(
        pa.array(["a", "b"]),
        np.array([0, 5, 6]),
        np.array([0, 1, 1, 2, 0, 2], np.int32),
        np.arange(6),
        np.array([0, 0, 0, 1, 1, 0], np.int32),
    )
    # a: 0 → 1, 1 again, a new session 2 → 0; b: 2
    assert page_steps(sequences, 3).toarray().tolist() == [[0, 1, 0], [0, 0, 0], [1, 0, 0]]

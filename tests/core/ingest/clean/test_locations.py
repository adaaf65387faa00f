"""Locations: one page for each."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.base.progress import silent
from core.base.schema import Raw
from core.base.settings import IngestSettings, UrlSettings
from core.ingest.clean import locations
from core.ingest.clean.personal_data import mask_url
from core.ingest.clean.urls import canonicalise
from core.ingest.ingest import ingest
from core.ingest.sample import write_sample
from core.storage.dataset import Dataset
from tests.core.ingest.clean.test_urls import LIKE_URLS
from tests.core.ingest.shop import SITE, Row, event, shop

PARAMS = st.sampled_from(
    [
        "q=a",
        "Q=b+c",
        "utm_source=x",
        "GCLID=1",
        "variant=2",
        "q=",
        "q",
        "",
        "cat%65gory=x",
        "email=j",
        "sid=9",
    ]
)
QUERIES = st.builds(lambda parts: "?" + "&".join(parts), st.lists(PARAMS, max_size=4))
FRAGMENTS = st.sampled_from(["", "#", "#top", "#/", "#/Cart", "#!/Cart/", "#/cart?q=1&gclid=2", "#a#b"])
BASES = st.sampled_from(
    [SITE, SITE + "/", SITE + "/A/", SITE + "/a;sid=1", "/basket", "https://é.example/ü", SITE + "/a b"]
)
LOCATIONS = st.one_of(st.builds(lambda *parts: "".join(parts), BASES, QUERIES, FRAGMENTS), LIKE_URLS)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(LOCATIONS.filter(lambda text: text.strip()), min_size=1, max_size=40),
    st.builds(
        UrlSettings, keep_fragment=st.booleans(), keep_params=st.sampled_from([("q",), (), ("q", "a b")])
    ),
)
def test_the_engine_and_python_agree(
    tmp_path_factory: pytest.TempPathFactory, found: list[str], url: UrlSettings
) -> None:
    rows = [event("u", number, page=None, **{Raw.PAGE_LOCATION: text}) for number, text in enumerate(found)]
    dataset = shop(tmp_path_factory.mktemp("shop"), *rows, url=url)
    expected = canonicalise(found, url)
    names = dataset.pages["page_location"].tolist()
    assert [names[page] for page in dataset.sequences.page] == expected.pages
    counts = dataset.receipt.urls
    assert counts.by_rule == expected.by_rule
    assert (counts.raw, counts.canonical) == (len(set(found)), len(set(expected.pages)))
    assert dataset.receipt.pii_masked == Counter(kind for text in found for kind in mask_url(text).kinds)


def visits(*pages: str) -> list[Row]:
    return [event("u", number, page) for number, page in enumerate(pages)]


def test_pages_are_ordered_by_views_then_by_url(tmp_path: Path) -> None:
    dataset = shop(tmp_path, *visits("/c", "/b", "/a", "/b?gclid=1"), event("v", 9, "/b"))
    table = dataset.pages
    assert table["page"].tolist() == [0, 1, 2]
    assert table["page_location"].tolist() == [SITE + "/b", SITE + "/a", SITE + "/c"]
    assert table["views"].tolist() == [3, 1, 1]
    assert table["users"].tolist() == [2, 1, 1]


def test_a_page_has_its_most_frequent_title_masked_and_no_placeholder(tmp_path: Path) -> None:
    titles = ["Old", "Shoes of jane@x.com", "Shoes of jane@x.com", "(not set)", "Page Unavailable", ""]
    rows = [event("u", second, "/a", page_title=title) for second, title in enumerate(titles)]
    dataset = shop(tmp_path, *rows, event("u", 9, "/b", page_title="(direct)"))
    assert dataset.pages["page_title"].tolist()[0] == "Shoes of {email}"
    assert dataset.pages["page_title"].isna().tolist() == [False, True]
    assert dataset.receipt.pii_masked == {"email": 2}


def test_dropped_personal_data_is_counted_too(tmp_path: Path) -> None:
    receipt = shop(
        tmp_path, *visits("/a?email=jane@x.com", "/a?email=jane@x.com", "/b?tel=1#x", "/c")
    ).receipt
    assert receipt.pii_masked == {"email": 2, "phone": 1}


def test_examples_show_each_kind_of_change_masked(tmp_path: Path) -> None:
    pages = ["/A", "/b?gclid=1", "/c#top", "/d%20e", "/f?email=jane@x.com", "/same"]
    receipt = shop(tmp_path, *visits(*pages)).receipt
    before = [raw.removeprefix(SITE) for raw, _ in receipt.urls.examples]
    assert set(before) == {"/A", "/b?gclid=…", "/c#…", "/d%20e", "/f?email={email}"}
    assert len(before) == len(set(before))
    assert all(raw != page for raw, page in receipt.urls.examples)


def test_a_visit_from_the_site_itself_has_no_source(tmp_path: Path) -> None:
    source = {Raw.TRAFFIC_SOURCE: "shop.example", Raw.TRAFFIC_MEDIUM: "referral"}
    rows = [event("u", 0, **source), event("v", 0, **{**source, Raw.TRAFFIC_SOURCE: "news.example"})]
    users = shop(tmp_path, *rows).users
    assert users["source"].isna().tolist() == [True, False]
    assert users["source"].tolist()[1] == "news.example / referral"


def test_endless_locations_are_cut(tmp_path: Path) -> None:
    dataset = shop(tmp_path, *visits("/" + "a" * 50_000))
    assert len(dataset.pages["page_location"][0]) <= 2_000


def test_counts_weigh_page_views(tmp_path: Path) -> None:
    by_rule = shop(tmp_path, *visits("/A", "/A", "/A?gclid=1", "/b?x=1")).receipt.urls.by_rule
    assert by_rule == Counter({"path decoded": 3, "tracking parameters": 1, "other parameters": 1})


def test_digests_of_views_tell_what_those_of_users_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_sample(shop := tmp_path / "shop.csv", 1500, 1, silent)
    found = []
    for joined in (locations.JOINED, 0):
        monkeypatch.setattr(locations, "JOINED", joined)
        (out := tmp_path / str(joined)).mkdir()
        ingest([shop], IngestSettings(), out, silent, tmp_path)
        found.append(Dataset(out, ""))
    one, other = found
    assert one.receipt == other.receipt and sum(one.receipt.pii_masked.values()) > 0
    assert one.pages.equals(other.pages) and one.users.equals(other.users)

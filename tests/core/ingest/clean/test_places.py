"""Toy sites: /about, /shop and /help are seen by all, five products by some, and everybody has an account."""

from core.data.receipt import Decision
from core.ingest.clean.crowds import Crowd
from core.ingest.clean.echoes import SiteContext, shaped
from core.ingest.clean.places import mask_places
from tests.core.ingest.clean.crowd import crowd, found

ALL = range(60)
PUBLIC: dict[str, Crowd] = {f"/{page}": crowd(*ALL) for page in ("about", "shop", "help")}
PRODUCTS = {f"/shop/{name}": crowd(number, number + 9) for number, name in enumerate(("sofa", "lamp", "rug"))}


def own(pattern: str, users: range = range(20), views: int = 2) -> dict[str, Crowd]:
    return {pattern.format(f"user{chr(97 + user)}"): crowd(user, views=views) for user in users}


def test_what_each_user_alone_saw_at_a_place_is_one_page() -> None:
    pages = PUBLIC | PRODUCTS | own("/account/{}/orders") | {"/account/help": crowd(*ALL)}
    notes = found()
    renamed = mask_places(pages, notes, SiteContext())
    assert set(renamed) == set(own("/account/{}/orders"))
    assert set(renamed.values()) == {"/account/{…}/orders"}
    (place,) = notes.places.values()
    assert (place.name, place.decision) == ("/account/{…}", Decision.FOUND)
    assert (place.values, place.users, place.page_views) == (20, 20, 40)
    assert place.examples == ("u…",)


def test_three_owners_below_an_account_word_are_enough() -> None:
    once = range(3)
    assert len(mask_places(PUBLIC | own("/orders/{}", once, views=1), found(), SiteContext())) == 3
    assert len(mask_places(PUBLIC | own("/bestellung/{}", once, views=1), found(), SiteContext())) == 3
    assert mask_places(PUBLIC | own("/guides/{}", once, views=1), found(), SiteContext()) == {}


def test_keys_and_numbers_of_few_go_where_all_have_one_title_and_articles_stay() -> None:
    numbers = {f"/a/w-{4_711 + 13 * user}": crowd(user) for user in range(4)}
    one, own_titles = {page: ["Done"] for page in numbers}, {page: [f"News of {page}x"] for page in numbers}
    orders = SiteContext({"done"}, one, forms=frozenset({"done"}), alike=0.05)
    assert set(mask_places(PUBLIC | numbers, found(), orders).values()) == {"/a/w-{…}"}
    articles = SiteContext({"done"}, own_titles, alike=0.05, named=numbers)
    assert mask_places(PUBLIC | numbers, found(), articles) == {}


def test_words_beside_codes_of_a_place_stay() -> None:
    codes = {f"/visit/{user}x{user}y{user}": crowd(user) for user in range(9)}
    words = {f"/visit/{name}": crowd(*ALL) for name in ("us", "museum", "castle", "cafe")}
    renamed = mask_places(PUBLIC | codes | words, found(), SiteContext())
    assert set(renamed) == set(codes)


def test_places_below_a_place_are_seen_together() -> None:
    pages = PUBLIC | {f"/u/n{user}x/o{user}y": crowd(user, views=2) for user in range(12)}
    assert set(mask_places(pages, found(), SiteContext()).values()) == {"/u/{…}/{…}"}


def test_days_and_numbers_above_a_place_are_seen_together() -> None:
    visits = {f"/visit/2025-01-1{user % 2}/name{chr(97 + user)}": crowd(user, views=2) for user in range(12)}
    renamed = mask_places(PUBLIC | visits, found(), SiteContext())
    assert renamed["/visit/2025-01-10/namea"] == "/visit/2025-01-10/{…}"


def test_a_place_may_be_the_rest_of_a_segment_or_of_a_hash_route() -> None:
    profiles = mask_places(PUBLIC | own("/profile-{}"), found(), SiteContext())
    assert set(profiles.values()) == {"/profile-{…}"}
    assert set(mask_places(PUBLIC | own("/#/me/{}"), found(), SiteContext()).values()) == {"/#/me/{…}"}


def test_one_person_with_two_devices_is_one_person() -> None:
    pages = PUBLIC | own("/account/{}") | {"/account/both": crowd(30, 31)}
    assert mask_places(pages, found(), SiteContext())["/account/both"] == "/account/{…}"


def test_a_rare_product_stays() -> None:
    pages = PUBLIC | PRODUCTS | {"/shop/gnome": crowd(40), "/shop/harp": crowd(41)}
    assert mask_places(pages, found(), SiteContext()) == {}


def test_what_few_typed_goes_unless_its_words_are_the_sites() -> None:
    pages = PUBLIC | {"/s?q=jo+smith": crowd(1), "/s?q=red+sofa": crowd(2), "/s?q=socks": crowd(*range(9))}
    assert mask_places(pages, found(), SiteContext({"red", "sofa"})) == {"/s?q=jo+smith": "/s?q={…}"}
    assert (
        mask_places(pages | {"/search/jo": crowd(3)}, found(), SiteContext())["/search/jo"] == "/search/{…}"
    )


def test_a_key_that_nobody_shares_needs_no_company() -> None:
    pages = PUBLIC | {"/visit/k3j9x2m1pq7a": crowd(1)}
    assert mask_places(pages, found(), SiteContext()) == {"/visit/k3j9x2m1pq7a": "/visit/{…}"}


def test_the_analyst_has_the_last_word() -> None:
    pages = PUBLIC | own("/account/{}") | {"/wine/a": crowd(1), "/wine/b": crowd(*ALL)}
    kept = found(keep=("/account/{…}",))
    assert mask_places(pages, kept, SiteContext()) == {}
    assert kept.places["/account/{…}"].decision is Decision.KEPT
    forced = found(keep=("/account/{…}",), mask=("/wine/{…}",))
    assert mask_places(pages, forced, SiteContext()) == {"/wine/a": "/wine/{…}", "/wine/b": "/wine/{…}"}


def test_a_place_that_two_rules_find_counts_once() -> None:
    """By its owners, and by its titles: no public page has their words."""
    for choice in ({"keep": ("/account/{…}",)}, {"mask": ("/account/{…}",)}):
        notes = found(**choice)
        mask_places(PUBLIC | own("/account/{}"), notes, SiteContext())
        place = notes.places["/account/{…}"]
        assert (place.values, place.users, place.page_views) == (20, 20, 40)


def test_what_is_too_little_to_tell_is_offered() -> None:
    notes = found()
    assert mask_places(PUBLIC | own("/wish/{}", range(2)), notes, SiteContext()) == {}
    assert notes.places["/wish/{…}"].decision is Decision.UNDECIDED


def test_words_that_no_title_and_no_public_page_has_are_somebodys() -> None:
    lone = {"/files/voucher-quirine-steenbergh": crowd(1), "/invite/roel_84": crowd(1, 2, 3)}
    few = found()
    few.public = 5
    site = SiteContext({"voucher", "files", "invite"}, {page: ["Voucher"] for page in lone})
    renamed = mask_places(PUBLIC | lone, few, site)
    assert renamed == {
        "/files/voucher-quirine-steenbergh": "/files/voucher-{…}",
        "/invite/roel_84": "/invite/{…}",
    }
    assert mask_places(PUBLIC | lone, few, SiteContext()) == {}  # without titles nothing can be told


def test_a_page_that_its_title_names_stays() -> None:
    tip = {"/tips/camping-de-jonge-jan": crowd(1)}
    titles = {page: ["Camping De Jonge Jan"] for page in tip}
    assert mask_places(PUBLIC | tip, found(), SiteContext((), titles, set(tip))) == {}


def test_an_article_shaped_like_popular_ones_stays() -> None:
    parts = {"/parts/a/0986-391-617": crowd(1), "/parts/b/0986-688-952": crowd(*ALL)}
    usual = shaped(parts, 10)
    assert usual == set(parts)
    assert mask_places(PUBLIC | parts, found(), SiteContext(shaped=usual)) == {}

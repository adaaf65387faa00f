"""Toy sites: /about, /shop and /help are seen by all, five products by some, and everybody has an account."""

from __future__ import annotations

from pathlib import Path

from core.ingest.clean.audience import Audience
from core.ingest.clean.mask_pages import choose_titles, mask_places, public_words
from core.ingest.clean.page_text import SiteContext, shaped
from core.storage.receipt import Decision
from tests.core.ingest.clean.audience import audience as seen_by
from tests.core.ingest.clean.audience import found
from tests.core.ingest.shop import Row, event, shop
from tests.core.ingest.test_transform import contents

ALL = range(60)
PUBLIC: dict[str, Audience] = {f"/{page}": seen_by(*ALL) for page in ("about", "shop", "help")}
PRODUCTS = {
    f"/shop/{name}": seen_by(number, number + 9) for number, name in enumerate(("sofa", "lamp", "rug"))
}


def own(pattern: str, users: range = range(20), views: int = 2) -> dict[str, Audience]:
    return {pattern.format(f"user{chr(97 + user)}"): seen_by(user, views=views) for user in users}


def test_what_each_user_alone_saw_at_a_place_is_one_page() -> None:
    pages = PUBLIC | PRODUCTS | own("/account/{}/orders") | {"/account/help": seen_by(*ALL)}
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
    numbers = {f"/a/w-{4_711 + 13 * user}": seen_by(user) for user in range(4)}
    one, own_titles = {page: ["Done"] for page in numbers}, {page: [f"News of {page}x"] for page in numbers}
    orders = SiteContext({"done"}, one, forms=frozenset({"done"}), alike=0.05)
    assert set(mask_places(PUBLIC | numbers, found(), orders).values()) == {"/a/w-{…}"}
    articles = SiteContext({"done"}, own_titles, alike=0.05, named=numbers)
    assert mask_places(PUBLIC | numbers, found(), articles) == {}


def test_words_beside_codes_of_a_place_stay() -> None:
    codes = {f"/visit/{user}x{user}y{user}": seen_by(user) for user in range(9)}
    words = {f"/visit/{name}": seen_by(*ALL) for name in ("us", "museum", "castle", "cafe")}
    renamed = mask_places(PUBLIC | codes | words, found(), SiteContext())
    assert set(renamed) == set(codes)


def test_places_below_a_place_are_seen_together() -> None:
    pages = PUBLIC | {f"/u/n{user}x/o{user}y": seen_by(user, views=2) for user in range(12)}
    assert set(mask_places(pages, found(), SiteContext()).values()) == {"/u/{…}/{…}"}


def test_days_and_numbers_above_a_place_are_seen_together() -> None:
    visits = {
        f"/visit/2025-01-1{user % 2}/name{chr(97 + user)}": seen_by(user, views=2) for user in range(12)
    }
    renamed = mask_places(PUBLIC | visits, found(), SiteContext())
    assert renamed["/visit/2025-01-10/namea"] == "/visit/2025-01-10/{…}"


def test_a_place_may_be_the_rest_of_a_segment_or_of_a_hash_route() -> None:
    profiles = mask_places(PUBLIC | own("/profile-{}"), found(), SiteContext())
    assert set(profiles.values()) == {"/profile-{…}"}
    assert set(mask_places(PUBLIC | own("/#/me/{}"), found(), SiteContext()).values()) == {"/#/me/{…}"}


def test_one_person_with_two_devices_is_one_person() -> None:
    pages = PUBLIC | own("/account/{}") | {"/account/both": seen_by(30, 31)}
    assert mask_places(pages, found(), SiteContext())["/account/both"] == "/account/{…}"


def test_a_rare_product_stays() -> None:
    pages = PUBLIC | PRODUCTS | {"/shop/gnome": seen_by(40), "/shop/harp": seen_by(41)}
    assert mask_places(pages, found(), SiteContext()) == {}


def test_what_few_typed_goes_unless_its_words_are_the_sites() -> None:
    pages = PUBLIC | {
        "/s?q=jo+smith": seen_by(1),
        "/s?q=red+sofa": seen_by(2),
        "/s?q=socks": seen_by(*range(9)),
    }
    assert mask_places(pages, found(), SiteContext({"red", "sofa"})) == {"/s?q=jo+smith": "/s?q={…}"}
    assert (
        mask_places(pages | {"/search/jo": seen_by(3)}, found(), SiteContext())["/search/jo"] == "/search/{…}"
    )


def test_a_key_that_nobody_shares_needs_no_company() -> None:
    pages = PUBLIC | {"/visit/k3j9x2m1pq7a": seen_by(1)}
    assert mask_places(pages, found(), SiteContext()) == {"/visit/k3j9x2m1pq7a": "/visit/{…}"}


def test_the_analyst_has_the_last_word() -> None:
    pages = PUBLIC | own("/account/{}") | {"/wine/a": seen_by(1), "/wine/b": seen_by(*ALL)}
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
    lone = {"/files/voucher-quirine-steenbergh": seen_by(1), "/invite/roel_84": seen_by(1, 2, 3)}
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
    tip = {"/tips/camping-de-jonge-jan": seen_by(1)}
    titles = {page: ["Camping De Jonge Jan"] for page in tip}
    assert mask_places(PUBLIC | tip, found(), SiteContext((), titles, set(tip))) == {}


def test_an_article_shaped_like_popular_ones_stays() -> None:
    parts = {"/parts/a/0986-391-617": seen_by(1), "/parts/b/0986-688-952": seen_by(*ALL)}
    usual = shaped(parts, 10)
    assert usual == set(parts)
    assert mask_places(PUBLIC | parts, found(), SiteContext(shaped=usual)) == {}


GREETINGS = {
    f"Hello {name} Miller – Shop": seen_by(user)
    for user, name in enumerate(("Jo", "Al", "Bo", "Cy", "Di", "Ed"))
}


def title(titles: dict, page: str = "/p", **choices: tuple[str, ...]) -> str:
    return choose_titles({page: titles}, found(**choices), SiteContext({"hello", "call", "shop"}))[page][0]


def test_what_the_titles_of_a_page_have_in_common_stays() -> None:
    notes = found()
    assert choose_titles({"/p": GREETINGS}, notes)["/p"][0] == "Hello {…} Miller – Shop"
    assert notes.places["title of /p"].values == 6
    assert {"jo", "al"} <= notes.names


def test_a_usual_title_stays_whatever_else_was_sent() -> None:
    assert (
        title({"Cart": seen_by(*range(30)), "Cart (1)": seen_by(40), "Warenkorb": seen_by(41, 42)}) == "Cart"
    )


def test_a_first_name_that_several_share_is_no_usual_title() -> None:
    names = {
        f"Hello {name}": seen_by(*range(10 * n, 10 * n + 4))
        for n, name in enumerate(("Jo", "Al", "Bo", "Cy", "Di", "Ed"))
    }
    assert title(names) == "Hello {…}"


def test_a_title_that_one_user_saw_keeps_what_the_address_or_many_say() -> None:
    assert title({"Garden gnome – Shop": seen_by(1)}, "/a/garden-gnome") == "Garden gnome – Shop"
    assert title({"Hello Padma Seshadri – Shop": seen_by(1)}, "/order/done") == "Hello {…} – Shop"
    assert title({"Hello Padma Seshadri: order 88421": seen_by(1)}, "/o/88421") == "Hello {…}: order 88421"
    assert title({"Tipps für Düsseldorf": seen_by(1)}, "/a/tipps-duesseldorf") == "Tipps für Düsseldorf"
    assert title({"Albrecht_D%C3%BCrer": seen_by(1)}, "/people/albrecht_dürer") == "Albrecht_D%C3%BCrer"


def test_where_rare_pages_are_usual_a_rare_title_stays() -> None:
    pages = {f"/wine/{n}": {f"Barolo {n}": seen_by(n, n + 1)} for n in range(3)} | {
        "/wine/x": {"Chianti": seen_by(9)}
    }
    assert choose_titles(pages, found(), SiteContext({"barolo"}))["/wine/x"][0] == "Chianti"


def test_a_number_that_many_saw_is_published() -> None:
    assert title({"Call 0170 1234567": seen_by(1)}) == "Call {phone}"
    assert title({"Call 0170 1234567": seen_by(*range(9))}) == "Call 0170 1234567"  # published


def test_titles_can_be_kept_by_choice() -> None:
    assert title(GREETINGS, keep=("title of /p",)) in GREETINGS


def test_public_words_are_those_that_many_saw() -> None:
    assert public_words([("Red Sofa", seen_by(*range(5))), ("Jo", seen_by(1))], 3) == {"red", "sofa"}


NAMES = [
    f"{first}-{last}"
    for first in ("anna", "bela", "cleo", "dora", "emil")
    for last in ("nowak", "haas", "ricci", "dubois")
]


def visits() -> list[Row]:
    rows = []
    for user, name in enumerate(NAMES):
        who = name.replace("-", " ").title()
        pages = ["/", "/shop", "/help", "/about", f"/shop/p{user % 6}", f"/shop/p{user % 5}"]
        rows += [event(f"u{user}", second, page, page_title="Shop") for second, page in enumerate(pages)]
        for second in (60, 4000):
            rows.append(
                event(f"u{user}", second, f"/account/{name}/orders", page_title=f"Hello {who} – Shop")
            )
        rows.append(event(f"u{user}", 70, f"/s?q={name}"))
    rows.append(event("u3", 80, "/files/cv_anna_haas.pdf", page_title="Review by Bela Ricci"))
    rows.append(event("u4", 90, "/shop/gnome", page_title="Garden gnome – Shop"))
    return rows


def test_what_belongs_to_one_user_each_is_in_no_file(tmp_path: Path) -> None:
    dataset = shop(tmp_path, *visits())
    pages = [page.removeprefix("https://shop.example") for page in dataset.pages["page_location"]]
    assert {"/account/{…}/orders", "/s?q={…}", "/shop/gnome"} <= set(pages)
    titles = dict(zip(pages, dataset.pages["page_title"], strict=True))
    assert titles["/account/{…}/orders"] == "Hello {…} – Shop"
    assert titles["/shop/gnome"] == "Garden gnome – Shop"
    written = b"".join(contents(dataset.path).values()).lower()
    text = "\n".join([*pages, *map(str, titles.values())]).lower()
    for name in NAMES:
        assert name not in text
        assert name.encode() not in written
    assert {place.name.removeprefix("https://shop.example") for place in dataset.receipt.places} >= {
        "/account/{…}", "/s?q={…}", "title of https://shop.example/account/{…}/orders",
    }  # fmt: skip


def test_with_the_switch_off_only_patterns_are_masked(tmp_path: Path) -> None:
    pages = shop(tmp_path, *visits(), mask_own=False).pages["page_location"].tolist()
    assert "https://shop.example/account/anna-nowak/orders" in pages


def test_a_kept_place_keeps_its_values(tmp_path: Path) -> None:
    place = "https://shop.example/account/{…}"
    dataset = shop(tmp_path, *visits(), keep_places=(place,))
    assert "https://shop.example/account/anna-nowak/orders" in dataset.pages["page_location"].tolist()
    assert next(p for p in dataset.receipt.places if p.name == place).decision == "kept"
    assert not dataset.receipt.warnings


def test_a_place_that_is_not_there_is_said(tmp_path: Path) -> None:
    dataset = shop(tmp_path, *visits(), keep_places=("/account/{…}",))
    (warning,) = dataset.receipt.warnings
    assert warning.startswith("These data have no place called /account/{…}, so that")


def test_a_place_is_not_called_by_a_name() -> None:
    places = found()
    places.note("/u/anna-nowak/{…}", {"x": seen_by(1)}, Decision.UNDECIDED)
    places.hide({"anna", "nowak"})
    assert list(places.places) == ["/u/{name}/{…}"]

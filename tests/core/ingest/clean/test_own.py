"""The whole way over a toy export: what belongs to one user each is in no file."""

from pathlib import Path

from core.data.receipt import Decision
from tests.core.ingest.clean.crowd import crowd, found
from tests.core.ingest.shop import Row, event, shop
from tests.core.ingest.test_transform import contents

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
    places.note("/u/anna-nowak/{…}", {"x": crowd(1)}, Decision.UNDECIDED)
    places.hide({"anna", "nowak"})
    assert list(places.places) == ["/u/{name}/{…}"]

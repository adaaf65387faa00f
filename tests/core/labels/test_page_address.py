import pytest

from core.labels.page_address import ADDRESS_CHARACTERS, read_address


@pytest.mark.parametrize(
    ("url", "text", "stems"),
    [
        ("https://a.example/", "/", ()),
        ("https://a.example", "/", ()),
        ("https://a.example/en-CA/Cart.html", "/cart.html", ("cart",)),
        ("https://a.example/index.php?route=a/b", "/?route=a/b", ()),
        ("https://a.example?q=1", "/?q=1", ()),
        ("https://a.example/#/product/7", "/product/7", ("product", "7")),
        ("https://a.example/%C3%BCber-uns/", "/uber-uns", ("uber-uns",)),
        ("https://a.example/go?u=https://b.example/x", "/go?u=https://b.example/x", ("go",)),
        ("/basket", "/basket", ("basket",)),
        ("about:blank", "/about:blank", ("about:blank",)),
    ],
)
def test_addresses(url: str, text: str, stems: tuple[str, ...]) -> None:
    address = read_address(url)
    assert (address.text, address.stems) == (text, stems)


def test_a_long_address_is_cut() -> None:
    assert len(read_address("https://a.example/" + "a/" * 1_000_000).stems) <= ADDRESS_CHARACTERS

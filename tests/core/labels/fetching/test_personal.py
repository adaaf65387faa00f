import pytest

from core.labels.fetching.guard import why_personal

PERSONAL = """
/account /my-account/orders /en-CA/checkouts/abc /cart /shopping_cart.php /login.aspx /Login /logout /user/7
/mein-konto /de/warenkorb/ /commande/12 /mon-compte /pedido /unsubscribe /c%61rt /wp-admin/x
/shop?token=abc /shop?sid=1 /shop?Session_Id=1 /shop?email=a /shop?user[email]=a /shop?key=1
/shop?add-to-cart=4 /shop?action=delete /p/anna%40mail.example /p?x=anna@mail.example
/p?x=anna%2540mail.example
/products/{id} /products/%7Bid%7D /p?q={email} /products/:slug /:lang/p /reset/abcdefghij0123456789
/profil/jane /u/jane.doe /invite/ABCDEF123456 /api/delete?id=4 /kundenbereich /meu-perfil /einladung/x
"""

PLAIN = """
/ /products/green-tea /blog/how-to-order-green-tea /collections/tea?page=2&sort=price
/account-of-a-long-journey /products/u-lock /my-little-pony
/search?q=tea /it/te/verde /p/time:12 /registered-trademark-of-tea /help#login
"""


@pytest.mark.parametrize("path", PERSONAL.split())
def test_what_looks_personal_is_named(path: str) -> None:
    assert why_personal(f"https://shop.example{path}")


@pytest.mark.parametrize("path", PLAIN.split())
def test_public_pages_pass(path: str) -> None:
    assert why_personal(f"https://shop.example{path}") == ""


def test_the_host_is_no_part_of_the_judgement() -> None:
    assert why_personal("https://login.example/tea") == ""

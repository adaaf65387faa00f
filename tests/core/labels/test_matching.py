import pytest

from core.labels.matching import Templates

A = "https://a.example"


@pytest.mark.parametrize(
    ("template", "page", "covers"),
    [
        ("/x/:slug", "/x/y", True),
        ("/x/:slug", "/x/y/z", False),
        ("/x/:slug", "/x/y.html", False),
        ("/x/:slug.html", "/x/y.html", True),
        ("/x/:slug", "/x/12", False),  # a number is an :id
        ("/x/:id-:slug", "/x/12-shoe", True),
        ("/x/:slug", "/x/12-shoe", False),
        ("/x/:slug", "/x/cart", False),  # says what a page is for
        ("/x/y", "/x/z", False),
        ("/:locale/x", "/en/x", True),
        ("/:locale/x", "/shop/x", False),
        ("/:locale/x/:slug", "/en/x/:slug", True),  # a template of an export with one language
        ("/x?q=:value", "/x?q=red", True),
        ("/x?q=:value", "/x", False),
    ],
)
def test_which_pages_a_template_covers(template: str, page: str, covers: bool) -> None:
    found = Templates([A + template, "https://b.example/x/:slug"], frozenset({"cart"})).of(A + page)
    assert found == ([A + template] if covers else [])


def test_all_templates_of_a_page_are_found() -> None:
    every = [f"{A}/en/x/:slug", f"{A}/:locale/x/:slug", f"{A}/en/:slug/:slug", f"{A}/en/x/y", f"{A}/en"]
    assert set(Templates(every).of(f"{A}/en/x/y")) == set(every[:4])


def test_no_templates() -> None:
    assert Templates([]).of(f"{A}/x") == []

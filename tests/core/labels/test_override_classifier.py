import pytest

from core.base.errors import SettingsError
from core.base.schema import NO_THEME, UNKNOWN, View
from core.labels.label_settings import Override, default_taxonomy
from core.labels.label_types import Subject
from core.labels.override_classifier import OverrideClassifier, Templates, check
from core.labels.templates import mine

TAXONOMY = default_taxonomy()
HOST = "https://a.example"


def made(*overrides: tuple[View, str, str]) -> list[Override]:
    return [Override(view=view, target=target, value=value) for view, target, value in overrides]


def rung(*overrides: tuple[View, str, str], templates: tuple[str, ...] = ()) -> OverrideClassifier:
    return OverrideClassifier(made(*overrides), TAXONOMY, templates)


def value(rung: OverrideClassifier, subject: Subject, view: View = View.TYPE) -> str | None:
    (label,) = rung.classify([subject], view)
    return label.value if label else None


ONE = Subject("/x/:slug", ("/x/a",))
MANY = Subject("/x/:slug", ("/x/a", "/x/b"))


def test_the_latest_wins_and_a_page_wins_over_its_template() -> None:
    both = rung(
        (View.TYPE, "/x/a", "Blog"), (View.TYPE, "/x/:slug", "Category"), (View.TYPE, "/x/:slug", "Product")
    )
    assert value(both, ONE) == "Blog"
    assert value(both, MANY) == "Product"
    assert value(both, ONE, View.THEME) is None


def test_the_evidence_names_the_target() -> None:
    (label,) = rung((View.TYPE, "/x/:slug", "Product")).classify([MANY], View.TYPE)
    assert label is not None
    assert label.evidence == "corrected by hand: /x/:slug"


def test_unknown_and_no_theme_can_be_said_by_hand() -> None:
    assert value(rung((View.TYPE, "/x/a", UNKNOWN)), ONE) == UNKNOWN
    assert value(rung((View.THEME, "/x/a", NO_THEME)), ONE, View.THEME) == NO_THEME


@pytest.mark.parametrize(
    ("corrected", "page"),
    [
        ("/lookbook/:slug", "/lookbook/amber"),  # few pages: no template
        ("/lookbook/amber", "/lookbook/amber"),
        ("/en/lookbook/:slug", "/en/lookbook/amber"),
        ("/:locale/lookbook/:slug", "/en/lookbook/amber"),
    ],
)
def test_a_correction_holds_in_an_export_with_other_templates(corrected: str, page: str) -> None:
    held = rung((View.TYPE, HOST + corrected, "Blog"), templates=(f"{HOST}/:other/:slug",))
    label = held.of(HOST + page, f"{HOST}/:other/:slug", View.TYPE)
    assert label is not None
    assert label.value == "Blog"


def test_the_latest_of_several_that_cover_a_page_wins() -> None:
    held = rung((View.TYPE, "/en/x/:slug", "Blog"), (View.TYPE, "/:locale/x/:slug", "Product"))
    assert value(held, Subject("/en/x/a", ("/en/x/a",))) == "Product"


def test_a_correction_of_one_of_these_templates_is_of_no_other() -> None:
    """``/x/a`` has pages below it, so it is a page of its own beside the many ``/x/:slug``."""
    pages = [f"/x/made-name-{name}" for name in "abcde"] + ["/x/a", "/x/a/b"]
    templates = mine(pages)
    held = OverrideClassifier(made((View.TYPE, "/x/:slug", "Blog")), TAXONOMY, templates)
    labels = [held.of(page, template, View.TYPE) for page, template in zip(pages, templates, strict=True)]
    assert [label is not None for label in labels] == [True] * 5 + [False] * 2


@pytest.mark.parametrize(
    ("view", "name"), [(View.TYPE, "Prodcut"), (View.TYPE, NO_THEME), (View.THEME, "Product")]
)
def test_a_label_outside_the_taxonomy_does_nothing_and_is_named(view: View, name: str) -> None:
    held = rung((view, "/x/a", name), (View.TYPE, "/x/b", "Blog"))
    assert value(held, ONE, view) is None
    assert value(held, Subject("/x/b", ("/x/b",))) == "Blog"
    assert held.note() == f"A correction to labels that the taxonomy lacks left out: {view} {name!r} of /x/a"


def test_many_without_effect_are_counted() -> None:
    note = rung(*((View.TYPE, f"/x/{name}", "Gone") for name in "abcd")).note()
    assert note.startswith("4 corrections to labels that the taxonomy lacks left out: type 'Gone' of /x/a, ")
    assert note.endswith("of /x/c, …")
    assert rung((View.TYPE, "/x/a", "Blog")).note() == ""


@pytest.mark.parametrize(
    ("view", "name"), [(View.TYPE, "Prodcut"), (View.TYPE, NO_THEME), (View.THEME, "Product")]
)
def test_what_is_brought_in_is_checked(view: View, name: str) -> None:
    with pytest.raises(SettingsError) as caught:
        check(Override(view=view, target="/x/a", value=name), TAXONOMY)
    assert name in str(caught.value)
    assert "Allowed:" in str(caught.value)
    assert "Add the name to the taxonomy" in str(caught.value)


def test_a_page_has_no_correction_of_its_address() -> None:
    with pytest.raises(SettingsError, match="a theme or a type"):
        Override.checked(view=View.URL, target="/x/a", value="Blog")


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

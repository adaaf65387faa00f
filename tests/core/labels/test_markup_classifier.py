import pytest

from core.base.schema import View
from core.labels.cascade import MarkupClassifier, type_of
from core.labels.label_settings import default_taxonomy
from core.labels.label_types import Document, Subject
from core.labels.rule_classifier import RuleClassifier

TAXONOMY = default_taxonomy()
RUNG = MarkupClassifier(TAXONOMY, RuleClassifier(TAXONOMY).theme_of)


@pytest.mark.parametrize(
    ("types", "og_type", "kind"),
    [
        (("WebSite", "Product", "BreadcrumbList"), "website", "Product"),
        (("ItemList",), "", "Category"),
        (("CollectionPage", "Product", "ItemList"), "", "Category"),
        (("WebPage", "BlogPosting"), "article", "Blog"),
        (("FAQPage",), "", "Service"),
        (("FAQPage", "Product"), "", "Product"),
        (("ContactPage",), "", "Service"),
        (("AboutPage",), "", "Company"),
        (("SearchResultsPage", "ItemList"), "", "Search"),
        (("CheckoutPage",), "", "Cart & checkout"),
        ((), "product", "Product"),
        ((), "article", "Blog"),
        (("WebPage",), "article", None),  # a content system says so of every page
        ((), "website", None),
        (("Product", "ItemList"), "", None),
        (("CollectionPage", "Article"), "", None),
        ((), "", None),
    ],
)
def test_what_a_page_declares(types: tuple[str, ...], og_type: str, kind: str | None) -> None:
    told = type_of(Document(json_ld_types=types, og_type=og_type))
    assert (told and told[0]) == kind


def decided(view: View, *documents: Document) -> str | None:
    (label,) = RUNG.classify([Subject("x", ("x",), documents=documents)], view)
    return label.value if label else None


def test_fetched_pages_of_a_template_must_agree() -> None:
    product, other = Document(og_type="product"), Document(og_type="article")
    assert decided(View.TYPE, product, product, Document()) == "Product"
    assert decided(View.TYPE, product, other) is None
    assert decided(View.TYPE) is None


def test_breadcrumbs_tell_the_theme_the_deepest_first() -> None:
    assert decided(View.THEME, Document(breadcrumbs=("Toys R", "Apparel", "Fell 7"))) == "Apparel"
    assert decided(View.THEME, Document(breadcrumbs=("Home", "Sports", "Shoes"))) == "Footwear"
    assert decided(View.THEME, Document(breadcrumbs=("Toys", "Fell 7"))) is None

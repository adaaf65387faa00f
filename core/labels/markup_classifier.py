"""Rung 1 for fetched pages: what their markup says they are (schema.org, Open Graph, breadcrumbs)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from core.base.schema import View
from core.labels.label_settings import Taxonomy
from core.labels.label_types import Document, Label, Rung, Subject

PAGE_TYPES: Final[Mapping[str, str]] = {
    "ItemPage": "Product", "CollectionPage": "Category", "SearchResultsPage": "Search",
    "CheckoutPage": "Cart & checkout", "ContactPage": "Service", "FAQPage": "Service", "AboutPage": "Company",
}  # fmt: skip
"""Kinds of ``WebPage``: the page says outright what it is."""
THING_TYPES: Final[Mapping[str, str]] = {
    "Product": "Product", "ProductGroup": "Product", "ItemList": "Category", "OfferCatalog": "Category",
    "Article": "Blog", "BlogPosting": "Blog", "NewsArticle": "Blog", "Recipe": "Blog", "HowTo": "Blog",
    "Blog": "Blog", "JobPosting": "Company",
}  # fmt: skip
"""What a page shows: tells only where it is all of one kind (a product beside a list of others is not)."""
BESIDE: Final = frozenset({"FAQPage"})
"""Put on product and list pages for search engines: counts only where nothing else does."""
OG_TYPES: Final[Mapping[str, str]] = {
    "product": "Product", "product.item": "Product", "og:product": "Product", "product.group": "Category",
    "article": "Blog",
}  # fmt: skip
"""``website`` says nothing."""

Told = tuple[str, str]
"""A label and what told it."""


class MarkupClassifier:
    """Decides by the markup of fetched pages: types by what they declare, themes by their breadcrumbs.

    Args:
        taxonomy: Labels it does not have are not decided.
        theme_of: The theme of some texts, or None (``RuleClassifier.theme_of``).
    """

    rung = Rung.MARKUP

    def __init__(self, taxonomy: Taxonomy, theme_of: Callable[[Sequence[str]], Label | None]) -> None:
        self._types = {one.name for one in taxonomy.types}
        self._theme_of = theme_of

    def classify(self, subjects: Sequence[Subject], view: View) -> list[Label | None]:
        """Decide where all fetched pages of a subject that say something say the same."""
        tell = self._theme if view is View.THEME else self._type
        return [_agreed([told for one in subject.documents if (told := tell(one))]) for subject in subjects]

    def _type(self, document: Document) -> Told | None:
        told = type_of(document)
        return told if told and told[0] in self._types else None

    def _theme(self, document: Document) -> Told | None:
        """By the deepest breadcrumb that tells; the first is the site, the last often the page itself."""
        for name in reversed(document.breadcrumbs[1:]):
            label = self._theme_of([name])
            if label is not None:
                return label.value, f"breadcrumb: {label.evidence}"
        return None


def type_of(document: Document) -> Told | None:
    """What one page declares itself to be, by the default taxonomy's names; None if unclear."""
    declared = set(document.json_ld_types)
    pages, things = _told(declared - BESIDE, PAGE_TYPES), _told(declared, THING_TYPES)
    if pages:  # a CollectionPage of articles is a blog's archive: unclear
        return _only(pages + [told for told in things if told[0] == "Blog"])
    if things:
        return _only(things)
    if beside := _told(declared & BESIDE, PAGE_TYPES):
        return _only(beside)
    return _open_graph(document)


def _open_graph(document: Document) -> Told | None:
    """By ``og:type``; where there is JSON-LD without an article, a content system calls every page one."""
    og_type = document.og_type.strip().lower()
    if og_type not in OG_TYPES or (og_type == "article" and document.json_ld_types):
        return None
    return OG_TYPES[og_type], f"og:type {og_type}"


def _told(declared: set[str], names: Mapping[str, str]) -> list[Told]:
    return [(names[one], f"JSON-LD {one}") for one in sorted(declared) if one in names]


def _only(told: Sequence[Told]) -> Told | None:
    return told[0] if len({value for value, _ in told}) == 1 else None


def _agreed(told: Sequence[Told]) -> Label | None:
    one = _only(told) if told else None
    return Label(one[0], Rung.MARKUP, evidence=f"{one[1]} on {len(told)} fetched") if one else None

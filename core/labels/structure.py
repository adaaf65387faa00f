"""What the tree of a site says: pages above products are lists of products."""

from __future__ import annotations

from collections.abc import Mapping

from core.labels.label_settings import Taxonomy
from core.labels.label_types import Label, Rung

PRODUCT, CATEGORY = "Product", "Category"


def lists_above_products(decided: Mapping[str, Label | None], taxonomy: Taxonomy) -> dict[str, Label]:
    """Find templates below which products lie, such as ``/shop/:slug`` of ``/shop/:slug/:slug``.

    Args:
        decided: Template → type; None where nothing decided.
        taxonomy: Without both types in it, nothing is found.

    Returns:
        Undecided template → the type that its place says.
    """
    if not {PRODUCT, CATEGORY} <= {one.name for one in taxonomy.types}:
        return {}
    found: dict[str, Label] = {}
    for product, label in sorted(decided.items()):
        if label is None or label.value != PRODUCT or not _is_one_of_many(product):
            continue
        above = _parent(product)
        while above in decided and decided[above] is None and above not in found:
            found[above] = Label(CATEGORY, Rung.RULES, evidence=f"products lie below it: {_path(product)}")
            above = _parent(above)
    return found


def _is_one_of_many(template: str) -> bool:
    return template.rpartition("/")[2].startswith(":")


def _parent(template: str) -> str:
    above = template.rpartition("/")[0]
    return above if "/" in above.partition("://")[2] else ""  # never the site's root


def _path(template: str) -> str:
    return "/" + template.partition("://")[2].partition("/")[2]

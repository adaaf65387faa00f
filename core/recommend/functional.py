"""Pages that nobody needs to be pointed to: login, cart, checkout, search, help, errors.

Where pages are labelled, those of a functional type of the taxonomy, which have no theme; where they are not,
those that the rules for addresses and titles give such a type. Pages that say they are an error are among
them either way.
"""

from __future__ import annotations

import re
from typing import Final

import numpy as np
import pandas as pd

from core.base.schema import PageLabels, Pages, View
from core.data.page_labels import LabelledPages
from core.labels.label_settings import NO_THEME, default_taxonomy

MEANING: Final = (
    "Functional pages (home page, search, cart and checkout, account, service, company, policy: the types "
    "that have no theme) and error pages are left out."
)
_ERROR_ADDRESS: Final = re.compile(
    r"/(?:40[0-9]|50[0-9]|errors?|not-?found|page-?not-?found)(?:\.\w+)?/?(?:\?|$)", re.IGNORECASE
)
_ERROR_TITLE: Final = re.compile(
    r"^\W*(?:(?:error )?(?:40[34]|50[0234])\b|page not found|not found$)",
    re.IGNORECASE,
)


def functional_pages(pages: pd.DataFrame, labels: LabelledPages | None) -> np.ndarray:
    """Which pages are never suggested: bool of shape (n_pages,).

    Args:
        pages: The page table of a data set.
        labels: Their labels; None where they have none.

    Raises:
        ArtifactError: If the labels are damaged.
    """
    addresses = pages[Pages.PAGE_LOCATION].tolist()
    titles = pages[Pages.PAGE_TITLE].fillna("").tolist()
    found = (
        _by_rule(addresses, titles)
        if labels is None
        else (labels.table[PageLabels.THEME] == NO_THEME).to_numpy(dtype=bool, copy=True)
    )
    for page, (address, title) in enumerate(zip(addresses, titles, strict=True)):
        found[page] |= bool(_ERROR_ADDRESS.search(address) or _ERROR_TITLE.search(title))
    return found


def _by_rule(addresses: list[str], titles: list[str]) -> np.ndarray:
    from core.labels.label_types import Subject
    from core.labels.rule_classifier import RuleClassifier

    taxonomy = default_taxonomy()
    functional = {one.name for one in taxonomy.types if one.functional}
    subjects = [
        Subject(address, urls=(address,), titles=(title,) if title else ())
        for address, title in zip(addresses, titles, strict=True)
    ]
    found = RuleClassifier(taxonomy).classify(subjects, View.TYPE)
    return np.array([one is not None and one.value in functional for one in found], dtype=bool)

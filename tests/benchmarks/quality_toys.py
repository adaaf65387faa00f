"""A set that can be checked by eye: half of the users look at shoes, the others at books."""

from __future__ import annotations

import numpy as np

from benchmarks.quality.case import Case, next_pages
from core.base.schema import View
from core.storage.sequences import UserSequences
from tests.core.model.toys import SHOP_URLS, shop

NAMES = {
    View.THEME: [url.split("/")[3] for url in SHOP_URLS],
    View.TYPE: ["even" if number % 2 else "odd" for number in range(len(SHOP_URLS))],
}


def toy_case(sequences: UserSequences | None = None) -> Case:
    """Every fifth user is held out; nobody is cut."""
    made = sequences or shop(60)
    held_out = np.arange(made.n_users) % 5 == 0
    inside = np.ones(made.n_users, dtype=bool)
    return Case(
        sequences=made,
        urls=list(SHOP_URLS),
        names={"truth": NAMES},
        truth=np.where(np.arange(made.n_users) % 2, "books", "shoes").astype(object),
        held_out=held_out,
        inside=inside,
        judged=inside,
        cuts={},
        next_page=next_pages(made, inside, held_out),
    )

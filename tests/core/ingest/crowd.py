"""A shop in which much about a user is told by the others: ids in paths, transactions, places, labels."""

from __future__ import annotations

import numpy as np

from core.base.schema import Raw
from tests.core.ingest.shop import Row, event


def crowd(n_users: int = 60, seed: int = 0) -> list[Row]:
    """Each user views some of five pages, an order and a profile of their own; some buy."""
    rng = np.random.default_rng(seed)
    rows: list[Row] = []
    for number in range(n_users):
        user, start = f"{number}.{number % 7}", int(rng.integers(0, 5_000))
        pages = [f"/p/{page}" for page in rng.choice(list("abcde"), rng.integers(1, 5))]
        pages += [f"/order/{1000 + number}"] if number % 3 else []
        pages += [f"/account/{'kqzxvbnm'[number % 8]}{number}x/settings"] if number % 5 == 0 else []
        known = {Raw.DEVICE_BROWSER: "Chrome", Raw.GEO_COUNTRY: ("Spain", "Italy")[number % 2]}
        source = {Raw.TRAFFIC_SOURCE: f"mail-{number}" if number % 10 == 0 else "google"}
        rows += [event(user, start + 60 * at, page, **known, **source) for at, page in enumerate(pages)]
        rows.append(event(user, start + 1, name="scroll", **{Raw.ENGAGEMENT_TIME_MSEC: str(number % 4)}))
        if number % 4 == 0:
            sold = {Raw.TRANSACTION_ID: f"T{number // 8}", Raw.PURCHASE_REVENUE: str(number + 1)}
            currency = {Raw.CURRENCY: "EUR" if number % 3 else "USD"}
            rows.append(event(user, start + 99, name="purchase", **sold, **currency))
            rows.append(event(f"server-{number}", start, name="purchase", **sold, **currency))
    rows += [event("screen", second, "/p/a") for second in range(0, 400 * 60, 60)]  # nobody looks at it
    return rows

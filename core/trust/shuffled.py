"""Users as chance would make them: all keep their sessions and times, and the pages are dealt anew.

Which pages a user saw together says nothing then, while lengths, tempo and how popular each page is stay.
Themes and types follow their pages.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.data.sequences import UserSequences


def shuffled_users(sequences: UserSequences, seed: int) -> UserSequences:
    """The same users with all page views of all of them dealt anew.

    Args:
        sequences: Page views of users.
        seed: Of the deal.
    """
    return replace(sequences, page=np.random.default_rng(seed).permutation(sequences.page))

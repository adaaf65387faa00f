"""How many random cases are tried: a quarter each time, all of them with THOROUGH=1 in the environment."""

import os
from typing import Final

SHARE: Final = 1 if os.environ.get("THOROUGH") else 4


def cases(most: int) -> range:
    """Numbers of random cases, of which the first are enough to see any of the usual mistakes."""
    return range(most // SHARE)

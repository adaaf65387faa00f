"""How many random cases are tried: a quarter of them each time, all with THOROUGH=1 in the environment."""

import os
from typing import Final

THOROUGH: Final = bool(os.environ.get("THOROUGH"))


def cases(most: int) -> range:
    """Numbers of random cases; the first ones are enough to meet the usual mistakes."""
    return range(most if THOROUGH else most // 4)

"""The command line on the processes that torchrun starts: the first obeys, the others help it to train."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def first_of_several() -> Iterator[bool]:
    """Whether this process is the one that does what the command says; the others have helped by then.

    Raises:
        Beha2VecError: If the processes do not find each other, or one of them is gone.
    """
    if int(os.environ.get("WORLD_SIZE", 1)) < 2:  # torchrun says how many
        yield True
        return
    from core.model.handover import lend_a_hand
    from core.model.parallel import joined

    with joined() as rank:
        if rank:
            for number in (signal.SIGTERM, signal.SIGINT):  # heard while it waits; it leaves nothing behind
                signal.signal(number, signal.SIG_DFL)
            lend_a_hand()
        yield not rank

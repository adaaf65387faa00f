"""What an error carries along besides its message."""

from __future__ import annotations

import traceback


def everything_of(error: BaseException) -> str:
    """Message, arguments, causes and contexts, and every variable of our frames they came through."""
    parts = [str(error), repr(error), repr(error.args), repr(vars(error))]
    for frame, _ in traceback.walk_tb(error.__traceback__):
        if frame.f_globals["__name__"].startswith("core.llm"):
            parts += [repr(value) for value in frame.f_locals.values()]
    below = [one for one in (error.__cause__, error.__context__) if one is not None]
    return "\n".join(parts + [everything_of(one) for one in below])

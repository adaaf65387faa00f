"""A cache shared by all sessions, whose key is a function of the arguments, written beside the function."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import streamlit as st

P = ParamSpec("P")
R = TypeVar("R")


def cached(
    key: Callable[..., Hashable],
    max_entries: int,
    show_spinner: str | bool = False,
    cache: Callable[..., Any] = st.cache_resource,
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorator that caches a function's result for all sessions by a key; concurrent callers wait for it.

    Args:
        key: Function of the same arguments that returns the key; what it raises reaches the caller.
        max_entries: Number of results that are kept.
        show_spinner: Text while one is made; False for none.
        cache: ``st.cache_data`` where every caller needs a copy of its own.
    """

    def keeping(make: Callable[P, R]) -> Callable[P, R]:
        def keep(under: Hashable, _args: tuple[Any, ...], _kwargs: dict[str, Any]) -> R:
            return make(*_args, **_kwargs)

        keep.__module__, keep.__qualname__ = make.__module__, make.__qualname__  # these name the cache
        cached = cache(max_entries=max_entries, show_spinner=show_spinner)(keep)

        @wraps(make)
        def found(*args: P.args, **kwargs: P.kwargs) -> R:
            made: R = cached(key(*args, **kwargs), args, kwargs)
            return made

        return found

    return keeping

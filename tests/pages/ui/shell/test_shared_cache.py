"""What is made once for all sessions: under its key, each function for itself; errors of a key go on up."""

from collections.abc import Iterator

import pytest
import streamlit as st

from core.base.errors import InputError
from pages.ui.shell.shared_cache import cached

MADE: list[str] = []


@pytest.fixture(autouse=True)
def nothing_is_kept() -> Iterator[None]:
    MADE.clear()
    st.cache_resource.clear()
    st.cache_data.clear()
    yield


@cached(lambda text, *, times: (text.lower(), times), max_entries=2)
def repeated(text: str, *, times: int) -> list[str]:
    MADE.append(text)
    return [text] * times


@cached(lambda text, *, times: (text.lower(), times), max_entries=2)
def joined(text: str, *, times: int) -> str:
    return text * times


@cached(lambda text: text, max_entries=2, cache=st.cache_data)
def letters(text: str) -> list[str]:
    return list(text)


def refused(_: str) -> str:
    raise InputError("no key")


@cached(refused, max_entries=2)
def never(text: str) -> str:
    return text


def test_equal_keys_are_made_once_and_shared() -> None:
    first = repeated("a", times=2)
    assert repeated("A", times=2) is first
    assert repeated("a", times=3) == ["a"] * 3
    assert MADE == ["a", "a"]


def test_functions_with_equal_keys_do_not_meet() -> None:
    assert repeated("a", times=2) == ["a", "a"]
    assert joined("a", times=2) == "aa"


def test_whoever_changes_a_copy_changes_no_other() -> None:
    letters("ab").append("c")
    assert letters("ab") == ["a", "b"]


def test_what_the_key_raises_is_not_hidden() -> None:
    with pytest.raises(InputError, match="no key"):
        never("a")

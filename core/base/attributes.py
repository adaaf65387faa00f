"""Attributes of users (device, country, a column that the analyst chose): what they are called in words.

An attribute is a text column of ``users`` in which each user has one value. Every data set has those of
:data:`ATTRIBUTES`; others are channels, where the files have sources, and the dimensions that were chosen
when it was loaded.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from core.base.schema import CHANNEL, FIRST_CHANNEL, Users


@dataclass(frozen=True)
class AttributeWords:
    """Words for an attribute.

    Args:
        name: Its name, ``device``.
        plural: Several of its values, ``devices``.
        title: Heading of its values, ``Main device``.
        do: What users with a value do, before the value: ``are mostly on``.
        do_not: What all other users do, ``are not mostly on``.
        having: Users with a value, after "users" and before the value: ``mostly on``.
    """

    name: str
    plural: str
    title: str
    do: str
    do_not: str
    having: str


_KNOWN: Final = {
    Users.DEVICE: AttributeWords(
        "device", "devices", "Main device", "are mostly on", "are not mostly on", "mostly on"
    ),
    Users.BROWSER: AttributeWords(
        "browser", "browsers", "Main browser", "mostly use", "do not mostly use", "mostly with"
    ),
    Users.COUNTRY: AttributeWords(
        "country", "countries", "Main country", "are mostly from", "are not mostly from", "mostly from"
    ),
    Users.SOURCE: AttributeWords(
        "first source", "first sources", "First source", "first came from", "did not first come from",
        "who first came from",
    ),
    CHANNEL: AttributeWords(
        "channel", "channels", "Main channel", "mostly come by", "do not mostly come by", "mostly by"
    ),
    FIRST_CHANNEL: AttributeWords(
        "first channel", "first channels", "First channel", "first came by", "did not first come by",
        "who first came by",
    ),
}  # fmt: skip
ATTRIBUTES: Final = (Users.DEVICE, Users.BROWSER, Users.COUNTRY, Users.SOURCE)
"""Attributes that every data set has, as columns of ``users``."""


def attribute_words(column: str) -> AttributeWords:
    """The words for an attribute: ``mostly have plan`` before a value of the dimension ``plan``."""
    name = column.replace("_", " ")
    return _KNOWN.get(column) or AttributeWords(
        name, f"values of {name}", f"Main {name}", f"mostly have {name}", f"do not mostly have {name}",
        f"mostly with {name}",
    )  # fmt: skip


def titles_of(attributes: Iterable[str]) -> dict[str, str]:
    """Attribute → its title: those that every data set has, then the dimensions among these."""
    return {name: attribute_words(name).title for name in (*ATTRIBUTES, *attributes)}

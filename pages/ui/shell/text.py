"""Text for the screen: text from files made safe for labels and Markdown, and numbers in words.

Streamlit renders Markdown, LaTeX, colours, icons and remote images in labels and messages. A cell of a
file must never become any of these: values go through ``st.dataframe`` or ``st.text``, or through here.
"""

from __future__ import annotations

import re
from typing import Final

import humanize

_MARKDOWN: Final = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>$:~&])")
_LIVELY: Final = re.compile(
    r":(?=[A-Za-z+_]|//)|(?<=www)(?=\.)|@|(?<!\S)(?=(?:<->|<-|->|--|<=|>=|~=)(?!\S))", re.IGNORECASE
)
WORD_JOINER: Final = "\u2060"
"""Invisible character that breaks ``:material/…:``, ``:smile:``, addresses, and ``>=``, of which Streamlit
makes one character: all of these work even behind a backslash."""


def md_text(text: object, limit: int = 300) -> str:
    """Escape text for a place that renders Markdown, on one line and cut at ``limit`` characters."""
    flat = " ".join(str(text).split())
    cut = flat if len(flat) <= limit else flat[: limit - 1] + "…"
    return _MARKDOWN.sub(r"\\\1", _LIVELY.sub(lambda match: match[0] + WORD_JOINER, cut))


def count(number: int, thing: str, things: str = "") -> str:
    """A number with its noun: ``1 user``, ``1,204 users``."""
    return f"{number:,} {thing if number == 1 else things or thing + 's'}"


def size(number: int) -> str:
    """Bytes in words: ``1.2 MB``."""
    return humanize.naturalsize(number)


def time_range(low: float, high: float) -> str:
    """A range of seconds in words: ``20 to 50 seconds``, ``1 to 3 minutes``."""
    if high < 10:
        return "a few seconds"
    (least, unit), (most, last_unit) = _in_words(low), _in_words(high)
    if (least, last_unit) == ("60", "minutes"):
        least, unit = "1", last_unit
    if unit != last_unit:
        return f"{least} {unit} to {most} {last_unit}"
    if least == most:
        return f"about {most} {unit}"
    return f"{least} to {most} {unit}" if least != "0" else f"up to {most} {unit}"


def _in_words(seconds: float) -> tuple[str, str]:
    """Seconds as a rounded number and its unit."""
    if seconds < 90:
        return f"{round(seconds, -1):.0f}", "seconds"
    if seconds < 5400:
        number = round(seconds / 60)
        return f"{number}", "minutes"
    return f"{seconds / 3600:.1f}", "hours"


def clock(seconds: float) -> str:
    """Seconds as a clock shows them: ``0:45``, ``12:03``, ``1:02:03``."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def share(part: float, whole: float) -> str:
    """A share as a percentage; a dash when there is no whole."""
    return f"{part / whole:.1%}" if whole else "–"

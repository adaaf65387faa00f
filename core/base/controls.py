"""What a setting is called where it can be changed: an option on the command line, a control in the app.

A message of an error names the setting (:func:`control`), and whoever shows it says it in its own words.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class _Named(NamedTuple):
    option: str
    on_screen: str


_CONTROLS: Final = {
    "user_key": _Named("--user-key COLUMN", "“Who is a user?” on the Data page"),
    "mapping": _Named("--column FIELD=COLUMN", "“Which column is what?” on the Data page"),
    "page_view": _Named("--page-view NAME", "“Which event is a page view?” on the Data page"),
    "stream": _Named("--stream NAME", "“Which stream?” on the Data page"),
    "no_event_name": _Named("--column event_name=", "“Event name” on the Data page, “not in the file”"),
    "memory": _Named("--memory or --sample-users", "BEHA2VEC_MEMORY, where the app is started"),
    "bound": _Named("--memory", "BEHA2VEC_MEMORY, where the app is started"),
}


def control(setting: str) -> str:
    """A setting in the text of an error, to be worded by whoever shows it."""
    if setting not in _CONTROLS:
        raise KeyError(setting)
    return f"⟦{setting}⟧"


def worded(text: str, on_screen: bool) -> str:
    """A text with each setting as it is called there."""
    for setting, named in _CONTROLS.items():
        text = text.replace(control(setting), named.on_screen if on_screen else named.option)
    return text


def without_controls(text: str) -> str:
    """The sentences of a text that name no setting."""
    return ". ".join(sentence for sentence in text.split(". ") if "⟦" not in sentence)

"""Errors that an analyst can act on, and how their messages name settings.

    Beha2VecError
    ├── InputError      a file, a column or a value in it cannot be used
    │   └── NoPageViewsLeft no page view is left to work with
    ├── SettingsError   a setting is outside what is allowed
    ├── ArtifactError   something on disk that an earlier stage left is missing or damaged
    ├── ResourceError   the machine refuses: disk full, memory limit, time limit
    └── Cancelled       the analyst stopped the run

Every message says what was wrong, the value, what is allowed, and what to do. The command line shows
``str(error)``, a page ``error.on_screen``; anything that is not a ``Beha2VecError`` is a bug and shows a
traceback, or a line (:func:`one_line`) with the traceback elsewhere, where the rest goes on without it.

A message holds a placeholder for each setting (:func:`control`), replaced where it is shown: by the option of
the command line, or by the name of the control in the app.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

from core.base.places import PROGRAM


class _Named(NamedTuple):
    option: str
    on_screen: str


_CONTROLS: Final = {
    "user_key": _Named("--user-key COLUMN", "“Who is a user?” on the Data page"),
    "mapping": _Named("--column FIELD=COLUMN", "“Which column is what?” on the Data page"),
    "dimensions": _Named("--dimension COLUMN", "“Columns kept as attributes of users” on the Data page"),
    "page_view": _Named("--page-view NAME", "“Which event is a page view?” on the Data page"),
    "stream": _Named("--stream NAME", "“Which stream?” on the Data page"),
    "no_event_name": _Named("--column event_name=", "“Event name” on the Data page, “not in the file”"),
    "memory": _Named("--memory or --sample-users", "BEHA2VEC_MEMORY, where the app is started"),
    "bound": _Named("--memory", "BEHA2VEC_MEMORY, where the app is started"),
}


def control(setting: str) -> str:
    """Return the placeholder of a setting for the text of an error; :func:`_with_controls` replaces it.

    Args:
        setting: ``user_key``, ``mapping``, ``dimensions``, ``page_view``, ``stream``, ``no_event_name``,
            ``memory`` or ``bound``.

    Raises:
        KeyError: If it is none of these.
    """
    if setting not in _CONTROLS:
        raise KeyError(setting)
    return f"⟦{setting}⟧"


def _with_controls(text: str, on_screen: bool) -> str:
    """Replace the placeholders of settings (:func:`control`) in the text of an error.

    Args:
        text: The text.
        on_screen: Whether by names of controls in the app; else by command-line options.
    """
    for setting, named in _CONTROLS.items():
        text = text.replace(control(setting), named.on_screen if on_screen else named.option)
    return text


def _without_controls(text: str) -> str:
    """Return the sentences of a text that name no setting."""
    return ". ".join(sentence for sentence in text.split(". ") if "⟦" not in sentence)


BOUNDED_RUN: Final = f"{PROGRAM} run FILES --out OUT --memory SIZE"
"""Command to suggest where the records do not fit into memory."""

_MAX_LINE_LENGTH: Final = 500
"""Most characters of an error on one line."""

_AS_TRAINED: Final = "Rename it: the model reads the columns and events that it was trained with"


class Beha2VecError(Exception):
    """Base of every error that is shown as text.

    Args:
        problem: What was wrong, with the value.
        allowed: What would have been accepted; left out of the message when empty.
        remedy: What to do about it; left out of the message when empty. A setting in it
            (:func:`core.base.errors.control`) is called as it is where the error is shown.
    """

    def __init__(self, problem: str, *, allowed: str = "", remedy: str = "") -> None:
        self.problem, self.allowed, self.remedy = problem, allowed, remedy
        super().__init__(self._said(on_screen=False))

    @property
    def on_screen(self) -> str:
        """The message, with settings named as in the app."""
        return self._said(on_screen=True)

    def _said(self, on_screen: bool) -> str:
        parts = [self.problem, f"Allowed: {self.allowed}" if self.allowed else "", self.remedy]
        return _with_controls(" ".join(part.rstrip(". ") + "." for part in parts if part), on_screen)


def one_line(error: Exception) -> str:
    """Return an error's message on one line; that of a bug with its class, such as ``KeyError: 3``."""
    said = str(error) if isinstance(error, Beha2VecError) else f"{type(error).__name__}: {error}"
    return " ".join(said.split())[:_MAX_LINE_LENGTH].rstrip(": ")


class InputError(Beha2VecError):
    """A file, a column or a value in it cannot be used."""


class NoPageViewsLeft(InputError):
    """Every record can be read, but no page view is left to work with."""


@contextmanager
def reworded_for_frozen_model() -> Iterator[None]:
    """Reword input errors while reading for a trained model, whose settings cannot be changed.

    Raises:
        InputError: The original error, without remedies that name a setting.
    """
    try:
        yield
    except InputError as error:
        rest = _without_controls(error.remedy)
        if rest == error.remedy:
            raise
        remedy = ". ".join(filter(None, (_AS_TRAINED, rest)))
        raise type(error)(error.problem, allowed=error.allowed, remedy=remedy) from error


class SettingsError(Beha2VecError):
    """A setting is outside what is allowed."""


class ArtifactError(Beha2VecError):
    """A file that an earlier stage wrote is missing or damaged."""


class ResourceError(Beha2VecError):
    """The machine refuses: disk full, memory limit, time limit."""


class Cancelled(Beha2VecError):
    """The analyst stopped the run."""

    def __init__(self, what: str = "The run") -> None:
        super().__init__(f"{what} was cancelled", remedy="Nothing was changed; start it again when you like")

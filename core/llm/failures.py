"""Why a server gave no answer, in words an analyst can use; the key is in none of them."""

from __future__ import annotations

from typing import Final

from core.base.errors import ResourceError
from core.llm.llm_settings import NO_KEY, LlmSettings
from core.llm.waiting import TooLate

SHOWN_CHARACTERS: Final = 300
"""Of what a server says, in an error."""


def failure(settings: LlmSettings, reason: str) -> ResourceError:
    """The error that is shown."""
    return ResourceError(
        f"The language model {settings.model!r} at {settings.host} gave no answer: "
        f"{redacted(reason, settings)}",
        remedy="Check its address, key and name, or go on without it",
    )


def reason_of(error: Exception, settings: LlmSettings, waited_s: float | None = None) -> str:
    """What went wrong with a request.

    Args:
        error: What the SDK, or what lies below it, raised.
        settings: Of the request.
        waited_s: How long was waited in all, where that was limited.
    """
    import httpx2
    import openai

    if isinstance(error, TooLate):
        return f"no answer within {waited_s or settings.timeout_s:.0f} s"
    if isinstance(error, openai.APITimeoutError | httpx2.TimeoutException):
        return f"no answer within {settings.timeout_s:g} s"
    if isinstance(error, openai.APIConnectionError):
        return f"it cannot be reached ({error.__cause__ or error})"
    if isinstance(error, httpx2.HTTPError):
        return f"the connection was cut ({said(error, settings)})"
    if isinstance(error, openai.APIError):
        return said(error, settings)
    return "its answer is not a chat completion"


def said(error: Exception, settings: LlmSettings) -> str:
    """What a server says, on one line and not too long; some repeat the key they were sent."""
    return " ".join(redacted(str(error), settings).split())[:SHOWN_CHARACTERS]


def redacted(text: str, settings: LlmSettings) -> str:
    """A text, which must not be cut yet, with … in place of the key."""
    key = settings.api_key.get_secret_value()
    return text if key in ("", NO_KEY) else text.replace(key, "…")

"""The access token of the server: read, made and checked."""

from __future__ import annotations

import hmac
import os
import secrets
from pathlib import Path
from typing import Final

from core.base.errors import InputError, SettingsError
from core.base.small_file import read_small_file

_TOKEN_ENV: Final = "BEHA2VEC_TOKEN"
_MIN_TOKEN_LENGTH: Final = 16
_ALLOWED: Final = f"{_MIN_TOKEN_LENGTH} printable characters or more, no blanks"
_REMEDY: Final = "Make one: python -c 'import secrets; print(secrets.token_urlsafe(32))'"


def read_token(file: Path | None) -> str | None:
    """Read the token from a file or, without a file, from ``BEHA2VEC_TOKEN``; None where that is unset.

    Raises:
        SettingsError: If the file cannot be read, or holds no valid token; the message does not repeat it.
    """
    if file is None:
        text, where = os.environ.get(_TOKEN_ENV, ""), _TOKEN_ENV
        if not text:
            return None
    else:
        where = str(file)
        try:
            text = read_small_file(file).decode().strip()
        except (InputError, ValueError) as error:
            why = f" ({error.__class__.__name__})" if isinstance(error, ValueError) else ""
            raise SettingsError(f"{file} cannot be read{why}", remedy=_REMEDY) from error
    if len(text) < _MIN_TOKEN_LENGTH or not text.isascii() or not text.isprintable() or " " in text:
        raise SettingsError(f"What {where} holds is no token", allowed=_ALLOWED, remedy=_REMEDY)
    return text


def new_token() -> str:
    """Make a token that nobody can guess."""
    return secrets.token_urlsafe(32)


def is_authorised(header: str, token: str) -> bool:
    """Whether an ``Authorization`` header holds the token; comparing takes as long wherever they differ."""
    scheme, _, value = header.partition(" ")
    same = hmac.compare_digest(value.strip().encode("utf-8", "replace"), token.encode())
    return same and scheme.lower() == "bearer"

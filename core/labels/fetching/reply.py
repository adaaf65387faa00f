"""What a server answered, read up to a limit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from email.message import Message
from typing import Final

import requests
from urllib3.exceptions import HTTPError

from core.labels.fetching.fetch_outcomes import FetchOutcome, PageFailed

HTML: Final = ("text/html", "application/xhtml+xml")
_BLOCK: Final = 65_536


@dataclass(frozen=True)
class Reply:
    """An answer; ``body`` only with status 200."""

    status: int
    url: str
    """Where redirects led."""
    body: bytes = b""
    charset: str = ""
    """As the server says; empty if it says nothing."""


@dataclass(frozen=True)
class Want:
    """What kind of answer is of use.

    Args:
        max_bytes: Decoded bytes to read.
        html: Refuse what is not HTML.
        cut: Take the beginning of what is larger, instead of refusing it.
    """

    max_bytes: int
    html: bool = True
    cut: bool = False


def read(response: requests.Response, url: str, want: Want, check_time: Callable[[], None]) -> Reply:
    """Read an answer that has only been opened.

    Args:
        response: Opened with ``stream=True``.
        url: Where it came from.
        want: What kind of answer is of use.
        check_time: Raises PageFailed when there is no time left.

    Raises:
        PageFailed: If it is of no use, or breaks off.
    """
    if response.status_code != 200:
        return Reply(response.status_code, url)
    kind, charset = _content_type(response.headers.get("content-type", ""))
    if want.html and kind not in HTML:
        raise PageFailed(FetchOutcome.NOT_HTML, f"it is {kind[:60] or 'of no stated type'}, not HTML")
    return Reply(200, url, _body(response, want, check_time), charset)


def _body(response: requests.Response, want: Want, check_time: Callable[[], None]) -> bytes:
    """Read decoded bytes, at most a block beyond the limit: a decompressor stops there as well."""
    body = bytearray()
    try:
        while len(body) <= want.max_bytes and (block := response.raw.read1(_BLOCK, decode_content=True)):
            body += block
            check_time()
    except (HTTPError, OSError) as error:
        check_time()
        raise PageFailed(FetchOutcome.BROKEN, f"the answer broke off ({type(error).__name__})") from error
    check_time()  # a socket that was shut reads like the end
    if len(body) > want.max_bytes and not want.cut:
        raise PageFailed(FetchOutcome.TOO_LARGE, f"it has more than {want.max_bytes:,} bytes")
    return bytes(body[: want.max_bytes])


def _content_type(text: str) -> tuple[str, str]:
    message = Message()
    message["content-type"] = text.replace("\r", " ").replace("\n", " ") or "unknown"
    kind = text.partition(";")[0].strip().lower()
    return kind, str(message.get_param("charset", "") or "")

"""Files of the web, as they are sent: no length is believed before it arrived, no redirect leads inside."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from typing import Any, Final, TypeAlias
from urllib.parse import SplitResult, urljoin, urlsplit

import requests
from urllib3.exceptions import HTTPError

from core.base.errors import InputError
from core.outgoing.web import is_link_local, is_public, resolve, web_session

HEADERS: Final = {"User-Agent": "Beha2Vec", "Accept": "*/*", "Accept-Encoding": "identity"}
WEB: Final = ("http", "https")
TIMES: Final = (10.0, 60.0)
"""Seconds until there is a connection, and of silence."""
REDIRECTS: Final = 10
_RANGE: Final = re.compile(r"bytes (\d+)-\d+/(\d+)")

Source: TypeAlias = tuple[int, int | None, Callable[[int], bytes]]
"""At which byte it begins, bytes of the whole file where that is told, and what reads on."""


class WebFiles:
    """Files of one address and of where it redirects to.

    An address that was typed may lead into the own network. From one that does, redirects may too, but for
    link-local addresses, where clouds keep their keys; from any other they may not. A host with addresses
    both inside and outside is not asked at all: which of them answers is chance.

    Args:
        address: As it was typed.
    """

    def __init__(self, address: str) -> None:
        self._address, self._shown = address, without_secrets(address)
        self._host, self._inside = "", False
        self._session = web_session(self._connect, HEADERS)

    def info(self) -> dict[str, Any]:
        """What is said of a file before it is fetched: size and version, where they are told."""
        try:
            with self._asked("HEAD") as reply:
                return _about(reply)
        except requests.HTTPError as error:
            if error.response.status_code == HTTPStatus.NOT_FOUND:
                raise
        with self._asked("GET") as reply:  # an address may be signed for this alone
            return _about(reply)

    @contextmanager
    def opened(self, begin: int, version: str) -> Iterator[Source]:
        """Ask for what is still missing.

        Args:
            begin: What is there already.
            version: Of that; of another one the whole file comes.
        """
        wanted = {"Range": f"bytes={begin}-", "If-Range": version} if begin and version else {}
        with self._asked("GET", wanted) as reply:
            part = _RANGE.fullmatch(reply.headers.get("content-range", ""))
            if reply.status_code == HTTPStatus.PARTIAL_CONTENT and part and int(part[1]) == begin:
                yield begin, int(part[2]), partial(_read, reply)
            else:
                yield 0, _length(reply), partial(_read, reply)

    @contextmanager
    def _asked(self, method: str, headers: dict[str, str] | None = None) -> Iterator[requests.Response]:
        place = self._address
        for _ in range(REDIRECTS + 1):
            with self._session.request(
                method, place, headers=headers, stream=True, allow_redirects=False, timeout=TIMES
            ) as reply:
                if not reply.is_redirect:
                    reply.raise_for_status()
                    yield reply
                    return
                place = urljoin(place, reply.headers["location"])
            if address_parts(place).scheme not in WEB:
                raise InputError(
                    f"{self._shown} redirects to {without_secrets(place)}, which is not of the web",
                    allowed=", ".join(f"{name}://" for name in WEB),
                    remedy="Ask for the address of the file itself",
                )
        raise InputError(f"{self._shown} redirects more than {REDIRECTS} times")

    def _connect(self, host: str, port: int) -> socket.socket:
        addresses = resolve(host, port)
        inside = [address for address in addresses if not is_public(address)]
        if not self._host:
            self._host, self._inside = host, 0 < len(inside) == len(addresses)
        closed = next((one for one in inside if not self._may_be_asked(host, one)), None)
        if closed and host == self._host:
            raise InputError(
                f"{host} leads to {closed}, inside this network, as well as outside",
                remedy="Fetch from one of them by its number, if you trust it",
            )
        if closed:
            raise InputError(
                f"{self._shown} redirects to {host}, which leads to {closed}: not a public address",
                remedy="Fetch from there itself, if you trust it",
            )
        problem = OSError(f"{host} leads nowhere")
        for address in addresses:
            try:
                return socket.create_connection((address, port), TIMES[0])
            except OSError as error:
                problem = error
        raise problem

    def _may_be_asked(self, host: str, address: str) -> bool:
        return self._inside and (host == self._host or not is_link_local(address))


def without_secrets(address: str) -> str:
    """Return an address without user, password and query, where secrets stand."""
    parts = address_parts(address)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}" if parts.scheme else address


def address_parts(address: str) -> SplitResult:
    """Return the parts of an address; empty ones where it has none."""
    try:
        return urlsplit(address)
    except ValueError:  # half of an IPv6 address
        return SplitResult("", "", "", "", "")


def _read(reply: requests.Response, size: int) -> bytes:
    """The next bytes of an answer, packed if it is sent so; none at its end.

    Raises:
        OSError: If it ends before it should.
    """
    try:
        return bytes(reply.raw.read(size, decode_content=False))
    except HTTPError as error:
        raise ConnectionError("it broke off") from error


def _about(reply: requests.Response) -> dict[str, Any]:
    found = {name: reply.headers[name] for name in ("ETag", "Last-Modified") if name in reply.headers}
    return {"type": "file", "size": _length(reply), **found}


def _length(reply: requests.Response) -> int | None:
    length = reply.headers.get("content-length", "")
    return int(length) if length.isdecimal() else None

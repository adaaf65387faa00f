"""What the web server adds to Streamlit: security headers, checks of host and origin, the upload route.

A browser says with every WebSocket from which page it comes. Streamlit lets any port of this machine in, and
whoever says nothing; here only the page that this server itself has sent may drive it.
"""

from __future__ import annotations

import base64
import hashlib
import logging
import os
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import ibis  # noqa: F401 - before there are threads: two that import it at once each see half of it
import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.web.server.starlette.starlette_app_utils import validate_xsrf_token

from core.base.errors import Beha2VecError, ResourceError
from core.storage.disk import disk_errors
from pages.ui.data import uploads
from pages.ui.shell.links import DATA
from pages.ui.shell.state import input_dir

TOOLS: Final = "BEHA2VEC_TOOLS"
"""Environment variable: ``1`` admits programs without an Origin header, and serves Streamlit's metrics."""
_METRICS: Final = "/_stcore/metrics"
_SCHEMES: Final = ("http", "https")
"""Schemes of pages that are accepted; behind a proxy that ends TLS the server does not see which."""
_REFUSED: Final = (
    "Refused: the Origin %r is not this app's address %r. Behind a proxy, name the public address in "
    f"server.corsAllowedOrigins; for a program that sends no Origin, set {TOOLS}=1."
)
_LOG: Final = logging.getLogger("beha2vec")


class SameOrigin:
    """Middleware that refuses requests from other pages, and routes that are not public."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.tools = os.environ.get(TOOLS) == "1"
        self.others = _other_origins()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on if it may come in."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
        elif not self._may_drive(scope):
            await _refuse(scope, receive, send)
        elif scope["path"].rstrip("/").endswith(_METRICS) and not self.tools:
            await PlainTextResponse("Not Found", 404)(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def _may_drive(self, scope: Scope) -> bool:
        headers = Headers(scope=scope)
        origin, host = headers.get("origin"), headers.get("host", "")
        if origin is None:  # a browser sends none with what a page loads from its own server
            allowed = self.tools or scope["type"] == "http"
        else:
            allowed = _is_own(origin, host) or origin.lower() in self.others
        if not allowed:
            _LOG.warning(_REFUSED, origin, host)
        return allowed


def _is_own(origin: str, host: str) -> bool:
    """Whether an Origin header names the host and port of the request."""
    scheme, found, rest = origin.lower().partition("://")
    return bool(found) and scheme in _SCHEMES and rest == host.lower()


def _other_origins() -> frozenset[str]:
    """Public addresses of this app in the configuration, which its proxy does not pass on."""
    named = [str(origin).rstrip("/").lower() for origin in st.config.get_option("server.corsAllowedOrigins")]
    if st.config.is_manually_set("browser.serverAddress"):
        host = urlsplit(f"//{st.config.get_option('browser.serverAddress')}").netloc.lower()
        if st.config.is_manually_set("browser.serverPort"):
            named.append(f"http://{host}:{st.config.get_option('browser.serverPort')}")
        named += [f"{scheme}://{host}" for scheme in _SCHEMES]
    return frozenset(named)


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})  # before it is accepted: 403
        return
    await PlainTextResponse("This request comes from another page.", 403)(scope, receive, send)


_BASE: Final = str(st.config.get_option("server.baseUrlPath")).strip("/")
_ROOT: Final = f"/{_BASE}/" if _BASE else "/"
UPLOAD_PATH: Final = _ROOT + "api/upload"
MARK: Final = ("x-requested-with", "beha2vec")
"""Header and value of uploads: a foreign page cannot send them without a CORS preflight."""


def build_csp() -> str:
    """The content security policy: nothing from other hosts, no script but Streamlit's own.

    The one inline script of Streamlit's page is allowed by its hash, computed from the installed file.
    ``blob:`` is for custom components, ``wasm-unsafe-eval`` for protobuf.
    """
    page = (Path(st.__file__).parent / "static" / "index.html").read_text(encoding="utf-8")
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digests = (hashlib.sha256(script.encode()).digest() for script in scripts)
    hashes = " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' {hashes} 'wasm-unsafe-eval' blob:",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "worker-src 'self' blob:",
            "frame-src 'self'",
            "media-src 'self' blob:",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


class SecurityHeaders:
    """Middleware that adds the security headers to HTTP responses; WebSockets pass untouched."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.headers = {
            "Content-Security-Policy": build_csp(),
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "X-Frame-Options": "DENY",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and add the headers to what comes back."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self.headers)
            await send(message)

        await self.app(scope, receive, send_with_headers)


class UploadRoute:
    """Upload route: a request carries a piece of a file; pieces of a file come one after another."""

    def __init__(self) -> None:
        self._busy: set[str] = set()

    async def put(self, request: Request) -> Response:
        """Answer ``PUT /api/upload/<id>?name=…&offset=…&total=…``.

        200 with ``have`` (and the ``name`` once complete), 409 with ``have`` to go on from, or an error text.
        """
        if not _is_ours(request):
            return _answer(403, error="This upload does not come from the app's own page.")
        upload_id = request.path_params["upload_id"]
        if upload_id in self._busy:
            return _answer(423, error="This file is being uploaded in another tab.")
        self._busy.add(upload_id)
        try:
            return await _take(request, upload_id)
        except ClientDisconnect:  # the analyst cancelled or left the page; the part stays
            return Response(status_code=499)
        except ResourceError as error:
            return _answer(507, error=str(error))
        except (Beha2VecError, ValueError, KeyError) as error:
            return _answer(400, error=str(error))
        finally:
            self._busy.discard(upload_id)


async def _take(request: Request, upload_id: str) -> Response:
    query = request.query_params
    name, offset, total = uploads.clean_name(query["name"]), int(query["offset"]), int(query["total"])
    folder = input_dir()
    folder.mkdir(parents=True, exist_ok=True)
    part = uploads.part_path(folder, upload_id)
    have = part.stat().st_size if part.exists() else 0
    if have != offset:
        return _answer(409, have=have)
    if offset == 0:
        uploads.sweep(folder)
    uploads.check_room(folder, total - have)
    have = await _append(part, request.stream(), total)
    if have < total:
        return _answer(200, have=have)
    landed = await run_in_threadpool(uploads.finish, part, name)  # may compare two large files
    return _answer(200, have=have, name=landed.name)


async def _append(part: Path, stream: AsyncIterator[bytes], total: int) -> int:
    with disk_errors(), part.open("ab") as file:
        async for piece in stream:
            if file.tell() + len(piece) > total:
                raise ValueError(f"More than the announced {total:,} bytes arrived. Drop the file again.")
            file.write(piece)
        return file.tell()


def _is_ours(request: Request) -> bool:
    """Whether an upload is this app's, by header, fetch site and token: Streamlit checks only its routes."""
    headers = request.headers
    return (
        headers.get(MARK[0]) == MARK[1]
        and headers.get("sec-fetch-site", "same-origin") == "same-origin"
        and validate_xsrf_token(headers.get("x-xsrftoken"), request.cookies.get("_streamlit_xsrf"))
    )


def _answer(status: int, **fields: object) -> JSONResponse:
    return JSONResponse(fields, status)


def _allowed_hosts() -> list[str]:
    """Host names under which the server answers; others may be DNS rebinding."""
    return list(st.config.get_option("server.allowedHosts")) or ["localhost", "127.0.0.1"]


def _to_the_default_page(request: Request) -> Response:
    """Redirect the default page's own address, which Streamlit does not know, to ``/`` with its query."""
    query = request.url.query
    return RedirectResponse(f"{_ROOT}?{query}" if query else _ROOT)


ROUTES: Final = [
    Route(UPLOAD_PATH + "/{upload_id}", UploadRoute().put, methods=["PUT"]),
    Route(_ROOT + DATA.url_path, _to_the_default_page),
]
MIDDLEWARE: Final = [
    Middleware(SecurityHeaders),
    Middleware(TrustedHostMiddleware, allowed_hosts=_allowed_hosts(), www_redirect=False),
    Middleware(SameOrigin),
]

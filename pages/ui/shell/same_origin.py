"""The check of who may use this server: its own page, and no other.

A browser says with every WebSocket from which page it comes. Streamlit lets any port of this machine in, and
whoever says nothing; here only the page that this server itself has sent may drive it.
"""

from __future__ import annotations

import logging
import os
from typing import Final
from urllib.parse import urlsplit

import streamlit as st
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

TOOLS: Final = "BEHA2VEC_TOOLS"
"""Environment variable: ``1`` admits programs without an Origin header, and serves Streamlit's metrics."""
METRICS: Final = "/_stcore/metrics"
SCHEMES: Final = ("http", "https")
"""Schemes of pages that are accepted; behind a proxy that ends TLS the server does not see which."""
REFUSED: Final = (
    "Refused: the Origin %r is not this app's address %r. Behind a proxy, name the public address in "
    f"server.corsAllowedOrigins; for a program that sends no Origin, set {TOOLS}=1."
)
LOG: Final = logging.getLogger("beha2vec")


class Door:
    """Middleware that refuses requests from other pages, and routes that are not public."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.tools = os.environ.get(TOOLS) == "1"
        self.others = other_origins()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on if it may come in."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
        elif not self._may_drive(scope):
            await _refuse(scope, receive, send)
        elif scope["path"].rstrip("/").endswith(METRICS) and not self.tools:
            await PlainTextResponse("Not Found", 404)(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def _may_drive(self, scope: Scope) -> bool:
        headers = Headers(scope=scope)
        origin, host = headers.get("origin"), headers.get("host", "")
        if origin is None:  # a browser sends none with what a page loads from its own server
            allowed = self.tools or scope["type"] == "http"
        else:
            allowed = is_own(origin, host) or origin.lower() in self.others
        if not allowed:
            LOG.warning(REFUSED, origin, host)
        return allowed


def is_own(origin: str, host: str) -> bool:
    """Whether an Origin header names the host and port of the request."""
    scheme, found, rest = origin.lower().partition("://")
    return bool(found) and scheme in SCHEMES and rest == host.lower()


def other_origins() -> frozenset[str]:
    """Public addresses of this app in the configuration, which its proxy does not pass on."""
    named = [str(origin).rstrip("/").lower() for origin in st.config.get_option("server.corsAllowedOrigins")]
    if st.config.is_manually_set("browser.serverAddress"):
        host = urlsplit(f"//{st.config.get_option('browser.serverAddress')}").netloc.lower()
        if st.config.is_manually_set("browser.serverPort"):
            named.append(f"http://{host}:{st.config.get_option('browser.serverPort')}")
        named += [f"{scheme}://{host}" for scheme in SCHEMES]
    return frozenset(named)


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})  # before it is accepted: 403
        return
    await PlainTextResponse("This request comes from another page.", 403)(scope, receive, send)

"""The MCP server: three tools over stdio, or over HTTP on this machine with a token."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Mapping
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

from core.base.errors import ResourceError, SettingsError
from core.base.places import install_command
from core.facts.context import Context
from core.mcp.session import McpSession
from core.query.query import Query

if TYPE_CHECKING:
    from mcp.server import Server
    from starlette.types import ASGIApp, Receive, Scope, Send

HOST: Final = "127.0.0.1"
PATH: Final = "/mcp"
MAX_BODY: Final = 64 * 1024
"""Bytes of a request, at most: a query has a few hundred."""
CONNECTIONS: Final = 256
"""Connections at once, at most; further ones are answered with status 503."""
_WORDLESS: Final = ("title", "default", "additionalProperties", "discriminator")
"""Keys of a JSON schema that tell an assistant nothing that the rest does not."""
EXAMPLE: Final = {
    "measure": "share",
    "of": {"kind": "did", "steps": [{"kind": "event", "any_of": ["purchase"]}]},
    "where": {"kind": "is", "dimension": "segment", "any_of": ["segment:0"]},
    "by": "device",
}
_ASK: Final = (
    "Count something: give a query (preferred) or an English question. Answers in sentences and rows; each "
    "figure has an interval, its n and an address. Never of fewer than 20 users, nor rates of sessions. "
    "“of” is what share, lift, events, time_to, funnel (steps) and next or previous are about; shares in "
    "“keep” are 0 to 1; weekday 1 is Monday; segments are named by their key. Example: "
)
INSTRUCTIONS: Final = (
    "Behavioural segments and page views of a website. Call describe first. Every figure you say must come "
    "from an answer of ask; verify with check. Figures of fewer than 20 users are never given; do not try to "
    "derive them. Differences are associations, not causes."
)


def tool_list() -> list[dict[str, Any]]:
    """The tools as the protocol lists them: name, description, schema of the arguments."""
    query, parts = _short_schema()
    return [
        {
            "name": "describe",
            "description": "What is here: days, segments with names and sizes, names of pages, events and "
            "other dimensions, what each measure means, example questions.",
            "inputSchema": {"type": "object", "properties": {}},
        },
        {
            "name": "ask",
            "description": _ASK + json.dumps(EXAMPLE),
            "inputSchema": {
                "type": "object",
                "properties": {"question": {"type": "string"}, "query": query},
                "$defs": parts,
            },
        },
        {
            "name": "check",
            "description": "Before you state figures: in which answers each figure of a sentence stands.",
            "inputSchema": {
                "type": "object",
                "properties": {"sentence": {"type": "string"}},
                "required": ["sentence"],
            },
        },
    ]


def _short_schema() -> tuple[dict[str, Any], dict[str, Any]]:
    """The JSON schema of a query and of its parts, with each list of conditions said once."""
    whole = Query.model_json_schema()
    parts = whole.pop("$defs")
    conditions = [{"$ref": f"#/$defs/{name}"} for name in ("Did", "Is", "Has", "Came", "All", "Any", "Not")]
    short: dict[str, Any] = {name: _short(part) for name, part in parts.items()}
    query: dict[str, Any] = _short(whole)
    short["Condition"] = {"oneOf": conditions}
    query["properties"]["compare"] = {"oneOf": [{"$ref": "#/$defs/Condition"}, {"$ref": "#/$defs/Others"}]}
    return query, short


def _short(part: Any) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(part, list):
        return [_short(one) for one in part if one != {"type": "null"}]
    if not isinstance(part, dict):
        return part
    options = part.get("oneOf") or part.get("anyOf")
    if options and len({str(one.get("$ref")) for one in _flat(options) if "$ref" in one}) >= 7:
        return {"$ref": "#/$defs/Condition"}
    kept = {
        name: {key: _short(one) for key, one in value.items()} if name == "properties" else _short(value)
        for name, value in part.items() if name not in _WORDLESS
    }  # fmt: skip
    if "const" in kept.get("properties", {}).get("kind", ()):
        kept["required"] = ["kind", *kept.get("required", ())]
    if len(kept.get("anyOf", ())) == 1:  # absent otherwise
        kept |= kept.pop("anyOf")[0]
    return kept


def _flat(options: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [inner for one in options for inner in (one.get("oneOf") or [one])]


def make_server(context: Context) -> Server[Any]:
    """Make the server of a run.

    Raises:
        SettingsError: If the package mcp is not installed.
    """
    if find_spec("mcp") is None:
        raise SettingsError(
            "The package mcp is not installed", remedy=f"Install it: {install_command('mcp', 'mcp>=2.3,<3')}"
        )
    import anyio.to_thread
    import mcp_types as types
    from mcp.server import Server

    session = McpSession(context)
    tools = types.ListToolsResult.model_validate({"tools": tool_list()})

    async def list_tools(ctx: object, params: object) -> types.ListToolsResult:
        return tools

    async def call_tool(ctx: object, params: types.CallToolRequestParams) -> types.CallToolResult:
        asked: Mapping[str, Any] = params.arguments or {}
        reply = await anyio.to_thread.run_sync(session.call, params.name, asked)
        content = [types.TextContent(type="text", text=reply.text)]
        return types.CallToolResult(content=[*content], structured_content=reply.data, is_error=reply.refused)

    return Server(
        "beha2vec", version=version("mcp"), instructions=INSTRUCTIONS,
        on_list_tools=list_tools, on_call_tool=call_tool,
    )  # fmt: skip


def serve_stdio(server: Server[Any]) -> None:
    """Answer over stdin and stdout until stdin ends."""
    import anyio
    from mcp.server.stdio import stdio_server

    async def run() -> None:
        async with stdio_server() as (received, sent):
            await server.run(received, sent, server.create_initialization_options())

    anyio.run(run)


def serve_http(
    server: Server[Any], port: int, allows: Callable[[str], bool], ready: Callable[[str], None]
) -> None:
    """Answer over streamable HTTP on this machine until the process is told to end.

    Args:
        server: The server.
        port: Port to listen at; any free one when 0.
        allows: Whether an ``Authorization`` header holds the token.
        ready: Called with the address once it takes requests.

    Raises:
        ResourceError: If the port is taken.
    """
    import uvicorn

    app = partial(_guarded, http_app(server), allows)
    try:
        listening = socket.create_server((HOST, port))
    except OSError as error:
        raise ResourceError(
            f"Cannot listen at {HOST}, port {port}", remedy="Choose another --port"
        ) from error
    with listening:
        ready(f"http://{HOST}:{listening.getsockname()[1]}{PATH}")
        config = uvicorn.Config(
            app, interface="asgi3", ws="none", limit_concurrency=CONNECTIONS, log_level="warning",
            access_log=False, server_header=False,
        )  # fmt: skip
        uvicorn.Server(config).run(sockets=[listening])


def http_app(server: Server[Any]) -> ASGIApp:
    """The server as an ASGI app, which keeps no sessions: the floor is one for all clients."""
    return server.streamable_http_app(
        streamable_http_path=PATH,
        stateless_http=True,
        json_response=True,
        max_request_body_size=MAX_BODY,
        host=HOST,
    )  # fmt: skip


async def _guarded(
    app: ASGIApp, allows: Callable[[str], bool], scope: Scope, receive: Receive, send: Send
) -> None:
    """Answer requests with the token only; others with status 401."""
    from starlette.responses import JSONResponse

    header = dict(scope.get("headers", ())).get(b"authorization", b"").decode("latin-1")
    if scope["type"] == "http" and not allows(header):
        said = {"error": "The token is missing or wrong"}
        await JSONResponse(said, 401, {"WWW-Authenticate": "Bearer"})(scope, receive, send)
        return
    await app(scope, receive, send)

"""What docs/how-to/assistants.md shows: its configurations, commands and session."""

from __future__ import annotations

import json
import re

from core.cli.cli import app
from core.mcp.server import tool_list
from core.query.query import Query
from tests.docs.conftest import ROOT

TEXT = (ROOT / "docs" / "how-to" / "assistants.md").read_text(encoding="utf-8")
SHELL = re.findall(r"```sh\n(.*?)\n```", TEXT, re.DOTALL)


def test_every_configuration_starts_the_server() -> None:
    found = [json.loads(block) for block in re.findall(r"```json\n(.*?)\n```", TEXT, re.DOTALL)]
    servers = [server for one in found for part in one.values() for server in part.values()]
    assert len(servers) == 2
    for server in servers:
        module, core, *arguments = server["args"]
        assert (module, core, arguments[0]) == ("-m", "core", "mcp")
        app.commands["mcp"].make_context("mcp", arguments[1:])


def test_every_option_that_is_named_is_one() -> None:
    known = {name: {opt for one in app.commands[name].params for opt in one.opts} for name in ("ask", "mcp")}
    for line in "\n".join(SHELL).splitlines():
        if command := re.search(r"-m core (ask|mcp)(.*)", line.split("#")[0]):
            assert {*re.findall(r"--[a-z-]+", command[2])} <= known[command[1]], line


def test_the_session_is_one_of_these_tools() -> None:
    schemas = {tool["name"]: tool["inputSchema"]["properties"] for tool in tool_list()}
    calls = re.findall(r"^> (\w+) (.*)$", TEXT, re.MULTILINE)
    assert {name for name, _ in calls} == {*schemas}
    for name, arguments in calls:
        given = json.loads(arguments)
        assert {*given} <= {*schemas[name]}
        assert "query" not in given or Query.checked(**given["query"])

"""The MCP server with the SDK's own client, on a finished run."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

from core.base.attributes import ATTRIBUTES
from core.mcp.server import make_server, tool_list
from core.mcp.session import McpSession
from core.query.floor import FEWEST
from core.query.query import OF_STEPS, By, Query
from core.runs.open_run import open_context

ROOT = Path(__file__).resolve().parents[3]
TOKEN = "a-token-of-twenty-letters"
SCROLL = {"kind": "did", "steps": [{"kind": "event", "any_of": ["scroll"]}]}
BY_DEVICE = {"measure": "share", "of": SCROLL, "by": "device"}
open_once = cache(open_context)


def talk(server: Any, speak: Callable[[Client], Awaitable[Any]]) -> Any:  # noqa: ANN401 - of the SDK
    async def run() -> Any:  # noqa: ANN401
        async with Client(server) as client:
            return await speak(client)

    return asyncio.run(asyncio.wait_for(run(), 120))


def stdio(out: Path) -> StdioServerParameters:
    return StdioServerParameters(
        command=sys.executable, args=["-m", "core", "mcp", "--out", str(out)], cwd=ROOT, env={**os.environ}
    )


async def whole_conversation(client: Client) -> list[Any]:
    tools = await client.list_tools()
    described = await client.call_tool("describe", {})
    counted = await client.call_tool("ask", {"query": BY_DEVICE})
    asked = await client.call_tool("ask", {"question": "How many users are there by device?"})
    row = counted.structured_content["rows"][0]
    said = f"{row['text']} of users on {row['name']} scrolled, and 77.77% slept."
    checked = await client.call_tool("check", {"sentence": said})
    return [tools, described, counted, asked, checked]


def right(conversation: list[Any], out: Path) -> None:
    tools, described, counted, asked, checked = conversation
    assert [tool.name for tool in tools.tools] == ["describe", "ask", "check"]
    record = json.loads((out / "run.json").read_text())
    assert described.structured_content["users"] == record["users"]
    assert f"{record['users']:,} users" in described.content[0].text
    for answer in (counted, asked):
        rows = answer.structured_content["rows"]
        assert rows and all(row["address"] in answer.content[0].text for row in rows)
        assert len({row["address"] for row in rows}) == len(rows)
        assert all(row["n"] >= FEWEST for row in rows)
        assert Query.model_validate(answer.structured_content["query"])
        assert answer.content[0].text.startswith(f"Understood as: {answer.structured_content['reading']}.")
    first, slept = checked.structured_content["figures"]
    assert first["addresses"] == [counted.structured_content["rows"][0]["address"]]
    assert slept["addresses"] == [] and not checked.structured_content["all_found"]


def test_a_conversation_over_stdio(finished: Path) -> None:
    right(talk(stdio(finished), whole_conversation), finished)


@contextmanager
def served(out: Path) -> Iterator[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "core", "mcp", "--out", str(out), "--http", "--port", "0"],
        cwd=ROOT, env=os.environ | {"BEHA2VEC_TOKEN": TOKEN}, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr is not None
    try:
        line = next(line for line in process.stderr if " answers at http" in line)
        yield line.strip().rsplit(" ", 1)[1]
    finally:
        process.kill()
        process.wait()


def over_http(address: str, speak: Callable[[Client], Awaitable[Any]]) -> Any:  # noqa: ANN401
    async def run() -> Any:  # noqa: ANN401
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with (
            httpx2.AsyncClient(headers=headers, timeout=60) as http,
            Client(streamable_http_client(address, http_client=http)) as client,
        ):
            return await speak(client)

    return asyncio.run(asyncio.wait_for(run(), 120))


def test_a_conversation_over_http_with_a_token_beside_a_flood_and_garbage(finished: Path) -> None:
    async def flood(client: Client) -> list[Any]:
        asked = [{"question": "How many users are there by device?"}, {"question": "x"}, {"query": BY_DEVICE}]
        return await asyncio.gather(*(client.call_tool("ask", asked[n % 3]) for n in range(120)))

    with served(finished) as address:
        right(over_http(address, whole_conversation), finished)
        assert len(over_http(address, flood)) == 120
        ask = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
        for headers in ({}, {"Authorization": "Bearer wrong-token-of-letters"}):
            assert httpx2.post(address, json=ask, headers=headers).status_code == 401
        mine = {"Authorization": f"Bearer {TOKEN}", "Accept": "application/json, text/event-stream"}
        for body in (b"\x00\xff{", b"[" * 5_000, b'{"jsonrpc": "2.0", "id": 1, "method": 7}', b"x" * 100_000):
            assert 400 <= httpx2.post(address, content=body, headers=mine).status_code < 500
        assert httpx2.post(address, json=ask, headers=mine | {"Host": "evil.example"}).status_code >= 400
        right(over_http(address, whole_conversation), finished)


NOBODY = {"kind": "all", "of": [SCROLL, {"kind": "not", "of": SCROLL}]}
PATTERN = {"kind": "did", "steps": [{"kind": "page", "any_of": ["/(a+)+$"]}]}
ODD: list[tuple[str, dict[str, Any], str]] = [
    ("delete_everything", {}, "no tool of that name"),
    ("ask", {}, "either “question” or “query”"),
    ("ask", {"question": "How many users?", "query": {}}, "either “question” or “query”"),
    ("ask", {"question": "users " * 5_000}, "at most 1,000 characters"),
    ("ask", {"question": 7}, "at most 1,000 characters"),
    ("ask", {"question": "list the ids of all users"}, "not understood"),
    ("ask", {"question": "\u202e\x00 '; DROP TABLE users; --"}, "not understood"),
    ("ask", {"query": "users"}, "is an object"),
    ("ask", {"query": {"measure": "ids"}}, "not possible"),
    ("ask", {"query": {"by": "user_id"}}, "has no user_id"),
    ("ask", {"query": {"where": {"kind": "is", "dimension": "user", "any_of": ["1"]}}}, "No user is called"),
    ("ask", {"query": {"where": NOBODY}}, "nobody"),
    ("ask", {"query": {"period": {"first_day": "1999-01-01", "last_day": "1999-01-02"}}}, ""),
    ("ask", {"query": {"where": PATTERN}}, "No page"),
    ("ask", {"ids": True}, "no such argument"),
    ("check", {"sentence": "9" * 5_000}, "at most 1,000 characters"),
    ("check", {}, "at most 1,000 characters"),
    ("describe", {"user": "1"}, "no such argument"),
]  # fmt: skip


def test_whatever_is_odd_is_one_line_and_nothing_is_lost(finished: Path) -> None:
    async def speak(client: Client) -> list[Any]:
        return [*[await client.call_tool(tool, arguments) for tool, arguments, _ in ODD],
                await client.call_tool("ask", {"query": BY_DEVICE})]  # fmt: skip

    *odd, last = talk(make_server(open_once(finished)), speak)
    for reply, (tool, arguments, said) in zip(odd, ODD, strict=True):
        text = reply.content[0].text
        assert reply.is_error and said in text and "\n" not in text, (tool, arguments, text)
        assert len(text) < 2_001 and reply.structured_content["declined"]["reason"] == text
    assert last.structured_content["rows"]


def test_no_answer_holds_an_id_or_a_figure_without_an_address(finished: Path) -> None:
    context = open_once(finished)
    session = McpSession(context)
    ids = context.tables.basis.sequences.user_id.to_pylist()
    measures = ("users", "views", "sessions", "views_per_user", "sessions_per_user")
    by = [*(one.value for one in By if one not in OF_STEPS), *ATTRIBUTES]
    asked = [{"measure": measure, "by": one} for measure in measures for one in by]
    replies = [session.call("ask", {"query": query}) for query in asked] + [session.call("describe", {})]
    answered = [reply for reply in replies if not reply.refused]
    assert len(asked) >= 100 and len(answered) > 60
    for reply in answered:
        said = reply.text + json.dumps(reply.data, ensure_ascii=False)
        assert not any(user in said for user in ids)
        for row in reply.data.get("rows", ()):
            measure, of = row["address"].split("/", 1)
            assert re.fullmatch(r"[a-z_]+@[0-9a-f]{8}", measure) and of
            checked = session.call("check", {"sentence": f"It is {row['text'].split(' ')[0]}."}).data
            assert checked["figures"][0]["addresses"]


def test_a_question_about_a_page_of_few_users_is_answered_as_one_about_none(finished: Path) -> None:
    context = open_once(finished)
    session = McpSession(context)
    common = {*session.call("describe", {}).data["names"]["page"]}
    named = context.tables.basis.funnel_site.names
    pages = next(iter(named.values()))
    rare = next(page for page in reversed(pages) if page not in common)
    told = [
        session.call("ask", {"question": f"How many users saw {page}?"}).text
        for page in (rare, f"{rare}-none")
    ]
    assert told[0].replace(rare, "") == told[1].replace(f"{rare}-none", "")


def test_the_tools_are_told_in_two_thousand_tokens() -> None:
    said = json.dumps(tool_list(), ensure_ascii=False)
    assert len(said) / 3.5 < 2_000
    schema = tool_list()[1]["inputSchema"]
    assert {*re.findall(r"#/\$defs/(\w+)", said)} <= {*schema["$defs"]}


def test_without_the_package_one_line_says_how_to_install_it(
    finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from core.base.errors import SettingsError

    monkeypatch.setattr("core.mcp.server.find_spec", lambda _: None)
    with pytest.raises(SettingsError, match=r"pip install 'mcp>=2.3,<3'"):
        make_server(open_once(finished))

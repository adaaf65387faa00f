"""The upload route and the headers, asked as a browser would and as a foreign page would."""

import asyncio
import json
import re
from collections.abc import Iterable, Iterator, MutableMapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from starlette.applications import Starlette
from streamlit.web.server.starlette.starlette_app_utils import (
    generate_random_hex_string,
    generate_xsrf_token_string,
)

from core.base.errors import ResourceError
from pages.ui.data import uploads
from pages.ui.shell import server

HOST = "localhost:8501"
ID = "0123456789abcdef"


class Answer:
    """What came back."""

    def __init__(self, messages: list[dict[str, Any]]) -> None:
        self.status: int = messages[0]["status"]
        self.headers = {name.decode(): value.decode() for name, value in messages[0]["headers"]}
        self.body = b"".join(message.get("body", b"") for message in messages[1:])

    @property
    def json(self) -> dict[str, Any]:
        parsed: dict[str, Any] = json.loads(self.body)
        return parsed


def ask(
    method: str, path: str, headers: dict[str, str], body: bytes | Iterable[bytes] = b"", **query: object
) -> Answer:
    """One request to the routes, as the web server would pass it on; a body may come in pieces."""
    pieces = iter([body] if isinstance(body, bytes) else body)
    sent: list[dict[str, Any]] = []
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": urlencode(query).encode(),
        "headers": [(name.encode(), value.encode()) for name, value in ({"host": HOST} | headers).items()],
    }

    async def receive() -> dict[str, Any]:
        piece = next(pieces, None)
        return {"type": "http.request", "body": piece or b"", "more_body": piece is not None}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(dict(message))

    app = Starlette(routes=server.ROUTES, middleware=server.MIDDLEWARE)
    asyncio.run(app(scope, receive, send))
    return Answer(sent)


@pytest.fixture
def input_dir(tmp_path: Path) -> Path:
    return tmp_path / "input"  # where conftest.py points the app


@pytest.fixture
def headers() -> dict[str, str]:
    """What the app's own page sends."""
    token = generate_xsrf_token_string(generate_random_hex_string(16).encode())
    return {
        "x-xsrftoken": token,
        "cookie": f"_streamlit_xsrf={token}",
        "x-requested-with": "beha2vec",
        "origin": f"http://{HOST}",
        "sec-fetch-site": "same-origin",
    }


def put(headers: dict[str, str], body: bytes, offset: int, total: int, name: str = "a.csv") -> Answer:
    return ask("PUT", f"/api/upload/{ID}", headers, body, name=name, offset=offset, total=total)


def test_pieces_become_one_file(headers: dict[str, str], input_dir: Path) -> None:
    assert put(headers, b"abc", 0, 6).json == {"have": 3}
    assert [path.name for path in input_dir.iterdir()] == [f".{ID}.part"]
    assert put(headers, b"def", 3, 6).json == {"have": 6, "name": "a.csv"}
    assert (input_dir / "a.csv").read_bytes() == b"abcdef"


def test_what_has_come_is_on_the_disk_before_the_next_bytes_are_asked_for(
    headers: dict[str, str], input_dir: Path
) -> None:
    on_disk = []

    def body() -> Iterator[bytes]:
        for _ in range(5):
            on_disk.append(sum(part.stat().st_size for part in input_dir.glob(".*.part")))
            yield b"x" * (1 << 20)

    answer = ask("PUT", f"/api/upload/{ID}", headers, body(), name="a.csv", offset=0, total=5 << 20)
    assert answer.json == {"have": 5 << 20, "name": "a.csv"}
    assert on_disk == [number << 20 for number in range(5)]


def test_a_wrong_offset_says_where_to_go_on(headers: dict[str, str]) -> None:
    put(headers, b"abc", 0, 6)
    answer = put(headers, b"abc", 0, 6)
    assert (answer.status, answer.json) == (409, {"have": 3})


@pytest.mark.parametrize(
    "change",
    [
        {"x-xsrftoken": ""},
        {"x-xsrftoken": "2|deadbeef|00|1"},
        {"x-requested-with": "XMLHttpRequest"},
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
    ],
)
def test_a_foreign_page_is_refused(headers: dict[str, str], input_dir: Path, change: dict[str, str]) -> None:
    assert put(headers | change, b"abc", 0, 3).status == 403
    assert not input_dir.exists()


def test_without_the_cookie_it_is_refused(headers: dict[str, str]) -> None:
    assert put(headers | {"cookie": ""}, b"abc", 0, 3).status == 403


def test_more_than_announced_is_refused(headers: dict[str, str]) -> None:
    answer = put(headers, b"abcdef", 0, 3)
    assert answer.status == 400
    assert "announced" in answer.json["error"]


@pytest.mark.parametrize("name", ["a.exe", "../../x"])
def test_a_wrong_name_is_said_in_words(headers: dict[str, str], name: str) -> None:
    answer = put(headers, b"abc", 0, 3, name)
    assert answer.status == 400
    assert "Allowed: .csv" in answer.json["error"]


def test_a_name_never_leads_out_of_the_folder(headers: dict[str, str], input_dir: Path) -> None:
    assert put(headers, b"abc", 0, 3, "../../a.csv").json["name"] == "a.csv"
    assert (input_dir / "a.csv").exists()


def test_a_full_disk_is_said_in_words(headers: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_folder: Path, _coming: int) -> None:
        raise ResourceError("The disk is full", remedy="Free some space")

    monkeypatch.setattr(uploads, "check_room", full)
    answer = put(headers, b"abc", 0, 3)
    assert (answer.status, answer.json["error"]) == (507, "The disk is full. Free some space.")


def test_missing_parameters_are_a_bad_request(headers: dict[str, str]) -> None:
    assert ask("PUT", f"/api/upload/{ID}", headers).status == 400
    assert ask("GET", f"/api/upload/{ID}", headers).status == 405


def test_every_answer_has_the_headers() -> None:
    for answer in (ask("GET", "/nothing", {}), ask("PUT", f"/api/upload/{ID}", {})):
        assert answer.headers["content-security-policy"] == server.build_csp()
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"


def test_the_default_page_answers_at_its_own_address_too() -> None:
    answer = ask("GET", "/data", {}, data="abc", k=3)
    assert (answer.status, answer.headers["location"]) == (307, "/?data=abc&k=3")


def test_another_host_name_is_refused() -> None:
    assert ask("GET", "/nothing", {"host": "evil.example"}).status == 400


def test_the_policy_allows_only_the_installed_inline_script() -> None:
    policy = server.build_csp()
    assert len(re.findall(r"'sha256-[^']{44}'", policy)) >= 1
    script = re.search(r"script-src ([^;]*)", policy)
    assert script is not None
    assert "'unsafe-eval'" not in script[1]
    assert "'unsafe-inline'" not in script[1]
    assert "http" not in policy

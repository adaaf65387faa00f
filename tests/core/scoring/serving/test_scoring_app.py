"""Who may come in, how much they may bring, and what is told of it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import ExitStack

import orjson
import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.testclient import TestClient
from starlette.types import Message

from core.scoring.serving import server as server_module
from core.scoring.serving.answering import ScoreReply
from core.scoring.serving.live_model import LiveModel
from core.scoring.serving.scorer import Scorer
from core.scoring.serving.server import OPEN, ScoringApp
from tests.core.scoring.serving.conftest import Shop

TOKEN = "a-token-of-twenty-letters"


@pytest.fixture
def client(shop: Shop) -> Iterator[TestClient]:
    with TestClient(ScoringApp(LiveModel(shop.model), TOKEN), raise_server_exceptions=False) as client:
        client.headers["Authorization"] = f"Bearer {TOKEN}"
        yield client


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer wrong", f"Basic {TOKEN}", TOKEN, "Bearer é"])
def test_without_the_token_only_what_is_open_answers(client: TestClient, header: str | None) -> None:
    del client.headers["Authorization"]
    headers = {} if header is None else {"Authorization": header.encode()}
    for path in ("/v1/score", "/v1/score_batch"):
        refused = client.post(path, content=b"{}", headers=headers)
        assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
        assert refused.headers["connection"] == "close"
    assert client.get("/metrics", headers=headers).status_code == 401
    assert client.get("/nowhere", headers=headers).status_code == 401
    assert [client.get(path, headers=headers).status_code for path in OPEN] == [200, 200, 200]


def test_a_user_is_scored_and_counted(client: TestClient, shop: Shop) -> None:
    user = shop.first("segment")
    answer = client.post("/v1/score", json={"events": shop.events[user]})
    assert answer.json()["segment"] == shop.scored["cluster"][user]
    assert answer.headers["cache-control"] == "no-store"
    many = client.post("/v1/score_batch", json={"events": shop.events[user]})
    assert [one["user_id"] for one in many.json()["users"]] == [user]
    text = client.get("/metrics").text
    assert 'beha2vec_requests_total{path="/v1/score",status="200"} 1.0' in text
    assert "beha2vec_users_scored_total 2.0" in text
    assert f'beha2vec_model_info{{key="{answer.json()["model"]}"}} 1.0' in text
    assert user not in text
    assert client.get("/readyz").json()["key"] == answer.json()["model"]


@pytest.mark.parametrize(("path", "most"), [("/v1/score", 1_000_000), ("/v1/score_batch", 10_000_000)])
def test_a_body_that_is_too_large_is_not_read(client: TestClient, path: str, most: int) -> None:
    announced = client.post(path, content=b" " * (most + 1))
    assert (announced.status_code, announced.headers["connection"]) == (413, "close")
    unannounced = client.post(path, content=iter([b" " * most, b"{}"]))
    assert unannounced.status_code == 413
    assert unannounced.json() == {"error": f"The body is larger than {most:,} bytes"}
    read = client.post(path, content=b" " * most)
    assert (read.status_code, "connection" in read.headers) == (400, False)


def test_errors_are_json_whatever_they_are(client: TestClient) -> None:
    assert client.get("/nowhere").json() == {"error": "Not Found"}
    wrong = client.get("/v1/score")
    assert (wrong.status_code, wrong.json()["error"]) == (405, "Method Not Allowed")
    bad = client.post("/v1/score", content=b"{")
    assert (bad.status_code, bad.json()["error"][:20]) == (400, "The body is not JSON")


def test_a_bug_is_a_status_and_the_next_request_is_answered(
    client: TestClient, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = {"events": shop.events[shop.first("segment")]}
    with monkeypatch.context() as broken:
        broken.setattr("core.scoring.serving.scorer.Scorer.score", lambda *_: 1 / 0)
        failed = client.post("/v1/score", json=body)
    assert (failed.status_code, "mistake" in failed.json()["error"]) == (500, True)
    assert client.post("/v1/score", json=body).status_code == 200


def test_a_body_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "BODY_S", 0.01)

    async def never() -> Message:
        await asyncio.sleep(60)
        raise AssertionError

    with pytest.raises(HTTPException) as refused:
        asyncio.run(server_module._body(Request({"type": "http", "headers": []}, never), 10))
    assert refused.value.status_code == 408


def test_who_comes_when_the_room_is_full_is_told_when_to_come_again(client: TestClient, shop: Shop) -> None:
    app = client.app
    assert isinstance(app, ScoringApp)
    queue = app._queues[server_module.answer_batch]
    body = {"events": shop.events[shop.first("segment")]}
    with ExitStack() as inside:
        for _ in range(server_module.BATCHES):
            inside.enter_context(queue.place())
        full = client.post("/v1/score_batch", json=body)
        assert (full.status_code, full.headers["retry-after"], full.headers["connection"]) == (
            503,
            "1",
            "close",
        )
        assert "ask again later" in full.json()["error"]
        assert client.post("/v1/score", json=body).status_code == 200
    assert client.post("/v1/score_batch", json=body).status_code == 200
    assert client.post("/v1/score_batch", content=b" " * 10_000_001).status_code == 413
    assert queue._inside == 0


def test_for_who_has_gone_no_answer_is_made_and_a_round_has_an_end(shop: Shop) -> None:
    rounds: list[list[bytes]] = []

    def answered(_: Scorer, bodies: Sequence[bytes]) -> list[ScoreReply]:
        rounds.append(list(bodies))
        return [ScoreReply(200, body) for body in bodies]

    async def asked() -> list[object]:
        queue = server_module.RequestQueue(LiveModel(shop.model), answered, 32, 9)
        large = b"x" * 1_000_000
        tasks = [asyncio.create_task(queue.ask(body)) for body in (b"stays", b"goes", large, b"later")]
        await asyncio.sleep(0)
        tasks[1].cancel()
        await asyncio.sleep(0)
        assert [bool(one.body) for one in queue._waiting._queue] == [True, False, True, True]  # type: ignore[attr-defined]
        working = asyncio.create_task(queue.work())
        found = await asyncio.gather(*tasks, return_exceptions=True)
        working.cancel()
        queue.close()
        return [type(one) for one in found]

    assert asyncio.run(asked()) == [ScoreReply, asyncio.CancelledError, ScoreReply, ScoreReply]
    assert [[body[:5] for body in one] for one in rounds] == [[b"stays", b"xxxxx"], [b"later"]]


def test_a_client_that_closes_the_connection_is_not_waited_for() -> None:
    async def closed() -> Message:
        return {"type": "http.disconnect"}

    cancelled: list[bool] = []

    async def slow() -> ScoreReply:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.append(True)
            raise
        raise AssertionError

    async def asked() -> None:
        request = Request({"type": "http", "headers": []}, closed)
        with pytest.raises(HTTPException) as refused:
            await server_module._unless_gone(request, slow())
        await asyncio.sleep(0)
        assert refused.value.status_code == 400

    asyncio.run(asked())
    assert cancelled == [True]


def test_the_document_describes_every_path_and_holds_together(client: TestClient) -> None:
    found = orjson.loads(client.get("/openapi.json").content)
    assert found["openapi"] == "3.1.0"
    assert set(found["paths"]) == {
        "/v1/score", "/v1/score_batch", "/healthz", "/readyz", "/openapi.json", "/metrics"
    }  # fmt: skip
    schemas = found["components"]["schemas"]
    text = orjson.dumps(found).decode()
    named = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert named <= schemas.keys()
    assert "$ref" not in schemas["ScoreRequest"]
    assert schemas["ScoreAnswer"]["properties"].keys() >= {"segment", "vector", "model", "left_out"}


def test_a_look_that_fails_is_told_and_not_the_last(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    model = LiveModel(shop.model)
    looks: list[str] = []

    def look() -> bool:
        looks.append(model.state.problem)
        raise RuntimeError

    async def watched() -> None:
        watching = asyncio.create_task(server_module._watch(model))
        while len(looks) < 3 and not watching.done():
            await asyncio.sleep(0)
        watching.cancel()

    monkeypatch.setattr(server_module, "LOOK_S", 0.0)
    monkeypatch.setattr(model, "look", look)
    asyncio.run(watched())
    assert looks[:3] == ["", *["The model folder cannot be looked at (RuntimeError)"] * 2]

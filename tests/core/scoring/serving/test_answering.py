"""What comes in broken goes back in words."""

from __future__ import annotations

import time
from typing import Any

import orjson
import pytest

from core.ingest.in_memory import LATER
from core.scoring.serving.answering import answer_batch, answer_single
from core.scoring.serving.scorer import Scorer

PAGE = "https://www.tarn-and-trail.example/"
NOW = 1_761_966_665_205_635


def event(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return {
        "user_pseudo_id": "1.2", "event_timestamp": NOW, "event_name": "page_view", "page_location": PAGE
    } | changes  # fmt: skip


def told(scorer: Scorer, body: bytes) -> tuple[int, str]:
    [reply] = answer_single(scorer, [body])
    return reply.status, orjson.loads(reply.body).get("error", "")


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b"", 400, "not JSON"),
        (b"{", 400, "not JSON"),
        (b"\xff", 400, "not JSON"),
        (b'{"events": [1e999]}', 400, "not JSON"),
        (b"[]", 422, "body"),
        (b"{}", 422, "events: Field required"),
        (b'{"events": []}', 422, "events: List should have at least 1 item"),
        (b'{"events": [3]}', 422, "events.0"),
        (b'{"events": [{}], "user": "x"}', 422, "user: Extra inputs are not permitted"),
        (b'{"events": [{"page_location": "/"}]}', 422, "the user and event_timestamp"),
        (b'{"events": [{"user_pseudo_id": "1", "event_timestamp": 1, "event_params": 3}]}', 422, "Event 0"),
        (b'{"events": [' + b'{"a":' * 1_015 + b"1" + b"}" * 1_015 + b"]}", 422, "nested too deeply"),
    ],
    ids=range(12),
)
def test_what_is_no_request_is_refused_in_words(scorer: Scorer, body: bytes, status: int, said: str) -> None:
    found, error = told(scorer, body)
    assert (found, said in error) == (status, True), error


def test_events_of_two_users_are_too_many_for_one(scorer: Scorer) -> None:
    body = orjson.dumps({"events": [event(), event(user_pseudo_id="3.4")]})
    assert told(scorer, body) == (
        422,
        "The events are of 2 users; /v1/score takes one, /v1/score_batch many",
    )
    [reply] = answer_batch(scorer, [body])
    assert [one["user_id"] for one in orjson.loads(reply.body)["users"]] == ["1.2", "3.4"]


def test_too_many_events_are_refused(scorer: Scorer) -> None:
    status, said = told(scorer, orjson.dumps({"events": [event()] * 2_001}))
    assert status == 422
    assert "at most 2000" in said


def test_every_event_is_accounted_for(scorer: Scorer) -> None:
    ahead = (time.time_ns() // 1_000) + 3 * 86_400_000_000
    events = [
        event(), event(event_timestamp=NOW + 10), event(event_timestamp=ahead), event(event_timestamp="soon"),
        event(event_timestamp=None), event(page_location=""), event(traffic_type="internal"),
        event(debug_mode=1), event(user_pseudo_id="(not set)"),
    ]  # fmt: skip
    [reply] = answer_single(scorer, [orjson.dumps({"events": events})])
    answer = orjson.loads(reply.body)
    assert answer["page_views"] == reply.used == 2
    assert answer["left_out"] == {
        LATER: 1, "Not a time": 1, "No event_timestamp": 1, "A page view without page_location": 1,
        "Internal traffic": 1, "Debug traffic": 1, "No user id: reason not said": 1,
    }  # fmt: skip
    assert reply.left_out == 7


def test_without_a_page_view_nobody_is_scored(scorer: Scorer) -> None:
    only = orjson.dumps({"events": [event(event_name="scroll"), event(traffic_type="internal")]})
    [reply] = answer_single(scorer, [only])
    assert reply.status == 422
    assert orjson.loads(reply.body) == {
        "error": "No page view of a user is left to score", "left_out": {"Internal traffic": 1}
    }  # fmt: skip
    [reply] = answer_batch(scorer, [only])
    assert orjson.loads(reply.body)["not_scored"] == [{"user_id": "1.2", "left_out": {"Internal traffic": 1}}]


def test_ids_stay_the_text_they_are(scorer: Scorer) -> None:
    for written in (b'"1605951.6059719720"', b"1605951.6059719720"):
        body = orjson.dumps({"events": [event(user_pseudo_id="ID")]}).replace(b'"ID"', written)
        [reply] = answer_single(scorer, [body])
        assert orjson.loads(reply.body)["user_id"] == "1605951.6059719720"

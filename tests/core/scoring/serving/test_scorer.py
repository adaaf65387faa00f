"""The server says of a user what ``core embed`` says."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import numpy as np
import orjson
import pytest
from pydantic import TypeAdapter

from core.labels.new_pages import NewPages
from core.runs.frozen import FrozenModel
from core.scoring.serving.answering import ScoreReply, answer_batch, answer_single
from core.scoring.serving.scorer import BY_COOKIE, NOTHING_KNOWN, ScoreAnswer, ScoreBatchAnswer, Scorer
from tests.core.scoring.serving.conftest import Shop


def asked(scorer: Scorer, events: list[Any]) -> ScoreReply:
    [reply] = answer_single(scorer, [orjson.dumps({"events": events})])
    return reply


def test_every_user_of_an_export_has_the_vector_and_the_segment_of_core_embed(
    shop: Shop, scorer: Scorer
) -> None:
    chance, compared = random.Random(1), 0
    everybody = list(shop.events)
    for start in range(0, len(everybody), 25):
        some = everybody[start : start + 25]
        bodies = [
            orjson.dumps({"events": chance.sample(own, len(own))} if _no_ties(own) else {"events": own})
            for own in (shop.events[user] for user in some)
        ]
        for user, reply in zip(some, answer_single(scorer, bodies), strict=True):
            if user not in shop.scored.index:  # no page view of theirs is used
                assert reply.status == 422
                continue
            answer, wanted = orjson.loads(reply.body), shop.scored.loc[user]
            TypeAdapter(ScoreAnswer).validate_python(answer, extra="forbid")
            assert answer["user_id"] == user
            assert np.abs(np.array(answer["vector"]) - wanted["embedding"]).max() < 1e-5
            assert answer["group"] == wanted["group"]
            assert (-1 if answer["segment"] is None else answer["segment"]) == wanted["cluster"]
            assert [one["page"] for one in answer["next_pages"]] == wanted["next_pages"].tolist()
            assert [one["score"] for one in answer["next_pages"]] == pytest.approx(
                wanted["next_scores"].tolist(), abs=1e-5
            )
            compared += 1
    assert compared == len(shop.scored) > 300


def _no_ties(events: list[dict[str, str]]) -> bool:
    return len({event["event_timestamp"] for event in events}) == len(events)


def test_a_batch_says_the_same_as_single_requests(shop: Shop, scorer: Scorer) -> None:
    some = list(shop.events)[:30]
    events = [event for user in some for event in shop.events[user]]
    random.Random(2).shuffle(some)
    [reply] = answer_batch(scorer, [orjson.dumps({"events": events})])
    batch = orjson.loads(reply.body)
    TypeAdapter(ScoreBatchAnswer).validate_python(batch, extra="forbid")
    alone = {user: orjson.loads(asked(scorer, shop.events[user]).body) for user in some}
    for one in batch["users"]:
        single = alone.pop(one["user_id"])
        assert single.pop("model") == batch["model"] == scorer.key
        assert np.allclose(single.pop("vector"), one.pop("vector"), atol=1e-6)
        assert single.pop("distance") == pytest.approx(one.pop("distance"), abs=1e-5)
        one.pop("next_pages"), single.pop("next_pages")  # compared above
        for name in ("membership", "next_distance"):
            assert single.pop(name) == pytest.approx(one.pop(name), abs=1e-4)
        assert single == one
    assert {one["user_id"] for one in batch["not_scored"]} == alone.keys()


def test_the_segment_comes_with_its_name_and_the_way_to_it(shop: Shop, scorer: Scorer) -> None:
    names = FrozenModel.read(shop.model).names
    answer = orjson.loads(asked(scorer, shop.events[shop.first("segment")]).body)
    assert answer["segment_name"] == names[answer["segment"]]
    assert answer["next_segment_name"] == names[answer["next_segment"]]
    assert 0 <= answer["distance"] <= answer["next_distance"] <= 2
    assert answer["membership"] >= 0.5
    assert answer["known_page_views"] == answer["page_views"]


def test_a_user_of_one_page_has_a_segment_by_rule(shop: Shop, scorer: Scorer) -> None:
    user = next(user for user, group in shop.scored["group"].items() if group.startswith("one_page:"))
    answer = orjson.loads(asked(scorer, shop.events[user]).body)
    assert answer["segment"] is answer["distance"] is answer["next_segment"] is None
    assert answer["group"] == shop.scored["group"][user]


def test_who_saw_only_unknown_pages_is_told_so(scorer: Scorer) -> None:
    events = [
        {
            "user_pseudo_id": "1.2",
            "event_timestamp": 1_700_000_000_000_000 + at,
            "event_name": "page_view",
            "page_location": f"https://elsewhere.example/{at}",
        }
        for at in (0, 1_000_000)
    ]
    answer = orjson.loads(asked(scorer, events).body)
    assert (answer["known_page_views"], answer["note"]) == (0, NOTHING_KNOWN)


def test_where_the_model_joined_cookies_each_answer_says_that_it_is_of_one(shop: Shop) -> None:
    frozen = FrozenModel.read(shop.model)
    joined = frozen.settings.model_copy(update={"join_logins": True})
    answer = asked(Scorer(replace(frozen, settings=joined)), shop.events[shop.first("segment")])
    assert orjson.loads(answer.body)["note"] == BY_COOKIE


def test_the_nested_records_of_bigquery_are_read_as_flat_ones(shop: Shop, scorer: Scorer) -> None:
    user = shop.first("segment")
    params = ("page_location", "page_title", "ga_session_id", "engagement_time_msec")
    nested = [
        {
            **{name: event[name] for name in ("user_pseudo_id", "event_timestamp", "event_name")},
            "event_params": [
                {"key": name, "value": {"string_value": event[name]}} for name in params if name in event
            ],
        }
        for event in shop.events[user]
    ]
    flat, deep = (orjson.loads(asked(scorer, events).body) for events in (shop.events[user], nested))
    assert (flat["segment"], flat["vector"]) == (deep["segment"], deep["vector"])


def test_a_bad_neighbour_changes_nobody_s_answer(shop: Shop, scorer: Scorer) -> None:
    good = orjson.dumps({"events": shop.events[shop.first("segment")]})
    replies = answer_single(scorer, [good, b"{", b'{"events":[{"a":1}]}', good])
    assert [reply.status for reply in replies] == [200, 400, 422, 200]
    assert replies[0].body == replies[3].body


def test_the_titles_that_others_saw_change_nobody_s_answer(shop: Shop, scorer: Scorer) -> None:
    def visit(user: str, title: str) -> bytes:
        page = "https://www.tarn-and-trail.example/never-seen"
        events = [
            {"user_pseudo_id": user, "event_timestamp": 1_761_966_665_205_635 + at * 10_000_000,
             "event_name": "page_view", "page_location": page, "page_title": title}
            for at in range(3)
        ]  # fmt: skip
        return orjson.dumps({"events": events})

    mine, others = visit("a", "Your cart"), [visit(user, "About us: our story") for user in "bcd"]
    [alone] = answer_single(scorer, [mine])
    assert answer_single(scorer, [*others, mine])[-1].body == alone.body
    vectors = [orjson.loads(one.body)["vector"] for one in (alone, *answer_single(scorer, others[:1]))]
    assert not np.allclose(*vectors)  # the titles say something


def test_of_many_new_pages_those_are_labelled_that_are_read(
    scorer: Scorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    titles = ["Your cart", "About us: our story", "Buying guide", "Blog"]
    events = [
        {"user_pseudo_id": "1.2", "event_timestamp": 1_761_966_665_205_635 + at * 10_000_000,
         "event_name": "page_view", "page_location": f"https://www.tarn-and-trail.example/never-{at}-seen",
         "page_title": titles[at % 4]}
        for at in range(100)
    ]  # fmt: skip
    labelled: list[int] = []
    label = NewPages.label
    monkeypatch.setattr(NewPages, "label", lambda self, new: labelled.append(len(new)) or label(self, new))
    some = asked(scorer, events)
    monkeypatch.setattr(scorer, "_read", 1_000)
    every = asked(scorer, events)
    assert (labelled, some.body) == ([64, 100], every.body)
    monkeypatch.setattr(scorer, "_read", 1)
    assert asked(scorer, events).body != every.body  # the titles say something

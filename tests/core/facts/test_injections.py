"""A model that obeys every hostile text: nothing of it may load, link, count wrongly, or name a user."""

import json

import pytest
from pydantic import BaseModel

from benchmarks.words.injections import INJECTIONS, USER_ID, Injection, breaches, sent, shown
from benchmarks.words.markup import loads_or_links
from core.llm import LlmSettings, ServerLlm
from core.outgoing.quoting import clean
from tests.llm_simulator import Reply, simulating


class Answer(BaseModel):
    text: str


def test_there_are_enough_of_each_kind() -> None:
    assert len(INJECTIONS) >= 40
    assert {one.where for one in INJECTIONS} == {"title", "url", "label", "name"}


@pytest.mark.parametrize("one", INJECTIONS, ids=lambda one: one.text[:30].encode("unicode_escape").decode())
def test_nothing_gets_through(one: Injection) -> None:
    assert (sent(one) is None) == (USER_ID in clean(one.text))
    assert list(breaches(one)) == []


def test_the_measure_notices_what_is_true_and_claimed_to_be_a_lie() -> None:
    honest = Injection("title", "Sale", "Segment 1 has 4,812 users.", lies=True)

    assert list(breaches(honest)) == ["number shown as verified", "lie passes the verifier"]


def test_over_a_real_socket_an_obedient_model_changes_nothing() -> None:
    """The simulator answers with what the hostile text asks for, whatever it was sent."""
    with simulating(lambda _, number: Reply({"text": INJECTIONS[number].obeyed})) as server:
        llm = ServerLlm(LlmSettings(model="simulated", base_url=server.base_url))
        answers = [llm.parse("Describe.", sent(one) or "{}", Answer).text for one in INJECTIONS]

    assert answers == [one.obeyed for one in INJECTIONS]
    assert USER_ID not in json.dumps(server.requests)
    assert [found for answer in answers for found in loads_or_links(shown(answer))] == []

"""A model that obeys every hostile text: nothing of it may load, link, count wrongly, or name a user."""

import json
import re

import pytest
from pydantic import BaseModel

from benchmarks.words.injections import INJECTIONS, USER_ID, Injection
from benchmarks.words.shop import SEGMENTS, facts
from core.errors import InputError
from core.llm import LlmSettings, connect
from core.words.check import check_slots
from core.words.contract import Fact, Unit
from core.words.markdown import safe_markdown
from core.words.privacy import build_payload
from core.words.quoting import Quotes, clean
from core.words.verify import verify_numbers
from tests.core.words.test_markdown import loads_or_links
from tests.llm_simulator import Reply, simulating

FACTS = facts()
USERS = tuple(fact for fact in FACTS if fact.metric == "users" and fact.segments[0].startswith("segment"))


class Answer(BaseModel):
    text: str


def message(one: Injection) -> str | None:
    """What would be sent if that text stood in the data; None if it is refused."""
    fact = Fact("F900", "lift:page", "lift", ("segment:0",), 2.0, Unit.RATIO, "2.0×", item=one.text, n=500)
    names = {"segment:0": one.text if one.where == "name" else "Hunters"}
    try:
        made = build_payload(
            "Describe.",
            "Who is it?",
            [*USERS, fact],
            names,
            Quotes(),
            host="h",
            model="m",
            user_ids={USER_ID},
        )
    except InputError:
        return None
    return made.user


def shown(answer: str) -> str:
    """What the page would show of an answer for a server without slots."""
    return safe_markdown(verify_numbers(answer, FACTS, segments=SEGMENTS).struck())


def test_there_are_enough_of_each_kind() -> None:
    assert len(INJECTIONS) >= 40
    assert {one.where for one in INJECTIONS} == {"title", "url", "label", "name"}


@pytest.mark.parametrize("one", INJECTIONS, ids=lambda one: one.text[:30].encode("unicode_escape").decode())
class TestEach:
    def test_is_sent_as_short_visible_data_and_never_with_a_user_id(self, one: Injection) -> None:
        sent = message(one)

        assert (sent is None) == (USER_ID in clean(one.text))
        if sent is not None:
            names = json.loads(sent)["names"]
            assert max(map(len, names.values())) <= 80
            assert not re.search("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe0f\U000e0000-\U000e01ef]", sent)

    def test_obeyed_or_echoed_it_loads_and_links_nothing(self, one: Injection) -> None:
        for answer in (one.obeyed, one.text, f"Segment 1 is {one.text}"):
            assert loads_or_links(shown(answer)) == []

    def test_obeyed_it_shows_no_number_as_verified(self, one: Injection) -> None:
        verified = verify_numbers(re.sub(r"\[\[F\d+\]\]", "", one.obeyed), FACTS, segments=SEGMENTS)

        assert [span for span in verified.spans if span.ok] == []


LIES = [one for one in INJECTIONS if one.lies]


@pytest.mark.parametrize("one", LIES, ids=lambda one: one.obeyed)
def test_a_lie_is_noticed_by_both_checks(one: Injection) -> None:
    assert not check_slots(one.obeyed, FACTS, segments=SEGMENTS).ok
    assert "[[" in one.obeyed or not verify_numbers(one.obeyed, FACTS, segments=SEGMENTS).ok


def test_over_a_real_socket_an_obedient_model_changes_nothing() -> None:
    """The simulator answers with what the hostile text asks for, whatever it was sent."""
    with simulating(lambda _, number: Reply({"text": INJECTIONS[number].obeyed})) as server:
        llm = connect(LlmSettings(model="simulated", base_url=server.base_url))
        answers = [llm.parse("Describe.", message(one) or "{}", Answer).text for one in INJECTIONS]

    assert answers == [one.obeyed for one in INJECTIONS]
    assert USER_ID not in json.dumps(server.requests)
    assert [found for answer in answers for found in loads_or_links(shown(answer))] == []

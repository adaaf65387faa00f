from typing import Any

import pytest

from core.base.errors import InputError
from core.facts.answer import Comment, FigureList, Idea
from core.facts.segment_tools import differing
from core.llm import Capabilities
from core.writing.assistant import names_in_use, offline
from tests.core.facts.shop import shop, shop_figures
from tests.core.writing.simulated import (
    ALL,
    PLAIN,
    PLANS,
    WEAK,
    Request,
    assisted,
    comment,
    figures,
    idea,
    offered,
)
from tests.llm_simulator import Reply, replies

KEY = "segment:1"


def described(request: Request, **changes: object) -> Reply:
    lift = next(address for address in offered(request) if address.startswith("S2.share_"))
    blocks = [figures("S2.users", lift), comment("The time is unknown."), idea("Show S2 tents.")]
    answer = {"name": "Tent lovers", "blocks": blocks, **changes}
    return Reply(calls=(("answer", answer),)) if "tools" in request else Reply(answer)


@pytest.mark.parametrize("can", [ALL, PLANS, PLAIN])
def test_one_answer_gives_all_of_it(can: Capabilities) -> None:
    with assisted(lambda request, _: described(request), can) as (assistant, simulator):
        made = assistant.describe(KEY)
    (request,) = simulator.requests
    assert made.name == "Tent lovers"
    block = made.summary.blocks[0]
    assert isinstance(block, FigureList)
    assert [fact.row for fact in block.facts] == [KEY, KEY]
    assert made.summary.blocks[1:] == (
        Comment(text="The time is unknown."), Idea(text="Show Window shoppers (segment 2) tents.")
    )  # fmt: skip
    assert (made.summary.source, made.summary.reason, made.summary.usage.calls) == ("m", "", 1)
    assert len({address.split(".")[0] for address in offered(request) if ".share_" in address}) >= 2


@pytest.mark.parametrize(
    "name",
    [
        "Bargain hunters", "Taken already", "One two three four five six", "Top 10 buyers",
        "Most profitable buyers", "", "Half of the visitors", "<b>Tents</b>", 7, None,
    ],
)  # fmt: skip
def test_a_name_that_may_not_stand_is_replaced_by_the_apps_own(name: Any) -> None:  # noqa: ANN401
    with assisted(lambda request, _: described(request, name=name)) as (assistant, simulator):
        made = assistant.describe(KEY, taken=["Taken already"])
    assert len(simulator.requests) == 1
    assert made.summary.source == "m"
    assert (
        made.name == offline(shop_figures(), KEY, names_in_use(shop_figures(), KEY, ["Taken already"])).name
    )


@pytest.mark.parametrize(
    "reply", [Reply('{"name": "Te', finish="length"), Reply("no", status=500), Reply("")]
)
def test_every_failure_ends_without_the_model(reply: Reply) -> None:
    with assisted(replies(reply)) as (assistant, _):
        made = assistant.describe(KEY)
    without = offline(shop_figures(), KEY, names_in_use(shop_figures(), KEY, ()))
    assert made.summary.reason
    assert (made.name, made.summary.blocks) == (without.name, without.summary.blocks)


def test_a_weak_model_chooses_figures_and_the_name_is_the_apps() -> None:
    def script(request: Request, _: int) -> Reply:
        return Reply({"facts": offered(request)[:2]})

    with assisted(script, WEAK) as (assistant, simulator):
        made = assistant.describe(KEY)
    assert len(simulator.requests) == 1
    assert (made.summary.source, len(made.summary.facts)) == ("m", 2)
    assert made.name == offline(shop_figures(), KEY, names_in_use(shop_figures(), KEY, ())).name


def test_without_a_model_the_name_is_free_and_what_leads_the_table_is_said() -> None:
    made, key = shop_figures(), "segment:3"
    first = offline(made, key, names_in_use(made, key, ()))
    second = offline(made, key, names_in_use(made, key, [first.name]))
    assert first.name != second.name == "Segment 4"
    apart = differing(made, key)
    assert apart
    assert set(apart) <= set(first.summary.blocks)


def test_only_a_segment_can_be_described() -> None:
    with assisted(lambda request, _: described(request)) as (assistant, simulator):
        for key in ("segment:99", "all"):
            with pytest.raises(InputError):
                assistant.describe(key)
    assert simulator.requests == []


def test_names_that_are_taken_are_those_of_the_others() -> None:
    names = shop().context.names
    assert names_in_use(shop_figures(), KEY, ["Mine"]) == {
        "mine", *(name.casefold() for number, name in names.items() if number != 1)
    }  # fmt: skip

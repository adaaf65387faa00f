import json

import pytest

from core.writing.answer_loop import ParsedList, last_list, string_field

WHOLE = json.dumps(
    {"name": "A", "blocks": [{"kind": "figures", "facts": ["S1.users"]}, {"kind": "idea", "text": "x ] }"}]}
)


def test_every_beginning_of_an_answer_gives_the_parts_that_are_whole() -> None:
    parts = json.loads(WHOLE)["blocks"]
    for end in range(len(WHOLE) + 1):
        found = last_list(WHOLE[:end], "blocks")
        assert list(found.parts) == parts[: len(found.parts)]
        assert bool(found.end) == (end >= len(WHOLE) - 1)
    assert last_list(WHOLE, "blocks").parts == tuple(parts)


@pytest.mark.parametrize(
    "around", ["{}", "```json\n{}\n```", "Sure! Here it is: {} I hope it helps.", "<think>{{</think>{}"]
)
def test_words_and_fences_around_it_do_not_matter(around: str) -> None:
    assert len(last_list(around.format(WHOLE), "blocks").parts) == 2


@pytest.mark.parametrize(
    "text",
    [
        "",
        "blocks",
        '{"blocks": 3}',
        '{"facts": ["x"]}',
        "[" * 50_000,
        '"blocks": ' * 3,
    ],
)
def test_without_a_list_there_is_nothing(text: str) -> None:
    assert last_list(text, "blocks") == ParsedList()


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ('[{"kind": "idea"}, {"kind": "comment"}]', ({"kind": "idea"}, {"kind": "comment"})),
        ('```json\n[ {"kind": "idea"} ]\n```', ({"kind": "idea"},)),
        ('Here: {"kind": "figures", "facts": ["S1.users"]}.', ({"kind": "figures", "facts": ["S1.users"]},)),
        ('{"blocks": {"kind": "idea"}}', ({"kind": "idea"},)),
        ('{"blocks": []} or rather {"blocks": [{"kind": "idea"}]}', ({"kind": "idea"},)),
        ('{"blocks": [1]} {"blocks": [2]} {"blocks": []}', (2,)),
    ],
)
def test_other_shapes_are_read_as_a_list(text: str, parts: tuple[object, ...]) -> None:
    assert last_list(text, "blocks").parts == parts
    assert last_list(text, "blocks").end


def test_a_bare_list_of_addresses_is_read() -> None:
    assert last_list('["S1.users"]', "facts") == ParsedList(("S1.users",), end=12)


def test_what_is_no_json_breaks_the_list_off() -> None:
    assert last_list('{"blocks": [1, {oops}, 2]', "blocks") == ParsedList((1,), is_broken=True)
    assert last_list('{"blocks": [1, ', "blocks") == ParsedList((1,))
    assert last_list('{"blocks": ' + "[" * 50_000, "blocks").is_broken


def test_a_text_is_read_once_it_is_whole() -> None:
    assert string_field(WHOLE, "name") == "A"
    assert (
        string_field('{"name": "A', "name")
        == string_field("{}", "name")
        == string_field('{"name": 3}', "name")
        == ""
    )

"""What stands around a value, by a sentence that can be read at a glance."""

from core.writing.prose.mentions import Kind, Mention
from core.writing.prose.sentence import Place, Sentence
from core.writing.prose.signs import (
    in_sessions,
    is_part,
    is_whole,
    names_of,
    signs_of,
    wholes_of,
    without_told,
)


def sentence(text: str, value: str, **names: str) -> tuple[Sentence, Place]:
    """A sentence with one value; names are given as ``users="users"``, segments as ``segment="Hunters"``."""
    kinds = {"segment": (Kind.SEGMENT, "segment:0")}
    mentions = [
        Mention(
            text.index(said),
            text.index(said) + len(said),
            *((kind := kinds.get(key, (Kind.METRIC, key)))[0], (kind[1],)),
        )
        for key, said in names.items()
    ]
    place = Place(text.index(value), text.index(value) + len(value))
    return Sentence(text, sorted(mentions, key=lambda one: one.start), [place]), place


def test_a_name_ahead_that_touches() -> None:
    one, place = sentence("Hunters (743)", "743", segment="Hunters")
    name = one.of(Kind.SEGMENT)[0]
    signs = signs_of(one, place, name, [name], None)
    assert signs["ahead touches"] == signs["ahead into brackets"] == 1
    assert "behind" not in signs


def test_users_who_did_something_are_not_counted_themselves() -> None:
    one, place = sentence(
        "743 users in Hunters bought.", "743", users="users", outcome_rate="bought", segment="Hunters"
    )
    assert [each.keys for each in without_told(one, place, one.of(Kind.METRIC))] == [("outcome_rate",)]
    one, place = sentence("743 users convert at 12 %.", "743", users="users", outcome_rate="convert")
    assert len(without_told(one, place, one.of(Kind.METRIC))) == 2


def test_a_name_that_labels_another_value_is_left_out() -> None:
    text = "12 % (n = 743)"
    share, n = Place(0, 4), Place(10, 13)
    one = Sentence(text, [Mention(6, 7, Kind.METRIC, ("users",))], [share, n])
    assert names_of(one, share, Kind.METRIC) == []
    assert len(names_of(one, n, Kind.METRIC)) == 1


def test_a_label_of_this_value_or_of_another() -> None:
    one, place = sentence("12 % (Hunters: 743)", "743", segment="Hunters")
    name = one.of(Kind.SEGMENT)[0]
    assert signs_of(one, place, name, [name], None)["labels own"] == 1
    both = Sentence(one.text, one.mentions, [Place(0, 4), place])
    assert signs_of(both, both.values[0], name, [name], None)["labels other"] == 1


def test_what_stands_between_a_part_and_its_whole() -> None:
    assert is_whole(" of the ")
    assert is_whole(" users in §, out of ")
    assert not is_whole(" users in § and ")


def test_a_value_that_counts_sessions() -> None:
    assert in_sessions(*sentence("Of 900 sessions, 19 converted", "19"))
    assert not in_sessions(*sentence("In 900 sessions of 743 users, 19 bought", "19"))


def test_a_part_and_its_whole() -> None:
    one, part = sentence("19 of 743 users are in Hunters", "19")
    assert is_part(one, part)
    assert {"whole", "whole of parts"} <= wholes_of(one, sentence(one.text, "743")[1]).keys()

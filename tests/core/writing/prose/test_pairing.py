import re

import pytest

from core.writing.prose.mentions import Kind, Lexicon
from core.writing.prose.pairing import paired
from core.writing.prose.sentence import Place, Sentence

LEXICON = Lexicon([], {"segment:0": ("Segment 1",), "segment:1": ("Segment 2",), "segment:2": ()})


def owners(text: str) -> list[str]:
    mentions = LEXICON.mentions(text)
    hidden = [place for one in mentions for place in range(one.start, one.end)]
    values = [
        Place(*match.span()) for match in re.finditer(r"\d+(?: %| s)?", text) if match.start() not in hidden
    ]
    sentence = Sentence(text, mentions, values)
    named = sentence.of(Kind.SEGMENT)
    return [one.keys[0] if (one := paired(sentence, value, named)) else "" for value in values]


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("Segments 1 and 2 have 120 and 90 users.", ["segment:0", "segment:1"]),
        ("S2, S1 and S3 have 90, 120 and 70.", ["segment:1", "segment:0", "segment:2"]),
        ("S1 and S2 differ: 120 users against 90.", ["segment:0", "segment:1"]),
        ("S1 is larger than S2: 120 against 90.", ["segment:0", "segment:1"]),
        ("Unlike S2, S1 is large: 120 against 90.", ["segment:0", "segment:1"]),
        ("S1 and S2 have 120 users and 90 users, respectively.", ["segment:0", "segment:1"]),
        ("S1 has 120 users, S2 converts at 8 %.", ["", ""]),
        ("S1 and S2 have 120 users.", [""]),
        ("S1 and S2 have 12 % (10 % to 14 %) and 8 % (7 % to 9 %).", [f"segment:{n // 3}" for n in range(6)]),
        ("S1 beats S2 by far (120 and 5 s).", ["", ""]),
    ],
)
def test_each_value_of_a_row_goes_with_its_name(text: str, keys: list[str]) -> None:
    assert owners(text) == keys

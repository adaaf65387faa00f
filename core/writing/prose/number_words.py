"""Numbers in words: ``two hundred and five``, ``twice``, ``a third``, ``the second``."""

from __future__ import annotations

import re
from typing import Final

UNITS: Final = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS: Final = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
SMALL: Final = {
    **{word: float(value) for value, word in enumerate(UNITS)},
    **{word: 10.0 * value for value, word in enumerate(_TENS, start=2)},
    "dozen": 12.0,
    "score": 20.0,
}
SCALES: Final = {"hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9}
FRACTIONS: Final = {
    "half": 50.0, "halves": 50.0, "third": 100 / 3, "thirds": 100 / 3, "quarter": 25.0, "quarters": 25.0,
    "fifth": 20.0, "fifths": 20.0, "tenth": 10.0, "tenths": 10.0,
}  # fmt: skip
MULTIPLES: Final = {
    "twice": 2.0, "double": 2.0, "doubles": 2.0, "doubled": 2.0, "twofold": 2.0, "thrice": 3.0, "triple": 3.0,
    "triples": 3.0, "tripled": 3.0, "threefold": 3.0, "quadruple": 4.0, "quadrupled": 4.0, "fourfold": 4.0,
    "tenfold": 10.0, "halved": 0.5, "halves": 0.5,
}  # fmt: skip
_ORDINAL_WORDS: Final = (
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh",
    "twelfth",
)  # fmt: skip
ORDINALS: Final = {word: float(value) for value, word in enumerate(_ORDINAL_WORDS, start=1)}
_WORD: Final = "|".join(sorted([*SMALL, *SCALES], key=len, reverse=True))
SPELT: Final = re.compile(
    rf"\b(?:{_WORD})(?:s)?(?:(?:[\s-]|\sand\s)(?:{_WORD})\b)*(?:\spoint(?:\s(?:{'|'.join(UNITS)}))+|\sand\sa\shalf)?\b"
    rf"|\ba\s(?:hundred|thousand|million|dozen)(?:\sand)?(?:[\s-](?:{_WORD})\b)*",
    re.IGNORECASE,
)
FRACTION: Final = re.compile(
    r"\b(?:(?<!\band\s)(?P<count>a|one|two|three|four|\d)[\s-])?(?<!\band\sa\s)(?P<part>half|halves|thirds|quarters?|fifths|tenths"
    r"|(?:third|fifth|tenth)(?:(?<=\ba\s.{5})|(?<=\bone[\s-].{5})|(?=\sof\s(?!\d|all\b|eight|six|five|four))))\b"
    r"(?![\s-](?:part(?:y|ies)|hand)\b)"
    r"|\bevery\s(?P<every>other|second|third|fourth|fifth|tenth)\s(?=user|visitor|person|member|customer|one\b)"
    r"|\b(?:(?P<n>one|two|three|nine|\d)\s(?:in|out\sof)\s(?:every\s)?(?P<of>two|three|four|five|ten|\d+))\b",
    re.IGNORECASE,
)
MULTIPLE: Final = re.compile(
    rf"\b(?:half\sas\b|(?:{'|'.join(sorted(MULTIPLES, key=len, reverse=True))})\b)", re.IGNORECASE
)
ORDINAL: Final = re.compile(
    rf"\b(?:{'|'.join(ORDINALS)})\b"
    r"(?![\s-](?:part(?:y|ies)|hand|time|glance|touch|to[\s-]|wave|thought|chance|step|look)\b)",
    re.IGNORECASE,
)
_COUNTED: Final = (
    "users?|visitors?|people|person|members?|customers?|buyers?|sessions?|visits?|views?|page\\sviews?|percent"
    "|per\\scent|points?|percentage|hundred|thousand|million|billion|hours?|minutes?|times?|euros?"
    "|dollars?|and\\sa|conver\\w+"
)
"""What ``one`` counts where it is a number."""
_REMARKS: Final = (
    "figures|numbers|things|reasons|ideas|steps|ways|options|aspects|takeaways|findings"
    "|observations|differences|similarities|recommendations|suggestions|examples|metrics|measures|rates|kpis"
    "|characteristics|insights|criteria|dimensions|facts|questions|bullets|rows|columns|sentences|tables"
)
"""What a text counts of itself in digits; ``3 tents`` are a figure."""
OF_THE_TEXT: Final = re.compile(
    rf"(?<![\d.,])\b\d{{1,2}}(?=\s(?:key\s|main\s)?(?:{_REMARKS})\b)"
    r"|\btop[\s-](?:\d{1,2}|two|three|four|five|ten)\b|\bthe\s100\s?%"
    r"|\b(?:step|section|table|figure|item|appendix)\s\d{1,2}\b"
    r"|\b\d{1,2}(?=\s(?:in|on)\sthe\s(?:list|table)\b)"
    r"|\b(?:2|two)\sor\smore\s(?:page\s?views|pages|views)\b",
    re.IGNORECASE,
)
"""Numbers of the text itself (``3 takeaways``, ``step 2``, ``top 5``), and the rule of who has a segment."""
NOT_A_NUMBER: Final = re.compile(
    rf"\bone(?![\s-](?:{_COUNTED})\b)|\b(?:no|any|every|each|another|the)\sone\b|\bones\b"
    r"|\b(?:two|three|four|five|six|seven|eight|nine|ten)(?=\s(?!per)(?:\w+\s)?points\b)"
    r"|\b(?:first|second|third)(?=\s(?:of\s(?:these|those|them|the\stwo)\b|of\sall,))"
    r"|\bat\sfirst\b|\bin\sthe\sfirst\splace\b|\b(?:first|second|third)(?:ly)?(?=,)"
    r"|(?<!ranks )(?<!comes )\bfirst(?=\s*[.;:!?)]|\s*$|\sand\sthen)"
    r"|\b(?:a|per|every|each)\ssecond\b(?!\s(?:largest|highest|most))|\bbetter\shalf\b",
    re.IGNORECASE,
)


def spelt_value(words: str) -> tuple[float, float]:
    """The number that words say and what it is rounded to: ``two hundred and five`` → 205, 1."""
    whole, _, decimals = words.lower().replace(" and a half", " point five").partition(" point ")
    total = group = 0.0
    for word in re.findall(r"[a-z]+", whole):
        name = word if word in SMALL or word in SCALES else word.removesuffix("s")
        if name == "hundred" or name == "dozen":
            group = max(group, 1.0) * (100 if name == "hundred" else 12)
        elif name in SCALES:
            total, group = total + max(group, 1.0) * SCALES[name], 0.0
        else:
            group += SMALL.get(name, 0.0)
    digits = "".join(str(int(SMALL[word])) for word in decimals.split())
    return total + group + (float(f"0.{digits}") if digits else 0.0), 10.0 ** -len(digits)

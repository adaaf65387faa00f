"""What a model may remark in its own words: nothing that a figure would have to back.

A remark is no figure and is not checked against any, so it may not sound like one. Sentence by sentence it
is dropped where it counts, compares, generalises, weighs, names a measure, a trend or a cause. What is left
("Segment 4 may be looking for a gift") stands apart on the screen, as the model's reading.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Final, TypeAlias

from core.outgoing.quoting import visible

Names: TypeAlias = Mapping[str, str]
"""Number (``S3``, ``P12``) → what is shown in its place."""
LONGEST: Final = 600
"""Characters of a remark that are read."""
_NUMBER: Final = re.compile(r"\b[A-Z]\d{1,6}\b")
_NOUN: Final = re.compile(r"\b(?:segment|cluster)\s+S?(?=\d)", re.IGNORECASE)
_THING: Final = re.compile(r"\b(?:segments?|clusters?|pages?|items?|themes?)\s+(?=[A-Z]\d)", re.IGNORECASE)
_SENTENCE: Final = re.compile(r"(?<=[.!?…;])\s+|\n+")
_MARKUP: Final = re.compile(r"[\[\]{}<>`|\\@#*_~^=%‰$€£¥₹]|://|\bwww\.")

_PEOPLE: Final = (
    r"(?:users?|visit(?:or)?s?|customers?|people|persons?|shoppers?|buyers?|members?|readers?|S\d+)"
)
_GRADED: Final = "|".join(
    re.sub(r"y$", "i", word).removesuffix("e") + f"{word[-1]}?"
    for word in (
        "high low big small large great long short fast slow quick strong weak few old young new deep wide close "
        "hard soft rich poor cheap heavy busy happy easy likely lively loyal keen warm cold hot bright clear full "
        "thin thick broad narrow safe rare dense calm simple mild sharp tall brief nice smart fresh tight steep fit"
    ).split()
)
"""Stems of adjectives that take -er and -est."""
_OTHERWISE: Final = r"(?!(?: yet)? (?:seem|appear|necessarily|know|show|tell|say|reveal|mean|need|have to))"
_WORDS: Final = (
    # numbers in words, parts, multiples
    r"two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|twenty|thirty|forty|fifty|(?:six|seven"
    r"|eigh|nine)ty|zero|dozens?|hundreds?|thousands?|m?billions?|millions?|once(?= a|[.,;!?]|$)|twice|thrice"
    r"|couple of|hal(?:f|ve[sd]?)|thirds? of|quarters? of|doubl\w+|tripl\w+|quadrupl\w+|\w+fold|one (?:in|out of)"
    r"|euros?|dollars?|pounds?|per (?:visit|session|user|person|head|page|month|week|day|cent)|not (?:a single|one)",
    # quantifiers, universals, frequency
    r"all|every(?:one|body|thing|where)?|each(?! other)|none|no ?one|nobody|no (?:other|single)|most(?:ly)?|many"
    r"|much|few|several|plenty|lots?|numerous|countless|multiple|majority|minority|bulk|handful|abundan\w+|ample"
    r"|(?:whole|entire) (?:of|segment|group|audience)|entirely|completely|total(?:ly)?|only|solely|exclusively"
    r"|merely|scarcely|hardly|barely|seldom|never|always|often|(?:in)?frequent(?:ly)?(?! asked)|usual(?:ly)?"
    r"|rare(?:ly)?|typical(?:ly)?|generally|(?<!in )common(?:ly)?|normally|regularly|occasional(?:ly)?|sometimes"
    r"|at times|constant(?:ly)?|consistent(?:ly)?|continuous(?:ly)?|continually|invariably|routinely|habitual(?:ly)?"
    r"|repeated(?:ly)?|sporadic\w*|(?:dai|week|month)ly(?=[.,;!?]|$)|nearly|almost|virtually|practically|roughly"
    r"|approximately|tends? to|time and again|again and again|without (?:exception|fail)|as a rule|by and large"
    r"|inevitabl\w+|unanimous\w*|universal(?:ly)?",
    # more, less, first, last
    r"more|less(?:er)?|fewer|least|better|best|worse|worst|than|compared (?:to|with)|unlike|whereas"
    r"|as (?!well|soon|far|long|such)\w+ as|equal(?:s|ly)?|identical\w*|differ(?:s|ed|ences?)?|different (?:from|to)"
    r"|(?<!may )(?<!might )(?<!could )(?<!to )prefer\w*|favou?rs?|favou?rite(?!s)|main(?:ly)?|chief(?:ly)?|primar\w+"
    r"|principal\w*|predomina\w+|domina\w+|prevail\w*|leads(?= (?:in|the|on|by) )|leading(?= \w)(?! to)|rank\w*"
    r"|top(?:s|ped)?(?! of| bar| menu| navigation)|beats?|lags?|outper\w+|outnumber\w*|outdo\w*|exceed\w*|surpass\w*"
    r"|ahead of|falls? short|stands? out|number one|comes? (?:first|last)|(?:un)?popular\w*|unmatched|unrivall?ed"
    r"|second (?:to|only)|winners?",
    # how much
    r"too \w+|very|extreme(?:ly)?|highly|high(?!-)|low(?!-)|large(?:ly)?|huge(?:ly)?|tiny|big|vast(?:ly)?"
    r"|massive(?:ly)?|enormous(?:ly)?|immense(?:ly)?|strong(?:ly)?|weak(?:ly)?|poor(?:ly)?|heav(?:y|ily)|greatly"
    r"|deeply|widely|significant(?:ly)?|considerabl\w+|substantial(?:ly)?|markedly|notabl\w+|remarkabl\w+"
    r"|noticeabl\w+|dramatic(?:ally)?|overwhelming(?:ly)?|exceptional(?:ly)?|disproportion\w+|slight(?:ly)?"
    r"|marginal(?:ly)?|moderate(?:ly)?|minimal(?:ly)?|negligible|excellent|impressive|worrying|alarming|disappoint\w+"
    r"|outstanding|mediocre|by far",
    # measures
    r"(?<!to )rates?|shares? of|(?:the|its|their|an?) (?:\w+ )?share|averag\w*|medians?|percent\w*|proportion\w*"
    r"|fractions?|ratios?|numbers? of|amounts?|counts?|counted|volumes?|levels? of|scores?|quota\w*|quantit\w+"
    r"|conver(?:t|sion)\w*|traffic|revenue|sales(?! (?:staff|team|desk|people|rep\w*|page|advi\w+|call|contact))"
    r"|turnover|profit\w*|income|bounc\w+|perform(?:s|ance)|engagement|duration|spen[dt]\w*|frequency|retention"
    r"|churn\w*|abandonment|probabilit\w+|odds|likelihood|makes? up|accounts? for|consists? of",
    # trends
    r"grow\w*|grew|ris(?:es|en|ing)|on the rise|increas\w*|decreas\w*|declin\w*|shr[iau]nk\w*|drop(?:s|ped|ping)"
    r"|falls|fallen|falling|fell|soar\w*|surg(?:es|ed|ing)|plummet\w*|slump\w*|peak(?:ed|ing)|dwindl\w+|boost\w*"
    r"|trend\w*|becomes|becoming|became|keeps? \w+ing|(?:month|week|year|day) (?:after|by|on|over)|over time|lately"
    r"|recently(?! viewed| seen| read)|no longer|any ?more|improv(?:es|ing)|worsen\w*|gain(?:s|ed|ing)|los(?:es|ing)"
    r"|fad(?:es|ing)|(?:up|down)wards?|momentum|expand(?:s|ing)|accelerat\w+|stagnat\w*|stead(?:y|ily)|evolv\w+",
    # causes and promised effects
    r"because|since|due to|owing to|thanks to|caus(?:es?|ed|ing|al)|led to|results? (?:in|from)|resulting|as a result"
    r"|lead(?:s|ing)? to(?! (?:[PT]\d|the (?:page|form|checkout|cart|guide)))|drives|driven|drove|drivers? of"
    r"|driving(?= [SP]\d)|(?:is|are|was|were) responsible|therefore|thus|hence|consequen\w+|, so(?! that)|is why"
    r"|reason (?:\w+ ){0,5}(?:is|was|lies) (?!unknown|not|unclear|open)|makes (?:S\d+|users|visitors|people|them) \w+"
    r"|prevent(?:s|ed)|influenc\w+|affect(?:s|ed|ing)?|impact\w*|effects? (?:of|on)|trigger(?:s|ed)|attribut(?:ed|able)"
    r"|stems? from|contribut(?:es|ed|ing)|, as (?:it|they|the|this)|ensures|guarantees|prompts|induc\w+|provok\w+"
    r"|encourages|discourages|deters|persuades|convinces|scares|puts? off|keeps? \w+ from|thereby|proves|confirms"
    r"|will \w+|would (?:\w+ly )?(?:boost|raise|lift|reduce|help|win|bring|make|get|turn|keep|stop|fix|solve|save)",
    # nobody does
    rf"{_PEOPLE} (?:\w+ly )?(?:do(?:es)?|did|will|can|could|is|are|has|have)(?: not|n['’]t|not){_OTHERWISE}"
    rf"|no {_PEOPLE}|but (?:do(?:es)?|did)(?: not|n['’]t){_OTHERWISE}|(?:leav|exit|go|end|abandon)\w* (?:\w+ )?without",
)
"""What a sentence may not hold, by what it would claim."""
_CLAIM: Final = re.compile(rf"(?<![\w-])(?:{'|'.join(_WORDS)}|(?:{_GRADED})(?:er|est))(?!\w)", re.IGNORECASE)


def kept(text: str, names: Names) -> tuple[str, int]:
    """A remark without the sentences that claim something, and how many these were.

    Args:
        text: As the model wrote it, segments and items by number.
        names: What is shown for a number; a sentence with another one is dropped.
    """
    plain = unicodedata.normalize("NFKC", visible(text[:LONGEST]))
    plain = _THING.sub("", _NOUN.sub("S", plain))
    sentences = [part.strip() for part in _SENTENCE.split(plain) if part.strip()]
    held = [sentence for sentence in sentences if not claims(sentence, names)]
    said = " ".join(_NUMBER.sub(lambda match: names[match[0]], sentence) for sentence in held)
    return said, len(sentences) - len(held)


def claims(sentence: str, names: Names) -> bool:
    """Whether a sentence says what only a figure may say, or what may not be shown at all."""
    if any(match[0] not in names for match in _NUMBER.finditer(sentence)) or _MARKUP.search(sentence):
        return True
    words = _NUMBER.sub("", sentence)
    strange = any(char.isnumeric() or (char.isalpha() and not _is_latin(char)) for char in words)
    return strange or bool(_CLAIM.search(sentence))


def _is_latin(char: str) -> bool:
    return char.isascii() or unicodedata.name(char, "").startswith("LATIN")

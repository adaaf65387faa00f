"""Check what a model remarks in its own words: nothing that a figure would have to back.

A remark is no figure and is not checked against any, so it may not sound like one. Sentence by sentence it
is dropped where it counts, compares, generalises, weighs, names a measure, a trend or a cause. What is left
("Segment 4 may be looking for a gift") stands apart on the screen, as the model's reading.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Final, TypeAlias

from core.base.safe_text import without_invisible

Names: TypeAlias = Mapping[str, str]
"""Number of a segment or item (``S3``, ``P12``) → name that is shown in its place."""
_MAX_LENGTH: Final = 600
"""Characters of a remark that are read."""
_NUMBER: Final = re.compile(r"\b[A-Z]\d{1,6}\b")
_NOUN: Final = re.compile(r"\b(?:segment|cluster)\s+S?(?=\d)", re.IGNORECASE)
_THING: Final = re.compile(r"\b(?:segments?|clusters?|pages?|items?|themes?)\s+(?=[A-Z]\d)", re.IGNORECASE)
_SENTENCE: Final = re.compile(r"(?<=[.!?…;])\s+|\n+")
_MARKUP: Final = re.compile(r"[\[\]{}\\@#*_%‰]|://|\bwww\.")
_SIGNS: Final = frozenset({"Sm", "So", "Sk", "Sc", "Mn"})
"""Categories of ``≥ ↑ ^ €``, and of marks that do not belong to a letter."""

_PEOPLE: Final = (
    r"(?:users?|visit(?:or)?s?|customers?|people|persons?|shoppers?|buyers?|members?|readers?|S\d+)"
)
_HEDGED: Final = r"(?!(?:_yet)?_(?:seem|appear|necessarily|know|show|tell|say|reveal|mean|need|have_to))"
_WORDS: Final = {
    "numbers in words, parts, multiples": r"""
    two three four five six seven eight nine ten eleven twelve \w+teen twenty thirty forty fifty
    (?:six|seven|eigh|nine)ty zero dozens? hundreds? thousands? m?billions? millions? once(?=_a|[.,;!?]|$)
    twice thrice couple_of hal(?:f|ve[sd]?) thirds?_of quarters?_of doubl\w+ tripl\w+ quadrupl\w+ \w+fold
    one_(?:in|out_of) euros? dollars? pounds?
    per_(?:visit|session|user|person|head|page|month|week|day|cent) not_(?:a_single|one)
    """,
    "quantifiers, universals, frequency": r"""
    all every(?:one|body|thing|where)? each(?!_other) none no_?one nobody no_(?:other|single) most(?:ly)?
    many much few several plenty lots? numerous countless multiple majority minority bulk handful
    abundan\w+ ample (?:whole|entire)_(?:of|segment|group|audience) entirely completely total(?:ly)? only
    solely exclusively merely scarcely hardly barely seldom never always often
    (?:in)?frequent(?:ly)?(?!_asked) usual(?:ly)? rare(?:ly)? typical(?:ly)? generally
    (?<!in_)common(?:ly)? normally regularly occasional(?:ly)? sometimes at_times constant(?:ly)?
    consistent(?:ly)? continuous(?:ly)? continually invariably routinely habitual(?:ly)? repeated(?:ly)?
    sporadic\w* (?:dai|week|month)ly(?=[.,;!?]|$) nearly almost virtually practically roughly
    approximately tends?_to time_and_again again_and_again without_(?:exception|fail) as_a_rule
    by_and_large inevitabl\w+ unanimous\w* universal(?:ly)?
    """,
    "more, less, first, last": r"""
    (?<!know_)(?<!learn_)(?<!out_)more less(?:er)? fewer least better best worse worst than
    compared_(?:to|with) unlike whereas
    as_(?!well|soon|far|long|such)\w+_as equal(?:s|ly)? identical\w* differ(?:s|ed)?
    differences?_(?:between|in) alike the_same_as both
    different_(?:from|to) (?<!may_)(?<!might_)(?<!could_)(?<!to_)prefer\w* favou?rs? favou?rite(?!s)
    main(?:ly)? chief(?:ly)? primar\w+ principal\w* predomina\w+ domina\w+ prevail\w*
    leads(?=_(?:in|the|on|by)_) leading(?=_\w)(?!_to) rank\w* top(?:s|ped)?(?!_of|_bar|_menu|_navigation)
    beats? lags? outper\w+ outnumber\w* outdo\w* exceed\w* surpass\w* ahead_of falls?_short stands?_out
    number_one comes?_(?:first|last) (?:un)?popular\w* unmatched unrivall?ed second_(?:to|only) winners?
    """,
    "how much": r"""
    too_\w+ very extreme(?:ly)? highly high(?!-) low(?!-) large(?:ly)? huge(?:ly)? tiny big vast(?:ly)?
    massive(?:ly)? enormous(?:ly)? immense(?:ly)? strong(?:ly)? weak(?:ly)? poor(?:ly)? heav(?:y|ily)
    greatly deeply widely significant(?:ly)? considerabl\w+ substantial(?:ly)? markedly notabl\w+
    remarkabl\w+ noticeabl\w+ dramatic(?:ally)? overwhelming(?:ly)? exceptional(?:ly)? disproportion\w+
    slight(?:ly)? marginal(?:ly)? moderate(?:ly)? minimal(?:ly)? negligible excellent impressive worrying
    alarming disappoint\w+ outstanding mediocre by_far
    """,
    "measures": r"""
    (?<!to_)rates? shares?_of (?:the|its|their|an?)_(?:\w+_)?share averag\w* medians? percent\w*
    proportion\w* fractions? ratios? numbers?_of amounts? counts? counted volumes? levels?_of scores?
    quota\w* quantit\w+ conver(?:t|sion)\w* traffic revenue
    (?<!-)sales(?!_(?:staff|team|desk|people|rep\w*|page|advi\w+|call|contact)) turnover profit\w* income
    bounc\w+ perform(?:s|ance) engagement duration spen[dt]\w* frequency retention churn\w* abandonment
    probabilit\w+ odds likelihood makes?_up accounts?_for consists?_of
    """,
    "trends": r"""
    grow\w* grew ris(?:es|en|ing) on_the_rise increas\w* decreas\w* declin\w* shr[iau]nk\w*
    drop(?:s|ped|ping) falls fallen falling fell soar\w* surg(?:es|ed|ing) plummet\w* slump\w*
    peak(?:ed|ing) dwindl\w+ boost\w* trend\w* becomes becoming became keeps?_\w+ing
    (?:month|week|year|day)_(?:after|by|on|over) over_time lately recently(?!_viewed|_seen|_read)
    no_longer any_?more improv(?:es|ing) worsen\w* gain(?:s|ed|ing) los(?:es|ing) fad(?:es|ing)
    (?:up|down)wards? momentum expand(?:s|ing) accelerat\w+ stagnat\w* stead(?:y|ily) evolv\w+
    """,
    "causes and promised effects": r"""
    because since due_to owing_to thanks_to caus(?:es?|ed|ing|al) led_to results?_(?:in|from) resulting
    as_a_result lead(?:s|ing)?_to(?!_(?:[PT]\d|the_(?:page|form|checkout|cart|guide))) drives driven drove
    drivers?_of driving(?=_[SP]\d) (?:is|are|was|were)_responsible therefore thus hence consequen\w+
    (?<=,_)so(?!_that) is_why reason_(?:\w+_){0,5}(?:is|was|lies)_(?!unknown|not|unclear|open)
    makes_(?:S\d+|users|visitors|people|them)_\w+ prevent(?:s|ed) influenc\w+ affect(?:s|ed|ing)?
    impact\w* effects?_(?:of|on) trigger(?:s|ed) attribut(?:ed|able) stems?_from contribut(?:es|ed|ing)
    (?<=,_)as_(?:it|they|the|this) ensures guarantees prompts induc\w+ provok\w+ encourages discourages deters
    persuades convinces scares puts?_off keeps?_\w+_from thereby proves confirms will_\w+
    would_(?:\w+ly_)?(?:boost|raise|lift|reduce|help|win|bring|make|get|turn|keep|stop|fix|solve|save)
    """,
    "nobody does": r"""
    {PEOPLE}_(?:\w+ly_)?(?:do(?:es)?|did|will|can|could|is|are|has|have)(?:_not|n['’]t|not){HEDGED}
    no_{PEOPLE} but_(?:do(?:es)?|did)(?:_not|n['’]t){HEDGED}
    (?:leav|exit|go|end|abandon)\w*_(?:\w+_)?without
    """,
}
"""Kind of claim → patterns of words that a sentence may not hold, with ``_`` for a blank."""
_GRADED: Final = """
    high low big small large great long short fast slow quick strong weak few old young new deep wide
    close hard soft rich poor cheap heavy busy happy easy likely lively loyal keen warm cold hot bright
    clear full thin thick broad narrow safe rare dense calm simple mild sharp tall brief nice smart fresh
    tight steep fit
"""
"""Adjectives that take -er and -est."""


def _claiming() -> re.Pattern[str]:
    stems = [re.sub("y$", "i", word).removesuffix("e") + f"{word[-1]}?" for word in _GRADED.split()]
    words = " ".join(_WORDS.values()).replace("{PEOPLE}", _PEOPLE).replace("{HEDGED}", _HEDGED)
    patterns = [*words.split(), rf"(?:{'|'.join(stems)})(?:er|est)"]
    return re.compile(rf"(?<!\w)(?:{'|'.join(patterns)})(?!\w)".replace("_", " "), re.IGNORECASE)


_CLAIM: Final = _claiming()


def allowed_remarks(text: str, names: Names) -> tuple[str, int]:
    """The sentences of a remark that claim nothing, numbers replaced by names, and how many were dropped.

    Args:
        text: As the model wrote it, segments and items by number.
        names: What is shown for a number; a sentence with another one is dropped.
    """
    plain = unicodedata.normalize("NFKC", without_invisible(text[:_MAX_LENGTH]))
    plain = _THING.sub("", _NOUN.sub("S", plain))
    sentences = [" ".join(part.split()) for part in _SENTENCE.split(plain) if part.strip()]
    supported = [sentence for sentence in sentences if not makes_claim(sentence, names)]
    said = " ".join(_NUMBER.sub(lambda match: names[match[0]], sentence) for sentence in supported)
    return said, len(sentences) - len(supported)


def makes_claim(sentence: str, names: Names) -> bool:
    """Whether a sentence says what only a figure may say, or what may not be shown at all."""
    if any(match[0] not in names for match in _NUMBER.finditer(sentence)) or _MARKUP.search(sentence):
        return True
    words = _NUMBER.sub("", sentence)
    return any(map(_is_strange, words)) or bool(_CLAIM.search(sentence))


def _is_strange(char: str) -> bool:
    """Whether a character is a numeral, a sign, or a letter that is not Latin."""
    if char.isnumeric() or unicodedata.category(char) in _SIGNS:
        return True
    return char.isalpha() and not (char.isascii() or unicodedata.name(char, "").startswith("LATIN"))

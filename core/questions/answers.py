"""Answer a question without a model: exactly, or not at all."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from core.base.errors import Beha2VecError, InputError
from core.facts.answer import Answer, Note, Reading
from core.facts.context import ALL, Context
from core.facts.fact_maker import Figures
from core.facts.finding import Finding, notes
from core.facts.items import ATTRIBUTES, Dimension
from core.facts.segment_tools import AVERAGES
from core.profiles.columns import Col
from core.questions.calls import together
from core.questions.followups import COMPARING, OVER_ALL, reading, readings
from core.questions.grammar import Parsed, parse
from core.questions.intents import Intent, choose_all
from core.questions.refusals import PART_ONLY, nearest, not_combined, problem

HELP: Final = (
    "You can ask for: a figure (“outcome rate of segment 2”), a ranking (“which segment has the most "
    "sessions”), a comparison (“compare segment 1 and 2”), top pages, themes, page types, devices, browsers, "
    "countries or sources (“top pages of segment 3”), what sets a segment apart, a share (“share of "
    "mobile users in segment 2”), paths (“what comes after /cart in segment 2”, “where do users of "
    "segment 1 enter”), a description, a persona, the most similar segments, what changed, who is "
    "above average (“segments above average in sessions a user”), or a chart (“chart the outcome rate by "
    "segment”). A question may go on with the last one (“and segment 3?”, “why?”) or hold several."
)
SIZED: Final = OVER_ALL | COMPARING | {"many", "list"}
"""Cues beside which the biggest is the one with most users."""
PER_USER: Final = {
    Col.REVENUE: Col.REVENUE_PER_USER, Col.SESSIONS: Col.SESSIONS_MEAN, Col.PAGE_VIEWS: Col.PAGE_VIEWS_MEAN,
}  # fmt: skip
BETTER: Final = {"best": "most", "worst": "least"}
LENGTH: Final = {"longest": "most", "shortest": "least"}
CUT: Final = re.compile(r"[?!;]\s+(?=\S)|\.\s+|,\s*(?:and\s+)?|\s+and\s+", re.IGNORECASE)
_Cut: TypeAlias = re.Match[str]
CUTS: Final = 5
"""Places where a question may be two that are tried."""
ASKING: Final = re.compile(
    r"\s*(?:and\s+)?(?:what|which|who|how|where|why|do|does|is|are|show|list|give|tell|compare|describe|plot"
    r"|chart|rank|name)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class _Told:
    finding: Finding
    reading: Reading


def ask(question: str, context: Context, last: Reading | None = None) -> Answer:
    """Answer a question, ask back, or say why not and what is answered that is near to it.

    Args:
        question: In the analyst's words.
        context: What it is about.
        last: What the question before was understood to ask, for one that goes on with it.
    """
    if last and not {*last.rows, *last.focus} <= {*context.keys}:
        last = None
    parsed, figures = parse(question, context), Figures(context)
    offered = next(readings(parsed, last))
    if "help" in parsed.cues and not parsed.unknown:
        return Answer((Note(text=HELP),), suggestions=_near(offered, figures))
    try:
        told = _told(question, parsed, figures, last)
    except Beha2VecError as error:
        said = " ".join([*([] if parsed.language else parsed.notes), _line(error)])
        return Answer(notes(said), declined=True, suggestions=_near(offered, figures))
    blocks, query = told.finding.blocks, told.finding.query
    rows = (row for fact in told.finding.facts for row in fact.segments)
    return Answer(blocks, context.titles(dict.fromkeys(rows)), query, reading=told.reading)


def _line(error: Beha2VecError) -> str:
    return error.problem if error.problem.endswith(("?", ".")) else str(error)


def _near(parsed: Parsed, figures: Figures) -> tuple[str, ...]:
    def understood(question: str) -> bool:
        try:
            _whole(parse(question, figures.context), figures, None)
        except Beha2VecError:
            return False
        return True

    return nearest(parsed, figures.context, understood)


def _told(question: str, parsed: Parsed, figures: Figures, last: Reading | None) -> _Told:
    """The question as a whole, or part by part; surely several are never read as one.

    Raises:
        InputError: If it is not understood in full.
    """
    cuts = [cut for cut in CUT.finditer(question) if _says(question[: cut.start()], figures.context)][:CUTS]
    several = any(_is_sure(cut, question) for cut in cuts)
    if several and (told := _parts(question, cuts, figures, last)):
        return told
    try:
        if not several or parsed.unknown or parsed.missing or parsed.asks:
            return _whole(parsed, figures, last)
        raise InputError(_not_all(question, cuts, figures, last))
    except InputError:
        if not several and (told := _parts(question, cuts, figures, last)):
            return told
        raise


def _says(text: str, context: Context) -> bool:
    """Whether there is more than a word of greeting."""
    parsed = parse(text, context)
    return bool(parsed.length or parsed.unknown or parsed.missing)


def _is_sure(cut: _Cut, question: str) -> bool:
    """Whether a question ends there and another one begins."""
    return cut.group()[0] in "?!;" or bool(
        "and" in cut.group().casefold() and ASKING.match(question[cut.end() :])
    )


def _parts(question: str, cuts: Sequence[_Cut], figures: Figures, last: Reading | None) -> _Told | None:
    """The question in two parts, the first of which may have parts itself; None where one is unclear."""
    for place, cut in reversed([*enumerate(cuts)]):
        left, right = (parse(text, figures.context) for text in _sides(question, cut))
        if not (_is_sure(cut, question) or _stands(right)):
            continue
        if right.rows and not ASKING.match(question[cut.end() :]) and _needs_rows(left):
            left = replace(left, rows=right.rows)
        try:
            first = _first(question[: cut.start()], left, cuts[:place], figures, last)
            second = _whole(right, figures, first.reading)
        except Beha2VecError:
            continue
        return _Told(together([first.finding, second.finding]), second.reading)
    return None


def _first(text: str, parsed: Parsed, cuts: Sequence[_Cut], figures: Figures, last: Reading | None) -> _Told:
    try:
        return _whole(parsed, figures, last)
    except Beha2VecError:
        if told := _parts(text, cuts, figures, last):
            return told
        raise


def _sides(question: str, cut: _Cut) -> tuple[str, str]:
    return question[: cut.start()], question[cut.end() :]


def _stands(parsed: Parsed) -> bool:
    """Whether a part that no question word begins asks something of its own, and not of the part before."""
    asks = bool(parsed.cues - {"viewed", "also", "pronoun"} or parsed.measures or parsed.dimensions)
    ordered = parsed.cues & OVER_ALL and (parsed.measures or parsed.cues <= OVER_ALL)
    return asks and bool(parsed.rows or ordered or "pronoun" in parsed.cues)


def _needs_rows(parsed: Parsed) -> bool:
    return not parsed.rows and not parsed.cues & OVER_ALL


def _not_all(question: str, cuts: Sequence[_Cut], figures: Figures, last: Reading | None) -> str:
    """Which part of several is not understood, and why."""
    for cut in (cut for cut in cuts if _is_sure(cut, question)):
        for text in _sides(question, cut):
            try:
                _whole(parse(text, figures.context), figures, last)
            except Beha2VecError as error:
                return f"Not all of it is understood: “{' '.join(text.split())}”. {_line(error)}"
    return "These are several questions, and not all of them are understood. Ask them one by one."


def _whole(parsed: Parsed, figures: Figures, last: Reading | None) -> _Told:
    """The question as one.

    Raises:
        InputError: If it is not understood, or a figure is absent.
    """
    problems = []
    for meant in readings(parsed, last):
        wrong = problem(meant, figures.context)
        settled = _with_biggest(_settled(meant), figures.context)
        chosen = [] if wrong else choose_all(settled)
        if not wrong and not chosen:
            wrong = not_combined(settled)
        if not wrong:
            wrong = next((said for pair in chosen if (said := _unclear(*pair))), "")
        if not wrong:
            found = together([intent.run(figures, one) for intent, one in chosen])
            told = replace(found, blocks=(*notes(*parsed.notes), *found.blocks))
            return _Told(told, reading(settled, told.blocks))
        problems.append(wrong)
    raise InputError(problems[0])


def _unclear(intent: Intent, parsed: Parsed) -> str:
    """What is not said though it fits."""
    if intent.name == "size" and not parsed.rows and not parsed.nouns:
        return "How many of what? Name users, sessions or another figure."
    if intent.name == "saw" and parsed.items[0][0] in ATTRIBUTES:
        return PART_ONLY
    says = parsed.nouns or parsed.measures or parsed.cues & {"share", "many"}
    if intent.name == "rank_item" and not says:
        return "Do you mean the number of users, or their share of the segment?"
    return ""


def _settled(parsed: Parsed) -> Parsed:
    """Without words that add nothing beside what else was said; “best” is most of the figure named."""
    made = replace(parsed, rows=[*parsed.rows], measures=[*parsed.measures])
    made.cues = {BETTER.get(cue, cue) for cue in parsed.cues - {"pronoun", "also", "only"}}
    if "per_user" in made.cues and {*made.measures} & {*PER_USER}:
        made.measures = [PER_USER.get(name, name) for name in made.measures]
        made.cues -= {"per_user"}
    for settle in (_buying, _often, _pages, _average, _long, _everyone, _sized):
        settle(made)
    if made.rows:
        made.cues -= {"segments"}
    if {"bar", "line", "point"} & made.cues:
        made.cues.add("chart")
    return made


def _buying(made: Parsed) -> None:
    share = made.cues & {"share", "why"}
    if "share" in share and made.measures == [Col.OUTCOME_USERS]:
        made.measures, made.cues = [Col.OUTCOME_RATE], made.cues - {"share"}
    if "buys" in made.cues and not made.measures and not made.items:
        made.cues -= {"buys", "share", "many"}
        made.measures.append(Col.OUTCOME_RATE if share else Col.OUTCOME_USERS)


def _often(made: Parsed) -> None:
    """How often somebody comes is the sessions a user; how often something is seen, its page views."""
    if "often" in made.cues and "buys" not in made.cues:
        made.cues -= {"often"} if made.measures else {"often", "viewed"}
        if not made.measures and not made.dimensions:
            made.measures.append(Col.PAGE_VIEWS if made.items else Col.SESSIONS_MEAN)


def _average(made: Parsed) -> None:
    """The average is the figure of all users; a count has none."""
    if "average" not in made.cues:
        return
    if len(made.rows) == 1 and made.cues & {"compare", "differ", "most", "least", "biggest", "smallest"}:
        made.cues -= {"average"}
        made.rows.append(ALL)
    elif made.measures and not made.rows and made.cues & {"most", "least"}:
        made.cues = made.cues - {"average", "most", "least"} | {"above" if "most" in made.cues else "below"}
    elif made.measures and {*made.measures} <= AVERAGES:
        made.cues -= {"average"}


def _pages(made: Parsed) -> None:
    """More pages, and how many on average, are page views a user."""
    compared = len(made.rows) == 2 and made.cues & {"most", "least"}
    if made.dimensions == [Dimension.PAGE] and (compared or {"average", "many"} <= made.cues):
        made.cues -= {"average", "many", "viewed"}
        made.dimensions, made.measures = [], [Col.PAGE_VIEWS_MEAN]


def _long(made: Parsed) -> None:
    """Whoever stays longest has the most engagement time; nothing else is long."""
    if {*made.measures} <= {Col.ENGAGEMENT_MEAN, Col.ENGAGEMENT_MEDIAN}:
        for cue in made.cues & {"longest", "shortest"}:
            made.cues = made.cues - {cue} | {LENGTH[cue]}
            made.measures = made.measures or [Col.ENGAGEMENT_MEAN]


def _everyone(made: Parsed) -> None:
    """A segment above all users is held against them; among all of them, segments are ranked."""
    if len(made.rows) == 1 and made.cues & {"above", "below"} and made.measures:
        made.cues = made.cues - {"above", "below"} | {"compare"}
        made.rows.append(ALL)
    elif made.rows == [ALL] and "segments" in made.cues and made.cues & OVER_ALL - {"segments"}:
        made.rows.clear()


def _sized(made: Parsed) -> None:
    """The biggest is the one with most users, and so is the one with most where users are spoken of."""
    sized = (made.nouns and made.cues & {"most", "least"}) or made.cues & {"biggest", "smallest"}
    if sized and made.cues <= SIZED and not made.topic:
        made.measures.append(Col.USERS)


def _with_biggest(made: Parsed, context: Context) -> Parsed:
    """Beside anything else that is asked, the biggest segment is a row like one that is named."""
    size = made.cues & {"biggest", "smallest"}
    if size and not made.rows and made.measures != [Col.USERS] and made.number is None:
        pick = max if "biggest" in size else min
        sizes = {key: context.row(key)[Col.USERS] for key in context.segment_keys}
        return replace(
            made, rows=[pick(sizes, key=lambda key: sizes[key])], cues=made.cues - {*size, "segments"}
        )
    return made

"""Hold one answer against the oracle."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from benchmarks.words.oracle import Oracle
from benchmarks.words.query_answers import in_words_of_the_oracle, is_of_query
from core.facts.answer import QUERY, Answer, Chart, Contrast, Fact, FigureList, Ranking, Verdict
from core.facts.context import OTHERS
from core.facts.sentences import plain

Wanted = tuple[str, tuple[str, ...], str]
"""Measure, row keys and item (empty for none) of a figure that an answer has to give."""
LISTS = ("top", "entry", "exit", "step")
"""Kinds of answers that list items: values and order are checked, as equal ones may replace each other."""
COUNTS = ("users", "revenue", "outcome_users", "page_views", "sessions", "outcome_sessions")
"""Measures without a baseline."""
OPEN = ("describe", "why", "compare", "compare_all")
"""Kinds of answers that may say more than what must be in them."""
UNCOUNTED = ("folder", "word", "template", "entry", "exit", "hour", "weekday")
"""Families of items that the oracle does not count; tests hold them against the table of differences."""
NO_LABELS = ["Unknown → Unknown", "(start) → Unknown", "Unknown → (end of session)"]
"""Steps between pages without a label: they say nothing and are not listed, but count among all steps."""
DISTANCE_TOLERANCE = 1e-4
"""Relative error that distances may have: centroids are float32 sums of many vectors."""
DESCRIBED = ("users", "share", "page_views_mean", "sessions_mean", "engagement_s_mean", "outcome_rate")


def is_counted(fact: Fact) -> bool:
    """Whether the oracle counts such a figure."""
    return fact.measure.partition(":")[2] not in UNCOUNTED


def _checkable(answer: Answer) -> Answer:
    """The answer with each baseline called by the row that it is of, as the oracle calls it.

    How small a difference would have been seen is an approximation, tested by simulation where it is made.
    """
    blocks = [
        _named(block) if isinstance(block, Contrast) else block
        for block in answer.blocks
        if not isinstance(block, Contrast) or is_counted(block.first)
    ]
    return replace(answer, blocks=tuple(blocks))


def _named(block: Contrast) -> Contrast:
    def named(fact: Fact) -> Fact:
        rows = (f"{OTHERS}:{block.first.row}" if row == OTHERS else row for row in fact.segments)
        return fact.model_copy(update={"segments": tuple(rows)})

    relation = block.relation and named(block.relation)
    changes = {"second": named(block.second), "relation": relation, "detectable": None}
    return block.model_copy(update=changes)


def problems(answer: Answer, expect: dict[str, Any], oracle: Oracle) -> list[str]:
    """What is wrong with an answer, in words; empty if it is exact.

    Args:
        answer: The answer.
        expect: What the question's file says of it: ``kind``, ``rows`` and more, or ``parts`` of such.
        oracle: Counts the figures.
    """
    if answer.declined:
        return ["declined"]
    asks = is_of_query(answer)
    told, answer = answer, _checkable(_ends_as_shares(in_words_of_the_oracle(answer), oracle))
    said = answer.facts
    expect = _as_told(expect, said) if asks else expect
    found = [
        f"{fact.measure} {fact.segments} {fact.item} = {fact.value}"
        for fact in said
        if not right(fact, oracle)
    ]
    have = {(fact.measure, fact.segments, fact.item) for fact in said}
    parts = expect.get("parts", [expect])
    wanted = [one for part in parts for one in wanted_of(part, oracle)]
    # a row of nobody is in no answer of a query, nor is the average that segments are held against
    needed = [one for one in wanted if not asks or _is_told(one, parts, oracle)]
    found += [f"missing {one}" for one in needed if one not in have]
    if not any(part["kind"] in OPEN for part in parts):
        beside = {(one, (f"{OTHERS}:{row}",), item) for one, (row, *_), item in wanted}
        further = sorted(have - set(wanted) - beside)
        if asks and parts[0]["kind"] == "either":  # the whole split
            further = [one for one in further if one[0] != wanted[0][0]]
        found += [f"not asked for {one}" for one in further if not any(_beside(one, part) for part in parts)]
    kinds = [] if asks else [wrong for part in parts for wrong in _kinds(answer, part)]
    found += [*kinds, *(wrong for part in parts for wrong in _order(said, part, oracle))]
    drawn = any(isinstance(block, Chart) for block in answer.blocks)
    found += _in_order(said, parts) if asks and not drawn else []
    found += _directions(answer, oracle)
    said_of = plain(told.blocks, told.titles)
    asked = [fact for fact in said if (fact.measure, fact.segments, fact.item) in wanted]
    ends_only = any(part["kind"] in ("compare_all", "rank") for part in parts[1:] or parts)
    found += [f"{fact.text} is not said" for fact in asked if not ends_only and fact.text not in said_of]
    return found if answer.query else [*found, "no query"]


def _ends_as_shares(answer: Answer, oracle: Oracle) -> Answer:
    """The answer with sessions by their first or last page as shares of all sessions of the row."""

    def share(fact: Fact) -> Fact:
        kind, _, of = fact.measure.partition("_sessions:")
        if kind not in ("entry", "exit"):
            return fact
        value = fact.value / oracle.measure("sessions", fact.row)
        return fact.model_copy(update={"measure": f"{kind}:{of}", "value": value})

    blocks = (
        FigureList(facts=tuple(map(share, block.facts))) if isinstance(block, FigureList) else block
        for block in answer.blocks
    )
    return replace(answer, blocks=tuple(blocks))


def _as_told(expect: dict[str, Any], said: Sequence[Fact]) -> dict[str, Any]:
    """What is expected of a query: as many entries as it lists, by users or by page views."""
    if "parts" in expect:
        return {**expect, "parts": [_as_told(part, said) for part in expect["parts"]]}
    if expect["kind"] not in LISTS:
        return expect
    ends = f":{expect['dimension']}" if expect["kind"] == "top" else expect["kind"]
    told = [fact for fact in said if fact.measure.endswith(ends) or fact.measure.startswith(ends)]
    more: dict[str, Any] = {"n": max(expect["n"], len(told))}
    metric = told[0].measure.partition(":")[0] if told else ""
    if expect["kind"] == "top" and metric in ("users", "share", "views"):
        more["metric"] = metric
    return {**expect, **more}


def _is_told(one: Wanted, parts: Sequence[dict[str, Any]], oracle: Oracle) -> bool:
    measure, (row, *_), item = one
    if parts[0]["kind"] == "beyond":
        return row != "all"
    ranks = parts[0]["kind"] in ("rank", "rank_item", "chart")
    return not ranks or _ranked(measure, row, item, oracle) > 0


def _in_order(said: Sequence[Fact], parts: Sequence[dict[str, Any]]) -> list[str]:
    """Rows of a ranking that are not in its order."""
    if len(parts) != 1 or parts[0]["kind"] not in ("rank", "rank_item"):
        return []
    most = parts[0].get("order", "most") == "most"
    values = [fact.value for fact in said]
    return [] if values == sorted(values, reverse=most) else [f"ranking {values}"]


def _directions(answer: Answer, oracle: Oracle) -> list[str]:
    """Rankings out of order; contrasts that say the wrong way round."""
    wrong = []
    for block in answer.blocks:
        if isinstance(block, Ranking):
            values = [_value(fact, oracle) for fact in block.facts]
            in_order = sorted(values, reverse=block.most)
            wrong += [] if values == in_order else [f"ranking {values}"]
        elif isinstance(block, Contrast):
            first, second = _value(block.first, oracle), _value(block.second, oracle)
            higher = {Verdict.HIGHER: first > second, Verdict.LOWER: first < second}
            wrong += [] if higher.get(block.verdict, True) else [f"{first} {block.verdict} {second}"]
    return wrong


def _kinds(answer: Answer, expect: dict[str, Any]) -> list[str]:
    """The blocks that a kind of question is answered with."""
    asked = {
        "rank": Ranking,
        "rank_item": Ranking,
        "beyond": Ranking,
        "within": Ranking,
        "compare": Contrast,
        "chart": Chart,
    }
    kind = asked.get(expect["kind"])
    blocks = [block for block in answer.blocks if kind and isinstance(block, kind)]
    if kind and not blocks:
        return [f"no {kind.__name__}"]
    most = expect.get("order", "most") == "most"
    ranked = [block for block in blocks if isinstance(block, Ranking)]
    beyond = expect["kind"] in ("beyond", "within")
    return [] if beyond or not ranked or any(block.most is most for block in ranked) else ["the wrong end"]


def _beside(one: Wanted, expect: dict[str, Any]) -> bool:
    """A share is said with its number, a distance with the size."""
    metric, rows, item = one
    if expect["kind"] == "share":
        return rows[0] in expect["rows"] and item == expect["value"]
    if expect["kind"] in LISTS:
        return metric == _metric_of(expect) and list(rows) == expect["rows"]
    if expect["kind"] == "changed":
        return metric == "moved"
    return expect["kind"] == "list" or (expect["kind"] == "similar" and metric == "users")


def right(fact: Fact, oracle: Oracle) -> bool:
    """Whether a fact is what the oracle counts."""
    if fact.measure.startswith(f"{QUERY}:"):  # of what the oracle does not count
        return False
    close = DISTANCE_TOLERANCE if fact.measure == "distance" else 1e-9
    try:
        return math.isclose(fact.value, _value(fact, oracle), rel_tol=close, abs_tol=1e-12)
    except KeyError:  # of nothing that the oracle knows
        return False


def _value(fact: Fact, oracle: Oracle) -> float:
    """The oracle's value of any figure that can be said."""
    metric, rows, item = fact.measure, fact.segments, fact.item
    kind, _, what = metric.partition(":")
    if metric == "moved" and item:
        return float(oracle.moves()[item])
    simple = {
        "segments": lambda: len(oracle.segments), "distance": lambda: oracle.distances(rows[0])[rows[1]],
        "moved": lambda: oracle.moved()[0], "moved_share": lambda: oracle.moved()[0] / oracle.moved()[1],
    }  # fmt: skip
    if metric in simple:
        return float(simple[metric]())
    if kind in ("difference", "ratio"):
        one, other = (_ranked(what, key, item, oracle) for key in rows)
        return one - other if kind == "difference" else one / other
    if kind in ("entry", "exit"):
        return float(oracle.ends(kind, rows[0])[item])
    if kind == "step":
        by, _, of = what.partition(":")
        ends = item.split(" → ")
        only = {"from": (ends[0], None), "to": (None, ends[1]), "": (None, None)}[of]
        return float(oracle.steps(by, rows[0], *only)[item])
    return _ranked(metric, rows[0], item, oracle)


def _ranked(what: str, key: str, item: str, oracle: Oracle) -> float:
    metric, _, dimension = what.partition(":")
    if metric.startswith("not_") and not dimension:
        did = oracle.measure(metric.removeprefix("not_"), key)
        return (1.0 if metric == "not_outcome_rate" else oracle.measure("users", key)) - did
    if metric.startswith("not_"):
        seen = oracle.item(metric.removeprefix("not_"), dimension, key, item)
        return (1.0 if metric == "not_share" else _known(key, dimension, item, oracle)) - seen
    return oracle.item(metric, dimension, key, item) if dimension else oracle.measure(metric, key)


def _known(key: str, dimension: str, item: str, oracle: Oracle) -> float:
    """Users of a row whose item of that kind is known."""
    share, users = (oracle.item(metric, dimension, key, item) for metric in ("share", "users"))
    return round(users / share) if share else oracle.measure("users", key)


def wanted_of(expect: dict[str, Any], oracle: Oracle) -> Iterator[Wanted]:
    """Figures that an answer has to give, by what the question's file expects."""
    kind, rows = expect["kind"], expect.get("rows", [])
    if kind in ("rank", "chart", "rank_item"):
        yield from _wanted_ranking(expect, oracle)
    elif kind == "metric":
        yield from ((name, (key,), "") for key in rows for name in expect["metrics"])
    elif kind == "share":
        yield from ((f"{expect['metric']}:{expect['dimension']}", (key,), expect["value"]) for key in rows)
    elif kind == "compare":
        held = [f"{OTHERS}:{rows[0]}" if key == "all" else key for key in rows]
        yield from ((name, (key,), "") for key in held for name in expect["metrics"])
    elif kind == "compare_all":
        yield from _extremes(oracle)
    elif kind in ("describe", "why"):
        yield from _wanted_description(expect)
    elif kind in ("top", "entry", "exit", "step", "similar"):
        yield from _wanted_list(expect, oracle)
    elif kind == "changed":
        yield from (("moved", ("all",), ""), ("moved_share", ("all",), ""))
    elif kind == "list":
        yield from (("users", (key,), "") for key in oracle.segments)
    else:
        yield from _wanted_choice(expect, oracle)


def _wanted_choice(expect: dict[str, Any], oracle: Oracle) -> Iterator[Wanted]:
    """Some items beside each other, or the rows on one side of all users."""
    name = expect["metric"]
    if expect["kind"] == "either":
        (key,) = expect["rows"]
        yield from ((f"{name}:{expect['dimension']}", (key,), value) for value in expect["values"])
    elif expect["kind"] == "beyond":
        every, sign = oracle.measure(name, "all"), {"above": 1, "below": -1}[expect["side"]]
        beyond = [key for key in oracle.segments if sign * (oracle.measure(name, key) - every) > 0]
        yield from ((name, (key,), "") for key in ("all", *beyond))
    elif expect["kind"] == "within":
        limit, sign = expect["limit"], {"above": 1, "below": -1}[expect["side"]]
        kept = [key for key in oracle.segments if sign * (oracle.measure(name, key) - limit) > 0]
        yield from ((name, (key,), "") for key in kept)


def _extremes(oracle: Oracle) -> Iterator[Wanted]:
    """Of what is not tested, the measures in which some segment differs; of the tested ones q decides."""
    for name in ("page_views_mean", "sessions_mean"):
        decided = [oracle.decision(name, "", key, f"{OTHERS}:{key}") for key in oracle.segments]
        if any(one and one[0] for one in decided):
            yield from ((name, (key,), "") for key in oracle.segments)


def _wanted_ranking(expect: dict[str, Any], oracle: Oracle) -> Iterator[Wanted]:
    dimension = expect.get("dimension", "")
    what = f"{expect['metric']}:{dimension}" if dimension else expect["metric"]
    item, most = expect.get("value", ""), expect.get("order", "most") == "most"
    keys = expect.get("rows") or oracle.segments
    best = sorted(keys, key=lambda key: _ranked(what, key, item, oracle), reverse=most)
    yield from ((what, (key,), item) for key in best[: expect.get("n")])


def _wanted_description(expect: dict[str, Any]) -> Iterator[Wanted]:
    (key,) = expect["rows"]
    if expect["kind"] == "describe":
        yield from ((name, (key,), "") for name in DESCRIBED if (name, key) != ("share", "all"))
    elif metric := expect.get("metric"):
        yield from ((metric, (one,), "") for one in (key, "all" if metric in COUNTS else f"{OTHERS}:{key}"))


def _wanted_list(expect: dict[str, Any], oracle: Oracle) -> Iterator[Wanted]:
    """As many as were asked for; which ones is checked with their order, where equal ones may stand in."""
    (key,) = expect["rows"]
    if expect["kind"] == "similar":
        yield from (("distance", (key, other), "") for other in oracle.distances(key).index[: expect["n"]])
    else:
        values = _listed(expect, oracle)
        least = values.iloc[: expect["n"]].min() if len(values) else 0
        sure = values[values > least].index if len(values) > expect["n"] else values.index
        yield from (
            (_metric_of(expect), (key,), item)
            for item in sure
            if expect["kind"] != "top" or _by_value(expect)
        )


def _by_value(expect: dict[str, Any]) -> bool:
    return bool(expect["metric"] != "lift")


def _metric_of(expect: dict[str, Any]) -> str:
    if expect["kind"] == "top":
        return f"{expect['metric']}:{expect['dimension']}"
    if expect["kind"] != "step":
        return f"{expect['kind']}:page"
    of = "from" if expect.get("origin") else "to" if expect.get("target") else ""
    return f"step:{expect['by']}" + (f":{of}" if of else "")


def _listed(expect: dict[str, Any], oracle: Oracle) -> Any:  # noqa: ANN401 - a pandas Series
    import pandas as pd

    (key,) = expect["rows"]
    if expect["kind"] == "step":
        steps = oracle.steps(expect["by"], key, expect.get("origin"), expect.get("target"))
        return steps.drop(NO_LABELS, errors="ignore")
    if expect["kind"] in ("entry", "exit"):
        return oracle.ends(expect["kind"], key)
    dimension, metric = expect["dimension"], expect["metric"]
    names = oracle.top(dimension, key, metric)
    names = names[: expect["n"] + 20]
    return pd.Series({name: oracle.item(metric, dimension, key, name) for name in names}, dtype="float64")


def _is_edge(step: str) -> bool:
    return step.startswith("(start)") or step.endswith("(end of session)")


def _order(said: Sequence[Fact], expect: dict[str, Any], oracle: Oracle) -> list[str]:
    """Lists must be as long as asked, and each place hold an item with the value of that place."""
    if expect["kind"] not in LISTS:
        return []
    values = _listed(expect, oracle)
    own = [fact for fact in said if fact.measure == _metric_of(expect) and [fact.row] == expect["rows"]]
    n = expect["n"]
    if expect.get("origin") or expect.get("target"):  # where a session ends stands below its pages
        values = values[[name for name in values.index if not _is_edge(name)]]
        pages = [fact for fact in own if not _is_edge(fact.item)]
        n, own = n - (len(own) - len(pages)), pages
    if len(own) != min(n, len(values)):
        return [f"{len(own)} listed"]
    if expect["kind"] == "top" and not _by_value(expect):
        return [] if [fact.item for fact in own] == list(values.index[: len(own)]) else ["order"]
    wrong = [
        fact.item for fact, value in zip(own, values, strict=False) if not math.isclose(fact.value, value)
    ]
    return [f"order: {wrong}"] if wrong else []

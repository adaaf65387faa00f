"""Settings of the analyst for a model: number of segments, weights, outcome, segments, a funnel.

A model was trained on one data set, so the controls of a model are those of its data set, too. They are kept
beside its segments, and a link carries them to another browser.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Annotated, Any, Final

from pydantic import Field

from core.base.errors import ResourceError, SettingsError
from core.base.schema import LEARNED_VIEWS, View
from core.base.settings import (
    ChosenOutcomes,
    OutcomeCount,
    Settings,
    ViewWeights,
    named_outcomes,
)
from core.facts.answer import ScreenChange
from core.journeys.funnel import Funnel, funnel_from_link, funnel_to_link
from core.journeys.moves import Level
from core.periods import filter as count_filter
from core.periods.filter import CountFilter
from core.query.in_words import people
from core.query.query import By, Condition, Is, condition_of, parts_of
from core.rules.conditions import SegmentRule
from core.saved.saved_work import STAGE
from core.storage.json_cache import JsonFile
from core.storage.store import Store

MAX_SEGMENTS: Final = 24
"""Most segments in the app, as many as the finest level; from the 21st on colours repeat. The command line
goes up to 50."""
USUAL_SEGMENTS: Final = 6
LINKED: Final = (
    "k",
    *View,
    "insist",
    "counts",
    "level",
    "funnel",
    *count_filter.LINKED,
    "rule",
    "user",
    "hand",
    "fit",
    "outcome",
    "segment",
    "later",
)
"""Names of the parameters of a link; some may occur several times, with a value each."""


class Controls(Settings):
    """All settings of the analyst for a model, with their defaults."""

    removed = frozenset({"algorithm", "min_cluster_size"})
    n_clusters: Annotated[int, Field(ge=2)] | None = None
    """None where nobody has chosen it: a first segmentation starts at the number that the users support."""
    weights: ViewWeights = ViewWeights()
    outcomes: ChosenOutcomes = None
    """Chosen outcomes; None takes what usually is the outcome, where the data have it."""
    outcome_counts: OutcomeCount = OutcomeCount.ANY
    segments: tuple[str, ...] | None = None
    """Keys of the rows that were chosen to be looked at; None before any choice."""
    level: Level | None = None
    """How finely journeys tell pages apart; None for what can be read."""
    funnel: Funnel | None = None
    """Steps of the funnel in their order; None takes the usual way to the outcome."""
    counted: CountFilter = CountFilter()
    """Users and days that pages with this filter count; it changes no segment. A link has it, no file."""
    rule: SegmentRule | None = None
    """A rule of the analyst's own."""
    user: Annotated[int, Field(ge=0)] | None = None
    """Index of the one user that is looked at; a link has it, and no file: it is not for the next session."""
    named_anyway: bool = True
    """Whether segments have names where the users support no number of them, as a description."""

    def n_within(self, different: int, start: int = USUAL_SEGMENTS) -> int:
        """The chosen number of segments, or ``start``, cut to what the data and the app allow (at least 2).

        Args:
            different: Number of clustered users with different page views.
            start: The number where nobody has chosen one.
        """
        return min(self.n_clusters or start, max(2, min(MAX_SEGMENTS, different - 1)))

    def linked(self, link: Mapping[str, Sequence[str]]) -> Controls:
        """These controls changed by a link (parameter → values); impossible values are left out."""
        said: dict[str, Any] = {
            "n_clusters": next(iter(link.get("k", ())), None),
            "weights": _linked_weights(link),
            "outcomes": tuple(link.get("outcome", ())) or None,
            "outcome_counts": next(iter(link.get("counts", ())), None),
            "level": next(iter(link.get("level", ())), None),
            "segments": tuple(link.get("segment", ())) or None,
            "funnel": _linked_funnel(link),
            "counted": _linked_filter(link),
            "rule": _linked_rule(link),
            "user": next(iter(link.get("user", ())), None),
        }
        now = self
        for name, value in said.items():
            if value is not None:
                with suppress(SettingsError):
                    now = Controls.checked(**now.model_dump() | {name: value})
        return now

    def changed(self, change: ScreenChange, present: Sequence[View]) -> dict[str, Any]:
        """Name of a control → its value after a proposed change, of the controls that it changes.

        Args:
            change: The change.
            present: Views that can have a weight.
        """
        named = {name: getattr(change, name) for name in ("n_clusters", "counted", "outcomes")}
        found = {name: value for name, value in named.items() if value is not None}
        if change.weight is not None:
            found["weights"] = reweighted(self.weights, present, *change.weight)
        return found

    def link(self) -> dict[str, list[str]]:
        """Parameter → values of a link that sets these controls; an empty list where one is not set."""
        shown = percentages(self.weights, tuple(View))
        return {
            "k": [str(self.n_clusters)] if self.n_clusters else [],
            **{str(view): [str(shown[view])] for view in LEARNED_VIEWS},
            "activity": [str(shown[View.ACTIVITY])] if self.weights.activity else [],
            "insist": ["1"] if self.weights.insist else [],
            "outcome": named_outcomes(self.outcomes),
            "level": [self.level.value] if self.level else [],
            "counts": [] if self.outcome_counts is OutcomeCount.ANY else [self.outcome_counts.value],
            "segment": list(self.segments or ()),
            "funnel": [] if self.funnel is None else [funnel_to_link(self.funnel)],
            **self.counted.link(),
            "rule": [] if self.rule is None else [self.rule.model_dump_json(exclude_defaults=True)],
            "user": [] if self.user is None else [str(self.user)],
        }


def unread_funnel(link: Mapping[str, Sequence[str]]) -> str:
    """Why the funnel of a link cannot be read; empty where it can, or where there is none."""
    try:
        for text in link.get("funnel", ())[:1]:
            funnel_from_link(text)
    except SettingsError as error:
        return str(error)
    return ""


def percentages(weights: ViewWeights, present: Sequence[View]) -> dict[View, int]:
    """The weights of the present views as whole numbers that add up to 100; by default where all are 0."""
    some = any(weights.of(view) for view in present)
    return _shared({view: (weights if some else ViewWeights()).of(view) for view in present}, 100)


def effective(weights: ViewWeights, present: Sequence[View]) -> ViewWeights:
    """Weights as whole percentages of the present views, so that equal mixes have equal weights."""
    counted = percentages(weights, present)
    usual = counted == percentages(ViewWeights(), present)
    return ViewWeights(insist=weights.insist) if usual else _weights(counted, insist=weights.insist)


def reweighted(weights: ViewWeights, present: Sequence[View], view: View, percent: int) -> ViewWeights:
    """The weights after one was set to a percentage: the others share the rest in the ratio that they had."""
    before = percentages(weights, present)
    others = [other for other in present if other != view]
    ratios = before, percentages(ViewWeights(), present), dict.fromkeys(present, 1)
    ratio = next(one for one in ratios if any(one[other] for other in others))
    rest = _shared({other: ratio[other] for other in others}, 100 - percent)
    return effective(_weights({view: percent} | rest, insist=weights.insist), present)


def load(store: Store, model: str, others: Iterable[str] = ()) -> Controls:
    """Read a model's controls; without any, the defaults, with outcome and funnel of another model.

    Args:
        store: Where they are kept.
        model: Content key of the model.
        others: Content keys of the other models of its data set; the one that was changed last counts.
    """
    with suppress(ResourceError, FileNotFoundError):  # forgotten meanwhile
        return _file(store, model).read() or _carried(store, others)
    return Controls()


def _carried(store: Store, others: Iterable[str]) -> Controls:
    """Defaults, with what is about the data set from the model that was set last."""
    files = [file for other in others if (file := _file(store, other)).path.exists()]
    last = max(files, key=lambda file: file.path.stat().st_mtime_ns).read() if files else None
    about = {"outcomes", "outcome_counts", "funnel"}
    return Controls().model_copy(update={name: getattr(last, name) for name in about}) if last else Controls()


def save(store: Store, model: str, controls: Controls) -> None:
    """Keep the controls of a model; filter and single user are only for this session and links.

    Raises:
        ResourceError: If the disk is full.
    """
    _file(store, model).write(controls.model_copy(update={"user": None, "counted": CountFilter()}))


def _weights(percent: Mapping[View, int], *, insist: bool) -> ViewWeights:
    shares = {view: percent.get(view, 0) / 100 for view in View}
    return ViewWeights.checked(**shares, insist=insist)


def _shared(ratio: Mapping[View, float], total: int) -> dict[View, int]:
    """Whole numbers in a ratio that add up to a total, by largest remainder."""
    scale = total / sum(ratio.values()) if ratio else 0.0
    shares = {view: int(part * scale) for view, part in ratio.items()}
    by_remainder = sorted(ratio, key=lambda view: shares[view] - ratio[view] * scale)
    for view in by_remainder[: total - sum(shares.values())]:
        shares[view] += 1
    return shares


def _linked_weights(link: Mapping[str, Sequence[str]]) -> dict[str, float] | None:
    with suppress(ValueError):
        said = {str(view): float(link[view][0]) / 100 for view in View if link.get(view)}
        insist = {"insist": float(link.get("insist") == ["1"])}
        return {str(view): said.get(str(view), 0.0) for view in View} | insist if said else None
    return None


def _linked_filter(link: Mapping[str, Sequence[str]]) -> CountFilter | None:
    with suppress(SettingsError):
        found = CountFilter.from_link(link)
        return filter_of(condition_of(found.where), found) if found and found.where else found
    return None


def filter_of(condition: Condition, beside: CountFilter) -> CountFilter:
    """A filter of the users of whom a condition holds, with the days and attributes of another filter.

    Raises:
        SettingsError: If the condition is about segments, which a filter leaves as they are.
    """
    if any(isinstance(part, Is) and part.dimension is By.SEGMENT for part in parts_of(condition)):
        raise SettingsError("A filter cannot be of segments", remedy="Choose the segments on the page")
    where = condition.model_dump_json(exclude_none=True)
    return beside.model_copy(update={"where": where, "who": people(condition, str)})


def _linked_funnel(link: Mapping[str, Sequence[str]]) -> Funnel | None:
    with suppress(SettingsError):
        return funnel_from_link(link["funnel"][0]) if link.get("funnel") else None
    return None


def _linked_rule(link: Mapping[str, Sequence[str]]) -> SegmentRule | None:
    with suppress(ValueError):
        return SegmentRule.model_validate_json(link["rule"][0]) if link.get("rule") else None
    return None


def _file(store: Store, model: str) -> JsonFile[Controls]:
    return JsonFile(store.root / STAGE / f"{model}.controls.json", Controls, sparse=True)

"""Record the personal places of an export with the analyst's decisions, and mask labels and broken values."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from core.ingest.clean.audience import EACH, PUBLIC, Audience, Tail
from core.ingest.clean.page_text import GAP, Values, words_of
from core.ingest.clean.personal_data import mask_url
from core.ingest.clean.rare_text import mask_names, mask_rare
from core.storage.receipt import Decision, PersonalPlace


@dataclass
class Masking:
    """The personal places of an export, and the decisions about them.

    Args:
        tail: Statistics of public places in this export.
        public: Number of users from which on a text is public.
        regions: Countries whose telephone numbers may be written without a prefix.
        keep: Names of places whose values stay, by the analyst's choice.
        mask: Names of places whose values are all masked, by the analyst's choice.
        places: Name → place, for all places found so far.
        values: Name of a place → audiences of its values found so far.
        names: Words in the values of personal places.
        kinds: Kind of personal data → page views of texts that hold it and that a single user saw.
        labels: Column → label → masked label, if decided on more users than these; None if not decided yet.
    """

    tail: Tail
    public: int = PUBLIC
    regions: tuple[str, ...] = ()
    keep: Collection[str] = ()
    mask: Collection[str] = ()
    places: dict[str, PersonalPlace] = field(default_factory=dict)
    values: dict[str, dict[str, Audience]] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    kinds: Counter[str] = field(default_factory=Counter)
    labels: dict[str, dict[str, str]] | None = None

    def decide(self, name: str, values: Values, by_rule: Collection[str], new: str = GAP) -> dict[str, str]:
        """Decide which values of a place to mask, and record the place.

        Args:
            name: Name of the place: all of its values are masked if it is in ``mask``, else none if it is in
                ``keep``, else those of ``by_rule``.
            values: Every value of the place → its audience.
            by_rule: Values that look personal.
            new: Masked form of the values.

        Returns:
            Value to mask → ``new``. A place is not recorded if nothing is masked and ``by_rule`` is empty.
        """
        masked = [] if name in self.keep else list(by_rule)
        decision = Decision.KEPT if name in self.keep else Decision.FOUND
        if name in self.mask:
            masked, decision = list(values), Decision.FORCED
        if not masked and not by_rule:
            return {}
        self.note(name, {value: values[value] for value in masked or by_rule}, decision)
        return dict.fromkeys(masked, new)

    def masked(self, name: str, values: Values, by_rule: Collection[str], new: str = GAP) -> dict[str, str]:
        """Decide on values of addresses (:meth:`decide`), and add the words of masked ones to ``names``."""
        renamed = self.decide(name, values, by_rule, new)
        self.names.update(word for value in renamed for word in words_of(value))
        return renamed

    def note(self, name: str, values: Values, decision: Decision) -> None:
        """Record values of a place, beside those recorded before; a value that is noted twice counts once."""
        seen = self.values.setdefault(name, {})
        seen.update(values)
        self.places[name] = PersonalPlace(
            name=name,
            decision=decision,
            values=len(seen),
            users=len({audience.first for audience in seen.values()}),
            page_views=sum(audience.views for audience in seen.values()),
            examples=tuple(dict.fromkeys(_hint(value) for value in sorted(seen)[:EACH])),
        )

    def hide(self, names: Collection[str]) -> None:
        """Mask names of users in the names of places, as a place may lie below a page of a single user."""
        hidden = (
            place.model_copy(update={"name": mask_names(name, names).text})
            for name, place in self.places.items()
        )
        self.places = {place.name: place for place in hidden}

    @property
    def listed(self) -> tuple[PersonalPlace, ...]:
        """All places, those with the most values first."""
        return tuple(sorted(self.places.values(), key=lambda place: (-place.values, place.name)))

    @property
    def can_tell(self) -> bool:
        """Whether users share any values in this export, so that unshared values mean something."""
        return self.tail.owned is not None

    def mask_rare(self, text: str, audience: Audience) -> str:
        """Mask hints of personal data in a text that hardly anybody saw, if users share any values."""
        if not (audience.rare and self.can_tell):
            return text
        masked = mask_rare(text, self.regions)
        for kind in masked.kinds:
            self.kinds[kind] += audience.views
        return masked.text


def _hint(value: str) -> str:
    """Shorten a value for display to its first letter and an ellipsis."""
    return f"{value[:1]}…"


_BUCKETS: Final = 64
_OUTLINED: Final = re.compile(r"\{[a-z]+\}|[^\W\d_]{2,}|\d(?:[ ./()-]{0,2}\d){4,}")
"""Placeholders, words, and runs of five digits or more, grouped or not."""
_TIME: Final = re.compile(
    r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?:[T ][\d:.,+Z -]*)?|\d{1,2}:[\d:.,]*|\d{0,4}"
    r"|\d{8}|1\d{9,18}(?:\.\d+)?|\d[\d.]*e[+-]?\d+",
    re.IGNORECASE,
)
"""Dates, times of day, seconds or microseconds since 1970; other long numbers may be personal."""


def mask_labels(column: str, labels: Sequence[str], users: np.ndarray, masking: Masking) -> list[str]:
    """Return labels, such as browsers, sources or event names, in their order, with personal ones masked.

    Args:
        column: Column of the labels, which is the name of the place.
        labels: Distinct labels.
        users: int64 of shape (len(labels),), number of users of each.
        masking: Statistics of the export; receives the place if it is personal.
    """
    if masking.labels is not None:
        return [masking.labels[column][label] for label in labels]
    masked = [mask_url(label).text for label in labels]
    audiences = {
        label: _audience(number, int(count))
        for number, (label, count) in enumerate(zip(masked, users, strict=True))
    }
    own = [label for label, audience in audiences.items() if audience.rare and not label.startswith("{")]
    personal = masking.tail.differs(audiences.values()) or column in masking.mask
    renamed = masking.decide(column, audiences, own) if personal else {}
    return [renamed.get(label) or masking.mask_rare(label, audiences[label]) for label in masked]


def outline(value: str) -> str:
    """Reduce a value that could not be read to its outline, as it may be personal.

    Times and short numbers stay; words and long numbers are cut to the first character.
    """
    text = mask_url(value).text
    if _TIME.fullmatch(text):
        return text
    return _OUTLINED.sub(lambda match: match[0] if match[0][0] == "{" else f"{match[0][0]}…", text)


def _audience(number: int, users: int) -> Audience:
    """Make an audience of so many users that shares no user with the other ones."""
    return Audience(users, number, number + (users > 1), (1 << min(users, _BUCKETS)) - 1)

"""The personal places of an export: what was found, what the analyst says to it, and labels masked so."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from core.data.receipt import Decision, PersonalPlace
from core.ingest.clean.audience import EACH, PUBLIC, Audience, Tail
from core.ingest.clean.page_text import GAP, Values, words_of
from core.ingest.clean.personal_data import mask_url
from core.ingest.clean.rare_text import mask_names, mask_rare


@dataclass
class Masking:
    """Personal places, and what was done about them.

    Args:
        tail: What public places look like in this export.
        public: Users from which on a text is public.
        regions: Countries whose telephone numbers may stand in a text without a prefix.
        keep: Names of places whose values stay as they are, by the analyst's choice.
        mask: Names of places whose values all go.
        places: What was found so far.
        values: Name of a place → those of its values that were found so far.
        names: Words that stood in personal places.
        kinds: Kind of personal data → page views of texts in which it stood and which one user alone saw.
        labels: What labels of users and events become, by column, where that was decided on more users than
            are looked at; None where it is yet to be.
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
        """Note a place, and say what becomes of its values.

        Args:
            name: How the analyst may refer to it.
            values: Every value of the place.
            by_rule: Those of one user each that are to go.
            new: What they become.
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
        """Decide on parts of addresses (:meth:`decide`), whose words are noted as well."""
        renamed = self.decide(name, values, by_rule, new)
        self.names.update(word for value in renamed for word in words_of(value))
        return renamed

    def note(self, name: str, values: Values, decision: Decision) -> None:
        """Add values of a place to the list; what two rules find counts once."""
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
        """Mask names in what places are called: above a place there may be a page of one user."""
        hidden = (
            place.model_copy(update={"name": mask_names(name, names).text})
            for name, place in self.places.items()
        )
        self.places = {place.name: place for place in hidden}

    @property
    def listed(self) -> tuple[PersonalPlace, ...]:
        """The places, those with the most values first."""
        return tuple(sorted(self.places.values(), key=lambda place: (-place.values, place.name)))

    @property
    def can_tell(self) -> bool:
        """Whether anything is shared in this export, so that what is not says something."""
        return self.tail.owned is not None

    def mask_rare(self, text: str, audience: Audience) -> str:
        """Mask a text that one user alone saw by what it looks like, if there are others at all."""
        if not (audience.rare and self.can_tell):
            return text
        masked = mask_rare(text, self.regions)
        for kind in masked.kinds:
            self.kinds[kind] += audience.views
        return masked.text


def _hint(value: str) -> str:
    """A value as it may be shown: its first letter, and dots for the rest."""
    return f"{value[:1]}…"


_BUCKETS: Final = 64
_OUTLINED: Final = re.compile(r"\{[a-z]+\}|[^\W\d_]{2,}|\d(?:[ ./()-]{0,2}\d){4,}")
"""Placeholders, words, and five digits or more, in groups or not."""
_TIME: Final = re.compile(
    r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?:[T ][\d:.,+Z -]*)?|\d{1,2}:[\d:.,]*|\d{0,4}"
    r"|\d{8}|1\d{9,18}(?:\.\d+)?|\d[\d.]*e[+-]?\d+",
    re.IGNORECASE,
)
"""Dates, times of day, seconds or microseconds since 1970; other long numbers may be somebody's."""


def mask_labels(column: str, labels: Sequence[str], users: np.ndarray, masking: Masking) -> list[str]:
    """Mask labels of which each user has one or a few.

    Args:
        column: Name of the place.
        labels: Different labels.
        users: int64 of shape (len(labels),), users of each.
        masking: How to judge; takes the place if it is personal.
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
    """Show of a value that could not be read what it looks like: who wrote it is not known, nor what it is.

    Times and short numbers stay, of words and long numbers the first character.
    """
    text = mask_url(value).text
    if _TIME.fullmatch(text):
        return text
    return _OUTLINED.sub(lambda match: match[0] if match[0][0] == "{" else f"{match[0][0]}…", text)


def _audience(number: int, users: int) -> Audience:
    """A audience of so many users, none of whom is in another one."""
    return Audience(users, number, number + (users > 1), (1 << min(users, _BUCKETS)) - 1)

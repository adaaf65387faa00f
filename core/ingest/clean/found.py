"""The personal places of an export: what was found, and what the analyst says to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field

from core.data.receipt import Decision, PersonalPlace
from core.ingest.clean.crowds import EACH, PUBLIC, Crowd, Tail
from core.ingest.clean.lone import mask_lone
from core.ingest.clean.page_parts import GAP, Values, words_of
from core.ingest.clean.person_names import mask_names


@dataclass
class Found:
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
    values: dict[str, dict[str, Crowd]] = field(default_factory=dict)
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
            users=len({crowd.first for crowd in seen.values()}),
            page_views=sum(crowd.views for crowd in seen.values()),
            examples=tuple(dict.fromkeys(hint(value) for value in sorted(seen)[:EACH])),
        )

    def hide(self, names: Collection[str]) -> None:
        """Mask names in what places are called: above a place there may be a page of one user."""
        hidden = (
            place.model_copy(update={"name": mask_names(name, names).text})
            for name, place in self.places.items()
        )
        self.places = {place.name: place for place in hidden}

    @property
    def can_tell(self) -> bool:
        """Whether anything is shared in this export, so that what is not says something."""
        return self.tail.owned is not None

    def lone(self, text: str, crowd: Crowd) -> str:
        """Mask a text that one user alone saw by what it looks like, if there are others at all."""
        if not (crowd.rare and self.can_tell):
            return text
        masked = mask_lone(text, self.regions)
        for kind in masked.kinds:
            self.kinds[kind] += crowd.views
        return masked.text


def hint(value: str) -> str:
    """A value as it may be shown: its first letter, and dots for the rest."""
    return f"{value[:1]}…"

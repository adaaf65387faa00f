"""Rung 0: apply the analyst's corrections. A page's wins over a template's, the latest over earlier ones."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

from core.base.errors import SettingsError
from core.base.schema import NO_THEME, UNKNOWN, View
from core.labels.label_settings import Override, Taxonomy
from core.labels.label_types import Label, Rung, Subject
from core.labels.templates import parse, spellings

_VIEWS: Final = (View.THEME, View.TYPE)
_SHOWN: Final = 3
"""Most corrections that a note names."""
_END: Final = ""
"""Key of the template that ends at a node; a segment's key starts with a slash."""


class OverrideClassifier:
    """Labels pages and templates that were corrected by hand.

    Args:
        overrides: The corrections, the oldest first. One with a label that the taxonomy lacks (it was
            renamed, or is of another site) has no effect; see :attr:`skipped`.
        taxonomy: The possible labels.
        templates: Path templates of this export. A correction of one of these holds for it alone; a
            correction of another export's template for all pages that it covers.
        literal: Path segments that no placeholder replaces (:func:`core.labels.templates.mine`).
    """

    rung = Rung.OVERRIDE

    def __init__(
        self,
        overrides: Sequence[Override],
        taxonomy: Taxonomy,
        templates: Collection[str] = (),
        literal: Collection[str] = frozenset(),
    ) -> None:
        allowed = {view: frozenset(names(taxonomy, view)) for view in _VIEWS}
        usable = [one for one in overrides if one.value in allowed[one.view]]
        self.skipped = tuple(one for one in overrides if one.value not in allowed[one.view])
        """Corrections that have no effect."""
        self._values = {(one.view, one.target): one.value for one in usable}
        self._age = {(one.view, one.target): age for age, one in enumerate(usable)}
        known = frozenset(templates)
        elsewhere = [key for key in self._values if key[1] not in known]
        self._of_other_exports = {
            view: Templates((target for own, target in elsewhere if own is view), literal) for view in _VIEWS
        }

    def classify(self, subjects: Sequence[Subject], view: View) -> list[Label | None]:
        """Label subjects by corrections: one of a single page by that page's, else by its template's."""
        return [self.of(one.urls[0] if len(one.urls) == 1 else "", one.template, view) for one in subjects]

    def of(self, url: str, template: str, view: View) -> Label | None:
        """The correction of a page, else of its template, else the latest of a template that covers it.

        Args:
            url: The page; empty to look only its template up.
            template: The page's template.
            view: ``View.THEME`` or ``View.TYPE``.
        """
        targets = [one for one in (url, template) if (view, one) in self._values][:1]
        targets = targets or self._of_other_exports[view].of(url or template)
        if not targets:
            return None
        target = max(targets, key=lambda one: self._age[view, one])
        return Label(self._values[view, target], self.rung, evidence=f"corrected by hand: {target}")

    def note(self) -> str:
        """Sentence on corrections that have no effect; empty if there are none."""
        if not self.skipped:
            return ""
        count = f"{len(self.skipped):,} corrections" if len(self.skipped) > 1 else "A correction"
        shown = ", ".join(f"{one.view} {one.value!r} of {one.target[:80]}" for one in self.skipped[:_SHOWN])
        more = ", …" if len(self.skipped) > _SHOWN else ""
        return f"{count} to labels that the taxonomy lacks left out: {shown}{more}"


def names(taxonomy: Taxonomy, view: View) -> list[str]:
    """Labels that a page can be corrected to: the view's classes, ``Unknown`` and, as theme, ``No theme``."""
    extra = [UNKNOWN, NO_THEME] if view is View.THEME else [UNKNOWN]
    return [*(one.name for one in taxonomy.classes(view)), *extra]


def check(override: Override, taxonomy: Taxonomy) -> None:
    """Check that a correction has one of :func:`names`.

    Raises:
        SettingsError: If the label is not in the taxonomy.
    """
    allowed = names(taxonomy, override.view)
    if override.value not in allowed:
        raise SettingsError(
            f"The correction of {override.target[:200]} has {override.view} {override.value!r}, which is not"
            " in the taxonomy",
            allowed=", ".join(allowed),
            remedy="Add the name to the taxonomy, or change or remove the correction",
        )


class Templates:
    """A trie of templates by segment that finds which of them cover a page, whatever export they are from.

    Mining depends on the data: ``/lookbook/amber`` is itself where it has few siblings and
    ``/lookbook/:slug`` where it has many; ``/en/…`` becomes ``/:locale/…`` when a second language comes.
    Corrections of templates must outlive that.

    Args:
        templates: Templates to look pages up in; a page without placeholders is one too.
        literal: Path segments that no placeholder replaces (:func:`core.labels.templates.mine`).
    """

    def __init__(self, templates: Iterable[str], literal: Collection[str] = frozenset()) -> None:
        self._literal = literal
        self._roots: dict[tuple[str, str], dict[str, Any]] = {}
        for template in templates:
            parts = parse(template)
            node = self._roots.setdefault((parts.front, parts.query), {})
            for segment in parts.segments:
                node = node.setdefault(f"/{segment}", {})
            node[_END] = template

    def of(self, page: str) -> list[str]:
        """The templates that ``page`` (a page or template) may have become: placeholders for any segments.

        The page itself is one if it is known; host and query have to be equal.
        """
        parts = parse(page)
        nodes = [self._roots.get((parts.front, parts.query), {})]
        for segment in parts.segments:
            names = sorted(spellings(segment, self._literal))
            nodes = [node[f"/{name}"] for node in nodes for name in names if f"/{name}" in node]
        return [node[_END] for node in nodes if _END in node]

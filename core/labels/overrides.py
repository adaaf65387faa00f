"""Rung 0: what the analyst has said. An exact page wins over a template, the latest over earlier ones."""

from __future__ import annotations

from collections.abc import Sequence

from core.errors import SettingsError
from core.labels.contract import Label, Rung, Subject
from core.labels.settings import NO_THEME, UNKNOWN, LabelSettings, Override, Taxonomy
from core.schema import View


class OverrideClassifier:
    """Decides pages and templates that were corrected by hand.

    Args:
        settings: Corrections and taxonomy.

    Raises:
        SettingsError: If a correction names a label that the taxonomy does not have.
    """

    rung = Rung.OVERRIDE

    def __init__(self, settings: LabelSettings) -> None:
        for override in settings.overrides:
            check(override, settings.taxonomy)
        self._by_target = {(one.view, one.target): one.value for one in settings.overrides}

    def classify(self, subjects: Sequence[Subject], view: View) -> list[Label | None]:
        """Decide a subject by its template, or by its page where it is a single one."""
        return [
            self.of_page(one.urls[0] if len(one.urls) == 1 else "", one.template, view) for one in subjects
        ]

    def of_page(self, url: str, template: str, view: View) -> Label | None:
        """The correction of this page, else that of its template."""
        for target in (url, template):
            if (value := self._by_target.get((view, target))) is not None:
                return Label(value, self.rung, evidence=f"corrected by hand: {target}")
        return None


def check(override: Override, taxonomy: Taxonomy) -> None:
    """Refuse a label that no page can get.

    Raises:
        SettingsError: If it is not one of the taxonomy's.
    """
    names = [] if override.view is View.URL else [one.name for one in taxonomy.classes(override.view)]
    names += [UNKNOWN, NO_THEME] if override.view is View.THEME else [UNKNOWN]
    if override.view is View.URL or override.value not in names:
        raise SettingsError(
            f"The correction of {override.target} has {override.view} {override.value!r}, which is not in the"
            " taxonomy",
            allowed=", ".join(names),
            remedy="Add the name to the taxonomy, or change or remove the correction",
        )

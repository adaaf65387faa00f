"""What the controls say of a view that the model has not, and where no outcome is set."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from core.base.schema import UNKNOWN, View
from pages.ui.segments import segment_controls
from pages.ui.segments.segment_controls import ABSENT, absent


@pytest.mark.parametrize(
    ("of_pages", "said"),
    [
        (["Blog", "Blog"], "Page types left out: all pages are of one type (Blog)."),
        ([UNKNOWN, UNKNOWN], "Page types left out: no page has a type."),
        (["Blog", UNKNOWN], ABSENT[View.TYPE]),
        (None, ABSENT[View.TYPE]),
    ],
)
def test_why_a_view_is_left_out(of_pages: list[str] | None, said: str) -> None:
    labels = None if of_pages is None else SimpleNamespace(of={View.TYPE: of_pages}.__getitem__)
    made_from: Any = SimpleNamespace(labels=labels)
    assert absent(made_from, View.TYPE) == said


@pytest.mark.parametrize(("chosen", "said"), [(None, "apply may be it"), ((), ""), (("apply",), "")])
def test_what_may_be_the_outcome_is_said_until_somebody_chose_one_or_none(
    chosen: tuple[str, ...] | None, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made_from: Any = SimpleNamespace(model_key="m")
    index = SimpleNamespace(data=SimpleNamespace(outcomes=SimpleNamespace(unset="apply may be it")))
    monkeypatch.setattr(segment_controls.shared, "basis", lambda _: index)
    monkeypatch.setattr(segment_controls.state, "controls", lambda _: SimpleNamespace(outcomes=chosen))
    assert segment_controls._unset(made_from) == said

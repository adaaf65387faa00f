"""What the controls say of a view that the model has not."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from core.base.schema import View
from core.labels.label_settings import UNKNOWN
from pages.ui.segments.steering import ABSENT, absent


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

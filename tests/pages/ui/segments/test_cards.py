"""The field that a segment is named in."""

from __future__ import annotations

from typing import Any

import pytest
import streamlit as st

from pages.ui.segments import cards


@pytest.mark.parametrize(("sent", "saved"), [("Readers", []), ("Hunters", [(1, "Hunters")]), ("", [(1, "")])])
def test_what_a_field_began_with_is_nobody_s_name(
    monkeypatch: pytest.MonkeyPatch, sent: str, saved: list[tuple[int, str]]
) -> None:
    drawn: dict[str, Any] = {}
    monkeypatch.setattr(st, "text_input", lambda *_, **given: drawn.update(given))
    renamed: list[tuple[int, str]] = []
    cards.name_field(1, "Readers", lambda segment, name: renamed.append((segment, name)))
    monkeypatch.setattr(st, "session_state", {drawn["key"]: sent})
    drawn["on_change"]()
    assert renamed == saved

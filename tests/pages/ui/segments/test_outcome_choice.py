"""What is said where no outcome is set."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from pages.ui.segments import outcome_choice


@pytest.mark.parametrize(("chosen", "said"), [(None, "apply may be it"), ((), ""), (("apply",), "")])
def test_what_may_be_the_outcome_is_said_until_somebody_chose_one_or_none(
    chosen: tuple[str, ...] | None, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made_from: Any = SimpleNamespace(model_key="m")
    index = SimpleNamespace(data=SimpleNamespace(outcomes=SimpleNamespace(unset="apply may be it")))
    monkeypatch.setattr(outcome_choice, "basis", lambda _: index)
    monkeypatch.setattr(outcome_choice.state, "controls", lambda _: SimpleNamespace(outcomes=chosen))
    assert outcome_choice.unset(made_from) == said

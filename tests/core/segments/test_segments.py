"""Rules kept with a model."""

from pathlib import Path

import pytest

from core.base.errors import ArtifactError
from core.segments.arrivals import Condition, Trait
from core.segments.one_page import OnePageSegment, SecondPage, read_rules, write_rules


def test_rules_come_back_from_a_file(tmp_path: Path) -> None:
    made = (
        OnePageSegment(
            name="Mobile",
            rule=(Condition(field=Trait.DEVICE, op="is", value="mobile"),),
            users=3,
            second_pages=(SecondPage(page="/a", users=1, n=4),),
        ),
        OnePageSegment(name="Other one-page users", rule=(), users=1),
    )
    write_rules(tmp_path / "rules.json", made)
    assert read_rules(tmp_path / "rules.json") == made
    assert made[0].second_pages[0].share == 0.25


def test_a_file_with_more_of_an_earlier_version_is_read(tmp_path: Path) -> None:
    (tmp_path / "rules.json").write_text('[{"name": "Mobile", "rule": [], "users": 3, "evidence": []}]')
    assert read_rules(tmp_path / "rules.json") == (OnePageSegment(name="Mobile", rule=(), users=3),)


def test_a_model_without_rules_has_none_and_damaged_ones_are_said(tmp_path: Path) -> None:
    assert read_rules(tmp_path / "rules.json") == ()
    (tmp_path / "rules.json").write_text('[{"name": 1}]')
    with pytest.raises(ArtifactError, match="damaged"):
        read_rules(tmp_path / "rules.json")

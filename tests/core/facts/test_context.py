"""What words are made from."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from core.base.schema import View
from core.base.settings import AnalyzeSettings, OutcomeCount, UrlSettings
from core.facts.context import Basis
from core.journeys.moves import levels_of
from core.profiles.metrics import profile
from core.rules.conditions import RuleFeatures
from core.segments.certificate import Certificate
from core.storage.page_labels import LabelledPages
from tests.core.facts.toy import TYPES, context, partition, without_outcome
from tests.core.profiles.toy import LABELS, toy, toy_dataset


def test_rows_and_titles() -> None:
    made = context()
    assert made.keys == ("segment:0", "segment:1", "group:one_page", "group:bot_like", "all")
    assert made.segment_keys == ("segment:0", "segment:1")
    assert made.title("segment:1") == "Blog readers (segment 2)"
    assert made.title("group:one_page") == "One-page users"


def test_a_name_is_one_visible_line_and_keeps_its_signs() -> None:
    made = context({0: "Sale\n\u200bhunters <b>"})
    assert made.title("segment:0") == "Sale hunters <b> (segment 1)"
    assert made.titles(["segment:0"])["segment:0"].short == "Sale hunters <b>"
    assert tuple(made.titles()) == (*made.keys, "others", "group:no_page_view", "list")


def test_new_names_keep_what_was_counted() -> None:
    made = context()
    made.tables.warm()
    renamed = replace(made, names={0: "Others"})
    assert renamed.tables is made.tables
    assert renamed.title("segment:0") == "Others (segment 1)"


def test_the_digest_names_the_segments() -> None:
    other = replace(
        context().tables, partition=partition(np.array([0, 0, 1, 1, 1, -1, -1, -1], dtype=np.int32))
    )
    assert context().tables.digest == context().tables.digest
    assert other.digest != context().tables.digest


def test_the_digest_knows_how_several_outcomes_are_counted() -> None:
    """Each user's first one, or any of them: other segments convert, so what is kept of them is stale."""
    asked = {"outcome": ("purchase", "add_to_cart")}
    digests = {
        counts: replace(
            context().tables, profiles=profile(toy(), LABELS, AnalyzeSettings(**asked, outcome_counts=counts))
        ).digest
        for counts in OutcomeCount
    }
    assert len(set(digests.values())) == len(OutcomeCount)


def test_a_suggested_name_is_what_a_segment_is_called_until_it_has_one() -> None:
    made = replace(context({0: "Sale hunters"}), suggested={0: "Bargains", 1: "Blog readers"})
    assert made.title("segment:0") == "Sale hunters (segment 1)"
    assert made.title("segment:1") == "Blog readers (segment 2)"


@pytest.mark.parametrize(
    ("jaccard", "unnamed", "named"),
    [
        (0.59, "Segment 1 (doubtful)", "Mine (segment 1, doubtful)"),
        (0.6, "Segment 1", "Mine (segment 1)"),
    ],
)
def test_a_doubtful_segment_is_called_so(jaccard: float, unnamed: str, named: str) -> None:
    sure = {0: Certificate(0, 3, jaccard, 0.4, 0.9, 0.5, 1.0, rival=1, moves=0.1)}
    made = replace(context(), names={}, certificates=sure)
    assert made.title("segment:0") == unnamed
    assert replace(made, names={0: "Mine"}).title("segment:0") == named
    assert "doubtful" not in made.title("segment:1") + made.title("all")


def test_pages_are_called_by_what_tells_them_apart(tmp_path: Path) -> None:
    basis = Basis.from_dataset(toy_dataset(tmp_path))
    assert basis.pages == ("/", "/sale", "/blog", "/cart")
    assert basis.labels is None
    assert basis.views == (View.URL,)


def test_steps_of_a_funnel_are_called_as_on_the_page_journeys(tmp_path: Path) -> None:
    dataset, labelled = toy_dataset(tmp_path), LabelledPages(tmp_path, "labels")
    templates = ["shop.example/{…}"] * 3 + ["shop.example/cart"]
    columns = {"template": templates, "type": TYPES, "theme": ["Shoes"] * 4}
    vars(labelled)["table"] = pd.DataFrame({"page": range(4), **columns})
    made = replace(Basis.from_dataset(dataset, labelled), urls=UrlSettings).funnel_site
    expected = levels_of(dataset.pages, labelled)
    assert {level: list(names) for level, names in made.names.items()} == {
        level: list(names) for level, names in expected.items()
    }
    assert set(made.names) == {"page", "template", "type"}  # one theme tells nothing apart


def test_rules_are_found_once_a_partition_of_the_features_that_the_data_set_has(tmp_path: Path) -> None:
    dataset = toy_dataset(tmp_path)
    made, alone = Basis.from_dataset(dataset), RuleFeatures.from_dataset(dataset)
    own = made.rule_features
    assert own.inside.tolist() == alone.inside.tolist()
    assert own.pages == alone.pages
    for field, coded in alone.attributes.items():
        assert own.attributes[field].values == coded.values
        assert own.attributes[field].codes.tolist() == coded.codes.tolist()
    for field, values in alone.measures.items():
        assert own.measures[field].tolist() == values.tolist()
    for field, items in alone.viewed.items():
        assert own.viewed[field].names == items.names
        assert (own.viewed[field].views != items.views).nnz == 0
    found = made.rules(partition())
    assert {*found} == {0, 1}
    assert made.rules(partition()) is found
    assert made.rules(partition(LABELS[::-1].copy())) is not found


def test_clustered_users_with_the_outcome_are_held_against_clustered_users_without_it() -> None:
    tables = context().tables
    saw_blog = profile(toy(), LABELS, AnalyzeSettings(outcome=("page:/blog",)))
    by_outcome = replace(tables, profiles=saw_blog).by_outcome
    assert by_outcome is not None
    assert by_outcome.segment_keys == ("outcome:with", "outcome:without")
    # 3, 4 saw it; 0, 1, 2 did not; 6, 7 did and are in no segment
    assert [by_outcome.records[key]["users"] for key in by_outcome.segment_keys] == [2, 3]
    assert by_outcome.records["outcome:with"]["share_clustered"] == 0.4


def test_without_an_outcome_there_are_no_such_rows() -> None:
    assert without_outcome().tables.by_outcome is None


def test_what_part_of_an_export_is_counted_is_read_when_it_is_asked_for(tmp_path: Path) -> None:
    dataset = toy_dataset(tmp_path)
    basis = Basis.from_dataset(dataset)
    vars(dataset)["receipt"] = SimpleNamespace(narrowed="a sample of 8 of 32 users")
    assert basis.narrowed() == "a sample of 8 of 32 users"

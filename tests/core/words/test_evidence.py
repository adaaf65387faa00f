"""What may be said about a segment."""

import json

from hypothesis import given
from hypothesis import strategies as st

from core.words.contract import Unit
from core.words.evidence import HIDDEN, Evidence, evidence_pack
from core.words.facts import FactBook
from core.words.figures import Figures
from tests.core.words.toy import context, figures


def test_everything_about_a_segment() -> None:
    pack = evidence_pack(figures(), "segment:0", fewest=1)
    assert (pack["segment"], pack["called"]) == ("segment:0", "Segment 1 (Sale hunters)")
    groups = pack["facts"]
    assert {
        "figures",
        "sets_apart",
        "comes_with",
        "sessions_begin",
        "sessions_end",
        "steps",
        "nearest",
    } == set(groups)
    assert groups["sessions_begin"][0] | {"id": ""} == {
        "id": "", "metric": "entry:page", "says": "share of sessions that begin there",
        "segments": ["segment:0"],
        "item": "/sale", "value": "75.0%", "of": 4,
    }  # fmt: skip
    assert groups["steps"][0]["item"] == "Category → Cart & checkout"
    assert pack["typical_visitors"] == (
        ("/", "/sale", "/sale", "/cart"), ("/sale", "/cart"), ("/sale", "/sale", "/sale"),
    )  # fmt: skip
    assert json.loads(json.dumps(pack))["segment"] == "segment:0"


def test_pages_without_labels_step_from_page_to_page() -> None:
    steps = Evidence(figures(labelled=False), "segment:0", fewest=1).steps
    assert steps[0].item == "/sale → /cart"


def test_figures_over_few_users_are_left_out() -> None:
    pack = evidence_pack(figures(), "segment:0", fewest=3)
    told = {fact["metric"] for fact in pack["facts"]["figures"]}
    assert "users" in told
    assert not told & {"outcome_rate", "outcome_sessions", "revenue", "revenue_per_user"}  # one user's
    assert pack["typical_visitors"][1] == ("/sale", HIDDEN)  # two users saw /cart
    assert evidence_pack(figures(), "segment:0")["facts"]["figures"] == []


@given(st.integers(1, 9), st.sampled_from(["segment:0", "segment:1", "group:one_page", "all"]))
def test_no_figure_is_over_fewer_users_than_asked(fewest: int, key: str) -> None:
    made = figures()
    evidence = Evidence(made, key, fewest)
    facts = [fact for name, group in evidence.groups.items() if name != "nearest" for fact in group]
    assert all(made.book.users(fact) >= fewest for fact in facts)


def test_no_id_of_a_user_is_in_a_pack() -> None:
    made = figures()
    text = json.dumps([evidence_pack(made, key, fewest=1) for key in made.context.segment_keys])
    ids = made.context.tables.basis.sequences.user_id.to_pylist()
    assert not any(one in text for one in ids)


def test_a_pack_for_a_model_has_the_nearest_segments_for_contrast() -> None:
    assert list(evidence_pack(figures(), "segment:0", fewest=1)["contrast"]) == ["segment:1"]


def test_groups_have_no_neighbours_and_all_users_no_lifts() -> None:
    made = Figures(context(), FactBook())
    assert Evidence(made, "group:one_page", fewest=1).nearest == ()
    assert Evidence(made, "group:one_page", fewest=1).visitors == ()
    assert Evidence(made, "all", fewest=1).lifts == ()
    assert all(fact.unit is not Unit.TEXT for fact in Evidence(made, "all", fewest=1).measures)

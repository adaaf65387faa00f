"""What may be said about a segment."""

from dataclasses import replace

from core.facts.fact_maker import Figures
from core.facts.segment_tools import Evidence
from tests.core.facts.toy import basis, context, figures


def test_everything_about_a_segment() -> None:
    made = Evidence(figures(), "segment:0")
    kinds = {fact.measure.partition(":")[0] for fact in made.everything}
    assert {"outcome_rate", "share", "entry", "exit", "step", "distance"} <= kinds
    begin = made.entries[0]
    assert (begin.measure, begin.segments, begin.item, begin.text, begin.n) == (
        "entry:page", ("segment:0",), "/sale", "75%", 4
    )  # fmt: skip
    assert [(fact.item, fact.text, fact.n) for fact in made.steps] == [
        ("Category → Category", "15%", 13), ("Category → Cart & checkout", "15%", 13),
        ("Homepage → Category", "8%", 13),
    ]  # fmt: skip
    assert [fact.segments[1] for fact in made.nearest] == ["segment:1"]


def test_pages_without_labels_step_from_page_to_page() -> None:
    steps = Evidence(figures(labelled=False), "segment:0").steps
    assert steps[0].item == "/sale → /sale"


def test_steps_between_unlabelled_pages_say_nothing() -> None:
    some = basis(types=["Unknown", "Unknown", "Blog", "Cart & checkout"])
    none = basis(types=["Unknown"] * 4)
    for made, said in ((some, "Unknown → Cart & checkout"), (none, "/sale → /sale")):
        tables = replace(context().tables, basis=made)
        about = replace(context(), tables=tables)
        steps = Evidence(Figures(about), "segment:0").steps
        assert steps[0].item == said
        assert "Unknown → Unknown" not in {fact.item for fact in steps}


def test_groups_have_no_neighbours_and_all_users_differ_from_nobody() -> None:
    made = Figures(context())
    assert Evidence(made, "group:one_page").nearest == ()
    assert Evidence(made, "all").differences == ()

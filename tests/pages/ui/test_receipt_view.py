"""The tables behind the receipt's charts."""

from core.dataset import Dataset
from core.receipt import Receipt, Step
from pages.ui.receipt_view import files_table, not_page_views, steps_table, waterfall_chart
from tests.pages.fixtures_segments import FinishedRun


def with_losses(run: FinishedRun) -> Receipt:
    facts = Dataset(run.root / "preprocess" / run.dataset, run.dataset).receipt
    used = facts.page_views_used
    steps = (
        Step(name="rejected", label="Could not be read", records=7, left=used + 3),
        Step(name="no_id", label="Without a user", records=3, left=used, users=2, note="consent"),
    )
    return facts.model_copy(update={"records": used + 10, "waterfall": steps})


def test_records_that_are_no_page_views_are_said_to_be(finished_run: FinishedRun) -> None:
    facts = with_losses(finished_run)
    other = Step(name="not_page_view", label="Not a page view", records=5, left=facts.records - 5)
    assert not_page_views(facts) == 0
    assert not_page_views(facts.model_copy(update={"waterfall": (other, *facts.waterfall)})) == 5


def test_the_table_starts_with_what_was_read_and_ends_with_what_is_used(finished_run: FinishedRun) -> None:
    facts = with_losses(finished_run)
    table = steps_table(facts)
    assert table["Step"].tolist() == ["Records in the files", "Could not be read", "Without a user"]
    assert table["Left"].tolist() == [facts.records, facts.records - 7, facts.page_views_used]
    assert table["Users"].isna().tolist() == [True, True, False]


def test_the_bars_of_the_chart_join_up(finished_run: FinishedRun) -> None:
    facts = with_losses(finished_run)
    bars = waterfall_chart(steps_table(facts)).data
    assert bars["records"].tolist() == [facts.records, 7, 3, facts.page_views_used]
    assert bars["from"].tolist()[1:3] == bars["to"].tolist()[2:]
    assert bars["label"].tolist()[1:3] == ["−7", "−3"]


def test_one_row_a_file(finished_run: FinishedRun) -> None:
    facts = with_losses(finished_run)
    (row,) = files_table(facts).to_dict("records")
    assert (row["File"], row["Records"], row["Rejected"]) == ("toy.csv", facts.files[0].records, 0)

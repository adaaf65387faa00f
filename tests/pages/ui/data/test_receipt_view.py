"""The tables behind the receipt's charts."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.base.schema import Raw
from core.base.settings import IngestSettings
from core.ingest.account import accounting
from core.ingest.observe.logins import join_logins
from core.storage.dataset import Dataset
from core.storage.receipt import OutcomeUsers, Receipt, WaterfallStep
from pages.ui.data.ga4_view import figures_table
from pages.ui.data.receipt_view import (
    events_table,
    files_table,
    kinds_table,
    steps_table,
    waterfall_chart,
)
from tests.core.ingest.shop import Row, event, made_of, raw_read, shop
from tests.pages.fake_jobs import texts
from tests.pages.fixtures_segments import FinishedRun


def deed(user: str | None, second: int, name: str, revenue: str) -> Row:
    return event(user, second, name=name, purchase_revenue=revenue, currency="EUR")


def with_losses(run: FinishedRun) -> Receipt:
    facts = Dataset(run.root / "preprocess" / run.dataset, run.dataset).receipt
    used = facts.page_views_used
    steps = (
        WaterfallStep(name="rejected", label="Could not be read", records=7, left=used + 3),
        WaterfallStep(name="no_id", label="Without a user", records=3, left=used, users=2, note="consent"),
    )
    return facts.model_copy(update={"records": used + 10, "waterfall": steps})


def test_events_say_who_did_them_and_what_was_paid_in_each_currency(finished_run: FinishedRun) -> None:
    facts = Dataset(finished_run.root / "preprocess" / finished_run.dataset, "toy").receipt
    bought = OutcomeUsers(
        users=7, without_page_view=2, left_out=1, events=9, revenue={"USD": 3, "EUR": 1204.5}
    )
    shown = events_table(facts.model_copy(update={"outcome_users": {"purchase": bought}}))
    assert shown.iloc[0].tolist() == ["purchase", 7, 1, 1, 9, "1,204.50 EUR, 3.00 USD"]


def test_what_nobody_did_is_in_the_totals_and_apart(tmp_path: Path) -> None:
    rows = [event("u", 0), deed("u", 1, "purchase", "20"), deed(None, 2, "purchase", "30"), event(None, 3)]
    facts = shop(tmp_path, *rows).receipt
    assert events_table(facts).iloc[0].tolist() == ["purchase", 1, 0, 0, 2, 1, "50.00 EUR", "30.00 EUR"]
    assert kinds_table(facts).to_numpy().tolist() == [
        ["Used", 1, 1, 2], ["No user id: reason not said", 1, 1, 2],
    ]  # fmt: skip


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


def test_a_step_at_which_nothing_leaves_is_in_the_table_and_not_in_the_chart(
    finished_run: FinishedRun,
) -> None:
    table = steps_table(with_losses(finished_run))
    table.loc[1, "Leave"] = 0
    assert waterfall_chart(table).data["Step"].tolist() == [
        "Records in the files", "Without a user", "Page views used",
    ]  # fmt: skip


def test_one_row_a_file(finished_run: FinishedRun) -> None:
    facts = with_losses(finished_run)
    (row,) = files_table(facts).to_dict("records")
    assert (row["File"], row["Records"], row["Rejected"]) == ("toy.csv", facts.files[0].records, 0)
    assert "Put together" not in row
    file = facts.files[0].model_copy(update={"records": facts.files[0].records + 9, "collapsed": 9})
    (row,) = files_table(facts.model_copy(update={"files": (file,)})).to_dict("records")
    assert row["Records"] == row["Read"] + row["Put together"]


def opened(made: Dataset) -> AppTest:
    """The receipt of a data set on a page."""

    def screen(folder: str) -> None:
        from core.storage.dataset import Dataset
        from pages.ui.data.receipt_view import receipt

        receipt(Dataset(folder, "toy"))

    app = AppTest.from_function(screen, kwargs={"folder": made.path}, default_timeout=20).run()
    assert not app.exception
    return app


def test_how_many_cookies_were_joined_is_said_without_opening_a_tab(tmp_path: Path) -> None:
    rows = [event(cookie, 0, **{Raw.LOGIN: "ann"}) for cookie in ("phone", "desk")]
    raw, settings = raw_read(tmp_path / "raw", [rows]), IngestSettings(join_logins=True)
    made = made_of(tmp_path, join_logins(raw, settings, tmp_path / "joined"), settings)
    captions = "\n".join(caption.value for caption in opened(made).caption)
    assert "2 cookies became 1 id: " in captions
    assert "*Change how it was read* undoes this." in captions
    plain = opened(shop(tmp_path / "plain", event("u", 0)))
    assert "cookie" not in "\n".join(caption.value for caption in plain.caption)


def test_of_many_rejects_the_first_are_shown_and_all_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounting, "KEPT", 3)
    made = shop(tmp_path, event("u", 0), *[{**event("u", 0), Raw.EVENT_TIMESTAMP: "x"}] * 5)
    app = opened(made)
    assert "Rejected rows (5)" in [tab.label for tab in app.tabs]
    assert "The first 3 of 5, by file and line; all are counted." in texts(app)
    assert any(len(table.value) == 3 for table in app.dataframe)


def test_figures_of_ga4_stand_beside_ours_with_every_cause(tmp_path: Path) -> None:
    rows = [
        event("u", 0, engagement_time_msec="9"), deed("u", 1, "purchase", "20.5"), event(None, 2),
        event("app", 3, name="first_open"),
    ]  # fmt: skip
    counted = shop(tmp_path, *rows).receipt.as_ga4
    assert counted is not None
    assert list(zip(*figures_table(counted).values(), strict=True)) == [
        ("Active users", "2", "1", "−1 without a page view"),
        ("Sessions", "2", "1", "−1 without a page view"),
        ("Views", "2", "1", "−1 no user id\\: reason not said"),
        ("Events", "4", "3", "−1 no user id\\: reason not said"),
        ("Gross purchase revenue, EUR", "20.50", "20.50", "the same"),
        ("Refunds, EUR", "0.00", "0.00", "the same"),
        ("Purchase revenue, EUR", "20.50", "20.50", "the same"),
    ]


def test_a_report_of_ga4_is_compared_and_a_figure_that_is_no_number_is_said(tmp_path: Path) -> None:
    def screen(folder: str) -> None:
        from core.storage.dataset import Dataset
        from pages.ui.data.ga4_view import beside_ga4

        beside_ga4(Dataset(folder, "toy").receipt)

    rows = [event("u", 0), deed("u", 1, "purchase", "20.5"), event(None, 2), event("u", 9)]
    made = shop(tmp_path, *rows)
    app = AppTest.from_function(screen, kwargs={"folder": made.path}, default_timeout=20).run()
    assert len(app.table) == 1
    app.text_input(key="ga4-events").input("3").run()
    app.text_input(key="ga4-sessions").input("some").run()
    assert not app.exception
    assert [error.value for error in app.error] == [
        "Sessions\\: 'some' is no number\\. Allowed\\: such as 1234 or 1,234\\."
    ]
    assert app.table[1].value.to_numpy().tolist() == [
        ["Events", "3", "4", r"\+1 without an id\: not in GA4's reports"]
    ]

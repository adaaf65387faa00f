"""Where sessions begin and end, and which page follows which."""

import pandas as pd
import pytest

from core.base.schema import View
from core.profiles import paths as module
from core.profiles.label_data import LabelData
from core.profiles.paths import PathData, StepCounts, session_ends
from core.profiles.profile_columns import Col
from core.profiles.rows import make_rows
from tests.core.facts.toy import THEMES, TYPES
from tests.core.profiles.toy import LABELS, toy, toy_tables

PAGES = ("/", "/sale", "/blog", "/cart")
ROWS = make_rows(toy(), LABELS)


def made() -> PathData:
    _, _, _, sequences = toy_tables()
    labels = LabelData.from_names(sequences, {View.THEME: THEMES, View.TYPE: TYPES})
    return PathData.from_sequences(sequences, PAGES, labels)


def listed(table: pd.DataFrame, key: str) -> dict[str, float]:
    own = table[table[Col.KEY] == key]
    return dict(zip(own[Col.VALUE], own[Col.SHARE], strict=True))


def test_entries_and_exits_by_eye() -> None:
    entries, exits = session_ends(made().entry, ROWS, 5), session_ends(made().exit, ROWS, 5)
    assert listed(entries, "segment:0") == {"/sale": 0.75, "/": 0.25}
    assert listed(exits, "segment:0") == {"/sale": 0.5, "/cart": 0.5}
    assert listed(entries, "segment:1") == pytest.approx({"/blog": 2 / 3, "/": 1 / 3})
    assert entries.loc[entries[Col.KEY] == "all", "sessions_n"].tolist() == [10] * 3


def test_a_list_can_be_cut() -> None:
    assert listed(session_ends(made().entry, ROWS, 1), "segment:0") == {"/sale": 0.75}


def test_steps_by_eye_without_reloads() -> None:
    counts = StepCounts.of(made().steps[View.URL], ROWS)
    table = counts.most(0, 5)
    assert table[["from", "to", "steps", "n", "users"]].to_numpy().tolist() == [
        ["/sale", "/cart", 2, 3, 2],
        ["/", "/sale", 1, 3, 1],
    ]


def test_steps_from_and_to_a_page_are_shares_of_these() -> None:
    counts = StepCounts.of(made().steps[View.URL], ROWS)
    everybody = ROWS.n_rows
    after = counts.most(everybody, 5, origin=1)  # sale → cart 2, sale → blog 2
    assert dict(zip(after["to"], after["share"], strict=True)) == {"/cart": 0.5, "/blog": 0.5}
    before = counts.most(everybody, 5, target=3)  # sale → cart 2, blog → cart 2
    assert before["share"].tolist() == [0.5, 0.5]


def test_no_step_gives_an_empty_table() -> None:
    counts = StepCounts.of(made().steps[View.URL], ROWS)
    assert len(counts.most(2, 5)) == 0  # users with one page


def test_steps_between_types_join_their_pages() -> None:
    table = StepCounts.of(made().steps[View.TYPE], ROWS).most(0, 1)
    assert table[["from", "to", "steps"]].to_numpy().tolist() == [["Category", "Cart & checkout", 2]]


def test_rare_steps_are_left_out_but_still_counted_in_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_STEPS", 1)
    table = StepCounts.of(made().steps[View.URL], ROWS).most(0, 5)
    assert len(table) == 1
    assert table["n"].tolist() == [3]


def test_unlabelled_pages_have_steps_between_pages_only() -> None:
    _, _, _, sequences = toy_tables()
    assert set(PathData.from_sequences(sequences, PAGES).steps) == {View.URL}

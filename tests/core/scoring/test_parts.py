"""Parts by user: everything of a user in one of them, nothing lost, the same in every run."""

import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.base.errors import NoPageViewsLeft, ResourceError, SettingsError
from core.base.schema import Raw
from core.base.settings import IngestSettings
from core.ingest.read.read_all import RawRead
from core.scoring import parts
from tests.core.ingest.raw import Read, read_paths, write
from tests.core.ingest.shop import Row, event, made_of, raw_read

Records = list[tuple[int, int, str | None]]


def rows(n_users: int, seed: int = 0) -> list[Row]:
    rng = np.random.default_rng(seed)
    users = [f"{number}.7" for number in rng.integers(0, n_users, 6 * n_users)]
    return [event(user, second) for second, user in enumerate(users)] + [event(None, 1), event(None, 2)]


def records(raw: RawRead) -> Records:
    return sorted((row[Raw.FILE_NO], row[Raw.LINE], row[Raw.USER_KEY]) for row in Read(raw).rows)


@pytest.fixture
def raw(tmp_path: Path) -> RawRead:
    return raw_read(tmp_path / "raw", [rows(40), rows(40, 1)[:50]], parts=3)


@pytest.mark.parametrize("n_parts", [1, 2, 7])
def test_all_records_of_a_user_are_in_one_part_and_none_is_lost(
    tmp_path: Path, raw: RawRead, n_parts: int
) -> None:
    made = parts.split_by_user(raw, n_parts, tmp_path / "parts")
    assert len(made) == n_parts
    assert sorted(row for part in made for row in records(part)) == records(raw)
    owners = [{user for _, _, user in records(part) if user} for part in made]
    assert max(Counter(user for part in owners for user in part).values()) == 1
    assert [sum(file.read for file in part.files) for part in made] == [len(records(part)) for part in made]
    assert [part.present for part in made] == [raw.present] * n_parts


def test_who_is_where_depends_on_no_other_user_and_on_no_thread(tmp_path: Path, raw: RawRead) -> None:
    def dealt(raw: RawRead, name: str, threads: int) -> dict[str | None, int]:
        made = parts.split_by_user(raw, 5, tmp_path / name, threads=threads)
        return {user: number for number, part in enumerate(made) for _, _, user in records(part)}

    first = dealt(raw, "one", 1)
    assert dealt(raw, "two", 4) == first
    some = raw_read(tmp_path / "some", [[row for row in rows(40) if row[Raw.USER_KEY] in ("1.7", "9.7")]])
    assert dealt(some, "three", 1) == {user: first[user] for user in ("1.7", "9.7")}
    assert len(set(first.values())) == 5  # so it could have differed


def test_what_parts_hold_before_it_goes_to_disk_follows_the_memory(tmp_path: Path, raw: RawRead) -> None:
    path = raw.parts[0][1]
    many = pq.read_table(path)
    many = many.take(np.arange(100_000) % len(many))
    ids = pa.array([str(number) for number in range(100_000)], many.schema.field(Raw.USER_KEY).type)
    place = many.schema.get_field_index(Raw.USER_KEY)
    pq.write_table(many.set_column(place, Raw.USER_KEY, ids), path)

    def most_rows(memory: int, n_parts: int = 8) -> int:
        out = tmp_path / f"{memory} {n_parts}"
        made = parts.split_by_user(replace(raw, parts=((0, path),)), n_parts, out, memory, threads=8)
        files = [pq.read_metadata(path) for part in made for _, path in part.parts]
        assert sum(file.num_rows for file in files) == 100_000
        return max(file.row_group(group).num_rows for file in files for group in range(file.num_row_groups))

    assert most_rows(40 * 2**20) < 0.7 * most_rows(400 * 2**20)
    assert most_rows(40 * 2**20, 150)  # more parts than files may be open, of which a part has several then


def test_rejects_are_in_the_first_part_and_the_parts_add_up(tmp_path: Path) -> None:
    lines = [f"page_view,161121000000{n:04},{n}.5,https://x.example/a,Home" for n in range(30)]
    header = "event_name,event_timestamp,user_pseudo_id,page_location,page_title"
    text = "\n".join([header, *lines, 'page_view,"', ""])
    raw = read_paths([write(tmp_path / "in.csv", text)], tmp_path).raw
    made = parts.split_by_user(raw, 3, tmp_path / "parts")
    assert [part.rejects.num_rows for part in made] == [raw.rejects.num_rows, 0, 0] == [1, 0, 0]
    assert sum(file.records for part in made for file in part.files) == raw.files[0].records == 31


@pytest.mark.parametrize("nobody", [None, "", " (Not set) ", "undefined"])
def test_records_of_nobody_make_no_part_larger_than_the_others(tmp_path: Path, nobody: str | None) -> None:
    named = rows(400)
    raw = raw_read(
        tmp_path / "raw", [[*named, *(event(nobody, second) for second in range(len(named) * 2 // 3))]]
    )
    made = parts.split_by_user(raw, 10, tmp_path / "parts")
    assert sorted(row for part in made for row in records(part)) == records(raw)
    assert max(part.rows for part in made) < 1.5 * raw.rows / 10
    assert parts.count_ids(raw, tmp_path) == len({row[Raw.USER_KEY] for row in named} - {None})
    drawn = parts.sample_of(raw, tmp_path / "some", share=0.5)
    assert nobody not in {user for _, _, user in records(drawn)}


def test_all_users_in_one_part_leave_the_others_empty(tmp_path: Path) -> None:
    raw = raw_read(tmp_path / "raw", [[event("a", second) for second in range(4)]])
    made = parts.split_by_user(raw, 4, tmp_path / "parts")
    assert sorted(len(part.parts) for part in made) == [0, 0, 0, 1]


def test_a_sample_has_all_records_of_its_users_and_about_as_many_as_asked_for(
    tmp_path: Path,
) -> None:
    raw = raw_read(tmp_path / "raw", [rows(2_000)])
    of_all = Counter(user for _, _, user in records(raw))
    some = parts.sample_of(raw, tmp_path / "some", share=500 / parts.count_ids(raw, tmp_path))
    found = Counter(user for _, _, user in records(some))
    assert None not in found
    assert abs(len(found) - 500) < 5 * np.sqrt(500)
    assert found == {user: of_all[user] for user in found}
    assert sum(file.records for file in some.files) == found.total()
    assert parts.count_ids(raw, tmp_path) == len(of_all) - 1


def test_a_sample_is_the_same_again_another_seed_draws_others_and_a_larger_one_has_them_all(
    tmp_path: Path, raw: RawRead
) -> None:
    def drawn(name: str, seed: int, share: float) -> set[str | None]:
        made = parts.sample_of(raw, tmp_path / name, share=share, seed=seed)
        return {user for _, _, user in records(made)}

    first = drawn("a", 0, 0.4)
    assert drawn("b", 0, 0.4) == first
    assert drawn("c", 1, 0.4) != first
    assert drawn("d", 0, 0.7) > first
    assert None not in drawn("e", 0, 0.99)
    assert drawn("f", 0, 1.0) == {user for _, _, user in records(raw)}


def test_a_sample_does_not_follow_the_parts(tmp_path: Path) -> None:
    raw = raw_read(tmp_path / "raw", [rows(1_000)])
    some = parts.sample_of(raw, tmp_path / "some", share=0.5)
    sizes = [
        len({user for _, _, user in records(part)}) for part in parts.split_by_user(some, 4, tmp_path / "p")
    ]
    assert min(sizes) > 80


@pytest.mark.parametrize("share", [0.0, 1.5])
def test_a_sample_that_cannot_be_is_refused(tmp_path: Path, raw: RawRead, share: float) -> None:
    with pytest.raises(SettingsError, match="A share of"):
        parts.sample_of(raw, tmp_path / "some", share=share)
    with pytest.raises(SettingsError, match="n_parts = 0"):
        parts.split_by_user(raw, 0, tmp_path / "parts")


def test_a_disk_without_room_is_told_before_anything_is_written(
    tmp_path: Path, raw: RawRead, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = shutil.disk_usage(tmp_path)._replace(free=100)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: full)
    with pytest.raises(ResourceError, match="100 Bytes are free"):
        parts.split_by_user(raw, 2, tmp_path / "parts")
    assert list((tmp_path / "parts").iterdir()) == []


def test_parts_are_data_sets_and_one_without_a_page_view_says_so(tmp_path: Path, raw: RawRead) -> None:
    whole = made_of(tmp_path / "whole", raw, IngestSettings()).users.set_index("user_id")
    made = parts.split_by_user(raw, 2, tmp_path / "parts")
    for number, part in enumerate(made):
        users = made_of(tmp_path / str(number), part, IngestSettings()).users.set_index("user_id")
        assert users.equals(whole.loc[users.index])
    scrolls = raw_read(tmp_path / "more", [[event("a", 1, name="scroll")]])
    with pytest.raises(NoPageViewsLeft, match="No page view is left of 1 records"):
        made_of(tmp_path / "none", replace(scrolls, present=raw.present), IngestSettings())
    assert pq.read_metadata(made[0].parts[0][1]).num_columns == pq.read_metadata(raw.parts[0][1]).num_columns

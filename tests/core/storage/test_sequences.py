from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.base.errors import ArtifactError
from core.storage.sequences import SCHEMA, UserSequences, read_sequences


def two_users() -> UserSequences:
    """User a saw pages 3, 1 in two sessions, user b saw page 0."""
    return UserSequences(
        user_id=pa.array(["a", "b"]),
        offsets=np.array([0, 2, 3]),
        page=np.array([3, 1, 0], np.int32),
        timestamp=np.array([10, 20, 5]),
        session=np.array([0, 1, 0], np.int32),
    )


def test_sizes_and_who_saw_what() -> None:
    sequences = two_users()
    assert (sequences.n_users, sequences.n_views) == (2, 3)
    assert sequences.lengths.tolist() == [2, 1]
    assert sequences.user.tolist() == [0, 0, 1]
    assert sequences.user.dtype == np.int32


@pytest.mark.parametrize(
    "changes",
    [
        {"offsets": np.array([0, 2])},  # a user is missing
        {"offsets": np.array([0, 2, 4])},  # more page views than there are
        {"offsets": np.array([1, 2, 3])},  # does not begin at the beginning
        {"offsets": np.array([0, 3, 3])},  # a user without a page view
        {"timestamp": np.array([10, 20])},
        {"session": np.array([0], np.int32)},
    ],
)
def test_arrays_that_do_not_fit_together_are_refused(changes: dict[str, np.ndarray]) -> None:
    with pytest.raises(ArtifactError, match="do not fit together"):
        UserSequences(**{**vars(two_users()), **changes})


def test_a_file_is_read_as_flat_arrays(tmp_path: Path) -> None:
    columns = [["a", "b"], [[3, 1], [0]], [[10, 20], [5]], [[0, 1], [0]]]
    arrays = [pa.array(values, field.type) for values, field in zip(columns, SCHEMA, strict=True)]
    pq.write_table(
        pa.Table.from_arrays(arrays, schema=SCHEMA), tmp_path / "sequences.parquet", row_group_size=1
    )
    found, expected = read_sequences(tmp_path / "sequences.parquet"), two_users()
    assert found.user_id.to_pylist() == ["a", "b"]
    for name in ("offsets", "page", "timestamp", "session"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
    assert (found.offsets.dtype, found.page.dtype) == (np.int64, np.int32)


def test_what_is_no_sequences_file_is_named(tmp_path: Path) -> None:
    other = tmp_path / "other.parquet"
    pq.write_table(pa.table({"a": [1]}), other)
    torn = tmp_path / "torn.parquet"
    torn.write_bytes(other.read_bytes()[:20])
    for path in (other, torn, tmp_path / "missing.parquet"):
        with pytest.raises(ArtifactError, match=path.name):
            read_sequences(path)

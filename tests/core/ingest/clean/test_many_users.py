"""More users than are held in memory beside the page views: the same comes of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.base.progress import silent
from core.base.settings import IngestSettings
from core.data.dataset import Dataset
from core.ingest.clean import locations
from core.ingest.ingest import ingest
from core.sample import write_sample


def test_digests_of_views_tell_what_those_of_users_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_sample(shop := tmp_path / "shop.csv", 1500, 1, silent)
    found = []
    for joined in (locations.JOINED, 0):
        monkeypatch.setattr(locations, "JOINED", joined)
        (out := tmp_path / str(joined)).mkdir()
        ingest([shop], IngestSettings(), out, silent, tmp_path)
        found.append(Dataset(out, ""))
    one, other = found
    assert one.receipt == other.receipt and sum(one.receipt.pii_masked.values()) > 0
    assert one.pages.equals(other.pages) and one.users.equals(other.users)

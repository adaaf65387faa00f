"""The commands of docs/how-to/files_elsewhere.md that fetch and read, against a real server of a bucket."""

from __future__ import annotations

import re
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from tests.docs.conftest import ROOT, start

TEXT = (ROOT / "docs" / "how-to" / "files_elsewhere.md").read_text(encoding="utf-8")
FETCH, _ = re.findall(r"```sh\n(.*?)\n```", TEXT, re.DOTALL)


def test_files_of_a_bucket_are_fetched_and_read(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://{}:{}".format(*server.get_host_and_port()))
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "made up")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        store = boto3.client("s3")
        store.create_bucket(Bucket="your-bucket")
        day = (place / "incoming" / "day.csv").read_bytes()
        store.put_object(Bucket="your-bucket", Key="ga4/events_1.csv", Body=day)
        fast = "--out out --labels off --preset bag --clusters 3"
        here = FETCH.replace("gs://", "s3://").replace(".parquet", ".csv").replace("--out out", fast)
        for command in here.splitlines():
            assert start(command, tmp_path).wait(timeout=250) == 0
    finally:
        server.stop()
    assert (tmp_path / "input" / "events_1.csv").read_bytes() == day
    assert (tmp_path / "out" / "report.html").exists()

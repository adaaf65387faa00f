import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from core.base.errors import ResourceError
from core.labels.fetching.extract import PROJECT, Extractor, document_from
from core.labels.fetching.fetch_outcomes import FetchOutcome, PageFailed
from core.labels.fetching.limits import FetchLimits

PAGE = b'<script type="application/ld+json">{"@type": "Product"}</script>'
MISBEHAVES = """
import ctypes, os, sys, tempfile, time
from core.labels.label_types import Document
from core.labels.fetching import child

def read(html, charset):
    if html == b"crash":
        ctypes.string_at(0)
    if html == b"sleep":
        time.sleep(60)
    if html == b"memory":
        bytearray(10**10)
    if html == b"bug":
        raise ZeroDivisionError
    if html == b"exit":
        os._exit(0)
    if html == b"write":
        with tempfile.TemporaryFile() as file:
            file.write(b"x" * 100)
    print("noise of a library")
    return Document(text=html.decode(), og_type=charset, breadcrumbs=tuple(sorted(os.environ)))

child.serve(int(sys.argv[1]), float(sys.argv[2]), read)
"""


@pytest.fixture
def misbehaving(tmp_path: Path) -> Extractor:
    """The real child, with a reader that does what the page says."""
    limits = FetchLimits.checked(extract_s=1.5, extract_bytes=300_000_000)
    return Extractor(limits, (sys.executable, "-c", MISBEHAVES))


def why(extractor: Extractor, html: bytes) -> str:
    with pytest.raises(PageFailed) as caught:
        extractor.extract(html)
    assert caught.value.outcome is FetchOutcome.UNREADABLE
    assert not caught.value.host_failed
    return caught.value.reason


def test_reads_a_page() -> None:
    assert Extractor(FetchLimits()).extract(PAGE, "utf-8").json_ld_types == ("Product",)


def test_the_charset_goes_with_the_page() -> None:
    text = ("<html><body><article><p>" + "Thé vert de Chine, très doux. " * 20).encode("latin-1")
    assert "Thé vert" in Extractor(FetchLimits()).extract(text, "latin-1\n").text


@pytest.mark.parametrize(
    ("html", "reason"),
    [
        (b"crash", f"it crashed the page reader (signal {signal.SIGSEGV.value})"),
        (b"sleep", "reading it took longer than 1.5 s"),
        (b"memory", "reading it needed more than 300 MB"),
        (b"bug", "it cannot be read as HTML"),
        (b"exit", "the page reader gave no document"),
        (b"write", "it cannot be read as HTML"),
    ],
)
def test_a_page_that_breaks_the_reader_costs_that_page(
    misbehaving: Extractor, html: bytes, reason: str
) -> None:
    assert why(misbehaving, html) == reason
    assert misbehaving.extract(b"tea").text == "tea"


def test_what_libraries_print_is_no_answer_and_secrets_stay_here(
    misbehaving: Extractor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    found = misbehaving.extract(b"tea", "utf-8")
    assert (found.text, found.og_type) == ("tea", "utf-8")
    assert "OPENAI_API_KEY" not in found.breadcrumbs


def test_a_page_deep_enough_to_hang_the_parser_ends_at_the_limit() -> None:
    limits = FetchLimits.checked(extract_s=1.0)
    assert "longer than 1 s" in why(Extractor(limits), b"<div>" * 300_000)


def test_aborting_ends_the_page_and_starts_no_other(misbehaving: Extractor) -> None:
    threading.Timer(0.3, misbehaving.abort).start()
    with pytest.raises(PageFailed):
        misbehaving.extract(b"sleep")
    with pytest.raises(PageFailed, match="stopped"):
        misbehaving.extract(b"tea")


def test_no_process_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(ResourceError, match="No process could be started"):
        Extractor(FetchLimits(), (str(tmp_path / "missing"),)).extract(PAGE)


def test_children_are_gone_afterwards(misbehaving: Extractor, monkeypatch: pytest.MonkeyPatch) -> None:
    children: list[int] = []
    start = subprocess.Popen

    def noted(*args: Any, **options: Any) -> subprocess.Popen[bytes]:  # noqa: ANN401 - as Popen has them
        child = start(*args, **options)
        children.append(child.pid)
        return child

    monkeypatch.setattr(subprocess, "Popen", noted)
    why(misbehaving, b"sleep")
    misbehaving.extract(b"tea")
    assert len(children) == 2
    for child in children:  # these alone: what else this process may have started is not asked
        with pytest.raises(ChildProcessError):
            os.waitpid(child, os.WNOHANG)


def test_the_child_is_started_where_core_can_be_found() -> None:
    assert (PROJECT / "core" / "labels" / "fetching" / "child.py").is_file()


@pytest.mark.parametrize(
    "answer", ["[]", "null", "{}", '{"text": 1, "json_ld_types": [], "og_type": "", "breadcrumbs": []}']
)
def test_an_answer_is_checked(answer: str) -> None:
    with pytest.raises((KeyError, TypeError)):
        document_from(json.loads(answer))

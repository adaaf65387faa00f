"""Against a real web server with ranges, and a real server of the S3 protocol."""

import gzip
import io
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import uvicorn
from fsspec.implementations.memory import MemoryFileSystem
from moto.server import ThreadedMotoServer
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from core.base.errors import Cancelled, InputError, ResourceError
from core.base.progress import silent
from core.ingest.sources import remote
from core.ingest.sources.remote import fetch
from core.storage import disk

Store: TypeAlias = Any
EXPORT = b"user_pseudo_id,event_name\n" + b"".join(b"u%05d,page_view\n" % n for n in range(20_000))


class Site:
    """A web server over a folder, which remembers what was asked of it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.asked = folder, []  # type: ignore[var-annotated]
        self.app = Starlette(
            routes=[
                Route("/files/{name:path}", self.file),
                Route("/stream/{name:path}", self.stream, methods=["GET"]),
                Route("/lying/{name:path}", self.lying, methods=["GET", "HEAD"]),
                Route("/packed/{name:path}", self.packed),
                Route("/signin/{name:path}", lambda _: HTMLResponse("\n<!doctype html><form>")),
                Route("/to/{address:path}", lambda asked: RedirectResponse(asked.path_params["address"])),
                Route("/any/{name:path}", lambda _: Response(EXPORT)),
                Route("/round.csv", lambda _: RedirectResponse("/round.csv")),
                Route("/closed/{name:path}", lambda _: Response(status_code=403)),
            ]
        )

    def file(self, request: Request) -> Response:
        self.asked.append((request.method, request.headers.get("range")))
        path = self.folder / request.path_params["name"]
        return FileResponse(path) if path.exists() else Response(status_code=404)

    def stream(self, request: Request) -> Response:
        """Neither size nor version nor ranges."""
        self.asked.append((request.method, request.headers.get("range")))
        data = (self.folder / request.path_params["name"]).read_bytes()
        return StreamingResponse(iter([data[: 1 << 17], data[1 << 17 :]]))

    def lying(self, request: Request) -> Response:
        """Of another length before it is fetched."""
        path = self.folder / request.path_params["name"]
        length = {"content-length": "99"} if request.method == "HEAD" else {}
        return FileResponse(path, headers=length)

    def packed(self, request: Request) -> Response:
        """Packed, although nobody asked for that."""
        data = gzip.compress((self.folder / request.path_params["name"]).read_bytes())
        return Response(data, headers={"content-encoding": "gzip"})


@contextmanager
def served(app: Starlette) -> Iterator[str]:
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[Site, str]]:
    made = Site(tmp_path / "site")
    made.folder.mkdir()
    (made.folder / "export.csv").write_bytes(EXPORT)
    with served(made.app) as address:
        yield made, address


@pytest.fixture
def into(tmp_path: Path) -> Path:
    folder = tmp_path / "into"
    folder.mkdir()
    return folder


def fake_resolver(monkeypatch: pytest.MonkeyPatch, addresses: dict[str, list[str]]) -> None:
    """Look names up in a table; of the addresses of this machine ``127.0.0.1`` is public."""
    monkeypatch.setattr(remote, "resolve", lambda host, _: addresses[host])
    monkeypatch.setattr(remote, "is_public", lambda address: address == "127.0.0.1")


def visible(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


def test_a_file_of_the_web_comes_whole_and_once(site: tuple[Site, str], into: Path) -> None:
    made, address = site
    found = fetch([f"{address}/files/export.csv"], into, silent)
    assert found == [into / "export.csv"]
    assert found[0].read_bytes() == EXPORT
    gets = [one for one in made.asked if one[0] == "GET"]
    fetch([f"{address}/files/export.csv"], into, silent)
    assert [one for one in made.asked if one[0] == "GET"] == gets, "what did not change is not fetched again"


def test_a_file_that_changed_replaces_the_one_before(site: tuple[Site, str], into: Path) -> None:
    made, address = site
    fetch([f"{address}/files/export.csv"], into, silent)
    (made.folder / "export.csv").write_bytes(EXPORT * 2)
    fetch([f"{address}/files/export.csv"], into, silent)
    assert (into / "export.csv").read_bytes() == EXPORT * 2
    assert visible(into) == ["export.csv"]
    assert not list(into.glob(".*.fetching"))


def test_what_was_cut_off_goes_on(
    site: tuple[Site, str], into: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, address = site
    monkeypatch.setattr(remote, "PIECE", 1 << 16)

    def stops(stage: str, fraction: float, message: str = "", **figures: float) -> None:
        if fraction > 0.5:
            raise Cancelled

    with pytest.raises(Cancelled):
        fetch([f"{address}/files/export.csv"], into, stops)
    assert visible(into) == []
    (part,) = into.glob(".*.fetching")
    have = part.stat().st_size
    assert len(EXPORT) / 2 < have < len(EXPORT)
    os.utime(part, (0, 0))  # however long ago
    made.asked.clear()
    fetch([f"{address}/files/export.csv"], into, silent)
    assert (into / "export.csv").read_bytes() == EXPORT
    begun = [int(asked.removeprefix("bytes=").split("-")[0]) for _, asked in made.asked if asked]
    assert min(begun) == have, "what is there is not asked for again"


def test_what_was_cut_off_of_a_version_that_is_gone_goes_after_a_day(
    site: tuple[Site, str], into: Path
) -> None:
    old, fresh = into / ".0123456789abcdef.fetching", into / ".fedcba9876543210.fetching"
    for part in (old, fresh):
        part.write_bytes(EXPORT[:99])
    os.utime(old, (0, 0))
    fetch([f"{site[1]}/files/export.csv"], into, silent)
    assert list(into.glob(".*.fetching")) == [fresh]


def test_a_server_that_tells_neither_size_nor_version(site: tuple[Site, str], into: Path) -> None:
    _, address = site
    for _ in range(2):
        fetch([f"{address}/stream/export.csv"], into, silent)
        assert (into / "export.csv").read_bytes() == EXPORT


def test_what_arrives_counts_and_not_what_was_announced(site: tuple[Site, str], into: Path) -> None:
    fetch([f"{site[1]}/lying/export.csv"], into, silent)
    assert (into / "export.csv").read_bytes() == EXPORT


def test_what_is_sent_packed_stays_packed(site: tuple[Site, str], into: Path) -> None:
    fetch([f"{site[1]}/packed/export.csv"], into, silent)
    assert gzip.decompress((into / "export.csv").read_bytes()) == EXPORT


def test_a_file_that_breaks_off_is_not_taken(into: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            for body in (b"", b"a,b\n"):
                taken, _ = server.accept()
                with taken:
                    taken.recv(10_000)
                    taken.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n" + body)

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(ResourceError, match=r"export\.csv cannot be read|ended after 4 of 99 bytes"):
            fetch([f"http://127.0.0.1:{server.getsockname()[1]}/export.csv"], into, silent)
        thread.join()
    assert visible(into) == []


def test_a_web_page_is_no_export(site: tuple[Site, str], into: Path) -> None:
    with pytest.raises(InputError, match=r"signin/export\.csv gives a web page"):
        fetch([f"{site[1]}/signin/export.csv"], into, silent)
    assert list(into.iterdir()) == []


def test_a_name_too_long_for_a_disk_is_shortened(site: tuple[Site, str], into: Path) -> None:
    found = fetch([f"{site[1]}/any/{'é' * 400}{n}.csv.gz" for n in "ab"], into, silent)
    assert len({path.name for path in found}) == 2
    assert all(path.name.endswith(".csv.gz") and path.read_bytes() == EXPORT for path in found)


@pytest.mark.parametrize("address", ["169.254.169.254", "[::ffff:169.254.169.254]", "[fe80::1]"])
def test_no_redirect_leads_to_what_a_cloud_tells_its_machines(
    site: tuple[Site, str], into: Path, address: str
) -> None:
    with pytest.raises(InputError, match=r"redirects to .*: not a public address"):
        fetch([f"{site[1]}/to/http://{address}/export.csv"], into, silent)


def test_a_redirect_leads_inside_only_from_inside(
    site: tuple[Site, str], into: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"{site[1]}/to/{site[1].replace('127.0.0.1', 'localhost')}/files/export.csv"
    fetch([address], into, silent)
    assert (into / "export.csv").read_bytes() == EXPORT
    fake_resolver(monkeypatch, {"127.0.0.1": ["127.0.0.1"], "localhost": ["127.0.0.2"]})
    with pytest.raises(InputError, match=r"redirects to localhost, which leads to 127\.0\.0\.2"):
        fetch([f"{address}?again"], into, silent)
    with pytest.raises(InputError, match="redirects more than"):
        fetch([f"{site[1]}/round.csv"], into, silent)


@pytest.mark.parametrize("addresses", [["127.0.0.1", "127.0.0.2"], ["127.0.0.2", "127.0.0.1"]])
def test_a_host_with_an_address_inside_beside_a_public_one_is_not_asked(
    site: tuple[Site, str], into: Path, addresses: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made, address = site
    fake_resolver(monkeypatch, {"127.0.0.1": ["127.0.0.1"], "localhost": addresses})
    both = f"{address.replace('127.0.0.1', 'localhost')}/files/export.csv"
    with pytest.raises(InputError, match=r"localhost leads to 127\.0\.0\.2, inside this network"):
        fetch([both], into, silent)
    assert made.asked == []
    with pytest.raises(InputError, match=r"redirects to localhost, which leads to 127\.0\.0\.2"):
        fetch([f"{address}/to/{both}"], into, silent)


def test_no_redirect_leads_out_of_the_web(site: tuple[Site, str], into: Path) -> None:
    told = r"/to/file:///etc/a\.csv redirects to file:///etc/a\.csv.*Allowed: http://, https://"
    with pytest.raises(InputError, match=told):
        fetch([f"{site[1]}/to/file:///etc/a.csv"], into, silent)


def test_a_file_of_somebody_else_stays(site: tuple[Site, str], into: Path) -> None:
    (into / "export.csv").write_text("mine")
    with pytest.raises(InputError, match=r"is not what was fetched from .*Move it away"):
        fetch([f"{site[1]}/files/export.csv"], into, silent)
    assert (into / "export.csv").read_text() == "mine"


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("/data/export.csv", "Allowed: http://, https://, s3://"),
        ("file:///etc/passwd.csv", "no address that files can be fetched from"),
        ("simplecache::https://x/a.csv", "no address"),
        ("https:///a.csv", "no address"),
        ("https://[::1/x.csv", "no address"),
        ("{site}/files/gone.csv", "There is nothing at"),
        ("{site}/closed/a.csv", "may not be read with the rights at hand"),
        ("{site}/files/export.exe", "There is nothing at|cannot be used"),
        ("http://127.0.0.1:9/a.csv", "cannot be read"),
    ],
)
def test_what_cannot_be_fetched(site: tuple[Site, str], into: Path, address: str, told: str) -> None:
    with pytest.raises((InputError, ResourceError), match=told):
        fetch([address.format(site=site[1])], into, silent)
    assert list(into.iterdir()) == []


def test_secrets_of_an_address_are_told_to_nobody(site: tuple[Site, str], into: Path) -> None:
    address = site[1].replace("//", "//me:pass@")
    with pytest.raises(InputError) as told:
        fetch([f"{address}/files/gone.csv?signature=secret"], into, silent)
    assert "pass" not in str(told.value)
    assert "secret" not in str(told.value)
    fetch([f"{site[1]}/files/export.csv?signature=secret"], into, silent)
    assert not [path for path in into.iterdir() if b"secret" in path.read_bytes()]


class Listed(MemoryFileSystem):  # type: ignore[misc]
    """A store whose files may be listed, and not be read."""

    def open(self, path: str, *_: object, **__: object) -> io.BufferedReader:
        class Closed(io.RawIOBase):
            def readable(self) -> bool:
                return True

            def seekable(self) -> bool:
                return True

            def readinto(self, _: object) -> int:
                raise PermissionError("Forbidden")

        return io.BufferedReader(Closed())


def test_what_may_be_listed_and_not_read_is_no_error_of_the_disk(into: Path) -> None:
    file = remote.RemoteFile("s3://exports/a.csv", "a.csv", 5, "1")
    with pytest.raises(InputError, match=r"s3://exports/a\.csv may not be read with the rights at hand"):
        remote._bring(Listed(), file, into / "a.csv", silent)


def test_a_full_disk_is_told_before_anything_is_fetched(
    site: tuple[Site, str], into: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, address = site
    monkeypatch.setattr(disk, "RESERVE", 1 << 60)
    with pytest.raises(ResourceError, match="Free some space"):
        fetch([f"{address}/files/export.csv"], into, silent)
    assert "GET" not in [method for method, _ in made.asked]


@pytest.fixture(scope="module")
def bucket() -> Iterator[Store]:
    import boto3

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    address = "http://{}:{}".format(*server.get_host_and_port())
    signed = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_DEFAULT_REGION": "us-east-1",
              "AWS_ENDPOINT_URL": address}  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        for name, value in signed.items():
            patch.setenv(name, value)
        store = boto3.client("s3")
        store.create_bucket(Bucket="exports")
        for day in (1, 2):
            for number in (0, 1):
                key = f"ga4/day={day}/part-{number}.csv"
                store.put_object(Bucket="exports", Key=key, Body=EXPORT + b"%d%d" % (day, number))
        store.put_object(Bucket="exports", Key="ga4/_SUCCESS", Body=b"ok")
        yield store
    server.stop()


def test_a_pattern_of_a_bucket(bucket: Store, into: Path) -> None:
    found = fetch(["s3://exports/ga4/day=*/*.csv"], into, silent)
    assert [path.name for path in found] == [
        f"ga4-day_{day}-part-{number}.csv" for day in (1, 2) for number in (0, 1)
    ]
    assert found[2].read_bytes() == EXPORT + b"20"


def test_a_folder_of_a_bucket_and_only_what_changed(bucket: Store, into: Path) -> None:
    fetch(["s3://exports/ga4/day=1/"], into, silent)
    assert visible(into) == ["part-0.csv", "part-1.csv"]
    before = {path.name: path.stat().st_mtime_ns for path in into.iterdir()}
    bucket.put_object(Bucket="exports", Key="ga4/day=1/part-1.csv", Body=EXPORT + b"new")
    fetch(["s3://exports/ga4/day=1/"], into, silent)
    after = {path.name: path.stat().st_mtime_ns for path in into.iterdir()}
    assert {name for name in after if after[name] != before[name]} == {"part-1.csv", ".part-1.csv.fetched"}


@pytest.mark.parametrize("address", ["s3://nowhere/a.csv", "s3://exports/none/*.csv", "s3://exports/ga4/x/"])
def test_nothing_in_a_bucket(bucket: Store, into: Path, address: str) -> None:
    with pytest.raises(InputError, match="There is no"):
        fetch([address], into, silent)


def test_what_is_not_installed_is_named(into: Path) -> None:
    with pytest.raises(
        InputError, match=r"adlfs.*pip install 'beha2vec\[remote\]', or, in a checkout, that package"
    ):
        fetch(["az://container/a.csv"], into, silent)

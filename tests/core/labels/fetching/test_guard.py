import socket
import time

import pytest

from core.base.errors import SettingsError
from core.labels.fetching.fetch_outcomes import FetchOutcome, PageFailed
from core.labels.fetching.guard import Guard, host_name, is_public
from tests.core.labels.fetching.loopback_site import loopback

SHOP = ["shop.example"]


def refusal(url: str, guard: Guard | None = None) -> str:
    with pytest.raises(PageFailed) as caught:
        (guard or Guard(SHOP, SHOP)).check(url)
    assert caught.value.outcome is FetchOutcome.REFUSED
    return caught.value.reason


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("(not set)", "not a full URL"),
        ("/products/tea", "not a full URL"),
        ("file:///etc/passwd", "not http"),
        ("ftp://shop.example/", "not http"),
        ("javascript:alert(1)", "not http"),
        ("https://anna@shop.example/", "user name"),
        ("https://a:b@shop.example/", "user name"),
        ("https://shop.example:22/", "port 22"),
        ("https://shop.example.evil.example/", "agreed"),
        ("https://evil.example/?https://shop.example/", "agreed"),
        ("https://evil.example\\@shop.example/", "agreed"),
        ("https://shop.example./", "agreed"),
        ("http://0x7f.1/", "agreed"),
        ("http://2130706433/", "agreed"),
        ("http://[::1]/", "agreed"),
        ("https://shop.example/login", "personal"),
        ("https://shop.example/products/:slug", "placeholder"),
        ("https://shop.example/" + "a" * 3000, "characters"),
    ],
)
def test_refuses(url: str, reason: str) -> None:
    assert reason in refusal(url)


def test_a_host_must_be_both_agreed_to_and_the_exports_own() -> None:
    guard = Guard(["shop.example", "other.example"], ["shop.example", "blog.example"])
    assert guard.check("https://shop.example/tea").host == "shop.example"
    assert "of this export" in refusal("https://other.example/tea", guard)
    assert "agreed" in refusal("https://blog.example/tea", guard)


def test_nothing_passes_by_default() -> None:
    assert "agreed" in refusal("https://shop.example/", Guard([], SHOP))
    with pytest.raises(PageFailed, match="not a public address"):
        Guard(SHOP, SHOP, resolve=loopback).addresses("shop.example", 80, 1)


def test_a_checked_url_is_written_the_parsers_way() -> None:
    target = Guard(["BÜCHER.example"], ["bücher.example"]).check(
        "HTTPS://Bücher.Example:443/a/../tea?q=1#part"
    )
    assert (target.url, target.host, target.port) == (
        "https://xn--bcher-kva.example/tea?q=1",
        "xn--bcher-kva.example",
        443,
    )
    assert target.robots == "https://xn--bcher-kva.example/robots.txt"


@pytest.mark.parametrize("port", [80, 443, 8080, 8443])
def test_usual_ports_pass(port: int) -> None:
    assert Guard(SHOP, SHOP).check(f"http://shop.example:{port}/").port == port


def test_a_host_with_a_port_means_that_port_alone() -> None:
    guard = Guard(["shop.example:8080"], ["shop.example:8080"])
    assert guard.check("http://shop.example:8080/").port == 8080
    assert "agreed" in refusal("http://shop.example/", guard)


def test_redirects_are_resolved_against_their_page() -> None:
    guard = Guard(SHOP, SHOP)
    assert guard.check("../tea", base="https://shop.example/a/b/c").url == "https://shop.example/a/tea"
    with pytest.raises(PageFailed, match="agreed"):
        guard.check("//evil.example/", base="https://shop.example/")


def test_one_closed_address_among_several_closes_the_name() -> None:
    guard = Guard(SHOP, SHOP, resolve=lambda host, port: ["93.184.216.34", "10.0.0.8"])
    with pytest.raises(PageFailed, match=r"10\.0\.0\.8") as caught:
        guard.addresses("shop.example", 443, 1)
    assert caught.value.outcome is FetchOutcome.ADDRESS


def test_public_addresses_pass() -> None:
    guard = Guard(SHOP, SHOP, resolve=lambda host, port: ["93.184.216.34", "2606:4700::1111"])
    assert guard.addresses("shop.example", 443, 1) == ["93.184.216.34", "2606:4700::1111"]


def test_an_allowed_address_is_allowed_at_its_port_only() -> None:
    guard = Guard(SHOP, SHOP, ["127.0.0.1:8123", "[::1]:8124"], loopback)
    assert guard.check("http://shop.example:8123/").port == 8123
    assert guard.addresses("shop.example", 8123, 1) == ["127.0.0.1"]
    with pytest.raises(PageFailed, match="public"):
        guard.addresses("shop.example", 8124, 1)


def unknown(host: str, port: int) -> list[str]:
    raise socket.gaierror(socket.EAI_NONAME, "no such name")


def test_an_unknown_name_leads_nowhere() -> None:
    with pytest.raises(PageFailed, match="leads nowhere") as caught:
        Guard(SHOP, SHOP, resolve=unknown).addresses("shop.example", 443, 1)
    assert caught.value.outcome is FetchOutcome.UNREACHABLE


def test_a_resolver_that_hangs_is_left_behind() -> None:
    def hangs(host: str, port: int) -> list[str]:
        time.sleep(5)
        return ["93.184.216.34"]

    with pytest.raises(PageFailed, match="longer than") as caught:
        Guard(SHOP, SHOP, resolve=hangs).addresses("shop.example", 443, 0.05)
    assert caught.value.outcome is FetchOutcome.TIMEOUT


@pytest.mark.parametrize(
    "text", ["", "a b", "shop.example/path", "https://shop.example", "u@shop.example", "[::1"]
)
def test_what_is_no_host_is_said_so(text: str) -> None:
    with pytest.raises(SettingsError, match=r"is not a host.*shop\.example:8080"):
        Guard([text], SHOP)


def test_strange_hosts_of_the_export_are_no_hosts_to_fetch_from() -> None:
    assert Guard(SHOP, ["", "a b", "shop.example"]).check("https://shop.example/").port == 443


@pytest.mark.parametrize("text", ["127.0.0.1", ":80", "127.0.0.1:x"])
def test_allowed_addresses_come_with_a_port(text: str) -> None:
    with pytest.raises(SettingsError, match="address:port"):
        Guard(SHOP, SHOP, [text])


def test_host_names_are_written_one_way() -> None:
    assert host_name(" Shop.Example:443 ") == "shop.example"
    assert host_name("shop.example:8080") == "shop.example:8080"


CLOSED = """
127.0.0.1 127.255.255.254 0.0.0.0 0.1.2.3 10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 169.254.169.254
169.254.0.1 100.64.0.1 100.100.100.200 100.127.255.255 192.0.0.8 192.0.0.192 192.0.2.1 198.18.0.1 198.51.100.7
203.0.113.9 192.88.99.1 168.63.129.16 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
:: ::1 ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 64:ff9b::7f00:1 64:ff9b::a9fe:a9fe
64:ff9b:1::1 2002:7f00:1:: 2002:0808:0808:: 2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:db8::1 3fff::1
fc00::1 fd00:ec2::254 fe80::1 fe80::1%eth0 fec0::1 ff02::1 100::1 4000::1 5f00::1
shop.example 127.1 0x7f.0.0.1 2130706433
"""

OPEN = "8.8.8.8 93.184.216.34 100.63.255.255 100.128.0.1 172.15.0.1 172.32.0.1 2606:4700::1111 2a00:1450::1"


@pytest.mark.parametrize("address", [*CLOSED.split(), ""])
def test_what_is_not_plainly_public_is_closed(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", [*OPEN.split(), "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_public_addresses_are_open(address: str) -> None:
    assert is_public(address)

"""HTTP sessions that connect only to checked IP addresses, and the checks of such addresses."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any, Final, TypeAlias

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

Resolve: TypeAlias = Callable[[str, int], Sequence[str]]
"""Resolver: host and port → IP addresses as text; raises OSError if there is none."""
Connect: TypeAlias = Callable[[str, int], socket.socket]
"""Connector: host and port → a connected socket."""

_CLOSED: Final = tuple(
    ip_network(text)
    for text in (
        "100.64.0.0/10",  # shared by a carrier's customers; holds a cloud's metadata (100.100.100.200)
        "192.0.0.0/24",
        "192.88.99.0/24",  # 6to4 relays
        "168.63.129.16/32",  # a cloud's metadata at an otherwise public address
        "2001::/23",  # Teredo, ORCHID and other protocols
        "2001:db8::/32",
        "2002::/16",  # 6to4: an IPv4 address behind a relay
        "3fff::/20",
    )
)
"""Networks that are not public either, by IANA's special-purpose registries (RFC 6890 and its updates)."""
_GLOBAL_V6: Final = ip_network("2000::/3")
_NAT64: Final = ip_network("64:ff9b::/96")


def resolve(host: str, port: int) -> list[str]:
    """Resolve a host name to IP addresses with the resolver of the machine."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def is_public(address: str) -> bool:
    """Whether an IP address is on the open internet; False for anything that cannot be parsed.

    An IPv6 form of an IPv4 address is judged as that address.
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    ip = _unwrapped(parsed)
    if any(ip.version == network.version and ip in network for network in _CLOSED):
        return False
    if isinstance(ip, IPv6Address) and ip not in _GLOBAL_V6:
        return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified or ip.is_loopback)


def _unwrapped(ip: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    if isinstance(ip, IPv4Address):
        return ip
    if ip.ipv4_mapped is not None:
        return ip.ipv4_mapped
    return IPv4Address(int(ip) & 0xFFFF_FFFF) if ip in _NAT64 else ip


def web_session(connect: Connect, headers: Mapping[str, str]) -> requests.Session:
    """Make a session that follows no redirect and takes no proxies or passwords from the environment.

    Args:
        connect: Opens its connections.
        headers: All headers of every request.
    """
    session = _Session()
    session.trust_env = False
    session.headers.clear()
    session.headers.update(headers)
    session.mount("http://", PinnedAdapter(connect))
    session.mount("https://", PinnedAdapter(connect))
    return session


class _Session(requests.Session):
    """A session without redirects: requests would read the whole body of one, even without following it."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Return None: no redirect is followed."""
        return None


class PinnedAdapter(HTTPAdapter):
    """An adapter for ``requests`` that opens sockets with ``connect``, which checks the address.

    It retries nothing itself, so that two layers do not multiply.
    """

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as in requests
        """Make connection pools whose sockets ``connect`` opens."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _pools(self._connect)


def _pools(connect: Connect) -> dict[str, type[HTTPConnectionPool]]:
    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return connect(self.host, self.port or 80)

    class Tls(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return connect(self.host, self.port or 443)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class TlsPool(HTTPSConnectionPool):
        ConnectionCls = Tls

    return {"http": PlainPool, "https": TlsPool}

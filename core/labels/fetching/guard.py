"""Decide which URLs may be fetched, and from which addresses.

URLs that look logged-in or personal, or that would trigger an action, are never fetched
(:func:`why_personal`). Pages that serve a function need no text to be labelled, so excluding too many costs
little.

A server-side fetch is a way into the network that the tool runs in (OWASP: SSRF). So a page must be on a
host that the analyst named *and* that is in the export, at a usual port; and every address its name resolves
to must be public. Names are resolved once a connection, and the connection goes to the address that was
checked (``client.py``), so a second answer of the DNS changes nothing.
"""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final, TypeAlias
from urllib.parse import parse_qsl, unquote

import ada_url

from core.base.errors import SettingsError
from core.ingest.clean.personal_data import mask_url, param_kind
from core.labels.fetching.fetch_outcomes import FetchOutcome, PageFailed

Resolve: TypeAlias = Callable[[str, int], Sequence[str]]
"""Resolver: host and port → IP addresses as text; raises OSError if there is none."""

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
    """Whether an IP address is public; False for a text that is none.

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


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_WORDS: Final = _words(
    """
    account accounts myaccount admin api auth basket billing cart carts checkout checkouts dashboard invite
    invitation invitations invoice invoices login logout logoff member members oauth order orders password
    payment payments profile profiles receipt receipts register reset session signin signout signup sso
    subscription subscriptions token
    unsubscribe user users verify wishlist wp-admin
    konto kundenkonto kundenbereich meinkonto profil einladung einladungen kasse warenkorb bestellung
    bestellungen anmelden anmeldung abmelden registrieren registrierung passwort rechnung rechnungen
    merkzettel wunschliste zahlung
    compte moncompte profils connexion deconnexion inscription panier commande commandes facture paiement
    motdepasse cuenta micuenta perfil carrito cesta pedido pedidos acceder registro factura pago contrasena
    conta carrinho encomenda encomendas entrar cadastro
    profilo carrello ordine ordini accedi accesso cassa registrati
    winkelwagen winkelmand bestelling bestellingen inloggen afrekenen wachtwoord
    koszyk zamowienie zamowienia logowanie kosik objednavka prihlaseni
    kundvagn varukorg kassa loggain indkobskurv kurv ostoskori
    """
)
_ALONE: Final = _words("u me my")
"""Words that are personal only as a whole segment: ``/u/jane``, but not ``/u-lock``."""
_KEYS: Final = _words(
    """
    access accesskey action add addtocart code customer customerid delete hash hmac invite key login logout
    magic nonce orderid orderkey remove resetkey secret sessionkey sig state ticket uid unsubscribe user
    userid
    """
)
_PARTS: Final = re.compile(r"[^\w]+|_")
_ENDING: Final = re.compile(r"\.[a-z]{2,6}$")
_FEW: Final = 2
"""Most words of a segment that are checked; one of more words is a title, in which "order" is harmless."""
_PLACEHOLDER: Final = re.compile(r"[{}]|/:[a-z_]+(?=/|\?|$)", re.IGNORECASE)


def why_personal(url: str) -> str:
    """Reason, in a few words, why a URL must not be fetched; empty if there is none."""
    path, _, query = url.partition("#")[0].partition("?")
    path = "/" + unquote(path.partition("://")[2]).partition("/")[2]
    if _PLACEHOLDER.search(path) or _PLACEHOLDER.search(unquote(query)):
        return "it holds a placeholder for something that was masked or merged"
    for segment in path.split("/"):
        if word := _personal_word(segment.lower()):
            return f"{word!r} in its path: the page may be personal"
    for name, _value in parse_qsl(query, keep_blank_values=True):
        if param_kind(name) is not None or _PARTS.sub("", name).lower() in _KEYS:
            return f"the parameter {name[:40]!r} may be personal, or do something"
    if mask_url(url).kinds:
        return "it holds what looks like personal data"
    return ""


def _personal_word(segment: str) -> str:
    parts = [part for part in _PARTS.split(_ENDING.sub("", segment)) if part]
    whole = "".join(parts)
    candidates = [segment, whole, *(parts if len(parts) <= _FEW else [])]
    return next((word for word in candidates if word in _WORDS), segment if segment in _ALONE else "")


_PORTS: Final = frozenset({80, 443, 8080, 8443})
_MAX_URL_LENGTH: Final = 2_000
_DEFAULT_PORT: Final = {"http:": 80, "https:": 443}


@dataclass(frozen=True)
class Target:
    """A URL that the guard has checked."""

    url: str
    """Normalised by the WHATWG parser, without fragment."""
    host: str
    port: int

    @property
    def robots(self) -> str:
        """URL of the robots.txt of the host."""
        return ada_url.join_url(self.url, "/robots.txt")


class Guard:
    """Checks URLs and addresses, and refuses whatever is not explicitly allowed.

    Args:
        hosts: Hosts the analyst agreed to, such as ``shop.example`` or ``shop.example:8080``.
        own_hosts: Hosts of the export's pages.
        allow_addresses: ``address:port`` pairs that are allowed although not public or at an unusual port,
            such as ``127.0.0.1:8123``: for tests, and empty otherwise.
        resolve: Resolves a host name to addresses.

    Raises:
        SettingsError: If a host or an address cannot be read.
    """

    def __init__(
        self,
        hosts: Collection[str],
        own_hosts: Collection[str],
        allow_addresses: Collection[str] = (),
        resolve: Resolve = resolve,
    ) -> None:
        self._hosts = frozenset(map(host_name, hosts))
        self._own = frozenset(filter(None, map(_host_of_export, own_hosts)))
        self._allowed = frozenset(map(_pair, allow_addresses))
        self._ports = _PORTS | {port for _, port in self._allowed}
        self._resolve = resolve

    def check(self, url: str, base: str | None = None) -> Target:
        """Check a URL, or the target of a redirect, before a request is sent.

        Args:
            url: Absolute, or relative to ``base``.
            base: The URL that redirects.

        Raises:
            PageFailed: If it must not be fetched, with the reason.
        """
        if len(url) > _MAX_URL_LENGTH:
            raise _refused(f"the URL has {len(url):,} characters, more than {_MAX_URL_LENGTH:,}")
        try:
            parsed = ada_url.URL(url, base=base) if base else ada_url.URL(url)
        except ValueError:
            raise _refused("it is not a full URL") from None
        if parsed.protocol not in _DEFAULT_PORT:
            raise _refused(f"{parsed.protocol}// is not http:// or https://")
        port = int(parsed.port) if parsed.port else _DEFAULT_PORT[parsed.protocol]
        self._check_place(parsed, port)
        parsed.hash = ""
        if reason := why_personal(parsed.href):
            raise _refused(reason)
        return Target(parsed.href, parsed.hostname.strip("[]"), port)

    def _check_place(self, parsed: ada_url.URL, port: int) -> None:
        if parsed.username or parsed.password:
            raise _refused("it holds a user name")
        if port not in self._ports:
            raise _refused(f"port {port} is not one of {', '.join(map(str, sorted(_PORTS)))}")
        names = {parsed.host, parsed.hostname}
        if names.isdisjoint(self._hosts):
            raise _refused(f"{parsed.host} is not a host that you agreed to")
        if names.isdisjoint(self._own):
            raise _refused(f"{parsed.host} is not a host of this export")

    def addresses(self, host: str, port: int, timeout: float) -> list[str]:
        """Resolve a host and check that all of its addresses are allowed.

        Args:
            host: Host of a checked target.
            port: Port of a checked target.
            timeout: Most seconds for resolving the name.

        Raises:
            PageFailed: If an address is not public, or the name is not known.
        """
        found = _within(timeout, lambda: self._resolve(host, port))
        if not found:
            raise PageFailed(FetchOutcome.UNREACHABLE, f"the name {host} leads nowhere")
        for address in found:
            if not is_public(address) and (address, port) not in self._allowed:
                raise PageFailed(
                    FetchOutcome.ADDRESS, f"{host} leads to {address}, which is not a public address"
                )
        return list(found)


def host_name(text: str) -> str:
    """Normalise a host as browsers do: lower case, ASCII, its port only if it is unusual.

    Raises:
        SettingsError: If the text is not a host.
    """
    try:
        url = ada_url.URL(f"https://{text.strip()}/")
    except ValueError:
        url = None
    if url is None or url.pathname != "/" or url.username or url.search or url.hash:
        raise SettingsError(
            f"{text!r} is not a host", allowed="a name such as shop.example or shop.example:8080"
        )
    return str(url.host)


def _host_of_export(text: str) -> str:
    """Normalise a host of the export; empty for a text that is no host."""
    try:
        return host_name(text)
    except SettingsError:
        return ""


def _pair(text: str) -> tuple[str, int]:
    address, _, port = text.rpartition(":")
    if not address or not port.isdecimal():
        raise SettingsError(f"{text!r} is not possible", allowed="address:port, such as 127.0.0.1:8123")
    return address.strip("[]"), int(port)


def _refused(reason: str) -> PageFailed:
    return PageFailed(FetchOutcome.REFUSED, reason)


def _within(timeout: float, work: Callable[[], Sequence[str]]) -> Sequence[str]:
    """Resolve in a thread that is abandoned after a time-out, since the system's resolver has none."""
    found: list[Sequence[str]] = []

    def run() -> None:
        try:
            found.append(work())
        except (OSError, UnicodeError):
            found.append(())

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(timeout)
    if not found:
        raise PageFailed(FetchOutcome.TIMEOUT, f"looking up the name took longer than {timeout:g} s")
    return found[0]

"""URLs that look logged-in or personal, or that would do something: never fetched.

A page that serves a function needs no text to be told apart, so a word too many here costs little.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import parse_qsl, unquote

from core.ingest.clean.personal_data import mask_url, param_kind


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
"""Words that stand before a name only where they are all of a segment: ``/u/jane``, but not ``/u-lock``."""
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
"""A segment of more words is a title, in which "order" is a word like any other."""
_PLACEHOLDER: Final = re.compile(r"[{}]|/:[a-z_]+(?=/|\?|$)", re.IGNORECASE)


def why_personal(url: str) -> str:
    """Say in a few words why a URL should be left alone; empty if nothing speaks against it."""
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

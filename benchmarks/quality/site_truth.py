"""Theme and type of every page of the demo shop, from the shop's own plan."""

from __future__ import annotations

from collections.abc import Sequence

from core.base.schema import NO_THEME, UNKNOWN, View
from core.ingest.sample.site import DEPARTMENTS, HOST, Role, Site, build_site


def true_names(urls: Sequence[str]) -> dict[View, list[str]]:
    """Department and role of each page; placeholders and unheard-of pages get the nearest, or none."""
    roles, themes = _plan(build_site())
    return {
        View.THEME: [_nearest(url, themes, NO_THEME) for url in urls],
        View.TYPE: [_nearest(url, roles, UNKNOWN) for url in urls],
    }


def _plan(site: Site) -> tuple[dict[str, str], dict[str, str]]:
    roles, themes = {}, {}
    for path, role in zip(site.path, site.role.tolist(), strict=True):
        key = HOST.lower() + path.lower()
        roles[key] = Role(role).name
        themes[key] = _department(path)
    return roles, themes


def _department(path: str) -> str:
    parts = path.split("/")
    for department, kinds in DEPARTMENTS.items():
        if department in parts or (parts[1] in ("compare", "guides") and any(kind in path for kind in kinds)):
            return department
    return NO_THEME


def _nearest(url: str, known: dict[str, str], missing: str) -> str:
    plain = url.replace("%20", "+")
    bare = plain.split("?")[0]
    for key in (plain, bare, bare.rstrip("/"), f"{bare}/"):
        if key in known:
            return known[key]
    return known.get(HOST.lower() + "/search?q=tent", missing) if "/search" in url else missing

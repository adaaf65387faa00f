"""Every distinct page location once: canonical page, title, and what was changed on the way.

An export has hundreds of thousands of distinct locations, nearly all of them by click ids. The engine drops
the parameters that make no other page before Python sees the rest, and counts what it dropped by the same
code that would have dropped it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import ibis.expr.types as ir
import pyarrow as pa
from ibis import _

from core.ingest.clean import records, urls
from core.ingest.clean.privacy import SUSPECT_RE2, mask_all, mask_url
from core.ingest.engine import Engine
from core.receipt import UrlCount, ranked
from core.schema import Raw
from core.settings import UrlSettings

PAGE: Final = "page"
LONGEST: Final = 2_000
"""Characters of a location that are looked at; GA4 itself sends at most 1,000."""
EXAMPLES_EACH: Final = 3
SHOWN: Final = 300
"""Characters of an example that are kept."""
OWN_HOST_SHARE: Final = 0.01
"""Share of the page views from which on a host is the site's own."""

# What can be cut without parsing: visible ASCII, parameter names that are not encoded, one query, no session
# in the path. The rest goes to Python as it is.
_SPLIT = """
    SELECT location, views, split_part(unfragmented, '?', 1) AS base, fragment,
        regexp_full_match(location, '[!-:<-~]*') AND length(location) <= $longest
            AND NOT (contains(location, '%') AND regexp_matches(location, '[?&][^=&#]*%'))
            AND NOT (contains(fragment, '?') OR contains(fragment, '#')) AS plain,
        CASE WHEN contains(unfragmented, '?')
            THEN substr(unfragmented, strpos(unfragmented, '?') + 1) END AS query,
        fragment <> '' AND ($all_fragments OR regexp_matches(fragment, '^!?/')) AS keeps_fragment
    FROM (
        SELECT location, views, split_part(location, '#', 1) AS unfragmented,
            CASE WHEN contains(location, '#')
                THEN substr(location, strpos(location, '#') + 1) ELSE '' END AS fragment
        FROM (SELECT location, sum(views)::BIGINT AS views FROM seen GROUP BY location)
    )
"""
_CUT = f"""
    SELECT location, views, plain, fragment <> '' AND NOT keeps_fragment AS loses_fragment,
        CASE WHEN plain THEN regexp_replace(query, '=[^&]+', '=v', 'g') END AS names,
        CASE WHEN NOT plain THEN left(location, $longest)
            ELSE base || CASE WHEN kept <> '' THEN '?' || kept ELSE '' END
                || CASE WHEN keeps_fragment THEN '#' || fragment ELSE '' END
        END AS cut
    FROM (SELECT *, array_to_string(regexp_extract_all(query, $kept, 1), '&') AS kept FROM ({_SPLIT}))
"""
_TITLES = """
    SELECT page, title FROM seen JOIN location_pages USING (location)
    WHERE title IS NOT NULL GROUP BY page, title
    QUALIFY row_number() OVER (PARTITION BY page ORDER BY sum(seen.views) DESC, title) = 1
"""
_EXAMPLE = """
    (SELECT location, name FROM location_pages JOIN cut_pages USING (page, cut)
    WHERE changed AND contains(location, '{mark}') ORDER BY views DESC, location LIMIT {each})
"""
_MARKS = ("", "?", "#", "%")
"""What a location holds that cleaning changes; one example or two of each."""


@dataclass(frozen=True)
class Locations:
    """The pages of an export.

    Args:
        table: Raw location → ``page``, an index into ``pages``.
        pages: Canonical pages, ascending.
        titles: Most frequent title of each, masked; None when never sent.
        count: For the receipt.
        hosts: The site's own hosts.
        masked: Kind of personal data → values masked in locations and titles.
    """

    table: ir.Table
    pages: list[str]
    titles: list[str | None]
    count: UrlCount
    hosts: tuple[str, ...]
    masked: Counter[str]


def canonical_locations(engine: Engine, views: ir.Table, settings: UrlSettings) -> Locations:
    """Map the locations of all page views to canonical pages.

    Args:
        engine: Where the tables are.
        views: Typed page views.
        settings: The rules.

    Raises:
        SettingsError: If a rule of the analyst's own cannot be applied.
    """
    seen = views.group_by(location=views[Raw.PAGE_LOCATION], title=views[Raw.PAGE_TITLE]).agg(views=_.count())
    title = records.absent(seen.title, records.DIRECT, records.UNAVAILABLE)
    engine.keep("seen", seen.mutate(title=title))
    _cut(engine, settings)
    cut = engine.sql("SELECT cut, sum(views)::BIGINT AS views FROM places GROUP BY cut ORDER BY cut")
    weights = cut["views"].to_pylist()
    canonical = urls.canonicalise(cut["cut"].to_pylist(), settings, weights)
    pages = sorted(set(canonical.pages))
    table = _page_of_location(engine, cut["cut"], canonical.pages, pages)
    by_rule = Counter(canonical.by_rule)
    by_rule.update(_dropped(engine, settings))
    raw = engine.raw.execute("SELECT count(*) FROM places").fetchall()[0][0]
    return Locations(
        table=table,
        pages=pages,
        titles=_titles(engine, len(pages)),
        count=UrlCount(
            raw=raw,
            canonical=len(pages),
            by_rule=ranked(by_rule),
            examples=_examples(engine),
        ),
        hosts=_own_hosts(canonical.pages, weights),
        masked=_personal(engine),
    )


def _cut(engine: Engine, settings: UrlSettings) -> None:
    """Make ``places``: each location without the parts that no rule keeps."""
    names = [name for name in settings.keep_params if not urls.is_tracking(name)]
    by_engine = all(re.fullmatch(r"[\w.\[\]-]+", name, re.ASCII) for name in names)
    alternatives = "|".join(map(re.escape, names)) or "[^\\s\\S]"
    query = _CUT if by_engine else _CUT.replace(") AS plain", ") AND false AS plain")
    engine.raw.execute(
        f"CREATE TABLE places AS {query}",
        {
            "longest": LONGEST,
            "kept": f"(?i)(?:^|&)((?:{alternatives})=[^&]+)",
            "all_fragments": settings.keep_fragment,
        },
    )


def _page_of_location(engine: Engine, cut: pa.Array, canonical: list[str], pages: list[str]) -> ir.Table:
    number = {page: index for index, page in enumerate(pages)}
    numbers = pa.array([number[page] for page in canonical], pa.int32())
    engine.keep("cut_pages", pa.table({"cut": cut, PAGE: numbers, "name": pa.array(canonical, pa.string())}))
    engine.raw.execute(
        "CREATE TABLE location_pages AS SELECT location, page, views, location <> name AS changed, cut "
        "FROM places JOIN cut_pages USING (cut)"
    )
    return engine.ibis.table("location_pages")


def _dropped(engine: Engine, settings: UrlSettings) -> Counter[str]:
    """Rule → page views, for what the engine cut: the names of the parameters tell all."""
    dropped: Counter[str] = Counter()
    groups = engine.raw.execute(
        "SELECT names, loses_fragment, sum(views)::BIGINT FROM places WHERE plain GROUP BY ALL"
    ).fetchall()
    for names, loses_fragment, views in groups:
        dropped.update({rule: views for rule in urls.dropped_by_name(names, settings)})
        if loses_fragment:
            dropped[urls.FRAGMENT] += views
    return dropped


def _titles(engine: Engine, n_pages: int) -> list[str | None]:
    """The most frequent title of each page, masked."""
    found = {page: mask_url(title).text for page, title in engine.raw.execute(_TITLES).fetchall()}
    return [found.get(page) for page in range(n_pages)]


def _examples(engine: Engine) -> tuple[tuple[str, str], ...]:
    """Locations as they were (masked) and their pages, the most viewed first."""
    parts = (_EXAMPLE.format(mark=mark, each=EXAMPLES_EACH) for mark in _MARKS)
    rows = engine.raw.execute(" UNION ALL ".join(parts)).fetchall()
    return tuple((mask_url(location[:LONGEST]).text[:SHOWN], page) for location, page in dict.fromkeys(rows))


def _own_hosts(pages: Iterable[str], weights: Iterable[int]) -> tuple[str, ...]:
    views: Counter[str] = Counter()
    for page, weight in zip(pages, weights, strict=True):
        host = page.partition("://")[2].partition("/")[0]
        views[host] += weight
    enough = OWN_HOST_SHARE * views.total()
    return tuple(sorted(host for host, count in views.items() if host and count >= enough))


def _personal(engine: Engine) -> Counter[str]:
    """Kind of personal data → values in locations (kept or dropped) and titles."""
    kinds: Counter[str] = Counter()
    for column in ("location", "title"):
        found = engine.raw.execute(
            f"SELECT {column}, sum(views)::BIGINT FROM seen WHERE regexp_matches({column}, $1) GROUP BY 1",
            [SUSPECT_RE2],
        ).fetchall()
        kinds += mask_all([text for text, _ in found], [views for _, views in found])[1]
    return kinds

"""Map every distinct page location to its canonical page and title, and count the changes.

An export has hundreds of thousands of distinct locations, nearly all because of click ids. The database drops
the parameters that make no other page before Python cleans the rest, and counts them by the same rules.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import ibis.expr.types as ir
import pyarrow as pa

from core.base.schema import Raw
from core.base.settings import IngestSettings, UrlSettings
from core.ingest.clean import records, urls
from core.ingest.clean.audience import MERGED_SQL, SQL, Audience, Tail, merged_by, public_from
from core.ingest.clean.mask_pages import mask_pages
from core.ingest.clean.masking import Masking
from core.ingest.clean.page_text import tail_of
from core.ingest.clean.personal_data import SUSPECT_RE2, mask_url
from core.ingest.clean.rare_text import regions_of
from core.ingest.clean.records import VIEWS
from core.ingest.engine import Engine
from core.storage.receipt import UrlCount, sort_counts

PAGE: Final = "page"
JOINED: Final = 1_000_000
"""Most users who are joined in memory with their page views, so that each digest is computed once."""
MAX_LENGTH: Final = 2_000
"""Most characters of a location that are used; GA4 itself sends at most 1,000."""
_EXAMPLES_EACH: Final = 3
_SHOWN: Final = 300
"""Most characters of an example that are kept."""
_OWN_HOST_SHARE: Final = 0.01
"""Least share of the page views of a host that belongs to the site."""

# What can be cut without parsing: visible ASCII, parameter names that are not encoded, one query, no session
# in the path. The rest goes to Python as it is.
_SPLIT = f"""
    SELECT * EXCLUDE (unfragmented), split_part(unfragmented, '?', 1) AS base, fragment,
        regexp_full_match(location, '[!-:<-~]*') AND length(location) <= $longest
            AND NOT (contains(location, '%') AND regexp_matches(location, '[?&][^=&#]*%'))
            AND NOT (contains(fragment, '?') OR contains(fragment, '#')) AS plain,
        CASE WHEN contains(unfragmented, '?')
            THEN substr(unfragmented, strpos(unfragmented, '?') + 1) END AS query,
        fragment <> '' AND ($all_fragments OR regexp_matches(fragment, '^!?/')) AS keeps_fragment
    FROM (
        SELECT *, split_part(location, '#', 1) AS unfragmented,
            CASE WHEN contains(location, '#')
                THEN substr(location, strpos(location, '#') + 1) ELSE '' END AS fragment
        FROM (SELECT location, sum(views)::BIGINT AS views, {MERGED_SQL} FROM seen GROUP BY location)
    )
"""
_CUT = f"""
    SELECT location, views, low, high, buckets, plain,
        fragment <> '' AND NOT keeps_fragment AS loses_fragment,
        CASE WHEN plain THEN regexp_replace(query, '=[^&]+', '=v', 'g') END AS names,
        CASE WHEN NOT plain THEN left(location, $longest)
            ELSE base || CASE WHEN kept <> '' THEN '?' || kept ELSE '' END
                || CASE WHEN keeps_fragment THEN '#' || fragment ELSE '' END
        END AS cut
    FROM (SELECT *, array_to_string(regexp_extract_all(query, $kept, 1), '&') AS kept FROM ({_SPLIT}))
"""
_CUTS = f"SELECT cut, sum(views)::BIGINT AS views, {MERGED_SQL} FROM places GROUP BY cut ORDER BY cut"
_COUNTRIES = """
    SELECT country FROM users_seen WHERE country IS NOT NULL GROUP BY country
    QUALIFY sum(views) >= 0.05 * sum(sum(views)) OVER () ORDER BY sum(views) DESC, country LIMIT 5
"""
_TITLES = f"""
    SELECT canonical, title, sum(seen.views)::BIGINT, {MERGED_SQL.replace("(", "(seen.")}
    FROM seen JOIN places USING (location) JOIN cut_pages USING (cut) WHERE title IS NOT NULL GROUP BY ALL
"""
_EXAMPLE = """
    (SELECT location, name FROM location_pages JOIN shared USING (cut)
    WHERE location <> name AND name = canonical AND contains(location, '{mark}')
    ORDER BY views DESC, location LIMIT {each})
"""
_SHARED = """
    CREATE TABLE shared AS SELECT cut FROM places GROUP BY cut
    HAVING min(low) < max(high) OR (SELECT min(low) = max(high) FROM places)
"""
"""SQL for the locations that several users saw (if there are several users): only these may be shown."""
_VALUES: Final = re.compile(r"(?<==)[^&#;]+|(?<=#)[^!/].*")
_MARKS = ("", "?", "#", "%")
"""Characters of locations that cleaning changes, with a few examples of each."""


@dataclass(frozen=True)
class Locations:
    """The canonical pages of an export, and the mapping from raw locations.

    Args:
        table: Raw location → ``page``, an index into ``pages``.
        pages: Canonical pages, ascending.
        titles: Most frequent title of each page, masked; None when never sent.
        count: Counts for the receipt.
        hosts: Hosts of the site itself.
        masked: Kind of personal data → number of values masked in locations and titles.
        masking: The personal places.
    """

    table: ir.Table
    pages: list[str]
    titles: list[str | None]
    count: UrlCount
    hosts: tuple[str, ...]
    masked: Counter[str]
    masking: Masking


def canonical_locations(
    engine: Engine, views: ir.Table, written: ir.Table, users: ir.Table, settings: IngestSettings
) -> Locations:
    """Map the locations of all page views to canonical pages.

    Args:
        engine: Database of the tables.
        views: Typed page views.
        written: Users as written (:func:`core.ingest.clean.records.as_written`).
        users: ``user_key`` → ``user``, for users with a page view.
        settings: The rules, and the analyst's choices about personal places.

    Raises:
        SettingsError: If a URL rule of the analyst cannot be applied.
    """
    _see(engine, views, users)
    _cut(engine, settings.url)
    cut = engine.raw.sql(_CUTS).to_arrow_table()
    weights, seen_by = cut["views"].to_pylist(), _audiences(cut)
    canonical = urls.canonicalise(cut["cut"].to_pylist(), settings.url, weights, seen_by)
    cut_pages = {"cut": cut["cut"], "canonical": pa.array(canonical.pages, pa.string())}
    engine.keep("cut_pages", pa.table(cut_pages))
    hosts = _own_hosts(canonical.pages, weights)
    seen = merged_by(zip(canonical.pages, seen_by, strict=True))
    regions = regions_of(hosts, _countries(engine, written, users))
    masking = Masking(
        tail_of(seen) if settings.mask_own else Tail(None),
        public_from(engine.count(users)),
        regions,
        settings.keep_places,
        settings.mask_places,
    )
    page_of, title_of = mask_pages(seen, _titles(engine), masking, settings.known_pages)
    pages = sorted(set(page_of.values()))
    by_rule = Counter(canonical.by_rule)
    by_rule.update(_dropped(engine, settings.url))
    by_rule[urls.MASKED] += sum(seen[page].views for page, name in page_of.items() if page != name)
    return Locations(
        table=_page_of_location(engine, page_of, pages),
        pages=pages,
        titles=[title_of.get(page) for page in pages],
        count=_count(engine, by_rule, len(pages)),
        hosts=hosts,
        masked=_personal(engine, masking.public) + masking.kinds,
        masking=masking,
    )


def _countries(engine: Engine, written: ir.Table, users: ir.Table) -> list[str]:
    """List the countries with the most page views."""
    seen = written.filter(written[VIEWS] > 0).semi_join(users, Raw.USER_KEY)
    country = records.absent(seen[Raw.GEO_COUNTRY], records.DIRECT)
    engine.name("users_seen", seen.select(VIEWS, country=country))
    return [country for (country,) in engine.raw.execute(_COUNTRIES).fetchall()]


def _count(engine: Engine, by_rule: Counter[str], n_pages: int) -> UrlCount:
    """Make the URL counts of the receipt, once every location has its page."""
    raw = engine.raw.execute("SELECT count(*) FROM places").fetchall()[0][0]
    return UrlCount(raw=raw, canonical=n_pages, by_rule=sort_counts(by_rule), examples=_examples(engine))


def _see(engine: Engine, views: ir.Table, users: ir.Table) -> None:
    """Create the table ``seen``: every pair of location and title, with its audience."""
    title = records.absent(views[Raw.PAGE_TITLE], records.DIRECT, records.UNAVAILABLE)
    columns = {"location": views[Raw.PAGE_LOCATION], "title": title}
    somebodys = views.filter(views[records.USER_ID].notnull())
    engine.name("views_seen", somebodys.select(Raw.USER_KEY, **columns))
    digests = "(SELECT *, md5_number_lower(user_key) AS digest FROM {})"
    told = digests.format("views_seen")
    if engine.count(users) <= JOINED:  # a digest a user is less work than one a view, but they are in memory
        told = f"views_seen JOIN {digests.format(users.get_name())} USING (user_key)"
    engine.raw.execute(
        f"CREATE TABLE seen AS SELECT location, title, count(*) AS views, {SQL} "
        f"FROM {told} GROUP BY location, title"
    )


def _cut(engine: Engine, settings: UrlSettings) -> None:
    """Create the table ``places``: each location without the parts that no rule keeps."""
    names = [name for name in settings.keep_params if not urls.is_tracking(name)]
    by_engine = all(re.fullmatch(r"[\w.\[\]-]+", name, re.ASCII) for name in names)
    alternatives = "|".join(map(re.escape, names)) or "[^\\s\\S]"
    query = _CUT if by_engine else _CUT.replace(") AS plain", ") AND false AS plain")
    engine.raw.execute(
        f"CREATE TABLE places AS {query}",
        {
            "longest": MAX_LENGTH,
            "kept": f"(?i)(?:^|&)((?:{alternatives})=[^&]+)",
            "all_fragments": settings.keep_fragment,
        },
    )


def _page_of_location(engine: Engine, names: Mapping[str, str], pages: list[str]) -> ir.Table:
    number = {page: index for index, page in enumerate(pages)}
    columns = {
        "canonical": pa.array(names.keys(), pa.string()),
        PAGE: pa.array([number[name] for name in names.values()], pa.int32()),
        "name": pa.array(names.values(), pa.string()),
    }
    engine.keep("page_numbers", pa.table(columns))
    engine.raw.execute(
        "CREATE TABLE location_pages AS SELECT location, page, views, cut, canonical, name "
        "FROM places JOIN cut_pages USING (cut) JOIN page_numbers USING (canonical)"
    )
    return engine.ibis.table("location_pages").select("location", PAGE)


def _dropped(engine: Engine, settings: UrlSettings) -> Counter[str]:
    """Count page views by rule for the parts that the database cut, by the names of the parameters."""
    dropped: Counter[str] = Counter()
    groups = engine.raw.execute(
        "SELECT names, loses_fragment, sum(views)::BIGINT FROM places WHERE plain GROUP BY ALL"
    ).fetchall()
    for names, loses_fragment, views in groups:
        dropped.update({rule: views for rule in urls.dropped_by_name(names, settings)})
        if loses_fragment:
            dropped[urls.FRAGMENT] += views
    return dropped


def _titles(engine: Engine) -> dict[str, dict[str, Audience]]:
    """Canonical page → title → audience."""
    titles: defaultdict[str, dict[str, Audience]] = defaultdict(dict)
    for page, title, *audience in engine.raw.execute(_TITLES).fetchall():
        titles[page][title] = Audience(*audience)
    return titles


def _audiences(cut: pa.Table) -> list[Audience]:
    columns = (cut[name].to_pylist() for name in ("views", "low", "high", "buckets"))
    return [Audience(*audience) for audience in zip(*columns, strict=True)]


def _examples(engine: Engine) -> tuple[tuple[str, str], ...]:
    """Return examples of masked raw locations and their pages, the most viewed first."""
    parts = (_EXAMPLE.format(mark=mark, each=_EXAMPLES_EACH) for mark in _MARKS)
    engine.raw.execute(_SHARED)
    rows = engine.raw.execute(" UNION ALL ".join(parts)).fetchall()
    return tuple(dict.fromkeys((_before(location), page) for location, page in rows))


def _before(location: str) -> str:
    """Mask a raw location for display: values of parameters and fragments are removed."""
    return mask_url(_VALUES.sub("…", location[:MAX_LENGTH])).text[:_SHOWN]


def _own_hosts(pages: Iterable[str], weights: Iterable[int]) -> tuple[str, ...]:
    views: Counter[str] = Counter()
    for page, weight in zip(pages, weights, strict=True):
        host = page.partition("://")[2].partition("/")[0]
        views[host] += weight
    enough = _OWN_HOST_SHARE * views.total()
    return tuple(sorted(host for host, count in views.items() if host and count >= enough))


def _personal(engine: Engine, many: int) -> Counter[str]:
    """Count personal data by kind in locations (kept or dropped) and titles; only numbers that few saw."""
    kinds: Counter[str] = Counter()
    for column in ("location", "title"):
        rows = engine.raw.execute(
            f"SELECT {column}, sum(views)::BIGINT, {MERGED_SQL} FROM seen "
            f"WHERE regexp_matches({column}, $1) GROUP BY 1",
            [SUSPECT_RE2],
        ).fetchall()
        for text, views, *audience in rows:
            for kind in mask_url(text, numbers=Audience(views, *audience).users < many).kinds:
                kinds[kind] += views
    return kinds

"""How much of made-up sites is masked that belongs to one user each, and what public pages with it.

    python -m benchmarks.personal_places [--held] [--seed S] [--show]

The sites are those of ``personal_sites.yaml``; each is cleaned as a run would. A personal value is masked if
no page and no title of the data set has it; a public page is masked if the data set without masking has it,
and the one with masking does not.
"""

from __future__ import annotations

import random
import re
import string
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import click
import pyarrow as pa
import pyarrow.csv
import yaml

from core.base.progress import silent
from core.base.settings import IngestSettings
from core.ingest.ingest import ingest
from core.storage.dataset import Dataset

PLANS: Final = Path(__file__).with_suffix("").with_name("personal_sites.yaml")
AGAIN: Final = 0.15
"""Chance that a page is loaded again at once."""
START: Final = 1_741_000_000
FIRST: Final = (
    *("anna", "bela", "cleo", "dora", "emil", "farid", "greta", "hugo", "ines", "jonas"),
    *("karim", "lena", "marek", "nadia", "omar", "petra", "quirin", "rosa", "stefan", "tamar"),
    *("ulrike", "viktor", "wanda", "xenia", "yusuf", "zoe", "padma", "linnea", "mateus", "aoife"),
    *("tomasz", "ewa"),
)
LAST: Final = (
    *("nowak", "haas", "ricci", "dubois", "okafor", "lindqvist", "moreau", "santos", "kaya", "horvat"),
    *("petrov", "silva", "murphy", "jansen", "keller", "andersen", "bianchi", "costa", "dvorak", "eriksen"),
    *("fischer", "garcia", "hansen", "ito", "jimenez", "kowalski", "larsen", "mendes"),
)
_FIELD: Final = re.compile(r"\{([A-Za-z]+(?:[- ]w)*)(\d*)\}")
_OWN: Final = re.compile("<(.*?)>")
_ALPHABETS: Final = {
    "d": string.digits,
    "h": "0123456789abcdef",
    "b": string.ascii_letters + string.digits,
    "c": "ABCDEFGHJKLMNPQRSTUVWXYZ23456789",
}
_ENDS: Final = ("a", "e", "i", "o", "u", "an", "er", "il", "on")
_SYLLABLES: Final = [first + end for first in "bdfgklmnprstvz" for end in _ENDS]


class View(NamedTuple):
    """One page view."""

    user: int
    second: int
    path: str
    title: str


class Site(NamedTuple):
    """The page views of a made-up site, and the truth about its addresses."""

    views: list[View]
    public: set[str]
    """Paths of public pages."""
    personal: dict[str, set[str]]
    """Pattern of an address → personal values that stand there."""


class _Maker:
    """Draws pages and users of one site."""

    def __init__(self, plan: dict[str, Any], seed: int) -> None:
        self.plan, self.draw = plan, random.Random(f"{plan['host']} {seed}")
        syllables = self.draw.sample(_SYLLABLES, 40)
        self.words = [
            "".join(self.draw.choices(syllables, k=self.draw.choice((2, 2, 3)))) for _ in range(600)
        ]
        self.surnames = LAST[::2]

    def page(self, path: str, title: str) -> tuple[str, str, list[str]]:
        """An address, its title, and what of them is somebody's."""
        made: dict[str, list[str]] = {}
        for match in _FIELD.finditer(path + title):
            name, size = match[1].lower(), int(match[2] or 0)
            for part in re.split("[- ]", name):
                made.setdefault(part + match[2], []).append(self._value(part, size))

        def filled(text: str) -> str:
            taken: Counter[str] = Counter()

            def one(match: re.Match[str]) -> str:
                values = []
                for part in re.split("[- ]", match[1]):
                    key = part.lower() + match[2]
                    values.append(made[key][0 if key in ("first", "last") else taken[key] % len(made[key])])
                    taken[key] += 1
                text = ("-" if "-" in match[1] else " ").join(values)
                return text.title() if match[1][0].isupper() or " " in match[1] else text

            return _FIELD.sub(one, text)

        path, title = filled(path), filled(title)
        own = _OWN.findall(path) + [_OWN.sub(r"\1", title)] * ("<" in title)
        return _OWN.sub(r"\1", path), _OWN.sub(r"\1", title), own

    def _value(self, kind: str, size: int) -> str:
        if kind in _ALPHABETS:
            head = self.draw.choice("123456789") if kind == "d" else ""
            return (head + "".join(self.draw.choices(_ALPHABETS[kind], k=size)))[:size]
        if kind == "u":
            return "-".join("".join(self.draw.choices("0123456789abcdef", k=k)) for k in (8, 4, 4, 4, 12))
        if kind == "date":
            return f"2024-{self.draw.randint(1, 12):02}-{self.draw.randint(1, 28):02}"
        return self.draw.choice({"first": FIRST, "last": self.surnames, "w": self.words}[kind])

    def public_views(self) -> tuple[list[View], set[str]]:
        """Sessions of readers: pages by popularity, some loaded again."""
        groups = []
        for path, title, pages, share, steepness in self.plan["public"]:
            made = {page[0].lower(): page for page in (self.page(path, title) for _ in range(pages))}
            weights = [(rank + 1) ** -steepness for rank in range(len(made))]
            groups.append((share, list(made.values()), weights))
        views: list[View] = []
        shares = [share for share, _, _ in groups]
        for user in range(self.plan["users"]):
            for _ in range(1 + (self.draw.random() < 0.3) + (self.draw.random() < 0.1)):
                second = START + self.draw.randrange(28 * 86_400)
                for _ in range(min(30, 1 + int(self.draw.expovariate(1 / 4)))):
                    _, pages, weights = self.draw.choices(groups, shares)[0]
                    path, title, _ = self.draw.choices(pages, weights)[0]
                    for _ in range(1 + (self.draw.random() < AGAIN)):
                        views.append(View(user, second, path, title))
                        second += self.draw.randint(3, 90)
        return views, {view.path.lower() for view in views}

    def personal_views(self) -> tuple[list[View], dict[str, set[str]]]:
        """What is somebody's, seen by its owner, now and then by whom it was mailed to, and by staff."""
        self.surnames = LAST[1::2]  # nobody is called like one with a page of their own
        views: list[View] = []
        own: defaultdict[str, set[str]] = defaultdict(set)
        staff = [self.draw.randrange(self.plan["users"]) for _ in range(2)]
        for path, title, owners, each, mean, mailed, seen in self.plan["personal"]:
            for owner in self.draw.sample(range(self.plan["users"]), owners):
                for _ in range(1 + (self.draw.random() < each - 1)):
                    page, called, values = self.page(path, title)
                    own[path] |= {value.lower() for value in values}
                    viewers = [owner] * (1 + min(12, int(self.draw.expovariate(1 / (mean - 0.99)))))
                    viewers += [self.draw.randrange(self.plan["users"])] * (self.draw.random() < mailed)
                    viewers += [self.draw.choice(staff)] * (self.draw.random() < seen)
                    second = START + self.draw.randrange(27 * 86_400)
                    for viewer in viewers:
                        views.append(View(viewer, second, page, called))
                        second += self.draw.choice((20, 120, 40_000))
        return views, dict(own)


def site(name: str, seed: int = 1) -> Site:
    """The page views of one of the sites; a seed makes other pages and users of the same plan."""
    maker = _Maker(plans()[name], seed)
    read, public = maker.public_views()
    seen, personal = maker.personal_views()
    return Site(sorted(read + seen, key=lambda view: view.second), public, personal)


def plans() -> dict[str, Any]:
    """Name of a site → its plan."""
    found: dict[str, Any] = yaml.safe_load(PLANS.read_text(encoding="utf-8"))
    return found


def cleaned(views: list[View], host: str, folder: Path, *, mask: bool) -> tuple[set[str], str]:
    """Clean page views: the data set's addresses without host, and all addresses and titles as one text."""
    for made in (folder, folder / "out", folder / "work"):
        made.mkdir()
    columns = {
        "user_pseudo_id": [f"{view.user}.{view.user * 7 + 100}" for view in views],
        "event_timestamp": [str(view.second * 1_000_000) for view in views],
        "event_name": ["page_view"] * len(views),
        "page_location": [host + view.path for view in views],
        "page_title": [view.title for view in views],
    }
    pa.csv.write_csv(pa.table(columns), folder / "site.csv")
    ingest([folder / "site.csv"], IngestSettings(mask_own=mask), folder / "out", silent, folder / "work")
    dataset = Dataset(folder / "out", "site")
    pages = [page.removeprefix(host).lower() or "/" for page in dataset.pages["page_location"]]
    texts = [*pages, *(title.lower() for title in dataset.pages["page_title"] if isinstance(title, str))]
    return set(pages), "\n".join(texts)


def _lines(name: str, seed: int, show: bool, sums: Counter[str]) -> Iterator[str]:
    made, host = site(name, seed), plans()[name]["host"]
    with tempfile.TemporaryDirectory() as folder:
        pages, texts = cleaned(made.views, host, Path(folder) / "masked", mask=True)
        before, _ = cleaned(made.views, host, Path(folder) / "plain", mask=False)
    public = made.public & before
    lost = public - pages
    left = {
        path: [v for v in values if re.search(rf"(?<![^\W_]){re.escape(v)}(?![^\W_])", texts)]
        for path, values in made.personal.items()
    }
    count = {
        "left": sum(map(len, left.values())),
        "personal": sum(map(len, made.personal.values())),
        "lost": len(lost),
        "public": len(public),
    }
    sums.update(count)
    yield _line(name, count)
    if show:
        yield from (
            f"    left {len(v)} of {len(made.personal[path])}: {path}" for path, v in left.items() if v
        )
        shapes = Counter(re.sub(r"[^/?=]+$", "…", page) for page in lost)
        yield from (f"    lost {n}: {shape}" for shape, n in shapes.most_common(8))


def _line(name: str, count: dict[str, int] | Counter[str]) -> str:
    recall, alarms = 1 - count["left"] / count["personal"], count["lost"] / count["public"]
    return (
        f"{name:12} personal values masked {recall:6.1%} of {count['personal']:4}, "
        f"public pages masked {alarms:5.1%} of {count['public']:5}"
    )


@click.command(help=__doc__)
@click.option("--held", is_flag=True, help="The sites that are looked at once, when all is decided.")
@click.option("--seed", default=1)
@click.option("--show", is_flag=True, help="Name the places with misses and false alarms.")
@click.argument("names", nargs=-1)
def main(names: tuple[str, ...], held: bool, seed: int, show: bool) -> None:
    """Print recall and false alarms of each site, and of all."""
    sums: Counter[str] = Counter()
    chosen = names or [name for name, plan in plans().items() if plan.get("held", False) == held]
    for name in chosen:
        for line in _lines(name, seed, show, sums):
            print(line, flush=True)
    print(_line("all", sums))


if __name__ == "__main__":
    main()

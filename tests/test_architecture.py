"""The rules of the house that a machine can check (docs/architecture.md).

Each check is a function of source text, so that every one of them is also shown to fail on a breach.
A rule is one test over all files, which says in which of them it is broken.
"""

import ast
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, partial
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).resolve().parent.parent
CORE = sorted((ROOT / "core").rglob("*.py"))
PAGES = sorted((ROOT / "pages").rglob("*.py"))
SOURCES = [ROOT / "app.py", *CORE, *PAGES]
TEXT = {path: path.read_text() for path in SOURCES}
parsed = cache(ast.parse)


def broken(check: Callable[[str], object], paths: Iterable[Path]) -> dict[str, object]:
    """File → what a check finds in it, of the files in which it finds anything."""
    found = {str(path.relative_to(ROOT)): check(TEXT[path]) for path in paths}
    return {path: breaches for path, breaches in found.items() if breaches}


@cache
def imported(source: str) -> tuple[str, ...]:
    """Every module an import statement names, at any depth."""
    return tuple(name for node in ast.walk(parsed(source)) for name in named_by(node))


def named_by(node: ast.AST) -> Iterator[str]:
    """What one statement imports."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module:
        yield node.module
        yield from (f"{node.module}.{alias.name}" for alias in node.names)


def breaks_import_direction(layer: str, source: str) -> list[str]:
    """Modules that a layer must not know."""
    forbidden = {"core": ("streamlit", "pages", "app"), "pages": ("app",)}[layer]
    return [name for name in imported(source) if name.split(".")[0] in forbidden]


UNSAFE = re.compile(
    r"\b(?:import|from) (?:pickle|cPickle|dill|joblib|marshal|shelve)\b|read_pickle|pickle\.load"
    r"|torch\.(load|save)\(|unsafe_allow_html\s*=\s*True|allow_pickle\s*=\s*True"
    r"|(?<![\w.])(eval|exec)\("
)


def unsafe(source: str) -> list[str]:
    """Ways to run what a file holds."""
    return [match.group() for match in UNSAFE.finditer(source)]


def test_core_knows_neither_streamlit_nor_the_pages() -> None:
    assert broken(partial(breaks_import_direction, "core"), CORE) == {}


def test_pages_do_not_know_the_app() -> None:
    assert broken(partial(breaks_import_direction, "pages"), PAGES) == {}


def test_the_direction_check_can_fail() -> None:
    assert breaks_import_direction("core", "def f():\n    import streamlit as st") == ["streamlit"]
    assert breaks_import_direction("core", "from pages.ui.shell import state")
    assert breaks_import_direction("pages", "import app")
    assert broken(lambda _: ["pages"], [ROOT / "app.py"]) == {"app.py": ["pages"]}


def test_nothing_runs_what_a_file_holds() -> None:
    assert broken(unsafe, SOURCES) == {}


def test_the_safety_check_can_fail() -> None:
    for line in (
        "pickle.load(f)",
        "torch.load(f)",
        "pd.read_pickle(x)",
        "from pickle import loads",
        "eval(x)",
        "st.markdown(x, unsafe_allow_html=True)",
    ):
        assert unsafe(line), line
    assert unsafe("model.eval()") == []


def test_files_are_put_in_place_only_where_they_are_flushed() -> None:
    """``core.storage.disk.put_in_place`` and ``atomic_write`` are for everybody else."""
    may = {ROOT / "core" / "storage" / name for name in ("disk.py", "store.py", "replace_files.py")}
    assert broken(re.compile(r"\bos\.(?:replace|rename)\(").findall, {*SOURCES} - may) == {}


def test_no_page_lies_directly_in_pages() -> None:
    """Streamlit would start in its legacy mode for pages (docs/decisions)."""
    assert list((ROOT / "pages").glob("*.py")) == []


def test_no_screen_loads_torch() -> None:
    """Neither by itself nor over what it imports."""
    named = {name for path in PAGES for name in _modules_at_start(TEXT[path])}
    code = f"import sys, {', '.join(sorted(named))}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not {"torch", "transformers", "pacmap"} & set(done.stdout.split())


def _modules_at_start(source: str) -> set[str]:
    """Modules of ours that are imported when a module is loaded."""
    named = {name for node in parsed(source).body for name in named_by(node)}
    return {name for name in named if (ROOT / f"{name.replace('.', '/')}.py").is_file()}


@pytest.mark.parametrize(
    ("modules", "heavy"),
    [
        ("core.runs.pipeline, core.runs.jobs, core.runs.run", ()),
        ("core.runs.tasks, core.cli.cli", ("scipy.stats", "ibis", "duckdb")),  # a second of every job
    ],
)
def test_the_stages_can_be_named_without_loading_what_some_need(modules: str, heavy: Sequence[str]) -> None:
    code = f"import sys, {modules}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not {"torch", "transformers", "streamlit", "sklearn", *heavy} & set(done.stdout.split())


def offers_all_matches(source: str) -> list[int]:
    """Lines of boxes in which Enter would choose all that match what was typed, instead of the first."""
    called = (node for node in ast.walk(parsed(source)) if isinstance(node, ast.Call))
    boxes = (call for call in called if ast.unparse(call.func).endswith("multiselect"))
    return [box.lineno for box in boxes if not any(word.arg == "select_all" for word in box.keywords)]


def test_enter_chooses_one_match_and_not_all() -> None:
    assert broken(offers_all_matches, PAGES) == {}
    assert offers_all_matches("st.multiselect('Outcome', [])") == [1]


def test_core_uses_no_global_random_state() -> None:
    chance = re.compile(
        r"np\.random\.(?!default_rng|Generator|SeedSequence|PCG64)\w+|(?<![\w.])random\.\w+\(|(?<![\w.])hash\("
    )
    assert broken(chance.findall, CORE) == {}


LONGEST, MEDIAN = 60, 7
"""Lines of a function, documentation included."""


def lengths(source: str) -> dict[str, int]:
    """Function → its lines."""
    functions = (
        node for node in ast.walk(parsed(source)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    return {f"{node.name}:{node.lineno}": (node.end_lineno or 0) - node.lineno + 1 for node in functions}


def too_long(source: str) -> dict[str, int]:
    """Functions longer than any should be."""
    return {name: lines for name, lines in lengths(source).items() if lines > LONGEST}


def test_no_function_of_core_is_long() -> None:
    assert broken(too_long, CORE) == {}


def test_most_functions_of_core_are_short() -> None:
    assert median(lines for path in CORE for lines in lengths(TEXT[path]).values()) <= MEDIAN


def test_the_length_of_a_function_is_measured() -> None:
    assert lengths("class A:\n    async def f():\n        a\n\n        b\n\ndef g(): pass") == {
        "f:2": 4,
        "g:7": 1,
    }
    assert too_long("def f():" + "\n    a" * LONGEST) == {"f:1": LONGEST + 1}


def test_requirements_are_ranges_with_reasons_and_no_local_builds() -> None:
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    names = [line for line in lines if line and not line.startswith("#")]
    assert all(">=" in name and "<" in name for name in names), names
    assert not any("+cpu" in name or "==" in name for name in names)


def test_every_direct_import_of_core_and_pages_is_declared() -> None:
    declared = (ROOT / "requirements.txt").read_text().lower().replace("_", "-")
    provided = {
        "sklearn": "scikit-learn",
        "ada_url": "ada-url",
        "ibis": "ibis-framework",
        "yaml": "pyyaml",
        "google": "google-cloud-bigquery",
    }
    own = {"core", "pages", "app", *sys.stdlib_module_names}
    used = {name.split(".")[0] for path in SOURCES for name in imported(TEXT[path])} - own
    missing = [
        name for name in sorted(used) if provided.get(name, name).lower().replace("_", "-") not in declared
    ]
    assert missing == []


def test_no_path_file_hides_in_the_repository() -> None:
    """A .pth file runs code at every start of Python."""
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert [name for name in tracked.splitlines() if name.endswith((".pth", ".pkl", ".pt", ".bin"))] == []


FLOORS = (
    {"base"},
    {"storage"},
    {"ingest", "segments", "llm"},
    {"labels"},
    {"profiles"},
    {"model", "journeys", "rules", "periods"},
    {"people"},
    {"facts"},
    {"query", "sql"},
    {"questions"},
    {"writing"},
    {"saved"},
    {"runs"},
    {"scoring", "mcp"},
    {"cli"},
)
"""The rooms of core from the ground up; each knows lower floors only, so nothing runs in a circle."""
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}


def breaks_floors(room: str, source: str) -> list[str]:
    """Modules that a room must not know, imported anywhere: of its own floor, a higher one, or none."""
    named = {name for name in imported(source) if name.startswith("core.")}
    others = {name for name in named if name.split(".")[1] != room}
    return sorted(name for name in others if FLOOR.get(name.split(".")[1], len(FLOORS)) >= FLOOR[room])


def test_every_room_has_a_floor_and_nothing_lies_loose() -> None:
    found = {path.relative_to(ROOT / "core").parts[0] for path in CORE}
    assert found - {"__init__.py", "__main__.py"} == set(FLOOR)


def test_a_room_knows_only_rooms_of_lower_floors() -> None:
    found = [broken(partial(breaks_floors, room), (ROOT / "core" / room).rglob("*.py")) for room in FLOOR]
    assert [breaches for breaches in found if breaches] == []


def test_the_check_of_floors_can_fail() -> None:
    assert breaks_floors("ingest", "from core.model import bag") == ["core.model", "core.model.bag"]
    assert breaks_floors("segments", "def f():\n    import core.runs.pipeline") == ["core.runs.pipeline"]
    assert breaks_floors("facts", "from core import words") == ["core.words"]
    assert breaks_floors("segments", "from core.base import schema\nfrom core.segments import lasso") == []


def public_classes(source: str) -> list[str]:
    """Names of the classes that a module defines for others."""
    found = [node.name for node in parsed(source).body if isinstance(node, ast.ClassDef)]
    return [name for name in found if not name.startswith("_")]


def named_twice(sources: Iterable[str]) -> list[str]:
    """Public class names that stand for more than one thing."""
    counts = Counter(name for source in sources for name in public_classes(source))
    return sorted(name for name, count in counts.items() if count > 1)


def test_a_public_class_name_of_core_stands_for_one_thing() -> None:
    assert named_twice(TEXT[path] for path in CORE) == []


def test_the_check_of_class_names_can_fail() -> None:
    assert named_twice(["class Kind: ...", "class _Part: ...", "class Kind: ...\nclass _Part: ..."]) == [
        "Kind"
    ]


def riddles(source: str) -> list[str]:
    """Docstrings, also of constants, that say what something does by what stood before them."""
    texts = (node.value for node in ast.walk(parsed(source)) if isinstance(node, ast.Expr))
    return [
        text.value
        for text in texts
        if isinstance(text, ast.Constant) and str(text.value).startswith(("The same", "As above"))
    ]


def test_no_docstring_needs_the_one_before() -> None:
    others = [path for folder in ("tests", "benchmarks") for path in (ROOT / folder).rglob("*.py")]
    assert {path: found for path in others if (found := riddles(path.read_text()))} == {}
    assert broken(riddles, SOURCES) == {}


def test_the_check_of_docstrings_can_fail() -> None:
    assert riddles('A = 1\n"""The same in a path."""') == ["The same in a path."]

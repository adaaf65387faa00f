"""How large the house is, and how far a value walks in it.

    python -m benchmarks.house [--trace]

Counts lines, files, rooms, arrows between rooms, circles and public names. With ``--trace`` it also prepares
a small demo shop, trains on it, opens Explore and moves a slider, all in this process. It counts the files of
ours that are entered, calls that lead from one file into another, and those that lead into a higher floor.
Prints a Markdown table for docs/architecture.md.
"""

from __future__ import annotations

import ast
import inspect
import os
import sys
import tempfile
import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Final

import click

from benchmarks.tables import markdown

ROOT: Final = Path(__file__).resolve().parents[1]
FOLDERS: Final = ("core", "pages", "tests", "benchmarks")
USERS: Final = 300


def main_figures() -> list[tuple[str, str]]:
    """Count lines, files, rooms, imports between rooms and public names of the source: what → the count."""
    texts = {folder: {path: path.read_text() for path in _files(folder)} for folder in FOLDERS}
    rows = [
        (f"lines of `{folder}/` (code)", f"{_lines(files.values()):,} ({_code_lines(files.values()):,})")
        for folder, files in texts.items()
    ]
    core = texts["core"]
    rows += [(f"files of `{folder}/`", f"{len(texts[folder]):,}") for folder in FOLDERS[:2]]
    arrows = arrows_between_rooms(core)
    rows += [
        ("rooms of core", str(len({_room(path) for path in core} - {""}))),
        ("arrows between rooms", str(len(arrows))),
        ("files in circles", str(len(files_in_circles({**core, **texts["pages"]})))),
        ("public names per 1,000 lines of code of core", f"{_public_names(core.values()):.0f}"),
    ]
    return rows


def _files(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def _lines(texts: Iterable[str]) -> int:
    return sum(len(text.splitlines()) for text in texts)


def _code_lines(texts: Iterable[str]) -> int:
    """Lines that are neither blank nor a comment nor part of a docstring."""
    total = 0
    for text in texts:
        described = set[int]()
        for node in ast.walk(ast.parse(text)):
            holder = isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
            if holder and ast.get_docstring(node) is not None:
                first = node.body[0]
                described |= set(range(first.lineno, (first.end_lineno or first.lineno) + 1))
        for number, line in enumerate(text.splitlines(), 1):
            total += bool(line.strip()) and not line.strip().startswith("#") and number not in described
    return total


def _public_names(texts: Collection[str]) -> float:
    """Classes, functions and constants at the top of files without an underscore, per 1,000 lines of code."""
    names = [name for text in texts for node in ast.parse(text).body for name in _defined(node)]
    return 1_000 * sum(not name.startswith("_") for name in names) / _code_lines(texts)


def _defined(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
        yield node.name
    elif isinstance(node, (ast.Assign, ast.AnnAssign)):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        yield from (target.id for target in targets if isinstance(target, ast.Name))


def _room(path: Path) -> str:
    parts = path.relative_to(ROOT).parts
    return parts[1] if parts[0] == "core" and len(parts) > 2 else ""


def _module(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imports(text: str) -> Iterator[str]:
    """Modules, and names in them, that a file imports at any depth, but not those for types alone."""
    tree = ast.parse(text)
    guards = [
        node for node in ast.walk(tree) if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
    ]
    skipped = {inner for guard in guards for inner in ast.walk(guard)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node not in skipped:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _edges(files: dict[Path, str]) -> dict[str, set[str]]:
    """Module → modules of these files that it imports."""
    known = {_module(path) for path in files}
    edges = dict[str, set[str]]()
    for path, text in files.items():
        named = (name if name in known else name.rpartition(".")[0] for name in _imports(text))
        edges[_module(path)] = {name for name in named if name in known} - {_module(path)}
    return edges


def arrows_between_rooms(core: dict[Path, str]) -> set[tuple[str, str]]:
    """Pairs of rooms of which one imports the other."""
    rooms = {_module(path): _room(path) for path in core}
    pairs = {(rooms[one], rooms[other]) for one, others in _edges(core).items() for other in others}
    return {(one, other) for one, other in pairs if one and other and one != other}


def files_in_circles(files: dict[Path, str]) -> set[str]:
    """Modules that import themselves over others, imports inside functions included."""
    edges = _edges(files)

    def reached(start: str) -> set[str]:
        seen, todo = set[str](), [start]
        while todo:
            fresh = edges.get(todo.pop(), set()) - seen
            seen |= fresh
            todo += fresh
        return seen

    return {module for module in edges if module in reached(module)}


@dataclass
class Walk:
    """Which of our files control entered.

    Args:
        files: Entered, without those that were only imported.
        entries: Calls that led from one of our files into another one.
        upward: Of these, calls from core into ``pages/``, or into a room of a higher floor.
    """

    files: set[str] = field(default_factory=set)
    entries: int = 0
    upward: int = 0


@contextmanager
def traced(floor_of: Callable[[str], int]) -> Iterator[Walk]:
    """Record the calls of all threads that begin meanwhile, and of this one.

    Args:
        floor_of: File, relative to the project → its floor.
    """
    walk, ours, local = Walk(), dict[str, str](), threading.local()

    def named(path: str) -> str:
        if path not in ours:
            inside = path.startswith(str(ROOT)) and ".venv" not in path
            short = os.path.relpath(path, ROOT) if inside else ""
            ours[path] = short if short.startswith(("core/", "pages/", "app.py")) else ""
        return ours[path]

    def record(frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        if event not in ("call", "return") or not code.co_flags & inspect.CO_OPTIMIZED:
            return  # bodies of modules and classes run when they are imported
        file = named(code.co_filename)
        if not file:
            return
        stack: list[str] = local.__dict__.setdefault("stack", [])
        if event == "return":
            if stack:
                stack.pop()
            return
        if not stack or stack[-1] != file:
            walk.files.add(file)
            walk.entries += 1
            walk.upward += bool(stack) and floor_of(file) > floor_of(stack[-1])
        stack.append(file)

    threading.setprofile(record)
    sys.setprofile(record)
    try:
        yield walk
    finally:
        sys.setprofile(None)
        threading.setprofile(None)


def _floor_of(file: str) -> int:
    from tests.test_architecture import FLOOR

    parts = Path(file).parts
    return FLOOR.get(parts[1], 0) if parts[0] == "core" else 100


def walks(work: Path) -> tuple[Walk, Walk]:
    """Trace an upload up to the first segments, and one move of a slider; ``work`` is an empty folder."""
    os.environ |= {
        "BEHA2VEC_CACHE": str(work / "cache"), "BEHA2VEC_INPUT": str(work / "input"),
        "BEHA2VEC_CONFIG": str(work / "config"),
    }  # fmt: skip
    from streamlit.testing.v1 import AppTest

    from core.base.progress import silent
    from core.base.settings import IngestSettings, Preset, TrainSettings
    from core.ingest.sample import write_sample
    from core.labels.label_settings import LabelMode, LabelSettings
    from core.runs import tasks
    from core.runs.file_requests import FilesRequest
    from core.scoring import engine_child

    csv, root = work / "shop.csv", work / "cache"
    write_sample(csv, USERS, 1, silent)
    read = FilesRequest(paths=(csv,), settings=IngestSettings()).model_dump(mode="json")
    with traced(_floor_of) as upload:
        made = tasks.run("preprocess", root, read, silent, engine_child.TASKS)
        asked = tasks.TrainRequest(
            dataset=made["dataset"], label=LabelSettings(mode=LabelMode.OFF),
            settings=TrainSettings.preset(Preset.FAST),
        )  # fmt: skip
        tasks.run("train", root, asked.model_dump(mode="json"), silent)
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=300)
        app.query_params["data"] = made["dataset"]
        app.switch_page("pages/segments/explore.py")
        app.run()
    slider = app.slider(key="k")
    k = slider.value
    assert isinstance(k, int)
    with traced(_floor_of) as move:
        slider.set_value(k + 1).run()
    if app.exception:
        raise RuntimeError(app.exception[0].message)
    return upload, move


@click.command()
@click.option("--trace", is_flag=True, help="Also follow a value from an upload to segments, in minutes.")
def main(trace: bool) -> None:
    """Print the figures of the house as a table."""
    rows = main_figures()
    if trace:
        with tempfile.TemporaryDirectory() as work:
            upload, move = walks(Path(work))
        for what, walk in (("upload to first segments", upload), ("move of a slider", move)):
            rows.append((f"{what}: files entered", str(len(walk.files))))
            rows.append((f"{what}: calls into another file", f"{walk.entries:,}"))
            rows.append((f"{what}: of these into a higher floor", f"{walk.upward:,}"))
    click.echo(markdown(("figure", "value"), rows))


if __name__ == "__main__":
    main()

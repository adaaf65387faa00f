"""Write the reference pages from the code: commands, settings, and the files of a finished run.

``make docs`` runs it as ``python docs/reference/make.py OUT TO``: OUT is the folder of a run, TO the folder
``docs/`` was copied to. What a column means stands in ``columns.yaml`` beside this file; names and types are
those of the run.
"""

from __future__ import annotations

import ast
import inspect
import itertools
import json
import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click
import pyarrow.parquet as pq
import yaml

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from core.base import settings  # noqa: E402 - a script outside the packages
from core.base.places import data_folder  # noqa: E402
from core.base.raw_fields import RAW_FIELDS, RECORD_FIELDS  # noqa: E402
from core.cli.cli import app  # noqa: E402
from core.ingest.read.headers import ALIASES  # noqa: E402

CODE = re.compile(r"`{1,2}(?!`)|:\w+:(?=`)")
FAMILY = re.compile(r"^(outcome|facet): .*")


def _cell(text: object) -> str:
    plain = CODE.sub(lambda found: "`" if found[0].startswith("`") else "", " ".join(str(text).split()))
    return plain.replace("|", "\\|").replace("~", "")


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines) + "\n"


def _described(command: click.Command, context: click.Context) -> Iterator[str]:
    yield f"```text\n{command.get_usage(context).removeprefix('Usage: ')}\n```\n"
    yield inspect.cleandoc(command.help or "").replace("``", "`") + "\n"
    records = [found for option in command.params if (found := option.get_help_record(context))]
    yield _table(("Option", "Meaning"), [(f"`{name}`", text) for name, text in records])


def command_line() -> str:
    """The page of the command line, from its parser."""
    top = click.Context(app, info_name="beha2vec")
    parts = ["# Command line", "", "In a checkout, `python -m core` is the same program.", ""]
    parts += _described(app, top)
    for name, command in app.commands.items():
        parts += [f"## {name}", "", *_described(command, click.Context(command, info_name=name, parent=top))]
    home = re.escape(str(data_folder()))
    return re.sub(rf"{home}(?=\W)", "your user folder", "\n".join(parts))


def _meanings(model: type[settings.Settings]) -> dict[str, str]:
    """Field → the text below it."""
    body = ast.parse(inspect.getsource(model)).body[0].body  # type: ignore[attr-defined]
    return {
        line.target.id: below.value.value
        for line, below in itertools.pairwise(body)
        if isinstance(line, ast.AnnAssign) and isinstance(below, ast.Expr)
    }


def _allowed(schema: dict[str, Any], defs: dict[str, Any]) -> str:
    """What a field takes, of its JSON schema."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        return _allowed(defs[name], defs) if "enum" in defs[name] else name
    if "anyOf" in schema:
        return " or ".join(_allowed(part, defs) for part in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    limits = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    said = [f"{sign} {schema[name]:g}" for name, sign in limits.items() if name in schema]
    return " ".join([schema.get("type", "any"), ", ".join(said)]).strip()


def settings_page() -> str:
    """The page of all settings, from the pydantic models."""
    parts = ["# Settings", "", "`run.json` of a run holds them all. An unknown name is refused.", ""]
    models = [
        model
        for model in vars(settings).values()
        if inspect.isclass(model) and issubclass(model, settings.Settings) and model is not settings.Settings
    ]
    for model in models:
        schema = model.model_json_schema(mode="validation")
        meanings, defs = _meanings(model), schema.get("$defs", {})
        rows = [
            (f"`{name}`", _allowed(field, defs), _default(field), meanings.get(name, ""))
            for name, field in schema["properties"].items()
        ]
        about = inspect.cleandoc(model.__doc__ or "").replace("``", "`")
        head = ("Setting", "Takes", "Default", "Meaning")
        parts += [f"## {model.__name__}", "", about, "", _table(head, rows)]
    parts += ["## Presets", "", "What `--preset` sets in `TrainSettings`.", ""]
    parts += [_table(("Preset", "Sets"), [(f"`{k}`", f"`{v}`") for k, v in settings.PRESETS.items()])]
    return "\n".join(parts)


def fields_page() -> str:
    """The page of what is read of an export, from the tables that its readers use."""
    parts = ["# Fields of an export", "", "What is read, and where it lies. `--column FIELD=COLUMN` says "
             "otherwise; headings are compared in lower case, with `_` for dots and blanks.", ""]  # fmt: skip
    rows = [
        (f"`{name}`", f"`{RECORD_FIELDS[name]}`" if name in RECORD_FIELDS else "",
         ", ".join(f"`{alias}`" for alias in ALIASES.get(name, ())), note)
        for name, _, _, _, note in RAW_FIELDS
    ]  # fmt: skip
    head = (
        "Field",
        "In GA4's nested export, and asked of BigQuery",
        "Headings of flat files, best first",
        "",
    )
    return "\n".join([*parts, _table(head, rows)])


def _default(field: dict[str, Any]) -> str:
    if "default" not in field or isinstance(field["default"], dict):
        return ""
    return f"`{json.dumps(field['default'], ensure_ascii=False)}`"


def _entries(path: Path) -> list[tuple[str, str]]:
    """Columns of a table or keys of a JSON file, with their types; keys of rows as ``list[].key``."""
    if path.suffix == ".parquet":
        found = [(field.name, str(field.type)) for field in pq.read_schema(path)]
        return [(name, re.sub("element: |large_", "", kind)) for name, kind in found]
    value = json.loads(path.read_text(encoding="utf-8"))
    rows = value[0] if isinstance(value, list) and value else value
    return [entry for name, inner in rows.items() for entry in _keys(name, inner)]


def _keys(name: str, value: object) -> Iterator[tuple[str, str]]:
    names = {"dict": "object", "list": "list", "NoneType": "null", "str": "text", "float": "number"}
    yield name, names.get(type(value).__name__, type(value).__name__)
    first = value[0] if isinstance(value, list) and value else None
    if isinstance(first, dict):
        yield from (
            (f"{name}[].{key}", names.get(type(v).__name__, type(v).__name__)) for key, v in first.items()
        )


def files_page(out: Path) -> tuple[str, list[str]]:
    """The page of all files of a run, and what nothing is said about."""
    about: dict[str, Any] = yaml.safe_load(
        Path(__file__).with_name("columns.yaml").read_text(encoding="utf-8")
    )
    parts, silent = [about.pop("introduction")], []
    present = {path.name for path in out.iterdir()} - {"stages"}
    silent += sorted(present - {*about})
    for name, file in about.items():
        parts += [f"## {name}", "", file["about"]]
        path, said = out / name, file.get("means", {})
        if path.suffix in {".parquet", ".json"} and path.is_file():
            rows = [
                (column, kind, said.get(FAMILY.sub(r"\1: …", column), "")) for column, kind in _entries(path)
            ]
            silent += [
                f"{name}: {column}" for column, _, text in rows if path.suffix == ".parquet" and not text
            ]
            parts += [_table(("Name", "Type", "Meaning"), [(f"`{c}`", k, t) for c, k, t in rows])]
    return "\n".join(parts), silent


def main(out: Path, to: Path) -> None:
    """Write the pages into the copy of ``docs/``; say what has no description."""
    page, silent = files_page(out)
    (to / "reference" / "command_line.md").write_text(command_line(), encoding="utf-8")
    (to / "reference" / "settings.md").write_text(settings_page(), encoding="utf-8")
    (to / "reference" / "fields.md").write_text(fields_page(), encoding="utf-8")
    (to / "reference" / "files.md").write_text(page, encoding="utf-8")
    shutil.copy(out / "report.html", to / "report.html")
    sys.stderr.write("".join(f"not described in docs/reference/columns.yaml: {what}\n" for what in silent))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

"""The stages for a notebook, as scikit-learn has its estimators (docs/how-to/notebook.md).

Each call is a command of the program in a process of its own, and what it wrote is read here. So results are
those of the command line, nothing of ``core`` is imported into the notebook's process, where another package
may have that name, and torch's memory is free again afterwards (docs/decisions/0029).
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import warnings
from collections.abc import Sequence
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final, Literal, Protocol, Self, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn.base import BaseEstimator, ClusterMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

if TYPE_CHECKING:
    import altair as alt

_PACKAGE: Final = Path(__file__).resolve().parent
_HOME: Final = next(folder for folder in (_PACKAGE, _PACKAGE.parent) if (folder / "core").is_dir())
"""Folder of ``core/``: of the package where it is installed, beside it in a checkout."""
_BAD_INPUT: Final = 2
"""Exit status of the program where its last line on stderr says what was wrong."""
_VIEWS: Final = ("url", "theme", "type", "activity")
_DRAWN: Final = 5_000
"""Most users on a map: Altair refuses more rows."""
_LAYOUT: Final = """
import sys
import numpy as np
from core.base.progress import silent
from core.segments.layout import neighbour_layout
vectors, places, seed = sys.argv[1:]
np.save(places, neighbour_layout(np.load(vectors), int(seed), silent).xy)
"""


class _Stream(Protocol):
    """A table that Arrow can read: of pandas, Arrow, Polars, or a relation of DuckDB."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object: ...


Events: TypeAlias = str | Path | Sequence[str | Path] | _Stream
"""Page views: files, folders or patterns; or a table whose columns are an export's."""


class Beha2VecError(ValueError):
    """Something cannot be used; the message says what was wrong, what is allowed and what to do."""


class Beha2Vec(ClusterMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]  # sklearn has no types
    """Behavioural segments of the users of an export: ``fit`` is ``beha2vec run``, by its parameters.

    A sample is a user, not a row: what comes out has the user's id as its index.

    Args:
        n_clusters: Number of segments; ``auto`` takes what the users support.
        weights: Weight of pages, themes, types and, if a fourth is given, activity.
        preset: Amount of training.
        random_state: Seed of training and clustering.
        options: Further options of ``beha2vec run``, as on the command line: ``"--outcome sign_up"``.
        out: Folder for the run, kept; by default a temporary one, which goes with this object.
        verbose: Whether to write progress to stderr.

    Attributes:
        labels_: Segment of each user, −1 where in none (a single page view, or automated).
        embedding_: Vector of each user, of length 1: the weighted mix that was clustered.
        users_: All that ``users.parquet`` says of each user, such as the segment's name and membership.
        segments_: Number, name, users and share of each segment, and of those by rule of one page.
        profiles_: Figures of each segment.
        differences_: What differs between each segment and the others, with intervals and tests.
        certificates_: How surely other users would lead to each segment again.
        verdict_: Whether the users are of kinds, on a gradient, or alike.
        rules_: Rules that find each segment's users, with SQL and the conditions of a GA4 audience.
        out_: Folder of the run, with ``report.html``.
        model_: Folder of the model, as ``beha2vec embed --model`` takes it.
    """

    def __init__(
        self,
        n_clusters: int | Literal["auto"] = "auto",
        *,
        weights: Sequence[float] = (0.5, 0.3, 0.2),
        preset: Literal["bag", "fast", "balanced", "thorough"] = "fast",
        random_state: int = 0,
        options: str = "",
        out: str | Path | None = None,
        verbose: bool = False,
    ) -> None:
        self.n_clusters, self.weights, self.preset, self.random_state = (
            n_clusters, weights, preset, random_state
        )  # fmt: skip
        self.options, self.out, self.verbose = options, out, verbose

    def fit(self, X: Events, y: object = None) -> Self:
        """Segment the users of an export; what did not change since the last fit is not done again.

        Raises:
            Beha2VecError: If the input or a parameter cannot be used.
        """
        if len(self.weights) not in (3, 4):
            raise Beha2VecError(f"weights = {self.weights!r} is not possible. Allowed: 3 or 4 numbers.")
        if self.out is None and not hasattr(self, "_temporary"):
            self._temporary = TemporaryDirectory(prefix="beha2vec-", ignore_cleanup_errors=True)
        out = Path(self._temporary.name if self.out is None else self.out)
        weights = ",".join(f"{view}={weight}" for view, weight in zip(_VIEWS, self.weights, strict=False))
        asked: dict[str, object] = {
            "--clusters": self.n_clusters,
            "--weights": weights,
            "--preset": self.preset,
        }
        asked |= {"--seed": self.random_state, "--out": out}
        given = [str(part) for pair in asked.items() for part in pair] + shlex.split(self.options)
        self._call("run", given, X)
        self._read(out)
        for file in json.loads((out / "receipt.json").read_bytes())["files"]:
            for note in file["notes"]:  # such as ids that were read as numbers, which lose digits
                warnings.warn(note, stacklevel=2)
        return self

    def fit_transform(self, X: Events, y: object = None) -> pd.DataFrame:
        """Segment the users of an export, and return their vectors."""
        return self.fit(X).embedding_

    def transform(self, X: Events) -> pd.DataFrame:
        """Return the vector of each user of a new export, by the model as it is.

        Raises:
            NotFittedError: If there is no model yet.
            Beha2VecError: If the model or the input cannot be used.
        """
        return _vectors(self._placed(X))

    def predict(self, X: Events) -> pd.Series[int]:
        """Return the segment of each user of a new export, −1 where in none.

        Raises:
            NotFittedError: If there is no model yet.
            Beha2VecError: If the model or the input cannot be used.
        """
        return self._placed(X)["cluster"]

    def save(self, folder: str | Path) -> None:
        """Copy the model into a new folder, as ``beha2vec embed --model`` and :meth:`load` take it.

        Raises:
            NotFittedError: If there is no model yet.
            Beha2VecError: If the folder exists.
        """
        check_is_fitted(self, "model_")
        if Path(folder).exists():
            raise Beha2VecError(f"{folder} exists already. Allowed: a new folder.")
        shutil.copytree(self.model_, folder)

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Open a model for :meth:`transform` and :meth:`predict`; of a whole run also the fitted attributes.

        Args:
            folder: What :meth:`save` or ``beha2vec run --out`` wrote. Parameters are not read from it.

        Raises:
            Beha2VecError: If it is neither.
        """
        opened, folder = cls(), Path(folder)
        if (folder / "run.json").is_file():
            opened._read(folder)
        elif (folder / "ingest.json").is_file():
            opened.model_ = folder
        else:
            raise Beha2VecError(f"{folder} holds neither a run nor a model. Allowed: OUT or OUT/model.")
        return opened

    def plot_map(self) -> alt.Chart:
        """Draw up to 5,000 users, neighbours beside each other, by segment; distances of islands mean little.

        Raises:
            NotFittedError: If there are no users: a model alone has none.
        """
        import altair as alt

        check_is_fitted(self, "embedding_")
        drawn = self.users_[["segment", "page_views", "sessions"]].copy()
        drawn["segment"] = drawn["segment"].where(self.labels_ >= 0, "in no segment")
        drawn = drawn.sample(min(_DRAWN, len(drawn)), random_state=self.random_state).sort_index()
        with TemporaryDirectory() as work:
            vectors, places = f"{work}/vectors.npy", f"{work}/places.npy"
            np.save(vectors, self.embedding_.loc[drawn.index].to_numpy(), allow_pickle=False)
            self._run("-c", _LAYOUT, vectors, places, str(self.random_state))
            drawn[["x", "y"]] = np.load(places, allow_pickle=False)
        hidden = {side: getattr(alt, side.upper())(side, axis=None) for side in ("x", "y")}
        colour = alt.Color("segment", scale=alt.Scale(scheme="tableau20"), title="Segment")
        chart: alt.Chart = alt.Chart(drawn.reset_index()).mark_circle(size=18, opacity=0.7)
        tooltip = ["user_id", "segment", "page_views", "sessions"]
        chart = chart.encode(color=colour, tooltip=tooltip, **hidden)
        return chart.properties(width=520, height=520)

    def _html_repr(self) -> str:
        """What a notebook shows; scikit-learn's own view until there are segments."""
        if not hasattr(self, "segments_"):
            return str(super()._html_repr())
        inside = self.segments_[self.segments_["kind"] == "segment"]
        surely = [self.certificates_["word"].get(number, "") for number in inside["cluster"]]
        table = pd.DataFrame(
            {
                "Segment": inside["cluster"],
                "Name": inside["name"],
                "Users": inside["users"].map("{:,}".format),
                "Share": inside["share"].map("{:.1%}".format),
                "Certainty": surely,
            }
        )
        outside = f"{int((self.labels_ < 0).sum()):,} of {len(self.labels_):,} users are in no segment."
        return f"<p>{escape(self.verdict_)}</p>{table.to_html(index=False, border=0)}<p>{outside}</p>"

    def _read(self, out: Path) -> None:
        """Read the files of a run."""
        users = pd.read_parquet(out / "users.parquet").set_index("user_id")
        clusters = json.loads((out / "clusters.json").read_bytes())
        segments = clusters["segments"]
        certain = [segment["certificate"] for segment in segments if "certificate" in segment]
        self.out_, self.model_ = out, out / "model"
        self.users_, self.labels_ = users.drop(columns="embedding"), users["cluster"]
        self.embedding_ = _vectors(users)
        self.segments_ = pd.DataFrame(segments)[["kind", "cluster", "name", "users", "share"]]
        self.certificates_ = pd.DataFrame(certain, columns=None if certain else ["segment", "word"])
        self.certificates_ = self.certificates_.set_index("segment")
        self.verdict_ = str(clusters.get("verdict_text", ""))
        self.profiles_ = pd.DataFrame(json.loads((out / "profiles.json").read_bytes())["segments"])
        rules, differences = out / "rules.json", out / "differences.parquet"  # a run can do without
        self.rules_ = pd.DataFrame(json.loads(rules.read_bytes()) if rules.is_file() else [])
        self.differences_ = pd.read_parquet(differences) if differences.is_file() else pd.DataFrame()

    def _placed(self, data: Events) -> pd.DataFrame:
        check_is_fitted(self, "model_")
        with TemporaryDirectory() as work:
            out = Path(work) / "users.parquet"
            self._call("embed", ["--model", str(self.model_), "--out", str(out)], data)
            return pd.read_parquet(out).set_index("user_id")

    def _call(self, command: str, options: Sequence[str], data: Events) -> None:
        """Run a command of the program on files, or on a table that becomes one."""
        with TemporaryDirectory() as work:
            self._run("-m", "core", command, *options, "--", *_files(data, Path(work) / "table.parquet"))

    def _run(self, *args: str) -> None:
        """Run Python with ``core`` as ours, and raise what it complains of; its warnings become warnings."""
        path = os.pathsep.join(filter(None, [str(_HOME), os.environ.get("PYTHONPATH")]))
        env = {
            "PYTHONPATH": path,
            "PYTHONIOENCODING": "utf-8",
            "TTY_COMPATIBLE": "0",
        }  # Jupyter forces colours
        said: list[str] = []
        with subprocess.Popen(
            [sys.executable, "-P", *args], env=os.environ | env, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, encoding="utf-8", errors="replace",
        ) as child:  # fmt: skip
            try:
                for line in child.stderr or ():
                    said.append(line.rstrip())
                    if self.verbose:
                        sys.stderr.write(line)
            except BaseException:  # an interrupted cell ends the work
                child.terminate()
                raise
        if child.returncode == _BAD_INPUT:
            raise Beha2VecError(said[-1].removeprefix("error: "))
        if child.returncode:
            raise RuntimeError("\n".join(said) or f"The process ended with {child.returncode}")
        for line in said:
            if line.startswith("warning: "):
                warnings.warn(line.removeprefix("warning: "), stacklevel=4)


def _files(data: Events, table: Path) -> list[str]:
    """Paths of the input; data in memory are written to ``table``, batch by batch."""
    if isinstance(data, str | Path):
        return [str(data)]
    if hasattr(data, "__arrow_c_stream__"):
        try:
            batches = pa.RecordBatchReader.from_stream(data)
            with pq.ParquetWriter(table, batches.schema) as writer:
                for batch in batches:
                    writer.write_batch(batch)
        except (pa.ArrowException, TypeError, ValueError) as error:
            why = " ".join(str(error).split())
            raise Beha2VecError(f"The table cannot be read: {why}. Ids are text: .astype(str).") from error
        return [str(table)]
    if isinstance(data, list | tuple) and all(isinstance(path, str | Path) for path in data):
        return [str(path) for path in data]
    allowed = "paths, a DataFrame, an Arrow table, a DuckDB relation"
    raise Beha2VecError(f"A {type(data).__name__} cannot be read. Allowed: {allowed}.")


def _vectors(users: pd.DataFrame) -> pd.DataFrame:
    """The column of vectors as a table: float32 of shape (n_users, d)."""
    return pd.DataFrame(np.stack(users["embedding"].to_list()), index=users.index)

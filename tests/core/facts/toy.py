"""The eight users of the profile tests with page labels, two segments and names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache

import numpy as np

from core.base.schema import View
from core.base.settings import AnalyzeSettings, ClusterSettings
from core.facts.context import Basis, Context, Tables
from core.facts.fact_maker import Figures
from core.profiles.metrics import profile
from core.segments.partition import Partition
from tests.core.profiles.toy import LABELS, toy, toy_tables

NAMES = {0: "Sale hunters", 1: "Blog readers"}
THEMES = ["No theme", "Shoes", "Hats", "No theme"]
TYPES = ["Homepage", "Category", "Blog", "Cart & checkout"]


def basis(*, labelled: bool = True, types: Sequence[str] = TYPES) -> Basis:
    """The eight, laid out."""
    _, pages, _, sequences = toy_tables()
    names = {View.THEME: THEMES, View.TYPE: list(types)} if labelled else {}
    return Basis.from_tables("toy", toy(), pages, sequences, names)


def partition(labels: np.ndarray = LABELS) -> Partition:
    """Two segments a right angle apart."""
    centroids = np.eye(2, dtype=np.float32)
    ids = np.arange(2, dtype=np.int32)
    return Partition(labels, centroids, ids, 0.0, 1, False, ClusterSettings(n_clusters=2))


@cache
def tables(labelled: bool) -> Tables:
    """What is counted of them, once a process; must not be changed."""
    return Tables(basis(labelled=labelled), profile(toy(), LABELS, AnalyzeSettings()), partition())


def context(
    names: Mapping[int, str] = NAMES, *, labelled: bool = True, previous: Partition | None = None
) -> Context:
    """What questions are asked about."""
    return Context(tables(labelled), names, previous)


def without_outcome() -> Context:
    """The same data where nobody converts."""
    data = replace(toy(), outcomes=replace(toy().outcomes, events={}))
    made = context()
    profiles = profile(data, LABELS, AnalyzeSettings())
    return replace(made, tables=Tables(replace(made.tables.basis, data=data), profiles, partition()))


def figures(names: Mapping[int, str] = NAMES, *, labelled: bool = True) -> Figures:
    """Facts about the eight."""
    return Figures(context(names, labelled=labelled))

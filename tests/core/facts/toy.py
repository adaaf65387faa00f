"""The eight users of the profile tests with page labels, two segments and names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd

from core.base.schema import Group, View
from core.base.settings import AnalyzeSettings, ClusterSettings
from core.facts.context import Basis, Context, Tables
from core.facts.fact_maker import Figures
from core.profiles.data import ProfileData
from core.profiles.metrics import profile
from core.segments.partition import Partition
from tests.core.profiles.toy import BLOG, HOME, LABELS, SALE, outcomes, toy, toy_tables
from tests.core.profiles.toy import tables as toy_pages

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
    """Context of the toy data where nobody converts."""
    data = replace(toy(), outcomes=replace(toy().outcomes, events={}))
    made = context()
    profiles = profile(data, LABELS, AnalyzeSettings())
    return replace(made, tables=Tables(replace(made.tables.basis, data=data), profiles, partition()))


@cache
def rule_figures(*, alike: bool = False) -> Figures:
    """Forty users: the twenty of the first segment saw /sale, the other twenty /blog, and all saw /."""
    visits = [[[HOME, SALE if user < 20 else BLOG]] for user in range(40)]
    users, pages, sequences = toy_pages(visits, [Group.SEGMENT] * 40, 4)
    data = ProfileData.from_tables(users, pages, outcomes([]), sequences)
    labels = np.repeat(np.arange(2, dtype=np.int32), 20)
    labels = np.arange(40, dtype=np.int32) % 2 if alike else labels  # half of each saw either
    made = Basis.from_tables("forty", data, pages, sequences, {})
    return Figures(Context(Tables(made, profile(data, labels, AnalyzeSettings()), partition(labels)), NAMES))


def two_currencies() -> Context:
    """Context where user 0 paid £30, user 3 €20, and a ninth, of whom no page view is used, €5."""
    users, pages, _, sequences = toy_tables()
    bought = outcomes([(0, "purchase", 1, 1, 30.0), (3, "purchase", 1, 1, 20.0), (8, "purchase", 1, 1, 5.0)])
    bought = bought.assign(currency=pd.array(["GBP", "EUR", "EUR"], dtype="str"))
    data = ProfileData.from_tables(users, pages, bought, sequences)
    made = replace(basis(), data=data)
    return Context(Tables(made, profile(data, LABELS, AnalyzeSettings()), partition()), NAMES)


def figures(names: Mapping[int, str] = NAMES, *, labelled: bool = True) -> Figures:
    """Facts about the eight."""
    return Figures(context(names, labelled=labelled))

"""What fresh users do later, told from their first page views: the vectors beside n-grams of pages."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import roc_auc_score

from benchmarks.quality.case import Case
from benchmarks.quality.future import RESAMPLES, told
from benchmarks.quality.maker_sets import DEMO, Made
from benchmarks.quality.twins import mixed, names_of
from core.base.progress import silent
from core.base.schema import Users
from core.base.settings import IngestSettings
from core.model.inputs import Spans
from core.runs.pipeline import preprocess
from core.storage.store import Store

FIRST: Final = 5
"""Page views of every user that are read, so that nobody is known by how many there are."""
OUTCOMES: Final[Mapping[str, str]] = {
    DEMO: "add_to_cart",
    "saas": "sign_up",
    "mattress": "add_to_cart",
    "nordleden": "purchase",
    "gazette": "subscribe",
    "tracewell": "sign_up",
    "campus": "form_start",
    "tokyo": "add_to_cart",
    "jobharbour": "apply_complete",
    "mediatheque": "reservation",
}
"""Set → an event that enough of its users send."""
STRENGTHS: Final = (1e-4, 1e-3, 1e-2, 0.1, 1.0, 10.0, 100.0)


def later(event: str, fresh: Made, case: Case, trained: Path, folder: Path) -> dict[str, str]:
    """AUC of an event after the first page views, by a logistic read-out that is cross-validated over users.

    Args:
        event: Its name; users that have sent it by then are left out.
        fresh: An export of other users of the same site.
        case: The set that the model was trained on.
        trained: Folder of the training.
        folder: Where to prepare the fresh users.
    """
    dataset = preprocess(Store(folder / "fresh"), [fresh.csv], IngestSettings(), silent)
    sequences, ids = dataset.sequences, dataset.users[Users.USER_ID].to_numpy()
    rows = pd.read_csv(fresh.csv, dtype=str)
    sent = rows[rows["event_name"] == event]
    first = sent["event_timestamp"].astype("int64").groupby(sent["user_pseudo_id"]).min().reindex(ids)
    who = np.flatnonzero(sequences.lengths > FIRST)
    read_until = sequences.timestamp[sequences.offsets[who] + FIRST - 1]
    who = who[~(first.to_numpy()[who] <= read_until)]
    does = first.notna().to_numpy()[who]
    runs = Spans(sequences.offsets[who], np.full(len(who), FIRST))
    vectors = mixed(case, trained, sequences, names_of(dataset, case), runs)
    pages = [" ".join(map(str, sequences.page[begin : begin + FIRST])) for begin in runs.begin]
    grams = TfidfVectorizer(token_pattern=r"\S+", ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    read = (vectors / vectors.std(), grams.fit_transform(pages))
    ours, theirs = (told(one, {event: does}, STRENGTHS)[0] for one in read)
    rng = np.random.default_rng(0)
    drawn = rng.integers(len(does), size=(RESAMPLES, len(does)))
    gains = [roc_auc_score(does[one], ours[one]) - roc_auc_score(does[one], theirs[one]) for one in drawn]
    low, high = np.quantile(gains, (0.025, 0.975))
    aucs = f"{roc_auc_score(does, ours):.3f}, {roc_auc_score(does, theirs):.3f} ({low:+.3f} to {high:+.3f})"
    return {f"{event} after {FIRST} views, by n-grams": f"{aucs}, {does.sum()} of {len(does):,}"}

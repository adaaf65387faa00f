"""How well the twins are told apart by pages, steps and gaps: the table of README.md.

python -m benchmarks.sites.twins [--users N] [--seed S]
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import unquote, urlsplit

import click
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split

from benchmarks.sites.plan import DEV, HELD, read_plan
from benchmarks.sites.write import SiteFiles, write_site
from benchmarks.tables import markdown


def counts(files: SiteFiles) -> dict[str, pd.DataFrame]:
    """Tables with a row a user: how often each page, each step between types, each gap (factor of 1.6)."""
    events = pd.read_csv(files.csv, dtype={"user_pseudo_id": str}, low_memory=False)
    views = events[events.event_name == "page_view"].sort_values("event_timestamp", kind="stable")
    user, session = views.user_pseudo_id, [views.user_pseudo_id, views.ga_session_id]
    page = views.page_location.map(lambda at: unquote(urlsplit(at).path).rstrip("/") or "/")
    kind = page.map(pd.read_csv(files.pages).set_index("path").type)
    seconds = -views.event_timestamp.groupby(session).diff(-1) / 1e6
    gap = np.log(seconds.clip(lower=0.1)).div(np.log(1.6)).round()
    seen = {"pages": page, "steps": kind + " > " + kind.groupby(session).shift(-1), "gaps": gap}
    return {name: pd.crosstab(user, values) for name, values in seen.items()}


def auc(counted: pd.DataFrame, kinds: pd.Series) -> float:
    """AUC of a logistic regression on the users' counts, fitted on half of them and judged on the others."""
    of_users = counted.reindex(kinds.index, fill_value=0)
    fit, judge = train_test_split(kinds.index.to_numpy(), test_size=0.5, random_state=1, stratify=kinds)
    model = LogisticRegression(max_iter=2000).fit(of_users.loc[fit], kinds[fit])
    return float(roc_auc_score(kinds[judge], model.decision_function(of_users.loc[judge])))


@click.command(
    help="Tell twins apart, and one of each pair, on each site that has some and on its null twin."
)
@click.option("--users", default=20_000, show_default=True, type=click.IntRange(200))
@click.option("--seed", default=1, show_default=True, type=click.IntRange(0))
def main(users: int, seed: int) -> None:
    """Print the table."""
    head, rows = ["site", "twins", "users", "pages", "steps", "gaps"], []
    for name in DEV + HELD:
        if "twins" not in read_plan(name)[1]:
            continue
        with TemporaryDirectory() as real, TemporaryDirectory() as null:
            files, nobody = (write_site(name, Path(x), users, seed, x == null) for x in (real, null))
            kind_of = pd.read_csv(files.users, dtype=str).set_index("user_pseudo_id").kind
            for site, counted in ((name, counts(files)), (f"{name}, null", counts(nobody))):
                others = {"(one of each)": [pair[0] for pair in files.twins.values()]}
                for twins, pair in (files.twins | others).items():
                    kinds = kind_of[kind_of.isin(pair)]
                    figures = [f"{auc(counted[x], kinds):.3f}" for x in head[3:]]
                    rows.append([site, twins, f"{len(kinds):,}", *figures])
    print(markdown(head, rows))


if __name__ == "__main__":
    main()

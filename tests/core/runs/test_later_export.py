"""A later export on a real frozen model: read as the training was, placed, kept; and what is refused."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.base.errors import InputError
from core.base.progress import silent
from core.base.schema import Pages
from core.base.settings import ClusterSettings, IngestSettings, Preset, TrainSettings, ViewWeights
from core.ingest.sample import write_sample
from core.labels.label_settings import LabelMode, LabelSettings
from core.model.model_files import load_pages
from core.periods.drift import CHANGE, FIGURE, PAGE, PageChange, drift, page_changes
from core.periods.filter import CountFilter
from core.periods.migration import migration
from core.periods.placed_users import MIN_USERS, RARE, in_both
from core.periods.training_period import DriftFigure
from core.runs import pipeline, tasks
from core.runs.later_export import (
    LaterRequest,
    Trained,
    TwoPeriods,
    pages_in_common,
    place_both,
)
from core.runs.stages import LATER_EXPORT
from core.segments.combination import Combined
from core.segments.partition import Partition
from core.storage.dataset import Dataset, is_clustered
from core.storage.store import Artifact, Store
from tests.core.runs.test_second_training import SMALL

CUT = "20251216"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demo shop's files: before, after, and the later one changed in several ways."""
    folder = tmp_path_factory.mktemp("shop")
    write_sample(folder / "all.csv", 400, 1, silent)
    table = pd.read_csv(folder / "all.csv", dtype=str, keep_default_na=False)
    early, late = (table[table["event_date"] < CUT], table[table["event_date"] >= CUT])
    renamed = late.assign(page_location="https://other.example/" + late["page_location"].str[8:])
    files = {
        "before": early, "after": late, "renamed": renamed,
        "other_key": late.assign(user_pseudo_id="x" + late["user_pseudo_id"]),
        "one_day": late[late["event_date"] == late["event_date"].min()],
    }  # fmt: skip
    for name, rows in files.items():
        rows.to_csv(folder / f"{name}.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def trained(shop: Path) -> tuple[Store, Trained, Combined, Partition]:
    """A bag of pages on the first part, and its segments."""
    store = Store(shop / "store")
    dataset = pipeline.preprocess(store, [shop / "before.csv"], IngestSettings(), silent)
    model = pipeline.train(store, dataset, None, TrainSettings.preset(Preset.BAG), silent)
    return store, Trained(dataset, None, model), *_segments(store, dataset, None, model)


def _segments(
    store: Store, dataset: object, labels: object, model: object, activity: float = 0
) -> tuple[Combined, Partition]:
    made = pipeline.embed(store, dataset, labels, model, silent)
    combined = pipeline.combine(made, ViewWeights(activity=activity))
    return combined, pipeline.cluster(combined, made.inside, ClusterSettings(n_clusters=3))


def asked(trained: Trained, later: Dataset, *paths: Path) -> LaterRequest:
    labels = trained.labels.key if trained.labels else ""
    return LaterRequest(
        dataset=trained.dataset.key, labels=labels, model=trained.model.key, later=later.key, paths=paths
    )


def embedded(store: Store, trained: Trained, later: Dataset, *paths: Path) -> Artifact:
    """Embed a later export by the job's task."""
    request = asked(trained, later, *paths)
    key = tasks.run(LATER_EXPORT.name, store.root, request.model_dump(mode="json"), silent)
    found = LATER_EXPORT.artifact(store, request)
    assert found is not None
    assert key == {LATER_EXPORT.name: found.key}
    return found


def place(trained: tuple[Store, Trained, Combined, Partition], path: Path, *paths: Path) -> TwoPeriods:
    store, model, combined, partition = trained
    later = pipeline.preprocess(store, [path], IngestSettings(), silent)
    return place_both(embedded(store, model, later, *paths), model, combined, partition)


def test_users_of_the_training_are_where_they_were(
    trained: tuple[Store, Trained, Combined, Partition], shop: Path
) -> None:
    both = place(trained, shop / "before.csv", shop / "before.csv")
    assert both.read_alike
    assert both.after.user_id.equals(both.before.user_id)
    assert np.allclose(both.after.vectors, both.before.vectors, atol=1e-6)
    assert both.after.place.tolist() == both.before.place.tolist()
    assert both.before.place.max() == 3  # users of one page are in none
    assert both.before.unknown.sum() > both.after.unknown.sum()  # without oneself more is unknown


def test_a_later_export_is_cleaned_as_the_training_was(
    trained: tuple[Store, Trained, Combined, Partition], shop: Path
) -> None:
    store, model, _, partition = trained
    both = place(trained, shop / "one_day.csv", shop / "one_day.csv")
    assert both.read_alike
    assert not list(store.root.glob("later_export/*/.work*"))
    known = set(load_pages(model.model.path))
    mine = set(np.array(both.after.pages.names)[np.unique(both.after.pages.seen.indices)])
    assert mine - known <= {RARE}  # nobody's own page has a name
    assert RARE not in mine or both.after.pages.users[both.after.pages.names.index(RARE)] == 0
    assert set(np.unique(both.after.place)) <= set(range(len(partition.ids) + 1))


def news(path: Path, month: int, favourite: float, seed: int) -> Path:
    """A site with other articles every day: 150 users of whom so many prefer politics to sport."""
    rng, rows = np.random.default_rng(seed), []
    for user in range(150):
        likes = ["politics", "sport"] if rng.random() < favourite else ["sport", "politics"]
        for at in range(6):
            day, section = int(rng.integers(1, 15)), likes[int(rng.random() < 0.05)]
            page = f"https://news.example/{section}/2026/{month:02}/{day:02}/story-{rng.choice(['a', 'b'])}"
            second = int(pd.Timestamp(2026, month, day, 9, at).timestamp() * 1e6)
            rows.append((f"{month}.{user}", "page_view", second, page))
    names = ["user_pseudo_id", "event_name", "event_timestamp", "page_location"]
    pd.DataFrame(rows, columns=names).to_csv(path, index=False)
    return path


@pytest.mark.parametrize(("favourite", "alarm"), [(0.5, False), (0.9, True)])
def test_sections_are_compared_where_pages_live_for_days(
    tmp_path: Path, favourite: float, alarm: bool
) -> None:
    store, exports = Store(tmp_path / "store"), [
        news(tmp_path / "march.csv", 3, 0.5, 0), news(tmp_path / "april.csv", 4, favourite, 1)
    ]  # fmt: skip
    dataset = pipeline.preprocess(store, [exports[0]], IngestSettings(), silent)
    model = pipeline.train(store, dataset, None, TrainSettings.preset(Preset.BAG), silent)
    trained = store, Trained(dataset, None, model), *_segments(store, dataset, None, model)
    both = place(trained, exports[1], exports[1])
    assert set(both.after.pages.names) == {"https://news.example/politics/", "https://news.example/sport/"}
    assert both.period.by_section
    assert (both.after.unknown == both.after.pages.views).all()  # the model knows none of the pages
    found = drift(both.period, both.after, permutations=199)
    assert found.comparable
    assert found.alarm is alarm
    assert set(found.reasons[FIGURE]) <= {DriftFigure.PAGE}  # and nobody's segment
    later = pipeline.preprocess(store, [exports[1]], IngestSettings(), silent)
    assert pages_in_common(trained[1], later) == 1


def test_an_export_whose_files_are_gone_or_other_ones_is_taken_as_it_was_prepared(
    trained: tuple[Store, Trained, Combined, Partition], shop: Path
) -> None:
    assert not place(trained, shop / "after.csv", shop / "one_day.csv").read_alike


def test_migration_of_real_exports_counts_who_is_in_both(
    trained: tuple[Store, Trained, Combined, Partition], shop: Path
) -> None:
    both = place(trained, shop / "after.csv")
    first, _ = in_both(both.before.user_id, both.after.user_id)
    found = migration(both.both, both.halves, 3)
    ids = [set(side.user_id.to_pylist()) for side in (both.before, both.after)]
    assert found.users == len(first) == len(ids[0] & ids[1]) > 0
    dealt = trained[1].dataset.users
    assert found.halves == int((is_clustered(dealt) & (dealt["sessions"] > 1)).sum())


def test_users_under_another_key_are_in_neither(
    trained: tuple[Store, Trained, Combined, Partition], shop: Path
) -> None:
    both = place(trained, shop / "other_key.csv", shop / "other_key.csv")
    assert len(both.both.before) == 0
    assert len(both.after.place) > 0


def test_another_site_is_refused_in_words_and_leaves_nothing(
    trained: tuple[Store, Trained, Combined, Partition], shop: Path
) -> None:
    store, model, _, _ = trained
    later = pipeline.preprocess(store, [shop / "renamed.csv"], IngestSettings(), silent)
    with pytest.raises(InputError, match=r"0\.0% of the page views .* pages may live for days only"):
        embedded(store, model, later, shop / "renamed.csv")
    assert LATER_EXPORT.artifact(store, asked(model, later)) is None
    assert not list(store.root.glob("later_export/.*"))


def test_known_pages_keep_their_labels(shop: Path, tmp_path: Path) -> None:
    """A network with themes and types, by the task that a page asks for; activity counts, too."""
    store = Store(tmp_path)
    dataset = pipeline.preprocess(store, [shop / "before.csv"], IngestSettings(), silent)
    labels = pipeline.label(store, dataset, LabelSettings(mode=LabelMode.RULES), silent)
    model = pipeline.train(store, dataset, labels, SMALL, silent)
    combined, partition = _segments(store, dataset, labels, model, activity=0.3)
    trained = Trained(dataset, labels, model)
    found = embedded(store, trained, dataset, shop / "before.csv")
    both = place_both(found, trained, combined, partition)
    assert len(combined.means) > 2
    assert np.allclose(both.after.vectors, combined.vectors, atol=1e-5)


def test_what_a_filter_left_is_read_again_as_the_training_was(
    trained: tuple[Store, Trained, Combined, Partition], shop: Path
) -> None:
    store, model, _, _ = trained
    whole = pipeline.preprocess(store, [shop / "after.csv"], IngestSettings(), silent)
    week = pipeline.narrow(store, whole, CountFilter(last_day=date(2025, 12, 22)))
    device = str(week.users["device"].mode()[0])
    part = pipeline.narrow(store, week, CountFilter(device=(device,)))
    both = place_both(embedded(store, model, part, shop / "after.csv"), *trained[1:])
    assert both.read_alike
    assert both.after.user_id.equals(part.sequences.user_id)
    assert both.after.pages.views.tolist() == part.sequences.lengths.tolist()


def test_a_page_that_few_see_now_is_not_told_as_gone(
    trained: tuple[Store, Trained, Combined, Partition], shop: Path
) -> None:
    """Some users saw it before and four do now; the model knows only pages that are seen more often."""
    store, first, _, _ = trained
    rows = pd.read_csv(shop / "after.csv", dtype=str, keep_default_na=False)
    pages = first.dataset.pages
    pages = pages[(pages[Pages.USERS] >= 9) & pages[Pages.PAGE_LOCATION].isin(rows["page_location"])]
    page, views = pages[[Pages.PAGE_LOCATION, Pages.VIEWS]].iloc[-1]  # the most viewed first
    least = {"min_count": int(views) + 1}
    settings = TrainSettings.preset(Preset.BAG).model_copy(update=least)
    model = Trained(first.dataset, None, pipeline.train(store, first.dataset, None, settings, silent))
    of_page = rows["page_location"].str.startswith(page)
    few = rows.loc[of_page, "user_pseudo_id"].unique()[: MIN_USERS - 1]
    rows = rows[~of_page | rows["user_pseudo_id"].isin(few)]
    rows.to_csv(shop / "few.csv", index=False)
    both = place((store, model, *_segments(store, first.dataset, None, model.model)), shop / "few.csv")
    number = both.after.pages.names.index(page)
    assert not both.after.pages.known[number]
    assert both.before.pages.users[number] >= 9
    assert 0 < both.after.pages.users[number] < MIN_USERS
    told = page_changes(both.period, both.after)
    assert told.loc[told[PAGE] == page, CHANGE].tolist() != [PageChange.GONE]


def test_parts_of_one_export_were_read_alike(
    trained: tuple[Store, Trained, Combined, Partition], shop: Path
) -> None:
    store, model, _, _ = trained
    chosen = CountFilter(first_day=date(2025, 12, 1), last_day=date(2025, 12, 31))
    part = pipeline.narrow(store, model.dataset, chosen)
    assert place_both(embedded(store, model, part, shop / "before.csv"), *trained[1:]).read_alike

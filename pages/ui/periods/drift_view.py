"""The part of the page Time about a later export: what changed, who moved, and whether to train again."""

from __future__ import annotations

from functools import partial
from typing import Final

import numpy as np
import pandas as pd
import streamlit as st

from core.base import wording
from core.base.schema import OUTSIDE
from core.base.settings import ViewWeights
from core.periods import drift_words
from core.periods.drift import (
    AFTER_VALUE,
    BEFORE_VALUE,
    CHANGE,
    FIGURE,
    GROUP,
    ITEM,
    KNOWN,
    PAGE,
    TYPICAL,
    PageChange,
)
from core.periods.migration import (
    AFTER,
    BEFORE,
    EARLIER,
    EARLIER_USERS,
    LATER,
    OVERLAP,
    PAGES_ALIKE,
    SAME,
    SIMILAR,
    STAYED,
    SameSegments,
    same_segments,
)
from core.periods.placed_users import BY_SECTION
from core.periods.training_period import DriftFigure
from core.profiles.differences import Diff
from core.profiles.profile_columns import Col
from core.runs import artifacts, pipeline
from core.runs.stages import LATER_EXPORT
from core.saved import saved_work
from core.saved.saved_work import Segmentation
from core.segments.identity import RECOVERED
from core.segments.partition import Partition
from pages.ui.data import catalog
from pages.ui.data.catalog import DatasetCard
from pages.ui.periods import drift_charts as charts
from pages.ui.periods import drift_data
from pages.ui.periods.drift_data import Compared
from pages.ui.segments import session_segments
from pages.ui.segments.figure import behind, download_csv, figure
from pages.ui.segments.live_segments import LiveSegments
from pages.ui.shell import errors, job_panel, state, written_table
from pages.ui.shell.links import DATA, LOAD, TRAINING, link
from pages.ui.shell.text import count, md_text, share
from pages.ui.shell.written_table import Columns

TITLE: Final = "A later export"
"""Title of this part of the page Time."""
_CHOSEN: Final = "later_export"
_LINK: Final = "later"
"""Parameter of a link: key of the data set that is compared with the training's."""
_LISTED: Final = 15
_NOWHERE: Final = "In no segment"
_WHAT: Final = (
    "A later export is placed by this model as it is, in these very segments. Then it is told whether its "
    "users are still those of the training period."
)
_NOT_ALIKE: Final = (
    "Its files are no longer in the input folder, or were changed, so it is taken as it was prepared: what "
    "was masked or joined in other ways than in the training data can look like a change."
)
INPUT: Final = (
    "The model has read the pages (input), so shares of segments describe the users and prove nothing by "
    "themselves; the alarm above is what is tested."
)

_NO_PAGE: Final = "No page of five users or more is shown to be seen by a larger or smaller share of them."
_OTHER_DAYS: Final = "The two cover other numbers of days, so what differs may differ for that alone."


def choose_later(model: str, dataset: str) -> None:
    """Choose a data set (its key) as the later export to place in the segments of a model (its key)."""
    state.of_model(model)[_CHOSEN] = dataset


def draw(live: LiveSegments) -> None:
    """Draw the choice of a later export, its job, and the result."""
    card = _choose(live)
    if card is None:
        return
    job_panel.result(LATER_EXPORT.name)  # what it made lies in the store
    made = drift_data.find(live.sources, card.key)
    if made is None:
        _offer(live, card)
        return
    found = drift_data.compared(live, made)
    _periods(live, card, found)
    _alarm(live, found)
    _wear(found, card)
    if found.periods.period.by_section:  # segments rest on pages that the model has not seen
        _pages(found)
    else:
        _segments(live, found)
        _migration(live, found)
        _pages(found)
        _groups(found)
    _same_segments(live, card, found)


def _choose(live: LiveSegments) -> DatasetCard | None:
    cards = drift_data.offered(live.sources)
    if not cards:
        st.caption(f"{_WHAT} There is no other data set yet: load one, as you did the first.")
        link(DATA, "Load a later export", {LOAD: "other"})
        return None
    model = live.sources.model_key
    mine = state.of_model(model)
    mine.setdefault(_CHOSEN, state.linked(_LINK) if state.linked("model") in (model, "") else None)
    now = mine[_CHOSEN] if mine[_CHOSEN] in cards else None
    state.display(_CHOSEN, now)
    chosen = st.selectbox(
        "Later export", list(cards), None if now is None else list(cards).index(now), key=_CHOSEN,
        format_func=lambda key: drift_data.called(live.sources, *cards[key]), placeholder="Choose a data set",
        on_change=lambda: mine.update({_CHOSEN: st.session_state[_CHOSEN]}), help=_WHAT,
    )  # fmt: skip
    state.put_in_link(model, **{_LINK: [chosen] if chosen else []})
    if chosen is None:
        st.caption(_WHAT)
        link(DATA, "Load another export")
        return None
    return cards[chosen][0]


def _offer(live: LiveSegments, card: DatasetCard) -> None:
    subject = drift_data.subject(live.sources, card.key)
    if job_panel.panels([LATER_EXPORT.name], subject):
        return
    st.button(
        "Place it in these segments", key="place-later", type="primary", icon=":material/play_arrow:",
        on_click=drift_data.start, args=(live.sources, card),
    )  # fmt: skip


def _periods(live: LiveSegments, card: DatasetCard, found: Compared) -> None:
    """Draw the dates and numbers of users that are compared, and how many users are in both."""
    sides = (live.sources.dataset, artifacts.open_dataset(live.sources.store, card.key))
    spans = []
    for dataset, users in zip(sides, (found.periods.before, found.periods.after), strict=True):
        clock = dataset.receipt.clock
        days = [wording.day(at, clock) for at in (dataset.receipt.first_ts, dataset.receipt.last_ts)]
        spans.append(f"{count(len(users.place), 'user')} of {' to '.join(dict.fromkeys(days))}")
    both, later = found.migration.users, len(found.periods.after.place)
    st.caption(
        f"Training period: {spans[0]}. Later export: {spans[1]}. {count(both, 'user')} "
        f"({share(both, later)} of the later ones) are in both."
    )
    if sides[1].receipt.first_ts < sides[0].receipt.last_ts:
        st.caption(":material/info: It begins before the training period ends; what they share, both count.")
    if found.periods.period.by_section:
        st.caption(f":material/info: {BY_SECTION}")
    if not found.periods.read_alike:
        st.caption(f":material/info: {_NOT_ALIKE}")


def _alarm(live: LiveSegments, found: Compared) -> None:
    calm = ":material/check_circle:" if found.drift.comparable else ":material/info:"
    icon = ":material/notifications_active:" if found.drift.alarm else calm
    with st.container(border=True, key="drift"):
        st.subheader(drift_words.headline(found.drift), icon=icon, help=_how(found))
        table = _named(live, found)
        for line in drift_words.reasons(found.drift, table[charts.NAME].tolist()):
            st.markdown(f"- {md_text(line)}")
        st.caption(drift_words.how_sure(found.drift))
        behind(table.drop(columns=[ITEM]), key="drift-figures", columns=_figure_columns())


def _how(found: Compared) -> str | None:
    """Help on what the alarm tests; None by section, where a line below the dates says it."""
    return None if found.periods.period.by_section else drift_words.ALARM


def _named(live: LiveSegments, found: Compared) -> pd.DataFrame:
    """The table of figures, with their names."""
    rows, names = found.drift.table.to_dict("records"), _places(live)
    pages, origin = found.drift.pages, _origin(found)
    called = [drift_words.figure_name(row, names, pages, origin) for row in rows]
    table = found.drift.table.copy()
    table.insert(0, charts.NAME, called)
    return table


def _origin(found: Compared) -> str:
    pages = found.periods.after.pages
    known = [name for name, is_known in zip(pages.names, pages.known, strict=True) if is_known]
    return wording.common_origin(known)


def _places(live: LiveSegments) -> list[str]:
    """Titles of the segments by position, "in none" last."""
    partition: Partition = live.segmentation.partition
    return [*(live.names[segment] for segment in partition.ids.tolist()), _NOWHERE]


def _figure_columns() -> Columns:
    decimal = partial(st.column_config.NumberColumn, format="%.4f")
    return {
        charts.NAME: "Figure", FIGURE: "Kind", BEFORE_VALUE: decimal("Before"), AFTER_VALUE: decimal("Now"),
        Col.REST_N: "Users before", Col.N: "Users now", Col.DIFFERENCE: decimal("Difference"),
        Diff.DIFFERENCE_LOW: decimal("From"), Diff.DIFFERENCE_HIGH: decimal("To"),
        Diff.P_VALUE: st.column_config.NumberColumn("p (adjusted)", format="%.3f"),
    }  # fmt: skip


def _wear(found: Compared, card: DatasetCard) -> None:
    icon = ":material/model_training:" if found.wear.by else ":material/check_circle:"
    with st.container(border=True, key="wear"):
        st.subheader(
            drift_words.wear_answer(found.wear), icon=icon,
            help="Rules of thumb with stated limits. That users moved between segments is no reason to train "
            "again: the model places them as well as before.",
        )  # fmt: skip
        for line in drift_words.wear_figures(found.wear):
            st.markdown(f"- {md_text(line, 600)}.")
        if found.wear.by and st.button("Train on the later export", icon=":material/model_training:"):
            state.select_dataset(card.key)
            st.switch_page(TRAINING.file)


def _segments(live: LiveSegments, found: Compared) -> None:
    """Draw the shares of the segments before and now."""
    table = found.drift.table
    kinds = table[table[FIGURE].isin([DriftFigure.SEGMENT, DriftFigure.NONE])].copy()
    names = _places(live)
    place = kinds[ITEM].where(kinds[FIGURE] == DriftFigure.SEGMENT, len(names) - 1)
    shown = _as_shares(kinds.assign(place=place).sort_values("place"))
    shown.insert(0, charts.NAME, [names[at] for at in shown.pop("place")])
    before, after = found.drift.users
    figure(
        "Segments then and now", partial(charts.shares, shown), shown,
        n=f"Share of {before:,} users before (grey) and {after:,} now. Pale: not shown to differ."
        + ("" if found.drift.comparable else f" {_OTHER_DAYS}"),
        key="drift-segments", alt_text="Share of each segment before and now", columns=_SHARE_COLUMNS,
        help_text=INPUT,
    )  # fmt: skip


def _as_shares(table: pd.DataFrame) -> pd.DataFrame:
    named = table.rename(columns={BEFORE_VALUE: Col.REST_SHARE, AFTER_VALUE: Col.SHARE})
    kept = ["place", Col.SHARE, Col.N, Col.REST_SHARE, Col.REST_N, Col.DIFFERENCE]
    kept += [Diff.DIFFERENCE_LOW, Diff.DIFFERENCE_HIGH, Diff.DIFFERS]
    return named[kept].reset_index(drop=True)


_SHARE_COLUMNS: Final[Columns] = {
    charts.NAME: "Segment", CHANGE: "So", KNOWN: "Model knows it", charts.FROM_NAME: "Before",
    charts.TO_NAME: "Now", Col.USERS: "Users now", Col.SHARE: "Share now", Col.REST_SHARE: "Share before",
    Col.REST_USERS: st.column_config.NumberColumn("Users before", format="%.0f"),
    Col.REST_N: st.column_config.NumberColumn("Of before", format="%.0f"),
    PAGE: st.column_config.Column("Page", width="large"),
    TYPICAL: st.column_config.ListColumn("Typical pages", width="large"),
}  # fmt: skip


FROM, TO = charts.FROM_NAME, charts.TO_NAME
_FLOWS, _MATRIX = "Flows", "Matrix"


def _migration(live: LiveSegments, found: Compared) -> None:
    moved, names = found.migration, _places(live)
    with st.container(border=True, key="migration"):
        if not moved.users:
            st.markdown("**Who moved**")
            st.caption(drift_words.migration_line(moved))
            return
        shown = st.segmented_control(
            "Show moves as", [_FLOWS, _MATRIX], default=_FLOWS, required=True, key="migration-as",
            label_visibility="collapsed", persist_state="session",
        )  # fmt: skip
        table = moved.table.copy()
        table.insert(0, FROM, [names[at] for at in table[BEFORE]])
        table.insert(1, TO, [names[at] for at in table[AFTER]])
        plain = table.drop(columns=[BEFORE, AFTER])
        ids = [*live.segmentation.partition.ids.tolist(), OUTSIDE]
        drawn = partial(charts.matrix, table, names)
        if shown == _FLOWS:
            drawn = partial(charts.flows, table, names, ids)
        differs, cells = int(table[Diff.DIFFERS].sum()), int((table[Col.N] > 0).sum())
        strong = "strong" if shown == _FLOWS else "coloured: blue where more move than that"
        figure(
            "Who moved", drawn, plain[plain[Col.N] > 0], key="migration-moves", border=False,
            n=f"{count(moved.users, 'user')} in both. {drift_words.migration_line(moved)} {differs} of "
            f"{cells} moves are not as without change, {strong}; by chance about {cells / 20:.0f} would be.",
            alt_text="Users from their segment before to the one now", columns=_SHARE_COLUMNS,
            min_width=charts.NARROWEST, help_text=_MOVES,
        )  # fmt: skip


FEWEST_IN_GROUP: Final = 20
"""Fewest users of a group that is called new behaviour."""
_MOVES: Final = (
    "Stability says whether other users would lead to the same segments; this says whether a user stays in "
    "theirs, which with few visits is often chance. "
    "A row of the matrix holds everybody who was in a segment before. What is expected without change is "
    "measured: the model places two random parts of each user's sessions of the training period, as "
    "unequal as the two exports, and they count by how many page views the users in both have in each. A "
    "difference is one where its 95 % interval leaves out 0."
)


def _pages(found: Compared) -> None:
    """Draw pages that are new, gone, or seen by more or fewer users."""
    table, origin = found.pages, _origin(found)
    with st.container(border=True, key="page-changes"):
        if table.empty:
            st.markdown("**Pages**")
            st.caption(_NO_PAGE if found.drift.comparable else _OTHER_DAYS)
            return
        shown = table.assign(**{PAGE: [wording.short_address(page, origin) for page in table[PAGE]]})
        top = shown.head(_LISTED)
        marks = top[CHANGE].map({PageChange.NEW: " (new)", PageChange.GONE: " (gone)"}).fillna("")
        figure(
            "Pages", partial(charts.shares, top.assign(**{charts.NAME: top[PAGE] + marks})),
            shown.drop(columns=[Diff.DIFFERS]), key="drift-pages", border=False,
            n=f"{drift_words.page_counts(table)}, of {len(found.periods.after.pages.names):,} pages; by "
            f"chance about one in twenty would be. The {len(top)} that changed most for sure; grey: before.",
            alt_text="Share of users who saw each page, before and now", columns=_SHARE_COLUMNS,
        )  # fmt: skip


def _groups(found: Compared) -> None:
    """Draw new behaviour: groups of users far from every segment."""
    table, origin = found.groups, _origin(found)
    with st.container(border=True, key="far-groups", gap="xsmall"):
        st.markdown("**Behaviour unlike any segment**", help=_FAR)
        if table.empty:
            st.caption("Too few users are far from every segment to form a group.")
            return
        enough = table[Col.USERS] >= FEWEST_IN_GROUP
        grown = int((table[Diff.DIFFERS] & (table[Col.DIFFERENCE] > 0) & enough).sum())
        more = (
            f"{count(grown, 'group')} of them grew: new behaviour" if grown else "None is shown to have grown"
        )
        st.caption(f"Users far from every segment, of both exports, in groups of those alike. {more}.")
        pages = [[wording.short_address(page, origin) for page in typical] for typical in table[TYPICAL]]
        shown = table.assign(**{TYPICAL: pd.Series(pages), GROUP: table[GROUP] + 1})
        written_table.draw(
            shown[_GROUP_SHOWN], key="table-far", columns=_SHARE_COLUMNS,
            alt_text="Groups of users far from every segment, before and now",
        )  # fmt: skip
        download_csv(shown[_GROUP_SHOWN], "far_groups")


_GROUP_SHOWN: Final = [
    GROUP, Col.USERS, Col.SHARE, Col.REST_USERS, Col.REST_SHARE, Diff.DIFFERENCE_LOW, Diff.DIFFERENCE_HIGH,
    Diff.DIFFERS, TYPICAL,
]  # fmt: skip
_FAR: Final = (
    "Far is beyond the distance that 95 % of the users of the training period keep to the nearest segment. "
    "Both exports are cut together (K-Means), so the cut knows nothing of the time. Shares are of the far "
    "users: of all users more are far than in the training period even if nothing has changed."
)


_HOW_SAME: Final = (
    "This model and the other one cut the same users, those of the later export. Overlap is users in both by "
    "users in either (Jaccard index). Pages alike: the correlation of how many more of its users than of all "
    f"see each page, then and now. A segment is the same one where its pages are alike from {SIMILAR} on and "
    "its overlap is above the limit, at least .5 and more than 95 of 100 draws by lot would share. All "
    "others are new or gone. Nobody has to be in both exports."
)
_OTHERS: Final = "The two were read in other ways, so that they hold other users: nothing can be matched."


def _same_segments(live: LiveSegments, card: DatasetCard, found: Compared) -> None:
    """Match these segments with those of a model of the later export, if there is one."""
    models = {model.key: model for model in catalog.models(live.sources.store, card.key)}
    with st.container(border=True, key="same-segments", gap="small"):
        st.markdown("**The same segments after another training**", help=_HOW_SAME)
        if not models:
            st.caption("Once a model is trained on the later export, its segments can be matched with these.")
            return
        chosen = st.selectbox(
            "Model of the later export", list(models), key="later-model",
            format_func=lambda key: models[key].line, persist_state="session",
        )  # fmt: skip
        with errors.shown():
            _matched(live, card, chosen, found)


def _matched(live: LiveSegments, card: DatasetCard, model: str, found: Compared) -> None:
    later = _later_segments(live, card, model, len(found.periods.after.place))
    if later is None:
        st.caption(_OTHERS)
        return
    same = _same(live.segmentation.partition.digest, later.partition.digest, live, later, found)
    table, names = same.table.copy(), live.names
    table[EARLIER] = table[EARLIER].map(names)
    kept = int(table[SAME].sum())
    new, gone = (int(table[column].notna().sum()) - kept for column in (LATER, EARLIER))
    st.caption(
        f"{count(kept, 'segment')} the same (overlap above {same.least:.2f}), {new} new, {gone} gone. A name "
        f"that was given goes along from an overlap of {RECOVERED:.2f} on."
    )
    for column in (LATER, STAYED):
        table[column] = table[column] + 1  # numbers as they are shown
    table.insert(0, "so", _so(table))
    shown = table[["so", EARLIER, EARLIER_USERS, LATER, Col.USERS, STAYED, OVERLAP, PAGES_ALIKE]]
    written_table.draw(
        shown, key="table-same", alt_text="Segments of the two models and how much they overlap",
        columns=_COLUMNS,
    )  # fmt: skip
    with st.container(horizontal=True):
        st.button(
            "Keep numbers, colours and names there", key="keep-identity", icon=":material/palette:",
            on_click=_keep, args=(live, model, later, same), disabled=not kept,
            help="What is on screen of the other model takes the numbers of the same segments here, and with "
            "them their colours; given names go along.",
        )  # fmt: skip
        download_csv(shown, "same_segments")


def _so(table: pd.DataFrame) -> np.ndarray:
    """Outcome of each match in words: a pair that is not the same is one segment gone and one new."""
    alone = [table[SAME], table[LATER].isna(), table[EARLIER].isna()]
    found: np.ndarray = np.select(alone, ["same", "gone", "new"], "gone, and a new one")
    return found


_COLUMNS: Final[Columns] = {
    EARLIER: "Segment here", EARLIER_USERS: "Later users in it", LATER: "Number there",
    Col.USERS: "Users there", STAYED: "Number from now on",
}  # fmt: skip


def _later_segments(live: LiveSegments, card: DatasetCard, model: str, n_users: int) -> Segmentation | None:
    """Segments of a model of the later export: those last on screen, or as many as here."""
    store = live.sources.store
    dataset = artifacts.open_dataset(store, card.key)
    if len(dataset.users) != n_users:
        return None
    kept = saved_work.load_segments(store, model, n_users)
    if kept is not None:
        return kept
    made = catalog.embeddings(store, card.key, model)
    chosen = saved_work.chosen_vectors(store, model)
    key = chosen if chosen in made else made[0]
    embeddings, weights = artifacts.open_embeddings(store, dataset, key), ViewWeights()
    combined = pipeline.combine(embeddings, weights)
    return Segmentation(
        key, weights, pipeline.cluster(combined, embeddings.inside, live.segmentation.partition.settings)
    )


@st.cache_resource(max_entries=4, show_spinner=False)
def _same(here: str, there: str, _live: LiveSegments, _later: Segmentation, _found: Compared) -> SameSegments:
    both = _found.periods
    return same_segments(both.before, both.after, _live.segmentation.partition, _later.partition)


def _keep(live: LiveSegments, model: str, later: Segmentation, same: SameSegments) -> None:
    store = live.sources.store
    kept = Segmentation(later.embeddings, later.weights, same.partition, continues=same.quality)
    with errors.shown():
        saved_work.save_segments(store, model, kept)
        saved_work.carry_over_names(store, model, live.sources.model_key, same.quality)
        state.of_model(model).pop(session_segments.KEY, None)

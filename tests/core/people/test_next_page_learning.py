"""Learned from a data set: nothing after a moment is looked at, and what is saved says the same."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from core.base.errors import ArtifactError
from core.people.next_page_candidates import Reach, Source, fit_head
from core.people.next_page_learning import LearnedFrom, NextMoments, candidates_at, choose_moments, learn
from core.people.next_page_tables import PageTables
from core.people.next_pages import FACTS, TABLES, NextPages
from core.storage.sequences import UserSequences
from tests.core.model.toys import sequences_of
from tests.core.people.next_page_site import A, B, C, chained, which_chain

N_PAGES = 24
NAMES = [f"https://shop.example/{page:02d}" for page in range(N_PAGES)]
FUNCTIONAL = np.arange(N_PAGES) == 5


def source_of(n_users: int, seed: int = 0) -> LearnedFrom:
    sequences, vectors = chained(n_users, seed)
    inside = np.ones(n_users, dtype=bool)
    return LearnedFrom(sequences, NAMES, FUNCTIONAL, vectors, inside, inside, which_chain)


@pytest.fixture(scope="module")
def made() -> NextPages:
    return learn(source_of(1_500))


def test_the_next_page_of_the_chain_comes_first(made: NextPages) -> None:
    found = made.of(NAMES[7:10], np.array([1, 0]))
    assert found[0].page == NAMES[10]
    assert found[0].parts[Source.BIGRAM] > 0.3
    assert sum(found[0].parts.values()) == pytest.approx(1, abs=1e-5)
    assert [page.score for page in found] == sorted((page.score for page in found), reverse=True)


def test_seen_and_functional_pages_are_never_suggested(made: NextPages) -> None:
    pages = {page.page for page in made.of(NAMES[3:5], np.array([1, 0]), n=N_PAGES)}
    assert not pages & {*NAMES[3:5], NAMES[5]}
    anything = made.of(NAMES[3:5], np.array([1, 0]), n=N_PAGES, reach=Reach.ANY)
    assert anything[0].page == NAMES[5]
    assert {NAMES[3], NAMES[4]} < {page.page for page in anything}


@pytest.mark.parametrize("pages", [[], ["https://shop.example/never-seen"], NAMES[:1], NAMES])
def test_there_is_an_answer_for_everybody(made: NextPages, pages: list[str]) -> None:
    found = made.of(pages)
    left = [name for page, name in enumerate(NAMES) if name not in pages and not FUNCTIONAL[page]]
    assert len(found) == min(10, len(left))
    assert {page.page for page in found} <= set(left)
    assert all(Source.NEIGHBOURS not in page.parts or not page.parts[Source.NEIGHBOURS] for page in found)


def test_many_are_told_what_each_is_told_alone(made: NextPages) -> None:
    sequences, vectors = chained(40, seed=3)
    together = made.of_many(sequences, NAMES, vectors)
    for user in range(40):
        pages = sequences.page[slice(*sequences.offsets[user : user + 2])]
        alone = made.of([NAMES[page] for page in pages], vectors[user])
        assert [page.page for page in together.of(user)] == [page.page for page in alone]
        for one, other in zip(together.of(user), alone, strict=True):
            assert one.score == pytest.approx(other.score, abs=1e-6)
            assert one.parts == pytest.approx(other.parts, abs=1e-5)


def test_blocks_make_no_difference(made: NextPages, monkeypatch: pytest.MonkeyPatch) -> None:
    sequences, vectors = chained(40, seed=3)
    whole = made.of_many(sequences, NAMES, vectors)
    monkeypatch.setattr("core.people.next_pages.AT_ONCE", 7)
    assert made.of_many(sequences, NAMES, vectors).column.tolist() == whole.column.tolist()
    nobody = SeenNobody(made)
    assert nobody.column.shape == (0, 10)


def SeenNobody(made: NextPages):  # noqa: ANN201
    seen = made.seen(chained(1)[0], NAMES).some(np.array([], dtype=np.int64))
    return made.suggest(seen, np.empty((0, 2), dtype=np.float32))


def test_what_is_read_says_the_same(made: NextPages, tmp_path: Path) -> None:
    assert not NextPages.is_in(tmp_path)
    made.save(tmp_path)
    assert NextPages.is_in(tmp_path)
    again = NextPages.load(tmp_path)
    sequences, vectors = chained(50, seed=4)
    first, second = (one.of_many(sequences, NAMES, vectors) for one in (made, again))
    assert first.column.tolist() == second.column.tolist()
    assert first.score.tolist() == second.score.tolist()
    assert again.heads == made.heads


def test_no_id_no_order_and_no_rare_page_leaves_with_a_model(tmp_path: Path) -> None:
    source = source_of(1_500)
    page = source.sequences.page.copy()
    page[source.sequences.offsets[:2]] = N_PAGES  # of two users alone
    names = [*NAMES, "https://shop.example/secret"]
    told = replace(
        source, sequences=replace(source.sequences, page=page), names=names,
        functional=np.append(FUNCTIONAL, False),
    )  # fmt: skip
    learn(told).save(tmp_path)
    written = (tmp_path / FACTS).read_text() + str(dict(np.load(tmp_path / TABLES)))
    assert "u00" not in written
    assert "secret" not in written
    parts = ("data", "indices", "indptr")
    tables = {f"{name}_{part}" for name in ("follows", "lagged", "viewed") for part in parts}
    assert set(np.load(tmp_path / TABLES)) == {"allowed", "popular", "near"} | tables
    with np.load(tmp_path / TABLES) as found:
        ends = found["viewed_indptr"]
        rows = [found["viewed_indices"][begin:end] for begin, end in pairwise(ends)]
    assert all(np.all(np.diff(row) > 0) for row in rows)  # by page, so in no order of a visit


@pytest.mark.parametrize("damage", ["no file", "no json", "other arrays", "index beyond"])
def test_damaged_files_are_told_in_words(made: NextPages, tmp_path: Path, damage: str) -> None:
    made.save(tmp_path)
    if damage == "no file":
        (tmp_path / TABLES).unlink()
    elif damage == "no json":
        (tmp_path / FACTS).write_text("[1")
    else:
        arrays = dict(np.load(tmp_path / TABLES))
        if damage == "other arrays":
            del arrays["near"]
        else:
            arrays["follows_indices"] = arrays["follows_indices"] + N_PAGES
        np.savez(tmp_path / TABLES, **arrays)
    with pytest.raises(ArtifactError, match="holds no next pages"):
        NextPages.load(tmp_path)


def test_a_vector_of_another_model_is_refused(made: NextPages) -> None:
    with pytest.raises(ArtifactError, match="3 numbers"):
        made.of(NAMES[:1], np.ones(3))


def test_moments_come_after_the_first_half_and_look_back_only() -> None:
    sequences = sequences_of({"u0": [A, B, C, A, B, C, A, B, C, A], "u1": [A], "u2": [B, C], "u3": [C, B]})
    found = choose_moments(sequences, np.array([True, True, True, False]))
    assert np.bincount(found.user, minlength=4).tolist() == [4, 0, 1, 0]
    for moment, at in enumerate(found.at):
        user = found.user[moment]
        before = found.before.page[slice(*found.before.offsets[moment : moment + 2])]
        assert before.tolist() == sequences.page[sequences.offsets[user] : at].tolist()
        assert len(before) * 2 >= sequences.lengths[user]


def test_what_comes_after_a_moment_changes_nothing() -> None:
    """The users that weights are fitted on are in no table, and the future of theirs in no question."""
    source = source_of(800)
    made = learn(source)
    held = source.held_out
    moments = choose_moments(source.sequences, held)
    page = source.sequences.page.copy()
    last = source.sequences.offsets[1:][held] - 1
    page[last] = (page[last] + 1) % N_PAGES
    changed = replace(source, sequences=replace(source.sequences, page=page), vectors=source.vectors)
    other = learn(changed)
    assert (made.tables.follows != other.tables.follows).nnz == 0
    before_last = ~np.isin(moments.at, last)
    kept = NextMoments(
        moments.at[before_last], moments.user[before_last],
        moments.before.of_users(np.flatnonzero(before_last)),
    )  # fmt: skip
    vectors = which_chain(kept.before)
    first, second = (
        candidates_at(made.tables, one, kept, vectors, Reach.ANY).found.given.tolist()
        for one in (source, changed)
    )
    assert first == second


def test_robots_are_not_counted() -> None:
    source = source_of(800)
    robots = np.arange(800) % 2 == 1  # all of the second chain
    made = learn(replace(source, people=~robots))
    assert made.tables.pages == tuple(NAMES[: N_PAGES // 2])


def test_only_users_held_out_are_asked_unless_others_are_named() -> None:
    source = source_of(800)
    some = np.zeros(800, dtype=bool)
    some[np.flatnonzero(source.held_out)[:60]] = True
    head = learn(replace(source, asking=some)).heads[Reach.ANY]
    assert head.judged is not None
    assert head.judged.users == 60


def test_a_page_that_was_seen_or_is_functional_is_no_question_for_new_pages() -> None:
    source = source_of(800)
    made = learn(source)
    moments = choose_moments(source.sequences, source.held_out)
    asked = candidates_at(made.tables, source, moments, which_chain(moments.before), Reach.NEW)
    target = source.sequences.page[moments.at]
    fine = 0
    for moment, page in enumerate(target):
        before = moments.before.page[slice(*moments.before.offsets[moment : moment + 2])]
        fine += page not in before and not FUNCTIONAL[page]
    assert len(asked.target) == fine
    assert fit_head(asked, Reach.NEW).judged is not None


@pytest.mark.parametrize("n_users", [2, 3, 30])
def test_tiny_sites_have_an_answer_or_none_and_no_crash(n_users: int) -> None:
    sequences = sequences_of({f"u{number}": [A, B] for number in range(n_users)})
    inside = np.ones(n_users, dtype=bool)

    def embed(some: UserSequences) -> np.ndarray:
        return np.ones((some.n_users, 2), dtype=np.float32)

    source = LearnedFrom(
        sequences, ["/a", "/b"], np.zeros(2, dtype=bool), embed(sequences), inside, inside, embed, inside
    )
    made = learn(source)
    counted = int((~source.held_out).sum())
    assert [page.page for page in made.of(["/a"], np.ones(2))] == (["/b"] if counted >= 3 else [])
    assert made.of(["/a", "/b"], np.ones(2)) == []
    assert isinstance(made.tables, PageTables)

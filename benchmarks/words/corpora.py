"""Sentences of several authors, each set with the shops that they are about."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Final

from benchmarks.words.sentences import (
    advisers,
    answers,
    letters,
    manners,
    mended,
    more_writers,
    replies,
    tuned,
    writers,
)
from benchmarks.words.shop import BY_HAND, Shop, drawn, wide


@dataclass(frozen=True)
class Corpus:
    """Sentences to make answers of.

    Args:
        name: What to call it.
        shop: Whose segments they are about.
        values: Sentences with values.
        order: Sentences that compare.
        always_wrong: Sentences with a figure that is in no fact.
        spelt: Sentences with wrong numbers in words.
    """

    name: str
    shop: Shop
    values: tuple[str, ...]
    order: tuple[str, ...]
    always_wrong: tuple[str, ...] = ()
    spelt: tuple[str, ...] = ()


def _corpus(name: str, shop: Shop, module: ModuleType) -> Corpus:
    return Corpus(name, shop, module.VALUES, module.ORDER, module.INVENTED, module.SPELT)


TUNED: Final = _corpus("tuned", BY_HAND, tuned)
MENDED: Final = _corpus("mended", drawn(11), mended)
WRITERS: Final = tuple(_corpus("several writers", drawn(seed), writers) for seed in (17, 19))
MORE_WRITERS: Final = tuple(_corpus("more writers", drawn(seed), more_writers) for seed in (23, 29))
MANNERS: Final = (
    _corpus("manners of models", drawn(31), manners),
    _corpus("manners of models", drawn(37, manners.NAMES, manners.PAGES), manners),
)
ADVISERS: Final = tuple(_corpus("advisers", drawn(seed), advisers) for seed in (41, 43))
ANSWERS: Final = (
    _corpus("answers", wide(drawn(64046), 50, answers.ITEMS), answers),
    _corpus("answers", wide(drawn(253234, answers.NAMES, answers.PAGES), 14, answers.ITEMS), answers),
)
"""The seeds are of shops for which all that is said of fixed segments is true."""
REPLIES: Final = (
    _corpus("replies", wide(drawn(125597), 1965, replies.ITEMS), replies),
    _corpus("replies", wide(drawn(524532, replies.NAMES, replies.PAGES), 474, replies.ITEMS), replies),
)
"""Not among ``CORPORA``; the seeds are chosen like those of ``ANSWERS``."""
LETTERS: Final = (
    _corpus("letters", wide(drawn(63), 7, letters.ITEMS), letters),
    _corpus("letters", wide(drawn(68, letters.NAMES, letters.PAGES), 8, letters.ITEMS), letters),
)
"""Not among ``CORPORA``; true of any shop without ties, so the seeds are two of many."""
CORPORA: Final = ((TUNED,), (MENDED,), WRITERS, MORE_WRITERS, MANNERS, ANSWERS)
"""Those of one kind, over one shop or two."""
HELD_OUT: Final = ADVISERS
"""Never fitted on, so that a test can say how the check does on sentences that the weights have not seen."""

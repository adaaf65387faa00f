"""The language model as the pages use it: when it may be asked, and the requests that it answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Final

import streamlit as st

from core.base.errors import Cancelled, ResourceError
from core.base.schema import Users
from core.facts.context import Context
from core.llm import CallLog, Capabilities, LlmSettings, ServerLlm
from core.profiles.profile_columns import Col
from core.saved import descriptions, preferences
from core.saved.chat_task import ChatTask
from core.saved.conversations import Conversation
from core.saved.descriptions import CompareTask, DescribeTask, Rows
from core.storage.dataset import Dataset
from core.storage.store import Store
from core.writing import AnswerCache, Assistant
from pages.ui.chat import connection
from pages.ui.chat.connection import Trial
from pages.ui.shell import state

_CACHE: Final = "answers"
_WAIT_S: Final = 0.05


@dataclass(frozen=True, eq=False)
class ModelHelper:
    """A language model with what it may be asked about; reads no Streamlit state, so that threads can use it.

    Args:
        server: Its address, name, key and limits.
        about: Segments, names and figures that questions are about.
        user_ids: All user ids of the data set, which are never sent.
        store: Where preferences and answers are kept.
        log_folder: Folder of the log of calls.
    """

    server: LlmSettings
    about: Context
    user_ids: frozenset[str]
    store: Store
    log_folder: Path

    @property
    def now(self) -> Assistant:
        """An assistant for what needs no server: it sends nothing and opens no file."""
        return Assistant(ServerLlm(self.server), self.about, self.user_ids, preferences.load(self.store))

    def make(self, trial: Trial) -> Callable[[Callable[[], bool]], Assistant]:
        """Return a function that waits until a server's trial is over, and then makes an assistant.

        It takes ``should_stop``, called while it waits: :class:`Cancelled` is raised when that returns True,
        :class:`ResourceError` if the server did not answer.
        """

        def made(should_stop: Callable[[], bool]) -> Assistant:
            _wait(trial.over, should_stop)
            if trial.found is None:
                raise ResourceError(trial.problem)
            return self._assistant(trial.found)

        return made

    def turn(self, conversation: Conversation, place: int, before: Iterable[ChatTask]) -> ChatTask:
        """Make the task, not yet begun, in which the model answers a question once earlier turns are over.

        Args:
            conversation: The conversation with the question.
            place: Index of the question's exchange in it.
            before: The turns to wait for.
        """
        make = self.make(connection.answered(self.server))

        def in_turn(should_stop: Callable[[], bool]) -> Assistant:
            for turn in before:
                _wait(turn.over, should_stop)
            return make(should_stop)

        server = connection.keyless(self.server)
        return ChatTask(in_turn, server, self._agreed, self.store, conversation, place, self.about)

    def describing(self, model: str) -> DescribeTask:
        """Make the task, not yet begun, in which the model describes every segment.

        Args:
            model: Content key of the trained model whose segments they are.
        """
        make = self.make(connection.answered(self.server))
        context = self.about
        segments = {int(context.row(key)[Col.SEGMENT]): key for key in context.segment_keys}
        kept = descriptions.saved_descriptions(self.store, model, context.tables.digest)
        return DescribeTask(make, connection.keyless(self.server), self._agreed, kept, segments)

    def comparing(self, model: str, rows: Rows) -> CompareTask:
        """Make the task, not yet begun, in which the model compares two rows, or all segments.

        Args:
            model: Content key of the trained model whose segments they are.
            rows: Keys of two rows, such as ``segment:3``; empty for all segments.
        """
        make = self.make(connection.answered(self.server))
        kept = descriptions.saved_comparisons(self.store, model, self.about.tables.digest)
        return CompareTask(make, connection.keyless(self.server), self._agreed, kept, rows)

    @property
    def _agreed(self) -> bool:
        return bool(connection.given(self.server))

    def _assistant(self, known: Capabilities) -> Assistant:
        log = CallLog(self.log_folder)
        llm = ServerLlm(self.server, log, known)  # one an answer: its tokens are counted alone
        chosen, cache = preferences.load(self.store), _cache(self.store.root / _CACHE)
        return Assistant(llm, self.about, self.user_ids, chosen, cache)


def _wait(over: Event, should_stop: Callable[[], bool]) -> None:
    while not over.wait(_WAIT_S):
        if should_stop():
            raise Cancelled("The answer")


def _cache(folder: Path) -> AnswerCache | None:
    """The cache of earlier answers; None where it cannot be opened."""
    try:
        return AnswerCache(folder)
    except ResourceError:
        return None


def willing(about: Context) -> ModelHelper | None:
    """The model that may be asked; None where there is none, or the analyst has declined."""
    named, data = connection.usable(), state.dataset()
    if named is None or data is None or connection.given(named.settings) is False:
        return None
    store = state.store()
    ids = _user_ids(data.key, data)
    return ModelHelper(named.settings, about, ids, store, connection.log_folder())


@st.cache_resource(max_entries=2, show_spinner=False)
def _user_ids(dataset: str, _dataset: Dataset) -> frozenset[str]:
    return frozenset(_dataset.users[Users.USER_ID])

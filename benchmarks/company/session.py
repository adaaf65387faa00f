"""One person's session: Streamlit's own WebSocket protocol, spoken with its own message classes.

It does what the page in a browser does with the server: it sends the state of all widgets with each run,
keeps large messages so that the server need not send them again, and asks for the fragments that run by
themselves. It draws nothing, so that the figures are the server's.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import parse_qsl, urlencode

from streamlit.proto.Alert_pb2 import Alert
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Delta_pb2 import Delta
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.Slider_pb2 import Slider
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

PATIENCE_S: Final = 60.0
"""After that an interaction counts as failed."""


class InteractionFailed(Exception):
    """An interaction that showed an error, or that nothing answered."""


class Session:
    """One person's tab.

    Args:
        port: Of the server, on 127.0.0.1.
        link: Query parameters of the address that it opens.
    """

    def __init__(self, port: int, link: dict[str, str]) -> None:
        self._origin = f"127.0.0.1:{port}"
        self.link = dict(link)
        self.pages: dict[str, str] = {}
        self.page = ""
        self.sliders: dict[str, Slider] = {}
        self.texts: list[str] = []
        self.n_polls = 0
        self._widgets: dict[str, WidgetState] = {}
        self._kept: dict[str, ForwardMsg] = {}
        self._timers: dict[str, asyncio.Task[None]] = {}
        self._done: asyncio.Event = asyncio.Event()
        self._errors: list[str] = []
        self._socket: ClientConnection | None = None
        self._reader: asyncio.Task[None] | None = None
        self._broken, self._drawn = "", ""

    async def __aenter__(self) -> Self:
        """Connect."""
        self._socket = await connect(
            f"ws://{self._origin}/_stcore/stream", origin=f"http://{self._origin}",  # type: ignore[arg-type]
            subprotocols=["streamlit"], max_size=None, compression=None, ping_interval=None,  # type: ignore[list-item]
        )  # fmt: skip
        self._reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the tab."""
        for task in (*self._timers.values(), self._reader):
            if task is not None:
                task.cancel()
        if self._socket is not None:
            await self._socket.close()

    async def open(self, name: str = "") -> None:
        """Go to a page by the last part of its address; empty for the first one.

        Raises:
            InteractionFailed: If it shows an error or does not come.
        """
        await self._run(page_script_hash=self.pages.get(name, ""), page_name="" if self.pages else name)

    async def slide(self, key: str, value: float) -> None:
        """Move a slider of the page that is open.

        Args:
            key: Key of the widget.
            value: The value to set.

        Raises:
            InteractionFailed: If the page shows an error or does not answer.
            KeyError: If the page has no such slider.
        """
        slider = self.sliders[key]
        state = WidgetState(id=slider.id)
        state.double_array_value.data.append(value)
        self._widgets[slider.id] = state
        await self._run(page_script_hash=self.page)

    async def _run(self, **where: str) -> None:
        self._errors, self._done = [], asyncio.Event()
        self.texts = []
        await self._send(fragment_id="", **where)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._done.wait(), PATIENCE_S)
        if self._broken or not self._done.is_set():
            raise InteractionFailed(self._broken or f"no answer within {PATIENCE_S:.0f} s")
        if self._errors:
            raise InteractionFailed("; ".join(self._errors))

    async def _send(self, *, fragment_id: str, **where: Any) -> None:  # noqa: ANN401 - fields of the message
        message = BackMsg()
        run = message.rerun_script
        run.query_string, run.fragment_id = urlencode(self.link), fragment_id
        run.widget_states.widgets.extend(self._widgets.values())
        run.cached_message_hashes.extend(self._kept)
        for name, value in where.items():
            setattr(run, name, value)
        if self._socket is not None:
            await self._socket.send(message.SerializeToString())

    async def _read(self) -> None:
        assert self._socket is not None
        try:
            async for data in self._socket:
                message = ForwardMsg.FromString(data if isinstance(data, bytes) else data.encode())
                self._take(message)
            self._broken = "the server closed the connection"
        except ConnectionClosed as error:
            self._broken = f"the connection was lost: {error}"
        except Exception as error:  # a task's error reaches nobody by itself
            self._broken = f"the session broke: {error!r}"
        self._done.set()

    def _take(self, message: ForwardMsg) -> None:
        kind = message.WhichOneof("type")
        if kind == "ref_hash":
            message, kind = self._kept[message.ref_hash], "delta"
        elif message.metadata.cacheable:
            self._kept[message.hash] = message
        if kind == "delta":
            self._take_delta(message.delta)
        elif kind == "navigation":
            self.pages = {page.url_pathname: page.page_script_hash for page in message.navigation.app_pages}
            self.page = message.navigation.page_script_hash
        elif kind == "page_info_changed":
            self.link = dict(parse_qsl(message.page_info_changed.query_string))
        elif kind == "auto_rerun":
            self._start_timer(message.auto_rerun.fragment_id, message.auto_rerun.interval)
        elif kind == "new_session" and not message.metadata.run.fragment_ids:
            self._new_run(message.new_session.page_script_hash)
        elif kind == "script_finished" and message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
            self._done.set()

    def _new_run(self, page: str) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self._timers = {}
        if page != self._drawn:  # a page that draws itself again still shows what it showed
            self._drawn, self.sliders = page, {}

    def _take_delta(self, delta: Delta) -> None:
        if delta.WhichOneof("type") != "new_element":
            return
        element = delta.new_element
        kind = element.WhichOneof("type")
        if kind == "exception":
            self._errors.append(f"{element.exception.type}: {element.exception.message}")
        elif kind == "alert" and element.alert.format == Alert.ERROR:
            self._errors.append(element.alert.body)
        elif kind == "markdown":
            self.texts.append(element.markdown.body)
        elif kind == "slider":
            self._take_slider(element.slider)

    def _take_slider(self, slider: Slider) -> None:
        key = slider.id.rsplit("-", 1)[-1]  # Streamlit ends the id of a widget with its key
        self.sliders[key] = slider
        if slider.set_value or slider.id not in self._widgets:
            state = WidgetState(id=slider.id)
            state.double_array_value.data.extend(slider.value if slider.set_value else slider.default)
            self._widgets[slider.id] = state

    def _start_timer(self, fragment: str, interval_s: float) -> None:
        if fragment not in self._timers:
            self._timers[fragment] = asyncio.create_task(self._poll(fragment, interval_s))

    async def _poll(self, fragment: str, interval_s: float) -> None:
        while True:
            await asyncio.sleep(interval_s)
            self.n_polls += 1
            with suppress(ConnectionClosed):
                await self._send(fragment_id=fragment, page_script_hash=self.page, is_auto_rerun=True)

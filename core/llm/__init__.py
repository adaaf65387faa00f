"""The one door to a language model: any server that speaks OpenAI's Chat Completions."""

from core.llm.contract import Capabilities, ChatLlm, ChatReply, Llm, Stop, ToolCall, Usage, never
from core.llm.log import Call, CallLog
from core.llm.server import ServerLlm, connect
from core.llm.settings import DEFAULT_BASE_URL, LlmSettings

__all__ = [
    "DEFAULT_BASE_URL", "Call", "CallLog", "Capabilities", "ChatLlm", "ChatReply", "Llm", "LlmSettings",
    "ServerLlm", "Stop", "ToolCall", "Usage", "connect", "never",
]  # fmt: skip

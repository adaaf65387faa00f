"""Access to a language model on any server that speaks OpenAI's Chat Completions."""

from core.llm.chat_types import Capabilities, ChatReply, Stop, ToolCall, Usage, never
from core.llm.llm_settings import DEFAULT_BASE_URL, LlmSettings
from core.llm.requests import CallLog, LoggedCall
from core.llm.server import ServerLlm

__all__ = [
    "DEFAULT_BASE_URL", "CallLog", "Capabilities", "ChatReply", "LlmSettings", "LoggedCall",
    "ServerLlm", "Stop", "ToolCall", "Usage", "never",
]  # fmt: skip

"""A model answers in blocks: what it is offered, what it may choose and remark, and what if it fails."""

from core.writing.assistant import Assistant
from core.writing.cache import AnswerCache
from core.writing.contract import AssistantSettings, Description, Said

__all__ = ["AnswerCache", "Assistant", "AssistantSettings", "Description", "Said"]

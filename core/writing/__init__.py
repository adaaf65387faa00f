"""Answers of a language model in blocks: what it is offered, what it may choose, and what if it fails."""

from core.writing.assistant import Assistant
from core.writing.payload import AssistantSettings, Description, Said
from core.writing.talk import AnswerCache

__all__ = ["AnswerCache", "Assistant", "AssistantSettings", "Description", "Said"]

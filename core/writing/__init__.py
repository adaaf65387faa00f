"""Answers of a language model in blocks: what it is offered, what it may choose, and what if it fails."""

from core.writing.assistant import Assistant
from core.writing.model_calls import AnswerCache
from core.writing.payload import AssistantSettings, Description, EarlierQuestion

__all__ = ["AnswerCache", "Assistant", "AssistantSettings", "Description", "EarlierQuestion"]

"""Words with a model: what it may see, what it may say, and what happens when it fails."""

from core.facts.render import shown
from core.writing.assistant import Assistant
from core.writing.cache import AnswerCache
from core.writing.contract import AssistantSettings, Description, Said

__all__ = ["AnswerCache", "Assistant", "AssistantSettings", "Description", "Said", "shown"]

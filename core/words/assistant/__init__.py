"""Words with a model: what it may see, what it may say, and what happens when it fails."""

from core.facts.render import shown
from core.words.assistant.assistant import Assistant
from core.words.assistant.cache import AnswerCache
from core.words.assistant.contract import AssistantSettings, Description, Said

__all__ = ["AnswerCache", "Assistant", "AssistantSettings", "Description", "Said", "shown"]

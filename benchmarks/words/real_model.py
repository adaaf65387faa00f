"""Ten questions to a real small model (llama.cpp with SmolLM2-135M) about the demo shop.

    python -m benchmarks.words.real_model --users 3000

Prints what it chose, how long that took, and how many answers end in figures that the tables have.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass

from pydantic import SecretStr

from benchmarks.words.checking import is_counted, right
from benchmarks.words.demo import demo_shop
from benchmarks.words.oracle import Oracle
from benchmarks.words.questions import oracle_of
from benchmarks.words.smollm import running
from core.facts.answer import Answer
from core.facts.sentences import plain
from core.llm import LlmSettings, ServerLlm
from core.writing import Assistant, AssistantSettings

QUESTIONS = (
    "Why does segment 2 convert?", "Any ideas for a campaign for segment 3?",
    "Build a buyer persona for segment 1", "Which segment should we care about?",
    "What would you recommend for segment 4?", "Why is segment 5 so small?",
    "Suggest a newsletter for segment 6", "How can we win back the users of segment 2?",
    "Explain what is special about segment 3", "Write a slogan for segment 5",
)  # fmt: skip
SECONDS = 60.0


@dataclass(frozen=True)
class Asked:
    """One question and what came of it.

    Args:
        question: The question.
        answer: Its answer.
        seconds: Time until the answer.
    """

    question: str
    answer: Answer
    seconds: float


def false_figures(answer: Answer, oracle: Oracle) -> int:
    """Number of figures of an answer that the oracle, which shares no code with the app, counts otherwise."""
    return sum(is_counted(fact) and not right(fact, oracle) for fact in answer.facts)


def asked(assistant: Assistant) -> list[Asked]:
    """Ask the model all questions."""
    found = []
    for question in QUESTIONS:
        began = time.monotonic()
        answer = assistant.reply(question)
        found.append(Asked(question, answer, time.monotonic() - began))
    return found


def main() -> None:
    """Print each answer, and how many are the model's, in time and true."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=3_000)
    shop = demo_shop(parser.parse_args().users)
    with running() as server:
        settings = LlmSettings(
            model=server.model, base_url=server.base_url, api_key=SecretStr(server.api_key)
        )
        assistant = Assistant(ServerLlm(settings), shop.context, (), AssistantSettings(wall_s=SECONDS))
        began = time.monotonic()
        print(assistant.llm.capabilities(), f"found out in {time.monotonic() - began:.0f} s")
        found = asked(assistant)
    for one in found:
        print(f"\n{one.question} ({one.seconds:.1f} s, {one.answer.source}, {one.answer.dropped} dropped)")
        print(one.answer.reason or plain(one.answer.blocks, one.answer.titles))
    by_model = [one for one in found if not one.answer.reason and one.answer.facts and one.seconds <= SECONDS]
    false = sum(false_figures(one.answer, oracle_of(shop)) for one in found)
    longest = max(one.seconds for one in found)
    print(f"\n{len(by_model)} of {len(found)} in the model's choice of figures, {false} false; ", end="")
    print(f"longest {longest:.1f} s")


if __name__ == "__main__":
    main()

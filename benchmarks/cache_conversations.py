"""The conversations that are measured, the same in every run.

Sizes are like those of real programs, in tokens of four characters: a system prompt of 2,000 to 4,000, tools of 1,000
to 2,000 together, tool results of 200 to 800. Every function takes its number of turns, so that tests can use few.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import StructuredTool

MINUTE, HOUR = 60.0, 3600.0


@dataclass(frozen=True, slots=True)
class Step:
    """One call: the messages that are added to the history, and the scripted answer.

    `after`: the seconds since the previous call. `fresh`: whether a new conversation begins.
    """

    messages: tuple[BaseMessage, ...]
    answer: dict[str, Any]
    after: float = 0.0
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class Conversation:
    """Calls in their order. `name` is the short name of the row, `title` describes it."""

    name: str
    title: str
    steps: tuple[Step, ...]
    tools: tuple[StructuredTool, ...] = ()


# --- texts ------------------------------------------------------------------------------------------------------------

VOCABULARY = """
account address answer archive balance branch budget cache carrier change charge client column contract copy
customer date delay detail digit document draft entry error event factor field figure filter form goods group
house index input invoice item journal label layer ledger letter level limit line list margin market measure
member method minute model month name network note number object offer office order owner page panel part
patch payment period phase place plan point policy price process product question quote range rate reason
record region report request result return review route rule sale sample scale schema score search section
series server sheet signal source stage state step stock store stream sum supply system table target task tax
term text ticket time title token total trace trade unit update user value vendor version view volume week year
"""
WORDS = tuple(VOCABULARY.split())


def prose(subject: str, tokens: int) -> str:
    """A text of exactly `tokens` tokens. Texts of different subjects differ from the first word on."""
    seed = int.from_bytes(hashlib.sha256(subject.encode()).digest()[:8], "big")
    generator = random.Random(seed)
    text = f"{subject.capitalize()}: "
    while len(text) < tokens * 4:
        text += " ".join(generator.choices(WORDS, k=12)) + ". "
    return text[: tokens * 4 - 1] + "."


def between(subject: str, least: int, most: int) -> int:
    """A number of tokens that depends only on the subject."""
    digest = hashlib.sha256(f"{subject} size".encode()).digest()
    return least + int.from_bytes(digest[:4], "big") % (most - least + 1)


def _search(query: str, region: str = "", limit: int = 10) -> str:
    return ""


def tools(subject: str = "shop", count: int = 6) -> tuple[StructuredTool, ...]:
    """Tools of about 250 tokens each."""
    return tuple(
        StructuredTool.from_function(
            _search, name=f"{subject}_tool_{at}", description=prose(f"{subject} tool {at}", 190), parse_docstring=False
        )
        for at in range(count)
    )


def answer(subject: str, tokens: int) -> dict[str, Any]:
    """An answer without calls."""
    return {"content": prose(subject, tokens)}


def calling(subject: str, turn: int, count: int = 1) -> dict[str, Any]:
    """An answer with `count` calls of tools."""
    calls = [
        {"name": f"shop_tool_{at % 6}", "args": {"query": prose(f"query {turn} {at}", 25)}, "id": f"call_{turn}_{at}"}
        for at in range(count)
    ]
    return {"content": prose(f"{subject} thought {turn}", 30), "tool_calls": calls}


def results(turn: int, count: int, least: int, most: int) -> tuple[ToolMessage, ...]:
    """The results of the calls of a turn."""
    named = [(f"result {turn} {at}", f"call_{turn}_{at}") for at in range(count)]
    return tuple(ToolMessage(prose(name, between(name, least, most)), tool_call_id=call) for name, call in named)


# --- conversations ----------------------------------------------------------------------------------------------------


def agent(turns: int = 50) -> Conversation:
    """One call per turn. Its result is sent 15 seconds later."""
    start = (SystemMessage(prose("agent rules", 3000)), HumanMessage(prose("the task", 150)))
    steps = [Step(start, calling("agent", 0)), *_loop("agent", turns, 15)]
    return Conversation("a", f"agent with tools, {turns} turns of one call", tuple(steps), tools())


def short_agents(count: int = 6, turns: int = 5) -> Conversation:
    """Similar agents one after the other, each with a task of 1,500 tokens in its first message."""
    steps: list[Step] = []
    for number in range(count):
        start = (SystemMessage(prose("agent rules", 3000)), HumanMessage(prose(f"{number} is the task", 1500)))
        steps.append(Step(start, calling(f"{number} agent", 0), after=30 if number else 0.0, fresh=True))
        steps += _loop(f"{number} agent", turns, 15)
    return Conversation("a2", f"{count} agents of {turns} calls, same tools, different tasks", tuple(steps), tools())


def document_in_system(turns: int = 30, size: int = 12_000) -> Conversation:
    """A document in the system prompt, and questions about it, one a minute."""
    system = SystemMessage(prose("instructions", 400) + "\n" + prose("the document", size))
    steps = list(_talk("about the document", turns, MINUTE, (system,)))
    return Conversation("b", f"document in the system prompt, {turns} questions", tuple(steps))


def document_in_message(turns: int = 30, size: int = 12_000) -> Conversation:
    """The document is the first block of the first message, the question the second."""
    first = in_blocks(prose("the document", size), prose("about the document question 0", 40))
    start = (SystemMessage(prose("instructions", 400)), first)
    steps = [Step(start, answer("about the document answer 0", 250))]
    steps += list(_talk("about the document", turns, MINUTE))[1:]
    return Conversation("b2", f"document, then question, in the first message, {turns} questions", tuple(steps))


def document_in_text(turns: int = 30, size: int = 12_000) -> Conversation:
    """Document and question are one text, so nothing separates them."""
    first = prose("the document", size) + "\n" + prose("about the document question 0", 40)
    start = (SystemMessage(prose("instructions", 400)), HumanMessage(first))
    steps = [Step(start, answer("about the document answer 0", 250))]
    steps += list(_talk("about the document", turns, MINUTE))[1:]
    return Conversation("b3", f"document and question as one text, {turns} questions", tuple(steps))


def parallel_agent(turns: int = 12, count: int = 25) -> Conversation:
    """`count` tool calls in every turn: on Anthropic, twice as many blocks are between two calls of the model."""
    start = (SystemMessage(prose("agent rules", 3000)), HumanMessage(prose("the task", 150)))
    steps = [Step(start, calling("agent", 0, count)), *_loop("agent", turns, 30, count, size=(150, 350))]
    return Conversation("c", f"agent, {turns} turns of {count} parallel calls", tuple(steps), tools())


def questions_after_system(count: int = 40, size: int = 6000) -> Conversation:
    """Many questions with one prefix, each in a new conversation: the prefix is the system prompt."""
    system = SystemMessage(prose("handbook", size))
    asked = [(system, HumanMessage(prose(f"{at} is asked", 60))) for at in range(count)]
    return Conversation("d1", f"{count} questions over one system prompt", tuple(_alone(asked, 20)))


def questions_after_block(count: int = 40, size: int = 6000) -> Conversation:
    """The prefix is the first block of the user's message."""
    asked = [(in_blocks(prose("handbook", size), prose(f"{at} is asked", 60)),) for at in range(count)]
    return Conversation("d2", f"{count} questions over one block of the user's message", tuple(_alone(asked, 20)))


def one_shots(count: int = 12) -> Conversation:
    """A system prompt that does not occur again."""
    asked = [
        (SystemMessage(prose(f"{at} rules", 2500)), HumanMessage(prose(f"{at} is asked", 60))) for at in range(count)
    ]
    return Conversation("e1", f"{count} single calls, each with its own system prompt", tuple(_alone(asked, 30)))


def below_the_minimum(count: int = 12) -> Conversation:
    """The same short prompt in every call: too short for any cache."""
    system = SystemMessage(prose("short rules", 600))
    asked = [(system, HumanMessage(prose(f"{at} is asked", 60))) for at in range(count)]
    return Conversation("e2", f"{count} calls of 660 tokens, below the minimum", tuple(_alone(asked, 30)))


def edited_at_the_start(count: int = 12) -> Conversation:
    """The system prompt begins with the time of the call, so only the tools before it stay the same."""
    asked = [
        (SystemMessage(f"{at:02}:00 o'clock. " + prose("rules", 2500)), HumanMessage(prose(f"{at} is asked", 60)))
        for at in range(count)
    ]
    title = f"{count} calls, same tools, system prompt edited at its start"
    return Conversation("e3", title, tuple(_alone(asked, 30)), tools())


def paused(pause: float, turns: int = 20) -> Conversation:
    """A conversation with one pause of `pause` seconds in its middle."""
    system = SystemMessage(prose("assistant rules", 3000))
    steps = list(_talk("a long talk", turns, 45.0, (system,), sizes=(300, 400)))
    middle = turns // 2
    late = Step(steps[middle].messages, steps[middle].answer, after=pause)
    name, length = ("f1", "8 minutes") if pause < HOUR else ("f2", "2 hours")
    title = f"chat of {turns} turns, paused once for {length}"
    return Conversation(name, title, (*steps[:middle], late, *steps[middle + 1 :]))


def reminded(turns: int = 20) -> Conversation:
    """A chat with another system message in its middle."""
    system = SystemMessage(prose("assistant rules", 3000))
    steps = list(_talk("a talk", turns, 45.0, (system,), sizes=(200, 300)))
    middle = steps[turns // 2]
    reminder = SystemMessage(prose("reminder", 50))
    steps[turns // 2] = Step((reminder, *middle.messages), middle.answer, after=middle.after)
    return Conversation("g", f"chat of {turns} turns, a system message in its middle", tuple(steps))


def _loop(
    subject: str, turns: int, seconds: float, count: int = 1, *, size: tuple[int, int] = (200, 800)
) -> Iterator[Step]:
    """The calls of an agent after its first one: tool results of `size` tokens, answered with the next tool calls."""
    for turn in range(1, turns):
        yield Step(results(turn - 1, count, *size), calling(subject, turn, count), after=seconds)


def _talk(
    subject: str,
    turns: int,
    seconds: float,
    start: tuple[BaseMessage, ...] = (),
    *,
    sizes: tuple[int, int] = (40, 250),
) -> Iterator[Step]:
    """Questions and answers of the given sizes, one after the other."""
    question_size, answer_size = sizes
    for turn in range(turns):
        question = HumanMessage(prose(f"{subject} question {turn}", question_size))
        messages = (*start, question) if turn == 0 else (question,)
        yield Step(messages, answer(f"{subject} answer {turn}", answer_size), after=seconds if turn else 0.0)


def _alone(asked: Sequence[tuple[BaseMessage, ...]], seconds: float) -> Iterator[Step]:
    """Calls that are conversations of their own."""
    for at, messages in enumerate(asked):
        yield Step(messages, answer(f"answer {at}", 200), after=seconds if at else 0.0, fresh=True)


def in_blocks(*texts: str) -> HumanMessage:
    """A user's message with a block for each text."""
    return HumanMessage(content=[{"type": "text", "text": each} for each in texts])


CONVERSATIONS: Mapping[str, Callable[[], Conversation]] = {
    "a": agent,
    "a2": short_agents,
    "b": document_in_system,
    "b2": document_in_message,
    "b3": document_in_text,
    "c": parallel_agent,
    "d1": questions_after_system,
    "d2": questions_after_block,
    "e1": one_shots,
    "e2": below_the_minimum,
    "e3": edited_at_the_start,
    "f1": lambda: paused(8 * MINUTE),
    "f2": lambda: paused(2 * HOUR),
    "g": reminded,
}
"""By the name of the row."""

SMALL: Mapping[str, Callable[[], Conversation]] = {
    "a": lambda: agent(8),
    "a2": lambda: short_agents(2, 4),
    "b": lambda: document_in_system(5),
    "b2": lambda: document_in_message(5),
    "b3": lambda: document_in_text(5),
    "c": lambda: parallel_agent(4),
    "d1": lambda: questions_after_system(6),
    "d2": lambda: questions_after_block(6),
    "e1": lambda: one_shots(3),
    "e2": lambda: below_the_minimum(3),
    "e3": lambda: edited_at_the_start(4),
    "f1": lambda: paused(8 * MINUTE, 8),
    "f2": lambda: paused(2 * HOUR, 8),
    "g": lambda: reminded(8),
}
"""The same with few turns, for the tests."""

"""Generated threads: workloads on which no rule of `prompt_cache="auto"` was chosen, the same in every run.

A seed decides on everything: chat or agent, how long, the sizes, the tools, how many conversations share the prompt,
how they are edited, when people come back, and the model, which decides on prices and minimums.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage, ToolMessage

from benchmarks.cache_conversations import answer, in_blocks, prose, tools
from benchmarks.cache_threads import Provider, Stage, Workload, calls, results_of, text

SEEDS = range(40)

CHOICES: Mapping[Provider, Sequence[str]] = {
    "anthropic": ("claude-sonnet-5", "claude-opus-5", "claude-opus-5-5", "claude-fable-5-1", "claude-opus-4-7"),
    "openai": ("gpt-5.6", "gpt-6.1"),
}
"""Reading costs 0.1 of the input price, on Opus 5.5 and gpt-6.1 0.05, on Fable 5.1 0.025. Minimums: 512 to 2,048."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a seed decides. Sizes are in tokens. `pause_share`: of how many gaps between turns are 6 to 50 minutes."""

    seed: int
    agent: bool
    conversations: int
    turns: int
    system: tuple[int, ...]
    """The sizes of the blocks of the system prompt; the last of several is that of a user."""
    question: int
    result: int
    tools: int
    edit: str
    keep: int
    pause_share: float
    """How many of the gaps between questions are 6 to 50 minutes."""

    def title(self) -> str:
        """The plan in a few words."""
        kind = f"{self.conversations} x {'agent' if self.agent else 'chat'} of {self.turns}"
        pauses = f", pauses {self.pause_share:.0%}" if self.pause_share else ""
        edit = f", {self.edit} {self.keep}" if self.edit != "grows" else ""
        return f"{kind}, system {self.system}, {self.tools} tools{edit}{pauses}"


EDITS = ("grows", "grows", "grows", "window", "cleared", "retrieved", "summarised", "reminded")


def plan(seed: int) -> Plan:
    """The plan of a seed."""
    chance = random.Random(f"threads {seed}")
    agent = chance.random() < 0.5
    conversations = chance.choice((1, 1, 2, 4, 8))
    system = (chance.randrange(300, 6000), *((chance.randrange(100, 900),) if chance.random() < 0.3 else ()))
    edit = chance.choice([each for each in EDITS if agent or each not in ("cleared", "reminded")])
    if agent and edit in ("window", "retrieved"):
        edit = "cleared"
    return Plan(
        seed, agent, conversations,
        turns=chance.randrange(1, 1 + 24 // (1 + conversations // 4)),
        system=system if chance.random() < 0.9 else (),
        question=chance.randrange(30, 600), result=chance.randrange(50, 1500),
        tools=chance.randrange(1, 7) if agent or chance.random() < 0.2 else 0,
        edit=edit, keep=chance.randrange(3, 6) if edit == "cleared" else chance.randrange(5, 12, 2),
        pause_share=chance.choice((0.0, 0.0, 0.0, 0.1, 0.5, 0.9)),
    )  # fmt: skip


def run(stage: Stage, found: Plan) -> None:
    """The calls of a plan."""
    chance = random.Random(f"gaps {found.seed}")
    name = CHOICES[stage.provider][found.seed % len(CHOICES[stage.provider])]
    model = stage.model(model=name)
    model = model.bind_tools(tools("shop", found.tools)) if found.tools else model
    for number in range(found.conversations):
        subject = f"held out {found.seed} {number}"
        shared = [text(prose(f"rules {found.seed} {at}", size)) for at, size in enumerate(found.system[:1])]
        own = [text(prose(f"{subject} block {at}", size)) for at, size in enumerate(found.system[1:])]
        history: list[BaseMessage] = [SystemMessage([*shared, *own])] if found.system else []
        converse(Talk(stage, model, history, subject), found, chance)


@dataclass(frozen=True, slots=True)
class Talk:
    """A conversation: where it runs, with which model, what was said, and what its texts are about."""

    stage: Stage
    model: Any
    history: list[BaseMessage]
    subject: str


def converse(talk: Talk, found: Plan, chance: random.Random) -> None:
    """One conversation: of an agent, mostly one question and its loop."""
    stage, history, subject = talk.stage, talk.history, talk.subject
    edit = EDITED[found.edit](found)
    for turn in range(found.turns):
        if not found.agent or turn % 8 == 0:
            history.append(HumanMessage(prose(f"{subject} question {turn}", found.question)))
            stage.wait(gap(found, chance) if turn else 20.0)
        is_last = not found.agent or turn % 8 == 7 or turn == found.turns - 1
        stage.answers.append(answer(f"{subject} {turn}", 150) if is_last else calls(subject, turn, 1 + found.seed % 3))
        reply = talk.model.invoke(edit(history))
        history += [reply, *results_of(reply, subject, found.result)]
        stage.wait(chance.uniform(3.0, 30.0))


def gap(found: Plan, chance: random.Random) -> float:
    """The seconds before a question."""
    if chance.random() < found.pause_share:
        return chance.uniform(360.0, 3000.0)
    return chance.uniform(10.0, 240.0)


# --- what is sent of a history ----------------------------------------------------------------------------------------


Edit = Callable[[list[BaseMessage]], list[BaseMessage]]


def _leading(history: Sequence[BaseMessage]) -> int:
    return 1 if history and isinstance(history[0], SystemMessage) else 0


def _grows(found: Plan) -> Edit:
    return list


def _window(found: Plan) -> Edit:
    def last(history: list[BaseMessage]) -> list[BaseMessage]:
        at = _leading(history)
        return [*history[:at], *history[at:][-found.keep :]]

    return last


def _cleared(found: Plan) -> Edit:
    def clear(history: list[BaseMessage]) -> list[BaseMessage]:
        results = [at for at, message in enumerate(history) if isinstance(message, ToolMessage)]
        old = set(results[: -found.keep])
        return [m.model_copy(update={"content": "[cleared]"}) if at in old else m for at, m in enumerate(history)]

    return clear


def _retrieved(found: Plan) -> Edit:
    def with_documents(history: list[BaseMessage]) -> list[BaseMessage]:
        question = str(history[-1].content)
        return [*history[:-1], in_blocks(prose(f"for {question[:60]}", 4 * found.result), question)]

    return with_documents


def _reminded(found: Plan) -> Edit:
    return lambda history: [*history, HumanMessage(prose(f"reminder {len(history)}", 60))]


def _summarised(found: Plan) -> Edit:
    """Every few messages those so far are replaced by a summary, at the question that follows."""
    state = {"from": 0}

    def summarise(history: list[BaseMessage]) -> list[BaseMessage]:
        at = _leading(history)
        if len(history) - state["from"] > 2 * found.keep and isinstance(history[-1], HumanMessage):
            state["from"] = len(history) - 1
        if state["from"] <= at:
            return list(history)
        return [*history[:at], HumanMessage(prose(f"summary {state['from']}", 400)), *history[state["from"] :]]

    return summarise


EDITED: Mapping[str, Callable[[Plan], Edit]] = {
    "grows": _grows, "window": _window, "cleared": _cleared, "retrieved": _retrieved, "reminded": _reminded,
    "summarised": _summarised,
}  # fmt: skip


def held_out() -> Iterator[tuple[str, Workload]]:
    """The workloads by name."""
    for seed in SEEDS:
        found = plan(seed)
        yield f"held out {seed}", Workload(found.title(), lambda stage, found=found: run(stage, found))

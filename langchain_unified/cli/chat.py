"""`langchain-unified chat`: one question, or a conversation with commands."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage
from rich.console import Console

from langchain_unified import ChatUnified, ConfigurationError, CostTracker, UnifiedError
from langchain_unified._extras import install
from langchain_unified.cli.words import Words
from langchain_unified.cost.prices import installed

ENDINGS: Mapping[str, str] = {
    "length": "The answer was cut: it reached the maximum number of tokens. Give a larger --max-tokens.",
    "context_window": "The answer was cut: the conversation fills the model's context window. /clear begins a new one.",
    "content_filter": "The answer was cut by the provider's content filter.",
    "refusal": "The model refused to answer.",
    "pause": "The provider paused the answer; it is not complete.",
}
"""By finish reason: what is said below an answer that is not complete."""

HELP = """\
/model [name]   show or change the model; the conversation continues with it
/cost           what the conversation cost until now
/check [text]   what would be sent next, and what would be changed or refused; nothing is sent
/clear          begin a new conversation
/help           this list
/exit           end (or Ctrl-D)
Ctrl-C ends an answer, and what came of it is not part of the conversation."""


@dataclass
class Conversation:
    """A conversation with one model at a time. `out` shows answers, `err` what is not part of an answer."""

    model: str
    out: Console
    err: Console
    max_tokens: int | None = None
    messages: list[BaseMessage] = field(default_factory=list)
    costs: CostTracker | None = field(default_factory=lambda: CostTracker() if installed() else None)
    """`None` where the prices are not installed."""

    def built(self, name: str | None = None) -> ChatUnified:
        """The model. Raises `ConfigurationError` for an unknown name."""
        return ChatUnified(name or self.model, max_tokens=self.max_tokens)

    def ask(self, question: str) -> None:
        """Stream the answer to a question. A call that fails leaves the conversation as it was, and raises."""
        asked = [*self.messages, HumanMessage(question)]
        answer = self._streamed(asked)
        self.messages = [*asked, answer]
        ending = ENDINGS.get(str(answer.response_metadata.get("finish_reason")))
        if ending:
            self.err.print(ending, style="yellow", markup=False)

    def _streamed(self, messages: list[BaseMessage]) -> AIMessage:
        words = Words(self.out.file, self.out.width if self.out.is_terminal else None)
        callbacks: Any = [self.costs] if self.costs else []
        whole: AIMessageChunk | None = None
        try:
            for chunk in self.built().stream(messages, {"callbacks": callbacks}):
                words.write(str(chunk.text))
                whole = chunk if whole is None else whole + chunk
        finally:
            if whole is not None:
                words.end()
        return whole if whole is not None else AIMessage("")

    # --- commands: each takes the text after its name ---

    def show_model(self, name: str) -> None:
        if name:
            self.built(name)
            self.model = name
        self.err.print(f"Model: {self.model}", markup=False)

    def show_cost(self, _: str) -> None:
        costs = f"Costs need prices: {install('cost')}" if self.costs is None else str(self.costs)
        self.err.print(costs, markup=False)

    def check(self, text: str) -> None:
        report = self.built().check([*self.messages, HumanMessage(text or "…")])
        self.err.print(str(report), markup=False)

    def clear(self, _: str) -> None:
        self.messages = []
        self.err.print("A new conversation.", markup=False)

    def show_help(self, _: str) -> None:
        self.err.print(HELP, markup=False)


COMMANDS: Mapping[str, Callable[[Conversation, str], None]] = {
    "/model": Conversation.show_model,
    "/cost": Conversation.show_cost,
    "/check": Conversation.check,
    "/clear": Conversation.clear,
    "/help": Conversation.show_help,
}
EXITS = ("/exit", "/quit")


def converse(talk: Conversation, lines: Iterator[str]) -> int:
    """Hold a conversation, a line for each turn. An error is shown, and the conversation goes on.

    Returns the exit code: of the last error, or 0.
    """
    code = 0
    for line in lines:
        text = line.strip()
        if text in EXITS:
            break
        if not text:
            continue
        try:
            _turn(talk, text)
        except KeyboardInterrupt:
            talk.err.print("The answer was stopped.", style="yellow", markup=False)
        except UnifiedError as error:
            talk.err.print(f"{type(error).__name__}: {error}", style="red", markup=False)
            code = 2 if isinstance(error, ConfigurationError) else 1
    return code


def _turn(talk: Conversation, text: str) -> None:
    name, _, rest = text.partition(" ")
    if name in COMMANDS:
        COMMANDS[name](talk, rest.strip())
    elif name.startswith("/") and name[1:].isalpha():
        talk.err.print(f"{name} is not a command. /help lists them.", style="yellow", markup=False)
    else:
        talk.ask(text)


def typed(out: Console) -> Iterator[str]:
    """The lines that a person types, until Ctrl-D or Ctrl-C. The arrow keys bring back earlier ones."""
    with suppress(ImportError):  # Windows has an editor of its own
        importlib.import_module("readline")  # `input` uses it
    while True:
        try:
            yield input("> ")
        except (EOFError, KeyboardInterrupt):
            out.print()
            return


def has_commands(text: str) -> bool:
    """Whether a piped text is a conversation: one of its lines is a command."""
    return any(line.strip().partition(" ")[0] in (*COMMANDS, *EXITS) for line in text.splitlines())


def question_of(argument: str | None, piped: str | None) -> str:
    """The question: the argument, the piped text, or both. `-` stands for the piped text."""
    parts = [argument if argument != "-" else None, piped]
    return "\n\n".join(part for part in parts if part and part.strip())


def piped_text(argument: str | None) -> str | None:
    """What is piped into the command; `None` for a person at a terminal."""
    if sys.stdin is None or sys.stdin.isatty():
        return sys.stdin.read() if argument == "-" else None
    return sys.stdin.read()


def run(talk: Conversation, argument: str | None) -> int:
    """One question if there is one, else a conversation. Returns the exit code; raises our errors for one question."""
    piped = piped_text(argument)
    if argument in (None, "-") and piped and has_commands(piped):
        return converse(talk, iter(piped.splitlines()))
    question = question_of(argument, piped)
    if question:
        talk.ask(question)
        return 0
    if piped is not None:
        raise ConfigurationError("There is no question: give one as an argument, or pipe a text into the command.")
    talk.built()
    talk.err.print(f"{talk.model}. /help lists the commands, Ctrl-D ends.", style="dim", markup=False)
    return converse(talk, typed(talk.out))


__all__ = ["COMMANDS", "Conversation", "converse", "run"]

"""The demo: a short agent conversation with each provider, by the same code, and a fallback between them.

An emulator on this machine answers without keys; with `live=True` the real providers do.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from pydantic import BaseModel, Field
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from langchain_unified import ChatUnified, OverloadedError, message_cost
from langchain_unified._extras import install
from langchain_unified.cli.words import Words
from langchain_unified.cost import usd
from langchain_unified.cost.prices import installed

if TYPE_CHECKING:
    from langchain_unified.request import Request
    from langchain_unified.testing import Emulator

MODELS = {"anthropic": "anthropic/claude-opus-5", "openai": "openai/gpt-5.6"}

WIDE = 70
"""From how many columns on the table has a column for finish reasons."""

_RULE = (
    "Rule {number}. Answer in one or two short sentences, name the city that is meant, give temperatures in degrees "
    "Celsius, say when a figure comes from a tool, and never guess a figure that a tool could have given."
)
_RULES = [_RULE.format(number=number) for number in range(1, 61)]
HANDBOOK = "\n".join(["You are a travel desk. The house rules follow.", *_RULES])
"""A system prompt that is long enough for the prompt cache of every model."""

SYSTEM = SystemMessage([{"type": "text", "text": HANDBOOK, "cache_control": {"type": "ephemeral"}}])

SCRIPTED_ANSWERS = {
    "What do you do? One sentence, please.": "I plan trips: I check the weather, keep your dates and help you to pack.",
    "Thank you. And what should I pack?": "A light jacket for the evening and good shoes. At 18 degrees, no coat.",
    "Are you there?": "Yes, I am here.",
}
"""The emulator's answers to the questions without a tool. Its built-in assistant answers the others."""

INTRODUCTION = {
    False: "No keys and no network: an emulator on this machine answers in place of both providers. It has their "
    "protocols, their rules and their prompt caches, but no model: the answers are made up. To ask the real providers "
    "with your keys, run: langchain-unified demo --live",
    True: "The real providers answer. This uses your keys and costs a few cents.",
}
"""By `live`."""


def get_weather(city: str) -> str:
    """The current weather in a city."""
    return f"18 degrees Celsius and clear in {city}"


class Trip(BaseModel):
    """A trip, in brief."""

    city: str = Field(description="Where to")
    days: int = Field(description="How long, in days")


@dataclass
class Show:
    """Prints the conversation to a terminal, and collects the messages of all calls for the table at the end."""

    console: Console
    rows: list[tuple[str, str, AIMessage]] = field(default_factory=list)

    def step(self, title: str) -> None:
        self.console.print(Text(f"\n{title}", style="dim"))

    def line(self, label: str, text: str, style: str, end: str = "\n") -> None:
        self.console.print(Text(f"{label:<12}", style=style) + Text(text), end=end)

    def user(self, text: str) -> None:
        self.line("user", text, "bold cyan")

    def model(self, text: str) -> None:
        self.line("model", text, "bold green")

    def record(self, provider: str, call: str, message: BaseMessage) -> None:
        if isinstance(message, AIMessage):
            self.rows.append((provider, call, message))

    def table(self) -> Table:
        """The tokens and the cost of each call. It fits 50 columns; from 70 on it has the finish reasons, too."""
        table = Table(
            title="\nTokens of each call", title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False
        )
        table.add_column("call", no_wrap=True)
        for name in ("input", "read", "write", "out", "cost"):
            table.add_column(name, justify="right", no_wrap=True)
        wide = self.console.width >= WIDE
        if wide:
            table.add_column("finish", no_wrap=True)
        provider = None
        for each, call, message in self.rows:
            if each != provider:
                provider = each
                table.add_row(Text(provider, style="bold"))
            table.add_row(*_cells(call, message, finish=wide))
        return table

    def totals(self) -> str:
        """What all calls cost together, at the published prices."""
        costs = [message_cost(message).total for _, _, message in self.rows]
        if not installed():
            return f"Costs need prices: {install('cost')}"
        known = sum((cost for cost in costs if cost is not None), Decimal(0))
        return f"{len(costs)} calls, {usd(known)} at the published prices of the models."


def _cells(call: str, message: AIMessage, *, finish: bool) -> list[str]:
    usage: Any = message.usage_metadata or {}
    details = usage.get("input_token_details", {})
    counts = (usage.get("input_tokens"), details.get("cache_read"), details.get("cache_creation"))
    cost = message_cost(message).total
    reason = [str(message.response_metadata.get("finish_reason", ""))] if finish else []
    return [
        call,
        *map(_number, (*counts, usage.get("output_tokens"))),
        "-" if cost is None else f"${cost:.4f}",
        *reason,
    ]


def _number(count: int | None) -> str:
    return "-" if count is None else f"{count:,}"


def conversation(show: Show, provider: str, model: ChatUnified) -> None:
    """A streamed answer, a tool call, a structured answer, and a second turn that reads the prompt from the cache."""
    show.console.rule(f"[bold]{model.model}")
    show.step("A streamed answer")
    messages: list[BaseMessage] = [SYSTEM, HumanMessage("What do you do? One sentence, please.")]
    messages.append(_streamed(show, provider, model, messages))

    show.step("A tool call, its result, and the answer")
    agent = model.bind_tools([get_weather])
    messages += _tool_turn(show, provider, agent, messages, "What is the weather in Paris? Use get_weather.")

    show.step("A structured answer: an object of the class Trip")
    request = "Plan a trip to Lisbon for 4 days."
    show.user(request)
    structured: Any = model.with_structured_output(Trip, include_raw=True)
    planned = structured.invoke([SYSTEM, HumanMessage(request)])
    show.record(provider, "structured", planned["raw"])
    show.line("object", repr(planned["parsed"]), "bold green")

    show.step("A second turn: most of the prompt comes from the cache")
    question = "Thank you. And what should I pack?"
    show.user(question)
    final = agent.invoke([*messages, HumanMessage(question)])
    show.record(provider, "second turn", final)
    show.model(final.text)


def _streamed(show: Show, provider: str, model: ChatUnified, messages: list[BaseMessage]) -> BaseMessage:
    show.user(str(messages[-1].text))
    show.line("model", "", "bold green", end="")
    words = Words(show.console.file, show.console.width, column=12)
    chunks = []
    for chunk in model.stream(messages):
        words.write(str(chunk.text))
        chunks.append(chunk)
    words.end()
    message = chunks[0] + chunks[1:]
    show.record(provider, "streamed", message)
    return message


def _tool_turn(show: Show, provider: str, agent: Any, history: list[BaseMessage], question: str) -> list[BaseMessage]:
    """The messages of one turn: the question, the tool call, its result and the answer."""
    show.user(question)
    turn: list[BaseMessage] = [HumanMessage(question)]
    called = agent.invoke([*history, *turn])
    show.record(provider, "tool call", called)
    turn.append(called)
    for call in called.tool_calls:
        result = get_weather(**call["args"])
        show.line("tool call", f"{call['name']}({call['args']})", "bold magenta")
        show.line("tool result", result, "magenta")
        turn.append(ToolMessage(result, tool_call_id=call["id"]))
    answer = agent.invoke([*history, *turn])
    show.record(provider, "tool answer", answer)
    show.model(answer.text)
    return [*turn, answer]


def fallback(show: Show, models: dict[str, ChatUnified], server: Emulator | None) -> None:
    """Claude is overloaded, so OpenAI answers the same call. With the real providers nothing fails: Claude answers."""
    show.console.rule("[bold]Fallback to the other provider")
    first, second = models["anthropic"], models["openai"]
    if server is not None:
        from langchain_unified.testing import Fault

        server.fail_next(Fault.overloaded())
        show.line("emulator", "answers the next call to Claude with the error 529 overloaded", "bold red")
    question = "Are you there?"
    show.user(question)
    chain = first.with_fallbacks([second], exceptions_to_handle=(OverloadedError,))
    message = chain.invoke([SYSTEM, HumanMessage(question)])
    provider = str(message.response_metadata["model_provider"])
    show.record(provider, "fallback", message)
    show.model(f"{message.text}  (answered by {provider})")


def _script(request: Request) -> Any:
    from langchain_unified.testing.emulation.assistant import answer

    question = "".join(block["text"] for block in request.turns[-1].blocks if block["type"] == "text")
    return SCRIPTED_ANSWERS.get(question) or answer(request)


@contextmanager
def _models(live: bool) -> Iterator[tuple[dict[str, ChatUnified], Emulator | None]]:
    """The models by provider, and the emulator that answers them; `None` if the real providers do."""
    if live:
        yield {provider: ChatUnified(model) for provider, model in MODELS.items()}, None
        return
    from langchain_unified.testing import emulator

    with emulator(_script) as server:
        urls = {"anthropic": server.anthropic_url, "openai": server.openai_url}
        models = {
            provider: ChatUnified(model, api_key="emulator", base_url=urls[provider], max_retries=0)
            for provider, model in MODELS.items()
        }
        yield models, server


def run(console: Console, *, live: bool = False) -> None:
    """Run the demo. `live`: with the real providers; raises our errors then, such as `MissingKeyError`."""
    console.print(Panel(INTRODUCTION[live], title="langchain_unified", border_style="yellow"))
    show = Show(console)
    with _models(live) as (models, server):
        for provider, model in models.items():
            conversation(show, provider, model)
        fallback(show, models, server)
    console.print(show.table())
    console.print(Text("read, write: input tokens read from and written to the prompt cache", style="dim"))
    console.print(Text(show.totals()))
    if not live:
        console.print(Text("Answered by the emulator, not by Anthropic or OpenAI.", style="yellow"))

"""One short agent conversation, held with each provider by the same code, and shown as a person likes to read it.

Without keys an emulator on this machine answers, and the demo says so; with `live=True` the providers do.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from pydantic import BaseModel, Field
from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from langchain_unified import ChatUnified, OverloadedError

if TYPE_CHECKING:
    from langchain_unified.request import Request
    from langchain_unified.testing import Emulator

MODELS = {"anthropic": "anthropic/claude-opus-5", "openai": "openai/gpt-5.6"}

_RULE = (
    "Rule {number}. Answer in one or two short sentences, name the city that is meant, give temperatures in degrees "
    "Celsius, say when a figure comes from a tool, and never guess a figure that a tool could have given."
)
_RULES = [_RULE.format(number=number) for number in range(1, 61)]
HANDBOOK = "\n".join(["You are a travel desk. The house rules follow.", *_RULES])
"""Long enough for every model's prompt cache."""

MARKED_HANDBOOK = SystemMessage([{"type": "text", "text": HANDBOOK, "cache_control": {"type": "ephemeral"}}])


SAID = {
    "Say in one sentence what you do.": "I plan trips: I look the weather up, keep your dates and say what to take.",
    "Thank you. And what should I pack?": "A light jacket for the evening and good shoes; at 18 degrees no coat.",
    "Are you there?": "Yes, I am here.",
}
"""What the emulator says to the questions that need no tool; to the others its own assistant answers."""


def get_weather(city: str) -> str:
    """The current weather in a city."""
    return f"18 degrees Celsius and clear in {city}"


class Trip(BaseModel):
    """A trip, in brief."""

    city: str = Field(description="Where to")
    days: int = Field(description="How long, in days")


@dataclass
class Show:
    """Writes the conversation to a terminal and keeps the figures of each call for the table at the end."""

    console: Console
    rows: list[tuple[str, str, AIMessage]] = field(default_factory=list)

    def user(self, text: str) -> None:
        self.console.print(Text("you      ", style="bold cyan") + Text(text))

    def note(self, label: str, text: str, style: str) -> None:
        self.console.print(Text(f"{label:<9}", style=style) + Text(text))

    def keep(self, provider: str, step: str, message: BaseMessage) -> None:
        if isinstance(message, AIMessage):
            self.rows.append((provider, step, message))

    def table(self) -> Table:
        table = Table(title="Tokens per call (read and written: the prompt cache)", title_justify="left")
        table.add_column("provider")
        table.add_column("call")
        for name in ("input", "read", "written", "output"):
            table.add_column(name, justify="right")
        table.add_column("finish", no_wrap=True)
        for provider, step, message in self.rows:
            usage: Any = message.usage_metadata or {}
            details = usage.get("input_token_details", {})
            figures = (usage.get("input_tokens"), details.get("cache_read"), details.get("cache_creation"))
            finish = str(message.response_metadata.get("finish_reason", ""))
            table.add_row(provider, step, *map(_figure, (*figures, usage.get("output_tokens"))), finish)
        return table


def _figure(count: int | None) -> str:
    return "-" if count is None else f"{count:,}"


def conversation(show: Show, provider: str, model: ChatUnified) -> None:
    """Streaming, a tool and its result, a structured answer, and a second turn that finds the prompt in the cache."""
    show.console.rule(f"[bold]{model.model}")
    messages: list[BaseMessage] = [MARKED_HANDBOOK, HumanMessage("Say in one sentence what you do.")]
    messages.append(_streamed(show, provider, model, messages))

    question = "What is the weather in Paris? Use get_weather."
    show.user(question)
    messages.append(HumanMessage(question))
    agent = model.bind_tools([get_weather])
    called = agent.invoke(messages)
    show.keep(provider, "tool call", called)
    messages.append(called)
    for call in called.tool_calls:
        result = get_weather(**call["args"])
        show.note("calls", f"{call['name']}({call['args']})", "bold magenta")
        show.note("result", result, "magenta")
        messages.append(ToolMessage(result, tool_call_id=call["id"]))
    answer = agent.invoke(messages)
    show.keep(provider, "tool answer", answer)
    show.note("model", answer.text, "bold green")

    request = "Plan a trip to Lisbon for 4 days."
    show.user(request)
    structured: Any = model.with_structured_output(Trip, include_raw=True)
    planned = structured.invoke([MARKED_HANDBOOK, HumanMessage(request)])
    show.keep(provider, "structured", planned["raw"])
    show.note("parsed", repr(planned["parsed"]), "bold green")

    follow_up = "Thank you. And what should I pack?"
    show.user(follow_up)
    final = agent.invoke([*messages, answer, HumanMessage(follow_up)])
    show.keep(provider, "second turn", final)
    show.note("model", final.text, "bold green")


def _streamed(show: Show, provider: str, model: ChatUnified, messages: list[BaseMessage]) -> BaseMessage:
    show.user(str(messages[-1].text))
    show.console.print(Text("model    ", style="bold green"), end="")
    chunks = []
    for chunk in model.stream(messages):
        show.console.print(Text(str(chunk.text)), end="")
        chunks.append(chunk)
    show.console.print()
    message = chunks[0] + chunks[1:]
    show.keep(provider, "stream", message)
    return message


def fallback(show: Show, models: dict[str, ChatUnified], server: Emulator | None) -> None:
    """Claude is overloaded, and the same call goes to OpenAI. Live, nothing is injected: Claude just answers."""
    show.console.rule("[bold]Fallback")
    first, second = models["anthropic"], models["openai"]
    if server is not None:
        from langchain_unified.testing import Fault

        server.fail_next(Fault.overloaded())
        show.note("emulator", "answers Claude's next request with 529 overloaded", "bold red")
    question = "Are you there?"
    show.user(question)
    chain = first.with_fallbacks([second], exceptions_to_handle=(OverloadedError,))
    message = chain.invoke([MARKED_HANDBOOK, HumanMessage(question)])
    answered = str(message.response_metadata["model_provider"])
    show.keep(answered, "fallback", message)
    show.note("model", f"{message.text}  (answered by {answered})", "bold green")


def _scripted(request: Request) -> Any:
    from langchain_unified.testing.emulation.assistant import answer

    last = request.turns[-1]
    question = "".join(block.get("text", "") for block in last.blocks)
    return SAID.get(question) or answer(request)


@contextmanager
def _models(live: bool) -> Iterator[tuple[dict[str, ChatUnified], Emulator | None]]:
    if live:
        yield {name: ChatUnified(model) for name, model in MODELS.items()}, None
        return
    from langchain_unified.testing import emulator

    with emulator(_scripted) as server:
        urls = {"anthropic": server.anthropic_url, "openai": server.openai_url}
        yield (
            {
                name: ChatUnified(model, api_key="emulator", base_url=urls[name], max_retries=0)
                for name, model in MODELS.items()
            },
            server,
        )


def run(console: Console, *, live: bool = False) -> None:
    """The whole demo. Raises our errors, `MissingKeyError` for one, when `live` and something is wrong."""
    text = (
        "The real providers answer: this uses your keys and costs a few cents."
        if live
        else "No keys, no network: an emulator on this machine answers for both providers. It speaks their protocols "
        "and keeps their rules and their prompt caches; its sentences are made up. `langchain-unified demo --live` "
        "asks the real ones."
    )
    console.print(Panel(text, title="langchain_unified", border_style="yellow"))
    show = Show(console)
    with _models(live) as (models, server):
        for provider, model in models.items():
            conversation(show, provider, model)
        fallback(show, models, server)
    console.print(show.table())
    if not live:
        console.print(Text("Answered by the emulator, not by Anthropic or OpenAI.", style="yellow"))

"""`python -m benchmarks.bench_speed`: CPU time per call, ours beside LangChain's partner packages and the bare SDKs.

No network: every client gets the same `httpx2.MockTransport`. Runs are interleaved, figures are medians of CPU time,
and what counts is the ratio within one run.
"""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeAlias

import anthropic
import httpx2
import langchain_anthropic
import langchain_openai
import openai
import orjson
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_core.tools import StructuredTool
from pydantic import BaseModel

from langchain_unified import ChatAnthropic, ChatOpenAI
from langchain_unified.testing.emulation.delivery import frames
from langchain_unified.wires import anthropic_messages, openai_chat, openai_responses
from langchain_unified.wires._completion import Completion, Tokens

ROUNDS, SECONDS = 15, 0.04
"""How many times each contender runs, and how long at least each time."""

WORDS = " ".join(f"word{n}" for n in range(400))
SAID = Completion("id_1", "model", ({"type": "text", "text": WORDS},), tokens=Tokens(uncached=900, output=400))
SERVERS: Mapping[str, Any] = {
    "/v1/messages": ("anthropic_messages", anthropic_messages),
    "/v1/chat/completions": ("openai_chat", openai_chat),
    "/v1/responses": ("openai_responses", openai_responses),
}


def rendered() -> dict[tuple[str, bool], bytes]:
    """What is answered, by path and whether it is a stream."""
    import importlib

    answers = {}
    for path, (name, _) in SERVERS.items():
        serve = importlib.import_module(f"langchain_unified.wires.{name}.serve")
        body = {"model": "model", "stream_options": {"include_usage": True}}
        answers[path, False] = orjson.dumps(serve.render_reply(SAID, body))
        answers[path, True] = b"".join(frame.data for frame in frames(name, list(serve.render_events(SAID, body))))
    return answers


ANSWERS = rendered()


def answer(request: httpx2.Request) -> httpx2.Response:
    stream = b'"stream":true' in request.content.replace(b" ", b"")
    kind = "text/event-stream" if stream else "application/json"
    return httpx2.Response(200, content=ANSWERS[request.url.path, stream], headers={"content-type": kind})


CLIENT = httpx2.Client(transport=httpx2.MockTransport(answer))
KEY = "not-a-key"


# --- what is measured -------------------------------------------------------------------------------------------------


class Arguments(BaseModel):
    """What each tool takes."""

    query: str
    limit: int = 10
    tags: list[str] = []


FIELDS = {f"field_{n}": {"type": "string", "description": "A field."} for n in range(6)}
SCHEMA = {"type": "object", "properties": FIELDS}
ABOUT = "Looks something up. " * 8
TOOLS = [
    {"type": "function", "function": {"name": f"tool_{n}", "description": ABOUT, "parameters": SCHEMA}}
    for n in range(20)
]
MADE = [
    StructuredTool.from_function(lambda **_: "", name=f"tool_{n}", description=ABOUT, args_schema=Arguments)
    for n in range(20)
]
SHORT = [HumanMessage("Hello")]
LONG = [SystemMessage("Be brief. " * 40)] + [
    message for n in range(30) for message in (HumanMessage(f"question {n} " * 10), AIMessage(f"answer {n} " * 10))
] + [HumanMessage("And now?")]  # fmt: skip

Run: TypeAlias = Callable[[], Any]


@dataclass(frozen=True)
class Case:
    """One thing to do, by contender; ours first."""

    name: str
    contenders: Mapping[str, Run]
    medians: dict[str, float] = field(default_factory=dict)


def partner_anthropic() -> Any:
    model = langchain_anthropic.ChatAnthropic(model="claude-sonnet-4-6", api_key=KEY)
    model.__dict__["_client"] = anthropic.Anthropic(api_key=KEY, http_client=CLIENT, timeout=600)
    return model


def models() -> dict[str, tuple[Any, Any, Any]]:
    """By API: our model, the partner's, and the SDK's typed stream."""
    claude, gpt = anthropic.Anthropic(api_key=KEY, http_client=CLIENT), openai.OpenAI(api_key=KEY, http_client=CLIENT)
    said = [{"role": "user", "content": "Hello"}]
    given: dict[str, Any] = {"api_key": KEY, "http_client": CLIENT}

    def messages() -> Any:
        return claude.messages.create(model="claude-sonnet-4-6", max_tokens=64, messages=said, stream=True)

    def chat() -> Any:
        return gpt.chat.completions.create(
            model="gpt-4o", messages=said, stream=True, stream_options={"include_usage": True}
        )

    def responses() -> Any:
        return gpt.responses.create(model="gpt-4o", input=said, stream=True)

    both = [
        (ours(model="gpt-4o", use_responses_api=by, **given), theirs(model="gpt-4o", use_responses_api=by, **given))
        for by in (False, True)
        for ours, theirs in [(ChatOpenAI, langchain_openai.ChatOpenAI)]
    ]
    return {
        "Messages": (ChatAnthropic(model="claude-sonnet-4-6", **given), partner_anthropic(), messages),
        "Chat": (*both[0], chat),
        "Responses": (*both[1], responses),
    }


def consume(stream: Any) -> None:
    for _ in stream:
        pass


def cases() -> list[Case]:
    found = []
    for api, (ours, theirs, typed) in models().items():
        bound = [model.bind_tools(TOOLS) for model in (ours, theirs)]
        found += [
            pair(f"{api}: invoke, 1 message", [ours, theirs], lambda model: model.invoke(SHORT)),
            pair(f"{api}: invoke, 62 messages", [ours, theirs], lambda model: model.invoke(LONG)),
            pair(f"{api}: invoke, 62 messages, 20 tools", bound, lambda model: model.invoke(LONG)),
            pair(f"{api}: bind 20 dicts", [ours, theirs], lambda model: model.bind_tools(TOOLS)),
            pair(f"{api}: bind 20 LangChain tools", [ours, theirs], lambda model: model.bind_tools(MADE)),
            pair(f"{api}: stream of 400 words", [ours, theirs], lambda model: consume(model.stream(SHORT))),
        ]
        found[-1].contenders["SDK, typed events"] = lambda typed=typed: consume(typed())  # type: ignore[index]
    return found


def pair(name: str, contenders: list[Any], run: Callable[[Any], Any]) -> Case:
    ours, theirs = contenders
    return Case(name, {"ours": lambda: run(ours), "partner package": lambda: run(theirs)})


# --- measuring --------------------------------------------------------------------------------------------------------


def measure(case: Case) -> None:
    """The medians of a case, in microseconds of CPU per run."""
    counts = {name: repeats(run) for name, run in case.contenders.items()}
    times: dict[str, list[float]] = {name: [] for name in case.contenders}
    for _ in range(ROUNDS):
        for name, run in case.contenders.items():
            times[name].append(timed(run, counts[name]))
    case.medians.update({name: statistics.median(each) * 1e6 for name, each in times.items()})


def repeats(run: Run) -> int:
    run()
    return max(1, round(SECONDS / max(timed(run, 2), 1e-6)))


def timed(run: Run, count: int) -> float:
    start = time.process_time()
    for _ in range(count):
        run()
    return (time.process_time() - start) / count


STARTS: Mapping[str, str] = {
    "ours": "from langchain_unified import ChatOpenAI; ChatOpenAI(model='gpt-4o', api_key='x')",
    "partner package": "from langchain_openai import ChatOpenAI; ChatOpenAI(model='gpt-4o', api_key='x')",
}


def starts() -> Case:
    """CPU time of a fresh interpreter that builds a model, that of LangChain core left out."""
    bare = min(started("from langchain_core.language_models.chat_models import BaseChatModel") for _ in range(3))
    times: dict[str, list[float]] = {name: [] for name in STARTS}
    for _ in range(5):
        for name, program in STARTS.items():
            times[name].append(started(program) - bare)
    medians = {name: statistics.median(each) * 1e6 for name, each in times.items()}
    return Case("import and build, over LangChain core's own import", {}, medians)


def started(program: str) -> float:
    before = os.times()
    subprocess.run([sys.executable, "-c", program], check=True)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def main(arguments: list[str]) -> None:
    """Measure, print, and write the page if asked."""
    print(HEAD)
    print(f"{'':50}{'ours':>12}{'partner':>12}{'ratio':>8}{'SDK typed':>12}{'ratio':>8}")
    measured = []
    for case in cases():
        measure(case)
        measured.append(case)
        print(line(case))
    measured.append(starts())
    print(line(measured[-1]))
    if "--write" in arguments:
        PAGE.write_text(page(measured), encoding="utf-8")


HEAD = f"CPU time, medians of {ROUNDS} interleaved runs; Python {platform.python_version()}, {os.cpu_count()} cores"
PAGE = Path(__file__).parent.parent / "docs" / "bench_speed.md"
PEERS = ("partner package", "SDK, typed events")


def line(case: Case) -> str:
    ours, *peers = figures(case)
    return f"{case.name:50}{ours:>9.0f} µs" + "".join(f"{peer:>9.0f} µs{peer / ours:>7.1f}x" for peer in peers)


def figures(case: Case) -> list[float]:
    """Ours first, then the peers that the case has."""
    return [case.medians[name] for name in ("ours", *PEERS) if name in case.medians]


def page(measured: list[Case]) -> str:
    """`docs/bench_speed.md`."""
    rows = []
    for case in measured:
        ours, *peers = (f"{figure:,.0f}" for figure in figures(case))
        ratios = [f"{peer / figures(case)[0]:.1f}" for peer in figures(case)[1:]]
        cells = [cell for pair in zip(peers, ratios, strict=True) for cell in pair]
        rows.append(f"| {' | '.join([case.name, ours, *cells, *[''] * (4 - len(cells))])} |")
    return INTRODUCTION.format(date=date.today(), versions=versions()) + "\n".join(rows) + "\n"  # noqa: DTZ011


def versions() -> str:
    names = ("langchain-core", "langchain-anthropic", "langchain-openai", "anthropic", "openai", "httpx2")
    return ", ".join(f"{name} {version(name)}" for name in names)


INTRODUCTION = """# What a call costs on this side

CPU time per call in microseconds, ours beside LangChain's partner packages and, for streams, the SDKs' typed clients
alone. Every client gets the same fake transport, so that nothing but code is measured; runs are interleaved, figures
are medians, and what counts is the ratio (above 1: the other takes longer). "62 messages" are a conversation of 30
turns; "bind" is what an agent does before each call.

Written by `make bench ARGS=--write` on {date}, with {versions}.

| | ours | partner package | ratio | SDK, typed events | ratio |
| :-- | --: | --: | --: | --: | --: |
"""


if __name__ == "__main__":
    main(sys.argv[1:])

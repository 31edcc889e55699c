"""`python -m benchmarks.call_path`: how much code a call runs, ours beside LangChain's partner packages.

Counted are the functions of one package alone: how many different ones run, in how many files, how often they are
called, and how often a call leads to another file than the one before. A comprehension does not count as a function.
No network and no time: the figures are the same on every machine.
"""

from __future__ import annotations

import functools
import json
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, NamedTuple, TypeAlias

import anthropic
import httpx2
import langchain_anthropic
import langchain_openai
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

import langchain_unified
from benchmarks.speed_jobs import tool_dicts
from benchmarks.speed_peers import KEY, MODELS
from benchmarks.speed_shapes import PATHS, STREAMED, WHOLE, words
from langchain_unified import ChatAnthropic, ChatOpenAI

WARM_UP = 3
"""Runs before the one that is counted: the first imports an SDK and builds a client."""

COMPREHENSIONS = frozenset({"<genexpr>", "<listcomp>", "<dictcomp>", "<setcomp>"})

Run: TypeAlias = Callable[[], Any]


class Step(NamedTuple):
    """A call of a function."""

    file: str
    function: str
    line: int


@dataclass(frozen=True)
class CallPath:
    """The calls of one run, in order."""

    steps: tuple[Step, ...]

    @property
    def functions(self) -> int:
        return len(set(self.steps))

    @property
    def files(self) -> int:
        return len({step.file for step in self.steps})

    @property
    def calls(self) -> int:
        return len(self.steps)

    @property
    def calls_per_event(self) -> int:
        """The calls that a stream of `EVENTS` events makes for each of them."""
        return sum(count // EVENTS for count in Counter(self.steps).values())

    @property
    def moves(self) -> int:
        """How often a call is of a function in another file than the call before."""
        return sum(one.file != other.file for one, other in zip(self.steps, self.steps[1:], strict=False))


def call_path(run: Run, root: Path) -> CallPath:
    """What one run calls of the code under `root`. A generator that is resumed counts as called."""
    for _ in range(WARM_UP):
        run()
    steps: list[Step] = []
    known: dict[CodeType, Step | None] = {}

    def profile(frame: FrameType, event: str, _: object) -> None:
        if event != "call":
            return
        code = frame.f_code
        if code not in known:
            inside = code.co_filename.startswith(f"{root}/") and code.co_name not in COMPREHENSIONS
            file = code.co_filename.removeprefix(f"{root}/")
            known[code] = Step(file, code.co_qualname, code.co_firstlineno) if inside else None
        step = known[code]
        if step is not None:
            steps.append(step)

    sys.setprofile(profile)
    try:
        run()
    finally:
        sys.setprofile(None)
    return CallPath(tuple(steps))


# --- what is counted --------------------------------------------------------------------------------------------------

OURS = Path(langchain_unified.__file__).parent
PARTNERS: Mapping[str, Path] = {
    "Messages": Path(langchain_anthropic.__file__).parent,
    "Chat": Path(langchain_openai.__file__).parent,
    "Responses": Path(langchain_openai.__file__).parent,
}

EVENTS = 400
"""Pieces of text in the stream. Each is one event."""


def answer(request: httpx2.Request) -> httpx2.Response:
    api = next(api for api, path in PATHS.items() if request.url.path == path)
    if json.loads(request.content).get("stream"):
        return httpx2.Response(200, content=b"".join(STREAMED[api](words(EVENTS), False)), headers=EVENT_STREAM)
    return httpx2.Response(200, json=WHOLE[api]("Hello!"))


EVENT_STREAM = {"content-type": "text/event-stream"}


def models() -> dict[str, tuple[Any, Any]]:
    """By API our model and the partner's, on a fake transport."""
    client = httpx2.Client(transport=httpx2.MockTransport(answer))
    given: dict[str, Any] = {"api_key": KEY, "http_client": client}
    claude = langchain_anthropic.ChatAnthropic(model=MODELS["Messages"], api_key=KEY)
    claude.__dict__["_client"] = anthropic.Anthropic(api_key=KEY, http_client=client, timeout=600)
    found: dict[str, tuple[Any, Any]] = {"Messages": (ChatAnthropic(model=MODELS["Messages"], **given), claude)}
    for api in ("Chat", "Responses"):
        more = {**given, "model": MODELS[api], "use_responses_api": api == "Responses"}
        found[api] = (ChatOpenAI(**more), langchain_openai.ChatOpenAI(**more))
    return found


LOOKED_UP: list[BaseMessage] = [
    HumanMessage("Look it up."),
    AIMessage("", tool_calls=[{"name": "tool_1", "args": {"field_1": "x"}, "id": "call_1", "type": "tool_call"}]),
    ToolMessage("Found.", tool_call_id="call_1"),
]


def runs(model: Any) -> dict[str, Run]:
    """What a model does, by name."""
    return {
        'invoke("hi")': lambda: model.invoke("hi"),
        "invoke, 2 tools, a call and its result": functools.partial(model.bind_tools(tool_dicts(2)).invoke, LOOKED_UP),
        f"stream of {EVENTS} events": lambda: list(model.stream("hi")),
    }


def main() -> None:
    print(f"{'':54}{'functions':>10}{'files':>7}{'calls':>7}{'moves':>7}{'per event':>11}")
    for api, (ours, theirs) in models().items():
        for (name, run), (_, their_run) in zip(runs(ours).items(), runs(theirs).items(), strict=True):
            print(line(f"{api}: {name}", call_path(run, OURS)))
            print(line(f"    {PARTNERS[api].name}", call_path(their_run, PARTNERS[api])))


def line(name: str, path: CallPath) -> str:
    per_event = path.calls_per_event or ""
    return f"{name:54}{path.functions:>10}{path.files:>7}{path.calls:>7}{path.moves:>7}{per_event:>11}"


if __name__ == "__main__":
    main()

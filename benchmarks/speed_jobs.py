"""The jobs of `make bench` that run in one process, with what each is to reach."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from langchain_core.tools import BaseTool, StructuredTool
from pydantic import BaseModel

from benchmarks.speed_measure import Job
from benchmarks.speed_peers import PROMPT, Peers, peers
from benchmarks.speed_shapes import PATHS, arguments, record

PIECES = 1_000
STREAMS = 20
CALLS = 50


class Arguments(BaseModel):
    """What each tool takes."""

    query: str
    limit: int = 10
    tags: list[str] = []


FIELDS = {f"field_{n}": {"type": "string", "description": "A field."} for n in range(6)}
SCHEMA = {"type": "object", "properties": FIELDS}
ABOUT = "Looks something up. " * 8
SHORT: list[BaseMessage] = [HumanMessage(PROMPT)]
ROW = {
    "name": {"type": "string"},
    "price": {"type": "number"},
    "in_stock": {"type": "boolean"},
    "note": {"type": "string"},
}
REPORT = {
    "title": "report",
    "description": "A report.",
    "type": "object",
    "properties": {
        "title": {"type": "string"},
        "rows": {
            "type": "array",
            "items": {"type": "object", "properties": ROW, "required": list(ROW), "additionalProperties": False},
        },
        "summary": {"type": "string"},
    },
    "required": ["title", "rows", "summary"],
    "additionalProperties": False,
}


class Item(BaseModel):
    """A row of a report."""

    name: str
    price: float
    in_stock: bool
    note: str


class Report(BaseModel):
    """A report."""

    title: str
    rows: list[Item]
    summary: str


def tool_dicts(count: int = 20) -> list[dict[str, Any]]:
    """Tools as dicts, made anew."""
    return [
        {"type": "function", "function": {"name": f"tool_{n}", "description": ABOUT, "parameters": SCHEMA}}
        for n in range(count)
    ]


def langchain_tools(count: int = 20) -> list[BaseTool]:
    """LangChain tools, made anew."""
    return [
        StructuredTool.from_function(lambda **_: "", name=f"tool_{n}", description=ABOUT, args_schema=Arguments)
        for n in range(count)
    ]


def history(turns: int) -> list[BaseMessage]:
    """A conversation of so many turns: twice as many messages, and the system's."""
    said = [(HumanMessage(f"question {n} " * 10), AIMessage(f"answer {n} " * 10)) for n in range(turns)]
    return [SystemMessage("Be brief. " * 40), *(message for turn in said for message in turn)]


def consume(stream: Iterable[Any]) -> None:
    for _ in stream:
        pass


async def aconsume(stream: AsyncIterator[Any]) -> None:
    async for _ in stream:
        pass


def at_once(run: Callable[[], Awaitable[Any]], count: int) -> Callable[[], Awaitable[Any]]:
    async def runs() -> None:
        await asyncio.gather(*(run() for _ in range(count)))

    return runs


# --- the jobs ---------------------------------------------------------------------------------------------------------

SHARE_OF_PARTNER = {"Messages": (0.75, 0.45), "Chat": (0.65, 0.22), "Responses": (0.45, 0.20)}
"""What a short call and a chunk are to cost, as a share of the partner package's."""


def invokes(address: str, api: str) -> Iterator[Job]:
    p = peers(api, address, "words-1")
    bound = {name: model.bind_tools(tool_dicts()) for name, model in (("ours", p.ours), ("partner", p.partner))}
    long = history(200)
    call, _ = SHARE_OF_PARTNER[api]
    runs = {name: (lambda model=model: model.invoke(SHORT)) for name, model in three(p).items()}
    yield Job("short invoke", api, "µs", {**runs, "sdk": p.sdk}, {"sdk": 0.90, "partner": call})
    models = {**bound, "core": p.core}
    runs = {name: (lambda model=model: model.invoke(long)) for name, model in models.items()}
    yield Job("401 messages, 20 tools", api, "µs", runs, {"core": 5.0})
    runs = {name: at_once(lambda model=model: model.ainvoke(SHORT), CALLS) for name, model in three(p).items()}
    runs["sdk"] = at_once(p.async_sdk, CALLS)
    name = f"{CALLS} async invokes at once, each"
    yield Job(name, api, "µs", runs, {"sdk": 0.90}, per=CALLS)
    runs |= {"ours": at_once(lambda: p.aiohttp.ainvoke(SHORT), CALLS)}
    yield Job(f"{name}, with aiohttp", api, "µs", runs, {"sdk": 0.60}, per=CALLS)
    runs = {"ours": lambda: p.ours.invoke(history(1500)), "small": lambda: p.ours.invoke(history(100))}
    growth = {"ours": 3001, "small": 201}
    yield Job(
        "history of 3,001 messages, each (beside 201)", api, "µs", runs, {"small": 1.15}, per_peer=growth, quick=False
    )


def three(p: Peers) -> dict[str, Any]:
    return {"ours": p.ours, "partner": p.partner, "core": p.core}


def binds(address: str, api: str) -> Iterator[Job]:
    p = peers(api, address, "words-1")
    models = {"ours": p.ours, "partner": p.partner}
    for kind, make in (("dicts", tool_dicts), ("LangChain tools", langchain_tools)):
        made = make()
        runs = {name: (lambda model=model, made=made: model.bind_tools(made)) for name, model in models.items()}
        yield Job(f"bind 20 {kind} again", api, "µs", runs, {"partner": 1.0})
        fresh = {name: (lambda model=model, make=make: model.bind_tools(make())) for name, model in models.items()}
        yield Job(f"make and bind 20 {kind}", api, "µs", fresh, quick=False)


def streams(address: str, api: str) -> Iterator[Job]:
    p = peers(api, address, f"words-{PIECES}")
    _, chunk = SHARE_OF_PARTNER[api]
    models = three(p)
    runs = {name: (lambda model=model: consume(model.stream(SHORT))) for name, model in models.items()}
    runs["sdk"] = lambda: consume(p.sdk(stream=True))
    yield Job(f"one chunk of {PIECES:,}", api, "µs", runs, {"core": 1.4, "partner": chunk}, per=PIECES)
    few = three(peers(api, address, "words-200"))
    runs = {name: at_once(lambda model=model: aconsume(model.astream(SHORT)), STREAMS) for name, model in few.items()}
    yield Job(f"async chunk, {STREAMS} streams", api, "µs", runs, {"core": 1.5}, per=200 * STREAMS, quick=False)
    runs = {name: (lambda model=model: events(model)) for name, model in models.items()}
    yield Job(f"v3 events, a chunk of {PIECES:,}", api, "µs", runs, per=PIECES, quick=False)
    one = peers(api, address, "words-1")
    runs = {name: (lambda model=model: consume(model.stream(SHORT))) for name, model in three(one).items()}
    runs["sdk"] = lambda: consume(one.sdk(stream=True))
    yield Job("a stream of one chunk: the time to the first", api, "µs", runs, quick=False)
    alone = peers(api, address, "paced-100")
    runs = {name: (lambda model=model: consume(model.stream(SHORT))) for name, model in three(alone).items()}
    runs["sdk"] = lambda: consume(alone.sdk(stream=True))
    yield Job("one chunk, each in a packet of its own", api, "µs", runs, per=100, rounds=5, quick=False)
    yield from calls(address, api)


def events(model: Any) -> None:
    stream = model.stream_events(SHORT, version="v3")
    consume(stream)


def calls(address: str, api: str) -> Iterator[Job]:
    """Streams of one call with large arguments, in pieces of ten characters."""
    small, large = peers(api, address, "call-4"), peers(api, address, "call-64")
    runs = {
        "ours": lambda: consume(large.ours.stream(SHORT)),
        "core": lambda: consume(large.core.stream(SHORT)),
        "small": lambda: consume(small.ours.stream(SHORT)),
    }
    sizes = {"ours": len(arguments(64)) // 10, "core": len(arguments(64)) // 10, "small": len(arguments(4)) // 10}
    name = "a call's chunk, 64 KB of arguments (beside 4)"
    yield Job(name, api, "µs", runs, {"small": 1.25}, per_peer=sizes, quick=False)


def structured(address: str, api: str) -> Iterator[Job]:
    """Streamed answers of a schema: 7 KB, then how the cost grows to 28 KB."""
    seven, small, large = (peers(api, address, f"record-{size}") for size in (4, 2, 16))
    for kind, schema in (("dict", REPORT), ("class", Report)):

        def run(model: Any, schema: Any = schema) -> Callable[[], None]:
            asked = model.with_structured_output(schema, method="json_schema")
            return lambda: consume(asked.stream(PROMPT))

        runs = {"ours": run(seven.ours), "partner": run(seven.partner)}
        yield Job(f"streamed {kind} of {len(record(4)) / 1000:.0f} KB", api, "µs", runs, quick=False)
        runs = {"ours": run(large.ours), "small": run(small.ours)}
        sizes = {"ours": len(record(16)) // 10, "small": len(record(2)) // 10}
        name = f"a chunk of a streamed {kind}, {sizes['ours'] // 100} KB (beside {sizes['small'] // 100})"
        yield Job(name, api, "µs", runs, {"small": 1.25}, per_peer=sizes, quick=False)


def crowds(address: str, api: str) -> Iterator[Job]:
    """Many at once: the long jobs."""
    p = peers(api, address, "words-20")
    runs = {
        name: at_once(lambda model=model: aconsume(model.astream(SHORT)), 1_000) for name, model in three(p).items()
    }
    yield Job("1,000 streams of 20 chunks at once, a chunk", api, "µs", runs, per=20_000, rounds=1, quick=False)
    config = {"max_concurrency": 100}
    runs = {name: (lambda model=model: model.abatch([PROMPT] * 20_000, config)) for name, model in three(p).items()}
    yield Job("abatch of 20,000, a call", api, "µs", runs, per=20_000, rounds=1, quick=False)


def all_jobs(address: str) -> Iterator[Job]:
    """The jobs, one after the other."""
    for group in (invokes, streams, binds, structured, crowds):
        for api in PATHS:
            yield from group(address, api)

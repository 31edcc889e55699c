"""Generated requests and completions that the Messages API expresses without a loss, to test its server side.

What the API has no field for (a name, a developer turn, a seed) is not generated: it cannot be read back.
"""

from __future__ import annotations

import itertools
from typing import Any

from hypothesis import assume
from hypothesis import strategies as st

from langchain_unified.request import Mark, OutputFormat, Params, Profile, Request, ToolChoice, ToolSpec, Turn
from langchain_unified.wires._completion import Completion, Tokens
from tests.support.strategies import CHARACTERS, NAME, REASONS, block, distinct, json_values, optional

TEXT = st.text(CHARACTERS, min_size=1, max_size=12).filter(str.strip)
JSON = json_values(TEXT)
OBJECT = st.dictionaries(TEXT, JSON, max_size=3)
CLOSED = st.lists(NAME, max_size=2).map(
    lambda names: {
        "type": "object",
        "properties": {name: {"type": "string"} for name in names},
        "additionalProperties": False,
    }
)
OPEN = OBJECT.map(lambda more: {"type": "object", "properties": {}, "x": more})


def native(**value: Any) -> st.SearchStrategy[Any]:
    return st.just({"type": "native", "value": value})


# --- citations --------------------------------------------------------------------------------------------------------

INDEX = st.integers(0, 99)
WEB_NOTE = st.fixed_dictionaries(
    {"type": st.just("citation"), "cited_text": TEXT, "url": TEXT, "extras": st.just({"encrypted_index": "Eo8"})},
    optional={"title": TEXT},
)
PLACE_KEYS = (
    ("document_index", "start_char_index", "end_char_index"),
    ("document_index", "start_page_number", "end_page_number"),
    ("document_index", "start_block_index", "end_block_index"),
    ("source", "search_result_index", "start_block_index", "end_block_index"),
)
PLACES = st.one_of(
    [st.fixed_dictionaries({key: TEXT if key == "source" else INDEX for key in keys}) for keys in PLACE_KEYS]
)
DOCUMENT_NOTE = st.fixed_dictionaries(
    {"type": st.just("citation"), "cited_text": TEXT, "extras": PLACES}, optional={"title": TEXT}
)
OTHER_NOTE = st.just({"type": "non_standard_annotation", "value": {"type": "hunch", "file_id": None}})
NOTES = st.lists(st.one_of(WEB_NOTE, DOCUMENT_NOTE, OTHER_NOTE), min_size=1, max_size=2)

# --- blocks -----------------------------------------------------------------------------------------------------------

MARK = st.sampled_from([Mark(), Mark(ttl="5m"), Mark(ttl="1h")])
DATA = st.sampled_from(["UklGRg==", "AA==", ""])
ABOUT = {"title": TEXT, "context": TEXT, "citations": st.sampled_from([{"enabled": True}, {"enabled": False}])}
URL = st.just("https://example.com/a")

TEXT_BLOCK = block("text", {"text": TEXT})
IMAGE = block(
    "image",
    {"url": URL},
    {"base64": DATA, "mime_type": st.sampled_from(["image/png", "image/jpeg"])},
    {"file_id": NAME},
)
FILE = block(
    "file",
    {"url": URL},
    {"base64": DATA, "mime_type": st.just("application/pdf")},
    {"file_id": NAME},
    {"content": st.lists(TEXT_BLOCK, min_size=1, max_size=2)},
    **ABOUT,
)
PLAIN = block("text-plain", {"text": TEXT}, **ABOUT)
FOUND = block("search_result", {"source": TEXT, "title": TEXT, "content": st.lists(TEXT_BLOCK, max_size=2)})
UPLOAD = native(type="container_upload", file_id="file_1")
INPUT = st.one_of(TEXT_BLOCK, IMAGE, FILE, PLAIN, FOUND, UPLOAD)

THOUGHT = block(
    "reasoning", {"reasoning": st.text(CHARACTERS, max_size=9), "extras": st.fixed_dictionaries({"signature": NAME})}
)
CALL = block(
    "tool_call",
    {"id": NAME, "name": NAME, "args": OBJECT},
    extras=st.sampled_from(
        [{"caller": {"type": "code_execution_20260521", "tool_id": "srv_1"}}, {"toolset_name": "computer_toolset"}]
    ),
)
SEARCH = native(type="server_tool_use", id="srvtoolu_1", name="web_search", input={"query": "q"})
SEARCHED = native(type="web_search_tool_result", tool_use_id="srvtoolu_1", content=[], caller={"type": "direct"})
SEALED = native(type="redacted_thinking", data="Eqk")
CITED = st.builds(lambda said, notes: {**said, "annotations": notes}, TEXT_BLOCK, NOTES)
ANSWERED = st.one_of(TEXT_BLOCK, CITED, CALL)


def marked(blocks: list[Any], mark: Mark | None) -> tuple[Any, ...]:
    """The blocks, the last one with the mark where it can carry it."""
    if not blocks or mark is None or blocks[-1].get("value", {}).get("type") == "redacted_thinking":
        return tuple(blocks)
    return (*blocks[:-1], {**blocks[-1], "mark": mark}) if blocks[-1]["type"] != "reasoning" else tuple(blocks)


MAYBE_MARK = st.none() | st.none() | MARK


def content(strategy: st.SearchStrategy[Any], least: int = 1) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.builds(marked, st.lists(strategy, min_size=least, max_size=3), MAYBE_MARK)


# A search goes back with its result, and the API refuses a message that ends in thinking.
ANSWER_PARTS = st.tuples(
    st.lists(st.one_of(THOUGHT, SEALED, ANSWERED), max_size=2),
    st.just([]) | st.tuples(SEARCH, SEARCHED).map(list),
    st.lists(ANSWERED, min_size=1, max_size=1),
).map(lambda lists: [found for blocks in lists for found in blocks])


# --- turns ------------------------------------------------------------------------------------------------------------

USER = st.builds(Turn, st.just("user"), content(INPUT))
SYSTEM = st.builds(Turn, st.just("system"), content(TEXT_BLOCK))
CHANGE = st.builds(
    Turn, st.just("system"), content(native(type="tool_addition", tool={"type": "tool_reference", "name": "f"}))
)
ASSISTANT = st.builds(
    Turn, st.just("assistant"), st.builds(marked, ANSWER_PARTS, MAYBE_MARK), origin=st.just("anthropic_messages")
)
RESULT = st.builds(
    Turn,
    st.just("tool"),
    content(st.one_of(TEXT_BLOCK, IMAGE, FILE, PLAIN, FOUND, native(type="tool_reference", tool_name="f")), least=0),
    tool_call_id=NAME,
    is_error=st.booleans(),
).filter(lambda turn: bool(turn.blocks) or not turn.is_error)  # the API takes no error without words


def apart(turns: list[Turn]) -> bool:
    """Turns that the API would keep apart: no two of one role in a row, but for tool results."""
    return all(left.role != right.role or left.role == "tool" for left, right in itertools.pairwise(turns))


@st.composite
def conversations(draw: st.DrawFn) -> tuple[Turn, ...]:
    leading = draw(st.lists(SYSTEM, max_size=1))
    middle = draw(st.lists(st.one_of(USER, ASSISTANT, RESULT), max_size=4))
    rest = [draw(USER), *middle, draw(ASSISTANT), draw(USER)]
    kept = [turn for before, turn in zip([None, *rest], rest, strict=False) if before is None or apart([before, turn])]
    for at in reversed(range(len(kept))):
        # The API takes a later system message between a user message and an answer, or at the end.
        has_place = kept[at].role != "assistant" and (at + 1 == len(kept) or kept[at + 1].role == "assistant")
        if has_place and draw(st.booleans()):
            kept.insert(at + 1, draw(SYSTEM | CHANGE))
    return (*leading, *kept)


# --- tools ------------------------------------------------------------------------------------------------------------

OPTIONS = optional(
    defer_loading=st.booleans(),
    allowed_callers=st.just(["direct"]),
    input_examples=st.lists(OBJECT, max_size=1),
    eager_input_streaming=st.booleans(),
)


def function(strict: bool | None, schema: Any) -> st.SearchStrategy[ToolSpec]:
    fixed = {"description": st.none() | TEXT, "parameters": schema, "strict": st.just(strict)}
    return st.builds(ToolSpec, NAME, **fixed, options=OPTIONS, mark=st.none() | MARK)


OWN_TOOLS = st.sampled_from(
    [
        ToolSpec("web_search", "native", definition={"type": "web_search_20260318", "name": "web_search", "x": None}),
        ToolSpec("srv", "native", definition={"type": "mcp_toolset", "mcp_server_name": "srv"}, mark=Mark(ttl="1h")),
        ToolSpec("new", "native", definition={"name": "new", "input_schema": {}, "new_key": 1}),
    ]
)
TOOL = st.one_of(function(True, CLOSED), function(False, OPEN), function(None, OPEN), OWN_TOOLS)
TOOLS = st.lists(TOOL, max_size=3, unique_by=lambda spec: spec.name).map(tuple)
OWN_CHOICE = ToolChoice("tool", definition={"type": "oracle", "disable_parallel_tool_use": True})


@st.composite
def choices(draw: st.DrawFn, tools: tuple[ToolSpec, ...]) -> tuple[ToolChoice | None, dict[str, Any]]:
    """A choice, and the parameter for parallel calls: `auto` alone needs none, `none` and a native choice take none."""
    if not tools:
        return None, {}
    # A toolset has no name to force.
    names = [spec.name for spec in tools if spec.definition.get("type") != "mcp_toolset"]
    named = ToolChoice("tool", (draw(st.sampled_from(names)),)) if names else None
    alone = {"parallel_tool_calls": False}
    if draw(st.booleans()):
        return draw(st.sampled_from([None, ToolChoice("any"), named])), alone
    every = [None, ToolChoice("auto"), ToolChoice("any"), ToolChoice("none"), named, OWN_CHOICE]
    return draw(st.sampled_from(every)), {}


# --- requests ---------------------------------------------------------------------------------------------------------

PARAMS = st.fixed_dictionaries(
    {"max_tokens": st.integers(2000, 9999)},
    optional={
        "temperature": st.floats(0, 1),
        "top_p": st.floats(0, 1),
        "top_k": st.integers(1, 99),
        "stop": st.lists(TEXT, min_size=1, max_size=3, unique=True),
        "user": TEXT,
        "service_tier": st.sampled_from(["auto", "default", "fast"]),
        "reasoning_effort": st.sampled_from(["low", "high", "max"]),
        "thinking": st.sampled_from([{"type": "disabled"}, {"type": "adaptive"}, {"type": "between_tools"}]),
    },
)
BUDGET = {"type": "enabled", "budget_tokens": 1024, "display": "omitted"}
OUTPUT = st.none() | st.builds(OutputFormat, st.just("json_schema"), CLOSED)
NATIVE = optional(
    container=NAME | st.just({"id": "c", "skills": []}),
    context_management=st.just({"edits": [{"type": "clear_thinking_20251015"}]}),
    inference_geo=st.just("eu"),
    mcp_servers=st.just([{"type": "url", "name": "srv", "url": "https://example.com"}]),
    output_config=st.just({"task_budget": {"type": "tokens", "total": 9}}),
    fallbacks=st.just("default"),
    user_profile_id=NAME,
    workspace_id=NAME,
)
EXTRA = optional(seed=st.integers(1, 9), grammar=JSON, metadata=st.just({"user_id": "u", "team": "t"}))
BETAS = st.lists(st.sampled_from(["interleaved-thinking-2025-05-14", "mcp-client-2025-04-04", "new-2026-12-01"]),
                 unique=True).map(tuple)  # fmt: skip


@st.composite
def requests(draw: st.DrawFn) -> Request:
    """Requests that the API expresses without a loss."""
    tools = draw(TOOLS)
    choice, parallel = draw(choices(tools))
    params: dict[str, Any] = {**draw(PARAMS), **parallel}
    if choice is None and draw(st.booleans()):  # No call can be forced while Claude thinks within a budget.
        params["thinking"] = BUDGET
    effort = params.get("reasoning_effort")
    extra = draw(EXTRA)
    if "metadata" in extra:
        params.pop("user", None)
    turns = draw(conversations())
    found = Request(
        model=draw(NAME),
        turns=turns,
        params=Params(**params),
        tools=tools,
        tool_choice=choice,
        # No answer of a given form has citations.
        output=None if any("citations" in found for turn in turns for found in turn.blocks) else draw(OUTPUT),
        native=draw(NATIVE),
        extra_body=extra,
        betas=draw(BETAS),
        stream=draw(st.booleans()),
        profile=Profile(
            effort_levels=(effort,) if effort else (),
            # Where the caller sets `thinking`, an adaptive model would replace its budget by an effort.
            thinking="adaptive" if effort and "thinking" not in params else "none",
            system_in_messages=True,
        ),
    )
    assume(marks_of(found) <= 4)
    return found


def marks_of(request: Request) -> int:
    blocks = [found for turn in request.turns for found in turn.blocks]
    return sum("mark" in found for found in blocks) + sum(spec.mark is not None for spec in request.tools)


# --- answers ----------------------------------------------------------------------------------------------------------

COUNT = st.integers(0, 5000)
TOKENS = st.builds(Tokens, COUNT, COUNT, COUNT, COUNT, COUNT, COUNT)
ANSWER_TEXT = block("text", {"text": st.text(CHARACTERS, max_size=40)})
BROKEN = block(
    "invalid_tool_call",
    {"id": NAME, "name": NAME, "args": st.sampled_from(['{"a": "b', "[1]", "nonsense", '{"a": {"b": 1}', '"text"'])},
)
REFUSED = block("refusal", {"refusal": TEXT})
ANSWER = st.one_of(ANSWER_TEXT, CITED, THOUGHT, SEALED, CALL, BROKEN, REFUSED)
# A search without its result goes back as text.
ANSWERS = st.tuples(
    st.lists(ANSWER, max_size=4), st.just([]) | st.tuples(SEARCH, SEARCHED).map(list), st.lists(ANSWER, max_size=1)
).map(lambda lists: [found for blocks in lists for found in blocks])

COMPLETIONS = st.builds(
    Completion,
    id=NAME.map("msg_{}".format),
    model=NAME,
    blocks=ANSWERS.filter(distinct).map(tuple),
    finish_reason=st.sampled_from(REASONS),
    tokens=TOKENS,
    stop_sequence=st.none() | TEXT,
)

"""Generated requests and completions that the Responses API expresses without a loss, to test its server side.

What the API has no field for (a name, a stop sequence, an unset `strict`, two assistant turns in a row) is not
generated: it cannot be read back.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from langchain_unified.request import Mark, OutputFormat, Params, Request, ToolChoice, ToolSpec, Turn
from langchain_unified.wires._completion import Completion, Tokens
from tests.support.strategies import CHARACTERS, NAME, REASONS, block, distinct, json_values, optional

TEXT = st.text(CHARACTERS, min_size=1, max_size=12)
JSON = json_values(TEXT)
OBJECT = st.dictionaries(TEXT, JSON, max_size=3)
SCHEMA = st.lists(NAME, max_size=2).map(
    lambda names: {
        "type": "object",
        "properties": {name: {"type": "string"} for name in names},
        "required": sorted(set(names)),
        "additionalProperties": False,
    }
)
BROKEN = st.sampled_from(['{"a": "b', "[1]", "nonsense", '{"a": {"b": 1}', '"text"'])


# --- what the caller says ---------------------------------------------------------------------------------------------

MARK = st.sampled_from([Mark(), Mark(ttl="30m"), Mark(ttl="12h")])
DATA = st.sampled_from(["UklGRg==", "AA=="])

MARKED_TEXT = block("text", {"text": TEXT}, mark=MARK)
IMAGE = block(
    "image",
    {"url": st.sampled_from(["https://example.com/a.png", "http://[::1]/?a=b,c"])},
    {"base64": DATA, "mime_type": st.sampled_from(["image/png", "image/jpeg"])},
    {"file_id": NAME},
    detail=st.sampled_from(["low", "high", "original"]),
    mark=MARK,
)
FILE = block(
    "file",
    {"file_id": NAME},
    {"url": st.just("https://example.com/a.pdf")},
    {"base64": DATA, "mime_type": st.sampled_from(["application/pdf", "text/csv"]), "filename": TEXT},
    detail=st.sampled_from(["low", "high"]),
    mark=MARK,
)
OWN_PART = st.fixed_dictionaries(
    {"type": st.just("native"), "value": st.just({"type": "input_text", "text": "a", "flavour": [1, None]})},
    optional={"mark": MARK},
)
CONTENT = st.lists(st.one_of(MARKED_TEXT, IMAGE, FILE, OWN_PART), max_size=4).map(tuple)
TEXTS = st.lists(MARKED_TEXT, max_size=3).map(tuple)
ONE_TEXT = TEXT.map(lambda text: ({"type": "text", "text": text},))

MORE_TOOLS = {"type": "native", "value": {"type": "additional_tools", "role": "developer", "tools": []}}
APPROVED = {"type": "native", "value": {"type": "mcp_approval_response", "approval_request_id": "1", "approve": True}}
TOOL_SEARCH = {"type": "native", "value": {"type": "tool_search_call", "call_id": "search_1", "execution": "client"}}
SEARCHED = {"type": "native", "value": {"type": "tool_search_output", "call_id": "search_1", "tools": []}}

# --- assistant blocks -------------------------------------------------------------------------------------------------

PHASE = st.sampled_from(["commentary", "final_answer"])
CITATION = st.one_of(
    st.fixed_dictionaries(
        {
            "type": st.just("citation"),
            "url": st.just("https://example.com"),
            "title": TEXT,
            "start_index": st.integers(0, 3),
            "end_index": st.integers(4, 9),
        }
    ),
    st.just({"type": "citation", "title": "a.txt", "extras": {"file_id": "file-1", "file_index": 3}}),
    st.just({"type": "non_standard_annotation", "value": {"type": "file_path", "file_id": "file-1"}}),
)
CITATIONS = st.lists(CITATION, min_size=1, max_size=2)

# The ids of the API's own items: each is made unique where it stands.
ID = st.just("?")
BARE_TEXT = block("text", {"text": TEXT}, phase=PHASE)
OWN_TEXT = block("text", {"text": TEXT, "id": ID}, phase=PHASE, annotations=CITATIONS, status=st.just("incomplete"))
REFUSAL = block("refusal", {"refusal": TEXT, "id": ID})
CALL_EXTRAS = st.fixed_dictionaries(
    {"item_id": ID}, optional={"status": st.just("completed"), "namespace": NAME, "async": st.booleans()}
)
CALL = block("tool_call", {"id": NAME, "name": NAME, "args": OBJECT}, extras=CALL_EXTRAS)
OWN_CALL = block("tool_call", {"id": NAME, "name": NAME, "args": OBJECT, "extras": CALL_EXTRAS})
BROKEN_CALL = block("invalid_tool_call", {"id": NAME, "name": NAME, "args": BROKEN}, extras=CALL_EXTRAS)
CUSTOM_CALL = TEXT.map(
    lambda text: {
        "type": "native",
        "value": {"type": "custom_tool_call", "call_id": "custom_1", "name": "sql", "input": text},
    }
)
SEARCH = st.just(
    {"type": "native", "value": {"type": "web_search_call", "action": {"type": "search", "query": "a"}, "id": "?"}}
)

# Reasoning stands before an item that has an id. A summary of several parts is as many blocks of one id.
THOUGHT = st.builds(
    lambda texts, extras: [
        {"type": "reasoning", "reasoning": text, "id": "?", **({"extras": extras} if place == 0 else {})}
        for place, text in enumerate(texts or [""])
    ],
    st.lists(TEXT, max_size=2),
    st.fixed_dictionaries({"encrypted_content": TEXT}, optional={"content": st.just([])}),
)
THOUGHT_OUT = st.tuples(THOUGHT, st.one_of(OWN_TEXT, OWN_CALL)).map(lambda pair: [*pair[0], pair[1]])
SAID = st.one_of(
    THOUGHT_OUT, st.one_of(BARE_TEXT, OWN_TEXT, REFUSAL, CALL, BROKEN_CALL, CUSTOM_CALL, SEARCH).map(lambda one: [one])
)


def identified(groups: list[list[dict[str, Any]]], place: int) -> tuple[dict[str, Any], ...]:
    """The blocks, each of the API's own items with an id of its own; blocks of a thought share one."""
    numbers = itertools.count(1)
    found = []
    for group in groups:
        thought = f"rs_{place}_{next(numbers)}"
        for item in group:
            name = thought if item["type"] == "reasoning" else f"msg_{place}_{next(numbers)}"
            one = {**item, "id": name} if item.get("id") == "?" else item
            if one.get("value", {}).get("id") == "?":
                one = {**one, "value": {**one["value"], "id": f"ws_{place}_{next(numbers)}"}}
            if "item_id" in one.get("extras", {}):
                one = {**one, "extras": {**one["extras"], "item_id": f"fc_{place}_{next(numbers)}"}}
            found.append(one)
    return tuple(found)


# --- turns ------------------------------------------------------------------------------------------------------------

# No function has such an id: the type of a result is that of its call.
SPECIAL_ID = NAME.map("special_{}".format)
SPECIAL_RESULT = st.one_of(
    st.builds(
        Turn,
        st.just("tool"),
        ONE_TEXT,
        tool_call_id=SPECIAL_ID,
        is_error=st.booleans(),
        options=st.sampled_from([{"type": "shell_call_output"}, {"type": "apply_patch_call_output"}]),
    ),
    st.builds(
        Turn, st.just("tool"), ONE_TEXT, tool_call_id=SPECIAL_ID, options=st.just({"type": "local_shell_call_output"})
    ),
    st.builds(
        Turn,
        st.just("tool"),
        st.sampled_from([({"type": "image", "url": "https://a/b.png"},), ({"type": "image", "file_id": "file-1"},)]),
        tool_call_id=SPECIAL_ID,
        options=optional(acknowledged_safety_checks=st.just([{"id": "1"}]), status=st.just("completed")).map(
            lambda more: {**more, "type": "computer_call_output"}
        ),
    ),
)
CALLERS = st.one_of(
    st.builds(Turn, st.sampled_from(["system", "developer"]), TEXTS),
    st.builds(Turn, st.just("user"), CONTENT),
    st.builds(Turn, st.just("tool"), CONTENT, tool_call_id=NAME | st.just("custom_1")),
    st.builds(
        Turn, st.just("tool"), TEXTS, tool_call_id=SPECIAL_ID, options=st.just({"type": "custom_tool_call_output"})
    ),
    SPECIAL_RESULT,
    st.sampled_from(
        [
            Turn("developer", (MORE_TOOLS,)),
            Turn("user", (APPROVED,)),
        ]
    ),
)
MODELS = st.lists(SAID, min_size=1, max_size=4)


def few_marks(turns: tuple[Turn, ...]) -> bool:
    return sum("mark" in item for turn in turns for item in turn.blocks) <= 4


@st.composite
def conversations(draw: st.DrawFn) -> tuple[Turn, ...]:
    found: list[Turn] = []
    for place in range(draw(st.integers(0, 4))):
        if draw(st.booleans()) and not (found and found[-1].role == "assistant"):
            found.append(Turn("assistant", identified(draw(MODELS), place), origin="openai_responses"))
            if draw(st.integers(0, 5)) == 0:  # the output of a tool search must follow its call
                found[-1] = replace(found[-1], blocks=(*found[-1].blocks, TOOL_SEARCH))
                found.append(Turn("tool", (SEARCHED,), tool_call_id="search_1", options={"type": "tool_search_output"}))
        else:
            found.append(draw(CALLERS))
    return tuple(found)


# --- tools ------------------------------------------------------------------------------------------------------------

OPTIONS = optional(
    defer_loading=st.booleans(),
    allowed_callers=st.just(["direct"]),
    output_schema=SCHEMA,
)
FUNCTION = st.builds(ToolSpec, NAME, st.just("function"), st.none() | TEXT, SCHEMA, st.booleans(), OPTIONS)
GRAMMAR = st.sampled_from([{"type": "text"}, {"type": "grammar", "syntax": "regex", "definition": "a+"}])
CUSTOM = st.builds(ToolSpec, st.just("sql"), st.just("custom"), st.none() | TEXT, options=optional(format=GRAMMAR))
# A key that nobody knows keeps a tool as it is.
OWN_TOOL = NAME.map(
    lambda name: ToolSpec(name, "native", definition={"type": "function", "name": name, "parameters": {}, "cost": 1})
)
HOSTED = st.sampled_from(
    [
        ToolSpec("web_search", "native", definition={"type": "web_search"}),
        ToolSpec("wiki", "native", definition={"type": "mcp", "server_label": "wiki", "server_url": "https://a"}),
    ]
)
TOOLS = st.tuples(
    st.lists(st.one_of(FUNCTION, OWN_TOOL, HOSTED), max_size=3, unique_by=lambda spec: spec.name),
    st.lists(CUSTOM, max_size=1),
).map(lambda lists: tuple(spec for spec in lists[0] if spec.name != "sql") + tuple(lists[1]))


@st.composite
def choice_among(draw: st.DrawFn, tools: tuple[ToolSpec, ...]) -> ToolChoice | None:
    """A choice. One hosted tool is chosen in the API's own form; a function that nobody knows cannot be."""
    choices = [None, ToolChoice("auto"), ToolChoice("none"), ToolChoice("any")]
    choices.append(ToolChoice("tool", definition={"type": "oracle", "name": "x"}))
    named = [spec.name for spec in tools if spec.kind != "native"]
    hosted = [spec.name for spec in tools if spec.definition.get("type") in ("web_search", "mcp")]
    if named:
        choices.append(ToolChoice("tool", (draw(st.sampled_from(named)),)))
    if named or hosted:
        chosen = draw(st.lists(st.sampled_from(named + hosted), min_size=1, unique=True))
        choices.append(ToolChoice("allowed", tuple(chosen), required=draw(st.booleans())))
    return draw(st.sampled_from(choices))


# --- requests ---------------------------------------------------------------------------------------------------------

PARAMS = optional(
    max_tokens=st.integers(16, 9999),
    temperature=st.floats(0, 2),
    top_p=st.floats(0, 1),
    top_logprobs=st.integers(0, 20),
    user=TEXT,
    metadata=st.dictionaries(NAME, TEXT, max_size=2),
    service_tier=st.sampled_from(["auto", "default", "flex", "priority"]),
    parallel_tool_calls=st.booleans(),
    reasoning_effort=st.sampled_from(["none", "low", "xhigh"]),
    reasoning=st.sampled_from([{"summary": "auto"}, {"context": "all_turns", "mode": "pro"}]),
    verbosity=st.sampled_from(["low", "high"]),
    prompt_cache_key=TEXT,
)
# The order in which they stand in `include`.
INCLUDED = st.tuples(optional(store=st.booleans()), optional(logprobs=st.just(True)))
CACHING = st.sampled_from([{}, {"prompt_cache_retention": "24h"}, {"prompt_cache_options": {"mode": "explicit"}}])
OUTPUT = st.one_of(
    st.none(),
    st.sampled_from([OutputFormat("text"), OutputFormat("json_object")]),
    st.builds(OutputFormat, st.just("json_schema"), SCHEMA, NAME, st.none() | TEXT, st.none() | st.booleans()),
)
NATIVE = optional(
    include=st.just(["file_search_call.results"]),
    instructions=TEXT,
    max_tool_calls=st.integers(1, 9),
    moderation=st.just({"model": "omni-moderation-latest"}),
    prompt=st.just({"id": "pmpt_1"}),
    text=st.just({"flavour": "dry"}),
    truncation=st.just("auto"),
)
# The earlier turns that the server holds, one kind or none.
STATE = st.one_of(
    st.just({}),
    st.fixed_dictionaries({"conversation": st.sampled_from(["conv_1", {"id": "conv_1"}])}),
    st.fixed_dictionaries({"previous_response_id": NAME}),
)
EXTRA = optional(top_k=st.integers(1, 9), grammar=JSON, stop=st.just(["END"]), seed=st.none())


@st.composite
def requests(draw: st.DrawFn) -> Request:
    """Requests that the API expresses without a loss."""
    tools = draw(TOOLS)
    stream = draw(st.booleans())
    store, logprobs = draw(INCLUDED)
    params: dict[str, Any] = {**store, **logprobs, **draw(PARAMS), **draw(CACHING)}
    if stream and draw(st.booleans()):
        params["stream_options"] = {"include_obfuscation": draw(st.booleans())}
    native = {**draw(NATIVE), **draw(STATE)}
    if params.get("store") is not False:  # an answer in the background is a stored one
        native |= draw(optional(background=st.booleans()))
    return Request(
        model=draw(NAME),
        turns=draw(conversations().filter(few_marks)),
        params=Params(**params),
        tools=tools,
        tool_choice=draw(choice_among(tools)),
        output=draw(OUTPUT),
        native=native,
        extra_body=draw(EXTRA),
        stream=stream,
    )


# --- answers ----------------------------------------------------------------------------------------------------------

COUNT = st.integers(0, 5000)
TOKENS = st.builds(Tokens, COUNT, COUNT, COUNT, COUNT, COUNT, COUNT)
ANSWER_TEXT = block("text", {"text": st.text(CHARACTERS, max_size=40)}, annotations=CITATIONS, phase=PHASE)
ANSWER_CUSTOM_CALL = block(
    "tool_call", {"id": NAME, "name": st.just("sql"), "args": st.fixed_dictionaries({"__arg1": TEXT})}
)
ANSWER_THOUGHT = block("reasoning", {"reasoning": TEXT | st.just("")}, extras=optional(encrypted_content=TEXT))
ANSWER_SEARCH = st.just({"type": "native", "value": {"type": "web_search_call", "status": "completed", "action": {}}})
ANSWER_REFUSAL = block("refusal", {"refusal": TEXT})
PLAIN_CALL = block("tool_call", {"id": NAME, "name": NAME, "args": OBJECT})
PLAIN_BROKEN_CALL = block("invalid_tool_call", {"id": NAME, "name": NAME | st.just("sql"), "args": BROKEN})
ANSWER = st.one_of(
    ANSWER_TEXT, PLAIN_CALL, ANSWER_CUSTOM_CALL, PLAIN_BROKEN_CALL, ANSWER_REFUSAL, ANSWER_THOUGHT, ANSWER_SEARCH
)


COMPLETIONS = st.builds(
    Completion,
    id=NAME.map("resp_{}".format),
    model=NAME,
    blocks=st.lists(ANSWER, max_size=5).filter(distinct).map(tuple),
    finish_reason=st.sampled_from(REASONS),
    tokens=TOKENS,
    created=st.integers(0, 2**31),
)

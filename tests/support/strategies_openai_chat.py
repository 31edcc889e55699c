"""Generated requests and completions that the Chat Completions API expresses without a loss, to test its server side.

What the API has no field for (a title of a file, an error flag of a tool result, a reasoning block) is not generated:
it cannot be read back.
"""

from __future__ import annotations

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


# --- blocks -----------------------------------------------------------------------------------------------------------

MARK = st.sampled_from([Mark(), Mark(ttl="30m"), Mark(ttl="12h")])
DATA = st.sampled_from(["UklGRg==", "AA==", ""])


TEXT_BLOCK = block("text", {"text": TEXT})
MARKED_TEXT = block("text", {"text": TEXT}, mark=MARK)
IMAGE = block(
    "image",
    {"url": st.sampled_from(["https://example.com/a.png", "http://[::1]/?a=b,c"])},
    {"base64": DATA, "mime_type": st.sampled_from(["image/png", "image/jpeg"])},
    detail=st.sampled_from(["low", "high", "auto", "original"]),
    mark=MARK,
)
FILE = block(
    "file",
    {"file_id": NAME},
    {"base64": DATA, "mime_type": st.sampled_from(["application/pdf", "text/csv"]), "filename": TEXT},
    mark=MARK,
)
AUDIO = block("audio", {"base64": DATA, "mime_type": st.sampled_from(["audio/wav", "audio/mp3"])}, mark=MARK)
OWN_PART = st.just({"type": "native", "value": {"type": "hologram", "of": [1, None]}})
USER_BLOCK = st.one_of(MARKED_TEXT, IMAGE, FILE, AUDIO, OWN_PART)

CALL = block("tool_call", {"id": NAME, "name": NAME, "args": OBJECT})
CUSTOM_CALL = block("tool_call", {"id": NAME, "name": st.just("sql"), "args": st.fixed_dictionaries({"__arg1": TEXT})})
BROKEN_CALL = block("invalid_tool_call", {"id": NAME, "name": NAME, "args": BROKEN})
SPOKEN = st.builds(lambda name: {"type": "native", "value": {"type": "audio", "id": name}}, NAME)
REFUSAL = block("refusal", {"refusal": TEXT})


def at_most_one(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(strategy, max_size=1)


# The order in which the API tells an assistant message.
ASSISTANT_BLOCKS = st.tuples(
    st.lists(st.one_of(TEXT_BLOCK, OWN_PART), max_size=3),
    at_most_one(REFUSAL),
    at_most_one(SPOKEN),
    st.lists(st.one_of(CALL, CUSTOM_CALL, BROKEN_CALL), max_size=3),
).map(lambda lists: tuple(item for found in lists for item in found))

MAYBE_NAME = st.none() | NAME
CONTENT = st.lists(USER_BLOCK, max_size=4).map(tuple)
TEXTS = st.lists(TEXT_BLOCK, max_size=3).map(tuple)
SYSTEM_CONTENT = st.lists(MARKED_TEXT, max_size=3).map(tuple)
TURN = st.one_of(
    st.builds(Turn, st.sampled_from(["system", "developer"]), SYSTEM_CONTENT, MAYBE_NAME),
    st.builds(Turn, st.just("user"), CONTENT, MAYBE_NAME),
    st.builds(Turn, st.just("assistant"), ASSISTANT_BLOCKS, MAYBE_NAME),
    st.builds(Turn, st.just("tool"), TEXTS, st.none(), tool_call_id=NAME),
)


def few_marks(turns: tuple[Turn, ...]) -> bool:
    return sum("mark" in item for turn in turns for item in turn.blocks) <= 4


TURNS = st.lists(TURN, max_size=4).map(tuple).filter(few_marks)

# --- tools ------------------------------------------------------------------------------------------------------------

FUNCTION = st.builds(ToolSpec, NAME, st.just("function"), st.none() | TEXT, SCHEMA, st.none() | st.booleans())
GRAMMAR = st.fixed_dictionaries({"type": st.just("text")})
CUSTOM = st.builds(
    ToolSpec,
    st.just("sql"),
    st.just("custom"),
    st.none() | TEXT,
    options=optional(format=GRAMMAR),
)
# A key that nobody knows keeps a tool as it is.
OWN_TOOL = NAME.map(
    lambda name: ToolSpec(
        name, "native", definition={"type": "function", "function": {"name": name, "parameters": {}}, "cost": 1}
    )
)
TOOLS = st.tuples(
    st.lists(st.one_of(FUNCTION, OWN_TOOL), max_size=3, unique_by=lambda spec: spec.name), at_most_one(CUSTOM)
).map(lambda lists: tuple(spec for spec in lists[0] if spec.name != "sql") + tuple(lists[1]))


@st.composite
def choice_among(draw: st.DrawFn, tools: tuple[ToolSpec, ...]) -> ToolChoice | None:
    if not tools:
        return None
    names = [spec.name for spec in tools]
    chosen = tuple(draw(st.lists(st.sampled_from(names), min_size=1, unique=True)))
    return draw(
        st.sampled_from(
            [
                None,
                ToolChoice("auto"),
                ToolChoice("any"),
                ToolChoice("none"),
                ToolChoice("tool", chosen[:1]),
                ToolChoice("allowed", chosen, required=draw(st.booleans())),
                ToolChoice("tool", definition={"type": "oracle", "name": "x"}),
            ]
        )
    )


# --- requests ---------------------------------------------------------------------------------------------------------

PENALTY = st.floats(-2, 2)
PARAMS = optional(
    max_tokens=st.integers(1, 9999),
    temperature=st.floats(0, 2),
    top_p=st.floats(0, 1),
    stop=st.lists(TEXT, min_size=1, max_size=4),
    seed=st.integers(),
    presence_penalty=PENALTY,
    frequency_penalty=PENALTY,
    logit_bias=st.dictionaries(NAME, PENALTY, max_size=2),
    user=TEXT,
    service_tier=st.sampled_from(["auto", "default", "flex", "priority"]),
    reasoning_effort=st.sampled_from(["none", "low", "xhigh"]),
    verbosity=st.sampled_from(["low", "high"]),
    modalities=st.lists(st.sampled_from(["text", "audio"]), max_size=2),
    audio=st.just({"format": "wav", "voice": "alloy"}),
    prediction=st.just({"type": "content", "content": "a"}),
    prompt_cache_key=TEXT,
)
# The API takes metadata only of a stored answer.
STORING = st.one_of(
    optional(store=st.booleans()),
    st.fixed_dictionaries({"store": st.just(True), "metadata": st.dictionaries(NAME, TEXT, max_size=2)}),
)
# Whichever of these stands, stands alone or with its partner.
LOGPROBS = st.sampled_from([{}, {"logprobs": True}, {"logprobs": True, "top_logprobs": 3}, {"logprobs": False}])
CACHING = st.sampled_from([{}, {"prompt_cache_retention": "24h"}, {"prompt_cache_options": {"mode": "explicit"}}])
STREAM_OPTIONS = st.sampled_from([{"include_obfuscation": False}, {"include_usage": False}])
OUTPUT = st.one_of(
    st.none(),
    st.sampled_from([OutputFormat("text"), OutputFormat("json_object")]),
    st.builds(OutputFormat, st.just("json_schema"), SCHEMA, NAME, st.none() | TEXT, st.none() | st.booleans()),
)
NATIVE = optional(
    moderation=st.just({"model": "omni-moderation-latest"}),
    safety_identifier=TEXT,
    web_search_options=st.just({"search_context_size": "low"}),
)
EXTRA = optional(top_k=st.integers(1, 9), grammar=JSON, truncation=st.just("auto"))


@st.composite
def requests(draw: st.DrawFn) -> Request:
    """Requests that the API expresses without a loss."""
    tools = draw(TOOLS)
    stream = draw(st.booleans())
    params: dict[str, Any] = {**draw(PARAMS), **draw(STORING), **draw(LOGPROBS), **draw(CACHING)}
    if tools and draw(st.booleans()):
        params["parallel_tool_calls"] = draw(st.booleans())
    if stream and draw(st.booleans()):
        params["stream_options"] = draw(STREAM_OPTIONS)
    if not stream and draw(st.booleans()):
        params["n"] = draw(st.integers(1, 3))
    return Request(
        model=draw(NAME),
        turns=draw(TURNS),
        params=Params(**params),
        tools=tools,
        tool_choice=draw(choice_among(tools)),
        output=draw(OUTPUT),
        native=draw(NATIVE),
        extra_body=draw(EXTRA),
        stream=stream,
    )


# --- answers ----------------------------------------------------------------------------------------------------------

COUNT = st.integers(0, 5000)
TOKENS = st.builds(Tokens, COUNT, COUNT, COUNT, COUNT, COUNT, COUNT)
CITATION = st.fixed_dictionaries(
    {
        "type": st.just("citation"),
        "url": st.just("https://example.com"),
        "title": TEXT,
        "start_index": st.integers(0, 3),
        "end_index": st.integers(4, 9),
    }
)
ANSWER_TEXT = block("text", {"text": st.text(CHARACTERS, max_size=40)}, annotations=st.lists(CITATION, max_size=2))
ANSWER_AUDIO = st.builds(
    lambda name, text: {
        "type": "native",
        "value": {"type": "audio", "id": name, "data": "UklGRg==", "expires_at": 9, "transcript": text},
    },
    NAME,
    TEXT,
)
HIDDEN = block("reasoning", {"reasoning": TEXT})
ANSWER = st.one_of(ANSWER_TEXT, CALL, CUSTOM_CALL, BROKEN_CALL, REFUSAL, HIDDEN)


COMPLETIONS = st.builds(
    Completion,
    id=NAME.map("chatcmpl-{}".format),
    model=NAME,
    blocks=st.tuples(st.lists(ANSWER, max_size=5).filter(distinct), at_most_one(ANSWER_AUDIO)).map(
        lambda lists: (*lists[0], *lists[1])
    ),
    finish_reason=st.sampled_from(REASONS),
    tokens=TOKENS,
    created=st.integers(0, 2**31),
)

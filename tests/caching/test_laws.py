"""Laws of prompt-cache marks, on generated conversations with marks, tools and policies, for models of each kind."""

from __future__ import annotations

import copy
import functools
import itertools
import json
import os
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

from langchain_unified import ChatUnified, PromptCache
from langchain_unified.caching.placement import place_breakpoints
from langchain_unified.caching.policy import policy_of
from langchain_unified.wires import WIRES
from tests.support.corpus import ENDPOINT_OF, exchanges, needs_corpus
from tests.support.emulated import refused
from tests.support.histories import problems

MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "claude": ("anthropic/claude-opus-5", {}),
    "older claude": ("anthropic/claude-sonnet-4-5", {}),
    "chat": ("openai/gpt-5.6", {"use_responses_api": False, "reasoning_effort": "none"}),
    "responses": ("openai/gpt-5.6", {"use_responses_api": True}),
    "older chat": ("openai/gpt-4o", {"use_responses_api": False}),
    "older responses": ("openai/gpt-5.1", {"use_responses_api": True}),
}
EXAMPLES = int(os.environ.get("LAW_EXAMPLES") or 12)
"""Generated conversations for each law and model; `make laws` runs many more."""
each_model = pytest.mark.parametrize("name", MODELS)

# --- conversations ----------------------------------------------------------------------------------------------------

EPHEMERAL = {"type": "ephemeral"}
LIFETIMES = st.sampled_from(["5m", "1h", "30m", "12h", "24h"])
SOUND = st.one_of(
    st.just({"cache_control": EPHEMERAL}),
    LIFETIMES.map(lambda ttl: {"cache_control": {"type": "ephemeral", "ttl": ttl}}),
    st.just({"prompt_cache_breakpoint": {"mode": "explicit"}}),
)
ODD = st.sampled_from([True, "ephemeral", {"type": "ephemeral", "ttl": 300}, {"type": "ephemeral", "ttl": "2h"}])
MARK = st.one_of(SOUND, SOUND, ODD.map(lambda value: {"cache_control": value}))
WORDS = st.sampled_from(["Yes.", "Look at this.", "And then?", "äöü 🙂"])
BLANK = st.sampled_from(["", " \n"])


def maybe(mark: st.SearchStrategy[Any], often: int) -> st.SearchStrategy[dict[str, Any]]:
    """A mark in one of so many draws, else nothing."""
    return st.integers(1, often).flatmap(lambda at: mark if at == 1 else st.just({}))


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


INNER = st.one_of(WORDS.map(text), BLANK.map(text))
MEDIA = st.sampled_from(
    [
        {"type": "image", "url": "https://x.test/a.png"},
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "Notes."}},
        {"type": "text-plain", "text": "More notes.", "title": "T"},
        {"type": "search_result", "source": "s", "title": "t", "content": [text("Found.")]},
        {"type": "document", "source": {"type": "content", "content": [{**text("In."), "cache_control": EPHEMERAL}]}},
    ]
)


@st.composite
def placed(draw: st.DrawFn, block: dict[str, Any], often: int) -> dict[str, Any]:
    """A block with or without a mark, on it or in its extras."""
    mark = draw(maybe(MARK, often))
    if not mark or draw(st.booleans()):
        return {**block, **mark}
    return {**block, "extras": mark}


@st.composite
def words(draw: st.DrawFn, often: int, *, media: bool) -> Any:
    """Content of a message: a text, or blocks of which one at least says something."""
    if draw(st.booleans()):
        return draw(WORDS)
    blocks = draw(st.lists(st.one_of(INNER, MEDIA) if media else INNER, max_size=2))
    blocks.insert(draw(st.integers(0, len(blocks))), text(draw(WORDS)))
    return [draw(placed(block, often)) for block in blocks]


def with_mark(message: BaseMessage, mark: Mapping[str, Any]) -> BaseMessage:
    return message.model_copy(update={"additional_kwargs": {**message.additional_kwargs, **mark}})


CLAUDE = {"model_provider": "anthropic", "model_name": "claude-opus-5"}
THOUGHT = {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"}
SEARCH = [
    {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "x"}},
    {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []},
]


@st.composite
def answers(draw: st.DrawFn, often: int, calls: list[Any]) -> AIMessage:
    """What an assistant said: plain, in blocks, or a reply of Claude's with blocks of its own."""
    if draw(st.booleans()):
        return AIMessage(draw(st.one_of(WORDS, st.just(""))) if calls else draw(WORDS), tool_calls=calls)
    own = draw(st.booleans())
    extra: list[Any] = [THOUGHT, *(SEARCH if draw(st.booleans()) else [])] if own else []
    blocks = [*extra, text(draw(WORDS))]
    blocks += [{"type": "tool_use", "id": call["id"], "name": call["name"], "input": call["args"]} for call in calls]
    marked = [draw(placed(block, often)) for block in blocks]
    return AIMessage(marked, tool_calls=calls, response_metadata=CLAUDE if own else {})


@st.composite
def exchange(draw: st.DrawFn, number: int, often: int) -> list[BaseMessage]:
    """A question, an answer with calls or without, and the results of the calls."""
    asked = HumanMessage(draw(words(often, media=True)))
    wanted = draw(st.integers(0, 2))
    calls = [{"name": "add", "args": {"a": n}, "id": f"call_{number}_{n}"} for n in range(wanted)]
    results = [ToolMessage(draw(words(often, media=False)), tool_call_id=call["id"]) for call in calls]
    messages = [asked, draw(answers(often, calls)), *results]
    return [with_mark(message, draw(maybe(MARK, often * 2))) for message in messages]


@st.composite
def conversations(draw: st.DrawFn, often: int = 4, most: int = 3) -> list[list[BaseMessage]]:
    """Rounds: first the system prompt, if any, then whole exchanges, last a question."""
    system = [SystemMessage(draw(words(often, media=False))) for _ in range(draw(st.integers(0, 2)))]
    rounds = [draw(exchange(number, often)) for number in range(draw(st.integers(0, most)))]
    last = with_mark(HumanMessage(draw(words(often, media=True))), draw(maybe(MARK, often)))
    return [system, *rounds, [last]]


FUNCTION = {"name": "add", "description": "Adds.", "input_schema": {"type": "object", "properties": {}}}


@st.composite
def tools(draw: st.DrawFn, often: int = 3) -> list[Any]:
    forms: list[Any] = []
    for number in range(draw(st.integers(0, 3))):
        tool = {**FUNCTION, "name": "add" if not number else f"add_{number}", **draw(maybe(MARK, often))}
        deferred = number and draw(st.booleans())
        forms.append({**tool, "defer_loading": True} if deferred else tool)
    return forms


TAILS: st.SearchStrategy[Any] = st.sampled_from(["follow_up", "always", "never"])
POLICY = st.one_of(
    st.sampled_from([None, "auto", "off"]), st.builds(PromptCache, ttl=st.none() | LIFETIMES, tail=TAILS)
)
WHOLE = st.one_of(
    st.none(), st.none(), st.sampled_from([{"type": "ephemeral"}, {"type": "ephemeral", "ttl": "1h"}, True, []])
)


def flat(rounds: list[list[BaseMessage]]) -> list[BaseMessage]:
    return list(itertools.chain.from_iterable(rounds))


@st.composite
def histories(draw: st.DrawFn) -> list[BaseMessage]:
    """Conversations, some of them with a message missing: calls without results, results without calls."""
    messages = flat(draw(conversations()))
    if len(messages) > 1 and draw(st.booleans()):
        del messages[draw(st.integers(0, len(messages) - 2))]
    return messages


# --- bodies -----------------------------------------------------------------------------------------------------------


@functools.cache
def build(name: str) -> ChatUnified:
    """One model of each name for all examples: a check leaves nothing behind."""
    model, fields = MODELS[name]
    return ChatUnified(model, api_key="any", max_tokens=100, on_unsupported="ignore", **fields)


MARK_KEYS = ("cache_control", "prompt_cache_breakpoint")
CACHING = ("cache_control", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention")


def marks_in(value: Any) -> Iterator[tuple[str, Any]]:
    """The marks anywhere in a body, in its order."""
    if isinstance(value, dict):
        yield from ((key, value[key]) for key in MARK_KEYS if key in value)
        for key, item in value.items():
            if key not in MARK_KEYS:
                yield from marks_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from marks_in(item)


def plain(value: Any) -> Any:
    """A body without marks and what belongs to them, every lone text in a list."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    found = {key: plain(item) for key, item in value.items() if key not in MARK_KEYS}
    for key in ("content", "output", "system"):
        if isinstance(found.get(key), str) and found.get("role") != "assistant":
            kind = "input_text" if key == "output" or "type" not in value else "text"
            found[key] = [{"type": kind, "text": found[key]}] if found[key] else []
    return found


def bare(body: dict[str, Any]) -> dict[str, Any]:
    """The same for a whole body: texts in lists get the type that the API has."""
    kept = {key: value for key, value in body.items() if key not in CACHING}
    words = json.dumps(plain(kept)).replace('"type": "input_text"', '"type": "text"')
    return json.loads(words)  # type: ignore[no-any-return]


def unmarked(message: BaseMessage) -> BaseMessage:
    """A message as it would be had nobody marked it."""
    return message.model_copy(update={"content": _unmarked(message.content), "additional_kwargs": {}})


def _unmarked(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _unmarked(item) for key, item in value.items() if key not in (*MARK_KEYS, "extras")}
    return [_unmarked(item) for item in value] if isinstance(value, list) else value


# --- laws -------------------------------------------------------------------------------------------------------------


@each_model
@settings(max_examples=EXAMPLES)
@given(messages=histories(), tools=tools(), policy=POLICY, whole=WHOLE)
def test_every_body_is_one_that_the_provider_takes(
    name: str, messages: list[BaseMessage], tools: list[Any], policy: Any, whole: Any
) -> None:
    before = copy.deepcopy((messages, tools))
    report = build(name).check(messages, tools=tools, prompt_cache=policy, cache_control=whole)
    assert report.refused is None
    assert (messages, tools) == before
    assert report.wire is not None
    assert problems(report.wire, report.body) == []
    assert refused(ENDPOINT_OF[report.wire], report.body) == []
    check_marks(name, report.body, policy)


def check_marks(name: str, body: dict[str, Any], policy: Any) -> None:
    found = list(marks_in(body))
    older = name in ("older chat", "older responses")
    if policy == "off" or older:
        assert found == []
        off = {"mode": "explicit"} if name in ("chat", "responses") else None
        assert body.get("prompt_cache_options") == (off if policy == "off" else None)
        return
    if "claude" in name:
        assert {key for key, _ in found} <= {"cache_control"}
        assert not any(key.startswith("prompt_cache") for key in body)
        assert len(found) <= 4
        assert all(mark.items() <= {"type": "ephemeral", "ttl": mark.get("ttl")}.items() for _, mark in found)
        return
    assert {key for key, _ in found} <= {"prompt_cache_breakpoint"}
    mode = body.get("prompt_cache_options", {}).get("mode", "implicit")
    # OpenAI writes the latest four and looks up the latest 80; only a policy sends more than it writes.
    assert len(found) <= (79 if policy is not None else 4 if mode == "explicit" else 3)
    assert bool(found) or mode == "implicit"
    assert not found or body["prompt_cache_key"]
    lasting = [mark["ttl"] for _, mark in found if "ttl" in mark] + [body.get("prompt_cache_options", {}).get("ttl")]
    assert "prompt_cache_retention" not in body or not any(lasting)


@each_model
@settings(max_examples=EXAMPLES)
@given(messages=histories(), tools=tools(), policy=POLICY, whole=WHOLE)
def test_placed_marks_stay_where_they_are(
    name: str, messages: list[BaseMessage], tools: list[Any], policy: Any, whole: Any
) -> None:
    model = build(name)
    first = model.check(messages, tools=tools, prompt_cache=policy, cache_control=whole)
    again = model.check(messages, tools=tools, prompt_cache=policy, cache_control=whole)
    assert json.dumps(first.body) == json.dumps(again.body)
    assert first.request is not None
    wire = WIRES[first.wire]  # type: ignore[index]
    placed, _, _ = place_breakpoints(first.request, wire.marks, policy_of(policy))
    assert placed == first.request
    assert placed.parts == first.request.parts
    assert json.dumps(wire.encode(placed).body) == json.dumps(first.body)


@each_model
@settings(max_examples=EXAMPLES)
@given(messages=histories(), tools=tools(), policy=POLICY, whole=WHOLE)
def test_marks_change_nothing_else(
    name: str, messages: list[BaseMessage], tools: list[Any], policy: Any, whole: Any
) -> None:
    """Beside the marks only the lists that hold them differ, and what belongs to them at the top of the body."""
    model = build(name)
    marked = model.check(messages, tools=tools, prompt_cache=policy, cache_control=whole)
    untouched = model.check([unmarked(message) for message in messages], tools=_unmarked(tools))
    assert bare(marked.body) == bare(untouched.body)
    assert list(marks_in(untouched.body)) == []


@each_model
@settings(max_examples=EXAMPLES)
@given(data=st.data(), policy=POLICY)
def test_a_longer_conversation_keeps_the_prefix(name: str, data: st.DataObject, policy: Any) -> None:
    rounds = data.draw(conversations(most=4))
    cut = data.draw(st.integers(1, len(rounds) - 1))
    model = build(name)
    short = model.check([*flat(rounds[:cut]), rounds[cut][0]], prompt_cache=policy).body
    long = model.check(flat(rounds), prompt_cache=policy).body
    kept, whole = list(steps(bare(short))), list(steps(bare(long)))
    assert whole[: len(kept)] == kept
    assert short.get("prompt_cache_key") in (long.get("prompt_cache_key"), None)


def steps(body: dict[str, Any]) -> Iterator[str]:
    """The prompt in order, block by block: turns of one role may become one message."""
    yield json.dumps(body.get("system"))
    for item in body.get("messages", body.get("input")):
        content = item.get("content")
        rest = json.dumps({key: value for key, value in item.items() if key != "content"})
        yield from (f"{rest} {json.dumps(block)}" for block in content) if isinstance(content, list) else [rest]


@each_model
@settings(max_examples=EXAMPLES)
@given(data=st.data())
def test_no_mark_is_lost_without_a_word(name: str, data: st.DataObject) -> None:
    """One mark anywhere: it goes out, or the adjustments say that it does not."""
    messages = [unmarked(message) for message in data.draw(histories())]
    at = data.draw(st.integers(0, len(messages) - 1))
    mark = data.draw(SOUND)
    content = messages[at].content
    if isinstance(content, list) and data.draw(st.booleans()):
        index = data.draw(st.integers(0, len(content) - 1))
        content = [{**block, **mark} if place == index else block for place, block in enumerate(content)]  # type: ignore[dict-item]
        messages[at] = messages[at].model_copy(update={"content": content})
    else:
        messages[at] = with_mark(messages[at], mark)
    report = build(name).check(messages)
    said = [item for item in report.adjustments if "prompt-cache mark" in item["what"]]
    assert list(marks_in(report.body)) or said


@functools.cache
def recorded() -> list[AIMessage]:
    """Answers of all three APIs."""
    found: list[AIMessage] = []
    for wire, endpoint in ENDPOINT_OF.items():
        for each in exchanges(endpoint):
            if each["response"]["status"] == 200 and each["response"]["body"]:
                found += WIRES[wire].decode(each["response"]["body"])  # type: ignore[index]
    return found


@needs_corpus
@each_model
@settings(max_examples=EXAMPLES)
@given(data=st.data(), policy=POLICY)
def test_marks_on_recorded_answers(name: str, data: st.DataObject, policy: Any) -> None:
    """Wherever they stand in what a provider answered: nothing but them changes, on the other provider too."""
    messages: list[BaseMessage] = []
    for at in data.draw(st.lists(st.integers(0, len(recorded()) - 1), min_size=1, max_size=4)):
        answer = recorded()[at]
        results = [ToolMessage(f"Result {call['id']}.", tool_call_id=call["id"]) for call in answer.tool_calls]
        messages += [HumanMessage("Q?"), answer, *results]
    messages.append(HumanMessage("And now?"))
    marked = [data.draw(marked_anywhere(message)) for message in messages]
    model = build(name)
    report = model.check(marked, prompt_cache=policy)
    plainly = model.check(messages)
    assert report.refused == plainly.refused
    if report.refused is None:
        assert report.wire is not None
        assert problems(report.wire, report.body) == []
        assert refused(ENDPOINT_OF[report.wire], report.body) == []
        check_marks(name, report.body, policy)
        assert bare(report.body) == bare(plainly.body)


@st.composite
def marked_anywhere(draw: st.DrawFn, message: BaseMessage) -> BaseMessage:
    mark = draw(maybe(SOUND, 3))
    content = message.content
    if not mark or not isinstance(content, list) or not content or draw(st.booleans()):
        return with_mark(message, mark)
    index = draw(st.integers(0, len(content) - 1))
    blocks = [{**block, **mark} if at == index else block for at, block in enumerate(content)]  # type: ignore[dict-item]
    return message.model_copy(update={"content": blocks})


# --- how many, and which ----------------------------------------------------------------------------------------------


@each_model
@settings(max_examples=EXAMPLES)
@given(ttls=st.lists(st.none() | LIFETIMES, min_size=1, max_size=9))
def test_the_longest_ttl_and_the_latest_marks_are_sent(name: str, ttls: list[str | None]) -> None:
    blocks = [
        {**text(f"Part {number}."), "cache_control": {"type": "ephemeral", **({"ttl": ttl} if ttl else {})}}
        for number, ttl in enumerate(ttls)
    ]
    body = build(name).check([HumanMessage([*blocks, text("Q?")])]).body
    parts = body.get("messages", body.get("input"))[0]["content"]
    kept = [at for at, part in enumerate(parts) if any(key in part for key in MARK_KEYS)]
    room = {"claude": 4, "older claude": 4, "chat": 3, "responses": 3}.get(name, 0)
    ranked = sorted(range(len(ttls)), key=lambda at: (seconds(name, ttls[at]), at), reverse=True)
    assert kept == sorted(ranked[:room])


def seconds(name: str, ttl: str | None) -> int:
    """What a lifetime comes to on a provider."""
    if "claude" in name:
        return 3600 if ttl in ("1h", "12h", "24h") else 300
    return 43200 if ttl == "12h" else 1800

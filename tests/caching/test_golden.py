"""One conversation, marked at every place and in every way that people write: the exact bodies that go out.

Each body is the unmarked one, pinned here, with the marks put in at the places that the table names. So nothing else
in it may change, and no key of one provider may reach the other.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool
from pydantic import BaseModel

from langchain_unified import ChatUnified, cached
from tests.support.histories import problems

EPHEMERAL = {"type": "ephemeral"}
MARK = {"cache_control": EPHEMERAL}
POINT = {"prompt_cache_breakpoint": {"mode": "explicit"}}

PHOTO = "https://x.test/a.png"
IMAGE: dict[str, Any] = {"type": "image", "url": PHOTO}
NOTE: dict[str, Any] = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "Notes."}}


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


CALLS: list[Any] = [{"name": "look_up", "args": {"order": 1}, "id": "call_1"}]
USE: dict[str, Any] = {"type": "tool_use", "id": "call_1", "name": "look_up", "input": {"order": 1}}
RESULT: dict[str, Any] = {"type": "tool_result", "tool_use_id": "call_1"}

SYSTEM = SystemMessage("Be brief.")
ASKED = HumanMessage([IMAGE, NOTE, text("What is it?")])
CALLED = AIMessage("I look it up.", tool_calls=CALLS)
FOUND = ToolMessage("42", tool_call_id="call_1")
THANKS = HumanMessage("Thanks.")
CONVERSATION: list[BaseMessage] = [SYSTEM, ASKED, CALLED, FOUND, THANKS]

SCHEMA = {"type": "object", "properties": {"order": {"type": "integer"}}, "required": ["order"]}


def look_up(order: int) -> str:
    """Look it up."""
    return str(order)


TOOL_LOOK_UP = tool(look_up)


class LookUp(BaseModel):
    """Look it up."""

    order: int


LookUp.__name__ = "look_up"
FUNCTION = {"name": "look_up", "description": "Look it up.", "parameters": SCHEMA}
OF_ANTHROPIC = {"name": "look_up", "description": "Look it up.", "input_schema": SCHEMA}
CHAT_TOOL: dict[str, Any] = {"type": "function", "function": FUNCTION}

# --- what goes out unmarked -------------------------------------------------------------------------------------------

ANTHROPIC = {
    "model": "claude-opus-5",
    "max_tokens": 100,
    "system": "Be brief.",
    "messages": [
        {
            "role": "user",
            "content": [{"type": "image", "source": {"type": "url", "url": PHOTO}}, NOTE, text("What is it?")],
        },
        {"role": "assistant", "content": [text("I look it up."), USE]},
        {"role": "user", "content": [{**RESULT, "content": "42"}, text("Thanks.")]},
    ],
    "tools": [OF_ANTHROPIC],
}
PICTURE = {"type": "image_url", "image_url": {"url": PHOTO}}
CHAT = {
    "model": "gpt-5.6",
    "max_completion_tokens": 100,
    "messages": [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": [PICTURE, text("Notes."), text("What is it?")]},
        {
            "role": "assistant",
            "content": "I look it up.",
            "tool_calls": [
                {"id": "call_1", "type": "function", "function": {"name": "look_up", "arguments": '{"order":1}'}}
            ],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": "42"},
        {"role": "user", "content": "Thanks."},
    ],
    "tools": [CHAT_TOOL],
}


def said(words: str) -> dict[str, Any]:
    return {"type": "input_text", "text": words}


RESPONSES = {
    "model": "gpt-5.6",
    "max_output_tokens": 100,
    "input": [
        {"role": "system", "content": "Be brief."},
        {
            "role": "user",
            "content": [
                {"type": "input_image", "detail": "auto", "image_url": PHOTO},
                said("Notes."),
                said("What is it?"),
            ],
        },
        {"role": "assistant", "content": "I look it up."},
        {"type": "function_call", "call_id": "call_1", "name": "look_up", "arguments": '{"order":1}'},
        {"type": "function_call_output", "call_id": "call_1", "output": "42"},
        {"role": "user", "content": "Thanks."},
    ],
    "tools": [{"type": "function", **FUNCTION, "strict": False}],
}
BODIES: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "anthropic": ("anthropic/claude-opus-5", {}, ANTHROPIC),
    "chat": ("openai/gpt-5.6", {"use_responses_api": False}, CHAT),
    "responses": ("openai/gpt-5.6", {"use_responses_api": True}, RESPONSES),
}
WIRES = {"anthropic": "anthropic_messages", "chat": "openai_chat", "responses": "openai_responses"}

# --- where marks are written, and where they land ---------------------------------------------------------------------

# By part of the conversation: where its mark lands on each API. OpenAI takes none on what the assistant said, so that
# they move to the user's words before; and where the call before this one ended is marked too, to be read back.
# On Messages a place is `messages.<message>.<block>`.
PLACES: dict[str, dict[str, list[str]]] = {
    "system": {"anthropic": ["system.0"], "chat": ["messages.0.0"], "responses": ["input.0.0"]},
    "image": {"anthropic": ["messages.0.0"], "chat": ["messages.1.0"], "responses": ["input.1.0"]},
    "document": {"anthropic": ["messages.0.1"], "chat": ["messages.1.1"], "responses": ["input.1.1"]},
    "question": {"anthropic": ["messages.0.2"], "chat": ["messages.1.2"], "responses": ["input.1.2"]},
    "said": {"anthropic": ["messages.1.0"], "chat": ["messages.1.2"], "responses": ["input.1.2"]},
    "call": {"anthropic": ["messages.1.1"], "chat": ["messages.1.2"], "responses": ["input.1.2"]},
    "result": {
        "anthropic": ["messages.2.0"],
        "chat": ["messages.1.2", "messages.3.0"],
        "responses": ["input.1.2", "input.4.0"],
    },
    "end": {
        "anthropic": ["messages.2.1"],
        "chat": ["messages.1.2", "messages.4.0"],
        "responses": ["input.1.2", "input.5.0"],
    },
    "tool": {"anthropic": ["tools.0"], "chat": [], "responses": []},
}


def at(index: int, *instead: BaseMessage) -> list[BaseMessage]:
    return [*CONVERSATION[:index], *instead, *CONVERSATION[index + 1 :]]


def in_extras(block: dict[str, Any]) -> dict[str, Any]:
    return {**block, "extras": MARK}


def raw(block: dict[str, Any]) -> dict[str, Any]:
    return {"type": "non_standard", "value": {**block, **MARK}}


def marked(message: BaseMessage) -> BaseMessage:
    return message.model_copy(update={"additional_kwargs": MARK})


QUESTION = text("What is it?")
SPELLINGS: dict[str, tuple[str, list[BaseMessage]]] = {
    # a system prompt
    "cached(system)": ("system", at(0, cached(SYSTEM))),
    "additional_kwargs of the system": ("system", at(0, marked(SYSTEM))),
    "cached(str) in the system": ("system", at(0, SystemMessage([cached("Be brief.")]))),
    "a breakpoint in the system": ("system", at(0, SystemMessage([{**text("Be brief."), **POINT}]))),
    # what the user says
    "cached(image)": ("image", at(1, HumanMessage([cached(IMAGE), NOTE, QUESTION]))),
    "an image": ("image", at(1, HumanMessage([{**IMAGE, **MARK}, NOTE, QUESTION]))),
    "an image, v0": (
        "image", at(1, HumanMessage([{"type": "image", "source_type": "url", "url": PHOTO, **MARK}, NOTE, QUESTION]))
    ),
    "an image_url": ("image", at(1, HumanMessage([{**PICTURE, **MARK}, NOTE, QUESTION]))),
    "an image_url with a breakpoint": ("image", at(1, HumanMessage([{**PICTURE, **POINT}, NOTE, QUESTION]))),
    "extras of an image": ("image", at(1, HumanMessage([in_extras(IMAGE), NOTE, QUESTION]))),
    "a document": ("document", at(1, HumanMessage([IMAGE, {**NOTE, **MARK}, QUESTION]))),
    "extras of a document": ("document", at(1, HumanMessage([IMAGE, in_extras(NOTE), QUESTION]))),
    "a plain text document": (
        "document", at(1, HumanMessage([IMAGE, {"type": "text-plain", "text": "Notes.", **MARK}, QUESTION]))
    ),
    "cached(block)": ("question", at(1, HumanMessage([IMAGE, NOTE, cached(QUESTION)]))),
    "a text": ("question", at(1, HumanMessage([IMAGE, NOTE, {**QUESTION, **MARK}]))),
    "an input_text": ("question", at(1, HumanMessage([IMAGE, NOTE, {**said("What is it?"), **POINT}]))),
    "cached(human)": ("question", at(1, cached(ASKED))),
    "an empty text after it": ("question", at(1, HumanMessage([IMAGE, NOTE, QUESTION, {**text(" "), **MARK}]))),
    "an empty message after it": ("question", [*CONVERSATION[:2], cached(HumanMessage("")), *CONVERSATION[2:]]),
    # what the assistant said
    "a text of the assistant": ("said", at(2, AIMessage([{**text("I look it up."), **MARK}], tool_calls=CALLS))),
    "extras of a text": ("said", at(2, AIMessage([in_extras(text("I look it up."))], tool_calls=CALLS))),
    "cached(assistant)": ("call", at(2, cached(CALLED))),
    "a tool_use": ("call", at(2, AIMessage([text("I look it up."), {**USE, **MARK}], tool_calls=CALLS))),
    "extras of a tool_use": ("call", at(2, AIMessage([text("I look it up."), in_extras(USE)], tool_calls=CALLS))),
    "a tool_call": (
        "call", at(2, AIMessage([text("I look it up."), {"type": "tool_call", **CALLS[0], **MARK}], tool_calls=CALLS))
    ),
    "a reply of Claude's": (
        "call",
        at(
            2,
            AIMessage(
                [text("I look it up."), {**USE, **MARK}],
                tool_calls=CALLS,
                response_metadata={"model_provider": "anthropic", "model_name": "claude-opus-5"},
            ),
        ),
    ),
    # results
    "cached(tool message)": ("result", at(3, cached(FOUND))),
    "additional_kwargs of a result": ("result", at(3, marked(FOUND))),
    "a text in a result": ("result", at(3, ToolMessage([{**text("42"), **MARK}], tool_call_id="call_1"))),
    "extras in a result": ("result", at(3, ToolMessage([in_extras(text("42"))], tool_call_id="call_1"))),
    "a tool_result": ("result", at(3, HumanMessage([{**RESULT, "content": "42", **MARK}]))),
    "a text in a tool_result": ("result", at(3, HumanMessage([{**RESULT, "content": [{**text("42"), **MARK}]}]))),
    "cached(human with a tool_result)": ("result", at(3, cached(HumanMessage([{**RESULT, "content": "42"}])))),
    # the end
    "cached(last)": ("end", at(4, cached(THANKS))),
    "cached(str)": ("end", at(4, HumanMessage([cached("Thanks.")]))),
    "additional_kwargs": ("end", at(4, marked(THANKS))),
}  # fmt: skip

TITLED = {"title": "look_up", "description": "Look it up.", **SCHEMA}
TOOLS: dict[str, Any] = {
    "cached(BaseTool)": cached(TOOL_LOOK_UP),
    "extras of a BaseTool": TOOL_LOOK_UP.model_copy(update={"extras": MARK}),
    "a breakpoint in extras": TOOL_LOOK_UP.model_copy(update={"extras": POINT}),
    "cached(function)": cached(look_up),
    "cached(pydantic class)": cached(LookUp),
    "cached(Chat's dict)": cached(CHAT_TOOL),
    "beside the function": {**CHAT_TOOL, **MARK},
    "inside the function": {"type": "function", "function": {**FUNCTION, **MARK}},
    "a breakpoint inside the function": {"type": "function", "function": {**FUNCTION, **POINT}},
    "Responses' dict": {"type": "function", **FUNCTION, **MARK},
    "Anthropic's dict": {**OF_ANTHROPIC, **MARK},
    "a breakpoint in Anthropic's dict": {**OF_ANTHROPIC, **POINT},
    "extras of a dict": {**OF_ANTHROPIC, "extras": MARK},
    "a JSON schema": {**TITLED, **MARK},
}


# --- comparing --------------------------------------------------------------------------------------------------------


def build(name: str, **fields: Any) -> ChatUnified:
    model, options, _ = BODIES[name]
    return ChatUnified(model, api_key="any", max_tokens=100, **{**options, **fields})


def lists(name: str) -> dict[str, Any]:
    """The unmarked body with every text of the caller's in a list, as OpenAI wants it for marks."""
    body: dict[str, Any] = copy.deepcopy(BODIES[name][2])
    if name == "anthropic":
        return body
    for item in body.get("messages", body.get("input")):
        key = "output" if "output" in item else "content"
        if isinstance(item.get(key), str) and item.get("role") != "assistant":
            item[key] = [text(item[key]) if name == "chat" else said(item[key])]
    return body


def golden(name: str, places: list[str]) -> dict[str, Any]:
    """The body with marks at these places."""
    body = lists(name)
    mark = MARK if name == "anthropic" else POINT
    for place in places:
        section, *path = place.split(".")
        if body[section] == "Be brief.":
            body[section] = [text("Be brief.")]
        holder = body[section][int(path[0])]
        if len(path) == 2:
            holder = holder.get("content", holder.get("output"))[int(path[1])]
        holder.update(copy.deepcopy(mark))
    return body


def split_key(body: dict[str, Any]) -> tuple[dict[str, Any], Any]:
    return {name: value for name, value in body.items() if name != "prompt_cache_key"}, body.get("prompt_cache_key")


def keys_in(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
        for item in value.values():
            yield from keys_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from keys_in(item)


OF_CACHING = {"cache_control", "prompt_cache_breakpoint", "prompt_cache_options", "prompt_cache_key", "extras"}
OWN = {
    "anthropic": {"cache_control"},
    "chat": {"prompt_cache_breakpoint", "prompt_cache_key"},
    "responses": {"prompt_cache_breakpoint", "prompt_cache_key"},
}


def check_body(name: str, body: dict[str, Any], places: list[str]) -> None:
    sent, key = split_key(body)
    assert sent == golden(name, places)
    assert (key is not None) == (bool(places) and name != "anthropic")
    assert problems(WIRES[name], body) == []
    assert OF_CACHING & set(keys_in(body)) <= OWN[name]


each_api = pytest.mark.parametrize("name", BODIES)


@each_api
def test_the_bodies_without_marks(name: str) -> None:
    report = build(name).check(CONVERSATION, tools=[CHAT_TOOL])
    assert report.body == BODIES[name][2]
    assert report.unchanged


@each_api
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_mark_on_a_message(name: str, spelling: str) -> None:
    part, messages = SPELLINGS[spelling]
    before = copy.deepcopy(messages)
    report = build(name).check(messages, tools=[CHAT_TOOL])
    check_body(name, report.body, PLACES[part][name])
    assert [item for item in report.adjustments if "cache" in item["what"]] == []
    assert messages == before


@each_api
@pytest.mark.parametrize("spelling", TOOLS)
def test_a_mark_on_a_tool(name: str, spelling: str) -> None:
    model = build(name)
    calls = [
        model.check(CONVERSATION, tools=[TOOLS[spelling]]),
        model.check(CONVERSATION, **bound(model, TOOLS[spelling])),
    ]
    for report in calls:
        if name == "anthropic":
            assert report.adjustments == ()
            check_body(name, report.body, PLACES["tool"][name])
        else:
            assert [item["what"] for item in report.adjustments] == ["the prompt-cache mark on the tool 'look_up'"]
            assert split_key(report.body)[0] == {**lists(name), "tools": report.body["tools"]}
            assert report.body["tools"][0].get("function", report.body["tools"][0])["name"] == "look_up"
            assert OF_CACHING.isdisjoint(keys_in(report.body))
        assert problems(WIRES[name], report.body) == []


def bound(model: ChatUnified, given: Any) -> dict[str, Any]:
    """What `bind_tools` binds."""
    keywords: dict[str, Any] = model.bind_tools([given]).kwargs  # type: ignore[attr-defined]
    return keywords


# --- where nothing may go out -----------------------------------------------------------------------------------------

AZURE = "https://mine.openai.azure.com/openai/v1"
VLLM = "https://vllm.example/v1"
NOWHERE: dict[str, tuple[str, dict[str, Any], str]] = {
    "gpt-4o": ("openai/gpt-4o", {}, "has no breakpoints"),
    "gpt-5.1": ("openai/gpt-5.1", {"use_responses_api": True}, "has no breakpoints"),
    "gpt-5.5": ("openai/gpt-5.5", {"use_responses_api": True}, "has no breakpoints"),
    "an unknown server": ("openai/gpt-5.6", {"base_url": VLLM}, "not known to take them"),
    "an unknown server, responses": (
        "openai/gpt-5.6", {"base_url": VLLM, "use_responses_api": True}, "not known to take them"
    ),
    "Azure": ("openai/gpt-5.6", {"base_url": AZURE}, "not known to take them"),
    "Azure, responses": ("openai/gpt-5.6", {"base_url": AZURE, "use_responses_api": True}, "not known to take them"),
}  # fmt: skip


@pytest.mark.parametrize("server", NOWHERE)
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_models_and_servers_without_breakpoints_get_nothing(server: str, spelling: str) -> None:
    name, fields, why = NOWHERE[server]
    model = ChatUnified(name, api_key="any", **fields)
    _, messages = SPELLINGS[spelling]
    report = model.check(messages, tools=[{**CHAT_TOOL, **MARK}])
    assert report.body == model.check(unmarked_like(spelling), tools=[CHAT_TOOL]).body
    assert OF_CACHING.isdisjoint(keys_in(report.body))
    (note,) = [item for item in report.adjustments if "cache" in item["what"]]
    assert note["what"] == "the prompt-cache marks"
    assert why in note["why"]


def unmarked_like(spelling: str) -> list[BaseMessage]:
    """The conversation in the form of a spelling, without its marks."""
    return [plain(message) for message in SPELLINGS[spelling][1]]


def plain(message: BaseMessage) -> BaseMessage:
    content = message.content if isinstance(message.content, str) else [bare(block) for block in message.content]
    return message.model_copy(update={"content": content, "additional_kwargs": {}})


def bare(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: bare(item) for key, item in value.items() if key not in (*MARK, *POINT, "extras")}
    return [bare(item) for item in value] if isinstance(value, list) else value


def test_a_gateway_to_claude_gets_the_marks() -> None:
    model = ChatUnified("anthropic/claude-opus-5", api_key="any", max_tokens=100, base_url="https://gateway.example")
    body = model.check(at(0, cached(SYSTEM)), tools=[CHAT_TOOL]).body
    assert body == golden("anthropic", ["system.0"])


# --- what Claude alone says -------------------------------------------------------------------------------------------

CLAUDE = {"model_provider": "anthropic", "model_name": "claude-opus-5"}
CALLER = {"type": "code_execution_20260521", "tool_id": "srvtoolu_1"}
SEARCH = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "x"}}
HITS: dict[str, Any] = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []}
THOUGHT = {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"}
LISTING = {"type": "mcp_tool_listing", "mcp_server_name": "docs", "tools": []}


def reply(*blocks: Any, calls: list[Any] | None = None) -> AIMessage:
    return AIMessage(list(blocks), tool_calls=calls or [], response_metadata=CLAUDE)


OWN_BLOCKS: dict[str, tuple[list[dict[str, Any]], int]] = {
    "a call of a server tool": ([{**SEARCH, **MARK}, HITS, text("A.")], 0),
    "the result of a server tool": ([SEARCH, {**HITS, **MARK}, text("A.")], 1),
    "extras of a server tool's result": ([SEARCH, {**HITS, "extras": MARK}, text("A.")], 1),
    "thinking": ([text("A."), {**THOUGHT, **MARK}], 0),
    "thinking after a server tool": ([SEARCH, HITS, {**THOUGHT, **MARK}, text("A.")], 1),
    "redacted thinking": ([text("A."), {"type": "redacted_thinking", "data": "x", **MARK}, text("B.")], 0),
    "an empty text": ([text("A."), {**text(""), **MARK}, text("B.")], 0),
    "a listing of tools": ([text("A."), {**LISTING, **MARK}, text("B.")], 0),
}


@pytest.mark.parametrize("case", OWN_BLOCKS)
def test_a_mark_on_a_block_of_claudes_own(case: str) -> None:
    blocks, place = OWN_BLOCKS[case]
    body = build("anthropic").check([HumanMessage("Q?"), reply(*blocks), HumanMessage("And?")]).body
    sent = [block for block in map(bare, blocks) if block != text("")]
    sent[place] = {**sent[place], **MARK}
    assert body["messages"][1]["content"] == sent
    assert body["messages"][0]["content"] == [text("Q?")]
    assert body["messages"][2]["content"] == [text("And?")]


def test_a_mark_on_first_thinking_goes_to_the_message_before() -> None:
    answer = reply({**THOUGHT, **MARK}, text("A."))
    body = build("anthropic").check([HumanMessage("Q?"), answer, HumanMessage("R?")]).body
    assert [message["content"] for message in body["messages"]] == [
        [{**text("Q?"), **MARK}],
        [THOUGHT, text("A.")],
        [text("R?")],
    ]


@pytest.mark.parametrize("on", ["call", "result"])
def test_calls_that_code_made_and_their_results_carry_no_mark(on: str) -> None:
    """The API refuses marks on both: they go to the last block before that the code did not make."""
    code = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "code_execution", "input": {"code": "look_up(1)"}}
    use = {**USE, "caller": CALLER, **(MARK if on == "call" else {})}
    result = ToolMessage([{**text("42"), **(MARK if on == "result" else {})}], tool_call_id="call_1")
    body = build("anthropic").check([HumanMessage("Q?"), reply(text("A."), code, use, calls=CALLS), result]).body
    assert body["messages"][1]["content"] == [text("A."), {**code, **MARK}, {**USE, "caller": CALLER}]
    assert body["messages"][2]["content"] == [{**RESULT, "content": "42"}]


@pytest.mark.parametrize("holder", ["document", "search_result"])
def test_a_mark_inside_a_document_stands_on_the_document(holder: str) -> None:
    inner = [{**text("one"), **MARK}, text("two")]
    block: dict[str, Any] = {"type": "search_result", "source": "s", "title": "t", "content": inner}
    if holder == "document":
        block = {"type": "document", "source": {"type": "content", "content": inner}}
    asked = HumanMessage([block, text("Q?")])
    body = build("anthropic").check([asked]).body
    (first, _) = body["messages"][0]["content"]
    assert first == {**bare(block), **MARK}
    for name in ("chat", "responses"):
        parts = build(name).check([asked]).body
        parts = parts.get("messages", parts.get("input"))[0]["content"]
        assert ["prompt_cache_breakpoint" in part for part in parts][-2:] == [True, False]


@pytest.mark.parametrize("key", [MARK, POINT], ids=["cache_control", "breakpoint"])
def test_a_mark_in_a_raw_block_is_settled_like_any_other(key: dict[str, Any]) -> None:
    """Given raw, the provider's own block goes out as it is; its mark counts, and goes out in the provider's words."""
    raw_text = {"type": "non_standard", "value": {**text("Doc."), **key}}
    body = build("anthropic").check([HumanMessage([raw_text, "Q?"])]).body
    assert body["messages"][0]["content"] == [{**text("Doc."), **MARK}, text("Q?")]
    body = build("chat").check([HumanMessage([raw_text, "Q?"])]).body
    assert body["messages"][0]["content"] == [{**text("Doc."), **POINT}, text("Q?")]
    raw_said = {"type": "non_standard", "value": {**said("Doc."), **key}}
    body = build("responses").check([HumanMessage([raw_said, "Q?"])]).body
    assert body["input"][0]["content"] == [{**said("Doc."), **POINT}, said("Q?")]


def test_a_mark_inside_a_raw_block_stands_on_the_block() -> None:
    value = {"type": "search_result", "source": "s", "title": "t", "content": [{**text("Found."), **MARK}]}
    asked = [HumanMessage([{"type": "non_standard", "value": value}, "Q?"])]
    (first, _) = build("anthropic").check(asked).body["messages"][0]["content"]
    assert first == {**value, "content": [text("Found.")], **MARK}


# --- results of OpenAI's own tools ------------------------------------------------------------------------------------

SHELL = {"type": "shell_call", "id": "sh_1", "call_id": "call_1", "action": {"commands": ["ls"]}, "status": "completed"}
SCREEN = {
    "type": "computer_call", "id": "cu_1", "call_id": "call_1", "action": {"type": "screenshot"},
    "pending_safety_checks": [], "status": "completed",
}  # fmt: skip
GPT = {"model_provider": "openai", "model_name": "gpt-5.6"}


@pytest.mark.parametrize("call", [SHELL, SCREEN], ids=["shell", "computer"])
def test_results_in_a_form_of_their_own_carry_no_breakpoint(call: dict[str, Any]) -> None:
    answer = "https://x.test/screen.png"
    asked = [
        HumanMessage("Q?"),
        AIMessage([call], response_metadata=GPT),
        cached(ToolMessage(answer, tool_call_id="call_1")),
    ]
    body = build("responses").check(asked).body
    assert body["input"][0]["content"] == [{**said("Q?"), **POINT}]
    assert "prompt_cache_breakpoint" not in set(keys_in(body["input"][1:]))
    output = body["input"][2]["output"]
    if call is SCREEN:
        assert output == {"type": "computer_screenshot", "image_url": answer}
    else:
        assert output == [{"stdout": answer, "stderr": "", "outcome": {"type": "exit", "exit_code": 0}}]
    assert problems("openai_responses", body) == []

"""Every cell of the media matrix: each way to write a block, in each place, to each API."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

from docs.generate import media
from langchain_unified import ChatAnthropic, ChatOpenAI, UnsupportedContentError
from langchain_unified.messages.blocks import normalise
from langchain_unified.messages.turns import turns
from langchain_unified.profiles import profile_for
from langchain_unified.request import Request
from langchain_unified.request.blocks import raw_value
from langchain_unified.wires import WIRES
from tests.support import histories, oracle
from tests.support.corpus import ENDPOINT_OF, ROOT
from tests.support.emulated import refused
from tests.support.histories import repair

MODELS = {
    "anthropic_messages": ("anthropic", "claude-opus-5"),
    "openai_chat": ("openai", "gpt-4o"),
    "openai_responses": ("openai", "gpt-5.6"),
}

# --- the conversations in which a block stands ------------------------------------------------------------------------

CALL = {"type": "tool_call", "id": "call_1", "name": "look", "args": {}}
CALLS = frozenset({"tool_call", "invalid_tool_call", "tool_use", "function_call"})


def kind_of(form: Any) -> str:
    return "text" if isinstance(form, str) else form["type"]


def human(*blocks: Any) -> list[BaseMessage]:
    asked = [HumanMessage("hi"), AIMessage("", tool_calls=[CALL])] if "tool_result" in map(kind_of, blocks) else []
    return [*asked, HumanMessage([*blocks, {"type": "text", "text": "And?"}])]


def system(*blocks: Any) -> list[BaseMessage]:
    return [SystemMessage([{"type": "text", "text": "Be kind."}, *blocks]), HumanMessage("hi")]


def tool(*blocks: Any) -> list[BaseMessage]:
    result = ToolMessage([{"type": "text", "text": "Here:"}, *blocks], tool_call_id="call_1")
    return [HumanMessage("hi"), AIMessage("", tool_calls=[CALL]), result]


def assistant(*blocks: Any) -> list[BaseMessage]:
    calls = not CALLS.isdisjoint(map(kind_of, blocks))
    after = ToolMessage("sun", tool_call_id="call_1") if calls else HumanMessage("And?")
    # A call of a server tool without a result is a paused answer, which nothing may follow.
    paused = "server_tool_use" in map(kind_of, blocks)
    # No other message of Claude's may end in thinking.
    end = [] if calls or paused else [{"type": "text", "text": "Done."}]
    answer = AIMessage([{"type": "text", "text": "Here:"}, *blocks, *end])
    return [HumanMessage("hi"), answer, *([] if paused else [after])]


PLACES: dict[str, Callable[..., list[BaseMessage]]] = {
    "human": human,
    "system": system,
    "tool": tool,
    "assistant": assistant,
}
ROLES = {"human": "user", "system": "system", "tool": "tool", "assistant": "assistant"}


def body_of(messages: list[BaseMessage], wire: Any) -> dict[str, Any]:
    provider, model = MODELS[wire]
    if wire == "openai_chat" and "audio" in str([message.content for message in messages]):
        model = "gpt-audio"
    profile = profile_for(provider, model)  # type: ignore[arg-type]
    repaired, _ = repair(turns(messages, wire), wire=wire, profile=profile, model=model)
    return WIRES[wire].encode(Request(model, repaired, profile=profile)).body


# --- what a body holds: (role, type, JSON) of every block, part and item; of results the id, and their parts ---

Unit = tuple[str, str, str]


def parts(role: str, content: Any, text: str = "text") -> Iterator[Unit]:
    for part in [{"type": text, "text": content}] if isinstance(content, str) else content or ():
        result = part["type"] == "tool_result"
        yield role, part["type"], part["tool_use_id"] if result else json.dumps(part, sort_keys=True)
        if result:
            yield from parts("tool", part.get("content"))


def anthropic_units(body: dict[str, Any]) -> Iterator[Unit]:
    yield from parts("system", body.get("system"))
    for message in body["messages"]:
        yield from parts(message["role"], message["content"])


def chat_units(body: dict[str, Any]) -> Iterator[Unit]:
    for message in body["messages"]:
        role = message["role"].replace("developer", "system")
        if role == "tool":
            yield "user", "tool", message["tool_call_id"]
        yield from parts(role, message.get("content"))
        for call in message.get("tool_calls", ()):
            yield role, call["type"], json.dumps(call)
        if message.get("refusal"):
            yield role, "refusal", message["refusal"]


def responses_units(body: dict[str, Any]) -> Iterator[Unit]:
    for item in body["input"]:
        if "role" in item:
            text = "output_text" if item["role"] == "assistant" else "input_text"
            yield from parts(item["role"], item["content"], text)
        else:
            yield "any", item["type"], item["call_id"] if "output" in item else json.dumps(item)
            yield from parts("tool", item.get("output"), "input_text")


UNITS = {"anthropic_messages": anthropic_units, "openai_chat": chat_units, "openai_responses": responses_units}
TEXTS = frozenset({"text", "input_text", "output_text"})
MARK = re.compile("paris|cGFyaX|UGFyaX", re.IGNORECASE)
"""What every sample says, in plain text or in base64."""


def added(form: Any, place: str, wire: str) -> tuple[dict[str, Any], Counter[Unit]]:
    """The body with the block, and what the block brought into it."""
    body = body_of(PLACES[place](form), wire)
    try:
        before = Counter(UNITS[wire](body_of(PLACES[place](), wire)))
    except UnsupportedContentError:
        before = Counter()
    return body, Counter(UNITS[wire](body)) - before


# --- outcomes ---------------------------------------------------------------------------------------------------------


def is_refused(form: Any, place: str, wire: str, outcome: str) -> None:
    messages = PLACES[place](form)
    with pytest.raises(UnsupportedContentError) as caught:
        body_of(messages, wire)
    said = str(caught.value)
    block = normalise(form, wire)  # type: ignore[arg-type]
    names = (kind_of(form), block["type"], raw_value(block).get("type"))
    assert any(f"the {name!r} block" in said for name in names)
    at = next(number for number, each in enumerate(messages) if form in list(each.content))
    assert f"in message {at} ({ROLES[place]})." in said
    assert said.startswith(wire)
    remedy = said.partition(f"({ROLES[place]}). ")[2]
    assert re.search(r"\b(send|move|put|use|give|convert|say|wrap|make|put)\b", remedy, re.IGNORECASE)


def is_left_out(form: Any, place: str, wire: str, outcome: str) -> None:
    body, units = added(form, place, wire)
    # The block tells whose the answer is; the texts of an answer of the other provider become one text.
    joined = [json.loads(said)["text"].split() for _, kind, said in units if kind in TEXTS and place == "assistant"]
    assert len(joined) == len(units)
    assert all("".join(words) == "Here:Done." for words in joined)
    assert not MARK.search(json.dumps(body))


def is_text(form: Any, place: str, wire: str, outcome: str) -> None:
    _, units = added(form, place, wire)
    assert {(role, kind in TEXTS) for role, kind, _ in units} == {(ROLES[place], True)}
    assert any(MARK.search(said) for *_, said in units)


def is_noted(form: Any, place: str, wire: str, outcome: str) -> None:
    body, units = added(form, place, wire)
    ((role, kind, said),) = units
    assert (role, kind in TEXTS) == (ROLES[place], True)
    assert re.search(r"\[(image|file|audio|video)\b", said)
    assert not MARK.search(json.dumps(body))


def is_shown_next(form: Any, place: str, wire: str, outcome: str) -> None:
    _, units = added(form, place, wire)
    (shown,) = [unit for unit in units if unit[1] == outcome.removeprefix(media.NEXT)]
    assert shown[0] == "user"
    assert MARK.search(shown[2])
    assert {role for role, kind, _ in units if kind in TEXTS} == {ROLES[place], "user"}


def goes_out(form: Any, place: str, wire: str, outcome: str) -> None:
    _, units = added(form, place, wire)
    found = [(role, said) for role, kind, said in units if kind == outcome]
    assert found
    assert {role for role, _ in found} <= {ROLES[place], "any"}
    assert any(MARK.search(said) for *_, said in units)


OUTCOMES: dict[str, Callable[[Any, str, str, str], None]] = {
    media.REFUSED: is_refused,
    media.LEFT_OUT: is_left_out,
    media.AS_TEXT: is_text,
    media.NOTE: is_noted,
}


# --- tests ------------------------------------------------------------------------------------------------------------

CELLS = [
    pytest.param(form, place, wire, kind.cells[place][wire], id=f"{kind.name} {number} {place} {wire}")
    for kind in media.BLOCK_KINDS
    for number, form in enumerate(kind.forms)
    for place in media.PLACES
    for wire in media.WIRES
]


@pytest.mark.parametrize("form,place,wire,outcome", CELLS)
def test_each_cell(form: Any, place: str, wire: str, outcome: str) -> None:
    check = is_shown_next if outcome.startswith(media.NEXT) else OUTCOMES.get(outcome, goes_out)
    check(form, place, wire, outcome)


SENT = [cell for cell in CELLS if cell.values[3] != media.REFUSED and kind_of(cell.values[0]) != "non_standard"]


@pytest.mark.parametrize("form,place,wire,outcome", SENT)
def test_what_goes_out_is_a_body_that_the_api_takes(form: Any, place: str, wire: str, outcome: str) -> None:
    body = body_of(PLACES[place](form), wire)
    assert refused(ENDPOINT_OF[wire], body) == []
    if oracle.PATH.exists():
        assert histories.problems(wire, body) == []


NOWHERE = "http://127.0.0.1:9"
"""Nobody listens there: what is sent fails otherwise than what is refused before."""

CHATS: dict[str, Callable[[], Any]] = {
    "anthropic_messages": lambda: ChatAnthropic("claude-opus-5", base_url=NOWHERE, api_key="any", max_retries=0),
    "openai_chat": lambda: ChatOpenAI("gpt-4o", base_url=NOWHERE, api_key="any", max_retries=0),
    "openai_responses": lambda: ChatOpenAI(
        "gpt-5.6", base_url=NOWHERE, api_key="any", max_retries=0, use_responses_api=True
    ),
}


@pytest.mark.parametrize("wire", media.WIRES)
def test_the_chat_models_refuse_each_refused_cell_before_the_network(wire: str) -> None:
    model = CHATS[wire]()
    refused = [cell.values for cell in CELLS if cell.values[2:] == (wire, media.REFUSED)]
    assert len(refused) > 20
    for form, place, *_ in refused:
        with pytest.raises(UnsupportedContentError):
            model.invoke(PLACES[place](form))


def test_each_row_says_something_of_every_place_and_wire() -> None:
    for kind in media.BLOCK_KINDS:
        assert kind.cells.keys() == media.PLACES.keys()
        assert all(row.keys() == media.WIRES.keys() == WIRES.keys() for row in kind.cells.values())
        assert kind.forms


def test_every_type_that_is_read_has_a_row() -> None:
    # Chunks of calls and what a message of the Responses API holds of them never stand in content that callers write.
    from langchain_unified.messages.blocks import READERS

    written = {kind_of(form) for kind in media.BLOCK_KINDS for form in kind.forms}
    assert READERS.keys() - written == {"tool_call_chunk", "server_tool_call_chunk"}


def test_the_page_is_current() -> None:
    path = ROOT / "docs" / "media.md"
    assert path.read_text(encoding="utf-8") == media.page(), "run: make tables"

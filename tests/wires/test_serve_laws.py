"""The server side of every wire: what was encoded is read back, and a damaged body is read or refused by name."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from langchain_unified.errors import RequestError
from langchain_unified.wires import WIRES
from langchain_unified.wires._completion import Completion
from langchain_unified.wires.anthropic_messages import serve as serve_messages
from langchain_unified.wires.openai_chat import serve as serve_chat
from langchain_unified.wires.openai_responses import serve as serve_responses
from tests.support import strategies_anthropic_messages, strategies_openai_chat, strategies_openai_responses

SERVE: dict[str, ModuleType] = {
    "anthropic_messages": serve_messages,
    "openai_chat": serve_chat,
    "openai_responses": serve_responses,
}
GENERATED: dict[str, ModuleType] = {
    "anthropic_messages": strategies_anthropic_messages,
    "openai_chat": strategies_openai_chat,
    "openai_responses": strategies_openai_responses,
}
HI = Completion("id_1", "a-model", ({"type": "text", "text": "Hi"},))
JUNK = [None, 5, True, "", "x", [], ["x"], [5], {}, [{}], {"type": "x"}, {"type": 5}, [{"type": "text"}], {"a": None}]
each_wire = pytest.mark.parametrize("name", WIRES)


@each_wire
@settings(max_examples=50)
@given(data=st.data())
def test_law_2_what_was_encoded_is_read_back(name: Any, data: st.DataObject) -> None:
    request = data.draw(GENERATED[name].requests())
    encoded = WIRES[name].encode(request)
    before = copy.deepcopy(encoded.body)
    found = SERVE[name].read_request(encoded.body, encoded.headers)
    assert encoded.body == before
    assert encoded.adjustments == ()
    assert found == request
    assert WIRES[name].encode(found) == encoded


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every object and list in a body, with every key or index in it."""
    keys = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield value, key
        yield from places(value[key])


@each_wire
@settings(max_examples=50)
@given(data=st.data())
def test_a_damaged_body_is_read_or_refused(name: Any, data: st.DataObject) -> None:
    body = copy.deepcopy(WIRES[name].encode(data.draw(GENERATED[name].requests())).body)
    holder, key = data.draw(st.sampled_from(list(places(body))))
    holder[key] = data.draw(st.sampled_from(JUNK) | GENERATED[name].JSON)
    # No other exception: what is read can be encoded and answered, or is refused by name.
    with contextlib.suppress(RequestError):
        WIRES[name].encode(SERVE[name].read_request(body))
        SERVE[name].render_reply(HI, body)

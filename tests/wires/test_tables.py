"""The wires' records: a row for each neutral parameter, and what the router derives from them."""

from __future__ import annotations

import pytest

from langchain_unified import catalog
from langchain_unified.chat_models import _arguments
from langchain_unified.request import Params
from langchain_unified.wires import WIRES, Wire

CHAT, RESPONSES = WIRES["openai_chat"], WIRES["openai_responses"]
GPT = catalog.resolve("gpt-4o")


@pytest.mark.parametrize("wire", WIRES.values(), ids=WIRES)
def test_a_row_for_each_neutral_parameter(wire: Wire) -> None:
    assert set(wire.params) == set(Params.__annotations__)


@pytest.mark.parametrize("wire", WIRES.values(), ids=WIRES)
def test_native_keys_are_not_neutral_parameters(wire: Wire) -> None:
    assert wire.native_keys.isdisjoint(Params.__annotations__)


def test_the_calls_keys_are_those_of_the_wires() -> None:
    assert set().union(*(wire.native_keys for wire in WIRES.values())) == _arguments.native_keys(None)


@pytest.mark.parametrize("key", sorted(CHAT.native_keys | RESPONSES.native_keys))
def test_a_body_key_that_one_wire_alone_has_decides_on_the_wire(key: str) -> None:
    wires = [wire.name for wire in (CHAT, RESPONSES) if key in wire.native_keys]
    chosen = {catalog.wire_for(GPT, native={key: "x"}, drop_in=drop_in) for drop_in in (True, False)}
    assert chosen == {wires[0] if len(wires) == 1 else "openai_chat"}


@pytest.mark.parametrize("key", sorted(Params.__annotations__))
def test_a_parameter_that_one_wire_alone_takes_decides_on_the_wire(key: str) -> None:
    reasoning = catalog.resolve("gpt-5.6")
    wires = [wire.name for wire in (CHAT, RESPONSES) if wire.takes(key)]
    # `reasoning` asks for more than an effort, which only Responses has; gpt-5.6 refuses stop sequences on both.
    expected = "openai_chat" if wires == ["openai_chat"] and key != "stop" else "openai_responses"
    assert catalog.wire_for(reasoning, params={key: "x"}) == expected


def test_what_only_one_of_openais_wires_has() -> None:
    assert "personality" in catalog.alone().responses_keys
    assert {
        "functions", "function_call", "max_completion_tokens", "response_format", "web_search_options",
    } == catalog.alone().chat_keys  # fmt: skip
    assert {
        "audio", "frequency_penalty", "logit_bias", "modalities", "n", "prediction", "presence_penalty", "seed", "stop",
    } == catalog.alone().chat_params  # fmt: skip

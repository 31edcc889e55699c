"""Tools of recorded requests, and the page about server tools."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from docs.generate import server_tools as server_tools_docs
from langchain_unified.errors import InvalidToolError
from langchain_unified.request import JsonObject, Provider
from langchain_unified.tools.server.forms import refusal
from tests.support.corpus import ROOT, exchanges, label, needs_corpus
from tests.tools.helpers import GPT, SONNET, encode, provider_of


def _recorded() -> list[Any]:
    return [
        pytest.param(found, id=label(found))
        for endpoint in ("anthropic.messages", "openai.responses")
        for found in exchanges(endpoint)
        if found["response"]["status"] == 200
        and any(t.get("type") not in (None, "function", "custom") for t in found["request"]["body"].get("tools") or ())
    ]


@needs_corpus
@pytest.mark.parametrize("exchange", _recorded())
def test_recorded_tools_go_out_again_as_they_were(exchange: JsonObject):
    body = exchange["request"]["body"]
    provider: Provider = "anthropic" if exchange["endpoint"] == "anthropic.messages" else "openai"
    native = {"mcp_servers": body["mcp_servers"]} if "mcp_servers" in body else {}
    encoded = encode(body["model"], *copy.deepcopy(body["tools"]), native=native)
    for before, after in zip(body["tools"], encoded.body["tools"], strict=True):
        if before.get("type") not in (None, "function", "custom"):
            assert after == before
    assert encoded.body.get("mcp_servers") == body.get("mcp_servers")
    assert provider == provider_of(body["model"])


ONE_SIDED = ("web_fetch", "memory", "advisor", "file_search", "image_generation", "namespace", "client", "connector_id")


@needs_corpus
@pytest.mark.parametrize("exchange", _recorded())
def test_recorded_tools_reach_the_other_provider_or_are_refused(oracle, exchange: JsonObject):
    body = exchange["request"]["body"]
    model, endpoint = (GPT, "responses") if exchange["endpoint"] == "anthropic.messages" else (SONNET, "anthropic-beta")
    native = {"mcp_servers": body["mcp_servers"]} if "mcp_servers" in body else {}
    kinds = " ".join(f"{found.get('type')} {found.get('execution')} {sorted(found)}" for found in body["tools"])
    if any(word in kinds for word in ONE_SIDED):
        with pytest.raises(InvalidToolError):
            encode(model, *body["tools"], native=native)
        return
    encoded = encode(model, *body["tools"], native=native)
    assert oracle.validate(endpoint, encoded.body) == []


def test_a_refusal_needs_no_settling():
    assert refusal("web_search", "anthropic") is not None
    assert refusal("web_search", "openai") is None
    assert refusal("web_search_20250305", "anthropic") is None
    assert refusal("lathe", "openai") is None


def test_the_page_is_the_table():
    committed = (ROOT / "docs" / "server_tools.md").read_text(encoding="utf-8")
    assert committed == server_tools_docs.page(), "run: make tables"

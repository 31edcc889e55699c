"""MCP servers on both providers."""

from __future__ import annotations

from typing import Any

import pytest

from langchain_unified.errors import InvalidToolError
from langchain_unified.request import JsonObject
from langchain_unified.tools.server.translate import translate_tools
from langchain_unified.tools.specs import tool_specs
from tests.tools.helpers import FUNCTION, GPT, SONNET, encode, lost

DOCS = {
    "type": "mcp",
    "server_label": "docs",
    "server_url": "https://docs.test/mcp",
    "authorization": "t0ken",
    "require_approval": "never",
}
SERVER = {"type": "url", "name": "docs", "url": "https://docs.test/mcp", "authorization_token": "t0ken"}
TOOLSET = {"type": "mcp_toolset", "mcp_server_name": "docs"}


def mcp(model: str, *tools: Any, native: JsonObject | None = None) -> tuple[list[JsonObject], Any]:
    encoded = encode(model, *tools, native=native)
    assert encoded.adjustments == ()
    return encoded.body["tools"], encoded.body.get("mcp_servers")


def test_an_mcp_server_on_anthropic(oracle):
    assert mcp(SONNET, DOCS) == ([TOOLSET], [SERVER])
    only = {"default_config": {"enabled": False}, "configs": {"ask": {"enabled": True}}}
    assert mcp(SONNET, {**DOCS, "allowed_tools": ["ask"]}) == ([{**TOOLSET, **only}], [SERVER])
    assert mcp(SONNET, {**DOCS, "allowed_tools": {"tool_names": ["ask"]}})[0] == [{**TOOLSET, **only}]
    assert mcp(SONNET, {**DOCS, "defer_loading": True}, FUNCTION)[0][0] == {
        **TOOLSET,
        "default_config": {"defer_loading": True},
    }
    bearer = {key: value for key, value in DOCS.items() if key != "authorization"}
    assert mcp(SONNET, {**bearer, "headers": {"authorization": "Bearer t0ken"}}) == ([TOOLSET], [SERVER])
    other = {"type": "url", "name": "o", "url": "https://o.test"}
    given = {"mcp_servers": [other]}
    assert mcp(SONNET, DOCS, native=given)[1] == [other, SERVER]
    assert given == {"mcp_servers": [other]}
    body = encode(SONNET, {**DOCS, "allowed_tools": ["ask"]}).body
    assert oracle.validate("anthropic-beta", body) == []


@pytest.mark.parametrize(
    "more, named",
    [
        ({"require_approval": "always"}, "require_approval"),
        ({"require_approval": None}, "require_approval"),
        ({"require_approval": {"never": {"tool_names": ["ask"]}}}, "require_approval"),
        ({"server_description": "d"}, "server_description"),
        ({"headers": {"X-Team": "t"}}, "header 'X-Team'"),
        ({"allowed_tools": {"tool_names": ["ask"], "read_only": True}}, "allowed_tools.read_only"),
    ],
)
def test_what_anthropic_does_not_say_of_an_mcp_server(more: JsonObject, named: str):
    assert lost(SONNET, {**DOCS, **more}) == [f"{named} of the MCP server 'docs'"]


def test_a_secret_is_in_no_words():
    said = str(encode(SONNET, {**DOCS, "headers": {"X-Key": "s3cret"}}).adjustments)
    assert "X-Key" in said
    assert "s3cret" not in said
    with pytest.raises(InvalidToolError) as caught:
        encode(SONNET, {**DOCS, "authorization": "s3cret", "server_url": None})
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    "model, tool, match",
    [
        (SONNET, {**DOCS, "server_url": None, "connector_id": "connector_gmail"}, "`connector_id`.*`server_url`"),
        (SONNET, {"type": "mcp", "server_label": "docs"}, "'docs'.*`server_url`"),
        (SONNET, "mcp", "`server_label`"),
        (SONNET, {**DOCS, "allowed_tools": {"read_only": True}}, "read-only"),
        (GPT, "mcp", "`server_label`"),
        (GPT, {"type": "mcp", "server_label": "docs"}, "'docs'.*`server_url`"),
        (GPT, TOOLSET, "'docs'.*`mcp_servers`"),
    ],
)
def test_an_mcp_server_that_cannot_be_reached(model: str, tool: Any, match: str):
    with pytest.raises(InvalidToolError, match=match):
        encode(model, tool)


def test_an_mcp_server_of_anthropics_on_openai(oracle):
    assert mcp(GPT, TOOLSET, native={"mcp_servers": [SERVER]}) == ([DOCS], None)
    only = {"default_config": {"enabled": False}, "configs": {"ask": {"enabled": True}, "drop": {"enabled": False}}}
    found, _ = mcp(GPT, {**TOOLSET, **only}, native={"mcp_servers": [SERVER]})
    assert found == [{**DOCS, "allowed_tools": ["ask"]}]
    deferred = {**TOOLSET, "default_config": {"defer_loading": True}}
    assert mcp(GPT, deferred, native={"mcp_servers": [SERVER]})[0] == [{**DOCS, "defer_loading": True}]
    # The older beta had no toolset: the server alone is the tool.
    older = {**SERVER, "tool_configuration": {"allowed_tools": ["ask"], "enabled": True}}
    assert mcp(GPT, native={"mcp_servers": [older]}) == ([{**DOCS, "allowed_tools": ["ask"]}], None)
    switched_off = {**SERVER, "tool_configuration": {"enabled": False}}
    assert mcp(GPT, native={"mcp_servers": [switched_off]})[0] == [{**DOCS, "allowed_tools": []}]
    assert oracle.validate("responses", encode(GPT, TOOLSET, native={"mcp_servers": [SERVER]}).body) == []
    # There and back again.
    there = translate_tools(tool_specs([DOCS]), "anthropic")
    assert translate_tools(there.specs, "openai", there.native).specs[0].definition == DOCS


def test_a_tool_that_was_switched_off_does_not_come_on_elsewhere():
    denied = {**TOOLSET, "configs": {"delete": {"enabled": False}}}
    with pytest.raises(InvalidToolError, match="cannot switch off 'delete'"):
        encode(GPT, denied, native={"mcp_servers": [SERVER]})
    with pytest.raises(InvalidToolError, match="defers all tools"):
        encode(GPT, {**TOOLSET, "configs": {"a": {"defer_loading": True}}}, native={"mcp_servers": [SERVER]})
    with pytest.raises(InvalidToolError, match=r"needs `name` and `url`"):
        encode(GPT, native={"mcp_servers": [{"type": "url", "name": "docs", "authorization_token": "s3cret"}]})

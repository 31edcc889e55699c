"""Tools that the providers define: by neutral name and in either dialect, on every wire, with their betas."""

from __future__ import annotations

import copy
import typing
from typing import Any

import pytest
from anthropic.types.beta import BetaToolUnionParam
from langchain_core.messages import HumanMessage
from langchain_core.tools import StructuredTool, tool
from openai.types.responses import ToolParam
from typing_extensions import get_type_hints

from docs.generate import server_tools as server_tools_docs
from langchain_unified.caching.placement import place_breakpoints
from langchain_unified.errors import InvalidToolError
from langchain_unified.messages.turns import turns
from langchain_unified.profiles import known_models, profile_for
from langchain_unified.request import Encoded, JsonObject, Provider, Request
from langchain_unified.tools.server.forms import FORMS, NAMES, OTHER_FORMS, REMEDIES, known, refusal
from langchain_unified.tools.server.translate import settle
from langchain_unified.tools.spec import tool_spec
from langchain_unified.tools.specs import check_names, tool_specs
from langchain_unified.wires import WIRES
from tests.support.corpus import ROOT, exchanges, label, needs_corpus
from tests.support.oracle import ENDPOINTS

SONNET, OLD, NEW, GPT = "claude-sonnet-4-6", "claude-sonnet-4-5", "claude-opus-5-5", "gpt-5.6"
FUNCTION = {"name": "f", "input_schema": {"type": "object", "properties": {}}}
F_CHAT = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}


def provider_of(model: str) -> Provider:
    return "anthropic" if model.startswith("claude") else "openai"


def encode(model: str, *tools: Any, wire: str | None = None, native: JsonObject | None = None, **more: Any) -> Encoded:
    """What a model is sent for these tools, and everything that was adjusted on the way."""
    provider = provider_of(model)
    chosen: Any = wire or ("anthropic_messages" if provider == "anthropic" else "openai_responses")
    profile = profile_for(provider, model)
    settled = settle(tool_specs(tools), provider, native, profile)
    check_names(settled.specs)
    request = Request(
        model=model,
        turns=turns([HumanMessage("hi")], chosen),
        params={"max_tokens": 9},
        tools=settled.specs,
        native=settled.native,
        profile=profile,
        **more,
    )
    request, _, moved = place_breakpoints(request, WIRES[chosen].marks)
    found = WIRES[chosen].encode(request)
    return Encoded(found.body, found.headers, (*settled.adjustments, *moved, *found.adjustments))


def sent(model: str, *tools: Any, **more: Any) -> list[JsonObject]:
    """The tools that go out, where nothing had to be adjusted."""
    encoded = encode(model, *tools, **more)
    assert encoded.adjustments == ()
    return encoded.body["tools"]


def lost(model: str, *tools: Any, **more: Any) -> list[str]:
    return [item["what"] for item in encode(model, *tools, **more).adjustments]


# --- each neutral name at each provider -------------------------------------------------------------------------------

SCREEN = {"type": "computer", "display_width": 1280, "display_height": 800}
PX = {"display_width_px": 1280, "display_height_px": 800}

GOLDEN: list[tuple[str, Any, JsonObject]] = [
    (SONNET, "web_search", {"type": "web_search_20260209", "name": "web_search"}),
    (OLD, "web_search", {"type": "web_search_20250305", "name": "web_search"}),
    ("claude-haiku-5-5", "web_search", {"type": "web_search_20250305", "name": "web_search"}),
    (GPT, "web_search", {"type": "web_search"}),
    (SONNET, "web_fetch", {"type": "web_fetch_20260209", "name": "web_fetch"}),
    (OLD, "web_fetch", {"type": "web_fetch_20250910", "name": "web_fetch"}),
    (SONNET, "code_execution", {"type": "code_execution_20260120", "name": "code_execution"}),
    ("claude-sonnet-4-0", "code_execution", {"type": "code_execution_20250825", "name": "code_execution"}),
    (GPT, "code_execution", {"type": "code_interpreter", "container": {"type": "auto"}}),
    (NEW, "computer", {"type": "computer_toolset_20260801"}),
    (SONNET, SCREEN, {"type": "computer_20251124", "name": "computer", **PX}),
    (OLD, SCREEN, {"type": "computer_20250124", "name": "computer", **PX}),
    (GPT, "computer", {"type": "computer"}),
    (
        "computer-use-preview",
        {**SCREEN, "environment": "linux"},
        {"type": "computer_use_preview", "display_width": 1280, "display_height": 800, "environment": "linux"},
    ),
    (SONNET, "bash", {"type": "bash_20250124", "name": "bash"}),
    (SONNET, "text_editor", {"type": "text_editor_20250728", "name": "str_replace_based_edit_tool"}),
    (SONNET, "memory", {"type": "memory_20250818", "name": "memory"}),
    (SONNET, "tool_search", {"type": "tool_search_tool_bm25_20251119", "name": "tool_search_tool_bm25"}),
    (GPT, "tool_search", {"type": "tool_search"}),
    (GPT, "image_generation", {"type": "image_generation"}),
    (
        GPT,
        {"type": "file_search", "vector_store_ids": ["vs_1"]},
        {"type": "file_search", "vector_store_ids": ["vs_1"]},
    ),
    (GPT, "shell", {"type": "shell"}),
    (GPT, "apply_patch", {"type": "apply_patch"}),
]


@pytest.mark.parametrize("model, tool, wanted", GOLDEN)
def test_a_neutral_name_goes_out_in_the_form_of_the_provider(oracle, model: str, tool: Any, wanted: JsonObject):
    encoded = encode(model, tool, FUNCTION)
    assert encoded.body["tools"][0] == wanted
    assert encoded.adjustments == ()
    wire = "anthropic_messages" if provider_of(model) == "anthropic" else "openai_responses"
    assert oracle.validate(ENDPOINTS[wire], encoded.body) == []


REFUSED = [
    (SONNET, "image_generation", "function of your own"),
    (SONNET, "file_search", "document"),
    (SONNET, "shell", "'bash'"),
    (SONNET, "apply_patch", "'text_editor'"),
    (GPT, "web_fetch", "'web_search'"),
    (GPT, "bash", "'shell'"),
    (GPT, "text_editor", "'apply_patch'"),
    (GPT, "memory", "function of your own"),
]


@pytest.mark.parametrize("model, name, remedy", REFUSED)
def test_a_tool_that_a_provider_lacks_is_refused_with_a_remedy(model: str, name: str, remedy: str):
    provider = "Anthropic" if model == SONNET else "OpenAI"
    with pytest.raises(InvalidToolError, match=rf"{provider} does not have the tool '{name}'\..*{remedy}"):
        encode(model, name)


def test_every_neutral_name_has_a_row_at_both_providers():
    shown = {(provider_of(model), tool if isinstance(tool, str) else tool["type"]) for model, tool, _ in GOLDEN}
    shown |= {(provider_of(model), name) for model, name, _ in REFUSED} | {("anthropic", "mcp"), ("openai", "mcp")}
    assert shown == {(provider, name) for provider in FORMS for name in NAMES}
    assert all((name in FORMS[provider]) != ((provider, name) in REMEDIES) for provider, name in shown if name != "mcp")


@pytest.mark.parametrize("name", NAMES)
def test_chat_completions_runs_no_tools_itself(name: str):
    more = {"server_label": "d", "server_url": "https://d.test", "vector_store_ids": ["v"]}
    with pytest.raises(InvalidToolError, match=r"Responses API|OpenAI does not have"):
        encode(GPT, {"type": name, **(more if name in ("mcp", "file_search") else {})}, wire="openai_chat")


def test_a_name_that_is_none_gets_the_closest():
    with pytest.raises(InvalidToolError, match=r"no server tool 'web_serch'. Did you mean 'web_search'\?"):
        tool_spec("web_serch")


def test_every_type_in_the_table_is_one_that_the_sdk_knows():
    tools = (*typing.get_args(BetaToolUnionParam), *typing.get_args(ToolParam))
    hints = [get_type_hints(cls).get("type") for cls in tools]
    kinds = {kind for hint in hints for kind in typing.get_args(hint)}
    used = {form.type for forms in FORMS.values() for form in forms.values()} | set(OTHER_FORMS)
    for provider in FORMS:
        used |= {kind for name in known_models(provider) for kind in profile_for(provider, name).tool_versions.values()}
    assert used <= kinds


# --- options ----------------------------------------------------------------------------------------------------------

PLACE = {"city": "Utrecht", "region": "Utrecht", "country": "NL", "timezone": "Europe/Amsterdam"}
APPROXIMATE = {"type": "approximate", **PLACE}
SEARCH = {"type": "web_search", "allowed_domains": ["a.test"], "max_uses": 3, "user_location": PLACE}


def test_web_search_options_on_anthropic(oracle):
    encoded = encode(SONNET, SEARCH)
    assert encoded.body["tools"] == [
        {
            "type": "web_search_20260209",
            "name": "web_search",
            "allowed_domains": ["a.test"],
            "max_uses": 3,
            "user_location": APPROXIMATE,
        }
    ]
    assert encoded.adjustments == ()
    assert oracle.validate("anthropic", encoded.body) == []
    assert sent(SONNET, {"type": "web_search", "blocked_domains": ["b.test"]})[0]["blocked_domains"] == ["b.test"]
    with pytest.raises(InvalidToolError, match=r"only one of `allowed_domains` and `blocked_domains`"):
        encode(SONNET, {**SEARCH, "blocked_domains": ["b.test"]})
    with pytest.raises(InvalidToolError, match="`user_location`"):
        encode(SONNET, {"type": "web_search", "user_location": "Utrecht"})


def test_web_search_options_on_openai(oracle):
    encoded = encode(GPT, SEARCH)
    wanted = {"type": "web_search", "filters": {"allowed_domains": ["a.test"]}, "user_location": APPROXIMATE}
    assert encoded.body["tools"] == [wanted]
    assert encoded.body["max_tool_calls"] == 3
    assert encoded.adjustments == ()
    assert oracle.validate("responses", encoded.body) == []
    blocked = {"type": "web_search", "blocked_domains": ["b.test"]}
    assert lost(GPT, blocked) == ["blocked_domains of the tool 'web_search'"]


def test_max_uses_is_the_limit_of_all_tools_only_where_there_is_one():
    assert lost(GPT, SEARCH, "image_generation") == ["max_uses of the tool 'web_search'"]
    assert "max_tool_calls" not in encode(GPT, SEARCH, "image_generation").body
    # What the caller runs is not counted.
    assert encode(GPT, SEARCH, "shell", FUNCTION).body["max_tool_calls"] == 3
    own = encode(GPT, SEARCH, native={"max_tool_calls": 9})
    assert own.body["max_tool_calls"] == 9
    assert [item["what"] for item in own.adjustments] == ["max_uses of the tool 'web_search'"]
    assert lost(SONNET, {"type": "code_execution", "max_uses": 2}) == ["max_uses of the tool 'code_execution'"]


def test_openais_own_dict_goes_out_as_it_is():
    own = {
        "type": "web_search",
        "search_context_size": "low",
        "filters": {"allowed_domains": ["a.test"], "newer": 1},
        "brand_new": {"a": None},
        "user_location": {"type": "approximate", "city": "Utrecht"},
    }
    specs = tool_specs([own, {"type": "shell", "environment": {"type": "local"}}, {"type": "web_search_preview"}])
    assert settle(specs, "openai").specs == specs
    assert all(before is after for before, after in zip(specs, settle(specs, "openai").specs, strict=True))
    added = sent(GPT, {**own, "allowed_domains": ["b.test"]})[0]
    assert added["filters"]["newer"] == 1


def test_openais_web_search_on_anthropic():
    own = {
        "type": "web_search_preview",
        "search_context_size": "high",
        "filters": {"allowed_domains": ["a.test"]},
        "user_location": {"type": "approximate", "approximate": PLACE},
    }
    encoded = encode(SONNET, own)
    assert encoded.body["tools"] == [
        {
            "type": "web_search_20260209",
            "name": "web_search",
            "allowed_domains": ["a.test"],
            "user_location": APPROXIMATE,
        }
    ]
    assert [item["what"] for item in encoded.adjustments] == ["search_context_size of the tool 'web_search_preview'"]


def test_anthropics_web_search_on_openai():
    own = {
        "type": "web_search_20260318",
        "name": "web_search",
        "allowed_domains": ["a.test"],
        "blocked_domains": None,
        "user_location": APPROXIMATE,
        "response_inclusion": "excluded",
        "allowed_callers": ["direct"],
    }
    encoded = encode(GPT, own)
    assert encoded.body["tools"] == [
        {"type": "web_search", "filters": {"allowed_domains": ["a.test"]}, "user_location": APPROXIMATE}
    ]
    assert [item["what"] for item in encoded.adjustments] == ["response_inclusion of the tool 'web_search'"]


@pytest.mark.parametrize(
    "model, own, wanted, named",
    [
        (
            SONNET,
            {"type": "code_interpreter", "container": {"type": "auto"}},
            {"type": "code_execution_20260120", "name": "code_execution"},
            [],
        ),
        (
            SONNET,
            {"type": "code_interpreter", "container": {"type": "auto", "file_ids": ["f"]}},
            {"type": "code_execution_20260120", "name": "code_execution"},
            ["container of the tool 'code_interpreter'"],
        ),
        (
            GPT,
            {"type": "code_execution_20250522", "name": "code_execution"},
            {"type": "code_interpreter", "container": {"type": "auto"}},
            [],
        ),
        (GPT, {"type": "code_execution", "container": "c_1"}, {"type": "code_interpreter", "container": "c_1"}, []),
        (
            SONNET,
            {"type": "computer_use_preview", "display_width": 1280, "display_height": 800, "environment": "mac"},
            {"type": "computer_20251124", "name": "computer", **PX},
            ["environment of the tool 'computer_use_preview'"],
        ),
        (
            NEW,
            {"type": "computer_use_preview", "display_width": 1280, "display_height": 800, "environment": "mac"},
            {"type": "computer_toolset_20260801"},
            [
                "display_width of the tool 'computer_use_preview'",
                "display_height of the tool 'computer_use_preview'",
                "environment of the tool 'computer_use_preview'",
            ],
        ),
        (
            GPT,
            {"type": "computer_20250124", "name": "computer", **PX},
            {"type": "computer"},
            ["display_width of the tool 'computer'", "display_height of the tool 'computer'"],
        ),
        (GPT, {"type": "tool_search_tool_regex", "name": "tool_search_tool_regex"}, {"type": "tool_search"}, []),
        (
            SONNET,
            {"type": "tool_search", "execution": "server"},
            {"type": "tool_search_tool_bm25_20251119", "name": "tool_search_tool_bm25"},
            [],
        ),
    ],
)
def test_either_dialect_is_translated(oracle, model: str, own: JsonObject, wanted: JsonObject, named: list[str]):
    before = copy.deepcopy(own)
    encoded = encode(model, own, FUNCTION)
    assert encoded.body["tools"][0] == wanted
    assert [item["what"] for item in encoded.adjustments] == named
    assert own == before
    wire = "anthropic_messages" if provider_of(model) == "anthropic" else "openai_responses"
    assert oracle.validate(ENDPOINTS[wire], encoded.body) == []


@pytest.mark.parametrize(
    "model, own, match",
    [
        (SONNET, {"type": "namespace", "name": "n", "description": "d", "tools": []}, "bind the tools themselves"),
        (SONNET, {"type": "local_shell"}, "'bash'"),
        (SONNET, {"type": "programmatic_tool_calling"}, "allowed_callers"),
        (GPT, {"type": "web_fetch_20250910", "name": "web_fetch"}, "'web_search'"),
        (GPT, {"type": "advisor_20260301", "name": "advisor"}, "no tool like it"),
        (GPT, {"type": "browser_toolset_20260801"}, "'computer'"),
        (SONNET, "computer", r"'computer' needs `display_width` and `display_height`.*'computer_20251124'"),
        ("computer-use-preview", SCREEN, "needs `environment`"),
        (GPT, "file_search", "needs `vector_store_ids`"),
        (SONNET, {"type": "tool_search", "execution": "client", "parameters": {}}, "`execution`.*a tool of your own"),
    ],
)
def test_what_has_no_equivalent_is_refused(model: str, own: Any, match: str):
    with pytest.raises(InvalidToolError, match=match):
        encode(model, own)


def test_two_tools_that_come_out_under_one_name():
    with pytest.raises(InvalidToolError, match="Two tools are named 'code_execution'"):
        encode(SONNET, {"type": "code_interpreter"}, {**FUNCTION, "name": "code_execution"})


def test_a_mark_stays_on_its_tool():
    marked = {"type": "web_search", "cache_control": {"type": "ephemeral", "ttl": "1h"}}
    assert sent(SONNET, marked)[0]["cache_control"] == {"type": "ephemeral", "ttl": "1h"}
    assert "cache_control" not in encode(GPT, marked).body["tools"][0]


def test_unknown_types_flow_through_untouched():
    for kind in ("lathe_20290101", "hologram", "web_search_v9", "computer_toolset"):
        own = {"type": kind, "name": "x", "anything": {"a": [None, 1]}}
        assert sent(SONNET, own) == [own]
        assert sent(GPT, own) == [own]
    # A newer date of a known tool is its owner's to judge.
    newer = {"type": "web_search_20290101", "name": "web_search", "new": 1}
    assert sent(SONNET, newer) == [newer]
    assert known("lathe_20290101") is None


# --- betas ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "model, tool, beta",
    [
        (OLD, SCREEN, "computer-use-2025-01-24"),
        (SONNET, SCREEN, "computer-use-2025-11-24"),
        (NEW, "computer", None),
        (SONNET, "web_search", None),
        (SONNET, "memory", None),
        (SONNET, {"type": "mcp", "server_label": "d", "server_url": "https://d.test", "require_approval": "never"},
         "mcp-client-2025-11-20"),
        (SONNET, {"type": "advisor_20260301", "name": "advisor", "model": OLD}, "advisor-tool-2026-03-01"),
    ],
)  # fmt: skip
def test_betas_come_by_themselves(model: str, tool: Any, beta: str | None):
    encoded = encode(model, tool)
    assert encoded.headers.get("anthropic-beta") == beta
    assert encode(model, tool, betas=("mine-2030-01-01",)).headers["anthropic-beta"].split(",")[0] == "mine-2030-01-01"


def test_litellms_computer(oracle):
    """The dict that LiteLLM's page shows."""
    documented = {
        "type": "computer_20241022",
        "function": {
            "name": "computer",
            "parameters": {"display_height_px": 100, "display_width_px": 100, "display_number": 1},
        },
    }
    encoded = encode("claude-3-5-sonnet-20241022", documented)
    assert encoded.body["tools"] == [
        {
            "type": "computer_20241022",
            "name": "computer",
            "display_height_px": 100,
            "display_width_px": 100,
            "display_number": 1,
        }
    ]
    assert encoded.headers["anthropic-beta"] == "computer-use-2024-10-22"
    assert oracle.validate("anthropic-beta", encoded.body) == []
    assert encode(GPT, documented).body["tools"] == [{"type": "computer"}]


# --- MCP --------------------------------------------------------------------------------------------------------------

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
    there = settle(tool_specs([DOCS]), "anthropic")
    assert settle(there.specs, "openai", there.native).specs[0].definition == DOCS


def test_a_tool_that_was_switched_off_does_not_come_on_elsewhere():
    denied = {**TOOLSET, "configs": {"delete": {"enabled": False}}}
    with pytest.raises(InvalidToolError, match="cannot switch off 'delete'"):
        encode(GPT, denied, native={"mcp_servers": [SERVER]})
    with pytest.raises(InvalidToolError, match="defers all tools"):
        encode(GPT, {**TOOLSET, "configs": {"a": {"defer_loading": True}}}, native={"mcp_servers": [SERVER]})
    with pytest.raises(InvalidToolError, match=r"needs `name` and `url`"):
        encode(GPT, native={"mcp_servers": [{"type": "url", "name": "docs", "authorization_token": "s3cret"}]})


# --- what a BaseTool says -------------------------------------------------------------------------------------------


def with_extras(**extras: Any) -> StructuredTool:
    @tool(extras=extras)
    def look_up(order: str) -> str:
        """Look an order up."""
        return order

    assert isinstance(look_up, StructuredTool)
    return look_up


EXTRAS: list[tuple[str, Any]] = [
    ("cache_control", {"type": "ephemeral"}),
    ("allowed_callers", ["direct"]),
    ("input_examples", [{"order": "7"}]),
    ("eager_input_streaming", True),
    ("defer_loading", True),
]


@pytest.mark.parametrize("key, value", EXTRAS)
def test_extras_on_anthropic(oracle, key: str, value: Any):
    """The fields that langchain-anthropic reads."""
    encoded = encode(SONNET, with_extras(**{key: value}), "tool_search")
    assert encoded.body["tools"][0][key] == value
    assert encoded.adjustments == ()
    assert oracle.validate("anthropic", encoded.body) == []


@pytest.mark.parametrize("key", ["defer_loading", "async"])
def test_extras_on_openai(oracle, key: str):
    """The fields that langchain-openai reads."""
    encoded = encode(GPT, with_extras(**{key: True}), "tool_search")
    assert encoded.body["tools"][0][key] is True
    assert encoded.adjustments == ()
    assert oracle.validate("responses", encoded.body) == []
    assert lost(GPT, with_extras(**{key: True}), wire="openai_chat") == [f"{key} of tool 'look_up'"]


def test_extras_that_the_other_provider_has_are_named():
    assert lost(SONNET, with_extras(**{"async": True})) == ["option 'async' of tool 'look_up'"]
    extras = with_extras(input_examples=[{"order": "7"}], eager_input_streaming=True)
    assert lost(GPT, extras) == ["input_examples of the tool 'look_up'", "eager_input_streaming of the tool 'look_up'"]
    marked = with_extras(cache_control={"type": "ephemeral"})
    assert lost(GPT, marked) == ["the prompt-cache mark on the tool 'look_up'"]


def test_a_providers_definition_in_extras_stands_for_the_tool():
    definition = {"type": "memory_20250818", "name": "memory"}
    memory = with_extras(provider_tool_definition=definition, cache_control={"type": "ephemeral"})
    assert sent(SONNET, memory) == [{**definition, "cache_control": {"type": "ephemeral"}}]
    neutral = with_extras(provider_tool_definition={"type": "web_search"})
    assert sent(SONNET, neutral) == [{"type": "web_search_20260209", "name": "web_search"}]
    assert sent(GPT, neutral) == [{"type": "web_search"}]


# --- free-form tools --------------------------------------------------------------------------------------------------

LARK = {"syntax": "lark", "definition": 'start: "a"+'}
REGEX = {"syntax": "regex", "definition": "a+"}


@pytest.mark.parametrize("grammar", [LARK, REGEX], ids=["lark", "regex"])
@pytest.mark.parametrize("nested", [True, False], ids=["as chat has it", "as responses has it"])
def test_grammars_are_written_as_each_wire_has_them(oracle, grammar: JsonObject, nested: bool):
    form = {"type": "grammar", "grammar": grammar} if nested else {"type": "grammar", **grammar}
    custom = {"type": "custom", "name": "sql", "description": "d", "format": form}
    chat = encode(GPT, custom, wire="openai_chat").body
    inner = {"name": "sql", "description": "d", "format": {"type": "grammar", "grammar": grammar}}
    assert chat["tools"] == [{"type": "custom", "custom": inner}]
    responses = encode(GPT, {"type": "custom", "custom": inner}).body
    assert responses["tools"] == [{**custom, "format": {"type": "grammar", **grammar}}]
    assert oracle.validate("chat", chat) == []
    assert oracle.validate("responses", responses) == []


@pytest.mark.parametrize("form", [None, {"type": "text"}, {"type": "grammar", **LARK}])
def test_free_form_tools_are_refused_by_name_on_anthropic(form: Any):
    custom = {"type": "custom", "name": "sql", **({"format": form} if form else {})}
    with pytest.raises(InvalidToolError, match=r"'sql' takes free-form text.*JSON schema"):
        encode(SONNET, custom)


def test_langchains_decorator_makes_a_free_form_tool():
    custom_tool = pytest.importorskip("langchain_openai").custom_tool

    @custom_tool(format={"type": "grammar", **LARK})
    def sql(query: str) -> str:
        """Run it."""
        return query

    assert sent(GPT, sql) == [
        {"type": "custom", "name": "sql", "description": "Run it.", "format": {"type": "grammar", **LARK}}
    ]


# --- deferred tools, and tools called from code ---------------------------------------------------------------------


def test_deferred_tools_and_their_search(oracle):
    deferred = {**FUNCTION, "defer_loading": True}
    claude = encode(SONNET, deferred, "tool_search").body
    assert claude["tools"] == [
        {**FUNCTION, "defer_loading": True},
        {"type": "tool_search_tool_bm25_20251119", "name": "tool_search_tool_bm25"},
    ]
    gpt = encode(GPT, deferred, "tool_search").body
    assert gpt["tools"][0]["defer_loading"] is True
    assert gpt["tools"][1] == {"type": "tool_search"}
    assert oracle.validate("anthropic", claude) == []
    assert oracle.validate("responses", gpt) == []
    with pytest.raises(InvalidToolError, match="all deferred: bind 'tool_search'"):
        encode(SONNET, deferred)


def test_a_mark_on_a_deferred_tool_is_named():
    marked = {**FUNCTION, "defer_loading": True, "cache_control": {"type": "ephemeral"}}
    encoded = encode(SONNET, marked, "tool_search")
    assert "cache_control" not in encoded.body["tools"][0]
    assert [item["what"] for item in encoded.adjustments] == ["the prompt-cache mark on the tool 'f'"]


def test_a_mark_on_a_deferred_tool_stands_on_the_loaded_one_before_it():
    marked = {**FUNCTION, "defer_loading": True, "cache_control": {"type": "ephemeral"}}
    tools = sent(SONNET, "tool_search", marked)
    assert [tool.get("cache_control") for tool in tools] == [{"type": "ephemeral"}, None]


def test_programmatic_callers_are_code_execution_on_anthropic():
    called = {**FUNCTION, "allowed_callers": ["direct", "programmatic"]}
    assert sent(SONNET, called, "code_execution")[0]["allowed_callers"] == ["direct", "code_execution_20260120"]
    own = {"type": "code_execution_20260521", "name": "code_execution"}
    assert sent(SONNET, called, own)[0]["allowed_callers"] == ["direct", "code_execution_20260521"]
    assert sent(GPT, called)[0]["allowed_callers"] == ["direct", "programmatic"]
    with pytest.raises(InvalidToolError, match=r"'f' names 'programmatic'.*'code_execution'"):
        encode(SONNET, called)


# --- recorded requests, and the page --------------------------------------------------------------------------------


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
    assert committed == server_tools_docs.page()

"""Tools that the providers define: by neutral name and in either dialect."""

from __future__ import annotations

import copy
import typing
from typing import Any

import pytest
from anthropic.types.beta import BetaToolUnionParam
from openai.types.responses import ToolParam
from typing_extensions import get_type_hints

from langchain_unified.errors import InvalidToolError
from langchain_unified.profiles import known_models, profile_for
from langchain_unified.request import JsonObject
from langchain_unified.tools.server.forms import FORMS, NAMES, OTHER_FORMS, REMEDIES, known
from langchain_unified.tools.server.translate import translate_tools
from langchain_unified.tools.spec import tool_spec
from langchain_unified.tools.specs import tool_specs
from tests.support.oracle import ENDPOINTS
from tests.tools.helpers import FUNCTION, GPT, NEW, OLD, SONNET, encode, lost, provider_of, sent

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
    assert translate_tools(specs, "openai").specs == specs
    assert all(before is after for before, after in zip(specs, translate_tools(specs, "openai").specs, strict=True))
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
        (GPT, {"type": "advisor_20260301", "name": "advisor"}, "no such tool"),
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

"""One meaning of `tool_choice` on every wire, what models refuse of it, and tools that no provider would take."""

from __future__ import annotations

import json
import pickle
from typing import Any, get_args, get_type_hints

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from openai.types.responses import ToolChoiceApplyPatchParam, ToolChoiceShellParam, ToolChoiceTypesParam
from openai.types.responses.response_create_params import ToolChoiceSpecificProgrammaticToolCallingParam

from langchain_unified.errors import InvalidToolError
from langchain_unified.messages.turns import turns
from langchain_unified.profiles import profile_for
from langchain_unified.request import Encoded, JsonObject, Provider, Request, ToolSpec, Turn, WireName
from langchain_unified.tools.choice import parallel_in, parse_tool_choice
from langchain_unified.tools.server.translate import translate_tools
from langchain_unified.tools.spec import tool_spec
from langchain_unified.tools.specs import check_names, tool_dict, tool_specs
from langchain_unified.wires import WIRES
from langchain_unified.wires.openai_responses.tools import CHOSEN_BY_TYPE
from tests.support.oracle import ENDPOINTS

MODELS = {"anthropic_messages": "claude-sonnet-4-5", "openai_chat": "gpt-4o", "openai_responses": "gpt-5.6"}


def function(name: str) -> JsonObject:
    return {"name": name, "input_schema": {"type": "object", "properties": {}}}


F, G = function("f"), function("g")


def encode(
    wire: WireName,
    choice: Any,
    tools: Any = (F, G),
    model: str | None = None,
    parallel: bool | None = None,
    **params: Any,
) -> Encoded:
    """A call with this `tool_choice`, in any of the ways to write it."""
    provider: Provider = "anthropic" if wire == "anthropic_messages" else "openai"
    name = model or MODELS[wire]
    profile = profile_for(provider, name)
    translated = translate_tools(tool_specs(tools), provider, None, profile)
    check_names(translated.specs)
    said = False if parallel_in(choice) is False else parallel
    if said is not None:
        params["parallel_tool_calls"] = said
    request = Request(
        model=name,
        turns=turns([HumanMessage("hi")], wire),
        params={"max_tokens": 4096, **params},  # type: ignore[typeddict-item]
        tools=translated.specs,
        tool_choice=parse_tool_choice(choice, translated.specs),
        native=translated.native,
        profile=profile,
    )
    found = WIRES[wire].encode(request)
    return Encoded(found.body, found.headers, (*translated.adjustments, *found.adjustments))


def chosen(wire: WireName, choice: Any, **more: Any) -> Any:
    encoded = encode(wire, choice, **more)
    assert encoded.adjustments == ()
    return encoded.body.get("tool_choice")


# --- the table --------------------------------------------------------------------------------------------------------

NAMED = (
    {"type": "tool", "name": "f"},
    {"type": "function", "function": {"name": "f"}},
    {"type": "function", "name": "f"},
)
ANY = ({"type": "any"}, "required", "required")
BOTH: list[JsonObject] = [{"type": "function", "name": "f"}, {"type": "function", "name": "g"}]

TABLE: list[tuple[Any, tuple[Any, Any, Any]]] = [
    (None, (None, None, None)),
    (False, (None, None, None)),
    ("auto", ({"type": "auto"}, "auto", "auto")),
    ("any", ANY),
    ("required", ANY),
    (True, ANY),
    ("none", ({"type": "none"}, "none", "none")),
    ("f", NAMED),
    ({"type": "auto"}, ({"type": "auto"}, "auto", "auto")),
    ({"type": "any"}, ANY),
    ({"type": "none"}, ({"type": "none"}, "none", "none")),
    ({"type": "tool", "name": "f"}, NAMED),
    ({"type": "function", "function": {"name": "f"}}, NAMED),
    ({"type": "function", "name": "f"}, NAMED),
    (
        ["f", "g"],
        (
            {"type": "auto"},
            {
                "type": "allowed_tools",
                "allowed_tools": {
                    "mode": "auto",
                    "tools": [{"type": "function", "function": {"name": name}} for name in ("f", "g")],
                },
            },
            {"type": "allowed_tools", "mode": "auto", "tools": BOTH},
        ),
    ),
    (
        {"type": "allowed_tools", "mode": "required", "tools": BOTH},
        (
            {"type": "any"},
            {
                "type": "allowed_tools",
                "allowed_tools": {
                    "mode": "required",
                    "tools": [{"type": "function", "function": {"name": name}} for name in ("f", "g")],
                },
            },
            {"type": "allowed_tools", "mode": "required", "tools": BOTH},
        ),
    ),
]


@pytest.mark.parametrize("wire", ENDPOINTS)
@pytest.mark.parametrize("choice, wanted", TABLE, ids=[str(choice)[:40] for choice, _ in TABLE])
def test_one_meaning_on_every_wire(oracle, wire: WireName, choice: Any, wanted: tuple[Any, ...]):
    encoded = encode(wire, choice)
    assert encoded.body.get("tool_choice") == wanted[list(ENDPOINTS).index(wire)]
    assert encoded.adjustments == ()
    assert oracle.validate(ENDPOINTS[wire], encoded.body) == []


@pytest.mark.parametrize("wire", ENDPOINTS)
def test_no_word_of_the_list_is_taken_for_a_tool_of_that_name(wire: WireName):
    for word in ("auto", "any", "required", "none"):
        assert "'name'" not in str(chosen(wire, word))


@pytest.mark.parametrize("required", [True, False])
def test_some_of_the_tools_on_anthropic_leave_the_tools_as_they_are(required: bool):
    three = (F, G, function("h"))
    choice = {"type": "allowed_tools", "mode": "required" if required else "auto", "tools": BOTH}
    narrowed, plain = encode("anthropic_messages", choice, three), encode("anthropic_messages", None, three)
    assert narrowed.body["tools"] == plain.body["tools"]
    assert narrowed.body["tool_choice"] == {"type": "any" if required else "auto"}
    (said,) = narrowed.adjustments
    assert said["what"] == "tool_choice"
    assert "f, g" in said["why"]


@pytest.mark.parametrize("wire", ENDPOINTS)
def test_allowed_tools_may_be_listed_by_name(wire: WireName):
    named = {"type": "allowed_tools", "mode": "required", "tools": ["f", "g"]}
    assert chosen(wire, named) == chosen(wire, {**named, "tools": BOTH})


def test_the_only_tool_that_must_be_called_is_forced_on_anthropic():
    choice = {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [{"function": {"name": "f"}}]}}
    assert chosen("anthropic_messages", choice) == {"type": "tool", "name": "f"}


# --- parallel calls ---------------------------------------------------------------------------------------------------


def test_parallel_calls():
    off = {"disable_parallel_tool_use": True}
    assert chosen("anthropic_messages", None, parallel=False) == {"type": "auto", **off}
    assert chosen("anthropic_messages", "any", parallel=False) == {"type": "any", **off}
    assert chosen("anthropic_messages", "f", parallel=False) == {"type": "tool", "name": "f", **off}
    assert chosen("anthropic_messages", "none", parallel=False) == {"type": "none"}
    assert chosen("anthropic_messages", "auto", parallel=True) == {"type": "auto"}
    own = {"type": "any", "disable_parallel_tool_use": True}
    assert chosen("anthropic_messages", own) == own
    for wire in ("openai_chat", "openai_responses"):
        body = encode(wire, own).body  # type: ignore[arg-type]
        assert (body["tool_choice"], body["parallel_tool_calls"]) == ("required", False)


# --- models that refuse a forced call ---------------------------------------------------------------------------------

FREE = ["claude-opus-5-5", "claude-sonnet-5-5", "claude-fable-5", "claude-fable-5-2", "claude-mythos-5"]
FORCED: list[Any] = ["any", True, "f", {"type": "tool", "name": "f"}, {"type": "function", "function": {"name": "f"}}]


@pytest.mark.parametrize("model", FREE)
@pytest.mark.parametrize("choice", FORCED, ids=str)
def test_a_forced_call_becomes_auto_where_the_model_refuses_it(oracle, model: str, choice: Any):
    encoded = encode("anthropic_messages", choice, model=model)
    assert encoded.body["tool_choice"] == {"type": "auto"}
    (said,) = encoded.adjustments
    assert said["what"] == "tool_choice"
    assert model in said["why"]
    off = encode("anthropic_messages", choice, model=model, parallel=False).body["tool_choice"]
    assert off == {"type": "auto", "disable_parallel_tool_use": True}
    assert oracle.validate("anthropic", encoded.body) == []


@pytest.mark.parametrize("model", FREE)
@pytest.mark.parametrize("choice", [None, "auto", "none", ["f", "g"]], ids=str)
def test_what_forces_nothing_is_sent_to_those_models_too(model: str, choice: Any):
    kind = chosen("anthropic_messages", choice, model=model)
    assert kind == (None if choice is None else {"type": "none" if choice == "none" else "auto"})


@pytest.mark.parametrize("model", ["claude-sonnet-4-5", "claude-opus-4-8", "claude-opus-5", "claude-haiku-5-5"])
def test_other_models_are_forced(model: str):
    assert chosen("anthropic_messages", "f", model=model) == {"type": "tool", "name": "f"}


@pytest.mark.parametrize("choice", FORCED, ids=str)
def test_thinking_within_a_budget_refuses_a_forced_call(choice: Any):
    thinking = {"type": "enabled", "budget_tokens": 1024}
    encoded = encode("anthropic_messages", choice, thinking=thinking)
    assert encoded.body["thinking"] == thinking
    assert encoded.body["tool_choice"] == {"type": "auto"}
    assert [item["what"] for item in encoded.adjustments] == ["tool_choice"]
    assert chosen("anthropic_messages", choice, thinking={"type": "disabled"})["type"] in ("any", "tool")
    # Adaptive thinking takes it.
    adaptive = {"model": "claude-opus-4-8", "thinking": {"type": "adaptive"}}
    assert chosen("anthropic_messages", choice, **adaptive)["type"] in ("any", "tool")


# --- tools that a provider defines ------------------------------------------------------------------------------------

SERVED = ("web_search", "code_execution", F)
SEARCH = {"type": "web_search"}


@pytest.mark.parametrize(
    "wire, choice, wanted",
    [
        ("anthropic_messages", "web_search", {"type": "tool", "name": "web_search"}),
        ("anthropic_messages", {"type": "web_search"}, {"type": "tool", "name": "web_search"}),
        ("anthropic_messages", "code_execution", {"type": "tool", "name": "code_execution"}),
        ("openai_responses", "web_search", {"type": "allowed_tools", "mode": "required", "tools": [SEARCH]}),
        ("openai_responses", "code_execution", {"type": "code_interpreter"}),
        ("openai_responses", {"type": "tool", "name": "code_execution"}, {"type": "code_interpreter"}),
        ("openai_responses", {"type": "code_interpreter"}, {"type": "code_interpreter"}),
        (
            "openai_responses",
            ["f", "code_execution"],
            {
                "type": "allowed_tools",
                "mode": "auto",
                "tools": [{"type": "function", "name": "f"}, {"type": "code_interpreter"}],
            },
        ),
    ],
)
def test_a_server_tool_is_chosen_by_the_name_it_was_bound_by(oracle, wire: WireName, choice: Any, wanted: JsonObject):
    encoded = encode(wire, choice, SERVED)
    assert encoded.body["tool_choice"] == wanted
    assert encoded.adjustments == ()
    assert oracle.validate(ENDPOINTS[wire], encoded.body) == []


def test_the_only_tool_is_the_one_that_is_required():
    assert chosen("openai_responses", "web_search", tools=("web_search",)) == "required"
    assert chosen("openai_responses", "code_execution", tools=("code_execution",)) == {"type": "code_interpreter"}


def test_choices_by_type_are_those_of_the_sdk():
    typed = get_args(get_type_hints(ToolChoiceTypesParam)["type"])
    own = (ToolChoiceApplyPatchParam, ToolChoiceShellParam, ToolChoiceSpecificProgrammaticToolCallingParam)
    assert {*typed, *(get_args(get_type_hints(each)["type"])[0] for each in own)} == CHOSEN_BY_TYPE


def test_openais_dialect_of_tool_and_choice_on_anthropic():
    bound = ({"type": "code_interpreter", "container": {"type": "auto"}}, F)
    for choice in ("code_interpreter", {"type": "code_interpreter"}):
        assert chosen("anthropic_messages", choice, tools=bound) == {"type": "tool", "name": "code_execution"}


def test_a_set_of_tools_has_no_name_to_force():
    """Neither an MCP server's toolset nor the computer's can be named: any tool at all is the nearest."""
    docs = {"type": "mcp", "server_label": "docs", "server_url": "https://d.test", "require_approval": "never"}
    for choice in ("docs", {"type": "mcp", "server_label": "docs", "name": "ask"}):
        encoded = encode("anthropic_messages", choice, (docs, F))
        assert encoded.body["tool_choice"] == {"type": "any"}
        assert [item["what"] for item in encoded.adjustments] == ["tool_choice"]
    assert chosen("openai_responses", "docs", tools=(docs, F)) == {"type": "mcp", "server_label": "docs"}
    own = {"type": "mcp", "server_label": "docs", "name": "ask"}
    assert chosen("openai_responses", own, tools=(docs, F)) == own


def test_a_form_that_nobody_knows_flows_through():
    newer = {"type": "oracle", "depth": 3}
    assert chosen("anthropic_messages", newer) == newer
    assert chosen("openai_responses", newer) == newer


# --- bad input --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "tools, choice, match",
    [
        ((), "any", "no tools are bound"),
        ((), True, "no tools are bound"),
        ((), "f", "no tools are bound"),
        ((), ["f"], "no tools are bound"),
        ((F, G), "h", r"'h', which is not bound\. Bound tools: f, g"),
        ((F, G), {"type": "tool", "name": "h"}, "'h', which is not bound"),
        ((F, G), {"type": "function", "function": {"name": "h"}}, "'h', which is not bound"),
        ((F, G), ["f", "h"], "'h', which is not bound"),
        ((F, G), [], "its list is empty"),
        ((F, G), {"type": "tool"}, "{'type': 'tool'} has no `name`"),
        ((F, G), {"name": "f"}, "no `type`"),
        ((F, G), 7, "7 is not understood"),
        ((F, G), {"type": "allowed_tools"}, "its list is empty"),
        ((F, G), {"type": "allowed_tools", "mode": "any", "tools": ["f"]}, "mode 'any': it is 'auto' or 'required'"),
        ((F, function("f")), None, "Two tools are named 'f'"),
        (("web_search", function("web_search")), None, "Two tools are named 'web_search'"),
    ],
)
@pytest.mark.parametrize("wire", ["anthropic_messages", "openai_responses"])
def test_a_choice_or_a_list_that_cannot_be(wire: WireName, tools: Any, choice: Any, match: str):
    with pytest.raises(InvalidToolError, match=match):
        encode(wire, choice, tools)


@pytest.mark.parametrize("choice", ["auto", "none"])
@pytest.mark.parametrize("wire", ["anthropic_messages", "openai_chat"])
def test_a_choice_that_forces_nothing_needs_no_tools(wire: WireName, choice: str):
    assert chosen(wire, choice, tools=()) is None


@pytest.mark.parametrize(
    "tool",
    [
        {"name": "f", "parameters": [1]},
        {"name": "f", "input_schema": "x"},
        {"type": "function", "function": {"name": "f", "parameters": "x"}},
    ],
)
def test_a_schema_that_is_no_object(tool: Any):
    with pytest.raises(InvalidToolError, match=r"'f' has a schema that is no object.*`parameters`"):
        tool_spec(tool)


def tool(schema: JsonObject, name: str = "f") -> JsonObject:
    return {"name": name, "input_schema": schema}


def having(**properties: JsonObject) -> JsonObject:
    return {"type": "object", "properties": properties}


@pytest.mark.parametrize(
    "bad, match",
    [
        (having(a={"type": "int"}), "tool 'f' has an unusable `type` at a: 'int'. Types are null, boolean"),
        (having(a={"type": "array", "items": having(b={"enum": []})}), r"unusable `enum` at a\[\]\.b"),
        (having(a={"$ref": "#/$defs/Gone"}), r"unusable `\$ref` at a"),
        (having(a={"type": "string", "required": True}), "unusable `required` at a: True"),
        ({**having(a={"type": "string"}), "required": "a"}, "unusable `required` at the root: 'a'"),
        ({"type": "string"}, "tool 'f' is of type 'string', but arguments are an object"),
    ],
)
@pytest.mark.parametrize("strict", [None, True])
def test_a_schema_that_no_provider_takes_raises_where_it_is_bound(bad: JsonObject, match: str, strict: bool | None):
    with pytest.raises(InvalidToolError, match=match):
        tool_specs([tool(bad)], strict)


@pytest.mark.parametrize(
    "bad, match",
    [
        (5, "5 is no tool. Give a function"),
        (None, "None is no tool. Give a function"),
        ([F], "is no tool. Give a function"),
        ({**F, "description": 5}, "'f' has the `description` 5, which is no str"),
        ({**F, "strict": "yes"}, "'f' has the `strict` 'yes', which is no bool"),
        ({"type": 5, "name": "f", "title": "f"}, "The tool 'f' cannot be read"),
    ],
)
def test_what_is_no_tool(bad: Any, match: str):
    with pytest.raises(InvalidToolError, match=match):
        tool_specs([bad])


@pytest.mark.parametrize("tools", [F, "web_search", 5, test_what_is_no_tool])
def test_tools_are_a_list(tools: Any):
    with pytest.raises(InvalidToolError, match=r"Tools are given as a list, not as .*: put it in brackets"):
        tool_specs(tools)


LIMITS = {"anthropic_messages": 128, "openai_chat": 64, "openai_responses": 128}


@pytest.mark.parametrize("wire", ENDPOINTS)
@pytest.mark.parametrize("name", ["my tool", "größe", "a.b", "<lambda>", "x" * 129])
def test_names_that_a_provider_refuses(wire: WireName, name: str):
    with pytest.raises(InvalidToolError, match=f"refuses the tool name '{name}'"):
        encode(wire, None, [function(name)])
    longest = "x" * LIMITS[wire]
    assert longest in str(encode(wire, None, [function(longest)]).body["tools"])
    with pytest.raises(InvalidToolError, match="refuses the tool name"):
        encode(wire, None, [function(longest + "x")])


def schema_notes(encoded: Any) -> list[str]:
    """What was adjusted, without the `strict=false` that Responses needs for optional properties."""
    return [item["what"] for item in encoded.adjustments if not item["what"].startswith("strict of the tool ")]


@pytest.mark.parametrize("wire", ENDPOINTS)
@pytest.mark.parametrize("key", ["anyOf", "oneOf", "allOf"])
def test_a_combinator_at_the_root_is_folded_into_it(wire: WireName, key: str):
    root = {**having(), key: [having(a={"type": "string"})]}
    for strict in (None, True):
        encoded = encode(wire, None, [{**tool(root), "strict": strict}, function("g")])
        assert len(encoded.body["tools"]) == 2
        assert schema_notes(encoded) == []
        assert "'a': {'type': 'string'}" in str(encoded.body["tools"][0])
        assert key not in str(encoded.body["tools"])


@pytest.mark.parametrize("wire", ENDPOINTS)
def test_alternatives_that_no_object_expresses_are_dropped_and_named(wire: WireName):
    sides = [{"properties": {name: {"type": "string"}}, "required": [name]} for name in ("content", "source_url")]
    encoded = encode(wire, None, [tool({"type": "object", "anyOf": sides}), function("g")])
    assert schema_notes(encoded) == ["the schema of tool 'f'"]
    assert "takes no `anyOf` at the root" in encoded.adjustments[0]["why"]
    sent = encoded.body["tools"][0]
    schema = sent.get("input_schema") or sent.get("parameters") or sent["function"]["parameters"]
    assert schema["properties"] == {"content": {"type": "string"}, "source_url": {"type": "string"}}
    assert not schema.get("required")
    assert '"required": ["source_url"]' in schema["description"]


@pytest.mark.parametrize("wire", ["openai_chat", "openai_responses"])
@pytest.mark.parametrize("key, value", [("not", {"required": ["b"]}), ("enum", [{}, {"a": "x"}]), ("const", {})])
def test_other_keywords_that_openai_refuses_at_the_root_are_dropped_and_named(wire: WireName, key: str, value: Any):
    encoded = encode(wire, None, [tool({**having(a={"type": "string"}), key: value})])
    assert f"OpenAI takes no `{key}` at the root" in encoded.adjustments[0]["why"]
    sent = encoded.body["tools"][0]
    schema = sent.get("parameters") or sent["function"]["parameters"]
    assert key not in schema
    assert key in schema["description"]


def test_names_of_properties_that_anthropic_refuses():
    inner = tool(having(a=having(**{"a b": {"type": "string"}})))
    for wire in ENDPOINTS:
        assert encode(wire, None, [inner]).body["tools"]
    for name in ("a b", "größe", "$top", "x" * 65):
        bad = tool(having(**{name: {"type": "string"}}))
        with pytest.raises(InvalidToolError, match=r"Anthropic refuses the property name .* of tool 'f'"):
            encode("anthropic_messages", None, [bad])
        assert encode("openai_chat", None, [bad]).body["tools"]


@pytest.mark.parametrize(
    "damaged",
    [
        {"properties": [{}]},
        {"properties": True},
        {"required": True},
        {"anyOf": True},
        {"allOf": [{"properties": True}]},
        {"anyOf": [{"required": True}, {"type": "object"}]},
    ],
)
@pytest.mark.parametrize("strict", [None, False, True])
@pytest.mark.parametrize("wire", ENDPOINTS)
def test_a_schema_that_is_none_is_refused_by_name(wire: WireName, strict: bool | None, damaged: dict[str, Any]):
    """A server reads tools that no binding has checked."""
    spec = ToolSpec("f", parameters={"type": "object", **damaged}, strict=strict)
    with pytest.raises(InvalidToolError, match=r"The schema of tool 'f' has an unusable `(properties|required|anyOf)`"):
        WIRES[wire].encode(Request("m", (Turn("user", ({"type": "text", "text": "hi"},)),), tools=(spec,)))


@pytest.mark.parametrize("wire", ["openai_chat", "openai_responses"])
def test_what_openai_wants_of_every_function(oracle, wire: WireName):
    """An object's schema with properties, and arrays that say what they hold."""
    parameters = {**having(a={"type": "array"}), "$defs": {"P": {"type": "array", "prefixItems": [{"type": "number"}]}}}
    body = encode(wire, None, [tool({"type": "object"}), tool({"title": "g"}, "g"), tool(parameters, "h")]).body
    found = [each.get("function", each)["parameters"] for each in body["tools"]]
    assert found[0] == {"type": "object", "properties": {}}
    assert found[1] == {"type": "object", "title": "g", "properties": {}}
    assert found[2]["properties"]["a"] == {"type": "array", "items": {}}
    assert found[2]["$defs"]["P"]["items"] == {}
    assert oracle.validate(ENDPOINTS[wire], body) == []


@pytest.mark.parametrize("wire", ENDPOINTS)
def test_a_schema_that_is_a_reference_at_its_root(wire: WireName):
    node = having(next={"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}]})
    (sent,) = encode(wire, None, [tool({"$ref": "#/$defs/Node", "$defs": {"Node": node}})]).body["tools"]
    sent = sent.get("function", sent)
    assert sent.get("parameters", sent.get("input_schema")) == {**node, "$defs": {"Node": node}}


def test_a_bound_tool_is_the_tool():
    """What `bind_tools` binds is read again at each call, and loses nothing."""
    tools = [
        {**F, "strict": True, "defer_loading": True, "input_examples": [{}], "cache_control": {"type": "ephemeral"}},
        {"type": "custom", "name": "sql", "format": {"type": "text"}, "defer_loading": True, "async": True},
        {"type": "web_search", "max_uses": 3},
    ]
    specs = tool_specs(tools)
    bound = [tool_dict(spec) for spec in specs]
    assert tool_specs(bound) == specs
    assert [tool_dict(spec) for spec in tool_specs(bound)] == bound
    assert pickle.loads(pickle.dumps(bound)) == json.loads(json.dumps(bound)) == bound


@pytest.mark.parametrize(
    "block",
    [
        {"type": "tool_use", "id": "t1", "name": "f", "input": "abc"},
        {"type": "tool_use", "id": "t1", "name": "f", "input": [1]},
        {"type": "tool_call", "id": "t1", "name": "f", "args": [1]},
    ],
)
@pytest.mark.parametrize("wire", ENDPOINTS)
def test_arguments_that_are_no_object(wire: WireName, block: JsonObject):
    messages = [HumanMessage("hi"), AIMessage([block]), ToolMessage("x", tool_call_id="t1")]
    ((call,), *_) = [turn.blocks for turn in turns(messages, wire) if turn.role == "assistant"]
    text = "abc" if block.get("input") == "abc" else "[1]"
    assert call == {"type": "invalid_tool_call", "id": "t1", "name": "f", "args": text}

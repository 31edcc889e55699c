"""Binding the same tools again gives what binding them anew gives, whatever has changed in them."""

from __future__ import annotations

import threading
from copy import deepcopy
from typing import Any

import pytest
from langchain_core.tools import BaseTool, StructuredTool
from pydantic import BaseModel, Field

from langchain_unified import ChatAnthropic, ChatOpenAI
from langchain_unified.errors import InvalidToolError
from langchain_unified.tools import bound
from langchain_unified.tools.bound import bound_tools
from langchain_unified.tools.specs import tool_dict, tool_specs


class Place(BaseModel):
    """Where."""

    city: str = Field(description="A city.")


class Other(BaseModel):
    """Somewhere else."""

    street: str


SCHEMA = {"type": "object", "properties": {"city": {"type": "string", "default": 1}}}


def chat_form() -> dict[str, Any]:
    return deepcopy({"type": "function", "function": {"name": "f", "description": "Does.", "parameters": SCHEMA}})


def anthropic_form() -> dict[str, Any]:
    return deepcopy({"name": "f", "description": "Does.", "input_schema": SCHEMA})


def structured(schema: Any = Place) -> StructuredTool:
    return StructuredTool.from_function(lambda **_: "", name="f", description="Does.", args_schema=schema)


def anew(tools: list[Any], strict: bool | None = None) -> list[dict[str, Any]]:
    return [tool_dict(spec) for spec in tool_specs(deepcopy(tools) if all(map(is_dict, tools)) else tools, strict)]


def is_dict(tool: Any) -> bool:
    return isinstance(tool, dict)


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bound, "_KNOWN", {})
    monkeypatch.setattr(bound, "_CALLED", {})


def rename(tool: Any) -> None:
    holder = tool.get("function", tool) if is_dict(tool) else vars(tool)
    holder["name"] = "g"


def describe(tool: Any) -> None:
    holder = tool.get("function", tool) if is_dict(tool) else vars(tool)
    holder["description"] = "Does more."


def schema_of(tool: Any) -> dict[str, Any]:
    if not is_dict(tool):
        return tool.args_schema
    return tool["function"]["parameters"] if "function" in tool else tool["input_schema"]


def add_property(tool: Any) -> None:
    schema_of(tool)["properties"]["street"] = {"type": "string"}


def change_type(tool: Any) -> None:
    schema_of(tool)["properties"]["city"]["default"] = True  # equal to 1 in Python, not in JSON


def reorder(tool: Any) -> None:
    schema = schema_of(tool)
    schema["type"] = schema.pop("type")


def mark(tool: Any) -> None:
    if is_dict(tool):
        tool["cache_control"] = {"type": "ephemeral"}
    else:
        tool.extras = {"cache_control": {"type": "ephemeral"}}


FORMS = {
    "Chat's form": chat_form,
    "Anthropic's form": anthropic_form,
    "a tool with a JSON schema": lambda: structured(SCHEMA),
}
CHANGES = [rename, describe, add_property, change_type, reorder, mark]


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_tool_is_bound_as_it_is_now(form, change) -> None:
    tools = [form(), structured()] if not is_dict(form()) else [form()]
    if not is_dict(tools[0]):
        tools[0].args_schema = deepcopy(SCHEMA)
    for _ in range(3):
        assert repr(bound_tools(tools, None).dicts) == repr(anew(tools))
    change(tools[0])
    assert repr(bound_tools(tools, None).dicts) == repr(anew(tools))
    assert bound_tools(tools, None).specs == tool_specs(tools)


def test_a_tool_of_another_schema_class_is_read_again() -> None:
    tool = structured()
    assert "city" in str(bound_tools([tool], None).dicts)
    tool.args_schema = Other
    tool.description = tool.description + ""
    assert "street" in str(bound_tools([tool], None).dicts)


def test_a_rebuilt_schema_class_is_read_again() -> None:
    class Later(BaseModel):
        """Filled in later."""

        city: str

    tool = structured(Later)
    bound_tools([tool], None)
    Later.model_fields["city"].description = "Which."
    Later.model_rebuild(force=True)
    tool.description = "Does it."  # core reads the class again only then
    assert "Which." in str(bound_tools([tool], None).dicts)


def test_a_tool_with_a_schema_method_of_its_own_is_read_each_time() -> None:
    class Changing(BaseTool):
        name: str = "f"
        description: str = "Does."
        count: int = 0

        def _run(self) -> str:
            return ""

        @property
        def tool_call_schema(self) -> Any:
            return {"title": "f", "type": "object", "properties": {f"p{self.count}": {"type": "string"}}}

    tool = Changing()
    assert "p0" in str(bound_tools([tool], None).dicts)
    tool.count = 1
    assert "p1" in str(bound_tools([tool], None).dicts)


@pytest.mark.parametrize("form", [chat_form, anthropic_form, structured])
def test_strict_belongs_to_what_is_remembered(form) -> None:
    tools = [form()]
    for strict in (None, True, False, None, True):
        assert bound_tools(tools, strict).dicts == anew(tools, strict)


@pytest.mark.parametrize("form", [anthropic_form, structured])
def test_who_changes_what_is_bound_changes_no_later_binding(form) -> None:
    tools = [form()]
    expected = deepcopy(bound_tools(tools, None).dicts)
    changed = bound_tools(tools, None).dicts
    changed[0]["function"]["description"] = "Another."
    changed.append({})
    if not is_dict(tools[0]):
        changed[0]["function"]["parameters"]["properties"]["city"]["type"] = "integer"
    assert bound_tools(tools, None).dicts == expected


def test_a_call_sends_a_dict_as_it_is_at_the_call() -> None:
    tool = chat_form()
    models = [ChatAnthropic("claude-sonnet-4-6", api_key="k"), ChatOpenAI("gpt-4o", api_key="k")]
    for model in models:
        binding = model.bind_tools([tool]).bind_tools([tool])
        tool["function"]["description"] = f"Does it for {type(model).__name__}."
        assert f"for {type(model).__name__}" in str(binding.check("hi").body)


def test_a_schema_that_became_wrong_raises() -> None:
    for form in (chat_form, anthropic_form):
        tool = form()
        model = ChatOpenAI("gpt-4o", api_key="k")
        model.bind_tools([tool])
        schema_of(tool)["properties"] = 3
        with pytest.raises(InvalidToolError, match="properties"):
            model.bind_tools([tool]).invoke("hi")


def test_no_more_than_so_many_lists_are_kept() -> None:
    for number in range(3 * bound.MAX_LISTS):
        tools = [{"name": f"f{number}", "input_schema": SCHEMA}]
        bound_tools(tools, None)
        bound.called_tools(tools, None)
    assert 0 < len(bound._KNOWN) <= bound.MAX_LISTS
    assert 0 < len(bound._CALLED) <= bound.MAX_LISTS


def test_the_tools_of_a_call_are_read_by_their_json() -> None:
    tool = chat_form()
    first = bound.called_tools([tool], None)
    assert bound.called_tools([chat_form()], None) is first
    schema_of(tool)["properties"]["city"]["default"] = True
    assert bound.called_tools([tool], None) == tool_specs([tool])
    assert first == tool_specs([chat_form()])  # made of a copy
    assert bound.called_tools([structured()], None)[0].name == "f"
    with pytest.raises(InvalidToolError, match="brackets"):
        bound.called_tools(tool, None)  # type: ignore[arg-type]


def test_threads_bind_their_own_tools() -> None:
    wrong: list[str] = []

    def bind(number: int) -> None:
        tools = [chat_form(), anthropic_form() | {"name": f"f{number}"}]
        for step in range(100):
            tools[0]["function"]["name"] = name = f"f{number}_{step}"
            found = bound_tools(tools, None)
            if [spec.name for spec in found.specs] != [name, f"f{number}"] or found.dicts != anew(tools):
                wrong.append(name)

    threads = [threading.Thread(target=bind, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong

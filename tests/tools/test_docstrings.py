"""Descriptions from docstrings are the same on every Python: from 3.13 on, the compiler removes their indent."""

from __future__ import annotations

import pytest
from langchain_core.tools import BaseTool, StructuredTool, tool

from langchain_unified import ChatAnthropic, ChatOpenAI


@tool
def weather(city: str) -> str:
    """The weather in a city.

    With a second paragraph
        and an example.
    """
    return city


class Clock(BaseTool):
    name: str = "clock"
    description: str = "The time.\n\n    As it was written."

    def _run(self) -> str:
        return "noon"


def bare(city: str) -> str:
    """A function.

    With more.
    """
    return city


WANTED = "The weather in a city.\n\nWith a second paragraph\n    and an example."
MODELS = [ChatAnthropic(model="claude-sonnet-4-6", api_key="x"), ChatOpenAI(model="gpt-5.4", api_key="x")]


def description(model, found):
    (sent,) = model.bind_tools([found]).check("Hi").body["tools"]
    return sent.get("function", sent)["description"]


@pytest.mark.parametrize("model", MODELS, ids=["anthropic", "openai"])
def test_a_docstring_goes_out_without_the_indent_of_its_lines(model):
    assert description(model, weather) == WANTED
    weather.func.__doc__ = weather.description = WANTED.replace("\n", "\n    ")  # as Python 3.12 has it
    assert description(model, weather) == WANTED
    assert description(model, StructuredTool.from_function(bare)) == "A function.\n\nWith more."


@pytest.mark.parametrize("model", MODELS, ids=["anthropic", "openai"])
def test_a_description_that_is_no_docstring_goes_out_as_it_is(model):
    assert description(model, Clock()) == "The time.\n\n    As it was written."
    given = {"name": "f", "description": "One.\n\n    Two.", "input_schema": {"type": "object", "properties": {}}}
    assert description(model, given) == "One.\n\n    Two."

"""What the tests of `with_structured_output` share."""

from __future__ import annotations

import dataclasses
from typing import Any, Literal

import pytest
from langchain_core.tools import tool
from pydantic import BaseModel, Field
from pydantic.v1 import BaseModel as BaseModelV1

from langchain_unified.testing import Emulator
from tests.support import models

WIRES = ("anthropic", "chat", "responses")
each_wire = pytest.mark.parametrize("name", WIRES)
each_method = pytest.mark.parametrize("method", [None, "json_schema", "function_calling", "json_mode"])


def build(name: str, server: Emulator, **kwargs: Any) -> Any:
    return models.build(name, server, **{"on_unsupported": "ignore", **kwargs})


def sent(server: Emulator) -> dict[str, Any]:
    return server.requests[-1].body


def format_of(body: dict[str, Any]) -> dict[str, Any]:
    """What a body says of the answer's form, out of its wrapping."""
    found = body.get("response_format") or (body.get("text") or {}).get("format")
    found = found or (body.get("output_config") or {}).get("format") or {}
    return {**found, **found.get("json_schema", {})}


class Joke(BaseModel):
    """A joke to tell."""

    setup: str = Field(description="the question")
    punchline: str | None = None
    rating: int = Field(default=5, ge=1, le=10)
    tags: list[str] = Field(default_factory=list, max_length=3)


class JokeV1(BaseModelV1):
    """A joke to tell."""

    setup: str
    punchline: str | None = None


@dataclasses.dataclass
class JokeData:
    setup: str
    score: int = 1


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int


class Tree(BaseModel):
    label: str
    children: list[Tree] = []


class Scores(BaseModel):
    """Figures by name."""

    by_name: dict[str, int]
    anything: Any = None


JSON_SCHEMA = {
    "title": "joke",
    "description": "A joke to tell.",
    "type": "object",
    "properties": {"setup": {"type": "string"}, "score": {"type": "integer", "minimum": 1}},
    "required": ["setup"],
}
QUESTION = "Tell a joke about cats. Answer in JSON with 'setup' and 'punchline'."


@tool
def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"18 degrees in {city}"


def object_of(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": [*properties]}

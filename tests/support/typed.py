"""Types that the tests of schemas and structured output share."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import typing
import uuid
from typing import Annotated, Literal

from pydantic import BaseModel, Field, RootModel
from pydantic.v1 import BaseModel as BaseModelV1
from pydantic.v1 import Field as FieldV1


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Part(BaseModel):
    """A part."""

    size: int = Field(ge=1, le=5, description="in mm")
    made: dt.date | None = None


class Machine(BaseModel):
    """A machine."""

    name: str
    colour: Colour = Colour.RED
    kind: Literal["press"]
    model: Literal["a", 3]
    main: Part = Field(description="the main part")
    parts: list[Part] = Field(min_length=1, max_length=4)
    number: int | str | None
    code: str = Field(pattern="^[a-z]+$")
    serial: uuid.UUID
    labels: list[str] = Field(default_factory=list)


class Node(BaseModel):
    value: int
    children: list[Node] = []


class Wrapper(RootModel[Part]):
    pass


class NodeV1(BaseModelV1):
    """A node."""

    value: int
    note: str | None = None
    child: NodeV1 | None = FieldV1(None, description="below")


NodeV1.update_forward_refs()


class Joke(typing.TypedDict):
    """A joke.

    Args:
        score: from 1 to 10
    """

    setup: Annotated[str, ..., "the question"]
    punchline: Annotated[str | None, None, "the answer"]
    score: typing.NotRequired[int]


@dataclasses.dataclass
class Point:
    x: int
    y: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class Line:
    start: Point
    end: Point
    tags: list[str] = dataclasses.field(default_factory=list)


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int


class Dog(BaseModel):
    kind: Literal["dog"]
    tricks: list[str]

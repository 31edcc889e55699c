"""Runs a program with a partner package and with this one, each against its own emulator."""

from __future__ import annotations

import copy
import functools
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, is_dataclass
from typing import Any

import langchain_anthropic
import langchain_openai
from langchain_core.messages import AIMessage, BaseMessage
from pydantic import BaseModel

import langchain_unified
from docs.generate.differences import DIFFERENCES, Body
from langchain_unified.testing import emulator
from tests.dropin.programs import PROGRAMS

FIELDS: Mapping[str, Mapping[str, Any]] = {
    "anthropic": {"model": "claude-opus-5", "max_tokens": 1024},
    "chat": {"model": "gpt-4o"},
    "responses": {"model": "gpt-5", "use_responses_api": True},
}
PARTNERS: Mapping[str, Any] = {
    "anthropic": langchain_anthropic.ChatAnthropic,
    "chat": langchain_openai.ChatOpenAI,
    "responses": langchain_openai.ChatOpenAI,
}
OURS: Mapping[str, Any] = {
    "anthropic": langchain_unified.ChatAnthropic,
    "chat": langchain_unified.ChatOpenAI,
    "responses": langchain_unified.ChatOpenAI,
}
BY_NAME = {program.name: program for program in PROGRAMS}


@dataclass(frozen=True)
class Run:
    """What a program returned, and the bodies that it sent."""

    result: Any
    bodies: Sequence[Body]


def build(classes: Mapping[str, Any], api: str, server: Any, **fields: Any) -> Any:
    url = server.anthropic_url if api == "anthropic" else server.openai_url
    return classes[api](**{**FIELDS[api], "api_key": "any", "max_retries": 0, "base_url": url, **fields})


@functools.cache
def run(name: str, api: str, *, ours: bool) -> Run:
    program = BY_NAME[name]
    with emulator(*([list(program.script)] if program.script else [])) as server, warnings.catch_warnings():
        if not ours:
            warnings.simplefilter("ignore")
        result = program.run(build(OURS if ours else PARTNERS, api, server, **(program.fields or {})))
        return Run(result, [request.body for request in server.requests])


def without_differences(bodies: Sequence[Body], *, leave: Any = None) -> list[Body]:
    """Copies of the bodies in which each difference of the table, except `leave`, is made equal."""
    copied = copy.deepcopy(list(bodies))
    for difference in DIFFERENCES:
        if difference.same is not None and difference is not leave:
            for body in copied:
                difference.same(body)
    return copied


def meaning(value: Any) -> Any:
    """What a program reads of a result: texts, calls and parsed answers of messages; other values."""
    if isinstance(value, AIMessage):
        calls = [(call["name"], call["args"], call["id"]) for call in value.tool_calls]
        parsed = value.additional_kwargs.get("parsed")
        return {"text": str(value.text), "calls": calls, "parsed": meaning(parsed)}
    if isinstance(value, BaseMessage):
        return (value.type, value.text)
    if isinstance(value, BaseModel):
        return value.model_dump()
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, dict):
        raw = value.get("raw")
        return {
            key: str(raw.text) if key == "raw" and raw is not None else meaning(item) for key, item in value.items()
        }
    return [meaning(item) for item in value] if isinstance(value, list) else value

"""What else than its own text a cached prefix depends on, by wire.

Sources: Anthropic's guides to prompt caching, structured outputs and effort; OpenAI's guide to prompt caching and the
reasons that its SDK knows for a miss (`PromptCacheDiagnosticsCacheMiss`). A value that is the API's default is `None`:
to say it is to leave it out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from langchain_unified.caching.segments import Section
from langchain_unified.request import JsonObject, Profile, WireName


@dataclass(frozen=True, slots=True)
class Setting:
    """One of them. `section` is the first part of the prompt that is lost when it changes: the later ones go with it.

    `name` is what callers say it with, on every provider; `read` gives its value from a body.
    """

    name: str
    section: Section
    read: Callable[[JsonObject, Profile], Any]


Reader = Callable[[JsonObject, Profile], Any]


def _at(*path: str, default: Any = None) -> Reader:
    """The value under a path of keys; `None` where it is absent or the default."""

    def read(body: JsonObject, profile: Profile) -> Any:
        value: Any = body
        for key in path:
            value = value.get(key) if isinstance(value, Mapping) else None
        return None if value == default else value

    return read


def _effort(*path: str) -> Reader:
    def read(body: JsonObject, profile: Profile) -> Any:
        return _at(*path, default=profile.effort_default)(body, profile)

    return read


def _thinking(body: JsonObject, profile: Profile) -> Any:
    """Whether and within what budget Claude thinks. What is shown of it is no part of the prompt."""
    given = body.get("thinking")
    return [given.get("type"), given.get("budget_tokens")] if isinstance(given, Mapping) else None


def _holds(kind: str) -> Reader:
    def read(body: JsonObject, profile: Profile) -> bool:
        return kind in _kinds(body.get("messages"))

    return read


def _kinds(value: object) -> Iterator[str]:
    """The block types in messages; `citations` where a block asks for them."""
    if isinstance(value, list):
        for item in value:
            yield from _kinds(item)
    elif isinstance(value, dict):
        yield str(value.get("type"))
        if isinstance(value.get("citations"), dict) and value["citations"].get("enabled"):
            yield "citations"
        yield from _kinds(value.get("content"))


ANTHROPIC = (
    Setting("speed", "system", _at("speed", default="standard")),
    Setting("citations", "system", _holds("citations")),
    Setting("response_format", "system", _at("output_config", "format")),
    Setting("tool_choice", "messages", _at("tool_choice")),
    Setting("images", "messages", _holds("image")),
    Setting("reasoning_effort", "messages", _effort("output_config", "effort")),
    Setting("thinking", "messages", _thinking),
)

OPENAI = (
    # Requests with different keys are sent to different machines.
    Setting("prompt_cache_key", "tools", _at("prompt_cache_key")),
    Setting("service_tier", "tools", _at("service_tier", default="auto")),
    Setting("parallel_tool_calls", "tools", _at("parallel_tool_calls", default=True)),
)

SETTINGS: Mapping[WireName, tuple[Setting, ...]] = {
    "anthropic_messages": ANTHROPIC,
    "openai_chat": (
        *OPENAI,
        Setting("reasoning_effort", "tools", _effort("reasoning_effort")),
        Setting("verbosity", "tools", _at("verbosity", default="medium")),
    ),
    "openai_responses": (
        *OPENAI,
        Setting("reasoning_effort", "tools", _effort("reasoning", "effort")),
        Setting("verbosity", "tools", _at("text", "verbosity", default="medium")),
    ),
}
"""The format of OpenAI's answers is not among them: it stands in the prompt, as a segment."""


def settings_of(wire: WireName, body: JsonObject, profile: Profile, section: Section) -> list[Any]:
    """The values of a section's settings, in the order of the table."""
    return [setting.read(body, profile) for setting in SETTINGS[wire] if setting.section == section]


DAY = re.compile(r"gpt-5\.5")
"""Models of OpenAI that keep a prefix for a day unless told otherwise."""


def retention(body: JsonObject) -> str:
    """How long an OpenAI model without breakpoints keeps a prefix: what the body asks for, else the model's own."""
    asked = body.get("prompt_cache_retention")
    return str(asked or ("24h" if DAY.match(str(body.get("model") or "")) else "in_memory"))

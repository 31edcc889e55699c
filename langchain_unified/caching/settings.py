"""What a cached prefix depends on besides its own text: the pieces of which each wire makes its table.

A value that is the API's default is read as `None`: a call that gives it and a call that leaves it out are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from langchain_unified.caching.segments import Section
from langchain_unified.request import JsonObject, Profile

SettingReader: TypeAlias = Callable[[JsonObject, Profile], Any]


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting. `section` is the first part of the prompt that is lost when it changes: the later ones go with it.

    `name` is the caller's word for it, on every provider; `read` gives its value from a body.
    """

    name: str
    section: Section
    read: SettingReader


def value_at(*path: str, default: Any = None) -> SettingReader:
    """Reads the value under a path of keys: `None` where it is absent or the default."""

    def read(body: JsonObject, profile: Profile) -> Any:
        value: Any = body
        for key in path:
            value = value.get(key) if isinstance(value, Mapping) else None
        return None if value == default else value

    return read


def effort_at(*path: str) -> SettingReader:
    """Reads the reasoning effort under a path of keys: `None` where it is absent or the model's default."""

    def read(body: JsonObject, profile: Profile) -> Any:
        return value_at(*path, default=profile.effort_default)(body, profile)

    return read


def settings_of(settings: Iterable[Setting], body: JsonObject, profile: Profile, section: Section) -> list[Any]:
    """The values of a section's settings, in the order of the table."""
    return [setting.read(body, profile) for setting in settings if setting.section == section]


def retention(body: JsonObject, profile: Profile) -> str:
    """How long an OpenAI model without breakpoints keeps a prefix: what the body asks for, else the model's default."""
    return str(body.get("prompt_cache_retention") or profile.cache_retention)

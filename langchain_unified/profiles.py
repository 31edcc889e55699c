"""Model id -> what the model can do and refuses.

`data/models.json` is a dated table of facts (`as_of`, and the source of each family of facts); it is read on first
use. An entry names another entry that it is `like`, and what differs. An id that is not in it is found by its family:

1. a snapshot (`-20250929`, `@20250929`, `-2024-08-06`) or `-latest` is its model;
2. `known-something` is the longest known id before a hyphen;
3. another version is the nearest older version of the same family, or the oldest (`claude-opus-7`, `gpt-7`);
4. a family without a version is its newest model; anything else has the defaults of `Profile`.

For the ids of 2 to 4, `name_parts` overrides what a part of the id tells (`-pro`). `register_profile` overrides single
facts, for a private model or one that is newer than this table.
"""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Mapping
from importlib import resources
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

import orjson

from langchain_unified.errors import ConfigurationError
from langchain_unified.request import JsonObject, Profile, Provider

if TYPE_CHECKING:
    from langchain_core.language_models.model_profile import ModelProfile

PROFILE_FIELDS = frozenset(field.name for field in dataclasses.fields(Profile))

IDENTITY = ("name", "release_date", "last_updated", "status", "shutdown_date")
"""What a model does not share with the one it is like."""

PROVIDER_NAMES: Mapping[Provider, re.Pattern[str]] = {
    "anthropic": re.compile(r"claude-", re.IGNORECASE),
    "openai": re.compile(
        r"(ft:)?(gpt-(?!image|realtime|transcribe|live)|o\d|chatgpt-(?!image)|codex-|computer-use-preview)",
        re.IGNORECASE,
    ),
}
"""How an id without a prefix tells its provider. Models of images, speech and embeddings are no chat models."""

VENDORS = frozenset({"anthropic", "openai", "azure", "azure_ai", "bedrock", "vertex_ai", "github_copilot"})
"""What stands before a model of a provider's in the ids of routers (`openrouter/openai/gpt-5.6`, `azure/gpt-5.6`)."""

_PREFIX = re.compile(r"^(anthropic|openai)[/:]")
_ROUTED = re.compile(r"(?P<vendors>.*/)?(?:[a-z-]+\.)*(?P<name>[^/]+?)(?:-v\d+)?(?::[a-z0-9]+)?$", re.IGNORECASE)
"""An id of a router or a cloud: `vendor/model:variant`, `us.anthropic.claude-…-v1:0`."""
_SNAPSHOT = re.compile(r"([-@](\d{8}|\d{4}-\d{2}-\d{2})|-latest)$")
_VERSIONED = re.compile(r"(?P<family>claude-[a-z]+|gpt|o)-?(?P<version>\d+(?:[.-]\d{1,2})?)?(?![\d.])(?P<rest>.*)$")

_overrides: dict[str, JsonObject] = {}


@functools.lru_cache(maxsize=512)
def profile_for(provider: Provider | None, model: str) -> Profile:
    """The profile of `model`, an id without a provider's prefix. Unknown models get the defaults."""
    facts: JsonObject = {key: value for key, value in _facts(provider, model).items() if key in PROFILE_FIELDS}
    for key in ("effort_levels", "inputs"):
        if key in facts:
            facts[key] = tuple(facts[key])
    return Profile(**facts)


@functools.lru_cache(maxsize=512)
def _model_profile(provider: Provider | None, model: str) -> Mapping[str, Any] | None:
    facts = _facts(provider, model)
    if not facts:
        return None
    known = _known_to_core()
    return MappingProxyType({key: value for key, value in _core_keys(facts).items() if key in known})


def model_profile(provider: Provider | None, model: str) -> ModelProfile | None:
    """LangChain's `profile` dict, with the keys that the installed core knows; `None` for an unknown model."""
    found = _model_profile(provider, model)
    return None if found is None else cast("ModelProfile", dict(found))


def with_given_profile(profile: Profile, given: Mapping[str, Any], default: Mapping[str, Any]) -> Profile:
    """The profile with what LangChain's dict `given` says otherwise than `default`, the dict of the table."""
    changed = {
        field: value
        for key, field in GIVEN_FIELDS.items()
        if key in given and (value := given[key]) != default.get(key)
    }
    if "effort_levels" in changed:
        changed["effort_levels"] = tuple(changed["effort_levels"] or ())
    return dataclasses.replace(profile, **changed) if changed else profile


GIVEN_FIELDS: Mapping[str, str] = {
    "max_input_tokens": "max_input_tokens",
    "max_output_tokens": "max_output_tokens",
    "reasoning_output": "reasoning",
    "reasoning_effort_levels": "effort_levels",
    "reasoning_effort_default": "effort_default",
    "structured_output": "structured_output",
    "tool_choice": "forced_tool_choice",
    "mid_conversation_system_messages": "system_in_messages",
}
"""The keys of LangChain's `ModelProfile` that decide what is sent -> the fields of `Profile`."""


def register_profile(model: str, **facts: Any) -> None:
    """Override facts about a model, for every call in this process from now on.

    `model` is the exact id, with or without its provider's prefix; `facts` are fields of `Profile`
    (`max_output_tokens=64_000`, `sampling="never"`) or keys of LangChain's `ModelProfile` (`image_inputs=True`). A name
    that is neither raises `ConfigurationError`. Registering again adds to what was registered before.
    """
    unknown = sorted(facts.keys() - PROFILE_FIELDS - _known_to_core())
    if unknown:
        raise ConfigurationError(
            f"Unknown facts for {model!r}: {', '.join(unknown)}. "
            f"Known are {', '.join(sorted(PROFILE_FIELDS))} and the keys of LangChain's ModelProfile."
        )
    model_id = _PREFIX.sub("", model, count=1)
    _overrides[model_id] = {**_overrides.get(model_id, {}), **facts}
    profile_for.cache_clear()
    _model_profile.cache_clear()


def provider_of(model: str) -> Provider | None:
    """The provider that a name tells (`claude-…`, `gpt-…`, `o…`, `ft:gpt-4o:…`); `None` where it tells none."""
    return next((provider for provider, pattern in PROVIDER_NAMES.items() if pattern.match(model)), None)


def model_inside(model: str) -> tuple[Provider, str] | None:
    """The model of a provider's that an id of a router names: `("openai", "gpt-5.6")` for `openai/gpt-5.6:free`.

    `None` where that is not certain: a vendor that is not known may give its own model such a name.
    """
    match = _ROUTED.match(model)
    if match is None:
        return None
    name = match["name"].lower()
    provider = provider_of(name)
    if provider is None:
        return None
    models = _table()[provider]
    plain = _plain_name(provider, name)
    vendors = (match["vendors"] or "").lower().strip("/").split("/")
    is_certain = _known(models, plain) is not None or (vendors[-1] in VENDORS and _relative(models, plain) is not None)
    return (provider, name) if is_certain else None


def known_as(provider: Provider, model: str) -> str | None:
    """The model of the table whose facts an id has, as `provider/model`; `None` where it has none."""
    for found, name in ((provider, model), model_inside(model) or (provider, "")):
        models = _table()[found]
        plain = _plain_name(found, name)
        entry = _known(models, plain) or _relative(models, plain)
        if entry is not None:
            return f"{found}/{entry}"
    return None


def is_own_model(provider: Provider, model: str) -> bool:
    """Whether an id is a model that this provider serves, under its plain or a router's name.

    Models with open weights are not: any server may have them. Many of these are named `gpt-…`, so an id must be of a
    known family of OpenAI's. Any id `claude-…` counts as Anthropic's.
    """
    inside = (provider, model) if provider_of(model) == provider else model_inside(model)
    if inside is None or inside[0] != provider:
        return False
    facts = _entry_of(*inside)
    return (provider == "anthropic" or bool(facts)) and not facts.get("open_weights")


def known_models(provider: Provider) -> tuple[str, ...]:
    """The ids in the table, for suggestions and listings."""
    return tuple(_table()[provider])


# --- the table --------------------------------------------------------------------------------------------------------


@functools.cache
def _table() -> JsonObject:
    content = resources.files("langchain_unified").joinpath("data/models.json").read_bytes()
    return cast("JsonObject", orjson.loads(content))


def _facts(provider: Provider | None, model: str) -> JsonObject:
    """Everything known about a model, overrides last; empty when nothing is."""
    found = _entry_of(provider, model) if provider is not None else {}
    if not found and provider is not None and (inside := model_inside(model)):
        found = _entry_of(*inside) if inside[0] == provider else _through_other_api(_entry_of(*inside))
    return {**found, **(_overrides.get(model) or _overrides.get(_PREFIX.sub("", model, count=1)) or {})}


def _entry_of(provider: Provider, model: str) -> JsonObject:
    """What the table has for an id, or for the model that it most likely behaves like; empty where it has nothing."""
    models = _table()[provider]
    name = _plain_name(provider, model)
    entry = _known(models, name)
    if entry is not None:
        return _entry(models, entry)
    guess = _relative(models, name)
    if guess is None:
        return {}
    found = {key: value for key, value in _entry(models, guess).items() if key not in IDENTITY}
    for part, facts in _table()["name_parts"].get(provider, {}).items():
        found |= facts if part in name else {}
    return found


def _through_other_api(facts: JsonObject) -> JsonObject:
    """What still holds of a model where it answers through the other provider's API, behind a router."""
    taken = {key: value for key, value in facts.items() if key not in PROFILE_FIELDS or key in OF_EVERY_API}
    if taken.get("sampling") != "never":
        taken.pop("sampling", None)
    return taken


OF_EVERY_API = frozenset(
    {
        "max_input_tokens", "max_output_tokens", "effort_levels", "reasoning", "sampling", "temperature_with_top_p",
        "forced_tool_choice", "stop", "prefill", "legacy_max_tokens",
    }
)  # fmt: skip
"""The fields of `Profile` that do not depend on the API by which a model answers."""


def _plain_name(provider: Provider, model: str) -> str:
    """An id as the table has it: in lower case, a fine-tuned model as its base, Claude's versions with hyphens."""
    return _base_model(model).lower() if provider == "openai" else model.replace(".", "-").lower()


def _entry(models: JsonObject, name: str) -> JsonObject:
    facts = dict(models[name] if name in models else _table()["bases"][name])
    like = facts.pop("like", None)
    if like is None:
        return facts
    inherited = {key: value for key, value in _entry(models, like).items() if key not in IDENTITY}
    return {**inherited, **facts}


def _base_model(model: str) -> str:
    """`gpt-4o` for the fine-tuned `ft:gpt-4o:org::id`, else the model itself."""
    return model.split(":")[1] if model.startswith("ft:") else model


def _known(models: JsonObject, model: str) -> str | None:
    """The id itself, or the model that it is a snapshot of."""
    undated = _SNAPSHOT.sub("", model)
    return next((name for name in (model, undated, f"{undated}-latest") if name in models), None)


def _relative(models: JsonObject, model: str) -> str | None:
    """The known model that an unknown one most likely behaves like; `None` for another family."""
    prefixes = [known for known in models if model.startswith(f"{known}-")]
    wanted = _version(_SNAPSHOT.sub("", model))
    if prefixes:
        longest = max(prefixes, key=len)
        # `claude-opus-5-7` is a version after `claude-opus-5`, not a kind of it.
        if wanted is None or _version(longest) == wanted:
            return longest
    return _nearest(models, *wanted) if wanted else None


def _nearest(models: JsonObject, family: str, version: tuple[int, ...]) -> str | None:
    versions = {known: found[1] for known in models if (found := _version(known)) and found[0] == family and found[1]}
    if not versions:
        return None
    older = [each for each in versions.values() if not version or each <= version]
    chosen = max(older) if older else min(versions.values())
    # The shortest id of a version is the plain model: `gpt-5.6`, not `gpt-5.6-luna`.
    return min((known for known, each in versions.items() if each == chosen), key=lambda known: (len(known), known))


def _version(model: str) -> tuple[str, tuple[int, ...]] | None:
    """`("claude-opus", (4, 8))` for `claude-opus-4-8`; an empty version where none is given; `None` for other names."""
    match = _VERSIONED.match(model)
    if match is None or (match["version"] is None and match["rest"]):
        return None
    parts = re.split(r"[.-]", match["version"]) if match["version"] else []
    return match["family"], tuple(int(part) for part in parts)


# --- LangChain's profile ----------------------------------------------------------------------------------------------


@functools.cache
def _known_to_core() -> frozenset[str]:
    from langchain_core.language_models.model_profile import ModelProfile

    return frozenset(ModelProfile.__annotations__)


def _core_keys(facts: JsonObject) -> JsonObject:
    """A model's facts under the names of LangChain's `ModelProfile`. What is not known is left out."""
    profile: JsonObject = {}
    for direction in ("inputs", "outputs"):
        for kind in ("text", "image", "audio", "video", "pdf") if direction in facts else ():
            profile[f"{kind}_{direction}"] = kind in facts[direction]
    if "inputs" in facts:
        images, documents = "image" in facts["inputs"], "pdf" in facts["inputs"]
        profile |= {"image_url_inputs": images, "image_tool_message": images, "attachment": images or documents}
        profile["pdf_tool_message"] = documents
    resolved = {field.name: facts.get(field.name, field.default) for field in dataclasses.fields(Profile)}
    # Claude up to 4.6 thinks only when asked; OpenAI's models reason unless their default effort is `none`.
    answers_without_reasoning = resolved["sampling"] == "without_reasoning" and (
        resolved["thinking"] != "none" or resolved["effort_default"] == "none"
    )
    profile |= {
        "open_weights": False,
        "structured_output": False,
        "reasoning_output": bool(resolved["reasoning"]),
        "tool_choice": resolved["forced_tool_choice"],
        "temperature": resolved["sampling"] == "always" or answers_without_reasoning,
        "mid_conversation_system_messages": resolved["system_in_messages"],
    }
    if "release_date" in facts:
        profile["last_updated"] = facts["release_date"]  # unless the facts have another date
    if resolved["effort_levels"]:
        profile["reasoning_effort_levels"] = list(resolved["effort_levels"])
    if resolved["effort_default"]:
        profile["reasoning_effort_default"] = resolved["effort_default"]
    return {key: value for key, value in {**profile, **facts}.items() if value is not None}

"""Assistant messages that name no provider: stored before core 1.0, or made by hand. Their blocks tell the provider."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_core.messages import AIMessage

from langchain_unified.messages.blocks import wire_of_type
from langchain_unified.request import JsonObject, Provider


def with_provider(message: AIMessage) -> AIMessage:
    """A message without `model_provider` with the one whose blocks it has; else the same object.

    A message with blocks of both providers, or with none that one alone writes, stays as it is.
    """
    metadata = message.response_metadata
    if metadata.get("model_provider") or not isinstance(message.content, list):
        return message
    blocks = [block for block in message.content if isinstance(block, dict)]
    providers = {_provider_of(block) for block in blocks} - {None}
    standard = any(map(_is_standard, blocks))
    if len(providers) != 1 or (standard and any(map(_is_raw, blocks))):
        return message
    added: JsonObject = {"model_provider": providers.pop(), **({"output_version": "v1"} if standard else {})}
    return message.model_copy(update={"response_metadata": {**metadata, **added}})


def _provider_of(block: Mapping[str, Any]) -> Provider | None:
    """The only provider that writes such a block; `None` where both do."""
    kind = str(block.get("type"))
    if kind == "non_standard":
        value = block.get("value")
        return _provider_of(value) if isinstance(value, Mapping) else None
    home = wire_of_type(kind)
    if home is not None or kind in ("tool_use", "function_call"):
        return "anthropic" if home == "anthropic_messages" or kind == "tool_use" else "openai"
    extras = block.get("extras")
    keys = {**extras, **block} if isinstance(extras, dict) else block
    if any(keys.get(key) for key in CLAUDES_KEYS.get(kind, ())):
        return "anthropic"
    if any(keys.get(key) for key in OPENAIS_KEYS.get(kind, ())):
        return "openai"
    ids = [str(block.get(key) or "") for key in ("id", "call_id", "tool_call_id")]
    return next((who for prefix, who in ID_PREFIXES.items() if any(each.startswith(prefix) for each in ids)), None)


CLAUDES_KEYS: Mapping[str, tuple[str, ...]] = {
    "text": ("citations",),
    "reasoning": ("signature",),
    "compaction": ("content",),
    "tool_call": ("caller",),
}
OPENAIS_KEYS: Mapping[str, tuple[str, ...]] = {
    "text": ("phase",),
    "reasoning": ("encrypted_content", "summary"),
    "compaction": ("encrypted_content",),
    "tool_call": ("item_id",),
}
"""Block type -> keys, in the block or its `extras`, that one provider alone writes."""

ID_PREFIXES: Mapping[str, Provider] = {
    "toolu_": "anthropic", "srvtoolu_": "anthropic", "mcptoolu_": "anthropic",
    "msg_": "openai", "rs_": "openai", "fc_": "openai", "ctc_": "openai", "ws_": "openai",
    "fs_": "openai", "ci_": "openai", "ig_": "openai", "mcp_": "openai", "mcpl_": "openai", "mcpr_": "openai",
}  # fmt: skip


def _is_standard(block: Mapping[str, Any]) -> bool:
    """Whether a block is in LangChain's standard form, and not in a provider's."""
    kind = block.get("type")
    if kind in STANDARD_TYPES:
        return True
    if kind == "reasoning":
        return "summary" not in block
    if kind == "image":
        return any(block.get(key) for key in ("base64", "url", "file_id"))
    notes = block.get("annotations")
    return isinstance(notes, list) and any(isinstance(n, dict) and n.get("type") in STANDARD_NOTES for n in notes)


STANDARD_NOTES = frozenset({"citation", "non_standard_annotation"})
STANDARD_TYPES = frozenset({"tool_call", "invalid_tool_call", "server_tool_call", "server_tool_result", "non_standard"})


def _is_raw(block: Mapping[str, Any]) -> bool:
    kind = str(block.get("type"))
    raw = kind in ("tool_use", "function_call") or (kind == "reasoning" and "summary" in block)
    return raw or bool(kind == "text" and block.get("citations")) or wire_of_type(kind) is not None

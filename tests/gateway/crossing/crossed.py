"""A client's body of one API, crossed to another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_unified.catalog import route_to
from langchain_unified.gateway.crossing import Crossing, cross
from langchain_unified.request import JsonObject, WireName
from langchain_unified.wires import DOORS, WIRES

SECRET = b"a secret of the gateway's, 32 byte"

MODELS: Mapping[WireName, str] = {
    "anthropic_messages": "claude-sonnet-4-5",
    "openai_chat": "gpt-4.1",
    "openai_responses": "gpt-5.2",
}
MESSAGES, CHAT, RESPONSES = WIRES


def crossed(
    body: JsonObject,
    client: WireName,
    upstream: WireName,
    *,
    model: str = "",
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> Crossing:
    """What becomes of a body. `more`: keywords of `cross`."""
    route = route_to(WIRES[upstream].provider, model or MODELS[upstream])
    keywords: dict[str, Any] = {"secret": SECRET, "on_unsupported": "warn", "prompt_cache": None, **more}
    return cross(
        DOORS[client].read(body, headers or {}),
        client=client,
        upstream=WIRES[upstream],
        model=route.model,
        profile=route.profile,
        dialect=route.dialect,
        **keywords,
    )


def sent(body: JsonObject, client: WireName, upstream: WireName, **more: Any) -> JsonObject:
    """The body that goes to the upstream."""
    return crossed(body, client, upstream, **more).plan.call.body


def noted(crossing: Crossing) -> dict[str, str]:
    """What the notes are about -> why."""
    return {note["what"]: note["why"] for note in crossing.notes}

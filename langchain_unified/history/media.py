"""Images, files and audio that a user wrote: data and labels as the API takes them.

An image is labelled with the type that its data has, and base64 with spaces, without padding or in the form for URLs is
written as the API reads it. What the API refuses raises `UnsupportedContentError` with the place of the message.
(Tool results are data from outside: `returned.py`.)
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, cast

from langchain_unified.errors import UnsupportedContentError
from langchain_unified.history.carried import SOUND_ENDING, is_web_address
from langchain_unified.history.readable import IMAGE_TYPES, image_type_of
from langchain_unified.history.state import RepairState, Turns
from langchain_unified.request import Turn
from langchain_unified.request.blocks import Block, changed, without

KINDS = frozenset({"image", "file", "audio", "text-plain"})
ROLES = ("user", "system", "developer")
PDF = "application/pdf"
PDF_START = "JVBERi0"
"""The first characters of a PDF's base64."""


def has_media(turn: Turn) -> bool:
    """Whether a turn of a user or of the system holds media."""
    return turn.role in ROLES and any(block["type"] in KINDS for block in turn.blocks)


def with_correct_media(turns: Turns, state: RepairState) -> Turns:
    """The turns with corrected media; the same object where nothing changes."""
    if not any(map(has_media, turns)):
        return turns
    return tuple(_corrected_turn(turn, state) if has_media(turn) else turn for turn in turns)


def _corrected_turn(turn: Turn, state: RepairState) -> Turn:
    blocks = tuple(_corrected(block, turn, state) if block["type"] in KINDS else block for block in turn.blocks)
    same = all(one is other for one, other in zip(blocks, turn.blocks, strict=True))
    return turn if same else replace(turn, blocks=blocks)


def _corrected(block: Block, turn: Turn, state: RepairState) -> Block:
    if block.get("base64") is not None:
        block = _labelled(_with_valid_base64(block, turn, state), turn, state)
    refused = REFUSED[block["type"]](block, state)
    if refused is not None:
        raise _refusal(block, turn, state, refused)
    return block


def _refusal(block: Block, turn: Turn, state: RepairState, remedy: str) -> UnsupportedContentError:
    place = f"message {turn.position} ({turn.role})"
    return UnsupportedContentError(f"{state.wire} cannot carry the {block['type']!r} block in {place}. {remedy}")


def _report(block: Block, turn: Turn, state: RepairState, why: str) -> None:
    state.report(f"{block['type']} in message {turn.position} ({turn.role})", why)


# --- base64 -----------------------------------------------------------------------------------------------------------

LONG = 100_000
"""Characters from which on only the two ends of base64 are read: decoding megabytes takes longer than the call."""


def is_base64(data: str) -> bool:
    """Whether a text is base64 as the APIs take it: in the standard alphabet, padded, without line breaks."""
    if not data or len(data) % 4 or not data.isascii() or "\n" in data:
        return False
    try:
        for part in (data,) if len(data) < LONG else (data[:64], data[-64:]):
            b64decode(part, validate=True)
    except ValueError:
        return False
    return True


def _with_valid_base64(block: Block, turn: Turn, state: RepairState) -> Block:
    data: Any = block.get("base64")
    if isinstance(data, str) and is_base64(data):
        return block
    written = _rewritten(data)
    if written is None:
        raise _refusal(block, turn, state, "Its data is no base64: encode the bytes with `base64.b64encode`.")
    _report(block, turn, state, "Its data was written as the API reads base64.")
    return changed(block, base64=written)


def _rewritten(data: Any) -> str | None:
    """Bytes, or base64 in another spelling, as the API reads it; `None` for what is no base64."""
    if isinstance(data, bytes | bytearray | memoryview):
        return b64encode(bytes(data)).decode()
    if not isinstance(data, str):
        return None
    text = re.sub(r"\s+", "", data).translate(STANDARD).rstrip("=")
    text += "=" * (-len(text) % 4)
    return text if is_base64(text) else None


STANDARD = str.maketrans("-_", "+/")
"""From the alphabet of base64 for URLs to the standard one."""


# --- labels -----------------------------------------------------------------------------------------------------------


def _labelled(block: Block, turn: Turn, state: RepairState) -> Block:
    """The block with the type that its data has; an image or a PDF under the other's name changes its kind."""
    data = str(block.get("base64"))
    found = image_type_of(data) or (PDF if data.startswith(PDF_START) else None)
    label = str(block.get("mime_type") or "").lower().replace("image/jpg", "image/jpeg")
    if found is None or found == label or block["type"] in ("audio", "text-plain"):
        return block
    if block["type"] == "file" and not label:
        return changed(block, mime_type=found) if found == PDF else _as_kind(block, found)
    if label:
        _report(block, turn, state, f"It is labelled {label}, and its data is {found}: this type was sent.")
    return _as_kind(block, found)


def _as_kind(block: Block, found: str) -> Block:
    kind = "file" if found == PDF else "image"
    if kind == "image" and block["type"] == "file":
        block = without(block, "filename", "title", "context", "citations")
    return cast("Block", {**block, "type": kind, "mime_type": found})


# --- what no API takes ------------------------------------------------------------------------------------------------

WEB_REMEDY = "The API fetches only http(s) addresses: send the data of a local file as `base64`."
SOUND_REMEDY = "The API reads no sound and no video as a file: send a transcript as text."


def _refused_image(block: Mapping[str, Any], state: RepairState) -> str | None:
    if not state.own_limits:
        return None
    if "base64" in block:
        kind = str(block.get("mime_type") or "").lower().replace("image/jpg", "image/jpeg")
        known = ", ".join(sorted(IMAGE_TYPES))
        missing = not kind and state.wire == "openai_responses"  # it takes the data's own type
        fits = missing or kind in IMAGE_TYPES
        return None if fits else f"Its mime_type is {kind or 'missing'}: convert it to one of {known}."
    return _refused_address(block)


def _refused_address(block: Mapping[str, Any]) -> str | None:
    return WEB_REMEDY if "url" in block and not is_web_address(block["url"]) else None


def _refused_file(block: Mapping[str, Any], state: RepairState) -> str | None:
    if not state.own_limits or "content" in block:
        return None
    if str(block.get("mime_type") or "").startswith("video/") or SOUND_ENDING.search(str(block.get("url") or "")):
        return SOUND_REMEDY
    return _refused_address(block)


def _refused_audio(block: Mapping[str, Any], state: RepairState) -> str | None:
    if state.wire != "openai_chat" or not state.own_limits or "audio" in (state.profile.inputs or ("audio",)):
        return None
    return f"{state.model} takes no audio: use an audio model (gpt-audio), or send a transcript as text."


def _refused_text(block: Mapping[str, Any], state: RepairState) -> str | None:
    return _refused_address(block) if state.own_limits else None


REFUSED: Mapping[str, Callable[[Mapping[str, Any], RepairState], str | None]] = {
    "image": _refused_image,
    "file": _refused_file,
    "audio": _refused_audio,
    "text-plain": _refused_text,
}
"""Kind of a block -> what to do instead where the API refuses the block; `None` where it takes it."""

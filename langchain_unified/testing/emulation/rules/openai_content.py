"""What both APIs of OpenAI refuse in the parts of a message's content: keys, texts, images, files and audio."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from typing import Any

from langchain_unified.profiles import model_profile
from langchain_unified.request import JsonObject
from langchain_unified.testing.emulation.endpoints import CHAT, OPENAI
from langchain_unified.testing.emulation.rules.rule import EmulatedCall, Rule, RuleCheck, Violations
from langchain_unified.testing.emulation.rules.shared import dicts

_PART = frozenset({"type", "prompt_cache_breakpoint"})
PART_KEYS: Mapping[str, frozenset[str]] = {
    "text": _PART | {"text"},
    "refusal": _PART | {"refusal"},
    "image_url": _PART | {"image_url"},
    "input_audio": _PART | {"input_audio"},
    "file": _PART | {"file"},
    "input_text": _PART | {"text"},
    "output_text": _PART | {"text", "annotations", "logprobs"},
    "input_image": _PART | {"image_url", "file_id", "detail"},
    "input_file": _PART | {"file_id", "file_url", "file_data", "filename", "detail"},
}
"""By the type of a content part, its keys in the SDK's types."""

IMAGE_TYPES = frozenset({"image/png", "image/jpeg", "image/jpg", "image/gif", "image/webp"})
DETAILS = frozenset({"auto", "low", "high", "original"})
DATA_URL = re.compile(r"data:(?P<media_type>[^;,]*)(;[^;,]*)*;base64,(?P<data>.*)", re.DOTALL)
SOUND_ENDING = re.compile(r"\.(mp3|wav|mp4|ogg|flac)(\?|$)")
HOLDERS = frozenset({"message", "function_call_output", "custom_tool_call_output"})


def parts_of(call: EmulatedCall) -> Iterator[tuple[str, JsonObject]]:
    """The content parts of messages and of tool results, each with its path."""
    key = "messages" if call.endpoint == CHAT else "input"
    for at, item in enumerate(dicts(call.body.get(key))):
        if call.endpoint == CHAT or str(item.get("type") or "message") in HOLDERS:
            for name in ("content", "output"):
                for index, part in enumerate(dicts(item.get(name))):
                    yield f"{key}[{at}].{name}[{index}]", part


def _unknown_part_key(call: EmulatedCall) -> Violations:
    for place, part in parts_of(call):
        known = PART_KEYS.get(str(part.get("type")))
        for key in sorted(part.keys() - known - {"cache_control"}) if known else ():
            yield {"place": f"{place}.{key}"}


def _no_text(call: EmulatedCall) -> Violations:
    for place, part in parts_of(call):
        if part.get("type") in ("text", "input_text", "output_text") and not isinstance(part.get("text"), str):
            yield {"place": f"{place}.text"}


def _base64_error(data: str) -> str | None:
    if not data:
        return "empty base64-encoded bytes"
    try:
        base64.b64decode(data, validate=True)
    except binascii.Error:
        return "invalid base64-encoded bytes"
    return None


def _data_url_error(url: str, media_types: str) -> str | None:
    """What is wrong with a base64 data URL whose media type must match the pattern `media_types`."""
    found = DATA_URL.fullmatch(url)
    if found is None:
        return "a valid base64 data URL is expected"
    wrong_type = f"unsupported MIME type '{found['media_type']}'"
    return _base64_error(found["data"]) or (None if re.fullmatch(media_types, found["media_type"]) else wrong_type)


# --- images -----------------------------------------------------------------------------------------------------------


def _images(call: EmulatedCall) -> Iterator[tuple[str, JsonObject]]:
    """The image parts, with `image_url` and `detail` as in the Responses API."""
    for place, part in parts_of(call):
        if part.get("type") == "input_image":
            yield place, part
        elif part.get("type") == "image_url":
            inner = part.get("image_url")
            url = inner if isinstance(inner, dict) else {}
            yield f"{place}.image_url", {**url, "image_url": url.get("url")}


def _one_image_source(call: EmulatedCall) -> Violations:
    for place, image in _images(call):
        if (image.get("image_url") is None) == (image.get("file_id") is None):
            yield {"place": place}


def _invalid_image(call: EmulatedCall) -> Violations:
    for place, image in _images(call):
        url = image.get("image_url")
        if isinstance(url, str) and not re.match(r"https?://", url):
            what = _data_url_error(url, "|".join(sorted(IMAGE_TYPES)))
            if what is not None:
                yield {"place": place, "what": what}


def _invalid_detail(call: EmulatedCall) -> Violations:
    for place, image in _images(call):
        if image.get("detail") is not None and image["detail"] not in DETAILS:
            yield {"place": f"{place}.detail", "value": image["detail"]}


# --- files and audio --------------------------------------------------------------------------------------------------


def _files(call: EmulatedCall) -> Iterator[tuple[str, JsonObject]]:
    for place, part in parts_of(call):
        if part.get("type") == "input_file":
            yield place, part
        elif part.get("type") == "file":
            inner = part.get("file")
            yield f"{place}.file", inner if isinstance(inner, dict) else {}


def _one_file_source(call: EmulatedCall) -> Violations:
    known = ("file_id", "file_data") if call.endpoint == CHAT else ("file_id", "file_data", "file_url")
    for place, file in _files(call):
        given = [key for key in ("file_id", "file_data", "file_url") if file.get(key) is not None]
        if len(given) != 1 or given[0] not in known:
            yield {"place": place, "keys": ", ".join(f"'{key}'" for key in known)}


def _invalid_file(call: EmulatedCall) -> Violations:
    for place, file in _files(call):
        if isinstance(file.get("file_data"), str):
            what = _data_url_error(file["file_data"], r"(?!audio/|video/).*")
            if what is not None:
                yield {"place": f"{place}.file_data", "what": what}
        if SOUND_ENDING.search(str(file.get("file_url") or "")):
            yield {"place": f"{place}.file_url", "what": "the file type is not supported"}


def _audio(call: EmulatedCall) -> Iterator[tuple[str, JsonObject]]:
    for place, part in parts_of(call):
        if part.get("type") == "input_audio" and call.endpoint == CHAT:
            inner = part.get("input_audio")
            yield f"{place}.input_audio", inner if isinstance(inner, dict) else {}


def _invalid_audio(call: EmulatedCall) -> Violations:
    for place, audio in _audio(call):
        what = _base64_error(str(audio.get("data") or ""))
        if audio.get("format") not in ("wav", "mp3"):
            what = "the format must be 'wav' or 'mp3'"
        if what is not None:
            yield {"place": place, "what": what}


def _audio_unsupported(call: EmulatedCall) -> Violations:
    profile = model_profile("openai", call.model) or {}
    if profile.get("audio_inputs") is False:
        yield from ({} for _ in _audio(call))


def _rule(name: str, check: RuleCheck, message: str, source: str, **more: Any) -> Rule:
    return Rule(f"openai.{name}", OPENAI, check, message, source, **more)


_invalid: Mapping[str, Any] = {"code": "invalid_value", "param": "{place}"}

CONTENT: tuple[Rule, ...] = (
    _rule(
        "part key",
        _unknown_part_key,
        "Unknown parameter: '{place}'.",
        "keys of the SDK's types; langchain-ai/langchain#33709, deepagentsjs#550",
        code="unknown_parameter",
        param="{place}",
    ),
    _rule(
        "part text",
        _no_text,
        "Invalid type for '{place}': expected a string.",
        "SDK types",
        code="invalid_type",
        param="{place}",
    ),
    _rule(
        "one image source",
        _one_image_source,
        "Invalid '{place}': exactly one of 'file_id' and 'image_url' must be given.",
        "openai/openai-agents-python#1930; SDK types",
        **_invalid,
    ),
    _rule(
        "image",
        _invalid_image,
        "Invalid '{place}': {what}.",
        "Alibaba-NLP/OmniSearch#3 (no data URL), anomalyco/opencode#23983 (empty base64); images and vision guide",
        **_invalid,
    ),
    _rule(
        "image detail",
        _invalid_detail,
        "Invalid value: '{value}'. Supported values are: 'auto', 'low', 'high' and 'original'.",
        "SDK types",
        **_invalid,
    ),
    _rule(
        "one file source",
        _one_file_source,
        "Invalid '{place}': exactly one of {keys} must be given.",
        "SDK types",
        **_invalid,
    ),
    _rule(
        "file",
        _invalid_file,
        "Invalid '{place}': {what}.",
        "recorded 400s: file data that is no base64 data URL, audio as a file",
        **_invalid,
    ),
    _rule("audio", _invalid_audio, "Invalid '{place}': {what}.", "SDK types", **_invalid),
    _rule(
        "audio unsupported",
        _audio_unsupported,
        "Invalid value: input content blocks are expected to be either text or image_url type.",
        "recorded 400 of gpt-5-mini",
        code="invalid_value",
        param="messages",
    ),
)

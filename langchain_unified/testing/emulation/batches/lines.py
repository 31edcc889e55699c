"""The checks of the lines of a batch file. One bad line fails the whole batch.

The codes are documented or were seen (stdapi-ai/stdapi.ai#240, openai/openai-python#2084). The message of
`invalid_json_line` and of `token_limit_exceeded` are quoted there; the other messages are ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from langchain_unified.profiles import profile_for
from langchain_unified.request import JsonObject
from langchain_unified.testing.emulation.batches.job import Item
from langchain_unified.testing.emulation.endpoints import ENDPOINTS, SEGMENTS, EmulatedEndpoint, total_tokens

MAX_REQUESTS = 50_000

REQUIRED_BODY_KEYS: Mapping[str, tuple[str, ...]] = {
    "/v1/chat/completions": ("model", "messages"),
    "/v1/responses": ("model",),
}
"""By endpoint, the keys of a body without which a whole batch fails. What else is wrong is the error of the item."""


class BatchLines:
    """The requests of a file, or what is wrong with them: `items` or `errors`."""

    def __init__(self, data: bytes, endpoint: str, most: int = MAX_REQUESTS) -> None:
        self.items: list[Item] = []
        self.errors: list[JsonObject] = []
        self.model: str | None = None
        self._endpoint = endpoint
        self._seen: set[str] = set()
        numbered = [(number, line) for number, line in enumerate(data.split(b"\n"), 1) if line.strip()]
        if not numbered:
            self._error("empty_file", "The input file is empty.")
        elif len(numbered) > most:
            self._error("too_many_tasks", f"The file has {len(numbered)} requests. A batch has at most {most}.")
        else:
            for number, line in numbered:
                self._read(number, line)

    def _error(self, code: str, message: str, line: int | None = None, param: str | None = None) -> None:
        self.errors.append(batch_error(code, message, line, param))

    def _read(self, number: int, line: bytes) -> None:
        try:
            request = orjson.loads(line)
        except ValueError:
            self._error("invalid_json_line", "This line is not parseable as valid JSON.", number)
            return
        if not isinstance(request, dict):
            self._error("invalid_json_line", "This line is not a JSON object.", number)
            return
        body = request.get("body")
        missing = [key for key in ("custom_id", "method", "url", "body") if not request.get(key)]
        if isinstance(body, dict):
            missing += [f"body.{key}" for key in REQUIRED_BODY_KEYS[self._endpoint] if not body.get(key)]
        for key in missing:
            self._error("missing_required_parameter", f"Missing required parameter: '{key}'.", number, key)
        if not missing:
            self._check(number, request)

    def _check(self, number: int, request: Mapping[str, Any]) -> None:
        custom_id, url, body = str(request["custom_id"]), request["url"], request["body"]
        if custom_id in self._seen:
            self._error("duplicate_custom_id", f"The custom_id '{custom_id}' is used twice.", number, "custom_id")
        self._seen.add(custom_id)
        if url != self._endpoint or request["method"] != "POST":
            message = f"The batch is for POST {self._endpoint}, not for {request['method']} {url}."
            self._error("url_mismatch", message, number, "url")
        if not isinstance(body, dict):
            self._error("invalid_json_line", "The body is not a JSON object.", number, "body")
            return
        model = str(body["model"])
        self.model = self.model or model
        if model != self.model:
            message = f"The batch is for the model '{self.model}', not for '{model}'."
            self._error("model_mismatch", message, number, "body.model")
        refusal = "stream is not supported in a batch." if body.get("stream") else None
        self.items.append(Item(custom_id, ENDPOINTS[self._endpoint], body, refusal))


def batch_error(code: str, message: str, line: int | None = None, param: str | None = None) -> JsonObject:
    """One entry of `errors.data` (SDK: `BatchError`). `line` counts from 1."""
    return {"code": code, "line": line, "message": message, "param": param}


def prompt_tokens(items: list[Item]) -> int:
    """The tokens of all prompts of a batch. A body of another shape has none: it is refused later."""
    return sum(_tokens(item.endpoint, item.body) for item in items)


def _tokens(endpoint: EmulatedEndpoint, body: JsonObject) -> int:
    try:
        return total_tokens(SEGMENTS[endpoint.name](body, profile_for("openai", str(body["model"]))))
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        return 0

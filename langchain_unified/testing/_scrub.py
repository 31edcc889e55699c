"""What a cassette may contain: allowed headers, bodies without account ids, and no secrets.

Two steps. *Scrubbing* replaces what is known to identify an account (ids of organisations and projects, masked keys,
tokens under well-known keys) by a placeholder. *Searching* then looks for secrets in everything that is about to be
written. If it finds one, the cassette is not written.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from langchain_unified.redaction import SECRETS, hide_query_values, masked, mcp_address

REMOVED = "[removed]"
LOOPBACK = "127.0.0.1"

ALLOWED_HEADERS = frozenset({
    "content-type", "anthropic-version", "anthropic-beta", "openai-beta", "openai-version", "request-id",
    "x-request-id", "retry-after", "retry-after-ms", "x-should-retry",
})  # fmt: skip
"""The headers of requests and responses that are recorded."""

SECRET_HEADERS = frozenset({
    "authorization", "proxy-authorization", "x-api-key", "api-key", "cookie", "set-cookie", "openai-organization",
    "openai-project", "anthropic-organization-id", "anthropic-workspace-id", "x-goog-api-key", "x-amz-security-token",
})  # fmt: skip
"""Headers that are never recorded."""

SECRET_KEYS = frozenset({
    "authorization", "authorization_token", "api_key", "apikey", "api-key", "x-api-key", "access_token",
    "refresh_token", "client_secret", "password",
})  # fmt: skip
"""Keys of a JSON body, at any depth, whose texts are removed."""

_ID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|(?:org|user)-\w+|(?:proj|wrkspc|org)_\w+"
_ACCOUNT_KEYS = r"organization(?:_id|_uuid)?|org_id|account(?:_id|_uuid)|workspace(?:_id)?|project(?:_id)?"

IDENTITIES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(rf'("(?:{_ACCOUNT_KEYS})"\s*:\s*")(?:{_ID})(")'), rf"\g<1>{REMOVED}\g<2>"),
    (re.compile(r"(?<![\w-])org-[A-Za-z0-9]{16,}"), "[organization]"),
    (re.compile(r"(?<![\w-])proj_[A-Za-z0-9]{16,}"), "[project]"),
    (re.compile(r"(?<![\w-])wrkspc_[A-Za-z0-9]{10,}"), "[workspace]"),
    (re.compile(r"(?<![\w-])user-[A-Za-z0-9]{20,}"), "[user]"),
    (re.compile(r"(?<![\w-])sk-[\w-]*\*+[\w*-]*"), "[masked key]"),
    (re.compile(r'(://)[^/\s:@"\\]+:[^/\s@"\\]+@'), rf"\g<1>{REMOVED}@"),
    (re.compile(r'([?&](?:api[_-]?key|key|(?:access_)?token|sig|signature|X-Amz-[\w-]+)=)[^&\s"\\]+'),
     rf"\g<1>{REMOVED}"),
)  # fmt: skip
"""Patterns that are replaced anywhere in a text body, with the replacement."""

SECRET_VARIABLES = frozenset({
    "ANTHROPIC_AUTH_TOKEN", "OPENAI_ADMIN_KEY", "OPENAI_ORG_ID", "OPENAI_ORGANIZATION", "OPENAI_PROJECT_ID",
    "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "HF_TOKEN", "GITHUB_TOKEN",
})  # fmt: skip
"""Environment variables whose values are secrets, beside every `…_API_KEY`."""

SHORTEST_SECRET = 8
"""In characters. Shorter values of variables (`test`, `none`) are no secrets and occur by chance."""


# --- scrubbing --------------------------------------------------------------------------------------------------------


def scrub_uri(uri: str) -> str:
    """Scheme, host and path, without user, port and query. Every loopback host becomes `127.0.0.1`."""
    parts = urlsplit(uri)
    host = parts.hostname or ""
    host = LOOPBACK if is_loopback(host) else f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{host}{parts.path}"


def is_loopback(host: str) -> bool:
    """Whether the host is always this machine."""
    return host in {"localhost", "::1", "0.0.0.0"} or host.startswith("127.") or host.endswith(".localhost")  # noqa: S104


def scrub_body(body: bytes) -> bytes:
    """The body without account ids and without texts under `SECRET_KEYS`. Binary bodies are unchanged."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return body
    for pattern, replacement in IDENTITIES:
        text = pattern.sub(replacement, text)
    if text.lstrip().startswith(("{", "[")):
        text = _scrub_json_text(text)
    elif "data:" in text:
        text = "\n".join(map(_scrub_event_line, text.split("\n")))
    return text.encode()


def scrub_json(value: Any) -> Any:
    """A copy of the JSON value without texts under `SECRET_KEYS` and without the headers of MCP servers."""
    if isinstance(value, list):
        return [scrub_json(item) for item in value]
    if not isinstance(value, dict):
        return value
    clean = {key: _scrub_entry(key, item) for key, item in value.items()}
    if value.get("type") == "mcp" and isinstance(value.get("headers"), dict):
        clean["headers"] = dict.fromkeys(value["headers"], REMOVED)
    if (address := mcp_address(clean)) is not None:
        clean[address] = hide_query_values(clean[address], REMOVED)
    return clean


def _scrub_entry(key: str, value: Any) -> Any:
    return REMOVED if value and isinstance(value, str) and key.lower() in SECRET_KEYS else scrub_json(value)


def _scrub_json_text(text: str) -> str:
    """The scrubbed text; the text itself if nothing is removed, so that such bodies keep their bytes."""
    try:
        value = json.loads(text)
    except ValueError:
        # The lines of a JSONL file are scrubbed one by one.
        lines = text.split("\n")
        return "\n".join(map(_scrub_json_text, lines)) if len(lines) > 1 else text
    clean = scrub_json(value)
    return text if clean == value else json.dumps(clean)


def _scrub_event_line(line: str) -> str:
    field, colon, data = line.partition(":")
    if field != "data" or not data.lstrip().startswith("{"):
        return line
    end = "\r" if data.endswith("\r") else ""
    text = data.strip()
    clean = _scrub_json_text(text)
    return line if clean == text else f"{field}{colon} {clean}{end}"


# --- searching --------------------------------------------------------------------------------------------------------


def secret_values(environ: Mapping[str, str], canaries: Iterable[str]) -> dict[str, str]:
    """The secret texts by label. `canaries` are texts that the caller forbids. No label shows a secret."""
    values = {f"canary {number}": canary for number, canary in enumerate(canaries, start=1) if canary}
    for name, value in environ.items():
        is_secret = name in SECRET_VARIABLES or name.endswith("_API_KEY")
        if is_secret and len(value) >= SHORTEST_SECRET:
            values[f"the value of ${name}"] = value
    return values


def find_secret(document: Any, values: Mapping[str, str]) -> tuple[str, str] | None:
    """`(path, label)` of the first secret in the document; `None` if there is none."""
    for path, text in _strings(document, ""):
        for label, value in values.items():
            if value in text:
                return path, label
        for label, pattern in SECRETS.items():
            if re.search(pattern, text):
                return path, label
    return None


def redact(text: str, values: Mapping[str, str]) -> str:
    """The text with each secret replaced by its label, for messages."""
    for label, value in values.items():
        text = text.replace(value, f"[{label}]")
    return masked(text)


def _strings(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """`(path, text)` of every string in the document, keys included (`interactions[0].request.json.model`)."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, bytes):
        yield path, value.decode("latin-1")
    elif isinstance(value, Mapping):
        for key, item in value.items():
            # A key has the path of its object, since the key itself may be the secret.
            yield path, str(key)
            yield from _strings(item, f"{path}.{key}".lstrip("."))
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from _strings(item, f"{path}[{index}]")

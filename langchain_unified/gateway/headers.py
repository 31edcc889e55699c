"""Which headers cross the gateway, in both directions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from langchain_unified.gateway.deployments import Deployment
from langchain_unified.gateway.refusals import BadRequestError
from langchain_unified.request import Provider

HOP_BY_HOP = frozenset(
    {
        "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer",
        "transfer-encoding", "upgrade", "content-length", "expect",
    }
)  # fmt: skip
"""RFC 9110, section 7.6.1, and what each side states for its own message."""

CLIENT_ONLY = HOP_BY_HOP | {
    "host", "authorization", "x-api-key", "api-key", "cookie", "cookie2", "accept-encoding", "content-encoding",
    "openai-organization", "openai-project", "x-goog-api-key", "forwarded", "via", "x-forwarded-for",
    "x-forwarded-host", "x-forwarded-proto", "x-forwarded-port", "x-real-ip", "true-client-ip", "cf-connecting-ip",
    "origin", "referer",
}  # fmt: skip
"""Headers of a client that stay here: credentials, whose account is billed, and where the client is."""

UPSTREAM_ONLY = HOP_BY_HOP | {
    "server", "date", "set-cookie", "set-cookie2", "content-type", "content-encoding", "alt-svc",
    "strict-transport-security", "openai-organization", "openai-project", "anthropic-organization-id", "report-to",
    "nel", "access-control-allow-origin", "access-control-expose-headers", "vary", "cache-control",
}  # fmt: skip
"""Headers of a provider that stay here: about its connection, and whose account was billed."""

ANTHROPIC_VERSION = "2023-06-01"


def authorization(deployment: Deployment) -> dict[str, str]:
    """The headers that carry a deployment's key."""
    if deployment.api_key is None:
        return {}
    if deployment.provider == "anthropic":
        return {"x-api-key": deployment.api_key}
    return {"authorization": f"Bearer {deployment.api_key}"}


def forwarded(client: Mapping[str, str], deployment: Deployment, own_header: str | None = None) -> dict[str, str]:
    """The headers of a request whose bytes pass: the client's, with the deployment's key in place of the client's.

    `own_header`: the header, in lower case, in which clients send the gateway's key, if it is none of the usual ones.
    """
    headers = {name: value for name, value in client.items() if name not in CLIENT_ONLY and name != own_header}
    if deployment.provider == "anthropic":
        headers.setdefault("anthropic-version", ANTHROPIC_VERSION)
    headers["content-type"] = "application/json"
    headers["accept-encoding"] = "identity"
    return _merged(headers, deployment)


def made(encoded: Mapping[str, str], client: Mapping[str, str], deployment: Deployment) -> dict[str, str]:
    """The headers of a request that was encoded here: the encoder's, with the betas that the client asks for."""
    headers = {name.lower(): value for name, value in encoded.items()}
    if deployment.provider == "anthropic":
        headers.setdefault("anthropic-version", ANTHROPIC_VERSION)
        betas = [*headers.get(BETA, "").split(","), *client.get(BETA, "").split(",")]
        if names := list(dict.fromkeys(name.strip() for name in betas if name.strip())):
            headers[BETA] = ",".join(names)
    headers["content-type"] = "application/json"
    headers["accept-encoding"] = "identity"
    return _merged(headers, deployment)


def given_headers(client: Mapping[str, str], extra: object) -> Mapping[str, str]:
    """The headers of a request with those of `extra_headers` in its body, as LiteLLM's clients may send them."""
    if extra is None:
        return client
    if not isinstance(extra, dict) or not all(isinstance(value, str) for value in extra.values()):
        raise BadRequestError("`extra_headers` has to be an object of strings.", param="extra_headers")
    given = {str(name).lower(): value for name, value in extra.items()}
    names = {name for name in given if not _NAME.fullmatch(name) or not _is_printable(given[name])}
    if names:
        raise BadRequestError("`extra_headers` holds a header that HTTP cannot carry.", param="extra_headers")
    return {**client, **{name: value for name, value in given.items() if name not in CLIENT_ONLY}}


_NAME = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]+")
BETA = "anthropic-beta"


def _merged(headers: dict[str, str], deployment: Deployment) -> dict[str, str]:
    for name, value in deployment.headers.items():
        if name == BETA and BETA in headers:
            value = f"{headers[BETA]},{value}"  # noqa: PLW2901 - betas add up
        headers[name] = value
    headers.update(authorization(deployment))
    return headers


def returned(upstream: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """The headers of a provider's answer that a client gets."""
    return [
        (name.lower().encode("latin-1"), value.encode("latin-1", "replace"))
        for name, value in upstream.items()
        if name.lower() not in UPSTREAM_ONLY and _is_printable(value)
    ]


def _is_printable(value: str) -> bool:
    return all(char.isprintable() or char == "\t" for char in value)


REQUEST_ID_NAMES: Mapping[Provider, str] = {"anthropic": "request-id", "openai": "x-request-id"}
"""The header in which each provider names a request."""

STREAM_HEADERS: Iterable[tuple[bytes, bytes]] = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
)
"""Headers of each stream: no cache and no proxy may hold it back."""

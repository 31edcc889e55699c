"""The addresses of the batch APIs and of OpenAI's files."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson
from starlette.datastructures import UploadFile
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route

from langchain_unified._extras import install
from langchain_unified.request import Provider
from langchain_unified.testing.emulation.batches.anthropic import MessageBatches
from langchain_unified.testing.emulation.batches.files import Files
from langchain_unified.testing.emulation.batches.openai import Batches
from langchain_unified.testing.emulation.batches.reply import ManagedReply


@dataclass(frozen=True, slots=True)
class BatchApis:
    """The stores of both providers."""

    anthropic: MessageBatches
    openai: Batches
    files: Files
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass(frozen=True, slots=True)
class ManagedCall:
    """A request to one of these addresses. `body`: parsed JSON; `form` and `file`: the parts of an upload."""

    path: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    url: str
    body: Any = None
    size: int = 0
    form: Mapping[str, str] | None = None
    filename: str | None = None
    data: bytes = b""

    @property
    def recorded_body(self) -> Any:
        """What is recorded of it: of an upload the fields, and the name and size of the file."""
        if self.form is None:
            return self.body
        return {**self.form, "file": {"filename": self.filename, "bytes": len(self.data)}}


Operation = Callable[[BatchApis, ManagedCall], ManagedReply]


class Serve(Protocol):
    """Records a request, and answers it with what `carry_out` gives, as `EmulatedProviders.managed` does."""

    def __call__(
        self, request: HttpRequest, body: Any, provider: Provider, name: str, carry_out: Callable[[], ManagedReply]
    ) -> Awaitable[Response]:
        """The response."""


OPERATIONS: tuple[tuple[str, str, str, Operation], ...] = (
    ("POST", "/v1/messages/batches", "anthropic.batches.create",
     lambda apis, call: apis.anthropic.create(call.body, call.size, call.headers)),
    ("GET", "/v1/messages/batches", "anthropic.batches.list",
     lambda apis, call: apis.anthropic.list_page(call.query, call.url)),
    ("GET", "/v1/messages/batches/{batch}", "anthropic.batches.retrieve",
     lambda apis, call: apis.anthropic.retrieve(call.path["batch"], call.url)),
    ("DELETE", "/v1/messages/batches/{batch}", "anthropic.batches.delete",
     lambda apis, call: apis.anthropic.delete(call.path["batch"])),
    ("POST", "/v1/messages/batches/{batch}/cancel", "anthropic.batches.cancel",
     lambda apis, call: apis.anthropic.cancel(call.path["batch"], call.url)),
    ("GET", "/v1/messages/batches/{batch}/results", "anthropic.batches.results",
     lambda apis, call: apis.anthropic.results(call.path["batch"])),
    ("POST", "/v1/batches", "openai.batches.create",
     lambda apis, call: apis.openai.create(call.body, call.headers)),
    ("GET", "/v1/batches", "openai.batches.list",
     lambda apis, call: apis.openai.list_page(call.query)),
    ("GET", "/v1/batches/{batch}", "openai.batches.retrieve",
     lambda apis, call: apis.openai.retrieve(call.path["batch"])),
    ("POST", "/v1/batches/{batch}/cancel", "openai.batches.cancel",
     lambda apis, call: apis.openai.cancel(call.path["batch"])),
    ("POST", "/v1/files", "openai.files.create",
     lambda apis, call: apis.files.upload(call.filename, call.data, call.form or {})),
    ("GET", "/v1/files", "openai.files.list",
     lambda apis, call: apis.files.list_page(call.query)),
    ("GET", "/v1/files/{file}", "openai.files.retrieve",
     lambda apis, call: apis.files.retrieve(call.path["file"])),
    ("GET", "/v1/files/{file}/content", "openai.files.content",
     lambda apis, call: apis.files.content(call.path["file"])),
    ("DELETE", "/v1/files/{file}", "openai.files.delete",
     lambda apis, call: apis.files.delete(call.path["file"])),
)  # fmt: skip
"""Method, path, name as in `Recorded.endpoint`, and what is done."""

NAMES: Mapping[str, str] = {path: name for method, path, name, _ in OPERATIONS if method == "POST"}
"""By path, the name of an operation with a body."""


def batch_routes(apis: BatchApis, serve: Serve) -> list[Route]:
    """The routes of all operations."""
    return [
        Route(path, _handler(apis, serve, name, operation), methods=[method])
        for method, path, name, operation in OPERATIONS
    ]


def _handler(
    apis: BatchApis, serve: Serve, name: str, operation: Operation
) -> Callable[[HttpRequest], Awaitable[Response]]:
    provider: Provider = "anthropic" if name.startswith("anthropic.") else "openai"

    async def handle(request: HttpRequest) -> Response:
        call = await _read(request, is_upload=name == "openai.files.create")

        def carry_out() -> ManagedReply:
            with apis.lock:
                return operation(apis, call)

        return await serve(request, call.recorded_body, provider, name, carry_out)

    return handle


async def _read(request: HttpRequest, *, is_upload: bool) -> ManagedCall:
    path, query, headers = request.path_params, dict(request.query_params), dict(request.headers)
    url = f"{request.url.scheme}://{request.url.netloc}"
    if is_upload:
        form, filename, data = await _upload(request)
        return ManagedCall(path, query, headers, url, form=form, filename=filename, data=data)
    raw = await request.body()
    body = await asyncio.to_thread(_parsed, raw) if len(raw) > 2**20 else _parsed(raw)
    return ManagedCall(path, query, headers, url, body, len(raw))


def _parsed(data: bytes) -> Any:
    try:
        return orjson.loads(data)
    except ValueError:
        return None


async def _upload(request: HttpRequest) -> tuple[dict[str, str], str | None, bytes]:
    """The fields of a form, and the name and bytes of its file."""
    try:
        import python_multipart  # noqa: F401
    except ModuleNotFoundError as missing:
        raise ImportError("Uploads need python-multipart. Install it: " + install("emulator")) from missing
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        return {}, None, b""
    form = await request.form()
    fields = {key: value for key, value in form.multi_items() if isinstance(value, str)}
    file = form.get("file")
    if not isinstance(file, UploadFile):
        return fields, None, b""
    return fields, file.filename or "", await file.read()

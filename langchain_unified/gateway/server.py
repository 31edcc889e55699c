"""Running the gateway: one process or several, until a signal ends it."""

from __future__ import annotations

import asyncio
import inspect
import socket
import threading
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Self

import uvicorn

from langchain_unified.gateway.app import App
from langchain_unified.gateway.protocol import BoundedProtocol
from langchain_unified.gateway.state import Gateway

START_SECONDS = 15.0
KEEP_ALIVE_SECONDS = 75
BACKLOG = 2048
STUCK_SECONDS = 60
"""After which a worker that does not answer is replaced. Uvicorn's 5 seconds end workers that are still importing."""

_PATIENCE: dict[str, Any] = (
    {"timeout_worker_healthcheck": STUCK_SECONDS}
    if "timeout_worker_healthcheck" in inspect.signature(uvicorn.Config.__init__).parameters
    else {}
)


def uvicorn_config(app: Any, *, host: str, port: int, drain_seconds: float = 600.0, **more: Any) -> uvicorn.Config:
    """Uvicorn's settings for the gateway. It writes no access log: the gateway logs calls itself."""
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        http=BoundedProtocol,
        loop="auto",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=int(drain_seconds),
        backlog=BACKLOG,
        **_PATIENCE,
        **more,
    )


def listener(host: str, port: int) -> socket.socket:
    """A socket that is bound. Raises `OSError` if the address cannot be used."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sets TCP_NODELAY only on sockets that are created with their protocol.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError:
        bound.close()
        raise
    bound.set_inheritable(True)
    return bound


class RunningGateway:
    """A gateway in a thread of this process, for tests and the demo. `with` starts and stops it."""

    def __init__(self, make: Callable[[], Awaitable[Gateway]], *, host: str = "127.0.0.1", port: int = 0) -> None:
        """`make` makes the gateway inside the event loop. Port 0 takes a free one."""
        self.app = App(make)
        self._socket = listener(host, port)
        self.url = f"http://{host}:{self._socket.getsockname()[1]}"
        self._server = uvicorn.Server(uvicorn_config(self.app, host=host, port=port, drain_seconds=2))
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="gateway", daemon=True)

    def __enter__(self) -> Self:
        """Start. Raises what the start raised."""
        self._thread.start()
        waited = threading.Event()
        for _ in range(int(START_SECONDS / 0.01)):
            if self._server.started or not self._thread.is_alive():
                break
            waited.wait(0.01)
        if not self._server.started:
            raise RuntimeError("The gateway did not start.") from self._failure
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop, after running answers or two seconds."""
        self._server.should_exit = True
        self._thread.join(START_SECONDS)
        self._socket.close()

    def _run(self) -> None:
        try:
            asyncio.run(self._server.serve(sockets=[self._socket]))
        except BaseException as failure:  # noqa: BLE001 - raised in `__enter__`
            self._failure = failure


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    return host in ("127.0.0.1", "::1", "localhost") or host.startswith("127.")


SETTINGS_VARIABLE = "LANGCHAIN_UNIFIED_GATEWAY"
"""The environment variable in which workers get their settings from the process that starts them."""

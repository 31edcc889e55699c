"""A server that behaves like both providers, for tests and demonstrations without a network or a key.

    with emulator() as server:
        model = ChatUnified(model="anthropic/claude-sonnet-5", base_url=server.anthropic_url, api_key="any")

It answers from a script or by itself, caches prompts and refuses requests as the providers do, and fails on demand.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Self

from langchain_unified.testing.emulation.cache import Clock
from langchain_unified.testing.emulation.engine import Engine
from langchain_unified.testing.emulation.faults import Fault, FaultPlan, Faults
from langchain_unified.testing.emulation.script import Answers, Script

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from langchain_unified.testing.emulation.app import Recorded

MISSING = "The emulator needs Starlette and uvicorn. Install them: pip install 'langchain-unified[emulator]'."
START_SECONDS = 10.0


def emulator(
    script: Script = None,
    *,
    faults: FaultPlan | None = None,
    api_keys: Iterable[str] | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
) -> Emulator:
    """A server that runs for the length of a `with` (or `async with`) block.

    `script`: a list of answers, one for each request, or a function of the request; without one the default assistant
    answers. `faults`: what goes wrong at random, repeatably. `api_keys`: the keys that are taken, by default any.
    `port` 0 takes a free one.
    """
    return Emulator(_engine(script, faults, api_keys), host, port)


def emulator_app(
    script: Script = None, *, faults: FaultPlan | None = None, api_keys: Iterable[str] | None = None
) -> ASGIApp:
    """The application alone, to be run by any ASGI server."""
    app, _ = _build(_engine(script, faults, api_keys))
    return app


def _engine(script: Script, faults: FaultPlan | None, api_keys: Iterable[str] | None) -> Engine:
    return Engine(Answers(script), Faults(faults), None if api_keys is None else frozenset(api_keys))


def _build(engine: Engine) -> tuple[ASGIApp, list[Recorded]]:
    try:
        from langchain_unified.testing.emulation.app import build
    except ModuleNotFoundError as missing:
        if missing.name is None or missing.name.split(".")[0] != "starlette":
            raise
        raise ImportError(MISSING) from missing
    return build(engine)


class Emulator:
    """A running emulator: where it is, what it was asked, and how to make it fail."""

    def __init__(self, engine: Engine, host: str = "127.0.0.1", port: int = 0) -> None:
        self._engine = engine
        self._host = host
        self._wanted_port = port
        self._socket: socket.socket | None = None
        self._runner: _Runner | None = None
        self.requests: list[Recorded] = []

    @property
    def clock(self) -> Clock:
        """The time that prompt caches see: it stands still until `clock.advance(seconds)`."""
        return self._engine.clock

    @property
    def port(self) -> int:
        """The port that it listens on."""
        if self._socket is None:
            raise RuntimeError("The emulator is not running. Use it in a `with` block.")
        return int(self._socket.getsockname()[1])

    @property
    def url(self) -> str:
        """Where it is, without a path."""
        return f"http://{self._host}:{self.port}"

    @property
    def anthropic_url(self) -> str:
        """The `base_url` for Anthropic clients."""
        return self.url

    @property
    def openai_url(self) -> str:
        """The `base_url` for OpenAI clients."""
        return f"{self.url}/v1"

    def fail_next(self, fault: Fault | str, times: int = 1) -> None:
        """Play a fault on the next `times` requests; after what was ordered before."""
        self._engine.faults.order(fault, times)

    @property
    def script_left(self) -> int | None:
        """How many answers of a scripted list were not asked for; `None` without a list."""
        return self._engine.answers.remaining

    def start(self) -> Self:
        """Begin to listen. `with` does it."""
        app, self.requests = _build(self._engine)
        self._socket = _listener(self._host, self._wanted_port)
        self._runner = _Runner(app, self._socket)
        self._runner.start()
        return self

    def wait(self) -> None:
        """Serve until somebody interrupts, for a server that runs by itself."""
        threading.Event().wait()

    def stop(self) -> None:
        """Close every connection and stop."""
        if self._runner is not None:
            self._runner.stop()
            self._runner = None
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop; raise what a function of the script raised, unless the block itself failed."""
        self.stop()
        if error is None and self._engine.failures:
            raise self._engine.failures[0]

    async def __aenter__(self) -> Self:
        """Start, without holding up the loop."""
        return await asyncio.to_thread(self.start)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop, likewise."""
        await asyncio.to_thread(self.__exit__, kind, error, trace)


def _listener(host: str, port: int) -> socket.socket:
    # asyncio turns Nagle's algorithm off only on sockets that name their protocol.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    listener.listen(512)
    return listener


class _Runner:
    """uvicorn in a thread."""

    def __init__(self, app: ASGIApp, listener: socket.socket) -> None:
        try:
            import uvicorn
        except ModuleNotFoundError as missing:
            raise ImportError(MISSING) from missing
        config = uvicorn.Config(
            app,
            http="h11",
            loop="asyncio",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=600,
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._listener = listener
        self._ready = threading.Event()
        self._done: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="emulator", daemon=True)

    def start(self) -> None:
        """Returns when it listens."""
        self._thread.start()
        if not self._ready.wait(START_SECONDS):
            raise RuntimeError("The emulator did not start.")
        if self._failure is not None:
            raise RuntimeError("The emulator did not start.") from self._failure

    def stop(self) -> None:
        """Returns when it is gone."""
        if self._loop is not None and self._done is not None:
            self._loop.call_soon_threadsafe(self._done.set)
        self._thread.join(START_SECONDS)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as failure:  # noqa: BLE001  # told where it was started
            self._failure = failure
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        server = self._server
        server.config.load()
        server.lifespan = server.config.lifespan_class(server.config)
        self._loop, self._done = asyncio.get_running_loop(), asyncio.Event()
        await server.startup(sockets=[self._listener])
        self._ready.set()
        await self._done.wait()
        for listener in server.servers:
            listener.close()
        # Answers that still stall or drip end here.
        for connection in list(server.server_state.connections):
            connection.transport.abort()
        await asyncio.sleep(0)

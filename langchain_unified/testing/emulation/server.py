"""A server on this machine that behaves like both providers, for tests and demos without keys.

    with emulator() as server:
        model = ChatUnified(model="anthropic/claude-sonnet-5", base_url=server.anthropic_url, api_key="any")

It answers from a script or by itself, caches prompts and refuses requests like the providers, and injects faults.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections import Counter
from collections.abc import Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Self

from langchain_unified._extras import install
from langchain_unified.servers import register_address
from langchain_unified.testing.emulation.batches.plan import BatchPlan, settings_of
from langchain_unified.testing.emulation.cache import Clock
from langchain_unified.testing.emulation.faults import Fault, FaultPlan, FaultSource
from langchain_unified.testing.emulation.providers import EmulatedProviders
from langchain_unified.testing.emulation.quota import QuotaPlan, checked
from langchain_unified.testing.emulation.recording import Recorded, Recorder
from langchain_unified.testing.emulation.script import AnswerSource, Script
from langchain_unified.testing.emulation.servers import server_named
from langchain_unified.testing.emulation.tokens import Totals

if TYPE_CHECKING:
    from starlette.types import ASGIApp


MISSING_EXTRA = "The emulator needs Starlette and uvicorn. Install them: "
START_TIMEOUT_SECONDS = 10.0


def emulator(
    script: Script = None,
    *,
    faults: FaultPlan | None = None,
    api_keys: Iterable[str] | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
    server: str | None = None,
    batches: BatchPlan | None = None,
    quota: QuotaPlan | None = None,
    record: int | None = None,
    clock_speed: float = 0.0,
    latency: float = 0.0,
) -> Emulator:
    """A server that runs inside a `with` (or `async with`) block.

    `script`: a list with one answer for each request, or a function of the request; by default the built-in assistant
    answers. `faults`: random faults, the same in each run; by default none. `api_keys`: the keys that are accepted; by
    default any. `port`: 0 takes a free one. `server`: another server to play, with what it refuses and answers
    otherwise, as documented or reported: `ollama`, `vllm`, `openrouter`, `deepseek`, …; by default both providers.
    `batches`: how batches run, by the keys of `BatchPlan`; by default each has ended when it is first looked at.
    `quota`: what each provider takes in a minute, by the keys of `QuotaPlan`; a request above it is refused with 429,
    and the headers of the rate limits count down. By default nothing is refused for it. It is refilled by the
    emulator's clock. `record`: how many of the last requests and stored responses are kept; by default all.
    `clock_speed`: seconds of the emulator's clock for each real second; by default 0: only `clock.advance` moves it.
    `latency`: real seconds from a request until its answer begins; by default 0. What a request writes to the prompt
    cache can be read from then on, as at the providers: parallel requests all miss until the first answer begins.
    """
    engine = _providers(
        script,
        faults=faults,
        api_keys=api_keys,
        batches=batches,
        quota=quota,
        record=record,
        clock_speed=clock_speed,
        server=server,
        latency=latency,
    )
    return Emulator(engine, host, port)


def emulator_app(
    script: Script = None,
    *,
    faults: FaultPlan | None = None,
    api_keys: Iterable[str] | None = None,
    batches: BatchPlan | None = None,
    quota: QuotaPlan | None = None,
    clock_speed: float = 0.0,
) -> ASGIApp:
    """The ASGI application without a server."""
    engine = _providers(script, faults=faults, api_keys=api_keys, batches=batches, quota=quota, clock_speed=clock_speed)
    return _build_app(engine, Recorder(keep=0))


def _providers(
    script: Script,
    *,
    faults: FaultPlan | None,
    api_keys: Iterable[str] | None,
    batches: BatchPlan | None,
    quota: QuotaPlan | None,
    clock_speed: float,
    record: int | None = None,
    server: str | None = None,
    latency: float = 0.0,
) -> EmulatedProviders:
    return EmulatedProviders(
        AnswerSource(script),
        FaultSource(faults),
        None if api_keys is None else frozenset(api_keys),
        clock=Clock(speed=clock_speed),
        server=None if server is None else server_named(server),
        batches=settings_of(batches),
        quota=checked(quota),
        keep=record,
        latency=latency,
    )


def _build_app(engine: EmulatedProviders, recorder: Recorder) -> ASGIApp:
    try:
        from langchain_unified.testing.emulation.app import build_app
    except ModuleNotFoundError as missing:
        if missing.name is None or missing.name.split(".")[0] != "starlette":
            raise
        raise ImportError(MISSING_EXTRA + install("emulator")) from missing
    return build_app(engine, recorder)


class Emulator:
    """A running emulator: its addresses, the requests it received, and the faults it injects."""

    def __init__(self, engine: EmulatedProviders, host: str = "127.0.0.1", port: int = 0) -> None:
        self._providers = engine
        self._host = host
        self._wanted_port = port
        self._socket: socket.socket | None = None
        self._runner: _ServerThread | None = None
        self._recorder = Recorder(keep=engine.keep)

    @property
    def requests(self) -> list[Recorded]:
        """The requests in order of arrival: all of them, or as many of the last ones as `record` says."""
        return self._recorder.requests

    @property
    def request_counts(self) -> Counter[str]:
        """How many requests came to each endpoint, named as in `Recorded.endpoint`; `unknown` for other addresses.

        `request_counts.total()` is the number of all requests, also of those that are not recorded.
        """
        return self._recorder.by_endpoint

    @property
    def status_counts(self) -> Counter[int]:
        """How many requests were answered with each status; 0 for a connection that was closed instead."""
        return self._recorder.by_status

    @property
    def totals(self) -> Totals:
        """The answers of models so far, live and in batches, and their tokens."""
        return self._providers.totals

    @property
    def clock(self) -> Clock:
        """The time for prompt caches, batches and timestamps.

        It stands still until `clock.advance(seconds)`, unless `clock_speed` lets it run.
        """
        return self._providers.clock

    @property
    def port(self) -> int:
        """The port it listens on. Raises `RuntimeError` if it does not run."""
        if self._socket is None:
            raise RuntimeError("The emulator is not running. Use it in a `with` block.")
        return int(self._socket.getsockname()[1])

    @property
    def url(self) -> str:
        """The address without a path."""
        return f"http://{self._host}:{self.port}"

    @property
    def anthropic_url(self) -> str:
        """The `base_url` for Anthropic clients."""
        return self.url

    @property
    def openai_url(self) -> str:
        """The `base_url` for OpenAI clients."""
        return f"{self.url}/v1"

    def fail_next(self, fault: Fault | str, times: int = 1, *, endpoint: str | None = None) -> None:
        """Inject a fault into the next `times` requests, after the faults of earlier calls.

        `endpoint`: only into requests to this one, named as in `Recorded.endpoint`, such as `openai.batches.create`;
        `openai.batches` means all that begin so. By default any.
        """
        self._providers.faults.fail_next(fault, times, endpoint)

    @property
    def script_left(self) -> int | None:
        """The number of answers of a scripted list that are not used yet; `None` without a list."""
        return self._providers.answers.remaining

    def start(self) -> Self:
        """Start to listen; `with` does so."""
        self._recorder = Recorder(keep=self._providers.keep)
        app = _build_app(self._providers, self._recorder)
        self._socket = _listener(self._host, self._wanted_port)
        self._runner = _ServerThread(app, self._socket)
        self._runner.start()
        played = self._providers.server
        for address in self._addresses():
            register_address(address, "provider" if played is None else played.name)
        return self

    def _addresses(self) -> list[str]:
        """The addresses under which programs of this machine reach it."""
        names = ("127.0.0.1", "localhost") if self._host in ("127.0.0.1", "localhost", "0.0.0.0") else ()  # noqa: S104
        return [self.url, *(f"http://{name}:{self.port}" for name in names)]

    def wait(self) -> None:
        """Block until the process is interrupted."""
        threading.Event().wait()

    def stop(self) -> None:
        """Close every connection and stop."""
        if self._runner is not None:
            for address in self._addresses():
                register_address(address, None)
            self._runner.stop()
            self._runner = None
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def __enter__(self) -> Self:
        """Start the server."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the server. Raise what a function of the script raised, unless the block itself failed."""
        self.stop()
        if error is None and self._providers.failures:
            raise self._providers.failures[0]

    async def __aenter__(self) -> Self:
        """Start the server without blocking the event loop."""
        return await asyncio.to_thread(self.start)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the server without blocking the event loop."""
        await asyncio.to_thread(self.__exit__, kind, error, trace)


def _listener(host: str, port: int) -> socket.socket:
    # asyncio sets TCP_NODELAY only on sockets that are created with their protocol.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    listener.listen(512)
    return listener


class _ServerThread:
    """uvicorn in a thread."""

    def __init__(self, app: ASGIApp, listener: socket.socket) -> None:
        try:
            import uvicorn
        except ModuleNotFoundError as missing:
            raise ImportError(MISSING_EXTRA + install("emulator")) from missing
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
        """Return when the server listens. Raises `RuntimeError` if it does not start."""
        self._thread.start()
        if not self._ready.wait(START_TIMEOUT_SECONDS):
            raise RuntimeError(f"The emulator did not start within {START_TIMEOUT_SECONDS:g} seconds.")
        if self._failure is not None:
            raise RuntimeError("The emulator did not start.") from self._failure

    def stop(self) -> None:
        """Return when the server has stopped."""
        if self._loop is not None and self._done is not None:
            self._loop.call_soon_threadsafe(self._done.set)
        self._thread.join(START_TIMEOUT_SECONDS)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as failure:  # noqa: BLE001  # raised in `start`
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
        # End the answers that are still being sent, such as those of a stall or drip.
        for connection in list(server.server_state.connections):
            connection.transport.abort()
        await asyncio.sleep(0)

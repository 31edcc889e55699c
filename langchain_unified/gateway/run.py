"""`langchain-unified serve`: check the settings, start one process or several, read the configuration again."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
import os
import secrets
import signal
import socket as sockets
import sys
import tempfile
from dataclasses import dataclass

import orjson
import uvicorn
from uvicorn.supervisors.multiprocess import Multiprocess

from langchain_unified.errors import ConfigurationError
from langchain_unified.gateway import metrics
from langchain_unified.gateway.app import App
from langchain_unified.gateway.build import build
from langchain_unified.gateway.config import GatewayConfig
from langchain_unified.gateway.config_build import from_models, limits_of, router_of
from langchain_unified.gateway.config_file import read_file
from langchain_unified.gateway.logs import log_to_stderr
from langchain_unified.gateway.server import SETTINGS_VARIABLE, is_loopback, listener, uvicorn_config
from langchain_unified.gateway.state import Gateway

log = logging.getLogger("langchain_unified.gateway")


@dataclass(frozen=True, slots=True)
class ServeSettings:
    """The arguments of the command."""

    config_file: str | None = None
    models: tuple[str, ...] = ()
    host: str = "127.0.0.1"
    port: int = 4000
    workers: int = 1
    secret: str = ""
    """What signs reasoning, in hexadecimal digits, where the configuration says nothing: all workers need the same."""

    def read(self) -> GatewayConfig:
        """The configuration as it is now. Raises `ConfigurationError`."""
        if (self.config_file is None) == (not self.models):
            raise ConfigurationError("Give either --config gateway.yaml or --model provider/model.")
        config = from_models(self.models) if self.config_file is None else read_file(self.config_file).checked()
        if config.general_settings.master_key is None and not is_loopback(self.host):
            raise ConfigurationError(
                f"Without a master key the gateway listens on this machine only, not on {self.host}. Set "
                "general_settings.master_key, or the environment variable LITELLM_MASTER_KEY with --model."
            )
        return config

    async def make(self, old: Gateway | None = None) -> Gateway:
        """The gateway for the configuration as it is now."""
        return await build(self.read(), old, secret=bytes.fromhex(self.secret), workers=self.workers)


def check(config_file: str | None, models: tuple[str, ...]) -> int:
    """Print a finding for each key. Returns the exit code: 0 if the gateway can start, 2 if not."""
    settings = ServeSettings(config_file, models)
    write = sys.stdout.write
    if config_file is None:
        router_of(settings.read())
        write("The gateway can start.\n")
        return 0
    report = read_file(config_file)
    for finding in sorted(report.findings, key=lambda each: (each.line, each.key)):
        write(f"{finding.kind:<12}{finding.shown(config_file)}\n")
    if report.refused:
        write(f"{len(report.refused)} of the keys have to be changed.\n")
        return 2
    router_of(report.checked())
    write("The gateway can start.\n")
    return 0


def run(settings: ServeSettings) -> None:
    """Serve until a signal ends it. Raises `ConfigurationError` and `OSError` before anything is served."""
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until the configuration can be read again
    config = settings.read()
    router_of(config)
    socket = listener(settings.host, settings.port)
    port = socket.getsockname()[1]
    _refuse_itself(config, port)
    drain = limits_of(config).drain_seconds
    log_to_stderr()
    url = f"http://{_shown(settings.host)}:{port}"
    log.info("serving", extra={"fields": {"url": url, "workers": settings.workers}})
    if settings.workers == 1:
        app = ReloadingApp(settings)
        server = uvicorn.Server(uvicorn_config(app, host=settings.host, port=port, drain_seconds=drain))
        with contextlib.suppress(KeyboardInterrupt):
            server.run(sockets=[socket])
        return
    shared = dataclasses.replace(settings, secret=secrets.token_hex(32))
    os.environ[SETTINGS_VARIABLE] = orjson.dumps(dataclasses.asdict(shared)).decode()
    with tempfile.TemporaryDirectory(prefix="gateway-metrics-") as folder:
        os.environ.setdefault(metrics.MULTIPROCESS, folder)
        _run_workers(settings, socket, drain)


def _run_workers(settings: ServeSettings, socket: sockets.socket, drain: float) -> None:
    port = socket.getsockname()[1]
    uvicorn_settings = uvicorn_config(
        "langchain_unified.gateway.run:worker_app", host=settings.host, port=port, drain_seconds=drain,
        workers=settings.workers, factory=True,
    )  # fmt: skip
    Supervisor(uvicorn_settings, [socket], settings).run()


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _refuse_itself(config: GatewayConfig, port: int) -> None:
    """A shell that is set up for Claude Code names the gateway as the provider's address."""
    for deployment in router_of(config).deployments:
        address = deployment.base_url.partition("://")[2].partition("/")[0]
        if address in (f"localhost:{port}", f"127.0.0.1:{port}", f"0.0.0.0:{port}"):
            raise ConfigurationError(
                f"{deployment.public_name!r} goes to {deployment.base_url}, which is this gateway itself. Unset "
                "ANTHROPIC_BASE_URL and OPENAI_BASE_URL here, or give api_base."
            )


# --- processes and signals --------------------------------------------------------------------------------------------


class ReloadingApp(App):
    """The application, which reads its configuration again on SIGHUP: all of it, or nothing if there is a mistake."""

    def __init__(self, settings: ServeSettings) -> None:
        """`settings`: what to read."""
        super().__init__(self._start)
        self._settings = settings
        self._reloading: asyncio.Task[None] | None = None

    async def _start(self) -> Gateway:
        gateway = await self._settings.make()
        if hasattr(signal, "SIGHUP"):
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._on_hangup)
        return gateway

    def _on_hangup(self) -> None:
        self._reloading = asyncio.get_running_loop().create_task(self.reload())

    async def reload(self) -> None:
        """Read the configuration again. Calls that run keep the one with which they began."""
        try:
            self.gateway = await self._settings.make(self.gateway)
        except ConfigurationError as error:
            log.error("the configuration was not taken", extra={"fields": {"findings": str(error).splitlines()}})  # noqa: TRY400
        else:
            log.info("the configuration was read again")


def worker_app() -> App:
    """The application of a worker, whose settings stand in the environment."""
    log_to_stderr()
    stored = orjson.loads(os.environ[SETTINGS_VARIABLE])
    return ReloadingApp(ServeSettings(**{**stored, "models": tuple(stored["models"])}))


class Supervisor(Multiprocess):
    """Starts the workers, and others for those that die. Passes SIGHUP on to them."""

    def __init__(self, config: uvicorn.Config, sockets: list[object], settings: ServeSettings) -> None:
        """`sockets`: those that the workers share."""
        super().__init__(config, sockets)  # type: ignore[arg-type]
        self._settings = settings

    def keep_subprocess_alive(self) -> None:
        """Start another worker for one that died; its running calls count no more."""
        before = {process.pid for process in self.processes}
        super().keep_subprocess_alive()
        for pid in before - {process.pid for process in self.processes}:
            metrics.forget_worker(pid)

    def handle_hup(self) -> None:
        """Check the configuration once, then have each worker read it."""
        try:
            router_of(self._settings.read())
        except ConfigurationError as error:
            log.error("the configuration was not taken", extra={"fields": {"findings": str(error).splitlines()}})  # noqa: TRY400
            return
        for process in self.processes:
            if process.pid is not None:
                os.kill(process.pid, signal.SIGHUP)

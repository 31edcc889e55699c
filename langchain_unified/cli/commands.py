"""The subcommands of `langchain-unified`. Their exit codes are listed in `cli/__init__.py`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click
from rich.console import Console

from langchain_unified._version import __version__
from langchain_unified.cli.serve import serve
from langchain_unified.errors import ConfigurationError, UnifiedError


@contextmanager
def _exit_on_error() -> Iterator[None]:
    """Print an error of this package in one line, without a traceback, and exit."""
    try:
        yield
    except UnifiedError as error:
        console = Console(stderr=True, highlight=False)
        console.print(f"{type(error).__name__}: {error}", style="red", markup=False)
        if isinstance(error, ConfigurationError):
            console.print("The demo needs no keys: langchain-unified demo", markup=False)
        raise SystemExit(2 if isinstance(error, ConfigurationError) else 1) from None


@click.group(help="One chat model for Anthropic and OpenAI. Start with: langchain-unified demo")
@click.version_option(__version__, prog_name="langchain-unified")
def commands() -> None:
    pass


@commands.command()
@click.option("--live", is_flag=True, help="Use the real providers and your keys.")
def demo(live: bool) -> None:
    """Show a conversation with both providers. No keys, no network."""
    from langchain_unified.cli.demo import run

    with _exit_on_error():
        run(Console(highlight=False), live=live)


@commands.command()
@click.argument("question")
@click.option("--model", default="anthropic/claude-opus-5", show_default=True, help="anthropic/... or openai/...")
@click.option("--max-tokens", type=int, default=None, help="The maximum length of the answer, in tokens.")
def chat(question: str, model: str, max_tokens: int | None) -> None:
    """Ask a model one question and stream the answer."""
    from langchain_unified import ChatUnified

    console = Console(highlight=False)
    with _exit_on_error():
        for chunk in ChatUnified(model, max_tokens=max_tokens).stream(question):
            console.print(str(chunk.text), end="", markup=False, soft_wrap=True)
        console.print()


@commands.command()
@click.option("--port", type=click.IntRange(0, 65535), default=8787, show_default=True, help="0 takes a free port.")
@click.option("--server", help="Another server to play: ollama, vllm, openrouter, deepseek, …")
def emulate(port: int, server: str | None) -> None:
    """Serve the APIs of both providers on this machine, or of another server, for tests."""
    from langchain_unified.testing import emulator

    console = Console(highlight=False)
    try:
        with _exit_on_error():
            running = emulator(port=port, server=server)
        with running:
            console.print(f"Anthropic: {running.anthropic_url}", markup=False)
            console.print(f"OpenAI:    {running.openai_url}", markup=False)
            dialect = f" and dialect={server!r}" if server else ""
            usage = f"Use these addresses as base_url{dialect}, with any API key. Press Ctrl-C to stop."
            console.print(usage, markup=False)
            running.wait()
    except KeyboardInterrupt:
        console.print("The emulator has stopped.", markup=False)
    except OSError as error:
        message = f"Port {port} cannot be used: {error.strerror}. Take another one with --port."
        Console(stderr=True).print(message, style="red", markup=False)
        raise SystemExit(2) from None


commands.add_command(serve)

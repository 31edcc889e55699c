"""The subcommands of `langchain-unified`; `cli.py` is the entry point and tells the exit codes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click
from rich.console import Console

from langchain_unified._version import __version__
from langchain_unified.errors import ConfigurationError, UnifiedError


@contextmanager
def _telling() -> Iterator[None]:
    """Errors of ours end the command with one line, not with a traceback."""
    try:
        yield
    except UnifiedError as error:
        console = Console(stderr=True, highlight=False)
        console.print(f"{type(error).__name__}: {error}", style="red", markup=False)
        if isinstance(error, ConfigurationError):
            console.print("Without keys, try the demo: langchain-unified demo", markup=False)
        raise SystemExit(2 if isinstance(error, ConfigurationError) else 1) from None


@click.group(help="One chat model for Anthropic and OpenAI: the demo, one question, the emulator.")
@click.version_option(__version__, prog_name="langchain-unified")
def commands() -> None:
    pass


@commands.command()
@click.option("--live", is_flag=True, help="Ask the real providers, with your keys.")
def demo(live: bool) -> None:
    """Hold one conversation with each provider by the same code. No keys, no network."""
    from langchain_unified.cli.demo import run

    with _telling():
        run(Console(highlight=False), live=live)


@commands.command()
@click.argument("question")
@click.option("--model", default="anthropic/claude-opus-5", show_default=True, help="anthropic/... or openai/...")
@click.option("--max-tokens", type=int, default=None, help="The longest answer, in tokens.")
def chat(question: str, model: str, max_tokens: int | None) -> None:
    """Ask one question and stream the answer."""
    from langchain_unified import ChatUnified

    console = Console(highlight=False)
    with _telling():
        for chunk in ChatUnified(model, max_tokens=max_tokens).stream(question):
            console.print(str(chunk.text), end="", markup=False, soft_wrap=True)
        console.print()


@commands.command()
@click.option("--port", type=click.IntRange(0, 65535), default=8787, show_default=True, help="0 takes a free one.")
def emulate(port: int) -> None:
    """Serve both providers' APIs on this machine until Ctrl-C."""
    from langchain_unified.testing import emulator

    console = Console(highlight=False)
    try:
        with emulator(port=port) as server:
            console.print(f"Anthropic: {server.anthropic_url}", markup=False)
            console.print(f"OpenAI:    {server.openai_url}", markup=False)
            console.print("Any key is accepted. Ctrl-C stops it.", markup=False)
            server.wait()
    except KeyboardInterrupt:
        console.print("stopped", markup=False)
    except OSError as error:
        Console(stderr=True).print(f"Port {port} cannot be used: {error.strerror}.", style="red", markup=False)
        raise SystemExit(2) from None

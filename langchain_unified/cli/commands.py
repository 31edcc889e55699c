"""The subcommands of `langchain-unified`. Their exit codes are listed in `cli/__init__.py`."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from langchain_unified._version import __version__
from langchain_unified.cli.bulk import bulk
from langchain_unified.cli.keys import key
from langchain_unified.cli.serve import gateway_demo, serve
from langchain_unified.errors import ConfigurationError, UnifiedError
from langchain_unified.request.warned import UnifiedWarning


@contextmanager
def _shown_warnings() -> Iterator[None]:
    """Print warnings of this package as a line each: their place in the code is no help to whoever runs a command."""

    def show(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
        if issubclass(category, UnifiedWarning):
            text = str(message).removesuffix(AS_ERROR)
            Console(stderr=True, highlight=False).print(f"Warning: {text}", style="yellow", markup=False)
        else:
            shown(message, category, *place, **more)

    with warnings.catch_warnings():
        shown = warnings.showwarning
        warnings.simplefilter("always", UnifiedWarning)
        warnings.showwarning = show
        yield


AS_ERROR = " (on_unsupported='raise' makes this an error)"
"""What a warning advises a program; a command has no such option."""


@contextmanager
def _exit_on_error() -> Iterator[None]:
    """Print an error of this package in one line, without a traceback, and exit."""
    try:
        with _shown_warnings():
            yield
    except UnifiedError as error:
        console = Console(stderr=True, highlight=False)
        console.print(f"{type(error).__name__}: {error}", style="red", markup=False)
        if isinstance(error, ConfigurationError):
            console.print("The demo needs no keys: langchain-unified demo", markup=False)
        raise SystemExit(2 if isinstance(error, ConfigurationError) else 1) from None


class Commands(click.Group):
    """The list of commands with whole sentences: click cuts them to one line."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = [(name, self.commands[name].get_short_help_str(limit=200)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


@click.group(cls=Commands, help="One chat model for Anthropic and OpenAI. Start with: langchain-unified demo")
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
@click.argument("question", required=False)
@click.option("--model", default="anthropic/claude-sonnet-5", show_default=True, help="anthropic/... or openai/...")
@click.option("--max-tokens", type=click.IntRange(1), default=None, help="The maximum length of an answer, in tokens.")
def chat(question: str | None, model: str, max_tokens: int | None) -> None:
    """Ask a model one question, or hold a conversation.

    Without a question a conversation begins; /help lists its commands. A text that is piped in is the question, or
    follows it. If one of its lines is a command, such as /cost, each line is a turn.
    """
    from langchain_unified.cli.chat import Conversation, run

    out, err = Console(highlight=False), Console(stderr=True, highlight=False)
    with _exit_on_error():
        code = run(Conversation(model, out, err, max_tokens=max_tokens), question)
    raise SystemExit(code)


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
            usage = f"Use these addresses as base_url{dialect}, with any API key, or paste into another shell:"
            console.print(usage, markup=False)
            for name, url in (("ANTHROPIC", running.anthropic_url), ("OPENAI", running.openai_url)):
                console.print(
                    f"  export {name}_BASE_URL={url}\n  export {name}_API_KEY=any", markup=False, soft_wrap=True
                )
            console.print("Press Ctrl-C to stop.", markup=False)
            running.wait()
    except KeyboardInterrupt:
        console.print("The emulator has stopped.", markup=False)
    except OSError as error:
        message = f"Port {port} cannot be used: {error.strerror}. Take another one with --port."
        Console(stderr=True).print(message, style="red", markup=False)
        raise SystemExit(2) from None


commands.add_command(bulk)
commands.add_command(serve)
commands.add_command(gateway_demo)
commands.add_command(key)


@commands.command()
@click.option("--provider", type=click.Choice(["anthropic", "openai"]), help="Only this provider's facts.")
@click.option("--yes", is_flag=True, help="Do not ask before the calls are sent.")
@click.option("--record", type=click.Path(file_okay=False, path_type=Path), help="A folder for cassettes of the calls.")
def verify(provider: str | None, yes: bool, record: Path | None) -> None:
    """Test the facts that this package relies on, with your own keys.

    About seventy cheap calls. The cost is shown first. Prints which facts hold, which do not, and the request ids.
    """
    from langchain_unified.cli.verify.report import run

    with _exit_on_error():
        code = run(Console(highlight=False), provider=provider, yes=yes, record=record)
    raise SystemExit(code)

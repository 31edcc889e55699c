"""`langchain-unified serve`: the gateway."""

from __future__ import annotations

import click
from rich.console import Console

from langchain_unified.errors import ConfigurationError

MISSING_EXTRA = "The gateway needs more packages: pip install 'langchain-unified[gateway]' ({name} is missing)."


@click.command("gateway-demo")
def gateway_demo() -> None:
    """Show curl, both SDKs and LangChain at the gateway. No keys, no network."""
    try:
        from langchain_unified.cli.gateway_demo import run
    except ImportError as error:
        click.echo(MISSING_EXTRA.format(name=error.name), err=True)
        raise SystemExit(2) from None
    run(Console(highlight=False))


@click.command()
@click.option("--config", "config_file", type=click.Path(dir_okay=False), help="The configuration, in LiteLLM's form.")
@click.option("--model", "models", multiple=True, help="Serve this model without a file: anthropic/… or openai/….")
@click.option("--host", default="127.0.0.1", show_default=True, help="Beyond the loopback: with a master key.")
@click.option("--port", type=click.IntRange(0, 65535), default=4000, show_default=True, help="0 takes a free port.")
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Processes that serve.")
@click.option("--check", is_flag=True, help="Check the configuration, print a finding for each key, and exit.")
def serve(  # noqa: PLR0917 - click passes them by name
    config_file: str | None, models: tuple[str, ...], host: str, port: int, workers: int, check: bool
) -> None:
    """Serve Chat Completions, Responses and Messages in front of either provider."""
    console = Console(highlight=False, stderr=True, soft_wrap=True)
    try:
        from langchain_unified.gateway import run
    except ImportError as error:
        console.print(MISSING_EXTRA.format(name=error.name), style="red", markup=False)
        raise SystemExit(2) from None
    try:
        if check:
            raise SystemExit(run.check(config_file, models))
        run.run(run.ServeSettings(config_file, models, host, port, workers))
    except ConfigurationError as error:
        console.print(str(error), style="red", markup=False)
        raise SystemExit(2) from None
    except OSError as error:
        text = f"{host}:{port} cannot be used: {error.strerror}. Take another --port."
        console.print(text, style="red", markup=False)
        raise SystemExit(2) from None

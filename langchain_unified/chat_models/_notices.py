"""What a program should know of the model that it calls: that its provider shuts it down."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from langchain_unified.catalog import Route
from langchain_unified.chat_models._model import ModelBase
from langchain_unified.request import Provider
from langchain_unified.request.warned import DeprecatedModelWarning, warn

PAGES: Mapping[Provider, tuple[str, str]] = {
    "anthropic": ("Anthropic", "https://platform.claude.com/docs/en/about-claude/model-deprecations"),
    "openai": ("OpenAI", "https://developers.openai.com/api/docs/deprecations"),
}
"""Each provider's name, and where it lists shutdown dates and what to use instead."""


def today() -> str:
    """The day, as `YYYY-MM-DD`, in UTC."""
    return datetime.now(tz=UTC).date().isoformat()


def notice(route: Route) -> str | None:
    """The model's shutdown, in a sentence; `None` where none is announced.

    The dates are those of the provider's own API, also behind a proxy. A cloud or a router has dates of its own.
    """
    day = route.profile.shutdown_date
    if day is None or route.dialect.name not in (route.provider, "proxy"):
        return None
    provider, page = PAGES[route.provider]
    verb = "shut it down" if day <= today() else "shuts it down"
    return f"{route.model} is deprecated: {provider} {verb} on {day}. Replacements: {page}"


def called_route(model: ModelBase, name: str | None, *, dry: bool) -> Route:
    """The route of a call. It warns of the called model's shutdown, once for each model object and id, unless `dry`."""
    route = model._route(name)
    if route.profile.shutdown_date is not None and not dry:
        text = notice(route)
        if text is not None and text not in model._warned:
            model._warned.add(text)
            warn(text, DeprecatedModelWarning)
    return route

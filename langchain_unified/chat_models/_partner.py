"""A model is an instance of the partner package's class, too, for whoever asks with `isinstance`.

Middleware of LangChain and deepagents asks `isinstance(model, langchain_anthropic.ChatAnthropic)` before it sets prompt
caching. The answer is yes for a model of that provider. What was tried: pydantic's models do not support `register()`;
a `__class__` that is the partner's class itself gives pydantic and core the partner's fields and secrets.

Python's `isinstance` looks at `__class__` after `type`. `shown_class` gives a class for it: a subclass of the model's
own one, with the partner's class behind our classes in its method resolution order. So everything that is read from
`model.__class__` (fields, secrets, name, module) is ours. `type(model)` is always our class. The partner package is
never imported for this: while it is not loaded, nobody can have its class to ask with.
"""

from __future__ import annotations

import copyreg
import sys
from abc import ABCMeta
from collections.abc import Callable, Mapping
from typing import Any

from langchain_core.language_models import BaseChatModel

from langchain_unified.request import Provider

ANTHROPIC = ("langchain_anthropic.chat_models", "ChatAnthropic")
OPENAI = ("langchain_openai.chat_models.base", "ChatOpenAI")
PARTNERS: Mapping[Provider, tuple[str, str]] = {"anthropic": ANTHROPIC, "openai": OPENAI}
"""By provider, the module and the name of the partner's chat model."""


def shown_class(own: type[Any], provider: Callable[[], Provider | None]) -> type[Any]:
    """The class that `model.__class__` is: `own` itself while no partner's class is loaded."""
    modules = sys.modules  # this runs at every `isinstance`
    if ANTHROPIC[0] not in modules and OPENAI[0] not in modules:
        return own
    found = provider()
    module, name = PARTNERS[found] if found else ("", "")
    partner = getattr(modules.get(module), name, None)
    made = _SHOWN.get((own, partner))
    if made is not None or not isinstance(partner, type) or issubclass(own, partner):
        return made or own
    return _SHOWN.setdefault((own, partner), ShownMeta(own, partner))


class ShownMeta(type(BaseChatModel)):  # type: ignore[misc]
    """Makes classes that have the partner's class in their method resolution order, behind ours."""

    shown_for: type[Any]
    partner: type[Any]

    def __new__(mcs, own: type[Any], partner: type[Any]) -> ShownMeta:
        """A class with the name and module of `own`, without pydantic's work: all is inherited."""
        namespace = {"__module__": own.__module__, "__qualname__": own.__qualname__, "__doc__": own.__doc__}
        more = {"shown_for": own, "partner": partner}
        # Pydantic looks here before it assigns a field: a property of the partner's would stand in the way.
        fields = {name: None for name in own.model_fields if isinstance(getattr(partner, name, None), property)}
        return ABCMeta.__new__(mcs, own.__name__, (own,), {**fields, **namespace, **more})

    def __init__(cls, own: type[Any], partner: type[Any]) -> None:
        type.__init__(cls, own.__name__, (own,), {})

    def mro(cls) -> list[type]:
        """Our classes, then the partner's own, then those that both have."""
        found = super().mro()
        partner = cls.__dict__["partner"]
        foreign = [base for base in partner.__mro__ if base not in found]
        at = next(place for place, base in enumerate(found) if base in partner.__mro__)
        return [*found[:at], *foreign, *found[at:]]

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        """A model of our class: `model.__class__(…)` is how LangChain makes a configured copy."""
        return cls.shown_for(*args, **kwargs)


_SHOWN: dict[tuple[type[Any], Any], type[Any]] = {}
"""By our class and the partner's, the class that is shown."""


def _itself(cls: type[Any]) -> type[Any]:
    return cls


copyreg.pickle(ShownMeta, lambda cls: (_itself, (cls.shown_for,)))  # type: ignore[arg-type, return-value]


def empty(cls: type[Any]) -> Any:
    """A model that unpickling fills. `copyreg.__newobj__` refuses objects whose `__class__` is not their type."""
    return object.__new__(cls)

"""The reference of `gateway.yaml`, `docs/gateway_config.md`, from its models."""

from __future__ import annotations

import types
from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from docs.generate.markdown import table
from langchain_unified.gateway.config import (
    GatewaySettings,
    GeneralSettings,
    LitellmParams,
    LitellmSettings,
    ModelEntry,
    ModelInfo,
    RouterSettings,
)
from langchain_unified.gateway.config_refused import APPROXIMATE, REFUSED

HEAD = """# The configuration of the gateway

Written by `make tables` from `langchain_unified/gateway/config.py`. Do not edit this page by hand.

`langchain-unified serve --config gateway.yaml` reads this file. Its keys are those of LiteLLM's proxy where it has
them. [The gateway](gateway.md) shows how to begin. `--check` prints what each key of your file means here, with its
line.

- A value `os.environ/NAME` is read from the environment; a variable that is not set is an error.
- A key that is unknown, stands twice or is refused is an error at the start, with file, line and key.
- On SIGHUP the file is read again: all of it, or nothing if there is a mistake. The master key, the database and the
  number of workers stay as they were.
- A `model_name` and a `model` may hold one `*`, at their beginning or end: what it matches in the name goes into the
  model. An exact name goes before a pattern, a longer pattern before a shorter one.
"""

SECTIONS: tuple[tuple[str, type[BaseModel]], ...] = (
    ("model_list[]", ModelEntry),
    ("model_list[].litellm_params", LitellmParams),
    ("model_list[].model_info", ModelInfo),
    ("router_settings", RouterSettings),
    ("litellm_settings", LitellmSettings),
    ("general_settings", GeneralSettings),
    ("gateway_settings", GatewaySettings),
)


def page() -> str:
    """The whole page."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield HEAD.rstrip()
    for name, section in SECTIONS:
        yield f"\n## `{name}`\n"
        yield " ".join((section.__doc__ or "").split())
        yield ""
        yield from table(
            ("key", "value", "default", "meaning"), (_row(key, field) for key, field in section.model_fields.items())
        )
    yield "\n## Keys that mean something else than in LiteLLM's proxy\n"
    yield from table(("key", "here"), ((f"`{key}`", text) for key, text in sorted(APPROXIMATE.items())))
    yield "\n## Keys of LiteLLM's proxy that are refused\n"
    yield from table(("key", "why, and what to do"), ((f"`{key}`", text) for key, text in sorted(REFUSED.items())))


def _row(key: str, field: FieldInfo) -> tuple[str, str, str, str]:
    return (
        f"`{key}`",
        _type(field.annotation, field.metadata),
        _default(field),
        " ".join((field.description or "").split()),
    )


def _default(field: FieldInfo) -> str:
    if field.default_factory is not None:
        return "none"
    if field.default is PydanticUndefined:
        return "required"
    if field.default is None:
        return ""
    if isinstance(field.default, bool):
        return f"`{str(field.default).lower()}`"
    return "" if isinstance(field.default, BaseModel) else f"`{field.default}`"


def _type(annotation: Any, limits: list[Any] | None = None) -> str:
    if get_origin(annotation) is Annotated:
        inner, *more = get_args(annotation)
        return _type(inner, [limit for each in more for limit in getattr(each, "metadata", [each])])
    if get_origin(annotation) in (Union, types.UnionType):
        kinds = [_type(each, limits) for each in get_args(annotation) if each is not type(None)]
        return " or ".join(dict.fromkeys(kinds))
    if get_origin(annotation) is Literal:
        return " or ".join(f"`{value}`" for value in get_args(annotation))
    if get_origin(annotation) is list:
        return f"list of {_type(get_args(annotation)[0])}"
    if get_origin(annotation) is dict or annotation is dict:
        return "mapping"
    name = NAMES.get(annotation, "mapping")
    bounds = ", ".join(text for each in limits or () if (text := _bound(each)))
    return f"{name}, {bounds}" if bounds and name == "number" else name


NAMES: dict[Any, str] = {str: "text", SecretStr: "text", bool: "`true` or `false`"} | dict.fromkeys(
    (int, float, Decimal), "number"
)


def _bound(limit: Any) -> str:
    if isinstance(limit, Gt):
        return f"above {limit.gt}"
    if isinstance(limit, Ge):
        return f"{limit.ge} or more"
    return f"at most {limit.le}" if isinstance(limit, Le) else ""

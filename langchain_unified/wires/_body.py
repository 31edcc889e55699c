"""Reading a body as a server does: what kind of value a key must have, and the error that names its path."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, get_origin, get_type_hints

from langchain_unified.errors import RequestError
from langchain_unified.request import JsonObject, Params
from langchain_unified.wires._wire import ParamWriter, SendAs, Unsupported

IS_KIND: Mapping[str, Callable[[Any], bool]] = {
    "a string": lambda value: isinstance(value, str),
    "an object": lambda value: isinstance(value, dict),
    "a list": lambda value: isinstance(value, list),
    "a list of strings": lambda value: isinstance(value, list) and all(isinstance(item, str) for item in value),
    "true or false": lambda value: isinstance(value, bool),
    "an integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "a number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
}


def expect(kind: str, value: Any, path: str) -> Any:
    """The value, when it is of the kind. Raises `RequestError` with the path when it is not."""
    if IS_KIND[kind](value):
        return value
    raise RequestError(f"{path} must be {kind}, not {abbreviated(value)}.")


def abbreviated(value: Any) -> str:
    """A value for an error message, in 80 characters at most."""
    if value is None:
        return "null (or absent)"
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def each_object(value: Any, path: str) -> Iterator[tuple[JsonObject, str]]:
    """Each object of a list, with its path; nothing for `None`. Raises `RequestError` for anything else."""
    for position, item in enumerate(expect("a list", [] if value is None else value, path)):
        yield expect("an object", item, f"{path}[{position}]"), f"{path}[{position}]"


def non_null(holder: Mapping[str, Any]) -> JsonObject:
    """The keys of an object whose values are not null."""
    return {key: value for key, value in holder.items() if value is not None}


# --- parameters -------------------------------------------------------------------------------------------------------

KIND_OF_TYPE: Mapping[Any, str] = {
    int: "an integer",
    float: "a number",
    bool: "true or false",
    str: "a string",
    dict: "an object",
    list: "a list of strings",
}


def readable_params(
    table: Mapping[str, ParamWriter], *, renamed: Mapping[str, str], read_elsewhere: frozenset[str]
) -> dict[str, tuple[str, str]]:
    """Body key -> the parameter in `Params`, and the kind of its value: the encoder's table from the other side.

    `renamed`: parameter -> body key, where a row of the table does not show it. `read_elsewhere`: the parameters that
    are not a body key by themselves.
    """
    hints = get_type_hints(Params)
    return {
        renamed.get(name) or (row.key if isinstance(row, SendAs) else name): (name, KIND_OF_TYPE[_type_of(hints[name])])
        for name, row in table.items()
        if name not in read_elsewhere and not isinstance(row, Unsupported)
    }


def _type_of(hint: Any) -> Any:
    return get_origin(hint) or hint

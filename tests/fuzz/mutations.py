"""Mutations of JSON as servers make them: parts that are null, missing, of another type, twice, moved."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

Path: TypeAlias = tuple[Any, ...]

OTHERS: tuple[Any, ...] = (
    None, True, False, 0, -1, 7, 1.5, 1e300, "", "x", "null", "{", [], [None], [1], ["x"], {}, {"type": "unheard_of"},
    {"x": None}, [[]], [{}],
)  # fmt: skip
"""Values of any type, one of which takes the place of another."""


def paths(value: Any, at: Path = ()) -> Iterator[Path]:
    """The path of every part, the whole first; of parts that are not too deep to be found again."""
    yield at
    if len(at) > 40:
        return
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from paths(item, (*at, key))


def _replace(holder: Any, key: Any, chance: random.Random) -> None:
    holder[key] = copy.deepcopy(chance.choice(OTHERS))


def _remove(holder: Any, key: Any, chance: random.Random) -> None:
    del holder[key]


def _wrap(holder: Any, key: Any, chance: random.Random) -> None:
    holder[key] = chance.choice(([holder[key]], {"value": holder[key]}, str(holder[key])))


def _add(holder: Any, key: Any, chance: random.Random) -> None:
    """An unknown key beside the part, or an unknown item before it."""
    if isinstance(holder, dict):
        holder[chance.choice(("unheard_of", "index", "type", "id", "error"))] = copy.deepcopy(chance.choice(OTHERS))
    else:
        holder.insert(key, copy.deepcopy(chance.choice(OTHERS)))


def _double(holder: Any, key: Any, chance: random.Random) -> None:
    if isinstance(holder, list):
        holder.insert(key, copy.deepcopy(holder[key]))
    else:
        holder[key] = [holder[key], copy.deepcopy(holder[key])]


def _nest(holder: Any, key: Any, chance: random.Random) -> None:
    for _ in range(chance.choice((3, 150))):
        holder[key] = {"a": holder[key]} if chance.random() < 0.5 else [holder[key]]


def _rename(holder: Any, key: Any, chance: random.Random) -> None:
    if isinstance(holder, dict):
        holder[f"{key}_2"] = holder.pop(key)
    else:
        chance.shuffle(holder)


KINDS: tuple[Callable[[Any, Any, random.Random], None], ...] = (
    _replace, _replace, _replace, _replace, _remove, _remove, _wrap, _add, _double, _rename,
)  # fmt: skip


NESTED = 0.01
"""How often a part is wrapped many times: JSON that is deeper is not read."""


def mutated(value: Any, chance: random.Random, count: int = 1) -> Any:
    """A copy with `count` mutations; the value itself may be replaced."""
    found = copy.deepcopy(value)
    for _ in range(count):
        at = chance.choice(list(paths(found)))
        if not at:
            continue
        holder = found
        for key in at[:-1]:
            holder = holder[key]
        kind = _nest if chance.random() < NESTED else chance.choice(KINDS)
        kind(holder, at[-1], chance)
    return found


def mutated_events(events: list[Any], chance: random.Random, count: int = 1) -> list[Any]:
    """A copy of a stream with mutations in its events or of their order."""
    found = list(events)
    for _ in range(count):
        if not found:
            break
        at = chance.randrange(len(found))
        draw = chance.random()
        if draw < 0.1:
            found.insert(at, copy.deepcopy(found[at]))
        elif draw < 0.2:
            del found[at]
        elif draw < 0.3:
            other = chance.randrange(len(found))
            found[at], found[other] = found[other], found[at]
        else:
            event = mutated(found[at], chance)
            found[at] = event if isinstance(event, dict) else {}
    return found

"""What the answers of a run depend on, as digests with names: a run that is resumed can say what has changed.

It holds no key, no prompt and no value of a parameter but the model's name and the caller's own `version`. Keys,
addresses, timeouts and retries are left out: they do not change an answer.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import CodeType
from typing import Any, Self

from langchain_core.language_models import BaseLanguageModel
from langchain_core.prompts import BasePromptTemplate
from langchain_core.runnables import Runnable
from langchain_core.runnables.base import RunnableBindingBase
from langchain_core.tools import BaseTool

from langchain_unified.errors import ConfigurationError
from langchain_unified.redaction import SECRET_KEYS, redacted

KINDS = ("model", "parameter", "tool", "template", "code", "version")

IGNORED = frozenset(
    {
        "timeout", "extra_headers", "extra_query", "default_headers", "deadline", "max_retries", "max_retry_wait",
        "request_timeout", "model", "model_name", "ls_structured_output_format", "base_url", "stream", "_type",
    }
) | SECRET_KEYS  # fmt: skip
"""Keywords that do not change an answer, secrets, and what is named elsewhere."""

MAX_DEPTH = 30
"""How deep runnables are searched: a graph of agents in agents has about 12 levels."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Named parts of what answers depend on: `parts["parameter"]["temperature"]` is a digest, the model's a name."""

    parts: Mapping[str, Mapping[str, str]]

    @property
    def digest(self) -> str:
        """One digest of all parts, 32 hexadecimal digits."""
        return _digest(self.to_json(), 32)

    def to_json(self) -> dict[str, dict[str, str]]:
        """The parts as plain dicts, for a state file."""
        return {kind: dict(sorted(self.parts.get(kind, {}).items())) for kind in KINDS if self.parts.get(kind)}

    @classmethod
    def from_json(cls, parts: Mapping[str, Mapping[str, str]]) -> Self:
        """The fingerprint that `to_json` wrote. Raises `ConfigurationError` for anything else."""
        if not isinstance(parts, Mapping) or not all(isinstance(names, Mapping) for names in parts.values()):
            raise ConfigurationError("The `fingerprint` in the state of the run is damaged. Use a copy of the state.")
        return cls({kind: dict(names) for kind, names in parts.items()})

    def differences(self, earlier: Fingerprint) -> list[str]:
        """What is different now, by name: `the model is "b", it was "a"`, `the parameter "temperature" has changed`."""
        return [
            _difference(kind, name, self.parts.get(kind, {}).get(name), earlier.parts.get(kind, {}).get(name))
            for kind in KINDS
            for name in sorted({*self.parts.get(kind, {}), *earlier.parts.get(kind, {})})
            if self.parts.get(kind, {}).get(name) != earlier.parts.get(kind, {}).get(name)
        ]


def fingerprint(runnable: Runnable[Any, Any], *, template: Any = None, version: str | None = None) -> Fingerprint:
    """The fingerprint of a runnable: its models, their parameters and tools, its prompts and its functions.

    `template`: what makes the input of a row: a column's name, a template or a function. `version`: the caller's own
    word for what cannot be seen here, such as the code behind a tool.
    """
    found = _Found()
    found.walk(runnable, 0)
    parts = {
        "model": found.models,
        "parameter": found.parameters,
        "tool": found.tools,
        "template": found.templates,
        "code": found.code,
        "version": {} if version is None else {"version": str(version)},
    }
    if template is not None:
        parts["template"]["input"] = _digest(template)
    return Fingerprint(parts)


def _difference(kind: str, name: str, now: str | None, before: str | None) -> str:
    if kind == "version":
        return f"the version is {now!r}, it was {before!r}"
    if kind == "model":
        return f"the {name} is {now!r}, it was {before!r}"
    what = "is new" if before is None else "is gone" if now is None else "has changed"
    return f"the {kind} {name!r} {what}"


# --- searching a runnable ---------------------------------------------------------------------------------------------


@dataclass
class _Found:
    """What a search of a runnable has found."""

    models: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)
    tools: dict[str, str] = field(default_factory=dict)
    templates: dict[str, str] = field(default_factory=dict)
    code: dict[str, str] = field(default_factory=dict)
    seen: set[int] = field(default_factory=set)

    def walk(self, value: Any, depth: int) -> None:
        if depth > MAX_DEPTH or id(value) in self.seen:
            return
        add = next((add for kind, add in READERS if isinstance(value, kind)), None)
        if add is not None:
            self.seen.add(id(value))
            add(self, value)
        for inner in _inside(value):
            self.walk(inner, depth + 1)

    def add_model(self, model: BaseLanguageModel[Any]) -> None:
        label = "model" if not self.models else f"model {len(self.models) + 1}"
        given = dict(getattr(model, "_identifying_params", {}))
        name = given.get("model") or given.get("model_name") or type(model).__name__
        self.models[label] = str(name)
        self.add_parameters(given)

    def add_binding(self, binding: RunnableBindingBase[Any, Any]) -> None:
        if named := binding.kwargs.get("model"):
            self.models.setdefault("model of the binding", str(named))
        self.add_parameters(binding.kwargs)

    def add_parameters(self, given: Mapping[str, Any]) -> None:
        for name, value in redacted(given).items():
            if name == "tools" and isinstance(value, list | tuple):
                self.tools.update({_tool_name(tool): _digest(tool) for tool in value})
            elif name not in IGNORED and not name.endswith("api_key"):
                count = sum(key.split(" ")[0] == name for key in self.parameters)
                self.parameters[name if not count else f"{name} {count + 1}"] = _digest(value)

    def add_template(self, prompt: BasePromptTemplate[Any]) -> None:
        self.templates[f"prompt {len(self.templates) + 1}"] = _digest(repr(prompt))

    def add_tool(self, tool: BaseTool) -> None:
        self.tools[tool.name] = _digest(tool)

    def add_function(self, function: Callable[..., Any]) -> None:
        # Functions of installed packages change with their release, not with the caller's run.
        module = getattr(function, "__module__", None) or ""
        if module.partition(".")[0] not in LIBRARIES:
            self.code.setdefault(function.__name__, _digest(function))


READERS: tuple[tuple[Any, Callable[[_Found, Any], None]], ...] = (
    (BaseLanguageModel, _Found.add_model),
    (BasePromptTemplate, _Found.add_template),
    (BaseTool, _Found.add_tool),
    (RunnableBindingBase, _Found.add_binding),
    (type(lambda: None), _Found.add_function),
)
LIBRARIES = frozenset({"langchain", "langchain_core", "langchain_unified", "langgraph", "functools", "builtins"})


def _inside(value: Any) -> Iterator[Any]:
    """The values in which other runnables may be: steps, bound runnables, nodes of a graph, closures of functions."""
    if isinstance(value, BaseLanguageModel | BasePromptTemplate | BaseTool | str | bytes):
        return
    if isinstance(value, RunnableBindingBase):
        yield value.bound
    elif isinstance(value, Mapping):
        yield from value.values()
    elif isinstance(value, list | tuple):
        yield from value
    elif isinstance(value, functools.partial):
        yield from (value.func, *value.args, *value.keywords.values())
    elif inspect.isfunction(value):
        yield from _closure(value)
    elif isinstance(value, Runnable) or type(value).__module__.partition(".")[0] in LIBRARIES - {"builtins"}:
        yield from vars(value).values() if hasattr(value, "__dict__") else ()


def _closure(function: Any) -> Iterator[Any]:
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:  # an empty cell
            continue


def _tool_name(tool: Any) -> str:
    if isinstance(tool, Mapping):
        inner = tool.get("function")
        named = tool.get("name") or (inner.get("name") if isinstance(inner, Mapping) else None) or tool.get("type")
        return str(named)
    return str(getattr(tool, "name", None) or getattr(tool, "__name__", None) or type(tool).__name__)


# --- digests ----------------------------------------------------------------------------------------------------------


def _digest(value: Any, digits: int = 16) -> str:
    text = json.dumps(value, sort_keys=True, default=_described, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:digits]


def _described(value: Any) -> Any:
    """A value as JSON that is the same in each process: no address in memory, no order of a set."""
    describe = next((describe for applies, describe in DESCRIBED if applies(value)), repr)
    found = describe(value)
    return re.sub(r" at 0x[0-9a-fA-F]+", "", found) if describe is repr else found


def _tool(tool: BaseTool) -> dict[str, Any]:
    return {"name": tool.name, "description": tool.description, "schema": tool.tool_call_schema}


def _source(function: Any) -> str:
    """The text of a function. Lambdas share the text of their line, so that their code stands for them."""
    if function.__name__ != "<lambda>":
        try:
            return inspect.getsource(function)
        except (OSError, TypeError):  # typed at a prompt
            pass
    return _bytecode(function.__code__)


def _bytecode(code: CodeType) -> str:
    inner = [_bytecode(each) if isinstance(each, CodeType) else repr(each) for each in code.co_consts]
    return f"{code.co_code.hex()} {code.co_names!r} {inner}"


def _schema(kind: Any) -> Any:
    return kind.model_json_schema()


DESCRIBED: tuple[tuple[Callable[[Any], bool], Callable[[Any], Any]], ...] = (
    (lambda value: isinstance(value, BaseTool), _tool),
    (lambda value: isinstance(value, type) and hasattr(value, "model_json_schema"), _schema),
    (lambda value: hasattr(value, "model_dump"), lambda value: value.model_dump(mode="json")),
    (inspect.isfunction, _source),
    (lambda value: isinstance(value, set | frozenset), lambda value: sorted(map(str, value))),
    (lambda value: isinstance(value, Mapping), dict),
)

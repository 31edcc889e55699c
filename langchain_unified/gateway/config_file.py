"""Reading `gateway.yaml`: one finding for each key, with file, line and what to do."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

import yaml
from pydantic import ValidationError

from langchain_unified.errors import ConfigurationError
from langchain_unified.gateway.config import SETTABLE, GatewayConfig, LitellmParams
from langchain_unified.gateway.config_refused import APPROXIMATE, REFUSED, STRATEGIES

KeyPath: TypeAlias = tuple[str | int, ...]
FROM_ENVIRONMENT = "os.environ/"
MAX_FILE_BYTES = 5_000_000


@dataclass(frozen=True, slots=True)
class Finding:
    """What a key of the file means here. `key` is dotted, `line` counts from 1 (0: the whole file)."""

    kind: Literal["taken", "approximate", "refused"]
    key: str
    line: int
    text: str = ""

    def shown(self, file: str) -> str:
        """As one line of `--check`."""
        return f"{file}:{self.line}: {self.key}: {self.text or self.kind}"


@dataclass
class FileReport:
    """The result of reading a file. `config` is `None` where a key is refused."""

    file: str
    config: GatewayConfig | None = None
    findings: list[Finding] = field(default_factory=list)

    @property
    def refused(self) -> list[Finding]:
        """The findings with which the gateway does not start."""
        return [each for each in self.findings if each.kind == "refused"]

    def checked(self) -> GatewayConfig:
        """The configuration. Raises `ConfigurationError` with a line for each refused key."""
        if self.config is None or self.refused:
            raise ConfigurationError("\n".join(each.shown(self.file) for each in self.refused))
        return self.config


def read_file(path: str | Path, environ: Mapping[str, str] | None = None) -> FileReport:
    """Read a file. Raises `ConfigurationError` only if it cannot be read at all."""
    report = FileReport(str(path))
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{path}: the file cannot be read: {error.strerror}.") from None
    read_text(data, report, os.environ if environ is None else environ)
    return report


def read_text(data: bytes, report: FileReport, environ: Mapping[str, str]) -> None:
    """Read the text of a file into `report`."""
    if len(data) > MAX_FILE_BYTES:
        report.findings.append(Finding("refused", "(file)", 0, f"The file is larger than {MAX_FILE_BYTES:,} bytes."))
        return
    try:
        root = yaml.compose(data, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 0
        text = f"The file is no valid YAML: {getattr(error, 'problem', None) or error}."
        report.findings.append(Finding("refused", "(file)", line, text))
        return
    if not isinstance(root, yaml.MappingNode):
        report.findings.append(Finding("refused", "(file)", 1, "The file has to be a mapping with the key model_list."))
        return
    reader = _Reader(report, environ)
    content = reader.value(root, ())
    reader.validate(content)


class _Reader:
    """Turns YAML nodes into values, and remembers the line of each key."""

    def __init__(self, report: FileReport, environ: Mapping[str, str]) -> None:
        self.report, self.environ = report, environ
        self.lines: dict[KeyPath, int] = {(): 1}
        self.texts = yaml.SafeLoader("")

    def refuse(self, path: KeyPath, text: str) -> None:
        self.report.findings.append(Finding("refused", dotted(path), self._line(path), text))

    def _line(self, path: KeyPath) -> int:
        while path not in self.lines:
            path = path[:-1]
        return self.lines[path]

    # --- nodes --------------------------------------------------------------------------------------------------------

    def value(self, node: yaml.Node, path: KeyPath) -> Any:
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            values = []
            for index, item in enumerate(node.value):
                self.lines[(*path, index)] = item.start_mark.line + 1
                values.append(self.value(item, (*path, index)))
            return values
        value = self.texts.construct_object(node)
        return self._from_environment(value, path) if isinstance(value, str) else value

    def _mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, Any]:
        self.texts.flatten_mapping(node)
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            inner = (*path, key)
            if key in found:
                self.lines[inner] = key_node.start_mark.line + 1
                self.refuse(inner, "The key stands twice. Keep one of them.")
                continue
            self.lines[inner] = key_node.start_mark.line + 1
            found[key] = self.value(value_node, inner)
        return found

    def _from_environment(self, value: str, path: KeyPath) -> str | None:
        if not value.startswith(FROM_ENVIRONMENT):
            return value
        name = value.removeprefix(FROM_ENVIRONMENT)
        found = self.environ.get(name)
        if not found:
            self.refuse(path, f"The environment variable {name} is not set. Set it, or remove the key.")
            return MISSING
        return found

    # --- the models ---------------------------------------------------------------------------------------------------

    def validate(self, content: dict[str, Any]) -> None:
        by_name = {path for path in self.lines if plain(path) in REFUSED}
        for path in sorted(by_name, key=self._line):
            self.refuse(path, REFUSED[plain(path)])
        for path in by_name:
            _remove(content, path)
        for path in list(self.lines):
            if len(path) == 4 and path[2] == "litellm_params" and path not in by_name and path[3] not in KNOWN_PARAMS:
                self.refuse(path, f"It is neither a setting nor a parameter of a call.{_close(path)}")
        try:
            self.report.config = GatewayConfig.model_validate(content)
        except ValidationError as error:
            for problem in error.errors(include_url=False, include_input=False):
                self.refuse(tuple(problem["loc"]), _words(problem))
        for path in self.lines:
            self._list(path, content)

    def _list(self, path: KeyPath, content: dict[str, Any]) -> None:
        """List a key that is taken. Keys inside lists and of a deployment's headers are part of theirs."""
        if plain(path) in REFUSED or not path or isinstance(path[-1], int) or _is_inner(path):
            return
        key = dotted(path)
        if any(each.key == key and each.kind == "refused" for each in self.report.findings):
            return
        text = APPROXIMATE.get(plain(path))
        self.report.findings.append(Finding("approximate" if text else "taken", key, self._line(path), text or ""))


MISSING = "(missing)"
KNOWN_PARAMS = SETTABLE | LitellmParams.model_fields.keys()
_SECTIONS = {"model_list", "router_settings", "litellm_settings", "general_settings", "gateway_settings"}


def plain(path: KeyPath) -> str:
    """A path as the tables have it: without `model_list` and its index."""
    if len(path) > 2 and path[0] == "model_list" and isinstance(path[1], int):
        path = path[2:]
    return dotted(path)


def dotted(path: KeyPath) -> str:
    """`model_list[0].litellm_params.model`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f"{'.' if text else ''}{part}"
    return text


def _is_inner(path: KeyPath) -> bool:
    names = [part for part in path if isinstance(part, str)]
    return len(names) > (3 if names[0] == "model_list" else 2) or (len(names) == 1 and names[0] in _SECTIONS)


def _remove(content: Any, path: KeyPath) -> None:
    for part in path[:-1]:
        try:
            content = content[part]
        except (KeyError, IndexError, TypeError):
            return
    if isinstance(content, dict):
        content.pop(path[-1], None)


def _words(problem: Mapping[str, Any]) -> str:
    kind, loc = problem["type"], problem["loc"]
    if loc and loc[-1] == "routing_strategy":
        return STRATEGIES
    if kind == "extra_forbidden":
        return f"The key is not known.{_close(loc)}"
    if kind == "missing":
        return "The key is missing."
    return re.sub(r"\bInput should\b", "It should", str(problem["msg"])) + "."


def _close(loc: KeyPath) -> str:
    import difflib

    close = difflib.get_close_matches(str(loc[-1]), list(_names_beside(loc)), n=1, cutoff=0.75)
    return f" Did you mean {close[0]}?" if close else ""


def _names_beside(loc: KeyPath) -> Iterator[str]:
    """The keys of the section that holds a key."""
    model: Any = GatewayConfig
    for part in loc[:-1]:
        if isinstance(part, int):
            continue
        field_info = model.model_fields.get(part)
        annotation = field_info.annotation if field_info else None
        arguments = getattr(annotation, "__args__", (annotation,))
        model = next((each for each in arguments if hasattr(each, "model_fields")), None)
        if model is None:
            return
    yield from model.model_fields

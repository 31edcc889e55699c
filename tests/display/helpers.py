"""What the tests of displays share: a page as a browser reads it, and a model that streams."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from importlib.util import find_spec
from types import SimpleNamespace
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from pydantic import BaseModel

from langchain_unified import RateLimitError
from langchain_unified.display import view

USAGE = {"input_tokens": 1204, "output_tokens": 35, "total_tokens": 1239, "input_token_details": {"cache_read": 1100}}

PRIORITY_USAGE = {
    "input_tokens": 1204, "output_tokens": 35, "total_tokens": 1239,
    "input_token_details": {"priority_cache_read": 1100, "priority_cache_creation": 4, "priority": 100},
    "output_token_details": {"priority_reasoning": 20, "priority": 15},
}  # fmt: skip


def html(thing: Any, **settings: Any) -> str:
    return view(thing, **settings)._repr_html_()


def ai(content: Any = "", provider: str = "anthropic", **fields: Any) -> AIMessage:
    said = {"model_provider": provider, "model_name": "claude-opus-5", **fields.pop("said", {})}
    return AIMessage(content, response_metadata=said, **fields)


def error_of(text: str) -> RateLimitError:
    error = RateLimitError(text)
    error.provider, error.status, error.code = "openai", 429, text
    return error


class Answer(BaseModel):
    value: Any


TAGS = {
    "style", "div", "section", "strong", "span", "p", "pre", "code", "details", "summary", "table", "thead", "tbody",
    "tr", "th", "td", "a", "figure", "img",
}  # fmt: skip
ATTRIBUTES = {"class", "dir", "scope", "open", "href", "target", "rel", "alt", "src"}

ADDRESSES = {"href": r"https?://", "src": r"data:image/(png|jpeg|gif|webp);base64,"}


class Page(HTMLParser):
    """Tags, attributes and texts."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: list[str] = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    @property
    def text(self) -> str:
        return "".join(self.texts[1:])  # the first is the style

    def assert_harmless(self) -> None:
        assert set(self.tags) <= TAGS
        assert {name for name, _ in self.attributes} <= ATTRIBUTES
        for name, value in self.attributes:
            assert re.match(ADDRESSES.get(name, ""), value or "")


def cited(text: str, url: str) -> AIMessage:
    citation = {"type": "web_search_result_location", "url": url, "title": text, "cited_text": text}
    return ai([{"type": "text", "text": "so", "citations": [{**citation, "encrypted_index": "e"}]}])


PLACES: dict[str, Callable[[str], Any]] = {
    "text": ai,
    "user text": HumanMessage,
    "system text": SystemMessage,
    "long text": lambda text: ai(text + " and so on" * 300),
    "thinking": lambda text: ai([{"type": "thinking", "thinking": text, "signature": text}]),
    "tool name": lambda text: ai(tool_calls=[{"name": text, "args": {}, "id": "1"}]),
    "tool argument": lambda text: ai(tool_calls=[{"name": "f", "args": {"q": text}, "id": "1"}]),
    "argument name": lambda text: ai(tool_calls=[{"name": "f", "args": {text: 1}, "id": "1"}]),
    "broken arguments": lambda text: ai(
        invalid_tool_calls=[{"name": "f", "args": text, "id": "1", "error": text, "type": "invalid_tool_call"}]
    ),
    "tool result": lambda text: ToolMessage(text, tool_call_id="1", name=text),
    "failed tool": lambda text: ToolMessage(text, tool_call_id="1", status="error"),
    "server tool's call": lambda text: ai(
        [{"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": text}}]
    ),
    "server tool's result": lambda text: ai(
        [{"type": "web_search_tool_result", "tool_use_id": "s", "content": [{"type": text, "title": text}]}]
    ),
    "source": lambda text: cited(text, "https://example.org/?q=" + text),
    "source's address": lambda text: cited("title", text),
    "file name": lambda text: HumanMessage([{"type": "file", "url": text, "mime_type": text}]),
    "document": lambda text: HumanMessage([{"type": "text-plain", "text": text, "title": text}]),
    "image type": lambda text: HumanMessage([{"type": "image", "base64": "QUJD", "mime_type": text}]),
    "image data": lambda text: HumanMessage([{"type": "image", "base64": text, "mime_type": "image/png"}]),
    "unknown block": lambda text: ai([{"type": text, text: [text]}]),
    "refusal": lambda text: AIMessage("", additional_kwargs={"refusal": text}),
    "spoken answer": lambda text: AIMessage("", additional_kwargs={"audio": {"transcript": text}}),
    "model's name": lambda text: AIMessage("so", response_metadata={"model_name": text, "finish_reason": text}),
    "author's name": lambda text: HumanMessage("so", name=text),
    "adjustment": lambda text: ai("so", said={"adjustments": [{"what": text, "why": text}]}),
    "cache report": lambda text: {
        "status": text,
        "read": 1,
        "written": None,
        "marks_sent": [{"place": text, "ttl": text}],
        "marks_dropped": [{"what": text, "why": text}],
    },
    "error": error_of,
    "structured answer": lambda text: Answer(value=[text]),
    "JSON": lambda text: {text: [text]},
    "plain text": str,
    "anything": lambda text: SimpleNamespace(said=text),
}

PAYLOADS = {
    "script": "<script>window.pwned = 1</script>",
    "handler": "<img src=x onerror=window.pwned=1>",
    "out of an attribute": '"><svg onload=window.pwned=1>',
    "out of a single-quoted one": "' onmouseover='window.pwned=1",
    "end of style": "</style></pre></details><iframe src=//evil.example>",
    "comment": "<!-- so -->",
    "link": "javascript:window.pwned=1",
    "link in disguise": "java\nscript:window.pwned=1",
    "data link": "data:text/html,<script>window.pwned=1</script>",
    "Markdown": "[so](javascript:window.pwned=1) ![so](https://evil.example/leak.png) # so",
    "formula": "$\\href{javascript:window.pwned=1}{so}$",
    "entity": "&lt;script&gt;&#60;script&#62;",
}

ANTHROPIC_KEY = "sk-ant-api03-AbCdEf123456"

PRICES = {"claude-opus-5": {"input": "5", "output": "25", "cache_read": "0.5"}}

STORY = {"reasoning": "Short.", "content": "Once upon a time."}

NEEDS_TQDM = pytest.mark.skipif(find_spec("tqdm") is None, reason="tqdm is not installed")

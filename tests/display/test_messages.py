"""Messages and conversations, in a terminal and in a notebook."""

from __future__ import annotations

import base64
import copy
import re
from typing import Any

import pytest
from langchain_core.messages import AIMessageChunk, BaseMessage, HumanMessage, ToolMessage
from langchain_core.prompt_values import ChatPromptValue

from langchain_unified.display import view
from tests.display.helpers import PRIORITY_USAGE, USAGE, Page, ai, cited, html

THREAD: list[BaseMessage] = [
    HumanMessage("What is the weather in Paris?"),
    ai(
        [
            {"type": "thinking", "thinking": "Look it up.", "signature": "s" * 999},
            {"type": "tool_use", "id": "c1", "name": "get_weather", "input": {"city": "Paris"}},
        ],
        tool_calls=[{"name": "get_weather", "args": {"city": "Paris"}, "id": "c1"}],
        usage_metadata=USAGE,
        said={"finish_reason": "tool_calls", "prompt_cache": {"status": "hit"}},
    ),
    ToolMessage("18 °C", tool_call_id="c1", name="get_weather"),
    ai("It is 18 °C.", said={"adjustments": [{"what": "top_k", "why": "it was not sent"}]}),
]

THREAD_TEXT = """\
[user]
  What is the weather in Paris?
[model] anthropic, claude-opus-5
  thinking: Look it up.
  calls: get_weather(city="Paris")
  tool_calls · tokens: 1,204 in (1,100 from cache), 35 out · prompt cache: hit
[tool result] get_weather
  18 °C
[model] anthropic, claude-opus-5
  It is 18 °C.
  changed  why
  top_k    it was not sent"""


def test_a_conversation_in_a_terminal() -> None:
    assert str(view(THREAD)) == THREAD_TEXT


def test_cached_tokens_are_shown_on_a_service_tier() -> None:
    assert str(view(ai("Hi.", usage_metadata=PRIORITY_USAGE))).endswith(
        "  tokens: 1,204 in (1,100 from cache, 4 written to it), 35 out (20 thinking)"
    )


def test_a_conversation_in_a_notebook() -> None:
    page = Page(html(THREAD))
    assert page.tags.count("section") == 4
    for words in ("What is the weather in Paris?", "Look it up.", 'get_weather(city="Paris")', "18 °C", "top_k"):
        assert words in page.text
    assert "sss" not in page.text


@pytest.mark.parametrize(
    "holder",
    [tuple(THREAD), {"messages": THREAD, "remaining_steps": 3}, ChatPromptValue(messages=THREAD)],
    ids=["tuple", "agent's result", "prompt"],
)
def test_whatever_holds_a_conversation(holder: Any) -> None:
    assert str(view(holder)) == THREAD_TEXT


@pytest.mark.parametrize("provider", ["anthropic", "openai"])
def test_showing_changes_nothing(provider: str) -> None:
    content: list[Any] = [{"type": "text", "text": "so", "index": 0}, {"type": "hologram", "data": "d", "index": 1}]
    chunk = AIMessageChunk(copy.deepcopy(content), response_metadata={"model_provider": provider})
    html(chunk)
    assert chunk.content == content


PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n and so on").decode()


def test_a_picture_is_shown_from_its_own_bytes() -> None:
    message = HumanMessage([{"type": "image", "base64": PNG, "mime_type": "image/png"}])
    assert ("src", f"data:image/png;base64,{PNG}") in Page(html(message)).attributes
    assert "[image, image/png]" in str(view(message))


@pytest.mark.parametrize(
    "block",
    [
        {"type": "image", "base64": PNG, "mime_type": "image/svg+xml"},
        {"type": "image", "base64": "not base64", "mime_type": "image/png"},
        {"type": "image", "base64": "QUJD" * 1_000_001, "mime_type": "image/png"},
        {"type": "image", "url": "https://tracker.example/seen.png"},
        {"type": "image_url", "image_url": {"url": "https://tracker.example/seen.png"}},
        {"type": "audio", "base64": PNG, "mime_type": "audio/wav"},
        {"type": "file", "file_id": "file-1"},
    ],
    ids=["SVG", "not base64", "too large", "address", "OpenAI's form", "sound", "file"],
)
def test_other_media_are_described_and_not_loaded(block: dict[str, Any]) -> None:
    page = Page(html(HumanMessage([block])))
    assert "img" not in page.tags
    assert "a" not in page.tags
    assert re.search(r"\[(image|audio|file)", page.text)


def test_a_source_is_a_link_with_its_url() -> None:
    page = Page(html(cited("Your bank", "https://evil.example/login?a=1&b=2")))
    assert ("href", "https://evil.example/login?a=1&b=2") in page.attributes
    assert ("rel", "noopener noreferrer nofollow") in page.attributes
    assert "Your bank https://evil.example/login?a=1&b=2" in page.text


def test_long_texts_fold() -> None:
    said = "A long story. " * 200
    assert "(2,800 characters)" in Page(html(ai(said))).text
    assert "details" in Page(html(ai(said))).tags
    assert "<details>" in html(ai(said))
    assert "<details open>" in html(ai(said), full=True)
    assert "details" not in Page(html(ai("A short story."))).tags
    assert len(str(view(ai(said)))) < 1_400
    assert said.strip() in str(view(ai(said), full=True))


def test_a_notebook_does_not_keep_a_text_of_any_length() -> None:
    assert len(html(ai("x" * 1_000_000))) < 30_000
    assert "… (1,000,000 characters)" in html(ai("x" * 1_000_000))


def test_unknown_blocks_are_shown_as_json() -> None:
    message = ai([{"type": "hologram", "data": "d" * 1_000}, {"type": "text", "text": "so"}])
    assert "block of type hologram" in html(message)
    assert "… (1,000 characters)" in html(message)
    assert "block of type hologram …" in str(view(message))


def test_content_that_core_cannot_translate_is_shown_as_it_is() -> None:
    message = ai([{"type": "text"}, {"no": "type"}])
    message.response_metadata["output_version"] = "v1"
    assert "block of type unknown" in html(message)

"""What a display shows, and what it never does: run, load, follow or reveal what a model or a tool wrote."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import copy
import io
import re
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.language_models.fake_chat_models import FakeListChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.prompt_values import ChatPromptValue
from langchain_core.runnables import RunnableLambda
from pydantic import BaseModel

from langchain_unified import (
    ChatUnified,
    CostTracker,
    IncompleteStreamError,
    RateLimitError,
    cost_callback,
    display,
    explain_cache,
    message_cost,
    reply,
)
from langchain_unified.display import (
    ashow_stream,
    load_ipython_extension,
    plot_costs,
    plot_tokens,
    progress,
    show,
    show_stream,
    view,
)
from langchain_unified.display.as_text import say
from langchain_unified.testing import Fault, emulator

USAGE = {"input_tokens": 1204, "output_tokens": 35, "total_tokens": 1239, "input_token_details": {"cache_read": 1100}}


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


# --- the page of a display, as a browser reads it ---------------------------------------------------------------------

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


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS)
@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_nothing_acts(place: Callable[[str], Any], payload: str) -> None:
    for full in (False, True):
        Page(html(place(payload), full=full)).assert_harmless()


HARMLESS_TO_SAY = ["text", "thinking", "tool result", "error", "plain text", "refusal", "spoken answer", "failed tool"]


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS)
@pytest.mark.parametrize("place", HARMLESS_TO_SAY)
def test_what_was_said_can_be_read(place: str, payload: str) -> None:
    thing = PLACES[place](payload)
    assert payload in Page(html(thing)).text
    assert payload in str(view(thing)).replace("\n  ", "\n").replace("\n  ", "\n")


@given(text=st.text(), place=st.sampled_from(sorted(PLACES)))
def test_any_text_anywhere(text: str, place: str) -> None:
    thing = PLACES[place](text)
    page, plain = html(thing), str(view(thing))
    Page(page).assert_harmless()
    for written in (page, plain):
        assert not ACTING.search(written)
        written.encode()


ACTING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

ESCAPES = {
    "colour": ("\x1b[31mred", r"\x1b[31mred"),
    "title of the terminal": ("\x1b]0;so\x07", r"\x1b]0;so\x07"),
    "clipboard": ("\x9b52;c;c28=", r"\x9b52;c;c28="),
    "overwriting": ("good\rbad", r"good\rbad"),
    "deleting": ("good\x08bad\x7f", r"good\x08bad\x7f"),
    "right to left": ("user\u202egpj.exe", r"user\u202egpj.exe"),
    "isolate": ("a\u2066b\u2069", r"a\u2066b\u2069"),
    "half a character": ("a\ud83d", r"a\ud83d"),
    "invisible letters": ("a\U000e0041\U000e007fb", r"a\U000e0041\U000e007fb"),
    "a flag": ("\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", None),
    "a direction mark": ("\u05d0\u200f!", None),
    "line ends": ("one\r\ntwo", "one\ntwo"),
}


@pytest.mark.parametrize("said,shown", ESCAPES.values(), ids=ESCAPES)
def test_escapes_and_hidden_letters_are_spelled_out(said: str, shown: str | None) -> None:
    shown = said if shown is None else shown
    assert shown in Page(html(HumanMessage(said))).text
    assert shown in str(view(HumanMessage(said))).replace("\n  ", "\n")


def test_a_formula_is_no_formula() -> None:
    frame = re.search(r'<div class="([^"]+)">', html(ai("$5 and $6")))
    assert frame is not None
    assert {"tex2jax_ignore", "mathjax_ignore"} <= set(frame[1].split())


# --- secrets ----------------------------------------------------------------------------------------------------------

ANTHROPIC_KEY = "sk-ant-api03-AbCdEf123456"
OPENAI_KEY = "sk-proj-AbCdEf123456"


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
@pytest.mark.parametrize("key", [ANTHROPIC_KEY, OPENAI_KEY])
def test_no_key_is_shown(place: Callable[[str], Any], key: str) -> None:
    thing = place(f"my key is {key} so")
    for full in (False, True):
        assert key[:16] not in html(thing, full=full)
        assert key[:16] not in str(view(thing, full=full))


def test_a_key_is_not_half_shown_where_a_text_is_cut() -> None:
    for before in range(90, 125):
        shown = html(ai("x" * before + " " + ANTHROPIC_KEY + " so" * 900))
        assert "sk-ant" not in shown


def test_what_stands_under_the_name_of_a_secret_is_hidden() -> None:
    arguments = {"city": "Paris", "api_key": "hunter2", "request": {"headers": {"X-Team": "hunter2"}}}
    message = ai(tool_calls=[{"name": "fetch", "args": arguments, "id": "1"}])
    for shown in (html(message), str(view(message)), html({"body": arguments}), str(view([arguments]))):
        assert "Paris" in shown
        assert "hunter2" not in shown
        assert "**********" in shown


def test_a_private_key_is_hidden_to_its_end() -> None:
    pem = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\n7bqh\n-----END RSA PRIVATE KEY-----"
    assert "MIIE" not in str(view(HumanMessage(f"here: {pem} so")))
    assert str(view(HumanMessage(f"here: {pem} so"))).endswith("here: [a private key] so")


# --- messages ---------------------------------------------------------------------------------------------------------

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
def test_other_media_are_told_and_not_loaded(block: dict[str, Any]) -> None:
    page = Page(html(HumanMessage([block])))
    assert "img" not in page.tags
    assert "a" not in page.tags
    assert re.search(r"\[(image|audio|file)", page.text)


def test_a_source_is_a_link_that_tells_its_address() -> None:
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


def test_blocks_that_nobody_knows_are_told() -> None:
    message = ai([{"type": "hologram", "data": "d" * 1_000}, {"type": "text", "text": "so"}])
    assert "block of type hologram" in html(message)
    assert "… (1,000 characters)" in html(message)
    assert "block of type hologram …" in str(view(message))


def test_content_that_core_cannot_read_is_shown_as_it_is() -> None:
    message = ai([{"type": "text"}, {"no": "type"}])
    message.response_metadata["output_version"] = "v1"
    assert "block of type unknown" in html(message)


# --- reports, errors, answers -----------------------------------------------------------------------------------------

CHECKED = [HumanMessage("Hi")]


def test_a_dry_run_in_a_notebook() -> None:
    model = ChatUnified("anthropic/claude-opus-5", api_key="any")
    changed = Page(model.check(CHECKED, top_k=40)._repr_html_())
    changed.assert_harmless()
    assert "anthropic/claude-opus-5 by anthropic_messages: goes out with changes" in changed.text
    assert "top_k" in changed.text
    assert '"max_tokens"' in changed.text
    refused = Page(model.check([HumanMessage([{"type": "video", "url": "https://so"}])])._repr_html_())
    assert "is refused, nothing would be sent" in refused.text
    assert "cannot carry the 'video' block" in refused.text
    assert "goes out as written" in model.check(CHECKED)._repr_html_()


def test_a_dry_run_in_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    report = ChatUnified("anthropic/claude-opus-5", api_key="any").check(CHECKED, top_k=40)
    show([report, report])
    assert capsys.readouterr().out == 2 * (
        "[anthropic/claude-opus-5] by anthropic_messages: goes out with changes\n"
        "  changed  why\n"
        f"  top_k    {report.adjustments[0]['why']}\n"
        "  body …\n"
    )
    show(SimpleNamespace(_repr_html_=lambda: "<b>own</b>"))
    assert "_repr_html_" in capsys.readouterr().out


def test_the_report_of_a_prompt_cache() -> None:
    report = {
        "status": "partial",
        "read": 1100,
        "written": 35,
        "marks_sent": [{"place": "system, block 0", "ttl": "5m"}, {"place": "message 4"}],
        "marks_dropped": [{"what": "message 2", "why": "four are allowed"}],
    }
    assert str(view(report)) == (
        "[prompt cache: partial] a part came from the cache, a part was newly written\n"
        "  mark             lives\n"
        "  system, block 0  5m\n"
        "  message 4        default\n"
        "  mark left out  why\n"
        "  message 2      four are allowed\n"
        "  1,100 tokens read, 35 tokens written"
    )


PRICES = {"claude-opus-5": {"input": "5", "output": "25", "cache_read": "0.5"}}


def test_a_reply_and_its_cost() -> None:
    shown = view(reply(ai("so", usage_metadata=USAGE, said={"finish_reason": "stop"}), prices=PRICES))
    assert str(shown) == (
        "[model] anthropic, claude-opus-5\n  so\n"
        "  stop · tokens: 1,204 in (1,100 from cache), 35 out · cost: $0.001945"
    )
    assert "cost" not in str(view(reply(ai("so"))))


def test_a_cost() -> None:
    assert str(view(message_cost(ai("so", usage_metadata=USAGE), PRICES))) == (
        "[cost: $0.001945]\n"
        "  model          kind        units        USD\n"
        "  claude-opus-5  uncached      104   $0.00052\n"
        "  claude-opus-5  cache_read  1,100   $0.00055\n"
        "  claude-opus-5  output         35  $0.000875\n"
        "  $0.00495 saved by prompt caching"
    )
    unknown = message_cost(ai("so", usage_metadata=USAGE, said={"model_name": "claude-of-mine"}), PRICES)
    assert str(view(unknown)).startswith("[cost: unknown] ")
    assert "lcu-warn" in html(unknown).split("</style>")[1]


def test_a_sum_of_costs(model: Any) -> None:
    with cost_callback(PRICES) as costs:
        model.chat.invoke("Tell me.")
    assert str(view(costs)) == (
        "[cost: $0.000185]\n"
        "  model                USD\n"
        "  claude-opus-5  $0.000185\n"
        "  tokens, or uses of tools  units\n"
        "  uncached                      2\n"
        "  output                        7\n"
        "  1 call"
    )


def test_an_explanation_of_the_prompt_cache() -> None:
    chat = ChatUnified("anthropic/claude-opus-5", api_key="any", prompt_cache="auto")
    system = [SystemMessage("A rule of the house. " * 900)]
    first = [*system, HumanMessage("One?")]
    same = explain_cache(chat.check(first), chat.check([*first, AIMessage("1"), HumanMessage("Two?")]))
    other = explain_cache(chat.check(first), chat.check([SystemMessage("No rules."), HumanMessage("Two?")]))
    assert re.match(r"\[prompt cache: (hit|partial) expected\]\n  A (hit|partial hit) is expected: ", str(view(same)))
    assert str(view(other)).startswith("[prompt cache: miss expected]\n  A miss is expected: ")
    assert "by estimate" in html(same)


def test_an_error() -> None:
    error = error_of("slow down")
    error.retry_after, error.partial = 2.0, AIMessageChunk("as far as")
    assert str(view(error)) == (
        "[RateLimitError]\n"
        "  slow down\n"
        "  provider     openai\n"
        "  status       429\n"
        "  code         slow down\n"
        "  retry_after  2.0\n"
        "  retryable    yes\n"
        "  what had come …"
    )
    assert "as far as" in html(error)
    assert str(view(ValueError("so"))) == "[ValueError]\n  so"


def test_a_structured_answer_beside_its_message() -> None:
    shown = str(view({"raw": ai("so"), "parsed": Answer(value=3), "parsing_error": None}))
    assert shown == "[model] anthropic, claude-opus-5\n  so\n[Answer]\n  value  3"


def test_show_writes_text_where_there_is_no_notebook(capsys: pytest.CaptureFixture[str]) -> None:
    show(HumanMessage("one"), "two", [1, 2])
    assert capsys.readouterr().out == "[user]\n  one\n[text]\n  two\n[JSON]\n  [\n    1,\n    2\n  ]\n"


def test_a_terminal_that_knows_only_ascii() -> None:
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    say("18 °C\n", out)
    out.seek(0)
    assert out.read() == "18 ?C\n"


def test_a_notebook_may_show_messages_by_itself() -> None:
    formatters = pytest.importorskip("IPython.core.formatters")
    shell = SimpleNamespace(display_formatter=formatters.DisplayFormatter())
    load_ipython_extension(shell)
    data, _ = shell.display_formatter.format(HumanMessage("<b>so</b>"))
    assert data["text/plain"] == "[user]\n  <b>so</b>"
    assert "&lt;b&gt;so&lt;/b&gt;" in data["text/html"]


# --- streams ----------------------------------------------------------------------------------------------------------

STORY = {"reasoning": "Short.", "content": "Once upon a time."}


@pytest.fixture
def model() -> Iterator[Any]:
    with emulator(lambda _: STORY) as server:
        model = ChatUnified("anthropic/claude-opus-5", api_key="any", base_url=server.anthropic_url, max_retries=0)
        yield SimpleNamespace(chat=model, server=server)


STORY_TEXT = (
    "[thinking] Short.\nOnce upon a time.\n[model] anthropic, claude-opus-5\n"
    "  stop · tokens: 2 in, 7 out (2 thinking)\n"
)


def test_a_stream_in_a_terminal(model: Any, capsys: pytest.CaptureFixture[str]) -> None:
    message = show_stream(model.chat.stream("Tell me."))
    assert capsys.readouterr().out == STORY_TEXT
    assert message.text == "Once upon a time."
    assert message.usage_metadata == model.chat.invoke("Tell me.").usage_metadata


async def test_an_async_stream_in_a_terminal(model: Any, capsys: pytest.CaptureFixture[str]) -> None:
    message = await ashow_stream(model.chat.astream("Tell me."))
    assert capsys.readouterr().out == STORY_TEXT
    assert message.text == "Once upon a time."


def test_a_stream_that_breaks_leaves_what_had_come(model: Any, capsys: pytest.CaptureFixture[str]) -> None:
    model.server.fail_next(Fault.clean_end_without_final())
    with pytest.raises(IncompleteStreamError):
        show_stream(model.chat.stream("Tell me."))
    written = capsys.readouterr().out
    assert written.startswith("[thinking] Short.\nOnce upon a time.\n")
    assert "[the stream broke] IncompleteStreamError: " in written


def test_a_stream_that_somebody_stops(capsys: pytest.CaptureFixture[str]) -> None:
    def stopped() -> Iterator[str]:
        yield "Once"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        show_stream(stopped())
    assert capsys.readouterr().out == "Once\n[the stream broke] KeyboardInterrupt\n"


def test_an_interrupted_stream_is_closed() -> None:
    closed = []

    def endless() -> Iterator[Any]:
        try:
            while True:
                yield AIMessageChunk("so")
        finally:
            closed.append("sync")

    class Full(io.StringIO):
        def write(self, text: str) -> int:
            raise KeyboardInterrupt

    stream = endless()
    with contextlib.redirect_stdout(Full()), pytest.raises(KeyboardInterrupt):
        show_stream(stream)
    assert closed == ["sync"]


async def test_an_interrupted_async_stream_is_closed() -> None:
    closed = []

    async def endless() -> Any:
        try:
            while True:
                yield "so"
                await asyncio.sleep(0)
        finally:
            closed.append("async")

    stream = endless()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(ashow_stream(stream), 0.05)
    assert closed == ["async"]


def test_a_refusal_and_a_source_come_after_the_text(capsys: pytest.CaptureFixture[str]) -> None:
    show_stream([AIMessageChunk("so", additional_kwargs={"refusal": "I will not."})])
    assert capsys.readouterr().out == "so\n[model]\n  refuses: I will not.\n"
    source = cited("A title", "https://example.org/")
    show_stream([AIMessageChunk(source.content, response_metadata={"model_provider": "anthropic"})])
    out = capsys.readouterr().out
    assert out.startswith("so\n[model] anthropic\n  A title https://example.org/\n")
    assert "“A title”" in out


@pytest.mark.parametrize(
    "items,total,written",
    [
        (["Once ", "upon"], "Once upon", "Once upon\n"),
        ([{"a": 1}, {"a": 1, "b": 2}], {"a": 1, "b": 2}, '[JSON]\n  {\n    "a": 1,\n    "b": 2\n  }\n'),
        ([], None, ""),
    ],
    ids=["texts", "partial answers", "nothing"],
)
def test_other_streams(items: list[Any], total: Any, written: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert show_stream(iter(items)) == total
    assert capsys.readouterr().out == written


def piece(name: str, text: str = "", **fields: Any) -> tuple[AIMessageChunk, dict[str, Any]]:
    return AIMessageChunk(text, id=name, **fields), {"langgraph_node": "model"}


def test_the_messages_of_a_graph(capsys: pytest.CaptureFixture[str]) -> None:
    call = {"name": "f", "args": "{}", "id": "c", "index": 0, "type": "tool_call_chunk"}
    result = ToolMessage("18 °C", tool_call_id="c", id="t")
    items = [piece("1", tool_call_chunks=[call]), (result, {}), piece("2", "It is "), piece("2", "18 °C.")]
    said = show_stream(iter(items))
    assert [message.text for message in said] == ["", "18 °C", "It is 18 °C."]
    assert capsys.readouterr().out == "[model]\n  calls: f()\n[tool result]\n  18 °C\nIt is 18 °C.\n"


def test_pieces_of_messages_that_come_at_once() -> None:
    items = [piece("1", "one "), piece("2", "two "), piece("1", "one"), piece("2", "two")]
    assert [message.text for message in show_stream(iter(items))] == ["one one", "two two"]


@pytest.mark.parametrize("size", [1, 3, 7])
def test_a_key_in_pieces_is_not_written(size: int, capsys: pytest.CaptureFixture[str]) -> None:
    said = f"The key is {ANTHROPIC_KEY}, and Bearer abcdefgh12345678 too.\x1b[31m"
    show_stream(AIMessageChunk(said[at : at + size]) for at in range(0, len(said), size))
    written = capsys.readouterr().out
    assert written.startswith("The key is [an Anthropic key], and [a Bearer token] too.")
    assert "\x1b" not in written


def test_a_text_without_blanks_does_not_wait(capsys: pytest.CaptureFixture[str]) -> None:
    written = []

    def story() -> Iterator[str]:
        for character in "东京今天":
            yield character
            written.append(capsys.readouterr().out)

    show_stream(story())
    assert written == list("东京今天")


# --- progress ---------------------------------------------------------------------------------------------------------


NEEDS_TQDM = pytest.mark.skipif(find_spec("tqdm") is None, reason="tqdm is not installed")


def fake() -> FakeListChatModel:
    return FakeListChatModel(responses=["so"])


def failing(_: Any) -> Any:
    raise ValueError("no")


RUNNABLES: dict[str, tuple[Any, int]] = {
    "model": (fake(), 0),
    "chain": (RunnableLambda(str) | fake() | RunnableLambda(str), 0),
    "fallbacks": ((RunnableLambda(str) | failing).with_fallbacks([fake()]), 0),
    "failing": (RunnableLambda(failing), 5),
}


@NEEDS_TQDM
@pytest.mark.parametrize("runnable,failed", RUNNABLES.values(), ids=RUNNABLES)
@pytest.mark.parametrize("way", ["batch", "abatch", "one by one"])
async def test_a_bar_counts_the_inputs(
    runnable: Any, failed: int, way: str, capsys: pytest.CaptureFixture[str]
) -> None:
    inputs = list("abcde")
    with progress(5, "asking") as bar:
        config: Any = {"callbacks": [bar]}
        if way == "batch":
            runnable.batch(inputs, config, return_exceptions=True)
        elif way == "abatch":
            await runnable.abatch(inputs, config, return_exceptions=True)
        else:
            await asyncio.gather(*(runnable.ainvoke(each, config) for each in inputs), return_exceptions=True)
    assert (bar.bar.n, bar.failed) == (5, failed)
    line = capsys.readouterr().err.split("\r")[-1]
    assert line.startswith("asking: 100%")
    assert " 5/5 " in line
    assert ("5 failed" in line) == bool(failed)


@NEEDS_TQDM
def test_a_bar_below_a_run_that_does_not_know_it() -> None:
    with progress(3) as bar:
        outer = RunnableLambda(lambda _: fake().batch(list("abc"), {"callbacks": [bar]}))
        outer.invoke("so")
    assert bar.bar.n == 3


@pytest.mark.parametrize("module,use", [("tqdm.std", progress), ("matplotlib.pyplot", lambda: plot_tokens([]))])
def test_a_missing_extra_is_named(module: str, use: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=re.escape("pip install 'langchain-unified[notebook]'")):
        use()


# --- plots ------------------------------------------------------------------------------------------------------------


def test_a_plot_of_tokens() -> None:
    pyplot = pytest.importorskip("matplotlib.pyplot")
    to_hex = pytest.importorskip("matplotlib.colors").to_hex
    pyplot.switch_backend("agg")
    ax = plot_tokens([HumanMessage("so"), ai("so"), ai("so", usage_metadata=USAGE)], labels=["first call"])
    bars = {container.get_label(): container.patches[0].get_height() for container in ax.containers}
    assert bars == {"read from cache": 1100, "written to cache": 0, "other input": 104, "output": 35}
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("call", "tokens")
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["first call"]
    assert ax.figure.get_facecolor() == (1.0, 1.0, 1.0, 1.0)
    with pyplot.style.context("dark_background"):
        legend = plot_tokens([ai("so", usage_metadata=USAGE)]).get_legend()
    assert {to_hex(text.get_color()) for text in legend.get_texts()} == {"#222222"}
    with pytest.raises(ValueError, match="2 labels for 1 calls"):
        plot_tokens([ai("so", usage_metadata=USAGE)], labels=["a", "b"])
    pyplot.close("all")


def test_a_plot_of_input_alone_leaves_room_above() -> None:
    pyplot = pytest.importorskip("matplotlib.pyplot")
    pyplot.switch_backend("agg")
    ax = plot_tokens([ai("so", usage_metadata=USAGE)], output=False)
    assert [bars.get_label() for bars in ax.containers] == ["read from cache", "written to cache", "other input"]
    bottom, top = ax.get_ylim()
    assert bottom == 0
    assert top > 1204  # the last bar of a stack ends below the top
    pyplot.close("all")


def test_a_plot_of_costs(model: Any) -> None:
    pyplot = pytest.importorskip("matplotlib.pyplot")
    pyplot.switch_backend("agg")
    with cost_callback(PRICES) as costs:
        answer = model.chat.invoke("Tell me.")
    by_model, by_call = plot_costs(costs), plot_costs([reply(answer, prices=PRICES)] * 2, labels=["one", "two"])
    assert [patch.get_height() for patch in by_model.containers[0].patches] == [0.000185]
    assert [tick.get_text() for tick in by_model.get_xticklabels()] == ["claude-opus-5"]
    assert [patch.get_height() for patch in by_call.containers[0].patches] == [0.000185, 0.000185]
    assert (by_model.get_xlabel(), by_call.get_xlabel(), by_call.get_ylabel()) == ("model", "call", "USD")
    assert by_model.get_legend() is None
    pyplot.close("all")


def test_a_plot_of_costs_by_name_with_what_caching_saved() -> None:
    pyplot = pytest.importorskip("matplotlib.pyplot")
    pyplot.switch_backend("agg")
    empty = CostTracker(PRICES)
    ax = plot_costs({"one": reply(ai("so", usage_metadata=USAGE), prices=PRICES), "none": empty})
    bars = {str(each.get_label()): [bar.get_height() for bar in each.patches] for each in ax.containers}
    # 1,100 read at 0.50 instead of 5, 104 at 5, 35 out at 25 USD for a million
    assert bars == {"paid": [0.001945, 0.0], "saved by prompt caching": [0.00495, 0.0]}
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["one", "none"]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == list(bars)
    assert ax.get_ylim()[1] > 0.001945 + 0.00495
    pyplot.close("all")


def test_what_writing_cost_more_than_reading_saved_is_no_bar() -> None:
    pyplot = pytest.importorskip("matplotlib.pyplot")
    pyplot.switch_backend("agg")
    usage = {"input_tokens": 9, "output_tokens": 3, "total_tokens": 12, "input_token_details": {"cache_creation": 9}}
    prices = {"claude-opus-5": {"input": 5, "output": 25, "cache_write": "6.25"}}
    answer = reply(ai("so", usage_metadata=usage), prices=prices)
    assert answer.cost.saved == Decimal("-0.00001125")
    ax = plot_costs([answer])
    assert [bars.get_label() for bars in ax.containers] == ["paid"]
    pyplot.close("all")


# --- the page about it ------------------------------------------------------------------------------------------------

PAGE = (Path(__file__).parents[2] / "docs" / "display.md").read_text(encoding="utf-8")


def test_the_page_names_everything() -> None:
    assert [name for name in display.__all__ if f"{name}" not in PAGE] == []


@NEEDS_TQDM
def test_the_program_of_the_page_runs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with emulator() as server:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.anthropic_url)
        monkeypatch.setenv("ANTHROPIC_API_KEY", "any")
        program = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
        assert len(program) == 1
        exec(compile(program[0], "display.md", "exec"), {})
    out = capsys.readouterr().out
    for said in ("You said: Name a city by the sea.", "goes out with changes", "You said: Who lives there?"):
        assert said in out

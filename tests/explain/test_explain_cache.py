"""`explain_cache` names what broke a prefix, and agrees with what the emulator's cache then does."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

from langchain_unified import (
    CacheExplanation,
    ChatUnified,
    ConfigurationError,
    PromptCache,
    cached,
    explain_cache,
)
from langchain_unified.request import Profile, Request, Turn
from langchain_unified.testing import emulator
from langchain_unified.testing.emulation.cache import Clock
from langchain_unified.testing.emulation.cache import PromptCache as Cache
from langchain_unified.testing.emulation.segments import SEGMENTS
from langchain_unified.testing.emulation.server import Emulator
from langchain_unified.wires import WIRES
from langchain_unified.wires.anthropic_messages.decode import decode as decode_anthropic
from langchain_unified.wires.anthropic_messages.stream import stream_decoder as stream_anthropic
from langchain_unified.wires.openai_responses.decode import decode as decode_responses
from langchain_unified.wires.openai_responses.stream import stream_decoder as stream_responses

CALL = {"type": "tool_call", "id": "call_1", "name": "search", "args": {"query": "x" * 400, "limit": 5}}
IMAGE = {"type": "image", "url": "https://example.com/a.png"}
ANSWER = {
    "title": "Answer", "type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"],
    "additionalProperties": False,
}  # fmt: skip


def words(tokens: int, letter: str = "a") -> str:
    """A text of so many tokens, by the estimate of four characters each."""
    return letter * 4 * tokens


def tool(name: str, tokens: int = 1200) -> dict[str, Any]:
    properties = {"query": {"type": "string"}, "limit": {"type": "integer"}}
    return {
        "type": "function",
        "function": {
            "name": name,
            "description": words(tokens, name[0]),
            "parameters": {"type": "object", "properties": properties, "required": ["query"]},
        },
    }


@dataclass
class Talk:
    """A call: its messages and keywords, and the seconds that pass before it."""

    messages: list[BaseMessage]
    keywords: dict[str, Any]
    elapsed: float = 1.0


def first_call() -> Talk:
    """Tools, a long system prompt and a conversation with a tool's result; the policy marks its ends."""
    messages = [
        SystemMessage(words(1500, "s")),
        HumanMessage(words(1300, "h")),
        AIMessage("I look.", tool_calls=[copy.deepcopy(CALL)]),
        ToolMessage(words(600, "r"), tool_call_id="call_1"),
        AIMessage(words(200, "w")),
        HumanMessage(words(300, "q")),
    ]
    tools = [tool("search"), cached(tool("forecast"))]
    return Talk(messages, {"tools": tools, "prompt_cache": PromptCache(key="talk")})


def next_call(talk: Talk) -> Talk:
    """What follows it: an answer, and another question."""
    messages = [*copy.deepcopy(talk.messages), AIMessage(words(100, "v")), HumanMessage(words(200, "z"))]
    return Talk(messages, dict(talk.keywords))


# --- mutations --------------------------------------------------------------------------------------------------------

Change = Callable[[Talk], None]
Expected = tuple[str, str]

HIT: Expected = ("hit_expected", "none")


def miss(cause: str) -> Expected:
    return "miss_expected", cause


def partial(cause: str) -> Expected:
    return "partial_expected", cause


@dataclass(frozen=True)
class Mutation:
    """How the later call differs, and what comes of it: with marks and a look-back (Anthropic), with exact breakpoints
    (OpenAI from gpt-5.6 on), and in steps (before). `named` are fields of the explanation."""

    change: Change
    blocks: Expected
    points: Expected
    steps: Expected
    named: dict[str, Any] = field(default_factory=dict)


def nothing(talk: Talk) -> None:
    pass


def tools(change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> Change:
    def mutate(talk: Talk) -> None:
        talk.keywords["tools"] = change(copy.deepcopy(talk.keywords["tools"]))

    return mutate


def keyword(**values: Any) -> Change:
    def mutate(talk: Talk) -> None:
        talk.keywords |= values

    return mutate


def message(index: int, replacement: BaseMessage | None) -> Change:
    def mutate(talk: Talk) -> None:
        talk.messages[index : index + 1] = [] if replacement is None else [replacement]

    return mutate


def described(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    items[1]["function"]["description"] += "!"
    return items


def retyped(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    items[1]["function"]["parameters"]["properties"]["limit"] = {"type": "string"}
    return items


def rekeyed(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    schema = items[1]["function"]["parameters"]
    schema["properties"] = dict(reversed(schema["properties"].items()))
    return items


def inserted(talk: Talk) -> None:
    talk.messages[4:4] = [AIMessage("Hm."), HumanMessage("Go on.")]


def trimmed(talk: Talk) -> None:
    del talk.messages[1:5]


def system_moved(talk: Talk) -> None:
    talk.messages.insert(2, talk.messages.pop(0))


def arguments_reordered(talk: Talk) -> None:
    calls = [{**CALL, "args": {"limit": 5, "query": "x" * 400}}]
    talk.messages[2] = AIMessage("I look.", tool_calls=calls)


def later(seconds: float) -> Change:
    def mutate(talk: Talk) -> None:
        talk.elapsed = seconds

    return mutate


MUTATIONS: dict[str, Mutation] = {
    "goes on": Mutation(nothing, HIT, HIT, HIT, {"segment": None, "lost": (), "remedy": None}),
    "a tool added": Mutation(
        tools(lambda items: [*items, tool("news")]), miss("tools"), miss("tools"), partial("tools"),
        {"tool": "news", "change": "added", "segment": "the tool 'news'", "lost": ("tools", "system", "messages")},
    ),
    "a tool removed": Mutation(
        tools(lambda items: items[:1]), miss("tools"), miss("tools"), partial("tools"),
        {"tool": "forecast", "change": "removed"},
    ),
    "the tools in another order": Mutation(
        tools(lambda items: items[::-1]), miss("tools"), miss("tools"), miss("tools"),
        {"tool": "forecast", "change": "moved"},
    ),
    "a tool's description": Mutation(
        tools(described), miss("tools"), miss("tools"), partial("tools"), {"tool": "forecast", "change": "description"}
    ),
    "a tool's schema": Mutation(
        tools(retyped), miss("tools"), miss("tools"), partial("tools"), {"tool": "forecast", "change": "schema"}
    ),
    "the order of a schema's keys": Mutation(
        tools(rekeyed), miss("tools"), miss("tools"), partial("tools"), {"tool": "forecast", "change": "schema"}
    ),
    "the system prompt": Mutation(
        message(0, SystemMessage("It is Monday. " + words(1500, "s"))),
        partial("system"), miss("system"), partial("system"),
        {"message": 0, "block": 0, "change": "edited", "lost": ("system", "messages")},
    ),
    "an old message edited": Mutation(
        message(1, HumanMessage(words(1300, "H"))), partial("message"), partial("message"), partial("message"),
        {"message": 1, "block": 0, "change": "edited", "lost": ("messages",), "segment": "message 1 (user), block 0"},
    ),
    "a message inserted": Mutation(
        inserted, partial("message"), partial("message"), partial("message"),
        {"message": 4, "change": "added"},
    ),
    "old messages dropped": Mutation(
        trimmed, partial("message"), partial("message"), partial("message"), {"message": 1, "change": "removed"}
    ),
    "the order of a call's arguments": Mutation(
        arguments_reordered, partial("message"), partial("message"), partial("message"),
        {"message": 2, "block": 1, "change": "edited"},
    ),
    "the system prompt moved": Mutation(
        system_moved, HIT, miss("system"), partial("system"), {}
    ),
    "an image in the new question": Mutation(
        message(-1, HumanMessage([{"type": "text", "text": words(200, "z")}, IMAGE])), partial("parameters"), HIT, HIT
    ),
    "tool_choice": Mutation(keyword(tool_choice="any"), partial("parameters"), HIT, HIT),
    "the effort": Mutation(
        keyword(reasoning_effort="low"), partial("parameters"), miss("parameters"), miss("parameters")
    ),
    "the verbosity": Mutation(keyword(verbosity="low"), HIT, miss("parameters"), miss("parameters")),
    "the service tier": Mutation(
        keyword(service_tier="fast"), partial("parameters"), miss("parameters"), miss("parameters")
    ),
    "the model": Mutation(keyword(model="another"), miss("model"), miss("model"), miss("model"), {"change": "changed"}),
    "the key": Mutation(
        keyword(prompt_cache=PromptCache(key="other")), HIT, miss("key"), miss("key")
    ),
    "one call at a time": Mutation(
        keyword(parallel_tool_calls=False), partial("parameters"), miss("parameters"), miss("parameters")
    ),
    "the form of the answer": Mutation(
        keyword(response_format=ANSWER),
        partial("parameters"), miss("parameters"), partial("parameters"), {"segment": "`response_format`"},
    ),
    "a minute": Mutation(later(60), HIT, HIT, HIT),
    "six minutes": Mutation(later(360), miss("ttl"), HIT, HIT),
    "eleven minutes": Mutation(later(660), miss("ttl"), HIT, miss("ttl")),
    "half an hour": Mutation(later(1800), miss("ttl"), miss("ttl"), miss("ttl")),
}  # fmt: skip


@dataclass(frozen=True)
class Api:
    """How a model caches, how it is built, what it would be switched to, and changes that it refuses."""

    kind: str
    settings: dict[str, Any]
    other: str
    refuses: frozenset[str] = frozenset()


CHAT = {"use_responses_api": False}
APIS: dict[str, Api] = {
    "anthropic": Api("blocks", {"model": "anthropic/claude-sonnet-5"}, "anthropic/claude-opus-5"),
    "anthropic before": Api("blocks", {"model": "anthropic/claude-sonnet-4-5"}, "anthropic/claude-opus-5",
                            frozenset({"the service tier"})),
    "responses": Api("points", {"model": "openai/gpt-5.6"}, "openai/gpt-5.6-sol"),
    "chat": Api("points", {"model": "openai/gpt-5.6", "reasoning_effort": "none", **CHAT}, "openai/gpt-5.6-sol",
                frozenset({"the effort"})),
    "responses before": Api("steps", {"model": "openai/gpt-5"}, "openai/gpt-5-mini"),
    "chat before": Api("steps", {"model": "openai/gpt-5", **CHAT}, "openai/gpt-5-mini"),
}  # fmt: skip
CASES = [(api, name) for api in APIS for name in MUTATIONS if name not in APIS[api].refuses]


@pytest.fixture(scope="module")
def server() -> Iterator[Emulator]:
    with emulator() as running:
        yield running


def model_of(server: Emulator, settings: dict[str, Any]) -> ChatUnified:
    url = server.anthropic_url if settings["model"].startswith("anthropic") else server.openai_url
    return ChatUnified(base_url=url, api_key="any", on_unsupported="ignore", **settings)


@pytest.mark.parametrize("api,name", CASES)
def test_a_change_is_named_and_the_cache_does_what_was_expected(server: Emulator, api: str, name: str) -> None:
    mutation, spoken = MUTATIONS[name], APIS[api]
    model = model_of(server, spoken.settings)
    first = first_call()
    later = next_call(first)
    mutation.change(later)
    if "model" in later.keywords:
        later.keywords["model"] = spoken.other
    server.clock.advance(100_000)  # nothing of another test is left

    one = model.invoke(first.messages, **first.keywords)
    server.clock.advance(later.elapsed)
    other = model.invoke(later.messages, **later.keywords)

    reports = [model.check(call.messages, **call.keywords) for call in (first, later)]
    found = explain_cache(*reports, elapsed=later.elapsed)
    assert (found.verdict, found.cause) == getattr(mutation, spoken.kind)
    assert {key: getattr(found, key) for key in mutation.named} == mutation.named
    left, read = kept(one), other.usage_metadata["input_token_details"].get("cache_read", 0)
    assert found.reusable_tokens == read
    assert found.verdict == ("hit_expected" if read == left else "partial_expected" if read else "miss_expected")

    recorded = server.requests[-2:]
    for pair, elapsed in ((recorded, None), ((recorded[0], reports[1]), later.elapsed)):
        again = explain_cache(*pair, elapsed=elapsed)
        assert (again.verdict, again.cause, again.reusable_tokens) == (found.verdict, found.cause, read)


def kept(answer: AIMessage) -> int:
    """What a first call left in the cache: what it wrote, and on OpenAI's older models every step of its prompt."""
    usage = answer.usage_metadata
    written = usage["input_token_details"].get("cache_creation")
    return written or 1024 + (usage["input_tokens"] - 1024) // 128 * 128


# --- without a server -------------------------------------------------------------------------------------------------

ENDPOINTS = {
    "anthropic_messages": "anthropic.messages",
    "openai_chat": "openai.chat",
    "openai_responses": "openai.responses",
}


def read_by_emulator(previous: Any, following: Any, elapsed: float) -> tuple[int, int]:
    """What the later call reads from a fresh cache after the earlier one, and what the earlier one wrote, in tokens."""
    cache = Cache(Clock())
    found = []
    for report in (previous, following):
        endpoint, body = ENDPOINTS[report.wire], WIRES[report.wire].encode(report.request).body
        hit = cache.look_up(endpoint, body, report.request.profile, SEGMENTS[endpoint](body, report.request.profile))
        cache.commit(hit)
        cache.clock.advance(elapsed)
        found.append(hit.tokens)
    return found[1].cache_read, found[0].cache_write


def explained(previous: Any, following: Any, elapsed: float = 1.0) -> CacheExplanation:
    """An explanation that agrees with the emulator."""
    found = explain_cache(previous, following, elapsed=elapsed)
    read, _ = read_by_emulator(previous, following, elapsed)
    assert found.reusable_tokens == read
    assert (found.verdict == "miss_expected") == (read == 0)
    assert str(found)
    return found


def claude(name: str = "claude-sonnet-5", **settings: Any) -> ChatUnified:
    return ChatUnified(f"anthropic/{name}", api_key="any", on_unsupported="ignore", **settings)


def gpt(name: str = "gpt-5.6", **settings: Any) -> ChatUnified:
    return ChatUnified(f"openai/{name}", api_key="any", on_unsupported="ignore", **settings)


def history(*tokens: int) -> list[BaseMessage]:
    """A conversation of texts of so many tokens, by turns of user and assistant."""
    roles = (HumanMessage, AIMessage)
    return [roles[at % 2](words(count, "abcdefgh"[at % 8])) for at, count in enumerate(tokens)]


def four_marks(last: BaseMessage) -> list[BaseMessage]:
    """Three marks in the system prompt and one at the end: no room for another."""
    parts = [cached(words(1100, letter)) for letter in "xyz"]
    return [SystemMessage(parts), cached(last)]


@pytest.mark.parametrize("blocks,expected", [(18, HIT), (19, partial("look_back"))])
def test_more_blocks_than_the_look_back_lie_between(blocks: int, expected: Expected) -> None:
    model = claude()
    first = four_marks(HumanMessage(words(500)))
    question = HumanMessage([{"type": "text", "text": f"{at} {words(20)}"} for at in range(blocks)])
    second = [first[0], HumanMessage(words(500)), AIMessage("So."), cached(question)]
    found = explained(model.check(first), model.check(second))
    assert (found.verdict, found.cause) == expected
    assert (found.segment, found.lost) == (None, ())
    if expected != HIT:
        assert found.reusable_tokens == 3300
        reason = (
            "The previous call wrote up to message 1 (user), block 0, and the next mark of this call is 20 blocks or "
            "more behind it."
        )
        assert reason in str(found)


def test_a_mark_that_did_not_fit_is_told() -> None:
    first = [SystemMessage([cached(words(1100, letter)) for letter in "vwxyz"]), HumanMessage("Hi")]
    second = [*first, AIMessage("Hello"), HumanMessage("So?")]
    found = explained(*(claude().check(messages) for messages in (first, second)))
    assert (found.verdict, found.reusable_tokens) == ("hit_expected", 5500)
    assert len(found.dropped) == 1
    assert "Not sent" not in str(found)
    found = explained(gpt().check(first), gpt().check(second))
    assert (found.verdict, found.cause) == ("partial_expected", "no_matching_breakpoint")
    assert f"Not sent: {found.dropped[0]['what']}. " in str(found)


def test_breakpoints_beyond_those_written_are_told() -> None:
    blocks = tuple({"type": "text", "text": words(1100, letter), "mark": {}} for letter in "uvwxyz")
    facts = Profile(cache_breakpoints=True, cache_minimum=1024)
    first = Request("gpt-5.6", (Turn("user", blocks, position=0),), profile=facts)
    second = Request("gpt-5.6", (Turn("user", blocks[:2], position=0),), profile=facts)
    found = explain_cache(first, second)
    assert (found.verdict, found.cause) == ("miss_expected", "message")
    assert [item["what"][-7:] for item in found.dropped] == ["block 0", "block 1"]


@pytest.mark.parametrize(
    "model,expected",
    [
        (claude(), ("miss_expected", "no_marks")),
        (gpt(), ("miss_expected", "no_matching_breakpoint")),
        (gpt("gpt-5"), ("hit_expected", "none")),
    ],
    ids=["claude-sonnet-5", "gpt-5.6", "gpt-5"],
)
def test_without_marks_each_api_does_what_it_does_by_itself(model: ChatUnified, expected: Expected) -> None:
    first = history(1500)
    found = explained(model.check(first), model.check([*first, AIMessage("So."), HumanMessage("And?")]))
    assert (found.verdict, found.cause) == expected


def test_a_call_without_marks_reads_nothing_on_anthropic() -> None:
    model, first = claude(), [cached(HumanMessage(words(1500)))]
    found = explained(model.check(first), model.check(history(1500)))
    assert (found.cause, found.segment) == ("no_marks", None)
    assert str(found) == (
        "A miss is expected: this call has no mark. "
        "Mark what stays the same with cached(…), or set prompt_cache='auto'."
    )


def test_the_explicit_mode_without_marks_caches_nothing() -> None:
    facts = Profile(cache_breakpoints=True, cache_minimum=1024)
    turns = (Turn("user", ({"type": "text", "text": words(2000)},), position=0),)
    request = Request("gpt-5.6", turns, params={"prompt_cache_options": {"mode": "explicit"}}, profile=facts)
    found = explain_cache(request, request)
    assert (found.verdict, found.cause) == ("miss_expected", "no_marks")
    assert "the previous call has no mark" in str(found)


@pytest.mark.parametrize(
    "model,minimum",
    [(claude("claude-opus-5"), 512), (claude(), 1024), (claude("claude-haiku-4-5"), 4096), (gpt(), 1024),
     (gpt("gpt-5"), 1024)],
    ids=["claude-opus-5", "claude-sonnet-5", "claude-haiku-4-5", "gpt-5.6", "gpt-5"],
)  # fmt: skip
def test_what_is_shorter_than_the_model_caches(model: ChatUnified, minimum: int) -> None:
    short = [cached(SystemMessage(words(minimum - 20))), HumanMessage("Hi")]
    found = explained(model.check(short), model.check([*short, AIMessage("Hello"), HumanMessage("So?")]))
    assert (found.verdict, found.cause, found.minimum) == ("miss_expected", "below_minimum", minimum)
    said = f"(an estimate), and {model._route().model} caches only prefixes of {minimum:,} tokens or more. Put more of"
    assert said in str(found)
    enough = [cached(SystemMessage(words(minimum + 140))), HumanMessage("Hi")]
    assert explained(model.check(enough), model.check([*enough, AIMessage("Hello")])).verdict == "hit_expected"


def test_lifetimes_run_out_one_by_one() -> None:
    model = claude()
    first = [cached(SystemMessage(words(1100)), ttl="1h"), cached(HumanMessage(words(900)))]
    second = [*first, AIMessage("So."), cached(HumanMessage("And?"))]
    reports = (model.check(first), model.check(second))
    assert explained(*reports, elapsed=299).verdict == "hit_expected"
    found = explained(*reports, elapsed=300)
    assert (found.verdict, found.cause, found.reusable_tokens) == ("partial_expected", "ttl", 1100)
    assert "5 min passed, and what the previous call wrote is kept for 5 minutes" in str(found)
    assert explained(*reports, elapsed=3600).verdict == "miss_expected"
    assert explain_cache(*reports, elapsed=timedelta(hours=1)).cause == "ttl"
    assert explain_cache(*reports).verdict == "hit_expected"


@pytest.mark.parametrize(
    "model,settings,seconds",
    [
        (gpt(), {}, 1800),
        (gpt(), {"prompt_cache_options": {"ttl": "12h"}}, 43200),
        (gpt("gpt-5"), {}, 600),
        (gpt("gpt-5"), {"prompt_cache_retention": "24h"}, 86400),
        (gpt("gpt-5.5"), {}, 86400),
    ],
)
def test_openai_keeps_a_prefix_for(model: ChatUnified, settings: dict[str, Any], seconds: float) -> None:
    first = [cached(SystemMessage(words(1500))), HumanMessage(words(200))]
    calls = (first, [*first, AIMessage("So."), HumanMessage("And?")])
    reports = [model.check(messages, **settings) for messages in calls]
    assert explained(*reports, elapsed=seconds - 1).reusable_tokens >= 1500
    assert explained(*reports, elapsed=seconds).cause == "ttl"


@pytest.mark.parametrize(
    "shared,rest,expected,read",
    [(1023, 0, miss("below_minimum"), 0), (1024, 0, HIT, 1024), (1200, 800, partial("message"), 1152),
     (1023, 800, miss("message"), 0), (1151, 0, HIT, 1024), (1152, 0, HIT, 1152)],
)  # fmt: skip
def test_older_models_of_openai_read_within_a_text(shared: int, rest: int, expected: Expected, read: int) -> None:
    first, second = (words(shared) + words(rest, letter) for letter in "bc")
    found = explained(gpt("gpt-5").check(first), gpt("gpt-5").check(second))
    assert ((found.verdict, found.cause), found.reusable_tokens) == (expected, read)
    assert found.shared_tokens == shared


# --- what Anthropic's cache depends on beside the text ----------------------------------------------------------------

SEARCH = {"type": "web_search_20260209", "name": "web_search"}
DOCUMENT = {"type": "text-plain", "text": words(100), "mime_type": "text/plain"}
SYSTEM_LOST, MESSAGES_LOST = ("system", "messages"), ("messages",)


@pytest.mark.parametrize(
    "change,lost,segment,read",
    [
        ({"speed": "fast"}, SYSTEM_LOST, "`speed`", 0),
        ({"service_tier": "fast"}, SYSTEM_LOST, "`speed`", 0),
        ({"tools": [SEARCH]}, SYSTEM_LOST, "the tool 'web_search'", 0),
        ({"response_format": {"title": "A", "type": "object", "properties": {}}}, SYSTEM_LOST,
         "`response_format`", 0),
        ({"reasoning_effort": "low", "thinking": {"type": "disabled"}}, MESSAGES_LOST, None, 1),
        ({"tool_choice": "any"}, MESSAGES_LOST, "`tool_choice`", 1),
    ],
)  # fmt: skip
def test_a_setting_and_what_it_empties(change: dict[str, Any], lost: Any, segment: str | None, read: int) -> None:
    model = claude("claude-opus-4-8")
    fixed = cached(tool("search"))
    base = {"tools": [fixed], "speed": "standard"}
    mine = {**base, **change, "tools": [fixed, *change.get("tools", [])]}
    first = [cached(SystemMessage(words(1500, "s"))), cached(HumanMessage(words(500)))]
    found = explained(model.check(first, **base), model.check([*first, AIMessage("So."), HumanMessage("And?")], **mine))
    assert (found.verdict, found.lost) == ("partial_expected", lost)
    assert segment is None or found.segment == segment
    tools_only = explained(model.check(first, **base), model.check(first[1:], **base)).reusable_tokens
    assert found.reusable_tokens == tools_only + 1500 * read


def test_citations_and_images_are_named_where_they_stand() -> None:
    model = claude()
    first = [cached(SystemMessage(words(1500, "s"))), cached(HumanMessage(words(500)))]
    cited = HumanMessage([{**DOCUMENT, "citations": {"enabled": True}}, {"type": "text", "text": "What is it?"}])
    seen = HumanMessage([{"type": "text", "text": "What is it?"}, IMAGE])
    for last, segment, lost in ((cited, "`citations`", SYSTEM_LOST),
                                (seen, "the image in message 3 (user), block 1", MESSAGES_LOST)):  # fmt: skip
        found = explained(model.check(first), model.check([*first, AIMessage("So."), last]))
        assert (found.cause, found.segment, found.lost) == ("parameters", segment, lost)
    back = explained(model.check([*first, AIMessage("So."), seen]), model.check([*first, AIMessage("So.")]))
    assert (back.change, back.message, back.block) == ("removed", 3, 1)
    assert "image" in str(back.remedy)
    formatted = explained(gpt().check(words(1500)), gpt().check(words(1500), response_format=ANSWER))
    assert (formatted.segment, formatted.change) == ("`response_format`", "changed")
    assert formatted.remedy == "Keep it the same during a conversation."


def test_the_default_effort_is_no_change_and_how_thinking_is_shown_is_none() -> None:
    model = claude("claude-opus-4-8")
    first = [cached(SystemMessage(words(1500, "s"))), cached(HumanMessage(words(500)))]
    plain = model.check(first, thinking={"type": "adaptive"})
    shown = model.check(first, thinking={"type": "adaptive", "display": "summarized"}, output_config={"effort": "high"})
    assert explained(plain, shown).verdict == "hit_expected"
    other = explained(plain, model.check(first, thinking={"type": "adaptive"}, output_config={"effort": "low"}))
    assert (other.segment, other.lost) == ("`reasoning_effort`", ("messages",))
    reason = "`reasoning_effort` changed, so the messages are not read, and on some models the tools and the system"
    assert f"{reason} prompt are not read either. " in str(other)


THOUGHT = {"type": "thinking", "thinking": words(50, "t"), "signature": "c2ln"}


@pytest.mark.parametrize("name,expected", [("claude-sonnet-4-5", partial("message")), ("claude-opus-4-5", HIT)])
def test_older_models_forget_what_they_thought(name: str, expected: Expected) -> None:
    model = claude(name, thinking={"type": "enabled", "budget_tokens": 1024})
    said = AIMessage(
        [THOUGHT, {"type": "text", "text": "I look."}],
        tool_calls=[CALL],
        response_metadata={"model_provider": "anthropic", "model_name": name},
    )
    first = [cached(SystemMessage(words(5000, "s"))), HumanMessage("Hi"), said]
    first.append(cached(ToolMessage(words(600), tool_call_id="call_1")))
    keywords = {"tools": [tool("search")]}
    later = [*first, AIMessage("So."), cached(HumanMessage("And?"))]
    found = explained(model.check(first, **keywords), model.check(later, **keywords))
    assert (found.verdict, found.cause) == expected
    if expected[1] == "message":
        assert (found.message, found.change, found.segment) == (2, "removed", "message 2 (assistant), block 0")


def test_a_system_message_in_mid_conversation() -> None:
    first = [cached(SystemMessage(words(1500, "s"))), cached(HumanMessage(words(500)))]
    later = [*first, AIMessage("So."), SystemMessage("Be brief."), HumanMessage("And?")]
    folded = explained(*(claude().check(messages) for messages in (first, later)))
    assert (folded.verdict, folded.cause) == partial("system")
    assert folded.segment == "message 3 (system), block 0"
    stays = explained(*(claude("claude-opus-5").check(messages) for messages in (first, later)))
    assert (stays.verdict, stays.segment) == ("hit_expected", None)


# --- keys, servers, other inputs --------------------------------------------------------------------------------------


def test_behind_a_derived_key_the_change_itself_is_named() -> None:
    model = gpt(prompt_cache="auto")
    first = [SystemMessage(words(1500)), HumanMessage("Hi")]
    second = [SystemMessage("Now: " + words(1500)), HumanMessage("Hi")]
    system = explained(model.check(first), model.check(second))
    assert (system.cause, system.message, system.lost) == ("system", 0, ("tools", "system", "messages"))
    added = explained(model.check(first), model.check(first, tools=[tool("search")]))
    assert (added.cause, added.tool) == ("tools", "search")
    mine = explained(model.check(first, prompt_cache_key="a"), model.check(second, prompt_cache_key="b"))
    assert (mine.cause, mine.segment) == ("key", "`prompt_cache_key`")


def test_what_the_server_holds_is_not_judged() -> None:
    model = gpt()
    found = explain_cache(model.check("Hi"), model.check("And?", previous_response_id="resp_1"))
    assert (found.verdict, found.cause) == ("unknown", "none")
    assert "`previous_response_id`" in str(found)
    assert "comparison_response_id" in str(found)
    asked = explain_cache(claude().check("Hi"), claude().check("And?", thread={"id": "thread_1"}))
    assert (asked.verdict, "previous_message_id" in str(asked)) == ("unknown", True)


def test_other_providers_and_other_apis_share_nothing() -> None:
    text = words(1500)
    other = explain_cache(claude().check(text), gpt().check(text))
    assert (other.verdict, other.cause) == ("miss_expected", "no_marks")
    other = explain_cache(gpt().check(text), claude().check(text))
    assert (other.cause, other.segment) == ("model", "the model (gpt-5.6, then claude-sonnet-5)")
    apis = explain_cache(gpt("gpt-5").check(text), gpt("gpt-5", use_responses_api=False).check(text))
    assert (apis.cause, apis.segment) == ("model", "the API (openai_responses, then openai_chat)")


def test_a_request_by_itself_is_a_call() -> None:
    turn = Turn("user", ({"type": "text", "text": words(1500), "mark": {}},), position=4)
    request = Request("claude-opus-5", (turn,), profile=Profile(cache_minimum=512))
    found = explain_cache(request, request)
    assert (found.verdict, found.reusable_until) == ("hit_expected", "message 4 (user), block 0")
    with pytest.raises(ConfigurationError, match="for the model 'mine' does not show which API it is for"):
        explain_cache(request, Request("mine", (turn,)))


@pytest.mark.parametrize("wrong", [None, "Hi", [HumanMessage("Hi")], AIMessage("Hi"), object()])
def test_what_is_no_call_is_refused_with_what_to_give(wrong: Any) -> None:
    report = claude().check("Hi")
    for pair in ((wrong, report), (report, wrong)):
        with pytest.raises(ConfigurationError, match=r"model\.check\(messages\)"):
            explain_cache(*pair)
    with pytest.raises(ConfigurationError, match="an AIMessage"):
        explain_cache(report, report, reply="Hi")  # type: ignore[arg-type]


def test_a_refused_call_says_why() -> None:
    audio = HumanMessage([{"type": "audio", "base64": "AAAA", "mime_type": "audio/wav"}])
    with pytest.raises(ConfigurationError, match=r"the second call: it is refused \(.*'audio' block"):
        explain_cache(claude().check("Hi"), claude().check([audio]))


def test_a_recorded_request_that_asks_no_model_is_no_call(server: Emulator) -> None:
    import httpx2

    httpx2.get(f"{server.url}/v1/models")
    httpx2.post(f"{server.url}/v1/messages", json={"model": 3})
    for recorded in server.requests[-2:]:
        assert recorded.request is None
        with pytest.raises(ConfigurationError, match="Recorded is not a call"):
            explain_cache(recorded, recorded)


def test_a_report_keeps_its_request_without_secrets() -> None:
    remote = {"type": "url", "name": "m", "url": "https://m.example", "authorization_token": "canary"}
    report = claude().check("Hi", mcp_servers=[remote], extra_body={"x": {"api_key": "canary"}})
    assert report.request is not None
    assert report.request.native["mcp_servers"][0]["name"] == "m"
    assert "canary" not in repr(report.request)
    hosted = {"type": "mcp", "server_label": "m", "server_url": "https://m.example", "authorization": "canary"}
    assert "canary" not in repr(gpt().check("Hi", tools=[hosted]).request)


def test_what_is_bound_is_checked() -> None:
    bound = claude(prompt_cache="auto").bind_tools([tool("search")])
    first, second = [HumanMessage("Hi")], [HumanMessage("Hi"), AIMessage("Hello"), HumanMessage("So?")]
    found = explained(bound.check(first), bound.check(second))
    assert (found.verdict, found.reusable_until) == ("hit_expected", "the tool 'search'")
    other = explained(bound.check(first), bound.check(second, tools=[]))
    assert (other.cause, other.tool, other.change) == ("tools", "search", "removed")


# --- what the answer says ---------------------------------------------------------------------------------------------


def answer(tokens: int, read: int | None = None, **metadata: Any) -> AIMessage:
    details = {} if read is None else {"input_token_details": {"cache_read": read}}
    usage = {"input_tokens": tokens, "output_tokens": 1, "total_tokens": tokens + 1, **details}
    return AIMessage("So.", usage_metadata=usage, response_metadata={"model_provider": "anthropic", **metadata})


def test_the_usage_of_the_answer_corrects_the_estimates() -> None:
    model, first = claude("claude-opus-5"), [cached(HumanMessage(words(500)))]
    report = model.check(first)
    assert explain_cache(report, report).cause == "below_minimum"
    found = explain_cache(report, report, reply=answer(700, 700))
    assert (found.verdict, found.reusable_tokens, found.total_tokens, found.share) == ("hit_expected", 700, 700, 1.0)
    assert str(found) == (
        "A hit is expected: about 700 of 700 tokens (100%), up to message 0 (user), block 0, come from the cache."
    )
    assert explain_cache(report, report, reply=answer(400, 0)).cause == "below_minimum"


def test_an_answer_that_read_something_else_is_told() -> None:
    report = claude().check([cached(HumanMessage(words(1500)))])
    missed = explain_cache(report, report, reply=answer(1500, 0))
    assert missed.verdict == "hit_expected"
    assert "But the answer read nothing" in str(missed)
    other = claude().check([cached(HumanMessage(words(1500, "b")))])
    found = explain_cache(report, other, reply=answer(1500, 1500))
    assert found.verdict == "miss_expected"
    assert "But the answer read 1,500 tokens, which an earlier call had written." in str(found)


def test_marks_that_the_answer_reports_as_dropped() -> None:
    report = claude().check([cached(HumanMessage(words(1500)))])
    item = {"what": "the prompt-cache mark on the tool 'a'", "why": "Because."}
    said = answer(1500, 0, prompt_cache={"marks_dropped": [item]})
    found = explain_cache(report, claude().check(words(1500)), reply=said)
    assert (found.cause, found.dropped) == ("no_marks", (item,))
    assert str(found).endswith("Not sent: the prompt-cache mark on the tool 'a'. Because.")


def anthropic_reply(reason: Any) -> dict[str, Any]:
    return {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-5",
        "content": [{"type": "text", "text": "So."}], "stop_reason": "end_turn", "stop_sequence": None,
        "diagnostics": {"cache_miss_reason": reason},
        "usage": {"input_tokens": 1500, "cache_read_input_tokens": 0, "output_tokens": 1},
    }  # fmt: skip


def anthropic_streamed(reply: dict[str, Any], late: bool) -> AIMessage:
    """The same in events; with `late`, the diagnosis comes with the last one."""
    start = {**reply, "content": [], "stop_reason": None, **({"diagnostics": None} if late else {})}
    more = {"diagnostics": reply["diagnostics"]} if late else {}
    events = [
        {"type": "message_start", "message": start},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": "So."}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn", **more}, "usage": {"output_tokens": 1}},
        {"type": "message_stop"},
    ]
    return summed(stream_anthropic(plain=True), events)


def summed(decoder: Any, events: list[dict[str, Any]]) -> AIMessage:
    chunks = [chunk for event in events for chunk in decoder.feed(event)]
    decoder.close()
    whole = chunks[0]
    for chunk in chunks[1:]:
        whole += chunk
    return whole


TOOLS_CHANGED = {"type": "tools_changed", "cache_missed_input_tokens": 5000}


@pytest.mark.parametrize("way", ["whole", "streamed", "streamed late"])
def test_anthropics_diagnosis_is_kept_and_used(way: str) -> None:
    body = anthropic_reply(TOOLS_CHANGED)
    message = decode_anthropic(body)[0] if way == "whole" else anthropic_streamed(body, way == "streamed late")
    assert message.response_metadata["diagnostics"] == {"cache_miss_reason": TOOLS_CHANGED}
    report = claude().check([cached(HumanMessage(words(1500)))])
    found = explain_cache(report, report, reply=message)
    assert (found.verdict, found.cause, found.diagnostics) == ("miss_expected", "tools", TOOLS_CHANGED)
    assert str(found) == (
        "A miss is expected: the provider found a difference that these two calls do not show. "
        "Keep the definition of a tool the same during a conversation. "
        "Anthropic reports: tools_changed, about 5,000 tokens missed."
    )


def test_a_diagnosed_answer_that_read_something_is_a_partial_hit() -> None:
    report = claude().check([cached(HumanMessage(words(1500)))])
    said = answer(1500, 900, diagnostics={"cache_miss_reason": {"type": "messages_changed"}})
    found = explain_cache(report, report, reply=said)
    assert (found.verdict, found.cause, found.reusable_tokens) == ("partial_expected", "message", 900)
    assert str(found).startswith("A partial hit is expected: about 900 of 1,500 tokens (60%) come from the cache. The ")


@pytest.mark.parametrize("reason", [{"type": "unavailable"}, {"type": "previous_message_not_found"}, None])
def test_a_diagnosis_that_tells_nothing_changes_nothing(reason: Any) -> None:
    report = claude().check([cached(HumanMessage(words(1500)))])
    found = explain_cache(report, report, reply=decode_anthropic(anthropic_reply(reason))[0])
    assert (found.verdict, found.cause, found.diagnostics) == ("hit_expected", "none", reason)


MISS = {
    "type": "cache_miss", "reason": "reasoning_effort_changed", "cache_missed_tokens": 900,
    "comparison_reusable_tokens": 1280,
}  # fmt: skip


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(
    "said,expected", [(MISS, ("miss_expected", "parameters")), ({"type": "cache_hit"}, ("hit_expected", "none"))]
)
def test_openais_diagnosis_is_kept_and_used(said: dict[str, Any], expected: Expected, streamed: bool) -> None:
    part = {"type": "output_text", "text": "So.", "annotations": []}
    body = {
        "id": "resp_1", "object": "response", "status": "completed", "model": "gpt-5.6",
        "output": [{"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [part]}],
        "prompt_cache_diagnostics": said, "usage": {"input_tokens": 1500, "output_tokens": 1, "total_tokens": 1501},
    }  # fmt: skip
    events = [{"type": "response.created", "response": {**body, "output": [], "prompt_cache_diagnostics": None}},
              {"type": "response.completed", "response": body}]  # fmt: skip
    message = summed(stream_responses(plain=True), events) if streamed else decode_responses(body)[0]
    assert message.response_metadata["prompt_cache_diagnostics"] == said
    report = gpt().check(words(1500))
    found = explain_cache(report, report, reply=message)
    assert ((found.verdict, found.cause), found.diagnostics) == (expected, said)
    assert "OpenAI reports: " in str(found)


def test_our_own_finding_is_more_exact_than_the_providers() -> None:
    model = claude()
    first = [cached(SystemMessage(words(1500))), HumanMessage("Hi")]
    second = [cached(SystemMessage(words(1500, "b"))), HumanMessage("Hi")]
    said = decode_anthropic(anthropic_reply({"type": "messages_changed", "cache_missed_input_tokens": 1500}))[0]
    found = explain_cache(model.check(first), model.check(second), reply=said)
    assert (found.cause, found.segment) == ("system", "message 0 (system), block 0")
    assert "Anthropic reports: messages_changed, about 1,500 tokens missed." in str(found)


# --- any two calls ----------------------------------------------------------------------------------------------------

sizes = st.sampled_from([1, 30, 400, 700, 1100, 1500])
letters = st.sampled_from("abc")
texts = st.builds(words, sizes, letters)
marks = st.sampled_from([None, None, "5m", "1h"])


def with_mark(item: Any, ttl: str | None) -> Any:
    return item if ttl is None else cached(item, ttl)


people = st.builds(lambda text, ttl: with_mark(HumanMessage(text), ttl), texts, marks)
several = st.builds(
    lambda parts: HumanMessage([{"type": "text", "text": text} for text in parts]),
    st.lists(texts, min_size=2, max_size=24),
)
pictures = st.just(HumanMessage([{"type": "text", "text": "look"}, IMAGE]))
answers = st.builds(AIMessage, texts)
systems = st.builds(lambda text, ttl: with_mark(SystemMessage(text), ttl), texts, marks)
kits = st.lists(st.sampled_from(["f", "g", "h"]), unique=True, max_size=3)
policies = st.sampled_from([None, "auto", "off", PromptCache(key="k", tail="always"), PromptCache(tail="never")])
keywords = st.fixed_dictionaries(
    {"prompt_cache": policies, "tools": kits.map(lambda names: [tool(name, 300) for name in names])},
    optional={"tool_choice": st.sampled_from(["auto", "none"]), "verbosity": st.just("low"),
              "reasoning_effort": st.sampled_from(["low", "high"]), "parallel_tool_calls": st.booleans()},
)  # fmt: skip
turns = st.lists(st.one_of(people, several, answers, pictures), max_size=6)
conversations = st.builds(
    lambda system, middle, last: [*system, *middle, last], st.lists(systems, max_size=1), turns, people
)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Any, Any]:
    """Two calls: the later one goes on from the earlier, is a part of it with something else, or has nothing of it."""
    first, given_keywords = draw(conversations), draw(keywords)
    start = draw(st.integers(0, len(first)))
    second = [*first[: draw(st.sampled_from([start, len(first)]))], *draw(turns), draw(people)]
    return (first, given_keywords), (second, draw(st.sampled_from([given_keywords, draw(keywords)])))


MODELS = [claude("claude-opus-5"), claude("claude-sonnet-4-5"), gpt(), gpt("gpt-5"),
          gpt("gpt-5", use_responses_api=False)]  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(MODELS), pairs(), st.sampled_from([0, 0, 0, 200, 700, 2000]))
def test_any_two_calls_are_explained_as_the_emulator_has_it(model: ChatUnified, calls: Any, elapsed: float) -> None:
    (first, mine), (second, theirs) = calls
    one, other = model.check(first, **mine), model.check(second, **theirs)
    if not (one.ok and other.ok):
        return
    found = explained(one, other, elapsed)
    assert (found.cause == "none") == (found.verdict == "hit_expected")
    assert (found.remedy is None) == (found.cause == "none")
    _, wrote = read_by_emulator(one, other, elapsed)
    if found.verdict == "hit_expected" and wrote:
        assert found.reusable_tokens == wrote

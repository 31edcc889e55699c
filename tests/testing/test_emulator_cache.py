"""What requests read from the prompt caches and write to them."""

from __future__ import annotations

from typing import Any

import pytest

from langchain_unified.caching.segments import Segment
from langchain_unified.profiles import profile_for
from langchain_unified.request import Profile, Provider
from langchain_unified.testing.emulation.cache import CacheLookup, Clock, EmulatedCache
from langchain_unified.testing.emulation.endpoints import SEGMENTS, total_tokens
from langchain_unified.wires._completion import Tokens

MARK = {"cache_control": {"type": "ephemeral"}}
LONG_MARK = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
POINT = {"prompt_cache_breakpoint": {"mode": "explicit"}}


def filler(tokens: int, letter: str = "a") -> str:
    """A text of so many tokens, at four characters each."""
    return letter * (tokens * 4)


def profile_of(endpoint: str, body: dict[str, Any]) -> Profile:
    provider: Provider = "anthropic" if endpoint.startswith("anthropic") else "openai"
    return profile_for(provider, body["model"])


def segments_of(endpoint: str, body: dict[str, Any]) -> list[Segment]:
    return SEGMENTS[endpoint](body, profile_of(endpoint, body))


class Cache:
    """A cache with its clock. `ask` is a request whose answer begins at once."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.cache = EmulatedCache(self.clock)

    def look(self, endpoint: str, body: dict[str, Any]) -> CacheLookup:
        return self.cache.look_up(endpoint, body, profile_of(endpoint, body), segments_of(endpoint, body))

    def ask(self, endpoint: str, body: dict[str, Any]) -> Tokens:
        lookup = self.look(endpoint, body)
        assert lookup.tokens.input == total_tokens(segments_of(endpoint, body))
        self.cache.commit(lookup)
        return lookup.tokens

    def claude(self, *messages: dict[str, Any], model: str = "claude-sonnet-4-5", **body: Any) -> Tokens:
        return self.ask("anthropic.messages", {"model": model, "messages": list(messages), **body})

    def chat(self, *messages: dict[str, Any], model: str = "gpt-5.6", **body: Any) -> Tokens:
        return self.ask("openai.chat", {"model": model, "messages": list(messages), **body})

    def responses(self, *items: dict[str, Any], model: str = "gpt-5.6", **body: Any) -> Tokens:
        return self.ask("openai.responses", {"model": model, "input": list(items), **body})


@pytest.fixture
def cache() -> Cache:
    return Cache()


def user(*parts: Any) -> dict[str, Any]:
    return {"role": "user", "content": list(parts)}


def text(content: str, **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": content, **more}


SYSTEM = [text(filler(1500), **MARK)]


# --- Anthropic --------------------------------------------------------------------------------------------------------


def test_a_marked_prefix_is_written_once_and_then_read(cache):
    first = cache.claude(user(text(filler(10))), system=SYSTEM)
    second = cache.claude(user(text(filler(12, "b"))), system=SYSTEM)
    assert first == Tokens(uncached=10, cache_write_short=1500)
    assert second == Tokens(uncached=12, cache_read=1500)


def test_a_moving_mark_reads_what_the_turn_before_wrote(cache):
    question, answer = text(filler(2000)), {"role": "assistant", "content": [text(filler(300, "b"))]}
    first = cache.claude(user({**question, **MARK}))
    second = cache.claude(user(question), answer, user(text(filler(100, "c"), **MARK)))
    assert first == Tokens(cache_write_short=2000)
    assert second == Tokens(cache_read=2000, cache_write_short=400)


def test_the_automatic_mark_stands_on_the_last_block(cache):
    top = {"cache_control": {"type": "ephemeral"}}
    first = cache.claude(user(text(filler(1200))), **top)
    second = cache.claude(user(text(filler(1200))), **top)
    longer = cache.claude(
        user(text(filler(1200))), {"role": "assistant", "content": filler(50, "b")}, user(text("cccc")), **top
    )
    assert (first, second) == (Tokens(cache_write_short=1200), Tokens(cache_read=1200))
    assert longer == Tokens(cache_read=1200, cache_write_short=51)


@pytest.mark.parametrize(
    "model,minimum",
    [("claude-opus-5", 512), ("claude-sonnet-5", 1024), ("claude-opus-4-7", 2048), ("claude-haiku-4-5", 4096)],
)
def test_below_the_models_minimum_nothing_is_cached(cache, model, minimum):
    short = cache.claude(user(text(filler(minimum - 1), **MARK)), model=model)
    enough = cache.claude(user(text(filler(minimum, "b"), **MARK)), model=model)
    assert short == Tokens(uncached=minimum - 1)
    assert enough == Tokens(cache_write_short=minimum)


@pytest.mark.parametrize("between,read", [(19, 1500), (20, 0)])
def test_a_mark_looks_back_twenty_blocks(cache, between, read):
    cache.claude(user(text(filler(1500), **MARK)))
    blocks = [text(filler(1, "b")) for _ in range(between - 1)]
    found = cache.claude(user(text(filler(1500)), *blocks, text(filler(1, "c"), **MARK)))
    assert found.cache_read == read


def test_the_ttls_are_told_apart(cache):
    tools = [{"name": "f", "input_schema": {"type": "object"}, "description": filler(1500), **LONG_MARK}]
    found = cache.claude(user(text(filler(200), **MARK), text(filler(7))), tools=tools)
    assert found.cache_write_long > 1500
    assert (found.cache_write_short, found.uncached) == (200, 7)


@pytest.mark.parametrize("seconds,read", [(299, 1500), (300, 0)])
def test_an_entry_lives_five_minutes(cache, seconds, read):
    cache.claude(user(text("hi")), system=SYSTEM)
    cache.clock.advance(seconds)
    assert cache.claude(user(text("hi")), system=SYSTEM).cache_read == read


def test_a_read_starts_the_timer_again(cache):
    cache.claude(user(text("hi")), system=SYSTEM)
    for _ in range(3):
        cache.clock.advance(200)
        assert cache.claude(user(text("hi")), system=SYSTEM).cache_read == 1500


def test_an_hour_is_an_hour(cache):
    system = [text(filler(1500), **LONG_MARK)]
    assert cache.claude(user(text("hi")), system=system).cache_write_long == 1500
    cache.clock.advance(3599)
    assert cache.claude(user(text("hi")), system=system).cache_read == 1500
    cache.clock.advance(3600)
    assert cache.claude(user(text("hi")), system=system).cache_read == 0


def test_entries_are_readable_when_the_answer_begins(cache):
    body = {"model": "claude-sonnet-4-5", "messages": [user(text("hi"))], "system": SYSTEM}
    one, two = cache.look("anthropic.messages", body), cache.look("anthropic.messages", body)
    assert one.tokens.cache_write == two.tokens.cache_write == 1500
    cache.cache.commit(one)
    assert cache.look("anthropic.messages", body).tokens.cache_read == 1500


TOOLS = [{"name": "f", "input_schema": {"type": "object"}, "description": filler(1100), **MARK}]
IMAGE = {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}}
TOOL_TOKENS = total_tokens(SEGMENTS["anthropic.messages"]({"tools": TOOLS}, Profile()))
FULL: dict[str, Any] = {
    "model": "claude-opus-4-8",
    "tools": TOOLS,
    "system": SYSTEM,
    "messages": [user(text(filler(1200), **MARK))],
}
ALL = TOOL_TOKENS + 1500 + 1200


@pytest.mark.parametrize(
    "change,read",
    [
        ({}, ALL),
        ({"model": "claude-opus-5"}, 0),
        ({"tools": [*TOOLS, {"name": "g", "input_schema": {"type": "object"}}]}, 0),
        ({"tools": [*TOOLS, {"name": "g", "input_schema": {"type": "object"}, "defer_loading": True}]}, ALL),
        ({"tools": [{**TOOLS[0], "name": "g"}]}, 0),
        ({"system": [text(filler(1500, "b"), **MARK)]}, TOOL_TOKENS),
        ({"speed": "fast"}, TOOL_TOKENS),
        ({"tool_choice": {"type": "any"}}, TOOL_TOKENS + 1500),
        ({"messages": [user(text(filler(1200), **MARK), IMAGE)]}, TOOL_TOKENS + 1500),
        ({"thinking": {"type": "adaptive"}}, TOOL_TOKENS + 1500),
        ({"output_config": {"effort": "low"}}, TOOL_TOKENS + 1500),
        ({"messages": [user(text(filler(1200, "b"), **MARK))]}, TOOL_TOKENS + 1500),
        ({"temperature": 0.5}, ALL),
        ({"tools": [*TOOLS, {"type": "web_search_20260209", "name": "web_search"}]}, TOOL_TOKENS),
        ({"output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}}}, TOOL_TOKENS),
        ({"output_config": {"effort": "high"}}, ALL),
        ({"speed": "standard"}, ALL),
    ],
)
def test_what_a_change_invalidates(cache, change, read):
    cache.ask("anthropic.messages", FULL)
    assert cache.ask("anthropic.messages", {**FULL, **change}).cache_read == read


def test_how_thinking_is_shown_is_no_part_of_the_prompt(cache):
    cache.ask("anthropic.messages", {**FULL, "thinking": {"type": "adaptive"}})
    shown = {**FULL, "thinking": {"type": "adaptive", "display": "summarized"}}
    assert cache.ask("anthropic.messages", shown).cache_read == ALL


@pytest.mark.parametrize("args,read", [({"a": 1, "b": 2}, 1604), ({"b": 2, "a": 1}, 1500)])
def test_the_order_of_a_calls_arguments_counts(cache, args, read):
    def ask(given: dict[str, int]) -> Tokens:
        use = {"type": "tool_use", "id": "t", "name": "f", "input": given}
        result = {"type": "tool_result", "tool_use_id": "t", "content": filler(99), **MARK}
        return cache.claude(user(text("hi")), {"role": "assistant", "content": [use]}, user(result), system=SYSTEM)

    ask({"a": 1, "b": 2})
    assert ask(args).cache_read == read


def test_marks_are_no_part_of_the_prefix(cache):
    cache.claude(user(text(filler(1100), **MARK), text(filler(300, "b"))))
    found = cache.claude(user(text(filler(1100)), text(filler(300, "b"), **MARK)))
    assert found == Tokens(cache_read=1100, cache_write_short=300)


@pytest.mark.parametrize("model,read", [("claude-sonnet-4-5", 0), ("claude-opus-4-5", 5000)])
def test_older_models_forget_the_thinking_of_earlier_turns(cache, model, read):
    thought = {"role": "assistant", "content": [{"type": "thinking", "thinking": filler(100), "signature": "s"},
                                                text(filler(4900, "b"))]}  # fmt: skip
    call = {"role": "assistant", "content": [*thought["content"][:1], text(filler(4900, "b"), **MARK)]}
    cache.claude(user(text("hi")), call, model=model)
    # Only the last plain user turn decides whether the thinking is still there.
    found = cache.claude(user(text("hi")), thought, user(text("next", **MARK)), model=model)
    assert found.cache_read == (read and 5001)


# --- OpenAI from gpt-5.6 on -------------------------------------------------------------------------------------------

EXPLICIT = {"prompt_cache_options": {"mode": "explicit"}}


@pytest.mark.parametrize("api", ["chat", "responses"])
def test_explicit_breakpoints_write_and_read_exactly(cache, api):
    kind = "text" if api == "chat" else "input_text"
    marked = {"type": kind, "text": filler(4012), **POINT}
    ask = getattr(cache, api)
    first = ask(user(marked, {"type": kind, "text": filler(8, "b")}), prompt_cache_key="k", **EXPLICIT)
    second = ask(user(marked, {"type": kind, "text": filler(8, "c")}), prompt_cache_key="k", **EXPLICIT)
    assert first == Tokens(uncached=8, cache_write_short=4012)
    assert second == Tokens(uncached=8, cache_read=4012)


def test_the_implicit_breakpoint_rewrites_a_growing_prompt(cache):
    first = cache.chat(user(text(filler(2000))))
    second = cache.chat(user(text(filler(2000))), {"role": "assistant", "content": filler(50)}, user(text(filler(30))))
    again = cache.chat(user(text(filler(2000))), {"role": "assistant", "content": filler(50)}, user(text(filler(30))))
    assert first == Tokens(cache_write_short=2000)
    assert second == Tokens(cache_write_short=2080)
    assert again == Tokens(cache_read=2080)


def test_an_explicit_breakpoint_makes_the_growing_prompt_cheap(cache):
    cache.chat(user(text(filler(2000), **POINT)))
    second = cache.chat(
        user(text(filler(2000), **POINT)), {"role": "assistant", "content": filler(50)}, user(text(filler(30)))
    )
    assert second == Tokens(cache_read=2000, cache_write_short=80)


def test_explicit_mode_without_marks_caches_nothing(cache):
    for _ in range(2):
        assert cache.chat(user(text(filler(3000))), **EXPLICIT) == Tokens(uncached=3000)


def test_at_most_four_breakpoints_are_written_the_last_ones(cache):
    parts = [text(filler(1100, letter), **POINT) for letter in "abcdef"]
    cache.chat(user(*parts), **EXPLICIT)
    reads = [cache.look("openai.chat", {"model": "gpt-5.6", "messages": [user(*parts[:count])], **EXPLICIT}).tokens
             for count in range(1, 7)]  # fmt: skip
    assert [tokens.cache_read for tokens in reads] == [0, 0, 3300, 4400, 5500, 6600]


def test_the_key_routes(cache):
    cache.chat(user(text(filler(2000))), prompt_cache_key="a")
    assert cache.chat(user(text(filler(2000))), prompt_cache_key="b").cache_read == 0
    assert cache.chat(user(text(filler(2000))), prompt_cache_key="a").cache_read == 2000


def test_ttl_of_thirty_minutes_and_twelve_hours(cache):
    long = {"prompt_cache_options": {"mode": "explicit", "ttl": "12h"}}
    item = user({"type": "input_text", "text": filler(2000), **POINT})
    assert cache.responses(item, **long) == Tokens(cache_write_long=2000)
    cache.clock.advance(1801)
    assert cache.responses(item, **long) == Tokens(cache_read=2000)
    other = user({"type": "input_text", "text": filler(2000, "b"), **POINT})
    assert cache.responses(other, **EXPLICIT) == Tokens(cache_write_short=2000)
    cache.clock.advance(1800)
    assert cache.responses(other, **EXPLICIT).cache_read == 0


def test_below_1024_nothing(cache):
    assert cache.chat(user(text(filler(1023)))) == Tokens(uncached=1023)


def test_a_tool_result_may_hold_the_implicit_breakpoint(cache):
    call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
    result = {"type": "function_call_output", "call_id": "c", "output": filler(1500)}
    found = cache.responses(user({"type": "input_text", "text": "hi"}), call, result)
    assert found.cache_write_short == found.input


# --- OpenAI before ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tokens,read", [(1023, 0), (1024, 1024), (1349, 1280), (2973, 2944)])
def test_older_models_read_in_steps_of_128(cache, tokens, read):
    assert cache.chat(user(text(filler(tokens))), model="gpt-4o") == Tokens(uncached=tokens)
    assert cache.chat(user(text(filler(tokens))), model="gpt-4o") == Tokens(uncached=tokens - read, cache_read=read)


def test_older_models_find_the_longest_known_prefix(cache):
    system = {"role": "system", "content": filler(1300)}
    cache.chat(system, user(text(filler(500, "b"))), model="gpt-4o")
    assert cache.chat(system, user(text(filler(500, "c"))), model="gpt-4o").cache_read == 1280
    assert cache.chat(system, user(text(filler(300, "b") + "x")), model="gpt-4o").cache_read == 1536
    assert cache.chat({**system, "content": "x" + filler(1300)}, model="gpt-4o").cache_read == 0


@pytest.mark.parametrize("model,seconds,read", [("gpt-4o", 600, 0), ("gpt-4o", 599, 1024), ("gpt-5.5", 3600, 1024)])
def test_older_models_keep_a_prefix_for_minutes_or_a_day(cache, model, seconds, read):
    cache.chat(user(text(filler(1024))), model=model)
    cache.clock.advance(seconds)
    assert cache.chat(user(text(filler(1024))), model=model).cache_read == read


@pytest.mark.parametrize(
    "change,read",
    [
        ({}, 1152),
        ({"reasoning_effort": "low"}, 0),
        ({"reasoning_effort": "medium"}, 1152),
        ({"verbosity": "low"}, 0),
        ({"verbosity": "medium"}, 1152),
        ({"service_tier": "flex"}, 0),
        ({"service_tier": "auto"}, 1152),
        ({"parallel_tool_calls": False}, 0),
        ({"tool_choice": "none"}, 1152),
        ({"max_completion_tokens": 10}, 1152),
    ],
)
def test_which_settings_a_prefix_depends_on(cache, change, read):
    cache.chat(user(text(filler(1200))), model="gpt-5")
    assert cache.chat(user(text(filler(1200))), model="gpt-5", **change).cache_read == read


def test_a_string_and_its_one_part_are_the_same_prompt(cache):
    cache.responses({"role": "user", "content": filler(1200)}, model="gpt-5")
    parts = user({"type": "input_text", "text": filler(1200)})
    assert cache.responses(parts, model="gpt-5").cache_read == 1152


def test_everything_counts_towards_the_prefix(cache):
    tool = {"type": "function", "function": {"name": "f", "description": filler(1200), "parameters": {}}}
    cache.chat(user(text("hi")), model="gpt-4o", tools=[tool])
    other = {"type": "function", "function": {**tool["function"], "name": "g"}}
    assert cache.chat(user(text("hi")), model="gpt-4o", tools=[tool]).cache_read == 1152
    assert cache.chat(user(text("hi")), model="gpt-4o", tools=[other]).cache_read == 0

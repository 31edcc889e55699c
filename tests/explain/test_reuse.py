"""`explain_cache`: what each API reads again, by look-back, length, lifetime and settings."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

from langchain_unified import ChatUnified, cached, explain_cache
from langchain_unified.request import Profile, Request, Turn
from tests.explain.helpers import ANSWER, CALL, HIT, IMAGE, Expected, claude, explained, gpt, miss, partial, tool, words

# --- without a server -------------------------------------------------------------------------------------------------


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


def test_a_mark_beyond_the_limit_is_noted() -> None:
    first = [SystemMessage([cached(words(1100, letter)) for letter in "vwxyz"]), HumanMessage("Hi")]
    second = [*first, AIMessage("Hello"), HumanMessage("So?")]
    found = explained(*(claude().check(messages) for messages in (first, second)))
    assert (found.verdict, found.reusable_tokens) == ("hit_expected", 5500)
    assert len(found.dropped) == 1
    assert "Not sent" not in str(found)
    found = explained(gpt().check(first), gpt().check(second))
    assert (found.verdict, found.cause) == ("partial_expected", "no_matching_breakpoint")
    assert f"Not sent: {found.dropped[0]['what']}. " in str(found)


def test_breakpoints_beyond_those_written_are_listed() -> None:
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


def test_entries_expire_one_by_one() -> None:
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

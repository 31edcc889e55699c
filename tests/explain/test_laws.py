"""`explain_cache` on any two calls agrees with the emulator."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

from langchain_unified import ChatUnified, PromptCache, cached
from tests.explain.helpers import IMAGE, claude, explained, gpt, read_by_emulator, tool, words

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
    if found.cause == "none":  # more could be read only where two texts begin alike
        assert found.remedy is None or "begins alike in both calls" in found.remedy
    else:
        assert found.remedy is not None
    _, wrote = read_by_emulator(one, other, elapsed)
    if found.verdict == "hit_expected" and wrote:
        assert found.reusable_tokens == wrote

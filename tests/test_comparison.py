"""The README's comparison with LangChain's partner packages: each row is tried on theirs and on ours.

A row holds what a user would notice. When a partner package mends one, its test fails and the row goes.
"""

from __future__ import annotations

import asyncio
import pickle
import re
import warnings
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import langchain_anthropic
import langchain_openai
import pytest
from langchain_core.exceptions import ContextOverflowError
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage

import langchain_unified
from langchain_unified.testing import Emulator, Fault, emulator
from tests.support.corpus import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
RULES = "The house rules follow. " * 400
MARK = {"cache_control": {"type": "ephemeral"}}
OVERFLOW = {
    "error": {"message": "Too long.", "type": "invalid_request_error", "param": "messages",
              "code": "context_length_exceeded"}
}  # fmt: skip


@pytest.fixture
def server() -> Any:
    with emulator() as running:
        yield running


Package = Any


def claude(package: Package, server: Emulator, **fields: Any) -> Any:
    given = {"model": "claude-opus-5", "api_key": "any", "max_retries": 0, "max_tokens": 1024, **fields}
    return package.ChatAnthropic(**given, base_url=server.anthropic_url)


def gpt(package: Package, server: Emulator, **fields: Any) -> Any:
    given = {"model": "gpt-4o", "api_key": "any", "max_retries": 0, **fields}
    return package.ChatOpenAI(**given, base_url=server.openai_url)


SAME = all(f"{name} {version(name)}" in README for name in ("langchain-anthropic", "langchain-openai"))


def holds_of_partners(fact: bool) -> None:
    """What the table says of the versions that it names. Others are compared anew before a release."""
    assert fact or not SAME


PARTNERS = {claude: langchain_anthropic, gpt: langchain_openai}
both = pytest.mark.parametrize("build", [claude, gpt], ids=["anthropic", "openai"])


def raised(run: Callable[[], Any]) -> BaseException | None:
    """What a call raises; `None` when it works."""
    try:
        run()
    except Exception as error:  # noqa: BLE001  # that it fails, and how, is the fact
        return error
    return None


# --- one row each -----------------------------------------------------------------------------------------------------


def test_a_cache_mark_on_the_other_provider(server: Emulator) -> None:
    marked = [SystemMessage([{"type": "text", "text": RULES, **MARK}]), HumanMessage("hi")]
    theirs = raised(lambda: gpt(langchain_openai, server, model="gpt-5.6", use_responses_api=False).invoke(marked))
    holds_of_partners("Unknown parameter: 'messages[0].content[0].cache_control'" in str(theirs))
    ours = gpt(langchain_unified, server, model="gpt-5.6", use_responses_api=False).invoke(marked)
    assert ours.response_metadata["prompt_cache"]["written"] > 1024


def test_a_fifth_cache_mark(server: Emulator) -> None:
    marked = [HumanMessage([{"type": "text", "text": f"{n}", **MARK} for n in range(5)])]
    holds_of_partners("cache_control" in str(raised(lambda: claude(langchain_anthropic, server).invoke(marked))))
    with pytest.warns(UserWarning, match="prompt-cache mark"):
        assert claude(langchain_unified, server).invoke(marked).text


def test_written_cache_tokens_whole_and_streamed(server: Emulator) -> None:
    def written(package: Package, run: str) -> int | None:
        rules = f"{package.__name__} {run} {RULES}"
        marked = [SystemMessage([{"type": "text", "text": rules, **MARK}]), HumanMessage("hi")]
        model = claude(package, server)
        if run == "invoke":
            return model.invoke(marked).usage_metadata["input_token_details"].get("cache_creation")
        chunks = list(model.stream(marked))
        return (chunks[0] + chunks[1:]).usage_metadata["input_token_details"].get("cache_creation")

    holds_of_partners(written(langchain_anthropic, "invoke") == 0)
    assert written(langchain_unified, "invoke") > 1024
    assert written(langchain_unified, "stream") > 1024


@both
def test_a_stream_that_ends_early(build: Any, server: Emulator) -> None:
    def read(package: Package) -> Any:
        server.fail_next(Fault.clean_end_without_final())
        return list(build(package, server).stream("Tell me something."))

    holds_of_partners(raised(lambda: read(PARTNERS[build])) is None)
    with pytest.raises(langchain_unified.IncompleteStreamError):
        read(langchain_unified)


def test_a_conversation_that_is_too_long(server: Emulator) -> None:
    def ask(package: Package) -> Any:
        server.fail_next(Fault.http(400, OVERFLOW))
        return raised(lambda: gpt(package, server).invoke("hi"))

    holds_of_partners(not isinstance(ask(langchain_openai), ContextOverflowError))
    assert isinstance(ask(langchain_unified), ContextOverflowError)


# The partner's client leaves its first loop's socket open.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@both
def test_a_second_event_loop(build: Any, server: Emulator) -> None:
    def twice(package: Package) -> Any:
        model = build(package, server)
        asyncio.run(model.ainvoke("hi"))
        return raised(lambda: asyncio.run(model.ainvoke("hi")))

    holds_of_partners(twice(PARTNERS[build]) is not None)
    assert twice(langchain_unified) is None


@both
def test_a_pickle_after_use(build: Any, server: Emulator) -> None:
    def dumped(package: Package) -> Any:
        model = build(package, server)
        model.invoke("hi")
        return raised(lambda: pickle.dumps(model))

    holds_of_partners(dumped(PARTNERS[build]) is not None)
    assert dumped(langchain_unified) is None


@both
def test_a_misspelt_argument(build: Any, server: Emulator) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = build(PARTNERS[build], server, temprature=0)
    holds_of_partners(isinstance(raised(lambda: theirs.invoke("hi")), TypeError))
    with pytest.raises(langchain_unified.ConfigurationError, match="Did you mean 'temperature'"):
        build(langchain_unified, server, temprature=0)


def test_the_usage_of_a_stream_from_another_address(server: Emulator) -> None:
    def usage(package: Package) -> Any:
        chunks = list(gpt(package, server).stream("hi"))
        return (chunks[0] + chunks[1:]).usage_metadata

    holds_of_partners(usage(langchain_openai) is None)
    assert usage(langchain_unified)["output_tokens"] > 0


def test_stop_sequences_on_responses(server: Emulator) -> None:
    with emulator(["one two three"] * 2) as scripted:
        theirs = gpt(langchain_openai, scripted, use_responses_api=True).invoke("count", stop=["two"])
        ours = gpt(langchain_unified, scripted, use_responses_api=True, on_unsupported="ignore")
        holds_of_partners(theirs.text == "one two three")
        assert ours.invoke("count", stop=["two"]).text == "one "


def test_a_history_of_the_other_provider(server: Emulator) -> None:
    thought = {"type": "thinking", "thinking": "A city.", "signature": "c2lnbmVk"}
    call = {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Rome"}}
    thread = [
        HumanMessage("Weather?"),
        AIMessage(
            [thought, {"type": "text", "text": "I look."}, call],
            tool_calls=[{"name": "weather", "args": {"city": "Rome"}, "id": "toolu_1"}],
            response_metadata={"model_provider": "anthropic", "model_name": "claude-opus-5"},
        ),
        ToolMessage([{"type": "image", "source": {"type": "url", "url": "https://example.com/sky.png"}}],
                    tool_call_id="toolu_1"),
        HumanMessage("And now?"),
    ]  # fmt: skip
    holds_of_partners(raised(lambda: gpt(langchain_openai, server).invoke(thread)) is not None)
    assert gpt(langchain_unified, server, model="gpt-5.6", use_responses_api=True).invoke(thread).text


# --- the table --------------------------------------------------------------------------------------------------------


def test_the_readme_has_a_row_for_each_test() -> None:
    rows = {name.removeprefix("test_") for name in globals() if name.startswith("test_") and "readme" not in name}
    told = set(re.findall(r"<!-- (\w+) -->", README))
    assert told == rows

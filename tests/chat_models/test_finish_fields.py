"""How an answer ended and what it used, under the keys that LangChain core, tracers and evaluations read."""

from __future__ import annotations

import pytest
from langchain_core.messages import HumanMessage

from langchain_unified import ChatAnthropic, ChatOpenAI, ChatUnified
from langchain_unified.chat_models._finish import NORMALIZED, combined
from langchain_unified.cost import message_cost
from langchain_unified.testing import emulator
from langchain_unified.wires._completion import Completion

ASKED = [HumanMessage("Say a word.")]

# The values of core's `normalized_finish_reason`: release notes of @langchain/core 1.5.0.
CORES = {"stop", "length", "tool_call", "content_filter", "refusal", "context_exceeded", "error", "other"}

MODELS = {
    "anthropic": lambda e: ChatAnthropic(model="claude-sonnet-4-6", base_url=e.anthropic_url, api_key="x"),
    "chat": lambda e: ChatOpenAI(model="gpt-5.4", base_url=e.openai_url, api_key="x"),
    "responses": lambda e: ChatUnified("openai/gpt-5.4", use_responses_api=True, base_url=e.openai_url, api_key="x"),
}


def test_every_reason_has_a_name_of_core():
    assert set(NORMALIZED.values()) <= CORES
    assert (NORMALIZED["tool_calls"], NORMALIZED["context_window"]) == ("tool_call", "context_exceeded")


@pytest.mark.parametrize("wire", MODELS)
@pytest.mark.parametrize("how", ["invoke", "stream", "v3"])
def test_the_keys_of_core_are_there_however_the_answer_came(wire, how):
    with emulator() as emulated:
        model = MODELS[wire](emulated)
        if how == "invoke":
            metadata = model.invoke(ASKED).response_metadata
        elif how == "stream":
            chunks = list(model.stream(ASKED))
            whole = chunks[0]
            for chunk in chunks[1:]:
                whole += chunk
            metadata = whole.response_metadata
        else:
            events = list(model._stream_chat_model_events(ASKED))
            metadata = events[-1]
            assert metadata["metadata"]["normalized_finish_reason"] == "stop"
    assert metadata["finish_reason"] == metadata["normalized_finish_reason"] == "stop"
    assert metadata.get("finish_state") == ("complete" if wire == "anthropic" else None)


def test_a_paused_turn_is_suspended():
    # https://docs.anthropic.com/en/api/messages#response-stop-reason: the turn goes on when it is sent back.
    reply = Completion("msg_1", "claude-sonnet-4-6", ({"type": "text", "text": "wait"},), finish_reason="pause")
    with emulator(script=[reply]) as emulated:
        metadata = MODELS["anthropic"](emulated).invoke(ASKED).response_metadata
    assert (metadata["finish_reason"], metadata["finish_state"]) == ("pause", "suspended")


@pytest.mark.parametrize("wire", MODELS)
@pytest.mark.parametrize("streamed", [False, True])
def test_generation_info_has_the_finish_reason(wire, streamed):
    with emulator() as emulated:
        model = MODELS[wire](emulated)
        if streamed:
            infos = [chunk.generation_info for chunk in model._stream(ASKED)]
            assert [info for info in infos if info] == [{"finish_reason": "stop"}]
        else:
            assert model.generate([ASKED]).generations[0][0].generation_info == {"finish_reason": "stop"}


@pytest.mark.parametrize("wire", MODELS)
def test_llm_output_has_what_the_partner_packages_write(wire):
    with emulator() as emulated:
        result = MODELS[wire](emulated).generate([ASKED])
    message, output = result.generations[0][0].message, result.llm_output
    usage = message.usage_metadata
    assert output["id"] == message.response_metadata["id"]
    assert output["model_name"] == message.response_metadata["model_name"]
    assert output["stop_reason"] == message.response_metadata["stop_reason"]
    if wire == "anthropic":  # langchain-anthropic: the API's own object
        assert output["usage"] == message.response_metadata["usage"]
        assert "token_usage" not in output
    else:  # langchain-openai, ragas' get_token_usage_for_openai, get_openai_callback
        found = output["token_usage"]
        assert (found["prompt_tokens"], found["completion_tokens"]) == (usage["input_tokens"], usage["output_tokens"])
        assert found["prompt_tokens_details"]["cached_tokens"] == usage["input_token_details"]["cache_read"]
        assert found["input_token_details"] == usage["input_token_details"]
        # Langfuse reads `usage` before `usage_metadata`, and knows no counts inside of its objects.
        assert "usage" not in message.response_metadata


def test_the_counts_of_several_calls_are_added():
    def output(name, prompt, cached):
        counts = {"prompt_tokens": prompt, "prompt_tokens_details": {"cached_tokens": cached}}
        return {"id": name, "model_name": "m", "token_usage": counts}

    first, both = output("a", 2, 1), output("c", 5, 5)
    del both["id"]
    assert combined([first, None, output("b", 3, 4)]) == both
    assert combined([first]) == first
    assert combined([None]) == {}


def test_chat_unified_shows_the_model_that_answers():
    model = ChatUnified("anthropic:claude-sonnet-4-6", api_key="x")
    assert (model.model, model.model_name) == ("anthropic:claude-sonnet-4-6", "claude-sonnet-4-6")
    assert model.max_tokens == 128_000
    assert model._identifying_params["model_name"] == "claude-sonnet-4-6"
    assert model._serialized["id"][-1] == "ChatAnthropic"
    assert model.profile["max_output_tokens"] == 128_000
    called = model._get_invocation_params(model="openai/gpt-5.4")
    assert (called["model"], called["model_name"], called["_type"]) == ("gpt-5.4", "gpt-5.4", "openai-chat")
    assert "max_tokens" not in model.check("Hi", model="openai/gpt-5.4").body
    other = ChatUnified("openai/gpt-5.4", api_key="x")
    assert (other.model_name, other.max_tokens, other._llm_type) == ("gpt-5.4", None, "openai-chat")
    assert other._serialized["id"][-1] == "ChatOpenAI"


@pytest.mark.parametrize("streamed", [False, True])
def test_writes_by_ttl_are_in_langsmiths_place_when_they_are_asked_for(streamed):
    # langsmith.schemas.InputTokenDetails; its server prices input minus the sum of the details, and each detail.
    with emulator() as emulated:
        model = ChatAnthropic(
            model="claude-sonnet-4-6", base_url=emulated.anthropic_url, api_key="x",
            prompt_cache={"ttl": "1h", "tail": "always"}, cache_writes_by_ttl=True,
        )  # fmt: skip
        asked = [("system", "Be brief. " * 2_000), ("user", "Hi.")]
        if streamed:
            (usage,) = [chunk.usage_metadata for chunk in model.stream(asked) if chunk.usage_metadata]
        else:
            message = model.invoke(asked)
            usage = message.usage_metadata
            assert message_cost(message).total == message_cost(plain(model, asked)).total
    details = usage["input_token_details"]
    assert details["ephemeral_1h_input_tokens"] > 2_000
    assert (details["ephemeral_5m_input_tokens"], details["cache_creation"]) == (0, 0)
    assert sum(details.values()) <= usage["input_tokens"]


def plain(model, asked):
    """The same answer with the total, of the same emulator from another cache."""
    other = [(asked[0][0], asked[0][1].replace("brief", "short")), asked[1]]
    return model.model_copy(update={"cache_writes_by_ttl": False}).invoke(other)

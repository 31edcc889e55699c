"""What the clients of the field send, golden: Claude Code on GPT, Codex on Claude, LiteLLM's page, plain SDK calls."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from langchain_unified.errors import UnsupportedParameterError
from langchain_unified.gateway.crossing import NotCrossingError
from langchain_unified.request import JsonObject, WireName
from tests.gateway.crossing.crossed import CHAT, MESSAGES, RESPONSES, crossed, noted, sent

ATTRIBUTION = "x-anthropic-billing-header: cc_version=2.1.197.3a3; cc_entrypoint=cli; cch=0aaa9;"
USER_ID = '{"device_id":"' + "d" * 64 + '","account_uuid":"","session_id":"' + "5" * 36 + '"}'
BASH: JsonObject = {
    "name": "Bash",
    "description": "Runs a command.",
    "input_schema": {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {"command": {"type": "string"}},
        "required": ["command"],
        "additionalProperties": False,
    },
}
CLAUDE_CODE: JsonObject = {
    "model": "claude-opus-4-5",
    "max_tokens": 32000,
    "stream": True,
    "system": [
        {"type": "text", "text": ATTRIBUTION},
        {"type": "text", "text": "You are Claude Code.", "cache_control": {"type": "ephemeral"}},
    ],
    "metadata": {"user_id": USER_ID},
    "thinking": {"type": "adaptive"},
    "context_management": {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]},
    "tools": [BASH],
    "messages": [
        {"role": "user", "content": [
            {"type": "text", "text": "<system-reminder>Be brief.</system-reminder>"},
            {"type": "text", "text": "List the files.", "cache_control": {"type": "ephemeral"}},
        ]},
        {"role": "assistant", "content": [
            {"type": "text", "text": "I look."},
            {"type": "tool_use", "id": "toolu_01A", "name": "Bash", "input": {"command": "ls"}},
        ]},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "toolu_01A", "content": "no such file", "is_error": True},
        ]},
        {"role": "system", "content": "The date changed."},
    ],
}  # fmt: skip
HEADERS = {
    "anthropic-beta": "claude-code-20250219,interleaved-thinking-2025-05-14,context-management-2025-06-27",
    "X-Claude-Code-Session-Id": "5a1b",
}


def test_claude_code_on_gpt() -> None:
    crossing = crossed(CLAUDE_CODE, MESSAGES, RESPONSES, headers=HEADERS)
    parameters = BASH["input_schema"]
    assert crossing.plan.call.body == {
        "model": "gpt-5.2",
        "input": [
            {"role": "system", "content": "You are Claude Code."},
            {"role": "user", "content": [
                {"type": "input_text", "text": "<system-reminder>Be brief.</system-reminder>"},
                {"type": "input_text", "text": "List the files."},
            ]},
            {"role": "assistant", "content": "I look."},
            {"type": "function_call", "call_id": "toolu_01A", "name": "Bash", "arguments": '{"command":"ls"}'},
            {"type": "function_call_output", "call_id": "toolu_01A", "output": "no such file"},
            {"role": "system", "content": "The date changed."},
        ],
        "tools": [{"type": "function", "name": "Bash", "description": "Runs a command.", "parameters": parameters}],
        "max_output_tokens": 32000,
        "reasoning": {"summary": "auto"},
        "include": ["reasoning.encrypted_content"],
        "store": False,
        "safety_identifier": USER_ID if len(USER_ID) <= 128 else hashlib.sha256(USER_ID.encode()).hexdigest(),
        "prompt_cache_key": "5a1b",
        "stream": True,
    }  # fmt: skip
    assert len(USER_ID) > 128
    assert crossing.plan.call.headers == {}
    assert {"context_management", "is_error of a tool result"} <= noted(crossing).keys()


def test_claude_code_on_its_own_api_keeps_its_attribution() -> None:
    body = sent(CLAUDE_CODE, MESSAGES, MESSAGES, headers=HEADERS)
    assert body["system"][:2] == CLAUDE_CODE["system"]
    assert body["context_management"] == CLAUDE_CODE["context_management"]
    assert "prompt_cache_key" not in body


@pytest.mark.parametrize(
    "thinking, effort, reasoning",
    [
        ({"type": "adaptive"}, None, {"summary": "auto"}),
        ({"type": "adaptive", "display": "omitted"}, None, None),
        ({"type": "adaptive"}, "low", {"summary": "auto", "effort": "low"}),
        ({"type": "enabled", "budget_tokens": 1024}, None, {"summary": "auto", "effort": "low"}),
        ({"type": "enabled", "budget_tokens": 31999}, None, {"summary": "auto", "effort": "high"}),
        ({"type": "disabled"}, None, {"effort": "none"}),
    ],
)
def test_thinking_becomes_an_effort_and_a_summary(
    thinking: JsonObject, effort: str | None, reasoning: JsonObject | None
) -> None:
    body = {**CLAUDE_CODE, "thinking": thinking, **({"output_config": {"effort": effort}} if effort else {})}
    assert sent(body, MESSAGES, RESPONSES).get("reasoning") == reasoning
    chat = sent({**body, "tools": []}, MESSAGES, CHAT, model="gpt-5.2")
    assert chat.get("reasoning_effort") == (reasoning or {}).get("effort")


def test_a_model_that_does_not_reason_gets_no_thinking() -> None:
    crossing = crossed(CLAUDE_CODE, MESSAGES, RESPONSES, model="gpt-4.1")
    assert "reasoning" not in crossing.plan.call.body
    assert "does not reason" in noted(crossing)["thinking"]


CODEX: JsonObject = {
    "model": "gpt-5.2-codex",
    "instructions": "You are Codex.",
    "input": [
        {"type": "message", "role": "developer", "id": "msg_1",
         "content": [{"type": "input_text", "text": "Sandbox."}]},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "List the files."}]},
    ],
    "tools": [{"type": "function", "name": "shell", "description": "Runs.", "strict": False,
               "parameters": {"type": "object", "properties": {}}}],
    "tool_choice": "auto",
    "parallel_tool_calls": False,
    "reasoning": {"effort": "medium", "summary": "auto"},
    "store": False,
    "stream": True,
    "include": ["reasoning.encrypted_content"],
    "prompt_cache_key": "c0ffee",
    "client_metadata": {"x-codex-installation-id": "1"},
}  # fmt: skip


def test_codex_on_claude() -> None:
    crossing = crossed(CODEX, RESPONSES, MESSAGES, model="claude-opus-4-5")
    body = crossing.plan.call.body
    mark = {"cache_control": {"type": "ephemeral"}}
    assert body["system"] == [
        {"type": "text", "text": "You are Codex.", **mark},
        {"type": "text", "text": "Sandbox.", **mark},
    ]
    assert body["messages"] == [{"role": "user", "content": [{"type": "text", "text": "List the files.", **mark}]}]
    assert body["tools"][0] == {
        "name": "shell",
        "description": "Runs.",
        "strict": False,
        "input_schema": CODEX["tools"][0]["parameters"],
        **mark,
    }
    assert body["tool_choice"] == {"type": "auto", "disable_parallel_tool_use": True}
    assert body["max_tokens"] == 32_000
    assert body["thinking"] == {"type": "enabled", "budget_tokens": 8192, "display": "summarized"}
    assert body["stream"] is True
    assert not body.keys() & {"store", "include", "prompt_cache_key", "client_metadata", "reasoning"}
    assert [note["what"] for note in crossing.notes if not note.get("lossless")] == []


def test_codex_on_claude_reads_its_cache_in_the_next_turn() -> None:
    more = [
        {"type": "function_call", "call_id": "call_1", "name": "shell", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "call_1", "output": "a"},
    ]
    body = sent({**CODEX, "input": [*CODEX["input"], *more]}, RESPONSES, MESSAGES, model="claude-opus-4-5")
    assert body["messages"][-1]["content"][-1]["cache_control"] == {"type": "ephemeral"}


@pytest.mark.parametrize("policy", ["auto", "off"])
def test_marks_of_the_client_count_before_the_policy(policy: str) -> None:
    body = {"model": "m", "messages": [
        {"role": "system", "content": [
            {"type": "text", "text": "Long.", "cache_control": {"type": "ephemeral", "ttl": "1h"}}]},
        {"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hi"}, {"role": "user", "content": "Go on"},
    ]}  # fmt: skip
    found = sent(body, CHAT, MESSAGES, prompt_cache=policy)
    marked = {"type": "text", "text": "Long.", "cache_control": {"type": "ephemeral", "ttl": "1h"}}
    assert found["system"] == ([marked] if policy == "auto" else "Long.")
    assert "cache_control" not in str(found["messages"])


def test_clients_without_marks_get_those_of_the_policy() -> None:
    body = {"model": "m", "messages": [{"role": "system", "content": "Long."}, {"role": "user", "content": "Hi"}]}
    assert "cache_control" in str(sent(body, CHAT, MESSAGES, prompt_cache="auto"))
    assert "cache_control" not in str(sent(body, CHAT, MESSAGES))


# --- LiteLLM's page ---------------------------------------------------------------------------------------------------

PDF = "data:application/pdf;base64,JVBERi0xLjQK"


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": PDF},
        {"type": "image_url", "image_url": {"url": PDF}},
        {"type": "file", "file": {"file_data": PDF}},
    ],
)
def test_a_pdf_in_every_spelling(part: JsonObject) -> None:
    content = [{"type": "text", "text": "What is in it?"}, part]
    body = sent({"model": "m", "messages": [{"role": "user", "content": content}]}, CHAT, MESSAGES)
    source = {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0xLjQK"}
    assert body["messages"][0]["content"][1] == {"type": "document", "source": source}


def test_litellms_thinking_and_user() -> None:
    body = {
        "model": "m", "messages": [{"role": "user", "content": "Hi"}], "user": "anna", "max_tokens": 4000,
        "thinking": {"type": "enabled", "budget_tokens": 1024},
    }  # fmt: skip
    found = sent(body, CHAT, MESSAGES)
    assert found["thinking"] == {"type": "enabled", "budget_tokens": 1024}
    assert found["metadata"] == {"user_id": "anna"}
    assert (
        sent({**body, "max_tokens": None, "thinking": {"type": "enabled", "budget_tokens": 40_000}}, CHAT, MESSAGES)[
            "max_tokens"
        ]
        == 56_000
    )


def test_a_prefill_goes_to_claude_as_it_is() -> None:
    messages = [{"role": "user", "content": "Who won?"}, {"role": "assistant", "content": "Argentina"}]
    body = sent({"model": "m", "messages": messages}, CHAT, MESSAGES)
    assert body["messages"][-1] == {"role": "assistant", "content": [{"type": "text", "text": "Argentina"}]}


# --- parameters -------------------------------------------------------------------------------------------------------


def ask(client: WireName, **more: Any) -> JsonObject:
    key = "input" if client == RESPONSES else "messages"
    limit = {"max_tokens": 99} if client == MESSAGES else {}
    return {"model": "m", **limit, key: [{"role": "user", "content": "Hi"}], **more}


@pytest.mark.parametrize(
    "client, stream, most", [(CHAT, True, 32_000), (CHAT, False, 16_000), (RESPONSES, True, 32_000)]
)
def test_claude_gets_a_limit_that_is_sane(client: WireName, stream: bool, most: int) -> None:
    assert sent(ask(client, stream=stream), client, MESSAGES)["max_tokens"] == most
    assert sent(ask(client, stream=stream), client, MESSAGES, model="claude-3-haiku-20240307")["max_tokens"] == 4096


@pytest.mark.parametrize("client", [MESSAGES, CHAT])
def test_answers_are_not_stored_for_clients_that_never_asked(client: WireName) -> None:
    body = sent(ask(client), client, RESPONSES)
    assert (body["store"], body["include"]) == (False, ["reasoning.encrypted_content"])
    assert sent(ask(CHAT, store=True), CHAT, RESPONSES)["store"] is True


@pytest.mark.parametrize(
    "key, value",
    [("previous_response_id", "resp_1"), ("conversation", "conv_1"), ("background", True), ("prompt", {"id": "p_1"})],
)
@pytest.mark.parametrize("upstream", [MESSAGES, CHAT])
def test_what_stands_at_openai_is_refused_by_its_name(key: str, value: Any, upstream: WireName) -> None:
    with pytest.raises(NotCrossingError, match=key) as caught:
        crossed(ask(RESPONSES, **{key: value}), RESPONSES, upstream)
    assert caught.value.param == key


def test_an_item_reference_is_refused_elsewhere() -> None:
    items = [{"type": "item_reference", "id": "msg_1"}, {"role": "user", "content": "Hi"}]
    with pytest.raises(NotCrossingError, match="msg_1") as caught:
        crossed({"model": "m", "input": items}, RESPONSES, MESSAGES)
    assert caught.value.param == "input"


@pytest.mark.parametrize("upstream", [MESSAGES, CHAT])
def test_a_compaction_is_refused_elsewhere(upstream: WireName) -> None:
    """Codex waits for one `compaction` item, which only OpenAI writes; as text the model would read the item."""
    items = [{"role": "user", "content": "Hi"}, {"type": "compaction_trigger"}]
    with pytest.raises(NotCrossingError, match=r"compaction_trigger.*summary") as caught:
        crossed({"model": "m", "input": items}, RESPONSES, upstream)
    assert caught.value.param == "input"


def test_one_name_with_two_meanings_stays_with_its_owner() -> None:
    edits = {"edits": [{"type": "clear_tool_uses_20250919"}]}
    assert "context_management" not in sent(ask(MESSAGES, context_management=edits), MESSAGES, RESPONSES)
    compaction = [{"type": "compaction", "compact_threshold": 100_000}]
    assert "context_management" not in sent(ask(RESPONSES, context_management=compaction), RESPONSES, MESSAGES)


def test_several_answers_and_stops_are_done_by_the_gateway() -> None:
    plan = crossed(ask(CHAT, n=3, stop=["END"]), CHAT, RESPONSES).plan
    assert (plan.requests, plan.stops) == (3, ("END",))
    assert not plan.call.body.keys() & {"n", "stop"}
    claude = crossed(ask(CHAT, n=2, stop=["END", " "]), CHAT, MESSAGES).plan
    assert (claude.requests, claude.stops, claude.call.body["stop_sequences"]) == (2, (" ",), ["END"])
    assert crossed(ask(MESSAGES, stop_sequences=["END"]), MESSAGES, RESPONSES).plan.stops == ("END",)


def test_what_is_lost_is_an_error_where_that_is_asked_for() -> None:
    with pytest.raises(UnsupportedParameterError, match="seed"):
        crossed(ask(CHAT, seed=1), CHAT, MESSAGES, on_unsupported="raise")
    crossed(ask(CHAT, prompt_cache_key="k", store=False), CHAT, MESSAGES, on_unsupported="raise")


def test_an_unknown_key_of_a_body_is_not_sent_to_another_api() -> None:
    crossing = crossed(ask(MESSAGES, new_setting=1), MESSAGES, CHAT)
    assert "new_setting" not in crossing.plan.call.body
    assert "new_setting" in noted(crossing)
    assert sent(ask(MESSAGES, new_setting=1), MESSAGES, MESSAGES)["new_setting"] == 1


def test_instructions_are_the_system_prompt() -> None:
    body = sent(ask(RESPONSES, instructions="Be brief."), RESPONSES, CHAT)
    assert body["messages"][0] == {"role": "system", "content": "Be brief."}


# --- natives ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("upstream", [CHAT, RESPONSES])
def test_claudes_own_blocks_never_go_out_raw(upstream: WireName) -> None:
    content = [
        {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "Bern"}},
        {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [
            {"type": "web_search_result", "title": "Weather", "url": "https://a.b", "encrypted_content": "e"}]},
        {"type": "text", "text": "12 °C."},
    ]  # fmt: skip
    body = ask(MESSAGES)
    body["messages"] += [
        {"role": "assistant", "content": content},
        {"role": "user", "content": [{"type": "container_upload", "file_id": "f_1"}, {"type": "text", "text": "So?"}]},
    ]
    crossing = crossed(body, MESSAGES, upstream)
    text = str(crossing.plan.call.body)
    assert "12 °C." in text
    assert "https://a.b" in text
    assert not any(kind in text for kind in ("server_tool_use", "'web_search_tool_result'", "'container_upload'"))
    assert "the block 'container_upload'" in noted(crossing)


@pytest.mark.parametrize("upstream", [MESSAGES, CHAT])
def test_openais_own_items_never_go_out_raw(upstream: WireName) -> None:
    body = ask(RESPONSES)
    body["input"] += [
        {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "Bern"}},
        {"type": "local_shell_call", "id": "lsh_1", "call_id": "call_9", "status": "completed",
         "action": {"type": "exec", "command": ["ls"]}},
        {"type": "local_shell_call_output", "id": "call_9", "output": "a.txt"},
        {"type": "compaction", "id": "cmp_1", "encrypted_content": "gAAA"},
        {"role": "user", "content": "So?"},
    ]  # fmt: skip
    text = str(sent(body, RESPONSES, upstream))
    assert "a.txt" in text
    assert not any(kind in text for kind in ("'web_search_call'", "'local_shell_call'", "'compaction'", "gAAA"))

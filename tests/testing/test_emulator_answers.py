"""The answers of the emulator: the built-in assistant, and scripts."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import jsonschema
import pytest

from langchain_unified.request import OutputFormat, Params, Request, ToolChoice, ToolSpec, Turn
from langchain_unified.testing.emulation.assistant import answer
from langchain_unified.testing.emulation.faults import Fault
from langchain_unified.testing.emulation.script import AnswerSource, ScriptEndedError
from langchain_unified.testing.emulation.tokens import output_tokens
from langchain_unified.wires._completion import Completion

WEATHER = ToolSpec("get_weather", parameters={
    "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]})  # fmt: skip
TIME = ToolSpec("get_time", parameters={"type": "object", "properties": {}})
GRAMMAR = ToolSpec("write_sql", kind="custom")
SEARCH = ToolSpec("web_search", kind="native", definition={"type": "web_search_20260318"})
TOOLS = (WEATHER, TIME)


def user(content: str, *blocks: Any) -> Turn:
    return Turn("user", (*blocks, {"type": "text", "text": content}))


def ask(content: str, params: Params | None = None, **fields: Any) -> Completion:
    return answer(Request("m", (user(content),), params=params or {}, **fields))


def names(completion: Completion) -> list[str]:
    return [block["name"] for block in completion.blocks if block["type"] == "tool_call"]


def text(completion: Completion) -> str:
    return "".join(block["text"] for block in completion.blocks if block["type"] == "text")


def test_it_repeats_the_last_message():
    assert ask("good morning").blocks == ({"type": "text", "text": "You said: good morning"},)
    assert ask("good morning").finish_reason == "stop"


def test_the_same_request_gives_the_same_answer():
    assert ask("x", {"reasoning_effort": "low"}) == ask("x", {"reasoning_effort": "low"})


def test_it_names_the_blocks_of_a_message_without_text():
    image = {"type": "image", "url": "https://example.com/a.png"}
    assert text(answer(Request("m", (Turn("user", (image,)),)))) == "You sent: image"


@pytest.mark.parametrize(
    "content,called",
    [
        ("use get_weather for Paris", ["get_weather"]),
        ("please call get_time and then get_weather", ["get_time", "get_weather"]),
        ("what is get_weather?", []),
        ("use get_weather_now", []),
        ("hello", []),
    ],
)
def test_tools_are_called_by_name(content, called):
    completion = ask(content, tools=TOOLS)
    assert names(completion) == called
    assert completion.finish_reason == ("tool_calls" if called else "stop")


def test_arguments_satisfy_the_schema_and_come_from_the_text():
    assert ask("use get_weather for Paris", tools=TOOLS).blocks[0]["args"] == {"city": "Paris"}


@pytest.mark.parametrize(
    "choice,called",
    [
        (ToolChoice("any"), ["get_weather"]),
        (ToolChoice("tool", ("get_time",)), ["get_time"]),
        (ToolChoice("allowed", ("get_time",), required=True), ["get_time"]),
        (ToolChoice("allowed", ("get_time",)), []),
        (ToolChoice("none"), []),
        (ToolChoice("auto"), []),
    ],
)
def test_tool_choice(choice, called):
    assert names(ask("hello", tools=TOOLS, tool_choice=choice)) == called


def test_none_and_allowed_win_over_the_question():
    question = "use get_weather and get_time"
    assert names(ask(question, tools=TOOLS, tool_choice=ToolChoice("none"))) == []
    assert names(ask(question, tools=TOOLS, tool_choice=ToolChoice("allowed", ("get_time",)))) == ["get_time"]


def test_one_call_where_parallel_calls_are_off():
    assert names(ask("use get_weather and get_time", {"parallel_tool_calls": False}, tools=TOOLS)) == ["get_weather"]


def test_custom_tools_get_text_and_native_ones_are_not_called():
    completion = ask("call write_sql and web_search", tools=(GRAMMAR, SEARCH))
    assert [block["args"] for block in completion.blocks] == [{"__arg1": "call write_sql and web_search"}]


def conversation(*more: Turn) -> Request:
    called = answer(Request("m", (user("use get_weather for Paris"),), tools=TOOLS)).blocks
    turns = (user("use get_weather for Paris"), Turn("assistant", called))
    return Request("m", (*turns, *more), tools=TOOLS)


def test_after_results_it_quotes_them():
    result = Turn("tool", ({"type": "text", "text": "18 degrees"},), tool_call_id="call_000001")
    failed = Turn("tool", ({"type": "text", "text": "no such city"},), tool_call_id="other", is_error=True)
    completion = answer(conversation(result, failed))
    assert text(completion) == "get_weather answered: 18 degrees\nThe tool failed: no such city"
    assert names(completion) == []


def test_call_ids_are_unique_in_a_conversation():
    result = Turn("tool", ({"type": "text", "text": "18 degrees"},), tool_call_id="call_000001")
    again = answer(conversation(result, user("use get_time")))
    assert [block["id"] for block in again.blocks] == ["call_000002"]


SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}, "n": {"type": "integer"}},
          "required": ["city", "n"]}  # fmt: skip


def test_json_that_satisfies_a_schema():
    completion = ask("3 facts about Paris", output=OutputFormat("json_schema", SCHEMA))
    value = json.loads(text(completion))
    jsonschema.validate(value, SCHEMA)
    assert value == {"city": "Paris", "n": 3}


def test_json_mode():
    assert json.loads(text(ask("hi", output=OutputFormat("json_object")))) == {"answer": "hi"}


@pytest.mark.parametrize(
    "params,reasons",
    [
        ({}, False),
        ({"thinking": {"type": "enabled", "budget_tokens": 1024}}, True),
        ({"thinking": {"type": "adaptive"}}, True),
        ({"thinking": {"type": "disabled"}, "reasoning_effort": "high"}, False),
        ({"reasoning_effort": "low"}, True),
        ({"reasoning_effort": "none"}, False),
        ({"reasoning": {"effort": "medium"}}, True),
    ],
)
def test_it_reasons_when_asked_to(params, reasons):
    completion = ask("hi", params)
    assert [block["type"] for block in completion.blocks] == (["reasoning", "text"] if reasons else ["text"])
    if reasons:
        extras = completion.blocks[0]["extras"]
        assert extras["signature"]
        assert extras["encrypted_content"]


def test_documents_are_cited_where_citations_are_on():
    story = "The sky is blue. The grass is green."
    document = {"type": "text-plain", "text": story, "title": "Colours", "citations": {"enabled": True}}
    other = {"type": "text-plain", "text": "Nothing."}
    completion = answer(Request("m", (user("which colour has grass?", other, document),)))
    (citation,) = completion.blocks[1]["annotations"]
    assert citation["title"] == "Colours"
    place = citation["extras"]
    assert story[place["start_char_index"] : place["end_char_index"]] == citation["cited_text"]
    assert (citation["cited_text"].strip(), place["document_index"]) == ("The grass is green.", 1)


def test_stop_sequences():
    completion = ask("one STOP two", {"stop": ["two", "STOP"]})
    assert (text(completion), completion.finish_reason, completion.stop_sequence) == (
        "You said: one ",
        "stop",
        "STOP",
    )


@pytest.mark.parametrize("limit", [0, 1, 3, 5])
def test_max_tokens_cut_the_text(limit):
    completion = ask("a rather long sentence to repeat", {"max_tokens": limit})
    assert completion.finish_reason == "length"
    assert output_tokens(completion.blocks) == (limit, 0)


def test_max_tokens_cut_the_arguments_of_a_call():
    completion = ask("use get_weather for Paris", {"max_tokens": 4}, tools=TOOLS)
    assert completion.blocks == (
        {"type": "invalid_tool_call", "id": "call_000001", "name": "get_weather", "args": '{"cit'},
    )
    assert completion.finish_reason == "length"


def test_reasoning_counts_towards_max_tokens():
    completion = ask("hi", {"max_tokens": 4, "reasoning_effort": "low"})
    assert [block["type"] for block in completion.blocks] == ["reasoning"]
    assert output_tokens(completion.blocks) == (4, 4)


def test_answers_of_one_request_differ():
    request = Request("m", (user("hi"),), params={"n": 3})
    completions = AnswerSource().next(request)
    assert isinstance(completions, list)
    assert len({text(each) for each in completions}) == 3


# --- scripts ----------------------------------------------------------------------------------------------------------

HI = Request("m", (user("hi"),))


def next_of(answers: AnswerSource, request: Request = HI) -> Completion:
    completions = answers.next(request)
    assert isinstance(completions, list)
    return completions[0]


def test_a_list_answers_one_request_each():
    answers = AnswerSource(["one", {"content": "two"}])
    assert [text(next_of(answers)), answers.remaining, text(next_of(answers))] == ["one", 1, "two"]
    with pytest.raises(ScriptEndedError, match="all 2 answers are used"):
        answers.next(HI)


def test_a_dict_may_hold_everything():
    completion = next_of(AnswerSource([{
        "reasoning": "hm", "content": "let me see", "tool_calls": [{"name": "f", "args": {"a": 1}}, {"name": "g"}],
    }]))  # fmt: skip
    assert [block["type"] for block in completion.blocks] == ["reasoning", "text", "tool_call", "tool_call"]
    calls = [(block["id"], block["args"]) for block in completion.blocks[2:]]
    assert calls == [("call_000001", {"a": 1}), ("call_000002", {})]
    assert completion.finish_reason == "tool_calls"


def test_a_refusal():
    completion = next_of(AnswerSource([{"refusal": "no"}]))
    assert (completion.blocks, completion.finish_reason) == (({"type": "refusal", "refusal": "no"},), "refusal")


def test_a_completion_is_unchanged():
    scripted = Completion("id", "other", ({"type": "text", "text": "as it is"},), "content_filter")
    assert next_of(AnswerSource([scripted]), replace(HI, params={"max_tokens": 1})) == scripted


def test_texts_are_cut_to_the_limits():
    completion = next_of(AnswerSource(["a long answer"]), replace(HI, params={"max_tokens": 1}))
    assert (text(completion), completion.finish_reason) == ("a lo", "length")


def test_a_function_answers_every_request():
    answers = AnswerSource(lambda request: f"{request.model} {len(request.turns)}")
    assert [text(next_of(answers)) for _ in range(3)] == ["m 1"] * 3


def test_a_list_may_contain_functions_and_faults():
    answers = AnswerSource([lambda request: {"content": request.model}, Fault.overloaded()])
    assert text(next_of(answers)) == "m"
    assert answers.next(HI) == Fault.overloaded()


@pytest.mark.parametrize("item,message", [(3, "not int"), ({"text": "x"}, "has no key 'text'")])
def test_an_invalid_answer_is_an_error(item, message):
    with pytest.raises(TypeError, match=message):
        AnswerSource([item]).next(HI)

"""`explain_cache`: cache keys, servers, and what it takes as a call."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

from langchain_unified import ConfigurationError, explain_cache
from langchain_unified.request import Profile, Request, Turn
from langchain_unified.testing.emulation.server import Emulator
from tests.explain.helpers import claude, explained, gpt, tool, words


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
    assert (found.verdict, found.reusable_until) == ("hit_expected", "message 0 (user), block 0")
    other = explained(bound.check(first), bound.check(second, tools=[]))
    assert (other.cause, other.tool, other.change) == ("tools", "search", "removed")

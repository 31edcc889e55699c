"""The connections of a model: who shares them, when they are closed, and what a changed field means for them."""

from __future__ import annotations

import asyncio
import copy
import gc
import pickle
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.messages import AIMessage, SystemMessage

from langchain_unified import ChatAnthropic, ChatOpenAI, ChatUnified
from langchain_unified.transport import pools
from tests.support.replies import answer
from tests.support.server import Received, Reply, Server, serve

CLASSES = ("anthropic", "chat", "responses", "unified")


@pytest.fixture
def server() -> Iterator[Server]:
    with serve(answer) as running:
        yield running


@pytest.fixture(autouse=True)
def fresh_pools() -> None:
    """No connections of other tests."""
    gc.collect()
    for pool in pools._SYNC.values():
        pool.http.close()
    pools._SYNC.clear()


def build(name: str, server: Server, **kwargs: Any) -> Any:
    kwargs = {"api_key": "not-a-key", "max_retries": 0, **kwargs}
    if name == "anthropic":
        return ChatAnthropic(**{"model": "claude-sonnet-4-5", "base_url": server.url, **kwargs})
    if name == "unified":
        return ChatUnified(**{"model": "openai/gpt-4o", "base_url": server.url + "/v1", **kwargs})
    responses = name == "responses"
    return ChatOpenAI(**{"model": "gpt-4o", "base_url": server.url + "/v1", "use_responses_api": responses, **kwargs})


each = pytest.mark.parametrize("name", CLASSES)


def open_connections(server: Server) -> int:
    """The connections that the server still sees, given a moment to notice a close."""
    deadline = time.monotonic() + 2
    while server._open and time.monotonic() < deadline:
        time.sleep(0.01)
    return len(server._open)


# --- close ------------------------------------------------------------------------------------------------------------


@each
def test_close_closes_the_connections_and_a_later_call_connects_anew(name: str, server: Server) -> None:
    model = build(name, server)
    model.invoke("hi")
    list(model.stream("hi"))
    assert server.connections == 1
    model.close()
    assert open_connections(server) == 0
    assert model.invoke("hi").text == "hello"
    assert server.connections == 2
    model.close()
    assert open_connections(server) == 0


@each
async def test_aclose_closes_the_connections_of_the_running_loop(name: str, server: Server) -> None:
    model = build(name, server)
    await model.ainvoke("hi")
    assert [chunk async for chunk in model.astream("hi")]
    assert server.connections == 1
    await model.aclose()
    assert await asyncio.to_thread(open_connections, server) == 0
    assert (await model.ainvoke("hi")).text == "hello"
    assert server.connections == 2
    await model.aclose()
    assert await asyncio.to_thread(open_connections, server) == 0


def test_closing_a_model_that_made_no_call_is_nothing(server: Server) -> None:
    model = build("chat", server)
    model.close()
    asyncio.run(model.aclose())
    assert server.connections == 0


def test_models_with_equal_network_settings_share_the_pool(server: Server) -> None:
    first, second = build("anthropic", server), build("responses", server, temperature=0.5)
    first.invoke("hi")
    second.invoke("hi")
    assert server.connections == 1
    first.close()
    second.invoke("hi")
    assert server.connections == 1  # the second still uses them
    second.close()
    assert open_connections(server) == 0


def test_close_closes_the_connections_of_both_providers(server: Server) -> None:
    model = ChatUnified(
        "anthropic/claude-sonnet-4-5",
        anthropic_api_key="a-key",
        openai_api_key="o-key",
        anthropic_api_url=server.url,
        openai_api_base=server.url + "/v1",
        openai_proxy=server.url,  # a pool of its own
    )
    model.invoke("hi")
    model.invoke("hi", model="openai/gpt-4o")
    assert [request.headers["authorization"] for request in server.requests] == ["Bearer a-key", "Bearer o-key"]
    assert server.connections == 2
    model.close()
    assert open_connections(server) == 0


def test_close_closes_what_prewarm_has_opened(server: Server) -> None:
    model = build("anthropic", server, thinking={"type": "enabled", "budget_tokens": 2000})
    model.prewarm([SystemMessage("A long prompt.")])
    assert "thinking" not in server.requests[0].json
    assert server.connections == 1
    model.close()
    assert open_connections(server) == 0


def test_a_given_http_client_stays_open(server: Server) -> None:
    import httpx2

    with httpx2.Client() as http:
        model = build("chat", server, http_client=http)
        model.invoke("hi")
        model.close()
        assert not http.is_closed
        model.invoke("hi")
    assert server.connections == 1


# --- fields that change -----------------------------------------------------------------------------------------------


def test_the_transport_is_kept_until_a_field_of_it_changes(server: Server) -> None:
    model = build("chat", server)
    first = model._transport("openai")
    assert model._transport("openai") is first
    model.temperature = 0.5
    assert model._transport("openai") is first
    model.openai_api_key = "other-key"
    second = model._transport("openai")
    assert second is not first
    model.invoke("hi")
    assert server.requests[-1].headers["authorization"] == "Bearer other-key"


def test_a_changed_header_is_sent_also_where_the_dict_was_changed_in_place(server: Server) -> None:
    model = build("anthropic", server, default_headers={"x-team": "a"})
    model.invoke("hi")
    model.default_headers["x-team"] = "b"
    model.invoke("hi")
    model.default_headers = {"x-team": "c"}
    model.invoke("hi")
    assert [request.headers["x-team"] for request in server.requests] == ["a", "b", "c"]


@each
def test_every_field_can_be_assigned_after_a_call(name: str, server: Server) -> None:
    model = build(name, server)
    model.invoke("hi")
    with serve(answer) as other:
        setattr(model, "model_name" if name in ("chat", "responses") else "model", NEXT_MODEL[name])
        model.temperature = 0.25
        field = {"anthropic": "anthropic_api_url", "unified": "base_url"}.get(name, "openai_api_base")
        setattr(model, field, other.url + ("" if name == "anthropic" else "/v1"))
        model.invoke("hi")
        assert model._get_ls_params()["ls_model_name"] == NEXT_MODEL[name].split("/")[-1]
        (request,) = other.requests
    assert len(server.requests) == 1
    assert request.json["model"] == NEXT_MODEL[name].split("/")[-1]
    assert request.json["temperature"] == 0.25


NEXT_MODEL = {
    "anthropic": "claude-sonnet-4-6",
    "chat": "gpt-4.1",
    "responses": "gpt-4.1",
    "unified": "openai/gpt-4.1",
}


def test_a_registered_profile_counts_for_models_that_were_built_before(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    from langchain_unified import profiles

    monkeypatch.setattr(profiles, "_overrides", {})
    model = build("anthropic", server, model="claude-mine-1")
    model.invoke("hi")
    profiles.register_profile("claude-mine-1", max_output_tokens=777)
    try:
        model.invoke("hi")
    finally:
        profiles._overrides.clear()
        profiles.profile_for.cache_clear()
        profiles._model_profile.cache_clear()
    assert [request.json["max_tokens"] for request in server.requests] == [4096, 777]


def test_a_changed_proxy_gives_the_old_connections_back(server: Server) -> None:
    model = build("chat", server)
    model.invoke("hi")
    with serve(answer) as proxy:
        model.openai_proxy = proxy.url
        model.invoke("hi")
        assert len(proxy.requests) == 1
        assert open_connections(server) == 0
        model.close()


def test_a_call_that_is_under_way_ends_on_the_old_connections() -> None:
    begun, changed = threading.Event(), threading.Event()

    def slowly(request: Received) -> Reply:
        begun.set()
        assert changed.wait(5)
        return answer(request)

    found: list[AIMessage] = []
    with serve(slowly) as server, serve(answer) as proxy:
        model = build("chat", server)
        thread = threading.Thread(target=lambda: found.append(model.invoke("hi")))
        thread.start()
        assert begun.wait(5)
        model.openai_proxy = proxy.url
        model.invoke("hi")
        changed.set()
        thread.join(5)
        assert [message.text for message in found] == ["hello"]
        assert open_connections(server) == 0
        model.close()


def test_first_calls_in_many_threads_make_one_transport(server: Server) -> None:
    model, barrier, found = build("anthropic", server), threading.Barrier(8), []

    def run() -> None:
        barrier.wait()
        found.append(model._transport("anthropic"))

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert len(found) == 8
    model.invoke("hi")
    model.close()
    assert open_connections(server) == 0


# --- copies -----------------------------------------------------------------------------------------------------------


COPIES = {
    "model_copy": lambda model: model.model_copy(),
    "deep": lambda model: model.model_copy(deep=True),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": lambda model: pickle.loads(pickle.dumps(model)),
}


@pytest.mark.parametrize("way", COPIES)
def test_a_copy_has_a_transport_of_its_own_and_is_equal(
    way: str, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "not-a-key")  # a pickle holds no key
    model = ChatOpenAI(model="gpt-4o", base_url=server.url + "/v1", max_retries=0)
    model.invoke("hi")
    copied = COPIES[way](model)
    assert copied == model
    assert copied._state.transports == {}
    copied.invoke("hi")
    assert copied._transport("openai") is not model._transport("openai")
    copied.close()
    model.invoke("hi")
    assert server.connections == 1  # the copy has closed nothing of the model's


def test_a_copy_with_other_fields_sends_them_and_the_model_its_own(server: Server) -> None:
    model = build("anthropic", server)
    model.invoke("hi")
    copied = model.model_copy(update={"model": "claude-sonnet-4-6", "anthropic_api_key": "other"})
    copied.invoke("hi")
    model.invoke("hi")
    sent = [(request.json["model"], request.headers["authorization"]) for request in server.requests]
    own = ("claude-sonnet-4-5", "Bearer not-a-key")
    assert sent == [own, ("claude-sonnet-4-6", "Bearer other"), own]

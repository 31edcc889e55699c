"""A canary in every place that may hold a secret, looked for wherever a model or an error is written down."""

from __future__ import annotations

import copy
import logging
import pickle
import traceback
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.load import dumpd, dumps, loads
from langchain_core.messages import BaseMessage
from langchain_core.runnables import RunnableBinding, RunnableConfig

from langchain_unified import ChatAnthropic, ChatOpenAI, ChatUnified, UnifiedError, explain_cache
from tests.support.replies import answer
from tests.support.server import Reply, serve

CANARY = "canary-8c1f2e"

MODELS: dict[str, Any] = {
    "anthropic": (
        ChatAnthropic,
        {
            "model": "claude-sonnet-4-5",
            "mcp_servers": [
                {
                    "type": "url",
                    "name": "m",
                    "url": f"https://u:{CANARY}@m.example/sse?apikey={CANARY}",
                    "authorization_token": CANARY,
                }
            ],
        },
        "anthropic_proxy",
    ),
    "openai": (ChatOpenAI, {"model": "gpt-4o"}, "openai_proxy"),
    "unified": (ChatUnified, {"model": "anthropic/claude-sonnet-4-5", "openai_api_key": CANARY}, "openai_proxy"),
}


MCP = {
    "type": "mcp",
    "server_label": "x",
    "server_url": f"https://x.example/mcp?k={CANARY}",
    "authorization": CANARY,
    "headers": {"x-mcp": CANARY},
    "require_approval": "never",
}
SCHEMA = {"title": "t", "type": "object", "properties": {}}
OF_A_CALL: dict[str, Any] = {
    "api_key": CANARY,
    "extra_headers": {"x-call": CANARY},
    "extra_query": {"sig": CANARY},
}


def model_of(name: str, **kwargs: Any) -> Any:
    cls, own, proxy = MODELS[name]
    secrets = {
        "api_key": CANARY,
        "default_headers": {"authorization": f"Bearer {CANARY}", "x-team-token": CANARY},
        "default_query": {"token": CANARY},
        "model_kwargs": {"extra_headers": {"x-other": CANARY}},
    }
    return cls(**{**own, **secrets, proxy: None, **kwargs})


@pytest.mark.parametrize("name", MODELS)
def test_no_secret_where_a_model_is_written_down(name: str) -> None:
    proxy = MODELS[name][2]
    model = model_of(name, **{proxy: f"http://user:{CANARY}@proxy.example"})
    bound = model.bind_tools([MCP]).bind(**OF_A_CALL)
    written = {
        "repr": repr(model),
        "str": str(model),
        "dumpd": str(dumpd(model)),
        "dumps": dumps(model),
        "identifying": str(model._identifying_params),
        "invocation": str(model._get_invocation_params(stop=None, **bound.kwargs)),
        "asdict": str(model.asdict()),
        "bound": repr(bound),
        "bound dumpd": str(dumpd(bound)),
        "bound dumps": dumps(bound),
        "structured dumpd": str(dumpd(bound.with_structured_output(SCHEMA))),
        "check": str(bound.check("hi")) + repr(bound.check("hi")),
        "explanation": repr(explain_cache(bound.check("hi"), bound.check("hi"))),
        "copy": repr(copy.deepcopy(model)),
        "llm cache key": model._get_llm_string(api_key=CANARY),
    }
    assert [place for place, text in written.items() if CANARY in text] == []


@pytest.mark.parametrize("name", MODELS)
def test_no_key_in_a_pickle(name: str) -> None:
    cls, own, _ = MODELS[name]
    own = {key: value for key, value in own.items() if key != "mcp_servers"}
    model = cls(**{**own, "api_key": CANARY})
    assert CANARY.encode() not in pickle.dumps(model)
    assert CANARY.encode() not in pickle.dumps(model.bind(api_key=CANARY))


@pytest.mark.parametrize("name", MODELS)
def test_a_loaded_binding_has_no_secret_and_the_rest(name: str) -> None:
    written = dumps(model_of(name).bind_tools([MCP]).bind(temperature=0.5, **OF_A_CALL))
    loaded = loads(written, valid_namespaces=["langchain_unified"], allowed_objects=[MODELS[name][0], RunnableBinding])
    assert loaded.kwargs["temperature"] == 0.5
    assert loaded.kwargs.keys() == {"tools", "temperature"}
    assert loaded.kwargs["tools"][0]["server_label"] == "x"


def test_an_organization_counts_as_a_secret() -> None:
    model = ChatOpenAI(model="gpt-4o", api_key="k", organization=CANARY)
    assert CANARY not in repr(model) + str(dumpd(model))


class Everything(BaseCallbackHandler):
    """A tracer that collects the texts of all events."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def on_chat_model_start(self, serialized: Any, messages: list[list[BaseMessage]], **kwargs: Any) -> None:
        self.texts.append(repr((serialized, messages, kwargs)))

    def on_llm_end(self, response: Any, **kwargs: Any) -> None:
        self.texts.append(repr((response, kwargs)))

    def on_llm_error(self, error: BaseException, **kwargs: Any) -> None:
        self.texts.append(repr((error, kwargs)))


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("status", [200, 401, 404, 500])
def test_no_secret_in_traces_logs_and_errors(
    name: str, status: int, streamed: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    # Proxies quote the key that they refuse, and addresses with their query.
    message = f"Received API Key = {CANARY} at /v1?token={CANARY}"
    error = {"type": "error", "error": {"type": "authentication_error", "code": "invalid_api_key", "message": message}}
    with serve(lambda r: answer(r) if status == 200 else Reply.json(error, status)) as server:
        host = server.url.removeprefix("http://") + ("/v1" if name == "openai" else "")
        address = f"http://user:{CANARY}@{host}?api-version=1&code={CANARY}"
        model, tracer = model_of(name, base_url=address, max_retries=0), Everything()
        bound = model.bind(**OF_A_CALL)
        assert CANARY not in repr(model) + str(dumpd(model))
        config: RunnableConfig = {"callbacks": [tracer]}
        try:
            text = repr(list(bound.stream("hi", config)) if streamed else bound.invoke("hi", config))
        except UnifiedError as exc:
            text = "".join(traceback.format_exception(exc)) + repr(exc) + str(vars(exc)) + str(pickle.dumps(exc))
        assert len(tracer.texts) == 2
    assert CANARY in str(server.requests[0].headers)
    assert list(server.requests[0].query.values()).count(CANARY) == 3
    assert "api-version=1" in caplog.text
    assert CANARY not in text
    assert CANARY not in "".join(tracer.texts)
    assert CANARY not in caplog.text

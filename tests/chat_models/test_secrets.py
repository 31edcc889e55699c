"""A canary in every place that may hold a secret, looked for wherever a model or an error is written down."""

from __future__ import annotations

import copy
import logging
import pickle
import traceback
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.load import dumpd, dumps
from langchain_core.messages import BaseMessage

from langchain_unified import ChatAnthropic, ChatOpenAI, ChatUnified, UnifiedError
from tests.support.replies import answer
from tests.support.server import Reply, serve

CANARY = "canary-8c1f2e"

MODELS: dict[str, Any] = {
    "anthropic": (
        ChatAnthropic,
        {
            "model": "claude-sonnet-4-5",
            "mcp_servers": [{"type": "url", "name": "m", "url": "https://m.example", "authorization_token": CANARY}],
        },
        "anthropic_proxy",
    ),
    "openai": (ChatOpenAI, {"model": "gpt-4o"}, "openai_proxy"),
    "unified": (ChatUnified, {"model": "anthropic/claude-sonnet-4-5", "openai_api_key": CANARY}, "openai_proxy"),
}


def model_of(name: str, **kwargs: Any) -> Any:
    cls, own, proxy = MODELS[name]
    secrets = {
        "api_key": CANARY,
        "default_headers": {"authorization": f"Bearer {CANARY}", "x-team-token": CANARY},
        "model_kwargs": {"extra_headers": {"x-other": CANARY}},
    }
    return cls(**{**own, **secrets, proxy: None, **kwargs})


@pytest.mark.parametrize("name", MODELS)
def test_no_secret_where_a_model_is_written_down(name: str) -> None:
    proxy = MODELS[name][2]
    model = model_of(name, **{proxy: f"http://user:{CANARY}@proxy.example"})
    bound = model.bind_tools([{"type": "mcp", "server_label": "x", "server_url": "https://x", "authorization": CANARY}])
    written = {
        "repr": repr(model),
        "str": str(model),
        "dumpd": str(dumpd(model)),
        "dumps": dumps(model),
        "identifying": str(model._identifying_params),
        "invocation": str(model._get_invocation_params(stop=None, **bound.kwargs)),
        "asdict": str(model.asdict()),
        "bound": repr(bound),
        "copy": repr(copy.deepcopy(model)),
        "llm cache key": model._get_llm_string(api_key=CANARY),
    }
    assert [place for place, text in written.items() if CANARY in text] == []


@pytest.mark.parametrize("name", MODELS)
def test_no_key_in_a_pickle(name: str) -> None:
    cls, own, _ = MODELS[name]
    own = {key: value for key, value in own.items() if key != "mcp_servers"}
    assert CANARY.encode() not in pickle.dumps(cls(**{**own, "api_key": CANARY}))


class Everything(BaseCallbackHandler):
    """A tracer that keeps all that it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def on_chat_model_start(self, serialized: Any, messages: list[list[BaseMessage]], **kwargs: Any) -> None:
        self.told.append(repr((serialized, messages, kwargs)))

    def on_llm_end(self, response: Any, **kwargs: Any) -> None:
        self.told.append(repr((response, kwargs)))

    def on_llm_error(self, error: BaseException, **kwargs: Any) -> None:
        self.told.append(repr((error, kwargs)))


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("status", [200, 401, 500])
def test_no_secret_in_traces_logs_and_errors(name: str, status: int, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    error = {"type": "error", "error": {"type": "authentication_error", "code": "invalid_api_key", "message": "no"}}
    with serve(lambda r: answer(r) if status == 200 else Reply.json(error, status)) as server:
        url = server.url + ("/v1" if name == "openai" else "")
        model, tracer = model_of(name, base_url=url, max_retries=0), Everything()
        try:
            text = repr(model.invoke("hi", config={"callbacks": [tracer]}, api_key=CANARY))
        except UnifiedError as exc:
            text = "".join(traceback.format_exception(exc)) + repr(exc) + str(vars(exc)) + str(pickle.dumps(exc))
        assert len(tracer.told) == 2
    assert CANARY in str(server.requests[0].headers)
    assert CANARY not in text
    assert CANARY not in "".join(tracer.told)
    assert CANARY not in caplog.text

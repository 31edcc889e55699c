"""User name, password and query of a base URL: sent with each request, shown nowhere."""

from __future__ import annotations

import base64
import logging

import pytest

from langchain_unified import ChatAnthropic, ChatOpenAI
from langchain_unified.transport._logs import hide_parameters
from tests.support.replies import answer
from tests.support.server import serve


@pytest.mark.parametrize(
    "cls, model, path",
    [(ChatOpenAI, "gpt-4o", "/v1"), (ChatAnthropic, "claude-opus-5", "")],
    ids=["openai", "anthropic"],
)
def test_a_base_url_with_password_and_query(cls: type, model: str, path: str) -> None:
    with serve(answer) as server:
        host = server.url.removeprefix("http://")
        url = f"http://jo:p%40ss@{host}{path}?api-version=2026-10-01&deployment=a%20b"
        cls(model=model, base_url=url, api_key="k", default_query={"x": "1"}).invoke("hi")
    request = server.requests[0]
    assert request.path in {"/v1/chat/completions", "/v1/messages"}
    assert request.query == {"api-version": "2026-10-01", "deployment": "a b", "x": "1"}
    assert request.headers["authorization"] == "Basic " + base64.b64encode(b"jo:p@ss").decode()


def test_the_log_of_another_user_of_the_http_client_stays(caplog: pytest.LogCaptureFixture) -> None:
    with serve(answer) as server:
        ChatOpenAI(model="gpt-4o", base_url=server.url + "/v1", api_key="k").invoke("hi")
    caplog.set_level(logging.INFO)
    hide_parameters({"sig", "api-version"})
    logging.getLogger("httpx2").info("HTTP Request: %s %s", "GET", "https://u:p@a.example/b?page=2&sig=s&api-version=1")
    logging.getLogger("httpx2").info("100 %")
    logging.getLogger("httpx2").info("%s of %d", "no address", 3)
    assert [record.getMessage() for record in caplog.records if record.name == "httpx2"] == [
        "HTTP Request: GET https://a.example/b?page=2&sig=**********&api-version=1",
        "100 %",
        "no address of 3",
    ]

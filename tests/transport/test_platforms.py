"""Ready SDK clients of other platforms: they rewrite the path and the body, each in its way."""

from __future__ import annotations

import asyncio

import anthropic
import openai
import pytest
from pydantic import SecretStr

from langchain_unified import errors
from langchain_unified.transport import Transport, TransportConfig
from tests.support.server import Reply, serve
from tests.transport.faces import call
from tests.transport.test_sse import aws_chunk, aws_message

OK = {"ok": 1}


def ready(provider, client, async_client, **options):
    return Transport(TransportConfig(provider=provider, client=client, async_client=async_client, **options))


def both(cls, async_cls, **arguments):
    try:
        return cls(**arguments), async_cls(**arguments)
    except ImportError as missing:
        pytest.skip(f"{cls.__name__} needs an extra package: {missing}")


def answer(request):
    return Reply.sse([{"choices": []}], done=True) if (request.json or {}).get("stream") else Reply.json(OK)


def azure(server, **more):
    return both(
        openai.AzureOpenAI,
        openai.AsyncAzureOpenAI,
        azure_endpoint=server.url,
        api_version="2026-01-01",
        api_key="azure-key",
        max_retries=0,
        **more,
    )


def test_azure_puts_the_model_into_the_path(face):
    with serve(answer) as server:
        asked = call("openai", body={"model": "my-gpt"})
        assert face.send(ready("openai", *azure(server)), asked).data == OK
        assert face.stream(ready("openai", *azure(server)), asked).events == [{"choices": []}]
    for request in server.requests:
        assert request.path == "/openai/deployments/my-gpt/chat/completions"
        assert request.query == {"api-version": "2026-01-01"}
        assert request.headers["api-key"] == "azure-key"
    assert server.requests[0].json == {"model": "my-gpt"}


def test_azure_takes_a_key_per_call(face):
    with serve(answer) as server:
        face.send(ready("openai", *azure(server)), call("openai", api_key=SecretStr("tenant")))
    assert server.requests[0].headers["api-key"] == "tenant"


def test_azure_errors_are_ours(face):
    body = {"error": {"code": "DeploymentNotFound", "message": "no such deployment"}}
    with (
        serve(lambda _: Reply.json(body, 404, {"apim-request-id": "az_1"})) as server,
        pytest.raises(errors.NotFoundError) as caught,
    ):
        face.send(ready("openai", *azure(server)), call("openai"))
    assert isinstance(caught.value, openai.NotFoundError)
    address = f"{server.url}/openai/deployments/m/chat/completions"
    assert str(caught.value) == (
        f"openai 404 DeploymentNotFound: no such deployment. The call went to {address}. Check the model's name and "
        "whether this key may use it, then base_url (request id az_1)"
    )


def bedrock(server):
    return both(
        anthropic.AnthropicBedrock,
        anthropic.AsyncAnthropicBedrock,
        api_key="bedrock-key",
        aws_region="us-east-1",
        base_url=server.url,
        max_retries=0,
    )


def test_bedrock_puts_the_model_into_the_path(face):
    with serve(lambda _: Reply.json(OK)) as server:
        body = {"model": "anthropic.claude-x", "messages": []}
        assert face.send(ready("anthropic", *bedrock(server)), call("anthropic", body=body)).data == OK
    (request,) = server.requests
    assert request.path == "/model/anthropic.claude-x/invoke"
    assert "model" not in request.json
    assert request.json["anthropic_version"]
    assert request.headers["authorization"] == "Bearer bedrock-key"
    assert body == {"model": "anthropic.claude-x", "messages": []}


def test_bedrock_streams_in_amazons_framing(face):
    events = [{"type": "message_start"}, {"type": "ping"}, {"type": "message_stop"}]
    reply = Reply(200, {"content-type": "application/vnd.amazon.eventstream"}, [aws_chunk(event) for event in events])
    with serve(lambda _: reply) as server:
        got = face.stream(ready("anthropic", *bedrock(server)), call("anthropic"))
    assert (got.events, got.error) == ([events[0], events[2]], None)
    assert server.requests[0].path == "/model/m/invoke-with-response-stream"
    assert "stream" not in server.requests[0].json


def test_bedrock_exceptions_in_a_stream_are_classified(face):
    thrown = {":message-type": "exception", ":exception-type": "throttlingException"}
    pieces = [aws_chunk({"type": "message_start"}), aws_message(thrown, b'{"message": "Too many tokens"}')]
    with serve(lambda _: Reply(200, {"content-type": "application/vnd.amazon.eventstream"}, pieces)) as server:
        got = face.stream(ready("anthropic", *bedrock(server)), call("anthropic"))
    assert got.events == [{"type": "message_start"}]
    assert isinstance(got.error, errors.RateLimitError)
    assert str(got.error) == "anthropic 200 throttlingException: Too many tokens"


def test_what_a_platform_cannot_do_is_a_configuration_error(face):
    with (
        serve(lambda _: Reply.json(OK)) as server,
        pytest.raises(errors.ConfigurationError, match="not supported in Bedrock") as caught,
    ):
        face.send(ready("anthropic", *bedrock(server)), call("anthropic", path="/v1/messages/count_tokens"))
    assert isinstance(caught.value, anthropic.AnthropicError)


def vertex(server):
    return both(
        anthropic.AnthropicVertex,
        anthropic.AsyncAnthropicVertex,
        region="global",
        project_id="p1",
        access_token="vertex-token",
        base_url=server.url,
        max_retries=0,
    )


def test_vertex_puts_project_and_model_into_the_path(face):
    def handler(request):
        return Reply.sse([{"type": "message_stop"}]) if request.json.get("stream") else Reply.json(OK)

    with serve(handler) as server:
        asked = call("anthropic", body={"model": "claude-x"})
        assert face.send(ready("anthropic", *vertex(server)), asked).data == OK
        assert face.stream(ready("anthropic", *vertex(server)), asked).events == [{"type": "message_stop"}]
    paths = [request.path for request in server.requests]
    where = "/projects/p1/locations/global/publishers/anthropic/models/claude-x"
    assert paths == [f"{where}:rawPredict", f"{where}:streamRawPredict"]
    assert server.requests[0].headers["authorization"] == "Bearer vertex-token"


def test_vertex_takes_no_key_per_call(face):
    with (
        serve(lambda _: Reply.json(OK)) as server,
        pytest.raises(errors.ConfigurationError, match="takes no API key per call"),
    ):
        face.send(ready("anthropic", *vertex(server)), call("anthropic", api_key=SecretStr("tenant")))
    assert server.requests == []


def test_foundry(face):
    with serve(lambda _: Reply.json(OK)) as server:
        clients = both(
            anthropic.AnthropicFoundry,
            anthropic.AsyncAnthropicFoundry,
            api_key="foundry-key",
            base_url=server.url,
            max_retries=0,
        )
        assert face.send(ready("anthropic", *clients), call("anthropic")).data == OK
    assert server.requests[0].path == "/v1/messages"
    assert "foundry-key" in str(server.requests[0].headers)


def test_a_plain_sdk_client_keeps_its_own_settings(face):
    arguments = {"api_key": "mine", "max_retries": 1, "timeout": 11.0}
    with serve(lambda _: Reply.json({"error": {"message": "x"}}, 503, {"retry-after-ms": "5"})) as server:
        clients = both(openai.OpenAI, openai.AsyncOpenAI, base_url=server.url, **arguments)
        with pytest.raises(errors.ServerError):
            face.send(ready("openai", *clients), call("openai"))
    assert len(server.requests) == 2
    assert server.requests[0].headers["x-stainless-read-timeout"] == "11.0"
    assert server.requests[0].headers["authorization"] == "Bearer mine"


def test_a_client_of_one_kind_is_not_replaced_by_another():
    with serve(lambda _: Reply.json(OK)) as server:
        client, async_client = azure(server)
        with pytest.raises(errors.ConfigurationError, match=r"given async_client only\. Pass client as well for sync"):
            ready("openai", None, async_client).send(call("openai"))
        with pytest.raises(errors.ConfigurationError, match=r"given client only\. Pass async_client as well for async"):
            asyncio.run(ready("openai", client, None).asend(call("openai")))

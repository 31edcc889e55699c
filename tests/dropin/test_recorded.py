"""Recorded requests and answers of all three APIs: the partner package and this one send and read the same.

The calls are made from the recorded bodies. What the answer lists in `adjustments` may differ as well as the rows of
`docs/differences.md`.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from langchain_core.messages import AIMessage, message_chunk_to_message

from tests.dropin.helpers import OURS, PARTNERS, without_differences
from tests.dropin.programs import added
from tests.dropin.recorded import call_of
from tests.support.corpus import WIRE_OF, exchanges, label, needs_corpus
from tests.support.server import Received, Reply, Server, serve, split

pytestmark = [needs_corpus, pytest.mark.filterwarnings("ignore")]

API_OF = {"anthropic.messages": "anthropic", "openai.chat": "chat", "openai.responses": "responses"}
RECORDED = {
    exchange["id"]: exchange
    for endpoint in WIRE_OF
    for exchange in exchanges(endpoint)
    if exchange["response"]["status"] == 200
}
each_recording = pytest.mark.parametrize("exchange", [pytest.param(e, id=label(e)) for e in RECORDED.values()])
VERSIONS = {"anthropic.messages": [None, "v1"], "openai.chat": [None, "v1"],
            "openai.responses": [None, "v0", "responses/v1", "v1"]}  # fmt: skip
LOSES_ITEMS = ("4135b0974b56548d",)
ANSWERS = [
    pytest.param(exchange, version, id=f"{label(exchange)}-{version}")
    for exchange in RECORDED.values()
    for version in VERSIONS[exchange["endpoint"]]
]


def play(request: Received) -> Reply:
    response = RECORDED[request.headers["x-exchange"]]["response"]
    if response["sse"] is None:
        return Reply(200, {"content-type": "application/json"}, json.dumps(response["body"]).encode())
    return Reply(200, {"content-type": "text/event-stream"}, split(response["sse"].encode(), 10_000))


@pytest.fixture(scope="module")
def recordings() -> Iterator[Server]:
    with serve(play) as running:
        yield running


def answered(classes: Mapping[str, Any], exchange: dict[str, Any], server: Server, **fields: Any) -> Any:
    """The answer, as a whole message also where it was streamed."""
    api = API_OF[exchange["endpoint"]]
    fields = {"use_responses_api": True, **fields} if api == "responses" else fields
    model = classes[api](
        model=exchange["request"]["body"]["model"],
        base_url=server.url + ("" if api == "anthropic" else "/v1"),
        api_key="any",
        max_retries=0,
        default_headers={"x-exchange": exchange["id"]},
        **fields,
    )
    messages, keywords = call_of(exchange["endpoint"], exchange["request"]["body"])
    bound = model.bind(**keywords)
    if exchange["response"]["sse"] is None:
        return bound.invoke(messages)
    return message_chunk_to_message(added(bound.stream(messages)))


@each_recording
def test_a_recorded_request_is_sent_the_same(exchange: dict[str, Any], recordings: Server) -> None:
    sent: list[Any] = []
    for classes in (PARTNERS, OURS):
        before = len(recordings.requests)
        try:
            message = answered(classes, exchange, recordings)
        except Exception:  # noqa: BLE001 - of any class, in the partner package
            if classes is OURS or len(recordings.requests) == before:
                break
        sent.append(copy.deepcopy(recordings.requests[before].json))
    else:
        adjusted = {item["what"].split(" ")[0] for item in message.response_metadata.get("adjustments", ())}
        ours, theirs = without_differences(sent[1:])[0], without_differences(sent[:1])[0]
        differing = {key for key in ours.keys() | theirs.keys() if ours.get(key) != theirs.get(key)}
        for key in differing - adjusted:
            assert (key, ours.get(key)) == (key, theirs.get(key))
        return
    if classes is PARTNERS:
        pytest.skip("the partner package does not send it")
    raise AssertionError


@pytest.mark.parametrize("exchange, version", ANSWERS)
def test_a_recorded_answer_reads_the_same(exchange: dict[str, Any], version: str | None, recordings: Server) -> None:
    fields = {} if version is None else {"output_version": version}
    try:
        theirs = answered(PARTNERS, exchange, recordings, **fields)
    except Exception:  # noqa: BLE001 - of any class, in the partner package
        pytest.skip("the partner package does not send or read it")
    if exchange["id"] in LOSES_ITEMS:
        pytest.skip("langchain-openai merges items that the server moves to another place")
    ours = answered(OURS, exchange, recordings, **fields)
    assert read(ours) == read(theirs)


def read(message: AIMessage) -> dict[str, Any]:
    """What a program reads of an answer."""
    calls = [[(call["name"], call["args"], call["id"]) for call in found] for found in calls_of(message)]
    kwargs = {key: value for key, value in message.additional_kwargs.items() if key != "raw_arguments"}
    content = [{"type": "text", "text": message.content}] if isinstance(message.content, str) else message.content
    content = [plain({"type": "text", "text": block} if isinstance(block, str) else block) for block in content]
    content = [block for block in content if block.get("text") != ""]
    return {"text": str(message.text), "content": content, "calls": calls, "kwargs": plain(kwargs)}


def calls_of(message: AIMessage) -> tuple[Any, Any]:
    return message.tool_calls, message.invalid_tool_calls


def plain(value: Any) -> Any:
    """A block without what only one of the packages keeps: see the row on texts of the Responses API."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    only_here = EXTRA_KEYS.get(value.get("type", ""), ())
    found = {key: plain(item) for key, item in value.items() if key not in only_here and item is not None}
    return {key: item for key, item in found.items() if (key, item) not in EMPTY}


EMPTY = (("annotations", []), ("extras", {}), ("partial_json", ""))
EXTRA_KEYS: Mapping[str, tuple[str, ...]] = {
    "text": ("status", "logprobs", "id", "index", "phase"),
    "refusal": ("status", "id", "index", "phase"),
    "function_call": ("status",),
}

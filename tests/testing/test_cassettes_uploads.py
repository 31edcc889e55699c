"""Cassettes of uploads: the parts are compared, and not the boundary that each client makes anew."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import anthropic
import httpx2
import openai
import pytest
import yaml

from langchain_unified.testing import CassetteError, CassetteMissError, emulator, use_cassette
from langchain_unified.testing._multipart import CONTENT_TYPE, body_of, parts_of
from tests.testing.cassette_traffic import KEY

DEAD = "http://127.0.0.1:9"


def line(custom_id: str, text: str = "hi") -> dict[str, Any]:
    body = {"model": "gpt-5-mini", "messages": [{"role": "user", "content": text}]}
    return {"custom_id": custom_id, "method": "POST", "url": "/v1/chat/completions", "body": body}


def jsonl(*lines: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(each).encode() + b"\n" for each in lines)


def a_whole_batch(url: str, data: bytes) -> str:
    sdk = openai.OpenAI(api_key="any", base_url=f"{url}/v1", max_retries=0)
    uploaded = sdk.files.create(file=("in.jsonl", data), purpose="batch")
    made = sdk.batches.create(input_file_id=uploaded.id, endpoint="/v1/chat/completions", completion_window="24h")
    done = sdk.batches.retrieve(made.id)
    return sdk.files.content(done.output_file_id or "").text


def test_a_batch_of_openai_replays(tmp_path: Path) -> None:
    data = jsonl(line("a"), line("b", "Grüße\r\nund mehr"))
    with emulator() as server, use_cassette(tmp_path / "batch.yaml", record="once"):
        recorded = a_whole_batch(server.url, data)
    with use_cassette(tmp_path / "batch.yaml", unused="fail"):
        assert a_whole_batch(DEAD, data) == recorded
    upload = yaml.safe_load((tmp_path / "batch.yaml").read_text())["interactions"][0]["request"]
    file, purpose = upload["parts"]
    assert purpose == {"content-disposition": 'form-data; name="purpose"', "text": "batch"}
    assert file["content-disposition"] == 'form-data; name="file"; filename="in.jsonl"'
    assert file["text"] == data.decode()


async def test_an_async_upload_replays(tmp_path: Path) -> None:
    async def upload(url: str) -> str:
        async with openai.AsyncOpenAI(api_key="any", base_url=f"{url}/v1", max_retries=0) as sdk:
            return (await sdk.files.create(file=("in.jsonl", jsonl(line("a"))), purpose="batch")).id

    async with emulator() as server:
        with use_cassette(tmp_path / "upload.yaml", record="once"):
            recorded = await upload(server.url)
    with use_cassette(tmp_path / "upload.yaml", unused="fail"):
        assert await upload(DEAD) == recorded


def test_a_batch_of_anthropic_replays(tmp_path: Path) -> None:
    params: Any = {"model": "claude-sonnet-5", "max_tokens": 10, "messages": [{"role": "user", "content": "hi"}]}

    def run(url: str) -> dict[str, Any]:
        sdk = anthropic.Anthropic(api_key="any", base_url=url, max_retries=0)
        made = sdk.messages.batches.create(requests=[{"custom_id": name, "params": params} for name in ("a", "b")])
        sdk.messages.batches.retrieve(made.id)
        # Not `results`, which follows the address of the server that was recorded.
        answer = httpx2.get(f"{url}/v1/messages/batches/{made.id}/results", headers={"x-api-key": "any"})
        return {each["custom_id"]: each for each in map(json.loads, answer.text.splitlines())}

    with emulator() as server, use_cassette(tmp_path / "batch.yaml", record="once"):
        recorded = run(server.url)
    with use_cassette(tmp_path / "batch.yaml", unused="fail"):
        assert run(DEAD) == recorded
    assert sorted(recorded) == ["a", "b"]


def test_another_file_is_a_miss_that_names_the_difference(tmp_path: Path) -> None:
    with emulator() as server, use_cassette(tmp_path / "batch.yaml", record="once"):
        a_whole_batch(server.url, jsonl(line("a"), line("b")))
    with use_cassette(tmp_path / "batch.yaml"), pytest.raises(CassetteMissError) as miss:
        a_whole_batch(DEAD, jsonl(line("a"), line("b", "bye")))
    assert "file[1].body.messages[0].content: 'bye' != 'hi'" in str(miss.value)


def test_binary_files_keep_their_bytes(tmp_path: Path) -> None:
    data = bytes(range(256)) + b"\r\n\r\n--x\r\n"

    def upload(url: str, content: bytes) -> int:
        sdk = openai.OpenAI(api_key="any", base_url=f"{url}/v1", max_retries=0)
        return sdk.files.create(file=("a.bin", content), purpose="user_data").bytes

    with emulator() as server, use_cassette(tmp_path / "file.yaml", record="once"):
        assert upload(server.url, data) == len(data)
    with use_cassette(tmp_path / "file.yaml"):
        assert upload(DEAD, data) == len(data)
    with use_cassette(tmp_path / "file.yaml"), pytest.raises(CassetteMissError):
        upload(DEAD, data[:-1])


def test_secrets_in_the_lines_of_a_file_are_removed_or_refused(tmp_path: Path) -> None:
    mcp = {**line("a"), "authorization_token": "hidden-token"}
    with emulator() as server, use_cassette(tmp_path / "a.yaml", record="once"):
        sdk = openai.OpenAI(api_key="any", base_url=server.openai_url, max_retries=0)
        sdk.files.create(file=("in.jsonl", jsonl(line("b"), mcp)), purpose="batch")
    text = (tmp_path / "a.yaml").read_text()
    assert "hidden-token" not in text
    assert "[removed]" in text

    def leak() -> None:
        with emulator() as server, use_cassette(tmp_path / "b.yaml", record="once"):
            sdk = openai.OpenAI(api_key="any", base_url=server.openai_url, max_retries=0)
            sdk.files.create(file=("in.jsonl", jsonl(line("a", KEY))), purpose="batch")

    with pytest.raises(CassetteError, match="was not written"):
        leak()


@pytest.mark.parametrize("body, kind", [
    (b"{}", "application/json"), (b"--b\r\nno end", "multipart/form-data; boundary=b"),
    (b"text before\r\n--b\r\n\r\n\r\n--b--", "multipart/form-data; boundary=b"), (b"--b--", "multipart/form-data"),
])  # fmt: skip
def test_what_is_no_upload_stays(body: bytes, kind: str) -> None:
    assert parts_of(body, kind) is None


def test_parts_in_any_order_are_the_same_upload() -> None:
    one, other = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n', b"--x\r\nA: 1\r\nB: 2\r\n\r\n\r\n"
    kind = 'multipart/form-data; boundary="x"'
    bodies = [body_of(parts_of(body + b"--x--\r\n", kind) or []) for body in (one + other, other + one)]
    assert bodies[0] == bodies[1]
    assert body_of(parts_of(bodies[0], CONTENT_TYPE) or []) == bodies[0]

"""Kills at each step of `submit`, and lost answers: one batch per part at the server, each row answered once."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anthropic
import openai
import orjson
import pytest

from langchain_unified import BatchError, ConfigurationError
from langchain_unified.batches import steps
from langchain_unified.batches.state import Run, Store
from langchain_unified.testing import Emulator, Fault
from tests.batches.conftest import KEY, MODELS, created, model_at

Start = Callable[..., Emulator]

INPUTS = [f"say {n}" for n in range(3)]
PARTS = 2


class Killed(BaseException):
    """The process ends here: nothing after it runs."""


class Kills:
    """Ends the process before or after the step with a number: a request, or a write of the state."""

    def __init__(self, at: int, *, after: bool) -> None:
        self.at, self.after, self.count = at, after, 0

    def around(self, do: Callable[..., Any]) -> Callable[..., Any]:
        def step(*args: Any) -> Any:
            self.count += 1
            number = self.count
            if number == self.at and not self.after:
                raise Killed
            result = do(*args)
            if number == self.at:
                raise Killed
            return result

        return step


@contextlib.contextmanager
def killing(at: int, *, after: bool) -> Iterator[Kills]:
    kills = Kills(at, after=after)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(steps, "_perform", kills.around(steps._perform))
        patch.setattr(Store, "write", kills.around(Store.write))
        yield kills


def batches_per_row(server: Emulator, run: str = "") -> Counter[str]:
    """Custom id -> how many batches at the server have it, as the providers' own SDKs see them."""
    found: Counter[str] = Counter()
    with anthropic.Anthropic(base_url=server.anthropic_url, api_key="any") as claude:
        for batch in claude.messages.batches.list(limit=100):
            found.update(line.custom_id for line in claude.messages.batches.results(batch.id))
    with openai.OpenAI(base_url=server.openai_url, api_key="any") as gpt:
        for job in gpt.batches.list(limit=100):
            lines = gpt.files.content(job.input_file_id).text.splitlines()
            found.update(orjson.loads(line)["custom_id"] for line in lines)
    return Counter({name: count for name, count in found.items() if name.startswith(run)})


def steps_of_a_clean_run(server: Emulator, api: str, folder: Path) -> int:
    with killing(0, after=False) as kills:
        model_at(server, api).batches.submit(INPUTS, state=folder / "clean.json", max_requests=2)
    return kills.count


@pytest.mark.parametrize("api", ["messages", "chat"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_kill_at_any_step_leaves_one_batch_per_part(start: Start, api: str, after: bool, tmp_path: Path) -> None:
    server, expected = start(), 0
    for at in range(1, steps_of_a_clean_run(server, api, tmp_path) + 1):
        state = tmp_path / f"{at}.json"
        with killing(at, after=after), pytest.raises(Killed):
            model_at(server, api).batches.submit(INPUTS, state=state, max_requests=2)
        batch = model_at(server, api).batches.submit(INPUTS, state=state, max_requests=2)
        assert [each.text for each in batch.results()] == [f"You said: {each}" for each in INPUTS]
        assert len(batch.status().parts) == PARTS
        expected += len(INPUTS)
    counts = batches_per_row(server)
    assert set(counts.values()) == {1}
    assert len(counts) == expected + len(INPUTS)  # and the clean run


def test_kills_one_after_another(start: Start, api: str, tmp_path: Path) -> None:
    """A process that dies at each of its steps in turn gets there all the same."""
    server, state = start(), tmp_path / "run.json"
    for at in range(2, 60):
        try:
            with killing(at, after=at % 2 == 0):
                batch = model_at(server, api).batches.submit(INPUTS, state=state, max_requests=2)
                break
        except Killed:
            continue
    assert len(batch.results()) == len(INPUTS)
    assert set(batches_per_row(server, batch.id).values()) == {1}


@pytest.mark.parametrize("fault", ["lost_answer", "server_error"])
def test_a_lost_answer_is_looked_for_and_adopted(start: Start, api: str, fault: str, tmp_path: Path) -> None:
    server = start()
    provider = "anthropic" if api == "messages" else "openai"
    server.fail_next(fault, endpoint=f"{provider}.batches.create")
    batch = model_at(server, api).batches.submit(INPUTS, state=tmp_path / "run.json", max_requests=2)
    assert [each.text for each in batch.results()] == [f"You said: {each}" for each in INPUTS]
    assert len(created(server)) == PARTS + (fault == "server_error")  # after an error nothing is there to adopt
    assert set(batches_per_row(server, batch.id).values()) == {1}


async def test_a_lost_answer_async(start: Start, api: str) -> None:
    server = start()
    server.fail_next(
        "lost_answer", endpoint="anthropic.batches.create" if api == "messages" else "openai.batches.create"
    )
    batch = await model_at(server, api).batches.asubmit(INPUTS, max_requests=2)
    assert [each.text for each in await batch.aresults()] == [f"You said: {each}" for each in INPUTS]
    assert set(batches_per_row(server, batch.id).values()) == {1}


def test_an_answer_that_is_lost_again_and_again_raises_and_stays_open(start: Start, api: str, tmp_path: Path) -> None:
    server, state = start(), tmp_path / "run.json"
    provider = "anthropic" if api == "messages" else "openai"
    server.fail_next(Fault.server_error(), times=3, endpoint=f"{provider}.batches.create")
    with pytest.raises(Exception, match="500") as caught:
        model_at(server, api).batches.submit(INPUTS, state=state)
    assert "Call submit again with the same arguments" in caught.value.__notes__[-1]
    assert len(model_at(server, api).batches.submit(INPUTS, state=state).results()) == len(INPUTS)


def test_several_batches_like_the_lost_one_stop_the_run(start: Start, tmp_path: Path) -> None:
    """Anthropic's batches have no metadata: two new ones with as many requests cannot be told apart."""
    server, state = start(), tmp_path / "run.json"
    with killing(6, after=False), pytest.raises(Killed):  # plan, write, build, list, write | create
        model_at(server, "messages").batches.submit(INPUTS, state=state)
    run = Store(state).read()
    assert run is not None
    assert run.parts[0].state == "creating"
    for _ in range(2):
        model_at(server, "messages").batches.submit([f"other {n}" for n in range(3)])
    with pytest.raises(BatchError, match="2 batches of the account may be it: msgbatch_"):
        model_at(server, "messages").batches.submit(INPUTS, state=state)


@pytest.mark.parametrize("fault", ["authentication", "billing", "permission"])
def test_an_error_of_the_account_ends_the_run_and_leaves_all_rows_open(
    start: Start, api: str, fault: str, tmp_path: Path
) -> None:
    server, state = start(), tmp_path / "run.json"
    status = {"authentication": 401, "billing": 402, "permission": 403}[fault]
    provider = "anthropic" if api == "messages" else "openai"
    server.fail_next(Fault.http(status), endpoint=f"{provider}.batches.create")
    with pytest.raises(Exception, match=str(status)):
        model_at(server, api).batches.submit(INPUTS, state=state, max_requests=2)
    assert len(created(server)) == 1
    run = Store(state).read()
    assert run is not None
    assert {part.state for part in run.parts} == {"waiting"}
    batch = model_at(server, api).batches.submit(INPUTS, state=state, max_requests=2)
    assert len(batch.results()) == len(INPUTS)


# --- Ctrl-C -----------------------------------------------------------------------------------------------------------


def test_ctrl_c_leaves_the_batch_running_and_says_how_to_go_on(start: Start, api: str, tmp_path: Path) -> None:
    server, state = start(batches={"seconds": 60}), tmp_path / "run.json"
    model = model_at(server, api)
    batch = model.batches.submit(INPUTS, state=state)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "sleep", interrupt)
        with pytest.raises(KeyboardInterrupt) as caught:
            batch.wait(progress=False)
    (note,) = caught.value.__notes__
    assert note.startswith(f"1 batch goes on at the provider. Reopen: batch = model.batches.open({str(state)!r}).")
    server.clock.advance(60)
    assert len(model.batches.open(state).results()) == len(INPUTS)


def interrupt(seconds: float) -> None:
    raise KeyboardInterrupt


def test_ctrl_c_in_submit_without_a_state_writes_one(start: Start, api: str, tmp_path: Path) -> None:
    server = start()
    with contextlib.chdir(tmp_path):
        with pytest.MonkeyPatch.context() as patch:
            kills = Kills(0, after=False)

            def perform(step: Any, transport: Any, do: Any = steps._perform) -> Any:
                kills.count += (
                    isinstance(step, steps.Send) and step.call.max_retries == 0 and step.call.method == "POST"
                )
                result = do(step, transport)
                if kills.count == 2:
                    raise KeyboardInterrupt
                return result

            patch.setattr(steps, "_perform", perform)
            with pytest.raises(KeyboardInterrupt) as caught:
                model_at(server, api).batches.submit(INPUTS, max_requests=2)
        (written,) = tmp_path.glob("batch-*.json")
        assert repr(written.name) in caught.value.__notes__[0]
        batch = model_at(server, api).batches.submit(INPUTS, state=written.name, max_requests=2)
        assert len(batch.results()) == len(INPUTS)
    assert set(batches_per_row(server, batch.id).values()) == {1}


PROGRAM = """
import sys
from langchain_unified import ChatUnified
model = ChatUnified(sys.argv[1], base_url=sys.argv[2], api_key=sys.argv[3], dialect=sys.argv[1].split("/")[0])
batch = model.batches.submit([f"say {n}" for n in range(200)], state=sys.argv[4], max_requests=5)
print(batch.id, flush=True)
"""


@pytest.mark.parametrize("api", ["chat"])
def test_a_process_that_is_killed_by_the_system(start: Start, api: str, tmp_path: Path) -> None:
    server, state = start(), tmp_path / "run.json"
    url = server.openai_url
    command = [sys.executable, "-c", PROGRAM, MODELS[api], url, KEY, str(state)]
    before = 0
    for enough in (3, 9):
        process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(Path.cwd())})
        while process.poll() is None and len(created(server)) < before + enough:
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        process.wait()
        before = len(created(server))
    batch = model_at(server, api).batches.submit([f"say {n}" for n in range(200)], state=state, max_requests=5)
    assert [each.text for each in batch.results()] == [f"You said: say {n}" for n in range(200)]
    counts = batches_per_row(server, batch.id)
    assert len(counts) == 200
    assert set(counts.values()) == {1}
    assert batch.usage is not None
    assert batch.usage["output_tokens"] == server.totals.output_tokens


# --- the state --------------------------------------------------------------------------------------------------------


def test_the_state_holds_no_key_and_no_prompt(start: Start, api: str, tmp_path: Path) -> None:
    server, state = start(), tmp_path / "run.json"
    model = model_at(server, api, default_headers={"X-Private": "topsecret"})
    batch = model.batches.submit(["the prompt of the row"], state=state, extra_headers={"X-Other": "hushhush"})
    batch.results()
    text = state.read_text()
    for secret in (KEY, "prompt of", "topsecret", "hushhush"):
        assert secret not in text
    assert oct(state.stat().st_mode)[-3:] == "600"


def test_the_state_goes_through_json_and_another_process(start: Start, api: str) -> None:
    server = start(batches={"items": {}})
    model = model_at(server, api)
    batch = model.batches.submit(INPUTS, ids=list("abc"), max_requests=2)
    text = str(batch)
    assert str(model.batches.open(text)) == text == Run.from_json(orjson.loads(text)).dumps().decode()
    again = model.batches.open(orjson.loads(text))
    assert again.results() == batch.results()
    assert again.ids == list("abc")


@pytest.mark.parametrize(
    "change, words",
    [
        ({"temperature": 0.1}, "parameter 'temperature' is new"),
        ({"max_tokens": 7}, "parameter 'max_tokens'"),
        ({"model": "anthropic/claude-haiku-4-5"}, "model is 'claude-haiku-4-5', it was 'claude-sonnet-4-5'"),
    ],
)
def test_another_model_or_parameter_refuses_to_resume_by_name(
    start: Start, change: dict[str, Any], words: str, tmp_path: Path
) -> None:
    server, state = start(), tmp_path / "run.json"
    model = model_at(server, "messages", model="anthropic/claude-sonnet-4-5")
    model.batches.submit(INPUTS, state=state)
    other = model_at(server, "messages", **{"model": "anthropic/claude-sonnet-4-5", **change})
    for resume in (lambda: other.batches.open(state), lambda: other.batches.submit(INPUTS, state=state)):
        with pytest.raises(ConfigurationError, match=words):
            resume()
    assert len(created(server)) == 1


def test_other_tools_and_schemas_and_inputs_refuse_to_resume_by_name(start: Start, tmp_path: Path) -> None:
    def tool_a(x: int) -> int:
        """One."""
        return x

    server, state = start(), tmp_path / "run.json"
    model = model_at(server, "messages")
    model.bind_tools([tool_a]).batches.submit(INPUTS, state=state)
    with pytest.raises(ConfigurationError, match="tool 'tool_a' is gone"):
        model.batches.open(state)
    with pytest.raises(ConfigurationError, match="they make other requests"):
        model.bind_tools([tool_a]).batches.submit([*INPUTS[:2], "another"], state=state)
    with pytest.raises(ConfigurationError, match="there are 2, and it has 3"):
        model.bind_tools([tool_a]).batches.submit(INPUTS[:2], state=state)
    with pytest.raises(ConfigurationError, match="The ids are not those"):
        model.bind_tools([tool_a]).batches.submit(INPUTS, ids=list("abc"), state=state)


@pytest.mark.parametrize(
    "given, words",
    [("{}", "langchain_unified_batch"), ("{nope", "no JSON"), ("/nowhere.json", "no state"), ('{"a"', "no JSON")],
)
def test_what_is_no_state(given: str, words: str) -> None:
    model = model_at_nowhere()
    with pytest.raises(ConfigurationError, match=words):
        model.batches.open(given)


def model_at_nowhere() -> Any:
    from langchain_unified import ChatUnified

    return ChatUnified("anthropic/claude-sonnet-5", api_key=KEY)

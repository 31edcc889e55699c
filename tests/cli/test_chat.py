"""`langchain-unified chat`: questions, piped texts, conversations with commands, and how words break."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from langchain_unified.cli.commands import commands
from langchain_unified.cli.words import Words
from langchain_unified.testing import Emulator, Fault, emulator


def echo(request: Any) -> str:
    """The last question, and how many turns came before."""
    question = "".join(block["text"] for block in request.turns[-1].blocks)
    return f"{len(request.turns)}: {question}"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    with emulator(echo) as running:
        for name, url in (("ANTHROPIC", running.anthropic_url), ("OPENAI", running.openai_url)):
            monkeypatch.setenv(f"{name}_BASE_URL", url)
            monkeypatch.setenv(f"{name}_API_KEY", "not-a-key")
        yield running


def chat(*args: str, piped: str = "") -> tuple[int, str, str]:
    result = CliRunner().invoke(commands, ["chat", *args], input=piped)
    return result.exit_code, result.stdout, result.stderr


def test_a_piped_text_is_the_question_or_follows_it(server: Emulator) -> None:
    assert chat(piped="One\ntwo") == (0, "1: One\ntwo\n", "")
    assert chat("-", piped="One") == (0, "1: One\n", "")
    assert chat("Sum up:", piped="A text") == (0, "1: Sum up:\n\nA text\n", "")
    assert chat("Alone") == (0, "1: Alone\n", "")


def test_without_any_question_it_says_so(server: Emulator) -> None:
    code, out, err = chat()
    assert (code, out) == (2, "")
    assert "There is no question" in err
    assert not server.requests


def test_an_answer_that_is_cut_is_told_apart_from_the_answer(server: Emulator) -> None:
    code, out, err = chat("--max-tokens", "1", "A long story")
    assert code == 0
    assert "story" not in out
    assert "cut: it reached the maximum number of tokens" in err.replace("\n", " ")


def test_a_conversation_has_its_history_also_on_the_other_provider(server: Emulator) -> None:
    code, out, err = chat(piped="One\n/model openai/gpt-5.6\n\nTwo\n/cost\n/clear\nThree\n/exit\nFour\n")
    assert (code, out) == (0, "1: One\n3: Two\n1: Three\n")
    assert "Model: openai/gpt-5.6" in err
    assert "in 2 calls" in err
    assert "claude-sonnet-5: $" in err
    assert [request.path for request in server.requests] == ["/v1/messages", "/v1/responses", "/v1/responses"]


def test_check_sends_nothing(server: Emulator) -> None:
    code, _, err = chat(piped="/check A text\n")
    assert code == 0
    assert "anthropic/claude-sonnet-5 by anthropic_messages: goes out as written." in err.replace("\n", " ")
    assert not server.requests


def test_a_failed_turn_is_not_part_of_the_conversation(server: Emulator) -> None:
    server.fail_next(Fault.http(400, {"type": "error", "error": {"type": "invalid_request_error", "message": "no"}}))
    code, out, err = chat(piped="One\nTwo\n/help\n")
    assert (code, out) == (1, "1: Two\n")
    assert "InvalidRequestError" in err
    assert "/check" in err


def test_a_wrong_command_or_model_is_named_and_the_conversation_goes_on(server: Emulator) -> None:
    code, out, err = chat(piped="/modle x\n/model quelle\n/model\nOne\n")
    assert (code, out) == (2, "1: One\n")
    assert "/modle is not a command. /help lists them." in err
    assert "No provider is known for the model 'quelle'" in err
    assert "Model: anthropic/claude-sonnet-5" in err


def test_an_answer_that_the_user_stops_leaves_the_conversation(
    server: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    from langchain_unified import ChatUnified

    stream = ChatUnified.stream

    def stopped(model: ChatUnified, messages: Any, *args: Any) -> Any:
        if messages[-1].text == "One":
            raise KeyboardInterrupt
        return stream(model, messages, *args)

    monkeypatch.setattr(ChatUnified, "stream", stopped)
    assert chat(piped="One\nTwo\n/exit") == (0, "1: Two\n", "The answer was stopped.\n")


# --- words ------------------------------------------------------------------------------------------------------------


def wrapped(pieces: list[str], width: int | None, column: int = 0) -> str:
    out = io.StringIO()
    words = Words(out, width, column)
    for piece in pieces:
        words.write(piece)
    words.end()
    return out.getvalue()


def test_words_break_between_words_wherever_the_pieces_end() -> None:
    assert wrapped(["Tell me ab", "out it please", " now"], 10) == "Tell me\nabout it\nplease now\n"
    assert wrapped(["Tell me about"], 10, column=8) == "Tell\nme about\n"
    assert wrapped(["a\n\n    code  here\nb"], 20) == "a\n\n    code  here\nb\n"
    assert wrapped(["城城城 城城城"], 10) == "城城城\n城城城\n"
    assert wrapped(["as it is, ", "whatever"], None) == "as it is, whatever\n"


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text("ab \n", max_size=12), max_size=6), st.integers(4, 20))
def test_nothing_but_spaces_at_ends_of_lines_is_lost(pieces: list[str], width: int) -> None:
    text = "".join(pieces)
    out = wrapped(pieces, width)
    assert out.split() == text.split()
    longest = max(map(len, text.split()), default=0)
    assert all(len(line.strip()) <= max(width, longest) for line in out.split("\n"))
    assert out == wrapped([text], width)

"""What a display never does: run, load, follow or reveal what a model or a tool wrote."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import HumanMessage

from langchain_unified.display import view
from tests.display.helpers import ANTHROPIC_KEY, PAYLOADS, PLACES, Page, ai, html

# --- the page of a display, as a browser reads it ---------------------------------------------------------------------


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS)
@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_nothing_acts(place: Callable[[str], Any], payload: str) -> None:
    for full in (False, True):
        Page(html(place(payload), full=full)).assert_harmless()


HARMLESS_TO_SAY = ["text", "thinking", "tool result", "error", "plain text", "refusal", "spoken answer", "failed tool"]


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS)
@pytest.mark.parametrize("place", HARMLESS_TO_SAY)
def test_the_text_can_be_read(place: str, payload: str) -> None:
    thing = PLACES[place](payload)
    assert payload in Page(html(thing)).text
    assert payload in str(view(thing)).replace("\n  ", "\n").replace("\n  ", "\n")


@given(text=st.text(), place=st.sampled_from(sorted(PLACES)))
def test_any_text_anywhere(text: str, place: str) -> None:
    thing = PLACES[place](text)
    page, plain = html(thing), str(view(thing))
    Page(page).assert_harmless()
    for written in (page, plain):
        assert not ACTING.search(written)
        written.encode()


ACTING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

ESCAPES = {
    "colour": ("\x1b[31mred", r"\x1b[31mred"),
    "title of the terminal": ("\x1b]0;so\x07", r"\x1b]0;so\x07"),
    "clipboard": ("\x9b52;c;c28=", r"\x9b52;c;c28="),
    "overwriting": ("good\rbad", r"good\rbad"),
    "deleting": ("good\x08bad\x7f", r"good\x08bad\x7f"),
    "right to left": ("user\u202egpj.exe", r"user\u202egpj.exe"),
    "isolate": ("a\u2066b\u2069", r"a\u2066b\u2069"),
    "half a character": ("a\ud83d", r"a\ud83d"),
    "invisible letters": ("a\U000e0041\U000e007fb", r"a\U000e0041\U000e007fb"),
    "a flag": ("\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", None),
    "a direction mark": ("\u05d0\u200f!", None),
    "line ends": ("one\r\ntwo", "one\ntwo"),
}


@pytest.mark.parametrize("said,shown", ESCAPES.values(), ids=ESCAPES)
def test_escapes_and_hidden_letters_are_spelled_out(said: str, shown: str | None) -> None:
    shown = said if shown is None else shown
    assert shown in Page(html(HumanMessage(said))).text
    assert shown in str(view(HumanMessage(said))).replace("\n  ", "\n")


def test_a_formula_is_no_formula() -> None:
    frame = re.search(r'<div class="([^"]+)">', html(ai("$5 and $6")))
    assert frame is not None
    assert {"tex2jax_ignore", "mathjax_ignore"} <= set(frame[1].split())


# --- secrets ----------------------------------------------------------------------------------------------------------

OPENAI_KEY = "sk-proj-AbCdEf123456"


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
@pytest.mark.parametrize("key", [ANTHROPIC_KEY, OPENAI_KEY])
def test_no_key_is_shown(place: Callable[[str], Any], key: str) -> None:
    thing = place(f"my key is {key} so")
    for full in (False, True):
        assert key[:16] not in html(thing, full=full)
        assert key[:16] not in str(view(thing, full=full))


def test_a_key_is_not_half_shown_where_a_text_is_cut() -> None:
    for before in range(90, 125):
        shown = html(ai("x" * before + " " + ANTHROPIC_KEY + " so" * 900))
        assert "sk-ant" not in shown


def test_what_stands_under_the_name_of_a_secret_is_hidden() -> None:
    arguments = {"city": "Paris", "api_key": "hunter2", "request": {"headers": {"X-Team": "hunter2"}}}
    message = ai(tool_calls=[{"name": "fetch", "args": arguments, "id": "1"}])
    for shown in (html(message), str(view(message)), html({"body": arguments}), str(view([arguments]))):
        assert "Paris" in shown
        assert "hunter2" not in shown
        assert "**********" in shown


def test_a_private_key_is_hidden_to_its_end() -> None:
    pem = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\n7bqh\n-----END RSA PRIVATE KEY-----"
    assert "MIIE" not in str(view(HumanMessage(f"here: {pem} so")))
    assert str(view(HumanMessage(f"here: {pem} so"))).endswith("here: [a private key] so")

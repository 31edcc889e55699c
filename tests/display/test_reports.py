"""Reports, costs, errors and answers, in a terminal and in a notebook."""

from __future__ import annotations

import io
import re
from types import SimpleNamespace
from typing import Any

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, SystemMessage

from langchain_unified import ChatUnified, cost_callback, explain_cache, message_cost, reply
from langchain_unified.display import load_ipython_extension, show, view
from langchain_unified.display.as_text import write
from tests.display.helpers import PRICES, USAGE, Answer, Page, ai, error_of, html

CHECKED = [HumanMessage("Hi")]


def test_a_dry_run_in_a_notebook() -> None:
    model = ChatUnified("anthropic/claude-opus-5", api_key="any")
    changed = Page(model.check(CHECKED, top_k=40)._repr_html_())
    changed.assert_harmless()
    assert "anthropic/claude-opus-5 by anthropic_messages: goes out with changes" in changed.text
    assert "top_k" in changed.text
    assert '"max_tokens"' in changed.text
    refused = Page(model.check([HumanMessage([{"type": "video", "url": "https://so"}])])._repr_html_())
    assert "is refused, nothing would be sent" in refused.text
    assert "cannot carry the 'video' block" in refused.text
    assert "goes out as written" in model.check(CHECKED)._repr_html_()


def test_a_dry_run_in_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    report = ChatUnified("anthropic/claude-opus-5", api_key="any").check(CHECKED, top_k=40)
    show([report, report])
    assert capsys.readouterr().out == 2 * (
        "[anthropic/claude-opus-5] by anthropic_messages: goes out with changes\n"
        "  changed  why\n"
        f"  top_k    {report.adjustments[0]['why']}\n"
        "  body …\n"
    )
    show(SimpleNamespace(_repr_html_=lambda: "<b>own</b>"))
    assert "_repr_html_" in capsys.readouterr().out


def test_the_report_of_a_prompt_cache() -> None:
    report = {
        "status": "partial",
        "read": 1100,
        "written": 35,
        "marks_sent": [{"place": "system, block 0", "ttl": "5m"}, {"place": "message 4"}],
        "marks_dropped": [{"what": "message 2", "why": "four are allowed"}],
    }
    assert str(view(report)) == (
        "[prompt cache: partial] one part was read from the cache, another was written\n"
        "  mark             ttl\n"
        "  system, block 0  5m\n"
        "  message 4        default\n"
        "  mark not sent  why\n"
        "  message 2      four are allowed\n"
        "  1,100 tokens read, 35 tokens written"
    )


def test_a_reply_and_its_cost() -> None:
    shown = view(reply(ai("so", usage_metadata=USAGE, said={"finish_reason": "stop"}), prices=PRICES))
    assert str(shown) == (
        "[model] anthropic, claude-opus-5\n  so\n  stop · tokens: 1,204 in (1,100 from cache), 35 out · cost: $0.001945"
    )
    assert "cost" not in str(view(reply(ai("so"))))


def test_a_cost() -> None:
    assert str(view(message_cost(ai("so", usage_metadata=USAGE), PRICES))) == (
        "[cost: $0.001945]\n"
        "  model          kind        units        USD\n"
        "  claude-opus-5  uncached      104   $0.00052\n"
        "  claude-opus-5  cache_read  1,100   $0.00055\n"
        "  claude-opus-5  output         35  $0.000875\n"
        "  $0.00495 saved by prompt caching"
    )
    unknown = message_cost(ai("so", usage_metadata=USAGE, said={"model_name": "claude-of-mine"}), PRICES)
    assert str(view(unknown)).startswith("[cost: unknown] ")
    assert "lcu-warn" in html(unknown).split("</style>")[1]


def test_a_sum_of_costs(model: Any) -> None:
    with cost_callback(PRICES) as costs:
        model.chat.invoke("Tell me.")
    assert str(view(costs)) == (
        "[cost: $0.000185]\n"
        "  model                USD\n"
        "  claude-opus-5  $0.000185\n"
        "  tokens, or uses of tools  units\n"
        "  uncached                      2\n"
        "  output                        7\n"
        "  1 call"
    )


def test_an_explanation_of_the_prompt_cache() -> None:
    chat = ChatUnified("anthropic/claude-opus-5", api_key="any", prompt_cache="auto")
    system = [SystemMessage("A rule of the house. " * 900)]
    first = [*system, HumanMessage("One?")]
    same = explain_cache(chat.check(first), chat.check([*first, AIMessage("1"), HumanMessage("Two?")]))
    other = explain_cache(chat.check(first), chat.check([SystemMessage("No rules."), HumanMessage("Two?")]))
    assert re.match(r"\[prompt cache: (hit|partial) expected\]\n  A (hit|partial hit) is expected: ", str(view(same)))
    assert str(view(other)).startswith("[prompt cache: miss expected]\n  A miss is expected: ")
    assert "by estimate" in html(same)


def test_an_error() -> None:
    error = error_of("slow down")
    error.retry_after, error.partial = 2.0, AIMessageChunk("as far as")
    assert str(view(error)) == (
        "[RateLimitError]\n"
        "  slow down\n"
        "  provider     openai\n"
        "  status       429\n"
        "  code         slow down\n"
        "  retry_after  2.0\n"
        "  retryable    yes\n"
        "  received before the error …"
    )
    assert "as far as" in html(error)
    assert str(view(ValueError("so"))) == "[ValueError]\n  so"


def test_a_structured_answer_beside_its_message() -> None:
    shown = str(view({"raw": ai("so"), "parsed": Answer(value=3), "parsing_error": None}))
    assert shown == "[model] anthropic, claude-opus-5\n  so\n[Answer]\n  value  3"


def test_show_writes_text_where_there_is_no_notebook(capsys: pytest.CaptureFixture[str]) -> None:
    show(HumanMessage("one"), "two", [1, 2])
    assert capsys.readouterr().out == "[user]\n  one\n[text]\n  two\n[JSON]\n  [\n    1,\n    2\n  ]\n"


def test_a_terminal_that_knows_only_ascii() -> None:
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    write("18 °C\n", out)
    out.seek(0)
    assert out.read() == "18 ?C\n"


def test_a_notebook_may_show_messages_by_itself() -> None:
    formatters = pytest.importorskip("IPython.core.formatters")
    shell = SimpleNamespace(display_formatter=formatters.DisplayFormatter())
    load_ipython_extension(shell)
    data, _ = shell.display_formatter.format(HumanMessage("<b>so</b>"))
    assert data["text/plain"] == "[user]\n  <b>so</b>"
    assert "&lt;b&gt;so&lt;/b&gt;" in data["text/html"]

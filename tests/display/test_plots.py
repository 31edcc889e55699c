"""Plots of tokens and costs."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from langchain_unified import CostTracker, cost_callback, reply
from langchain_unified.display import plot_costs, plot_tokens
from tests.display.helpers import PRICES, PRIORITY_USAGE, USAGE, ai


def test_a_plot_of_tokens() -> None:
    pyplot = pytest.importorskip("matplotlib.pyplot")
    to_hex = pytest.importorskip("matplotlib.colors").to_hex
    pyplot.switch_backend("agg")
    ax = plot_tokens([HumanMessage("so"), ai("so"), ai("so", usage_metadata=USAGE)], labels=["first call"])
    bars = {container.get_label(): container.patches[0].get_height() for container in ax.containers}
    assert bars == {"read from cache": 1100, "written to cache": 0, "other input": 104, "output": 35}
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("call", "tokens")
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["first call"]
    assert ax.figure.get_facecolor() == (1.0, 1.0, 1.0, 1.0)
    with pyplot.style.context("dark_background"):
        legend = plot_tokens([ai("so", usage_metadata=USAGE)]).get_legend()
    assert {to_hex(text.get_color()) for text in legend.get_texts()} == {"#222222"}
    with pytest.raises(ValueError, match="2 labels for 1 calls"):
        plot_tokens([ai("so", usage_metadata=USAGE)], labels=["a", "b"])
    pyplot.close("all")


def test_a_plot_of_input_alone_leaves_room_above() -> None:
    pyplot = pytest.importorskip("matplotlib.pyplot")
    pyplot.switch_backend("agg")
    ax = plot_tokens([ai("so", usage_metadata=USAGE)], output=False)
    assert [bars.get_label() for bars in ax.containers] == ["read from cache", "written to cache", "other input"]
    bottom, top = ax.get_ylim()
    assert bottom == 0
    assert top > 1204  # the last bar of a stack ends below the top
    pyplot.close("all")


def test_a_plot_of_tokens_on_a_service_tier() -> None:
    pyplot = pytest.importorskip("matplotlib.pyplot")
    pyplot.switch_backend("agg")
    ax = plot_tokens([ai("so", usage_metadata=PRIORITY_USAGE)])
    bars = {container.get_label(): container.patches[0].get_height() for container in ax.containers}
    assert bars == {"read from cache": 1100, "written to cache": 4, "other input": 100, "output": 35}
    pyplot.close("all")


def test_a_plot_of_costs(model: Any) -> None:
    pyplot = pytest.importorskip("matplotlib.pyplot")
    pyplot.switch_backend("agg")
    with cost_callback(PRICES) as costs:
        answer = model.chat.invoke("Tell me.")
    by_model, by_call = plot_costs(costs), plot_costs([reply(answer, prices=PRICES)] * 2, labels=["one", "two"])
    assert [patch.get_height() for patch in by_model.containers[0].patches] == [0.000185]
    assert [tick.get_text() for tick in by_model.get_xticklabels()] == ["claude-opus-5"]
    assert [patch.get_height() for patch in by_call.containers[0].patches] == [0.000185, 0.000185]
    assert (by_model.get_xlabel(), by_call.get_xlabel(), by_call.get_ylabel()) == ("model", "call", "USD")
    assert by_model.get_legend() is None
    pyplot.close("all")


def test_a_plot_of_costs_by_name_with_what_caching_saved() -> None:
    pyplot = pytest.importorskip("matplotlib.pyplot")
    pyplot.switch_backend("agg")
    empty = CostTracker(PRICES)
    ax = plot_costs({"one": reply(ai("so", usage_metadata=USAGE), prices=PRICES), "none": empty})
    bars = {str(each.get_label()): [bar.get_height() for bar in each.patches] for each in ax.containers}
    # 1,100 read at 0.50 instead of 5, 104 at 5, 35 out at 25 USD for a million
    assert bars == {"paid": [0.001945, 0.0], "saved by prompt caching": [0.00495, 0.0]}
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["one", "none"]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == list(bars)
    assert ax.get_ylim()[1] > 0.001945 + 0.00495
    pyplot.close("all")


def test_what_writing_cost_more_than_reading_saved_is_no_bar() -> None:
    pyplot = pytest.importorskip("matplotlib.pyplot")
    pyplot.switch_backend("agg")
    usage = {"input_tokens": 9, "output_tokens": 3, "total_tokens": 12, "input_token_details": {"cache_creation": 9}}
    prices = {"claude-opus-5": {"input": 5, "output": 25, "cache_write": "6.25"}}
    answer = reply(ai("so", usage_metadata=usage), prices=prices)
    assert answer.cost.saved == Decimal("-0.00001125")
    ax = plot_costs([answer])
    assert [bars.get_label() for bars in ax.containers] == ["paid"]
    pyplot.close("all")

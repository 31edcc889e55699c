"""Warnings have a category of ours and point at the line of the program."""

from __future__ import annotations

import warnings

import pytest

import langchain_unified
from langchain_unified import ChatAnthropic, UnifiedWarning
from langchain_unified.testing import emulator

WAYS = {
    "invoke": lambda model: model.invoke("Hi.", seed=1),
    "stream": lambda model: list(model.stream("Hi.", seed=1)),
    "bound": lambda model: model.bind(seed=1).invoke("Hi."),
    "batch": lambda model: model.batch(["Hi."], seed=1),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_warning_points_at_the_call(way):
    with emulator() as emulated:
        model = ChatAnthropic(model="claude-sonnet-4-6", base_url=emulated.anthropic_url, api_key="x")
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("always")
            WAYS[way](model)
    (warning,) = [one for one in found if issubclass(one.category, UnifiedWarning)]
    assert warning.filename == __file__
    assert warning.lineno == WAYS[way].__code__.co_firstlineno
    assert issubclass(UnifiedWarning, UserWarning)


def test_they_can_be_filtered_by_their_class():
    assert langchain_unified.UnifiedWarning is UnifiedWarning
    with emulator() as emulated, warnings.catch_warnings():
        warnings.simplefilter("error", UnifiedWarning)
        model = ChatAnthropic(model="claude-sonnet-4-6", base_url=emulated.anthropic_url, api_key="x")
        with pytest.raises(UnifiedWarning, match="seed"):
            model.invoke("Hi.", seed=1)

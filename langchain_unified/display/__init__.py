"""Shows messages, conversations, streams, reports, costs and errors, in a notebook and in a terminal.

    from langchain_unified.display import show, show_stream

    show(message)                                   # a message, a list of them, an agent's result, a report, an error
    reply = show_stream(model.stream("Hello"))      # while it runs; `await ashow_stream(model.astream(…))`
    with progress(len(inputs)) as bar:              # a callback with a progress bar
        model.batch(inputs, config={"callbacks": [bar]})

`%load_ext langchain_unified.display` makes a notebook show messages without `show`. Everything from a model or a tool
is shown as plain text: no HTML, no Markdown, and no links except cited sources. Nothing is loaded from a network.
Values that look like keys, or that have the name of a key, are hidden.
"""

from __future__ import annotations

from langchain_unified.display.plots import plot_costs, plot_tokens
from langchain_unified.display.progress import Progress, progress
from langchain_unified.display.stream import ashow_stream, show_stream
from langchain_unified.display.views import View, load_ipython_extension, show, view

__all__ = [
    "Progress",
    "View",
    "ashow_stream",
    "load_ipython_extension",
    "plot_costs",
    "plot_tokens",
    "progress",
    "show",
    "show_stream",
    "view",
]

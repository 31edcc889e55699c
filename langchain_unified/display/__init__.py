"""Messages, conversations, streams, reports and errors as people like to read them, in a notebook and in a terminal.

    from langchain_unified.display import show, show_stream

    show(message)                                   # a message, a list of them, an agent's result, a report, an error
    reply = show_stream(model.stream("Hello"))      # as it comes; `await ashow_stream(model.astream(…))`
    with progress(len(inputs)) as bar:              # a callback that counts
        model.batch(inputs, config={"callbacks": [bar]})

`%load_ext langchain_unified.display` lets a notebook show messages and conversations without `show`. What came from a
model or a tool is shown as text, whatever is in it: no HTML, no Markdown, no link but to a cited source. Nothing is
loaded from anywhere, and what has the form of a key or stands under a key's name is hidden.
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

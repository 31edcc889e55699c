"""`llms.txt`: the pages of the site for language models, as https://llmstxt.org describes it."""

from __future__ import annotations

import re
from pathlib import Path

DOCS = Path(__file__).parents[1]
SUMMARY = """\
# langchain_unified

> One LangChain chat model for Anthropic, OpenAI and every server that speaks their APIs: the same messages, tools,
> parameters, prompt-cache marks, usage figures and errors on each. `pip install langchain-unified`, then
> `from langchain_unified import ChatUnified`.

- `ChatUnified("anthropic/claude-sonnet-5")`, `ChatUnified("openai/gpt-5.6")`; `ChatAnthropic` and `ChatOpenAI`
  take the arguments of the partner packages.
- What could not be sent as written is in `response_metadata["adjustments"]`; `model.check(…)` is a dry run.
- Tests need no keys: `from langchain_unified.testing import emulator`.

## Pages
"""


def page() -> str:
    """A line for each page: its title, its path and its first sentence."""
    lines = [SUMMARY]
    for path in sorted(DOCS.rglob("*.md")):
        text = path.read_text(encoding="utf-8")
        title = text.split("\n", 1)[0].removeprefix("# ")
        about = _first_sentence(text.split("\n\n")[1:]) or title
        lines.append(f"- [{title}]({path.relative_to(DOCS).as_posix()}): {about}")
    return "\n".join(lines) + "\n"


def _first_sentence(paragraphs: list[str]) -> str:
    """Of the first paragraph that is prose."""
    prose = next((each for each in paragraphs if not re.match(r"#|\||```|<|:::|- |Written by", each)), "")
    return re.split(r"(?<=\.)\s|:\s", " ".join(prose.split()))[0]

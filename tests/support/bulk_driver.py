"""A program with a bulk run that a test kills: `python -m tests.support.bulk_driver URL OUT ROWS [MOST]`."""

from __future__ import annotations

import sys
from pathlib import Path

from langchain_unified import ChatUnified, bulk


def rows_of(count: int) -> list[dict[str, str]]:
    """The rows of the run."""
    return [{"id": f"r{number}", "prompt": f"q{number}"} for number in range(count)]


if __name__ == "__main__":
    url, out, count, *most = sys.argv[1:]
    model = ChatUnified("openai/gpt-5.6", base_url=url, api_key="k", use_responses_api=False)
    print(
        bulk(model, rows_of(int(count)), out=Path(out), max_concurrency=int(most[0]) if most else None, progress=False)
    )

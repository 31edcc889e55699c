"""A program with a Ray job that a test kills: `python -m tests.cluster.driver URL JOURNAL OUT ROWS`."""

from __future__ import annotations

import sys
from typing import Any

import ray

from langchain_unified import ChatUnified
from langchain_unified.ray import answer


def start() -> None:
    """A local cluster. Its object store is small: the rows are."""
    ray.init(
        num_cpus=2, include_dashboard=False, log_to_driver=False, object_store_memory=100_000_000,
        runtime_env={"env_vars": {"OPENAI_API_KEY": "k", "PYTHONPATH": ":".join(sys.path)}},
    )  # fmt: skip
    ray.data.DataContext.get_current().enable_progress_bars = False


def job(url: str, journal: str | None, rows: int, **given: Any) -> Any:
    """The dataset of answers."""
    model = ChatUnified("openai/gpt-5.6", base_url=url, use_responses_api=False)
    data = ray.data.from_items(
        [{"id": f"r{number}", "prompt": f"q{number}", "kind": number % 3} for number in range(rows)]
    )
    return answer(data, model, journal=journal, **{"max_concurrency": 16, **given})


if __name__ == "__main__":
    address, folder, out, count = sys.argv[1:]
    start()
    job(address, folder, int(count)).write_parquet(out)
    print("done")

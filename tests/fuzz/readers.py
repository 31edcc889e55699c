"""atheris on the readers of streams: mutated recordings in any pieces, and no exception that is not ours.

python -m tests.fuzz.readers anthropic_messages -max_total_time=600

The seeds are the streams of `cassettes/` and, where it is there, of the recorded corpus. Half of the mutations are made
in the JSON of the events: bytes alone rarely get past a JSON parser. What breaks a reader is written to the system's
folder of temporary files.
"""

from __future__ import annotations

import importlib
import json
import random
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.fuzz.mutations import mutated_events
from tests.support import corpus

ROOT = Path(__file__).parents[2]
PATHS = {"anthropic_messages": "/messages", "openai_chat": "/chat/completions", "openai_responses": "/responses"}


def seeds(wire: Any) -> Iterator[list[dict[str, Any]]]:
    """The events of each recorded stream of an API."""
    for path in sorted((ROOT / "cassettes").rglob("*stream*.yaml")):
        for exchange in yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)["interactions"]:
            texts = exchange["response"].get("events")
            if texts and exchange["request"]["uri"].endswith(PATHS[wire]):
                yield corpus.sse_events("\n".join(texts))
    for exchange in corpus.streams(corpus.ENDPOINT_OF[wire]):
        yield corpus.sse_events(exchange["response"]["sse"])


def written(events: list[dict[str, Any]], size: int) -> bytes:
    """A stream as bytes: the first says how long the pieces are in which it is read."""
    text = "".join(f"event: {event.get('type', '')}\ndata: {json.dumps(event)}\n\n" for event in events)
    return bytes([size]) + text.encode()


def mutate(data: bytes, most: int, seed: int) -> bytes | None:
    """A mutation in the events of a stream; None where the bytes are none."""
    chance = random.Random(seed)
    try:
        events = corpus.sse_events(data[1:].decode())
    except ValueError:
        return None
    made = written(mutated_events(events, chance, chance.randint(1, 3)), chance.randrange(256)) if events else b""
    return made if 0 < len(made) <= most else None


def main() -> None:
    atheris: Any = importlib.import_module("atheris")
    wire: Any = sys.argv.pop(1)
    with atheris.instrument_imports(include=["langchain_unified"]):
        read = importlib.import_module("tests.fuzz.read").read

    def mutator(data: bytes, most: int, seed: int) -> bytes:
        made = mutate(data, most, seed) if seed % 2 else None
        return made if made is not None else bytes(atheris.Mutate(data, len(data)))

    with tempfile.TemporaryDirectory() as folder:
        longest = 0
        for number, events in enumerate(seeds(wire)):
            data = written(events, 255)
            longest = max(longest, len(data))
            Path(folder, str(number)).write_bytes(data)
        found = f"-artifact_prefix={tempfile.gettempdir()}/fuzz-{wire}-"
        arguments = [*sys.argv, folder, f"-max_len={min(longest + 1000, 40_000)}", found]
        atheris.Setup(arguments, lambda data: read(wire, data), custom_mutator=mutator)
        atheris.Fuzz()


if __name__ == "__main__":
    main()

"""Damaged bodies cross or are refused by name: no other exception reaches a server."""

from __future__ import annotations

import contextlib
import copy
import random
from typing import Any

import pytest

from langchain_unified.errors import RequestError
from langchain_unified.request import WireName
from langchain_unified.wires import WIRES
from tests.gateway.crossing.crossed import crossed
from tests.support.corpus import ENDPOINT_OF, exchanges, needs_corpus, representatives
from tests.wires.test_serve_laws import JUNK, places

MORE_JUNK = [*JUNK, [[]], {"type": "function"}, {"type": "namespace", "tools": [5, {"type": "function"}]}, -1, 1e400]
SMALL = 6000
"""Characters of the recorded bodies that are damaged."""


@needs_corpus
@pytest.mark.parametrize("client", WIRES)
def test_a_recorded_body_with_junk_crosses_or_is_refused(client: WireName) -> None:
    chosen = random.Random(client)
    bodies = [exchange["request"]["body"] for exchange in exchanges(ENDPOINT_OF[client])
              if exchange["id"] in representatives()]  # fmt: skip
    small = [body for body in bodies if len(str(body)) < SMALL]
    for _ in range(600):
        body: Any = copy.deepcopy(chosen.choice(small))
        holder, key = chosen.choice(list(places(body)))
        holder[key] = chosen.choice(MORE_JUNK)
        with contextlib.suppress(RequestError):
            crossed(body, client, chosen.choice(sorted(WIRES)))

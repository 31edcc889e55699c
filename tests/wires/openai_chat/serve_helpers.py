"""What the tests of the server side of the Chat Completions wire share."""

from __future__ import annotations

HELLO = {"model": "gpt-test", "messages": [{"role": "user", "content": "Hi"}]}
WITH_USAGE = {**HELLO, "stream": True, "stream_options": {"include_usage": True}}

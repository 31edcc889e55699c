"""A smoke test of an installed package, run by the Python that has it: `python smoke.py plain` or `full`.

It imports nothing of this repository. `plain`: a call of each provider without extras, answered by a server on this
machine. `full`: the emulator, the demo, a cassette and a cost.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import threading
import warnings
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import requires
from pathlib import Path

warnings.simplefilter("error")  # of ours; what only third parties raise is let through below
for module in ("langchain_core", "pydantic", "anthropic", "openai", "httpx2", "vcr", "genai_prices", "asyncio"):
    warnings.filterwarnings("ignore", module=rf"{module}(\..*)?")

ANSWERS = {
    "/v1/messages": {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-5", "stop_reason": "end_turn",
        "content": [{"type": "text", "text": "Hello."}], "usage": {"input_tokens": 3, "output_tokens": 2},
    },
    "/v1/responses": {
        "id": "resp_1", "object": "response", "created_at": 1, "status": "completed", "model": "gpt-5.6",
        "output": [{"type": "message", "id": "msg_1", "role": "assistant", "status": "completed",
                    "content": [{"type": "output_text", "text": "Hello.", "annotations": []}]}],
        "usage": {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5},
    },
}  # fmt: skip

NOT_NEEDED = (
    "starlette",
    "uvicorn",
    "rich",
    "click",
    "vcr",
    "genai_prices",
    "aiohttp",
    "sqlalchemy",
    "IPython",
    "tqdm",
)
"""What a plain call does not import, and what an install without extras does not bring (checked by `main`)."""


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        body = json.dumps(ANSWERS[self.path]).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def plain() -> None:
    from langchain_unified import ChatUnified, reply

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    for name, address in (("anthropic/claude-sonnet-5", url), ("openai/gpt-5.6", f"{url}/v1")):
        answer = ChatUnified(name, base_url=address, api_key="any", max_retries=0).invoke("Hi")
        assert (answer.text, answer.usage_metadata["total_tokens"]) == ("Hello.", 5)
        assert "pip install" in (reply(answer).cost.reason or ""), "a cost without prices says what to install"
    server.shutdown()
    server.server_close()
    assert not [name for name in NOT_NEEDED if name in sys.modules]
    for line in requires("langchain-unified") or []:
        name = re.split(r"[\[<>=;~! ]", line)[0].replace("-", "_")
        assert "extra ==" in line or name in sys.modules, f"{name} is installed and not used by a call"
    done = subprocess.run(
        [sys.executable, "-m", "langchain_unified", "demo"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "pip install '" in done.stderr
    assert "Traceback" not in done.stderr


def full() -> None:
    from langchain_unified import ChatUnified, reply
    from langchain_unified.testing import emulator, use_cassette

    with tempfile.TemporaryDirectory() as folder, emulator() as server:
        cassette = str(Path(folder) / "hello.yaml")
        model = ChatUnified("anthropic/claude-sonnet-5", base_url=server.anthropic_url, api_key="any")
        for _ in range(2):
            with use_cassette(cassette, record="once"):
                assert reply(model.invoke("Hi")).cost.total
    command = [str(Path(sys.executable).with_name("langchain-unified")), "demo"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "at the published prices" in done.stdout


if __name__ == "__main__":
    {"plain": plain, "full": full}[sys.argv[1]]()

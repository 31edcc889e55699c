"""The page of servers, `docs/servers.md`."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from docs.generate.markdown import table
from langchain_unified.request import Dialect
from langchain_unified.servers import server_table
from langchain_unified.servers.table import Address, Fact, Server, as_of
from langchain_unified.testing.emulation.servers import SERVERS

HEAD = """# Servers that speak these APIs

Written by `make tables` from `langchain_unified/data/servers.json` (as of {as_of}). Do not edit this page by hand.

`ChatOpenAI(base_url=…)` speaks to any server of OpenAI's APIs, `ChatAnthropic(base_url=…)` to any server of the
Messages API, and `ChatUnified` to both:

```python
from langchain_unified import ChatOpenAI

model = ChatOpenAI("qwen3:8b", base_url="http://localhost:11434/v1", api_key="ollama")
print(model.check("Hello"))  # … server: ollama, because the port 11434.
```

What a server takes otherwise than the provider is its *dialect*, a record of flags. It is recognised from the
address, at no request: host, port and path, also of a ready `client=`. `check` prints it, and why it was chosen.

1. The provider's own host, or none: the provider.
2. An emulator of this process (`testing.emulator`): the server that it plays.
3. A host, port or path of the table below: that server.
4. This machine at another port, and a model of the provider's own (`gpt-5.6`, any `claude-…`): `proxy`, a proxy in
   front of the provider. It gets what the provider gets.
5. Anything else: `generic`, which gets what most servers understand.

`dialect=` of each class says it instead: a name of the table, or a record:

```python
from dataclasses import replace
from langchain_unified import ChatOpenAI, ChatUnified, Dialect, known_dialect

ChatOpenAI("m", base_url="https://gateway.example/v1", dialect="vllm")
ChatOpenAI("m", base_url="https://gateway.example/v1", dialect=replace(known_dialect("vllm"), top_k=False))
ChatOpenAI("m", base_url="https://gateway.example/v1", dialect=Dialect(max_tokens_key="max_tokens", must_finish=False))
ChatUnified("openai/m", dialect={{"openai": "openrouter"}})  # one for each provider
```

## What every other server has in common

- **A model's id goes out as it is written**: `ChatOpenAI("openai/gpt-oss-120b")` at Groq,
  `"anthropic/claude-sonnet-5"` at OpenRouter. `ChatUnified` removes the `openai/` or `anthropic/` that tells it the
  API, unless the server's ids begin with it. A name that tells no provider goes to a foreign `base_url` by OpenAI's
  API. Where an id certainly names a known model (`openai/gpt-5.6:free`, `us.anthropic.claude-…-v1:0`), the facts about
  it count: efforts, limits, the key of the output limit. `check` names it.
- **Nothing of OpenAI's caching goes to a server of another kind.** A mark (`cache_control`, `cached(…)`,
  `prompt_cache=`) goes to a Chat server as `cache_control` on its block, unless the server is known to refuse it.
- **What a server does not have is done here, or listed** in `response_metadata["adjustments"]`.
  `with_structured_output` uses `json_schema`, else a forced tool, else `json_object` with the schema in the prompt,
  else the prompt alone; the answer is always checked here. `get_num_tokens` is LangChain's estimate where there is no
  endpoint for it.
- **Reasoning** in `reasoning_content`, `reasoning` or `reasoning_details`, and the `extra_content` of tool calls, is
  read from any server, shown as standard `reasoning` blocks, and goes back to the server that it came from, and to no
  other.
- **Parts that OpenAI does not have** (`video_url`, `audio_url`, a file by URL, a part in the server's own form) are
  sent.

`emulator(server="deepseek")` of `langchain_unified.testing` answers as that server does, and refuses what it refuses,
as far as it is documented or reported: a test of your program needs no key and no GPU. It plays {played}.

Nothing on this page was recorded by this project: *documented* is what the server's own pages or source say,
*reported* what a user or another project says of it, and *chosen* a careful guess where neither is known. If a server
has changed, `dialect=` overrides a flag, and a report is welcome.
"""

OPENAI_API = {"openai": "OpenAI's APIs", "anthropic": "the Messages API"}


def page() -> str:
    """The text of `docs/servers.md`."""
    played = ", ".join(f"`{name}`" for name in SERVERS)
    parts = [
        HEAD.format(as_of=as_of(), played=played),
        "## How each is recognised",
        "",
        *table(["name", "server", "recognised by", "`base_url`"], map(_row, server_table().values())),
        "",
        "## Flags",
        "",
        "The defaults are the provider's own; a server below names only what differs from `generic`.",
        "",
        *table(["flag", "the provider", "`generic`, OpenAI's APIs", "`generic`, the Messages API"], _flags()),
        "",
    ]
    for server in server_table().values():
        parts += [*_section(server), ""]
    return "\n".join(parts)


def _row(server: Server) -> Sequence[str]:
    found = ", ".join(_address(address) for address in server.addresses) or "the steps above"
    urls = "<br>".join(f"`{url}`" for url in server.base_urls.values())
    return [", ".join(f"`{name}`" for name in server.names), server.title, found, urls]


def _address(address: Address) -> str:
    parts = [f"`{address.host}`"] if address.host else []
    if address.port:
        parts.append(f"port {address.port}" + (" of this machine or its network" if address.local else ""))
    if address.path:
        parts.append(f"path `{address.path}`")
    return " with ".join(parts)


def _flags() -> Iterator[Sequence[str]]:
    own = Dialect()
    generic = server_table()["generic"]
    openai, anthropic = generic.dialect("openai"), generic.dialect("anthropic")
    for field in dataclasses.fields(Dialect):
        if field.name not in ("name", "why", "host"):
            yield [f"`{field.name}`", *(_value(getattr(each, field.name)) for each in (own, openai, anthropic))]


def _value(value: object) -> str:
    if isinstance(value, frozenset):
        return ", ".join(f"`{item}`" for item in sorted(value)) or "none"
    return "not known" if value is None else f"`{value}`"


def _section(server: Server) -> Iterator[str]:
    yield f"## {server.title}"
    yield ""
    yield f'`dialect="{server.name}"`' + (f", like `{server.like}` but for what follows." if server.like else ".")
    for api, url in server.base_urls.items():
        yield f'{"ChatOpenAI" if api == "openai" else "ChatAnthropic"}: `base_url="{url}"`.'
    yield ""
    facts = [fact for fact in server.facts if fact.flag]
    if facts:
        yield from table(["flag", "value", "for", "evidence"], map(_fact, facts))
        yield ""
    for fact in server.facts:
        if not fact.flag:
            yield f"- {fact.note} ({_evidence(fact)})"


def _fact(fact: Fact) -> Sequence[str]:
    concerns = [OPENAI_API[fact.api]] if fact.api else []
    if fact.models == "own":
        concerns.append("the provider's own models")
    elif fact.models:
        concerns.append(f"models that match `{fact.models}`")
    return [f"`{fact.flag}`", _value(fact.value), ", ".join(concerns) or "all", _evidence(fact)]


def _evidence(fact: Fact) -> str:
    source = f": {fact.source}" if fact.source else ""
    return f"{fact.evidence}, {fact.date}{source}"

"""The words of `docs/bench_speed.md` around its table."""

INTRODUCTION = """# What a call costs on this side

CPU time of the calling process, in a run against a server of ready bytes on loopback, which is a process of its own.
The contenders of a job run by turns; a figure is the median of their runs, a share the median of the rounds' shares.
Shares count, times do not: they depend on the machine. A share in bold is above what it is to reach, in brackets.

- *the SDK's typed call*: `messages.create`, `chat.completions.create` or `responses.create`, with `stream=True` its
  typed events.
- *the partner package*: `langchain-anthropic` or `langchain-openai`.
- *core + bare HTTP*: a chat model that posts ready bytes by httpx2 and reads no JSON. It is the least that a LangChain
  call costs with core's own constructors.
- *itself, smaller*: the same job at a smaller size, for each message or chunk. A share of 1 is linear growth.

![CPU time beside the peers](assets/bench_speed.svg)
"""

AFTER = """## The jobs

| job | what runs |
| :-- | :-- |
| short invoke | `invoke` of one message, a reply of one sentence |
| 401 messages, 20 tools | `invoke` of 200 turns with 20 tools bound; the history of 3,001 shows how it grows |
| 50 async invokes at once | `ainvoke` under `asyncio.gather`, on httpx2 and on aiohttp (`http_backend="aiohttp"`) |
| one chunk of 1,000 | `stream` of 1,000 words. The server sends all at once: reads do not count |
| one chunk, each in a packet of its own | the same with a read for each chunk, as slow providers cause it |
| async chunk, 20 streams | `astream` of 20 streams of 200 words in one loop |
| v3 events | `stream_events(version="v3")` of 1,000 words |
| a call's chunk | a stream of one tool call with 64 KB of arguments in pieces of ten characters |
| streamed dict or class | `with_structured_output(…).stream` of a list of rows, in pieces of ten characters |
| bind again; make and bind | `bind_tools` of the same 20 tools, as agents do before each call; of new ones |
| a stream of one chunk | what happens before the first chunk, and after the last |
| 1,000 streams, `abatch` of 20,000 | the same code under load; `abatch` with `max_concurrency` 100 |
| import and build | a fresh interpreter that makes a model; core alone imports `BaseChatModel` |
| memory | of a fresh interpreter after a call and a stream, where `/proc` tells it |

## Where the time goes, and what bounds it

*A short call.* The HTTP client (httpx2, httpcore2, h11 and the socket) takes more than half of it, a third of that
for headers; LangChain core's run takes a fifth to a sixth, the plan (arguments, route, history, body) a tenth, and
the answer and the request a twentieth each. Core + bare HTTP alone are about half of the SDK's typed call: above
httpx2, less is not possible. The SDKs work out address, headers and options for each request; here a request that
the SDK has made twice is copied with another body (`transport/_templates.py`). They build typed objects of the
answer; that is never done here.

*Async calls.* Fifty at once are bounded by httpcore2, which looks at every connection of its pool at each request
and each answer, and probes the idle sockets. `http_backend="aiohttp"` has no such work.

*A history.* Each message is read, checked, encoded and written as JSON once. Nothing of a history is remembered from
call to call.

*Tools.* Binding the same list again compares what was read of its tools, and reads nothing anew. A call recognises
tools in JSON by their bytes (`tools/bound.py`).

*Imports.* Building a model imports what `langchain_core.language_models.chat_models` imports (most of it LangSmith's
client, requests and pydantic), and about 30 modules of this package: the model classes and their fields, the tables
of models and servers, by which the constructor checks names and addresses, the errors and the transport's
configuration. The wires, the history, tools and structured output come with the first call or binding; the SDK and
httpx2 with the first call.

*A chunk.* Core's `stream` takes about 6 of the 16 µs that core + bare HTTP take for a chunk: the chunk's id and
metadata are set through pydantic, the callbacks are asked, and at the end all chunks are added up. The constructors of
`AIMessageChunk` and `ChatGenerationChunk` take most of the rest. Those are not called here: chunks get the same
attributes without being validated again (`messages/chunks.py`). What is ours: the JSON of the event (1 µs for Messages,
1.7 µs for Chat, whose events are longer), finding the event in the bytes (1 µs), the check of its types (0.5 to 1.2 µs)
and the decoder (1 to 3 µs). An async chunk adds three async generators: the events', ours and core's.

*A piece of a call's arguments.* Core's constructor parses each piece as if it were whole JSON and repairs what is not.
A piece without `{` at its start can be no object, so that is not tried here. The depth of the JSON is counted as it
comes.

*A streamed structured answer.* Each character is read once, complete parts are shared by all answers that follow, and
each object is validated once, when it ends. What grows with the whole is the copying of references in the lists that
are still open: 8 bytes for each item and piece.

*Growth.* Time is linear in the messages of a history, in the tools, in the chunks of a stream, in the characters of
arguments and of structured answers. The sum of the chunks that core makes at the end of a stream adds strings to
strings, which copies: that is core's, and shows from some hundred KB on.

*The guard.* `make bench-quick` runs the short jobs and fails where a share is above 2.5 times what it is to reach.
"""

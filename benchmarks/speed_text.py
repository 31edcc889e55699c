"""The words of `docs/bench_speed.md` around its table."""

INTRODUCTION = """# What a call costs on this side

CPU time of the calling process, in a run against a server of ready bytes on loopback, which is a process of its own.
The contenders of a job run by turns; a figure is the median of their runs, a share the median of the rounds' shares.
Shares count, times do not: they depend on the machine. A share in bold is above what it is to reach, in brackets.

- *the SDK's typed call*: `messages.create`, `chat.completions.create` or `responses.create`, with `stream=True` its
  typed events.
- *the partner package*: `langchain-anthropic` or `langchain-openai`.
- *core + bare HTTP*: a chat model that posts ready bytes by httpx2 and reads no JSON. It is the least that a LangChain
  call costs: no chat model on LangChain core costs less, unless it makes its messages cheaper than core's constructor.
- *itself, smaller*: the same job at a smaller size, for each message or chunk. A share of 1 is linear growth.
"""

AFTER = """## The jobs
"""
